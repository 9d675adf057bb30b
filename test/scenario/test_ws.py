# SPDX-License-Identifier: Apache-2.0
"""WebSocket: our frames and our compression against a client of another make, and that client
against servers that do what none may. The cases follow the families of Autobahn's test suite."""
import contextlib
import os
import pathlib
import random
import socket
import subprocess
import threading
import zlib

import pytest

import ws
from earnest_server import PATIENCE_S, Wire
from ws import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, WebSocket, frame

BUILD = pathlib.Path(os.environ.get("EARNEST_BUILD",
                                    pathlib.Path(__file__).parents[2] / "build/debug"))
MESSAGE_MAX = 65536 # of ws_echo


class Pipe(Wire):
    """A Wire over a socket that is there already."""

    def __init__(self, end): # pylint: disable=super-init-not-called
        self.socket, self.buffer, self.ended = end, b"", False
        end.settimeout(PATIENCE_S)


@contextlib.contextmanager
def echo(extensions=None, offered=""):
    """A WebSocket to an echo server with what is agreed; the server has to end in peace."""
    deflate = ws.Deflate(extensions, offered) if extensions else None
    command = [str(BUILD / "test/ws_echo")]
    if deflate:
        command += [str(deflate.bits("server_max_window_bits")),
                    str(int("server_no_context_takeover" not in deflate.values)),
                    str(deflate.bits("client_max_window_bits")),
                    str(int("client_no_context_takeover" not in deflate.values))]
    ours, theirs = socket.socketpair()
    with theirs, subprocess.Popen(command, stdin=theirs, stdout=theirs) as process:
        theirs.close()
        with Pipe(ours) as wire:
            yield WebSocket(wire, deflate)
        assert process.wait(PATIENCE_S) == 0


# The client, against a server made of bytes.


def heard(data, deflate=None, events=1):
    """What the client hears in these bytes of a server."""
    ours, theirs = socket.socketpair()
    with theirs, Pipe(ours) as wire:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        client = WebSocket(wire, deflate)
        return [client.event() for _ in range(events)]


def test_client_hears_what_a_server_may_send():
    assert heard(frame(FIN | TEXT, b"Hello")) == [("text", "Hello")]
    assert heard(frame(FIN | BINARY, bytes(70000))) == [("binary", bytes(70000))]
    parts = frame(TEXT, "κ".encode()[:1]) + frame(FIN | PING, b"p")
    parts += frame(FIN | CONTINUATION, "κ".encode()[1:]) + frame(FIN | CLOSE, b"\x03\xe8bye")
    assert heard(parts, events=3) == [("ping", b"p"), ("text", "κ"), ("close", 1000, "bye")]
    assert heard(frame(FIN | CLOSE, b"")) == [("close", None, "")]
    packed = bytes.fromhex("f248cdc9c90700")
    deflate = ws.Deflate("permessage-deflate", "permessage-deflate")
    assert heard(frame(FIN | RSV1 | TEXT, packed), deflate) == [("text", "Hello")]


@pytest.mark.parametrize("data", [
    frame(FIN | TEXT, b"a", mask=b"\1\2\3\4"), # masked
    frame(FIN | RSV1 | TEXT, b"a"), # compressed, which is not agreed
    frame(FIN | 0x20 | TEXT, b"a"), frame(FIN | 0x10 | TEXT, b"a"),
    frame(FIN | 3, b""), frame(FIN | 0xb, b""), # no such opcode
    frame(PING, b""), frame(CLOSE, b""), # control frames in fragments
    frame(FIN | RSV1 | PONG, b""),
    frame(FIN | PING, bytes(126)),
    frame(FIN | TEXT, bytes(125), form=3), frame(FIN | TEXT, bytes(65535), form=9),
    frame(FIN | CONTINUATION, b"a"),
    frame(TEXT, b"a") + frame(FIN | TEXT, b"b"),
    frame(FIN | TEXT, b"\xff"), frame(FIN | TEXT, b"\xce"),
    frame(FIN | CLOSE, b"\x03"), frame(FIN | CLOSE, b"\x03\xed"), frame(FIN | CLOSE, b"\x03\xf2"),
    frame(FIN | CLOSE, b"\x03\xe8\xff"),
    frame(FIN | TEXT, b"abc")[:-1], b"\x81", b"", # cut
], ids=lambda data: data[:6].hex() or "nothing")
def test_client_takes_nothing_else(data):
    with pytest.raises(AssertionError):
        heard(data)


def test_client_takes_nothing_after_the_close_frame():
    with pytest.raises(AssertionError, match="after the close frame"):
        heard(frame(FIN | CLOSE, b"") + frame(FIN | TEXT, b"a"), events=2)


