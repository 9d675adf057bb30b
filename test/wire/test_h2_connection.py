# SPDX-License-Identifier: Apache-2.0
"""RFC 9113, sections 3, 4, 5, 6 and 8: what takes more than one turn. The others are rows of
test_h2_conformance.py."""
import signal
import time

import pytest

import h2_frame as f
import hpack
import tls
from earnest_server import Wire, check_laws
from h2 import H2
from h2_frame import END_HEADERS, PADDED, data, frame, goaway, headers, ping, priority, request, window_update
from scenario import Site, files_route, get
from tls import TlsWire, client


BIG = bytes(range(250)) * 1200
WAIT = {f.INITIAL_WINDOW_SIZE: 0}


def status(h2, path="/", **more):
    answer = h2.answer(h2.request("GET", path, **more))
    check_laws(answer, "GET")
    return answer.status


# 3.4, 3.2: how it begins.

@pytest.mark.parametrize("first", [
    pytest.param(f.PREFACE + ping(), id="PING instead of SETTINGS"),
    pytest.param(f.PREFACE + headers(1), id="HEADERS instead of SETTINGS"),
    pytest.param(f.PREFACE + frame(f.SETTINGS, f.ACK, 0), id="ACK instead of SETTINGS"),
    pytest.param(f.PREFACE + get(b"/"), id="a request of HTTP/1.1 instead of SETTINGS"),
])
def test_3_4_preface_without_settings(site, first):
    with H2(site.port, greet=False) as h2:
        h2.send(first)
        assert h2.farewell() in (None, "PROTOCOL_ERROR", "FRAME_SIZE_ERROR")
    assert site.status() == 200


