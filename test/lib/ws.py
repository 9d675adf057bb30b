# SPDX-License-Identifier: Apache-2.0
"""A WebSocket client (RFC 6455, RFC 7692) that takes nothing on trust.

    with Wire(server.port) as wire:
        ws = WebSocket.open(wire, "/.earnest/live", extensions="permessage-deflate")
        ws.text("Hello")
        assert ws.event() == ("text", "Hello")
        ws.end()

It can send every frame, right or wrong. What a server must not send is an AssertionError. It reads
from anything that has send(), bytes(n), more() and buffer, as Wire has: a stream of HTTP/2, too.
"""
import base64
import hashlib
import os
import re
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
FIN, RSV1 = 0x80, 0x40
SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FLUSHED = b"\x00\x00\xff\xff"
# What a server may say; 1010 is for clients (RFC 6455 7.4.1).
CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, *range(3000, 5000)}


def accept(key):
    """Sec-WebSocket-Accept for a key."""
    return base64.b64encode(hashlib.sha1((key + SALT).encode()).digest()).decode()


def masked(payload, mask):
    n = len(payload)
    long_mask = (mask * (n // 4 + 1))[:n]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(long_mask, "big")).to_bytes(n, "big")


def frame(first, payload, mask=None, form=None, length=None):
    """One frame, with any first byte. form is the bytes of its length (1, 3 or 9), the shortest if
    None; length is what it says it has; mask None sends no mask."""
    n = len(payload) if length is None else length
    form = form or (1 if n < 126 else 3 if n < 65536 else 9)
    bit = 0 if mask is None else 0x80
    head = {1: lambda: bytes([bit | n]), 3: lambda: bytes([bit | 126]) + n.to_bytes(2, "big"),
            9: lambda: bytes([bit | 127]) + n.to_bytes(8, "big")}[form]()
    return bytes([first]) + head + ((mask + masked(payload, mask)) if mask is not None else payload)


class Deflate:
    """permessage-deflate as it was agreed; the value of Sec-WebSocket-Extensions in the answer."""

    FLAGS = {"server_no_context_takeover", "client_no_context_takeover"}
    WINDOWS = {"server_max_window_bits", "client_max_window_bits"}

    def __init__(self, agreed, offered):
        name, *parameters = [part.strip() for part in agreed.split(";")]
        assert name == "permessage-deflate", f"an extension that nobody offered: {name}"
        self.values = {}
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            assert key in self.FLAGS | self.WINDOWS, f"parameter {key}"
            assert key not in self.values, f"{key} twice"
            assert (key in self.FLAGS) == (value == ""), f"{key}={value}"
            assert not value or re.fullmatch("[89]|1[0-5]", value), f"{key}={value}"
            self.values[key] = value
        assert "client_max_window_bits" in offered or "client_max_window_bits" not in self.values
        for name in ("server_max_window_bits", "server_no_context_takeover"):
            insisted = all(name in offer for offer in offered.split(","))
            assert name in self.values or not insisted, f"no {name}, which was asked for"
        self.compressor = self.decompressor = None # made with the first message

    def bits(self, name):
        return int(self.values.get(name, 15))

    def compress(self, data):
        if self.compressor is None or "client_no_context_takeover" in self.values:
            self.compressor = zlib.compressobj(wbits=-max(self.bits("client_max_window_bits"), 9))
        if not data:
            return b"\x00"
        packed = self.compressor.compress(data) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
        assert packed.endswith(FLUSHED)
        return packed[:-4]

    def decompress(self, data):
        if self.decompressor is None or "server_no_context_takeover" in self.values:
            self.decompressor = zlib.decompressobj(wbits=-self.bits("server_max_window_bits"))
        try:
            return self.decompressor.decompress(data + FLUSHED)
        except zlib.error as error:
            raise AssertionError(f"not a compressed message: {error}") from error


class WebSocket:
    """A connection after the handshake. deflate is a Deflate, or None if none is agreed."""

    def __init__(self, wire, deflate=None):
        self.wire, self.deflate = wire, deflate
        self.closed = False # the server's close frame has come
        self.begun, self.data = 0, b"" # first byte and payload of a message that has begun

    @classmethod
    def open(cls, wire, path, host="127.0.0.1", extensions=None, protocols=None, **fields):
        """The handshake; names of fields have _ for -, and a value of None leaves one out."""
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec_WebSocket_Key": key, "Sec_WebSocket_Version": "13",
                  "Sec_WebSocket_Extensions": extensions, "Sec_WebSocket_Protocol": protocols,
                  **fields}
        lines = [f"GET {path} HTTP/1.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()
                  if value is not None]
        wire.send("\r\n".join([*lines, "", ""]).encode())
        answer = wire.answer("GET")
        assert answer.status == 101, f"not WebSocket: {answer!r}"
        assert answer.members("upgrade") == ["websocket"]
        assert "upgrade" in answer.members("connection")
        assert answer.field("sec-websocket-accept") == accept(key)
        chosen = answer.field("sec-websocket-protocol")
        assert chosen is None or chosen in [p.strip() for p in (protocols or "").split(",")]
        agreed = answer.field("sec-websocket-extensions")
        assert agreed is None or extensions, "an extension that nobody offered"
        ws = cls(wire, Deflate(agreed, extensions) if agreed else None)
        ws.protocol, ws.answer = chosen, answer
        return ws

    def send(self, first, payload=b"", **how):
        """One frame of any kind, masked anew (RFC 6455 5.3)."""
        self.wire.send(frame(first, payload, **{"mask": os.urandom(4), **how}))

    def message(self, opcode, data, fragments=1, compress=False):
        """A message in so many fragments, of about the same size."""
        first = opcode
        if compress:
            data, first = self.deflate.compress(data), opcode | RSV1
        step = -(-len(data) // fragments) or 1
        parts = [data[i * step:(i + 1) * step] for i in range(fragments)]
        for i, part in enumerate(parts):
            self.send((first if i == 0 else CONTINUATION) | (FIN if i == fragments - 1 else 0), part)

    def text(self, text, **how):
        self.message(TEXT, text.encode(), **how)

    def binary(self, data, **how):
        self.message(BINARY, data, **how)

    def ping(self, payload=b""):
        self.send(FIN | PING, payload)

    def pong(self, payload=b""):
        self.send(FIN | PONG, payload)

    def close(self, code=None, reason=b""):
        self.send(FIN | CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)

    def frame(self):
        """The next frame: (first byte, payload)."""
        assert not self.closed, "a frame after the close frame"
        first, second = self.wire.bytes(2)
        assert not second & 0x80, "a server masks no frame (RFC 6455 5.1)"
        assert not first & 0x30, "a reserved bit"
        opcode, n = first & 15, second & 0x7f
        assert opcode in (CONTINUATION, *NAMES), f"opcode {opcode}"
        if opcode >= CLOSE:
            assert first & FIN and not first & RSV1, "a control frame in fragments, or compressed"
            assert n <= 125, "a long control frame"
        if n >= 126:
            size = 2 if n == 126 else 8
            n = int.from_bytes(self.wire.bytes(size), "big")
            assert n >= (126 if size == 2 else 65536), "a length that could be shorter"
            assert n < 1 << 63
        return first, self.wire.bytes(n)

    def event(self):
        """The next message or control frame, as they come: ("text", str), ("binary", bytes),
        ("ping", bytes), ("pong", bytes), ("close", code or None, reason)."""
        while True:
            first, payload = self.frame()
            opcode = first & 15
            if opcode >= CLOSE:
                return self.control(opcode, payload)
            if opcode == CONTINUATION:
                assert self.begun, "no message to continue"
                assert not first & RSV1, "RSV1 of a later fragment (RFC 7692 6.1)"
            else:
                assert not self.begun, "a message within a message"
                assert not first & RSV1 or self.deflate, "compressed, which is not agreed"
                self.begun, self.data = first, b""
            self.data += payload
            if first & FIN:
                begun, self.begun = self.begun, 0
                data = self.deflate.decompress(self.data) if begun & RSV1 else self.data
                return self.whole(begun & 15, data)

    @staticmethod
    def whole(opcode, data):
        if opcode == BINARY:
            return "binary", data
        try:
            return "text", data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise AssertionError(f"text that is not UTF-8: {error}") from error

    def control(self, opcode, payload):
        if opcode != CLOSE:
            return NAMES[opcode], payload
        self.closed = True
        if not payload:
            return "close", None, ""
        assert len(payload) != 1, "half a close code"
        code = int.from_bytes(payload[:2], "big")
        assert code in CODES, f"close code {code}"
        return "close", code, self.whole(TEXT, payload[2:])[1]

    def end(self, code=1000):
        """Closes, and sees that the server does the same and ends the connection first."""
        self.close(code)
        while not self.closed:
            event = self.event()
        assert event[1] == code, f"closed with {event[1]}"
        self.wire.expect_end()

    def expect_failure(self, code):
        """The server fails the connection with this close code, and ends it."""
        event = self.event()
        assert event[:2] == ("close", code), f"{event!r} instead of close with {code}"
        self.wire.expect_end()