def test_client_takes_no_compressed_rubbish():
    deflate = ws.Deflate("permessage-deflate", "permessage-deflate")
    with pytest.raises(AssertionError, match="not a compressed message"):
        heard(frame(FIN | RSV1 | TEXT, b"\x06\x00"), deflate)


@pytest.mark.parametrize("agreed,offered", [
    ("x-other", "permessage-deflate"),
    ("permessage-deflate; level=9", "permessage-deflate"),
    ("permessage-deflate; client_max_window_bits=9", "permessage-deflate"),
    ("permessage-deflate", "permessage-deflate; server_no_context_takeover"),
    ("permessage-deflate", "permessage-deflate; server_max_window_bits=10"),
    ("permessage-deflate; server_max_window_bits=16", "permessage-deflate"),
    ("permessage-deflate; server_max_window_bits", "permessage-deflate"),
    ("permessage-deflate; server_no_context_takeover=1", "permessage-deflate"),
    ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
     "permessage-deflate"),
])
def test_client_agrees_to_nothing_else(agreed, offered):
    with pytest.raises(AssertionError):
        ws.Deflate(agreed, offered)


def handshake(answer):
    """The handshake with a server that answers by answer(key)."""
    ours, theirs = socket.socketpair()

    def serve():
        with theirs:
            request = theirs.recv(65536).decode()
            key = next(line[19:] for line in request.split("\r\n")
                       if line.startswith("Sec-WebSocket-Key: "))
            theirs.sendall(answer(key))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with Pipe(ours) as wire:
            return WebSocket.open(wire, "/", protocols="a.example, b.example")
    finally:
        thread.join()


def switching(key, status="101 Switching Protocols", upgrade="websocket", more=""):
    return (f"HTTP/1.1 {status}\r\nUpgrade: {upgrade}\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {ws.accept(key)}\r\n{more}\r\n").encode()


def test_client_opens_a_connection():
    assert ws.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert handshake(switching).protocol is None
    more = "Sec-WebSocket-Protocol: b.example\r\n"
    assert handshake(lambda key: switching(key, more=more)).protocol == "b.example"


@pytest.mark.parametrize("answer", [
    lambda key: switching(key, status="200 OK", more="Content-Length: 0\r\n"),
    lambda key: switching(key, upgrade="h2c"),
    lambda key: switching(key[::-1]),
    lambda key: switching(key, more="Sec-WebSocket-Protocol: c.example\r\n"),
    lambda key: switching(key, more="Sec-WebSocket-Extensions: permessage-deflate\r\n"),
], ids=["status", "upgrade", "accept", "protocol", "extension"])
def test_client_opens_nothing_else(answer):
    with pytest.raises(AssertionError):
        handshake(answer)


# Our frames and our compression, against the client.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 4095, 65535, MESSAGE_MAX])
@pytest.mark.parametrize("fragments", [1, 2, 7])
def test_messages_come_back(size, fragments):
    data = random.Random(size).randbytes(size)
    with echo() as client:
        client.binary(data, fragments=fragments)
        client.text("x" * size, fragments=fragments)
        assert client.event() == ("binary", data)
        assert client.event() == ("text", "x" * size)
        client.end()


def test_text_comes_back_however_it_is_split():
    text = "κόσμε, বাংলা, \U0001f375"
    with echo() as client:
        for fragments in range(1, len(text.encode()) + 3):
            client.text(text, fragments=fragments)
            assert client.event() == ("text", text)
        client.end()


def test_pings_are_answered_within_a_message():
    with echo() as client:
        client.send(TEXT, b"a")
        client.ping(b"one")
        client.pong(b"nobody asked")
        client.send(CONTINUATION)
        client.ping(bytes(125))
        client.send(FIN | CONTINUATION, b"b")
        assert [client.event() for _ in range(3)] == [
            ("pong", b"one"), ("pong", bytes(125)), ("text", "ab")]
        client.end()