@pytest.mark.parametrize("first", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", b"PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n",
                                   b"PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n",
                                   f.settings(), b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n"])
def test_3_4_no_preface(site, first):
    """It is no HTTP/2: whatever is said, nobody is served, and the connection ends."""
    with site.connect() as wire:
        wire.send(first + f.settings() + headers(1))
        wire.end()
        while wire.more():
            pass
        assert b"index" not in wire.buffer
        assert wire.buffer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 505") or wire.buffer[3] == f.SETTINGS


def test_3_4_preface_octet_by_octet(site):
    with H2(site.port, greet=False) as h2:
        for octet in f.PREFACE + f.settings()[:-1]:
            h2.send(bytes([octet]))
            time.sleep(0.001)
        h2.send(f.settings()[-1:])
        h2.unacknowledged.append([])
        assert status(h2) == 200


def test_3_4_request_beside_the_preface(site):
    with H2(site.port, greet=False) as h2:
        h2.send(f.PREFACE)
        h2.send_frames(f.settings() + headers(1))
        assert h2.answer(1).status == 200


def test_3_4_silence_after_the_preface(site):
    """SETTINGS comes first and unasked."""
    with H2(site.port, greet=False) as h2:
        h2.send(f.PREFACE)
        assert h2.frame().kind == f.SETTINGS


def test_3_3_both_protocols_on_one_port(site):
    with H2(site.port) as h2, site.connect() as wire:
        wire.send(get(b"/"))
        assert wire.answer("GET").status == 200
        assert status(h2) == 200


def test_3_1_upgrade(site):
    """Upgrade: h2c is deprecated: it may be ignored; if it is not, stream 1 answers the request."""
    with site.connect() as wire:
        wire.send(get(b"/a.txt", fields=b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n"))
        answer = wire.answer("GET")
    if answer.status == 101:
        with H2(site.port, upgrade="/a.txt") as h2:
            assert h2.answer(1).content == b"a\n"
            assert status(h2) == 200
    else:
        assert answer.status == 200 and answer.content == b"a\n"


@pytest.mark.parametrize("offered, chosen", [(("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"),
                                             (("http/1.1",), "http/1.1"), ((), None)])
def test_3_2_alpn(tls_site, offered, chosen):
    with TlsWire(tls_site.port, context=client(*offered)) as wire:
        assert wire.socket.selected_alpn_protocol() == chosen
        if chosen != "h2":
            wire.send(get(b"/"))
            assert wire.answer("GET").status == 200


def test_3_2_preface_on_tls_without_alpn(tls_site):
    """HTTP/2 over TLS is chosen by ALPN, and in no other way (RFC 9113 3.3)."""
    with TlsWire(tls_site.port, context=client("http/1.1")) as wire:
        wire.send(f.PREFACE + f.settings() + headers(1))
        assert wire.answer("GET").status in (400, 505)


def test_9_2_over_tls(tls_site):
    with H2(tls_site.port, tls=client("h2")) as h2:
        streams = [h2.request("GET", "/big.bin") for _ in range(20)]
        assert all(h2.answer(stream).content == BIG for stream in streams)


# 4.2, 5.1.2: limits that the server told.

@pytest.mark.parametrize("kind, stream", [(f.HEADERS, 3), (f.SETTINGS, 0), (f.GOAWAY, 0), (f.DATA, 1), (f.PING, 0),
                                          (0xbe, 0)])
def test_4_2_frames_above_the_limit(site, kind, stream):
    with H2(site.port, settings=WAIT) as h2:
        size = h2.theirs.get(f.MAX_FRAME_SIZE, f.FRAME_SIZE) // 6 * 6 + 6
        h2.send_frames(headers(1, flags=END_HEADERS) + frame(kind, END_HEADERS, stream, bytes(size)))
        if kind == f.DATA and h2.until(lambda: h2.streams[1].reset):
            assert h2.streams[1].reset == "FRAME_SIZE_ERROR"
        else:
            assert h2.farewell() == "FRAME_SIZE_ERROR"


def test_4_3_fields_of_a_refused_request_stay_in_the_table(site):
    with H2(site.port) as h2:
        row = hpack.literal(b"x-row", b"1", hpack.INDEXING)
        h2.send_frames(frame(f.HEADERS, 5, 1, hpack.plain([(b":method", b"GET")]) + row))
        assert h2.outcome(1) in ("PROTOCOL_ERROR", 400)
        h2.send_frames(frame(f.HEADERS, 5, 3, hpack.plain(request()) + hpack.indexed(62)))
        assert h2.outcome(3) == 200


def test_4_3_fields_of_a_cancelled_request_stay_in_the_table(site):
    with H2(site.port, settings=WAIT) as h2:
        row = hpack.literal(b"x-row", b"1", hpack.INDEXING)
        h2.send_frames(headers(1, flags=END_HEADERS) + f.rst_stream(1) +
                       frame(f.HEADERS, 5, 3, hpack.plain(request(b"HEAD")) + row))
        assert h2.outcome(3) == 200
        h2.send_frames(frame(f.HEADERS, 5, 5, hpack.plain(request(b"HEAD")) + hpack.indexed(62)))
        assert h2.outcome(5) == 200


def test_4_3_1_tables_of_all_sizes(site):
    """Each answer is decoded with a table of the size that we allow; the client checks the updates."""
    with H2(site.port, settings={f.HEADER_TABLE_SIZE: 0}) as h2:
        for size in (0, 4096, 0, 100, 65536, 33):
            h2.set({f.HEADER_TABLE_SIZE: size})
            for path in ("/", "/a.txt", "/missing"):
                assert status(h2, path) in (200, 404)


def test_4_3_1_size_updates_before_fields(site):
    with H2(site.port) as h2:
        for sizes in ((0,), (4096,), (0, 4096), (100, 0, 50)):
            stream = h2.next
            block = b"".join(map(hpack.size_update, sizes)) + hpack.plain(request())
            h2.send_frames(frame(f.HEADERS, 5, stream, block))
            assert h2.answer(stream).status == 200


def test_5_1_2_streams_above_the_limit(site):
    with H2(site.port, settings=WAIT) as h2:
        most = h2.theirs[f.MAX_CONCURRENT_STREAMS]
        assert most >= 100, "no less than 100 is recommended (RFC 9113 6.5.2)"
        streams = [h2.request("GET", "/") for _ in range(most + 10)]
        if not h2.ping():
            assert h2.farewell() in ("PROTOCOL_ERROR", "REFUSED_STREAM")
            return
        refused = [h2.streams[stream].reset for stream in streams[most:]]
        assert set(refused) <= {"REFUSED_STREAM", "PROTOCOL_ERROR"}, refused
        h2.set({f.INITIAL_WINDOW_SIZE: f.WINDOW})
        assert all(h2.answer(stream).status == 200 for stream in streams[:most])
        assert status(h2) == 200


# 5.2, 6.9: windows.

def received(h2, stream):
    assert h2.ping()
    return sum(map(len, h2.streams[stream].content))


def settled(h2, stream, wanted):
    """Octets that have come once there are as many as wanted, or the time for them is over."""
    deadline = time.monotonic() + 5
    while received(h2, stream) < wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    return received(h2, stream)


def test_6_9_1_a_stream_is_sent_what_its_window_holds(site):
    with H2(site.port, settings=WAIT, replenish=False) as h2:
        stream, total = h2.request("GET", "/big.bin"), 0
        assert settled(h2, stream, 0) == 0
        assert h2.streams[stream].answer.status == 200, "HEADERS are not subject to flow control"
        for increment in (1, 2, 1000, 16384, 40000):
            h2.send_frames(window_update(stream, increment))
            total += increment
            assert settled(h2, stream, total) == total


def test_6_9_1_a_connection_is_sent_what_its_window_holds(site):
    with H2(site.port, settings={f.INITIAL_WINDOW_SIZE: 1 << 20}, replenish=False) as h2:
        streams = [h2.request("GET", "/big.bin") for _ in range(3)]
        deadline = time.monotonic() + 5
        while h2.window and time.monotonic() < deadline:
            assert h2.ping()
        assert h2.window == 0
        assert h2.outcome(h2.request("HEAD", "/")) == 200
        h2.send_frames(window_update(0, 1 << 20))
        assert all(h2.answer(stream).content == BIG for stream in streams)


def test_6_9_1_an_empty_answer_needs_no_window(site):
    with H2(site.port, settings=WAIT) as h2:
        for method, path in (("HEAD", "/big.bin"), ("OPTIONS", "/a.txt")):
            assert h2.outcome(h2.request(method, path)) in (200, 204)


def test_6_9_2_settings_change_windows_of_open_streams(site):
    with H2(site.port, settings={f.INITIAL_WINDOW_SIZE: 1000}, replenish=False) as h2:
        stream = h2.request("GET", "/big.bin")
        assert settled(h2, stream, 1000) == 1000
        h2.set({f.INITIAL_WINDOW_SIZE: 100})  # the window is 900 below zero
        h2.send_frames(window_update(stream, 900))
        assert settled(h2, stream, 1000) == 1000
        h2.send_frames(window_update(stream, 1))
        assert settled(h2, stream, 1001) == 1001
        h2.set({f.INITIAL_WINDOW_SIZE: 300})
        assert settled(h2, stream, 1201) == 1201


def test_6_5_3_settings_are_taken_in_order(site):
    with H2(site.port, replenish=False) as h2:
        h2.send_frames(f.settings(*((f.INITIAL_WINDOW_SIZE, size) for size in (5, 1000, 7))))
        stream = h2.request("GET", "/big.bin")
        assert settled(h2, stream, 7) == 7


def test_6_5_3_each_settings_frame_is_acknowledged(site):
    with H2(site.port) as h2:
        for size in range(20):
            h2.set({f.INITIAL_WINDOW_SIZE: f.WINDOW - size})
        assert h2.until(lambda: not h2.unacknowledged)
        assert status(h2) == 200


def test_6_9_the_server_gives_back_what_was_used(tmp_path):
    """More content than any window holds, and more padding than one: all of it counts (RFC 9113 6.1)."""
    (tmp_path / "root").mkdir()
    config = files_route(tmp_path / "root", "write = true") + f'state = "{tmp_path}/state"'
    with Site(tmp_path, config) as site, H2(site.port) as h2:
        stream = h2.request("PUT", "/new.bin", end=False)
        part = b"\xff" + b"a" * 744 + bytes(255)
        for _ in range(400):
            assert h2.until(lambda: min(h2.credit, h2.streams[stream].credit) >= len(part))
            h2.send_frames(data(stream, part, PADDED))
        h2.send_content(stream, b"")
        assert h2.answer(stream).status == 201
        assert h2.answer(h2.request("GET", "/new.bin")).content == b"a" * 744 * 400


def test_6_9_content_that_is_not_wanted_counts_too(site):
    """Else the window of the connection would be used up by those that were refused."""
    with H2(site.port) as h2:
        for _ in range(40):
            assert h2.outcome(h2.request("DELETE", "/a.txt", content=bytes(60000))) == 405
        assert status(h2) == 200


# 6.7, 6.8: PING and GOAWAY.

def test_6_7_ping_is_answered_in_kind(site):
    with H2(site.port) as h2:
        sent = [bytes([i]) * 8 for i in range(20)]
        h2.send_frames(b"".join(map(ping, sent)))
        assert h2.until(lambda: len(h2.pongs) == len(sent))
        assert h2.pongs == sent


def test_6_8_goaway_of_the_client_lets_streams_end(site):
    with H2(site.port) as h2:
        stream = h2.request("GET", "/big.bin")
        h2.send_frames(goaway())
        assert h2.answer(stream).content == BIG


@pytest.mark.parametrize("end", ["SIGTERM", "SIGHUP"])
def test_6_8_goaway_of_the_server_lets_streams_end(own_site, end):
    with H2(own_site.port, settings=WAIT) as h2:
        stream = h2.request("GET", "/big.bin")
        assert h2.ping()
        own_site.process.send_signal(getattr(signal, end))
        assert h2.until(lambda: h2.goaways), "it ends without GOAWAY"
        last, code, _ = h2.goaways[0]
        assert code == "NO_ERROR" and last >= stream
        h2.set({f.INITIAL_WINDOW_SIZE: f.WINDOW})
        assert h2.answer(stream).content == BIG
        assert h2.farewell() == "NO_ERROR"


# 8.1: messages.

def test_8_1_an_answer_before_the_request_is_complete(site):
    """The whole answer comes; NO_ERROR may then say that no more content is wanted."""
    with H2(site.port) as h2:
        stream = h2.request("DELETE", "/a.txt", [("content-length", "10")], content="abc", end=False)
        answer = h2.answer(stream)
        assert answer.status == 405
        check_laws(answer, "DELETE")
        assert h2.ping() and h2.streams[stream].reset in (None, "NO_ERROR")
        assert status(h2) == 200


def test_8_1_answers_without_content(site):
    with H2(site.port) as h2:
        etag = h2.answer(h2.request("HEAD", "/a.txt")).field("etag")
        for method, fields, wanted in (("HEAD", [], 200), ("GET", [("if-none-match", etag)], 304),
                                       ("OPTIONS", [], 204), ("HEAD", [("if-match", '"no"')], 412)):
            answer = h2.answer(h2.request(method, "/a.txt", fields))
            assert answer.status == wanted
            check_laws(answer, method)


def test_5_many_streams_at_once(site):
    with H2(site.port) as h2:
        streams = [h2.request("GET", path) for path in ["/big.bin", "/a.txt", "/missing"] * 33]
        answers = [h2.answer(stream) for stream in streams]
        assert [a.status for a in answers] == [200, 200, 404] * 33
        assert all(a.content == BIG for a in answers[::3])


def test_5_4_2_one_stream_is_cut_and_the_others_go_on(site):
    with H2(site.port) as h2:
        streams = [h2.request("GET", "/big.bin") for _ in range(9)]
        h2.frame()
        for stream in streams[::2]:
            h2.cancel(stream)
        assert all(h2.answer(stream).content == BIG for stream in streams[1::2])


def test_5_3_signals_of_priority(site):
    """They may be heeded or not; nothing breaks (RFC 9113 5.3.2, RFC 9218 7.1)."""
    with H2(site.port) as h2:
        h2.send_frames(priority(3, 0, 200) + priority(5, 3) + priority(3, 5) + priority(7, 7))
        stream = h2.request("GET", "/big.bin", [("priority", "u=1, i")])
        h2.send_frames(frame(f.PRIORITY_UPDATE, 0, 0, f.number(stream) + b"u=5"))
        assert h2.outcome(stream) == 200 or h2.farewell() == "PROTOCOL_ERROR"
    assert site.status() == 200


def test_8_5_extended_connect(site):
    """Without the setting of RFC 8441 3 :protocol is undefined; with it, it needs :scheme and :path."""
    with H2(site.port) as h2:
        stream = h2.open([(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
                          (":authority", "a.example"), (":path", "/a.txt")], end=False, method="CONNECT")
        if h2.theirs.get(f.ENABLE_CONNECT_PROTOCOL):
            assert h2.outcome(stream) >= 400, "a file is no WebSocket"
        else:
            assert h2.outcome(stream) in ("PROTOCOL_ERROR", 400)
        assert status(h2) == 200


def test_10_3_a_connection_that_ends_within_a_frame(site):
    for cut in (1, 9, 12):
        with H2(site.port) as h2:
            h2.send(headers(1)[:cut])
            h2.end()
            assert h2.farewell() in (None, "NO_ERROR", "PROTOCOL_ERROR", "FRAME_SIZE_ERROR")
    with Wire(site.port) as wire:
        wire.send(f.PREFACE[:10])
        wire.end()
        while wire.more():
            pass
    assert site.status() == 200
