# SPDX-License-Identifier: Apache-2.0
"""An HTTP/2 client that takes nothing on trust.

    with H2(port) as h2:
        stream = h2.request("GET", "/a.txt", fields=[("accept", "text/plain")])
        assert h2.answer(stream).status == 200

It reads by the letter of RFC 9113: whatever a server may not send is an AssertionError, on any
stream, asked for or not. What it sends itself may be as wrong as a test needs: send() takes bytes,
and h2_frame builds them.
"""
import base64
import re
import ssl


import h2_frame as f
import hpack
from earnest_server import SINGLE, TOKEN, Answer, Wire


NAME = re.compile(TOKEN.encode())
VALUE = re.compile(rb"([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
CONNECTION_SPECIFIC = {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "te"}
FLAGS = {f.DATA: f.END_STREAM | f.PADDED, f.SETTINGS: f.ACK, f.PING: f.ACK,
         f.HEADERS: f.END_STREAM | f.END_HEADERS | f.PADDED | f.PRIORITISED,
         f.CONTINUATION: f.END_HEADERS}


def octets(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


class Stream:
    """method: None if the request was sent as bytes. said: we have ended our side; ended: the server has;
    reset: why it did not. window: what the server may still send; credit: what we may."""

    def __init__(self, method, window, credit):
        self.method = method
        self.window, self.credit = window, credit
        self.interim, self.answer = [], None
        self.content = []
        self.ended = self.cancelled = self.said = False
        self.reset = None

    @property
    def over(self):
        return self.ended or self.reset is not None

    def head(self, fields, last):
        """A header section, an interim one, or trailers (RFC 9113 8.1)."""
        if self.answer:
            assert last, "a second final header section (RFC 9113 8.1)"
            self.answer.trailers = regular(fields)
            return
        assert fields and fields[0][0] == b":status", f"no :status at first: {fields}"
        status = fields[0][1]
        assert re.fullmatch(rb"[1-5]\d\d", status), f":status {status!r}"
        answer = Answer(int(status), "", regular(fields[1:]))
        answer.trailers = []
        if answer.status >= 200:
            self.answer = answer
            return
        assert not last, "an interim answer that ends its stream (RFC 9113 8.1)"
        assert answer.status != 101, "101 over HTTP/2 (RFC 9113 8.6)"
        assert answer.field("content-length") is None, "Content-Length in an interim answer"
        self.interim.append(answer)

    def end(self):
        """The answer is complete: does its content have the length that it says (RFC 9113 8.1.1)?"""
        answer = self.answer
        assert answer, "a stream that ends without an answer"
        self.ended = True
        answer.interim = self.interim
        answer.content = b"".join(self.content)
        length = answer.field("content-length")
        if self.method in ("HEAD", "M-HEAD") or answer.status in (204, 304):
            assert answer.content == b"", f"{answer.status} to {self.method} has content"
            assert length is None or answer.status != 204, "Content-Length in 204 (RFC 9110 8.6)"
        elif length is not None and (answer.content or self.method is not None):
            assert len(answer.content) == int(length), f"{len(answer.content)} octets instead of {length}"


def regular(fields):
    """Fields that are no pseudo-header fields, as text, if all of them may be there (RFC 9113 8.2, 8.3)."""
    found = []
    for name, value in fields:
        assert NAME.fullmatch(name) and name == name.lower(), f"not a field name: {name!r}"
        assert VALUE.fullmatch(value), f"not a field value: {name!r}: {value!r}"
        found.append((name.decode(), value.decode("latin-1")))
    names = [name for name, _ in found]
    for name in SINGLE & set(names):
        assert names.count(name) == 1, f"{name} is there more than once"
    assert not CONNECTION_SPECIFIC & set(names), f"connection-specific (RFC 9113 8.2.2): {names}"
    length = dict(found).get("content-length", "0")
    assert length.isdecimal(), f"content-length: {length}"
    return found


class H2(Wire):
    """A connection.

    tls        an SSLContext, as tls.client("h2"); None: plain TCP, and prior knowledge (RFC 9113 3.3)
    upgrade    a target: a request of HTTP/1.1 asks for h2c, and becomes stream 1 (RFC 7540 3.2)
    settings   ours: {identifier: value}
    greet      send the preface, and wait until both sides have acknowledged their SETTINGS
    replenish  give back what the server uses of its windows
    """

    def __init__(self, port, host="127.0.0.1", *, tls=None, upgrade=None, settings=None, greet=True,
                 replenish=True, name="a.example"):
        super().__init__(port, host)
        self.replenish = replenish
        self.scheme = "https" if tls else "http"
        self.streams, self.next = {}, 1
        self.window = self.credit = f.WINDOW
        self.theirs, self.ours, self.unacknowledged = {}, {}, []
        self.decoder, self.encoder = hpack.Decoder(), hpack.Encoder()
        self.block = None  # [stream, flags, octets] of a field block that is not complete
        self.frames, self.pongs, self.awaited = 0, [], []
        self.goaways = []
        wanted = {f.ENABLE_PUSH: 0, **(settings or {})}
        if tls:
            self.secure(tls, name)
        if upgrade:
            self.upgrade(upgrade, wanted)
        if greet:
            self.send(f.PREFACE)
            self.set(wanted)
            assert self.until(lambda: self.frames and not self.unacknowledged), "no greeting"

    def secure(self, tls, name):
        self.socket = tls.wrap_socket(self.socket, server_hostname=name)
        assert self.socket.selected_alpn_protocol() == "h2", "ALPN did not choose h2 (RFC 9113 3.2)"
        assert self.socket.version() in ("TLSv1.2", "TLSv1.3"), "TLS is too old (RFC 9113 9.2)"
        assert self.socket.compression() is None, "compression of TLS (RFC 9113 9.2.1)"
        assert re.search("GCM|CHACHA20|CCM", self.socket.cipher()[0]), "a prohibited cipher suite"

    def upgrade(self, target, wanted):
        payload = b"".join(f.number(name, 2) + f.number(value) for name, value in wanted.items())
        self.send(b"GET %s HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                  b"Upgrade: h2c\r\nHTTP2-Settings: %s\r\n\r\n"
                  % (octets(target), base64.urlsafe_b64encode(payload).rstrip(b"=")))
        answer = self.head()
        assert answer.status == 101 and answer.field("upgrade") == "h2c", f"instead of 101:\n{answer}"
        self.apply(wanted.items())
        self.add("GET", 1)

    # What we send.

    def add(self, method, stream):
        self.streams[stream] = Stream(method, self.ours.get(f.INITIAL_WINDOW_SIZE, f.WINDOW),
                                      self.theirs.get(f.INITIAL_WINDOW_SIZE, f.WINDOW))
        self.next = max(self.next, stream + 2)

    def send(self, data):
        try:
            super().send(data)
        except ssl.SSLError:
            pass  # it has hung up

    def send_frame(self, kind, flags, stream, payload=b""):
        self.send_frames(f.frame(kind, flags, stream, payload))

    def send_frames(self, data):
        """Sends whole frames, however wrong, and keeps the books of what they change."""
        at = 0
        while at < len(data):
            size = int.from_bytes(data[at:at + 3], "big")
            stream = int.from_bytes(data[at + 5:at + 9], "big") & f.WINDOW_MAX
            self.note(f.Frame(data[at + 3], data[at + 4], stream, data[at + 9:at + 9 + size]))
            at += 9 + size
        self.send(data)

    def note(self, sent):
        stream = self.streams.get(sent.stream)
        if sent.kind == f.HEADERS and sent.stream % 2 and sent.stream >= self.next:
            self.add(None, sent.stream)
            stream = self.streams[sent.stream]
        elif sent.kind == f.DATA and stream:
            stream.credit -= len(sent.payload)
            self.credit -= len(sent.payload)
        elif sent.kind == f.RST_STREAM and stream:
            stream.cancelled = True
        elif sent.kind == f.SETTINGS and not sent.flags & f.ACK and len(sent.payload) % 6 == 0:
            self.unacknowledged.append(f.pairs_of(sent.payload))
        elif sent.kind == f.PING and not sent.flags & f.ACK:
            self.awaited.append(sent.payload)
        elif sent.kind == f.WINDOW_UPDATE and len(sent.payload) == 4:
            increment = int.from_bytes(sent.payload, "big") & f.WINDOW_MAX
            if sent.stream == 0:
                self.window += increment
            elif stream:
                stream.window += increment
        if stream and sent.kind in (f.DATA, f.HEADERS) and sent.flags & f.END_STREAM:
            stream.said = True

    def set(self, settings):
        self.send_frames(f.settings(*settings.items()))

    def open(self, fields, end=True, method=None):
        """Sends a field section as a new stream. Returns the stream's number."""
        stream = self.next
        self.add(method, stream)
        self.send_section(stream, fields, end)
        return stream

    def send_section(self, stream, fields, end):
        block = self.encoder.encode([(octets(name), octets(value)) for name, value in fields])
        size = self.theirs.get(f.MAX_FRAME_SIZE, f.FRAME_SIZE)
        parts = [block[i:i + size] for i in range(0, len(block), size)] or [b""]
        for i, part in enumerate(parts):
            flags = f.END_HEADERS if i == len(parts) - 1 else 0
            if i == 0 and end:
                flags |= f.END_STREAM
            self.send_frame(f.CONTINUATION if i else f.HEADERS, flags, stream, part)

    def request(self, method, target, fields=(), content=None, trailers=None, *, authority="a.example",
                scheme=None, end=True):
        """Sends a request. Returns the number of its stream. end: it is complete."""
        section = [(":method", method)]
        if method != "CONNECT":
            section += [(":scheme", scheme or self.scheme), (":path", target)]
        section.insert(-1, (":authority", authority))
        bare = content is None and trailers is None
        stream = self.open([*section, *fields], end and bare, method)
        if content is not None:
            self.send_content(stream, octets(content), end and trailers is None)
        if trailers is not None:
            self.send_section(stream, trailers, True)
        return stream

    def send_content(self, number, content, end=True):
        """Sends content as the windows of the server let it go. Returns how much was sent."""
        stream, sent = self.streams[number], 0
        while True:
            room = min(self.theirs.get(f.MAX_FRAME_SIZE, f.FRAME_SIZE), stream.credit, self.credit)
            part = content[sent:sent + max(room, 0)]
            if part or sent == len(content):
                sent += len(part)
                last = end and sent == len(content)
                self.send_frame(f.DATA, f.END_STREAM if last else 0, number, part)
                if sent == len(content):
                    return sent
            elif stream.over or not self.frame():
                return sent

    def cancel(self, stream, code="CANCEL"):
        self.send_frames(f.rst_stream(stream, code))

    # What we read.

    def more(self):
        try:
            return super().more()
        except (ConnectionResetError, ssl.SSLError):
            self.ended = True
            return False

    def frame(self):
        """Reads one frame and acts on it. Returns None when the connection is at its end."""
        if not self.buffer and not self.more():
            return None
        head = self.bytes(9)
        size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        number = int.from_bytes(head[5:], "big")
        assert size <= self.ours.get(f.MAX_FRAME_SIZE, f.FRAME_SIZE), f"a frame of {size} octets"
        assert number <= f.WINDOW_MAX, "the reserved bit is set (RFC 9113 4.1)"
        got = f.Frame(kind, flags, number, self.bytes(size))
        assert self.frames or kind == f.SETTINGS and not flags, f"{got} instead of SETTINGS (RFC 9113 3.4)"
        self.frames += 1
        if self.block:
            assert kind == f.CONTINUATION and number == self.block[0], f"{got} within a field block"
        if kind in READERS:
            assert not flags & ~FLAGS.get(kind, 0), f"flags {flags:#x} of frame type {kind}"
            READERS[kind](self, got)
        return got

    def stream(self, got):
        """The stream that a frame is about: one of ours, that the server has not reset."""
        assert got.stream, f"frame type {got.kind} on stream 0"
        assert got.stream in self.streams, f"frame type {got.kind} on stream {got.stream}, which is idle"
        stream = self.streams[got.stream]
        assert stream.reset is None, f"frame type {got.kind} after RST_STREAM on {got.stream}"
        return stream

    def unpadded(self, got):
        if not got.flags & f.PADDED:
            return got.payload
        assert got.payload and got.payload[0] < len(got.payload), "more padding than frame"
        end = len(got.payload) - got.payload[0]
        assert not got.payload[end:].strip(b"\0"), "padding that is not zero (RFC 9113 6.1)"
        return got.payload[1:end]

    def read_data(self, got):
        stream = self.stream(got)
        assert stream.answer and not stream.ended, f"DATA before the answer, or after its end: {got.stream}"
        self.window -= len(got.payload)
        stream.window -= len(got.payload)
        assert self.window >= 0, f"{-self.window} octets past the window of the connection"
        assert stream.window >= 0 or not got.payload, f"{-stream.window} octets past the window: {got.stream}"
        stream.content.append(self.unpadded(got))
        if got.flags & f.END_STREAM:
            self.end_stream(stream)
        if self.replenish:
            self.replenish_windows(got.stream, stream)

    def end_stream(self, stream):
        if stream.cancelled:
            stream.ended = True
        else:
            stream.end()

    def replenish_windows(self, number, stream):
        if self.window < f.WINDOW // 2:
            self.send_frames(f.window_update(0, f.WINDOW))
        if stream.window < f.WINDOW // 2 and not stream.over:
            self.send_frames(f.window_update(number, f.WINDOW))

    def read_headers(self, got):
        stream = self.stream(got)
        assert not stream.ended, f"HEADERS after END_STREAM on {got.stream}"
        payload = self.unpadded(got)
        if got.flags & f.PRIORITISED:
            assert len(payload) >= 5, "HEADERS too short for its priority"
            payload = payload[5:]
        self.block = (got.stream, got.flags, payload)
        self.read_block(got.flags)

    def read_continuation(self, got):
        assert self.block, "CONTINUATION of nothing (RFC 9113 6.10)"
        number, flags, payload = self.block
        self.block = (number, flags, payload + got.payload)
        self.read_block(got.flags)

    def read_block(self, flags):
        if not flags & f.END_HEADERS:
            return
        (number, flags, block), self.block = self.block, None
        stream, last = self.streams[number], bool(flags & f.END_STREAM)
        fields = self.decoder.decode(block)
        limit = self.ours.get(f.MAX_HEADER_LIST_SIZE)
        assert limit is None or sum(len(n) + len(v) + 32 for n, v in fields) <= limit, "too many fields"
        stream.head(fields, last)
        if last:
            self.end_stream(stream)

    def read_priority(self, got):
        assert got.stream and len(got.payload) == 5, f"PRIORITY: {got}"

    def read_reset(self, got):
        stream = self.stream(got)
        assert len(got.payload) == 4, f"RST_STREAM: {got}"
        stream.reset = error_name(got.payload)

    def read_settings(self, got):
        assert got.stream == 0, "SETTINGS on a stream"
        if got.flags & f.ACK:
            assert not got.payload, "SETTINGS with ACK and a payload"
            assert self.unacknowledged, "ACK of SETTINGS that we did not send"
            self.apply(self.unacknowledged.pop(0))
            return
        assert len(got.payload) % 6 == 0, "SETTINGS that is cut"
        for name, value in f.pairs_of(got.payload):
            check_setting(name, value, self.theirs, self.frames == 1)
            if name == f.INITIAL_WINDOW_SIZE:
                for stream in self.streams.values():
                    stream.credit += value - self.theirs.get(name, f.WINDOW)
            elif name == f.HEADER_TABLE_SIZE:
                self.encoder.allow(value)
            self.theirs[name] = value
        self.send_frame(f.SETTINGS, f.ACK, 0)

    def apply(self, pairs):
        """The server has acknowledged these settings of ours: from here on it must keep to them."""
        for name, value in pairs:
            if name == f.INITIAL_WINDOW_SIZE:
                for stream in self.streams.values():
                    stream.window += value - self.ours.get(name, f.WINDOW)
            elif name == f.HEADER_TABLE_SIZE:
                self.decoder.allow(value)
            self.ours[name] = value

    def read_push(self, got):
        raise AssertionError(f"PUSH_PROMISE, though ENABLE_PUSH is 0 (RFC 9113 6.6): {got}")

    def read_ping(self, got):
        assert got.stream == 0 and len(got.payload) == 8, f"PING: {got}"
        if not got.flags & f.ACK:
            self.send_frame(f.PING, f.ACK, 0, got.payload)
            return
        assert got.payload in self.awaited, f"ACK of a PING that we did not send: {got}"
        self.awaited.remove(got.payload)
        self.pongs.append(got.payload)

    def read_goaway(self, got):
        assert got.stream == 0 and len(got.payload) >= 8, f"GOAWAY: {got}"
        last = int.from_bytes(got.payload[:4], "big")
        assert last <= min(goaway[0] for goaway in [*self.goaways, (f.WINDOW_MAX,)]), "GOAWAY goes back"
        assert last == f.WINDOW_MAX or last == 0 or last in self.streams, f"GOAWAY names stream {last}"
        self.goaways.append((last, error_name(got.payload[4:8]), got.payload[8:]))

    def read_window_update(self, got):
        increment = int.from_bytes(got.payload, "big")
        assert len(got.payload) == 4 and 0 < increment <= f.WINDOW_MAX, f"WINDOW_UPDATE: {got}"
        if got.stream == 0:
            self.credit += increment
            assert self.credit <= f.WINDOW_MAX, "a window above its maximum (RFC 9113 6.9.1)"
            return
        stream = self.stream(got)
        stream.credit += increment
        assert stream.credit <= f.WINDOW_MAX, "a window above its maximum (RFC 9113 6.9.1)"

    def read_priority_update(self, got):
        raise AssertionError(f"PRIORITY_UPDATE from a server (RFC 9218 7.1): {got}")

    # What we wait for.

    def until(self, true):
        """Reads until true() is. Returns False if the connection ends before."""
        while not true():
            if not self.frame():
                return bool(true())
        return True

    def answer(self, number, interim=()):
        """The answer on a stream. interim: return such an interim one, if it comes before."""
        stream = self.streams[number]

        def passing():
            return next((a for a in stream.interim if a.status in interim), None)

        self.until(lambda: stream.over or passing())
        if passing():
            stream.interim.remove(found := passing())
            return found
        assert stream.ended, f"stream {number} has no answer: {stream.reset}, {self.goaways}"
        assert stream.reset in (None, "NO_ERROR"), f"an answer, and then {stream.reset}"
        return stream.answer

    def outcome(self, number):
        """What became of a stream: its status, the error of its RST_STREAM, or None."""
        stream = self.streams[number]
        self.until(lambda: stream.over)
        return stream.answer.status if stream.ended else stream.reset

    def ping(self):
        """All that the server has read up to now it has judged. False: it has hung up."""
        payload = f.number(len(self.pongs) + 1, 8)
        self.send_frames(f.ping(payload))
        return self.until(lambda: payload in self.pongs)

    def farewell(self):
        """Reads to the end of the connection. Returns the error of the last GOAWAY, or None."""
        while self.frame():
            pass
        return self.goaways[-1][1] if self.goaways else None


class Tunnel(Wire):
    """A stream that an extended CONNECT has opened (RFC 8441 5), to be read and written as a connection."""

    def __init__(self, h2, number): # pylint: disable=super-init-not-called
        self.h2, self.buffer, self.ended = h2, b"", False
        self.number, self.stream = number, h2.streams[number]
        h2.until(lambda: self.stream.answer or self.stream.over)
        self.answer = self.stream.answer

    @staticmethod
    def ask(h2, path, fields=(), *, authority="localhost", protocol="websocket", end=False):
        """Asks for one. Returns the number of its stream."""
        return h2.open([(":method", "CONNECT"), (":protocol", protocol), (":scheme", h2.scheme),
                        (":authority", authority), (":path", path), *fields], end, "CONNECT")

    @classmethod
    def open(cls, h2, path, fields=()):
        return cls(h2, cls.ask(h2, path, fields))

    def __exit__(self, *_):
        self.h2.cancel(self.number)

    def send(self, data):
        self.h2.send_content(self.number, data, end=False)

    def end(self):
        self.h2.send_content(self.number, b"")

    def more(self):
        """Reads on. Returns False at the end of the stream."""
        self.h2.until(lambda: self.stream.content or self.stream.over)
        data, self.stream.content[:] = b"".join(self.stream.content), []
        self.ended = self.stream.over and not data
        self.buffer += data
        return bool(data)


def check_setting(name, value, before, first):
    """May a server send this setting (RFC 9113 6.5.2, RFC 8441 3, RFC 9218 2.1)?"""
    if name == f.ENABLE_PUSH:
        assert value == 0, "ENABLE_PUSH from a server"
    elif name == f.INITIAL_WINDOW_SIZE:
        assert value <= f.WINDOW_MAX, f"INITIAL_WINDOW_SIZE {value}"
    elif name == f.MAX_FRAME_SIZE:
        assert f.FRAME_SIZE <= value < 1 << 24, f"MAX_FRAME_SIZE {value}"
    elif name == f.ENABLE_CONNECT_PROTOCOL:
        assert value in (0, 1) and value >= before.get(name, 0), f"ENABLE_CONNECT_PROTOCOL {value}"
    elif name == f.NO_RFC7540_PRIORITIES:
        assert value in (0, 1) and (first or before.get(name, 0) == value), f"NO_RFC7540_PRIORITIES {value}"


def error_name(octets_of_code):
    code = int.from_bytes(octets_of_code, "big")
    return f.ERRORS[code] if code < len(f.ERRORS) else f"{code:#x}"


READERS = {
    f.DATA: H2.read_data, f.HEADERS: H2.read_headers, f.PRIORITY: H2.read_priority,
    f.RST_STREAM: H2.read_reset, f.SETTINGS: H2.read_settings, f.PUSH_PROMISE: H2.read_push,
    f.PING: H2.read_ping, f.GOAWAY: H2.read_goaway, f.WINDOW_UPDATE: H2.read_window_update,
    f.CONTINUATION: H2.read_continuation, f.PRIORITY_UPDATE: H2.read_priority_update,
}