@pytest.mark.parametrize("data,code", [
    (frame(FIN | TEXT, b"a"), 1002), # not masked
    (frame(0xb1, b"a", b"mask"), 1002), (frame(FIN | RSV1 | TEXT, b"a", b"mask"), 1002),
    (frame(FIN | 5, b"", b"mask"), 1002), (frame(FIN | 0xf, b"", b"mask"), 1002),
    (frame(PING, b"", b"mask"), 1002), (frame(FIN | PONG, bytes(126), b"mask"), 1002),
    (frame(FIN | TEXT, b"abc", b"mask", form=3), 1002),
    (frame(FIN | BINARY, b"abc", b"mask", form=9, length=1 << 63), 1002),
    (frame(FIN | CONTINUATION, b"", b"mask"), 1002),
    (frame(TEXT, b"", b"mask") + frame(FIN | BINARY, b"", b"mask"), 1002),
    (frame(FIN | CLOSE, b"\3", b"mask"), 1002), (frame(FIN | CLOSE, b"\3\xee", b"mask"), 1002),
    (frame(FIN | CLOSE, b"\3\xe8\xff", b"mask"), 1007),
    (frame(FIN | TEXT, b"\xc0\xaf", b"mask"), 1007),
    (frame(TEXT, b"\xed\xa0", b"mask", length=1000), 1007), # before the frame is whole
    (frame(FIN | BINARY, b"", b"mask", form=9, length=MESSAGE_MAX + 1), 1009),
    (frame(FIN | BINARY, b"", b"mask", form=9, length=(1 << 63) - 1), 1009),
], ids=lambda value: value[:6].hex() if isinstance(value, bytes) else str(value))
def test_what_is_wrong_ends_the_connection(data, code):
    with echo() as client:
        client.wire.send(data)
        client.expect_failure(code)


@pytest.mark.parametrize("code", [None, 1000, 1001, 1003, 1010, 1014, 3000, 4999])
def test_a_close_frame_is_answered_with_its_code(code):
    with echo() as client:
        client.close(code, "bye, \U0001f44b".encode() if code else b"")
        client.wire.send(b"\xff" * 100) # nothing counts any more
        first, payload = client.frame()
        assert first == FIN | CLOSE
        assert payload == (b"" if code is None else code.to_bytes(2, "big"))
        client.wire.expect_end()


TEXTS = ["", "a", "Hello", "Hello", '{"status":412,"rule":"if_match"}' * 50, "", "κόσμε" * 999,
         '{"status":404,"rule":"nothing"}' * 50]
PMD = "permessage-deflate"


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("agreed", [
    PMD, f"{PMD}; server_no_context_takeover", f"{PMD}; client_no_context_takeover",
    f"{PMD}; server_no_context_takeover; client_no_context_takeover",
    f"{PMD}; server_max_window_bits=9", f"{PMD}; client_max_window_bits=9",
    f"{PMD}; server_max_window_bits=12; client_max_window_bits=10; server_no_context_takeover",
])
def test_compressed_messages_come_back(agreed, fragments):
    noise = random.Random(agreed).randbytes(50000)
    with echo(agreed, "permessage-deflate; client_max_window_bits") as client:
        for text in TEXTS:
            client.text(text, fragments=fragments, compress=True)
            client.text(text) # without, in between
            assert client.event() == ("text", text)
            assert client.event() == ("text", text)
        for _ in range(3):
            client.binary(noise, fragments=fragments, compress=True)
            assert client.event() == ("binary", noise)
        client.end()


def test_a_bomb_is_too_big():
    with echo(PMD) as client:
        client.binary(bytes(MESSAGE_MAX), compress=True)
        assert client.event() == ("binary", bytes(MESSAGE_MAX))
        client.binary(bytes(MESSAGE_MAX * 900), compress=True)
        client.expect_failure(1009)


@pytest.mark.parametrize("payload", [
    b"\x06\x00", b"\xf2\x48\xcd", b"", # no block, a cut one, none
    zlib.compress(b"Hello"), # with a header that is none of ours
], ids=bytes.hex)
def test_what_can_not_be_inflated_is_inconsistent(payload):
    with echo(PMD) as client:
        client.send(FIN | RSV1 | TEXT, payload)
        client.expect_failure(1007)


def test_text_is_looked_at_when_it_is_inflated():
    with echo(PMD) as client:
        client.message(BINARY, b"\xed\xa0\x80", compress=True)
        assert client.event() == ("binary", b"\xed\xa0\x80")
        client.message(TEXT, b"\xed\xa0\x80", compress=True)
        client.expect_failure(1007)


def test_reserved_bits_of_other_frames_mean_nothing():
    with echo(PMD) as client:
        client.send(RSV1 | TEXT, b"\xf2\x48")
        client.send(FIN | RSV1 | CONTINUATION, b"\xcd\xc9\xc9\x07\x00")
        client.expect_failure(1002)


def test_blocks_that_say_they_are_the_last_keep_the_window():
    """RFC 7692 7.2.3.4; and as many of them as there may be cost no more than they should."""
    with echo(PMD) as client:
        client.send(FIN | RSV1 | TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00")
        client.send(FIN | RSV1 | TEXT, b"\xf2\x00\x11\x00\x00")
        assert [client.event(), client.event()] == [("text", "Hello")] * 2
        client.send(FIN | RSV1 | BINARY, b"\x03\x00" * 32000 + b"\x00")
        assert client.event() == ("binary", b"")
        client.end()
