# SPDX-License-Identifier: Apache-2.0
"""RFC 9113, sections 3.4, 4, 5, 6, 7 and 8: what a server must do, a row for each demand.

A row is frames, sent at once on a new connection, and what must come of them. Streams stay open: our
window is empty until the frames are sent, so an answer with content waits. What each row expects:

    goes(CODE)       a connection error: GOAWAY with the code, and the connection ends (5.4.1)
    resets(CODE)     a stream error: RST_STREAM with the code; the connection goes on (5.4.2)
    breaks(CODE)     one of the two: a stream error may be treated as a connection error (5.4.1)
    malformed        a stream error PROTOCOL_ERROR, or an answer of 400 (8.1.1); the connection goes on
    answered(200)    an answer; the connection goes on
    dropped(CODE)    ignored, or an error: frames on a closed stream may be discarded (5.1)
    ignored          no answer at all; the connection goes on
"""
import pytest

import h2_frame as f
import hpack
from earnest_server import check_laws
from h2 import H2
from h2_frame import (ACK, CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY,
                      PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, continuation, data, frame, goaway,
                      headers, number, ping, priority, request, rst_stream, settings, window_update)


OPEN = headers(1, flags=END_HEADERS)  # a request whose content is to come
ASKED = headers(1)  # a complete request: our side is half-closed
BEGUN = headers(1, flags=0)  # a field block that goes on
UNKNOWN = 0xbe


def alive(h2):
    assert h2.ping(), f"it has hung up: {h2.goaways}"
    assert h2.outcome(h2.request("HEAD", "/")) == 200
    assert not h2.goaways, h2.goaways


def goes(*codes):
    def expect(h2):
        assert h2.farewell() in codes
    return expect


def resets(*codes, stream=1):
    def expect(h2):
        assert h2.outcome(stream) in codes
        alive(h2)
    return expect


def breaks(*codes, stream=1):
    def expect(h2):
        outcome = h2.outcome(stream)
        if outcome is None:
            assert h2.farewell() in codes
        else:
            assert outcome in codes
            alive(h2)
    return expect


def dropped(*codes):
    def expect(h2):
        if h2.ping():
            alive(h2)
        else:
            assert h2.farewell() in codes
        assert all(s.reset in (None, *codes) for s in h2.streams.values())
    return expect


def open_windows(h2):
    h2.set({f.INITIAL_WINDOW_SIZE: f.WINDOW})


def malformed(h2):
    open_windows(h2)
    assert h2.outcome(1) in ("PROTOCOL_ERROR", 400)
    if h2.streams[1].answer:
        check_laws(h2.streams[1].answer, "GET")
    alive(h2)


def answered(*statuses, stream=1):
    def expect(h2):
        open_windows(h2)
        answer = h2.answer(stream)
        assert answer.status in statuses, answer
        check_laws(answer, "GET")
        alive(h2)
    return expect


def ignored(h2):
    alive(h2)
    assert not any(stream.over for number, stream in h2.streams.items() if number < h2.next - 2)


def block(octets, stream=1, flags=END_HEADERS | END_STREAM):
    """HEADERS with a field block as it is."""
    return frame(HEADERS, flags, stream, octets)


def ask(*fields, **pseudo):
    """A complete request."""
    return headers(1, [*request(**pseudo), *fields])


def post(length, *parts):
    """A request with content, whose content-length is told."""
    fields = [*request(), (b"content-length", length)]
    if not parts:
        return headers(1, fields)
    return (headers(1, fields, END_HEADERS) + b"".join(data(1, part) for part in parts[:-1]) +
            data(1, parts[-1], END_STREAM))


FRAMES = [
    ("4.1 unknown type on the connection", frame(UNKNOWN, 0xff, 0, bytes(100)), ignored),
    ("4.1 unknown type on an idle stream", frame(UNKNOWN, 0, 7, bytes(100)), ignored),
    ("4.1 unknown type on an open stream", OPEN + frame(UNKNOWN, 0, 1) + data(1, flags=END_STREAM), answered(200)),
    ("4.1 unknown type of 16384 octets", frame(UNKNOWN, 0, 0, bytes(f.FRAME_SIZE)), ignored),
    ("4.1 unused flags of HEADERS", headers(1, flags=0xd6) + data(1, flags=END_STREAM), answered(200)),
    ("4.1 unused flags of DATA", OPEN + data(1, b"a", 0xf7), answered(200)),
    ("4.1 unused flags of PRIORITY", frame(PRIORITY, 0xff, 3, bytes(5)), ignored),
    ("4.1 unused flags of SETTINGS", frame(SETTINGS, 0xfe, 0), ignored),
    ("4.1 unused flags of PING", frame(PING, 0xfe, 0, bytes(8)), ignored),
    ("4.1 unused flags of RST_STREAM", OPEN + frame(RST_STREAM, 0xff, 1, number(8)), ignored),
    ("4.1 unused flags of WINDOW_UPDATE", frame(WINDOW_UPDATE, 0xff, 0, number(1)), ignored),
    ("4.1 unused flags of CONTINUATION", headers(1, flags=END_STREAM) + frame(CONTINUATION, 0xff, 1), answered(200)),
    ("4.1 reserved bit on stream 0", frame(PING, 0, 1 << 31, bytes(8)), ignored),
    ("4.1 reserved bit on stream 1", headers(1 << 31 | 1), answered(200)),
    ("4.2 DATA of 16384 octets", OPEN + data(1, bytes(f.FRAME_SIZE), END_STREAM), answered(200)),
    ("5.1 DATA on an idle stream", data(1, b"a"), goes("PROTOCOL_ERROR")),
    ("5.1 RST_STREAM on an idle stream", rst_stream(1), goes("PROTOCOL_ERROR")),
    ("5.1 WINDOW_UPDATE on an idle stream", window_update(1, 1), goes("PROTOCOL_ERROR")),
    ("5.1 CONTINUATION on an idle stream", continuation(1), goes("PROTOCOL_ERROR")),
    ("5.1 PRIORITY on an idle stream", priority(1), ignored),
    ("5.1 DATA when half-closed", ASKED + data(1, b"a"), breaks("STREAM_CLOSED")),
    ("5.1 empty DATA when half-closed", ASKED + data(1, flags=END_STREAM), breaks("STREAM_CLOSED")),
    ("5.1 HEADERS when half-closed", ASKED + headers(1, []), breaks("STREAM_CLOSED")),
    ("5.1 CONTINUATION when half-closed", ASKED + continuation(1), goes("PROTOCOL_ERROR")),
    ("5.1 WINDOW_UPDATE when half-closed", ASKED + window_update(1, 1), answered(200)),
    ("5.1 PRIORITY when half-closed", ASKED + priority(1), answered(200)),
    ("5.1 DATA after RST_STREAM", OPEN + rst_stream(1) + data(1, b"a"), dropped("STREAM_CLOSED", "PROTOCOL_ERROR")),
    ("5.1 HEADERS after RST_STREAM", OPEN + rst_stream(1) + headers(1), dropped("STREAM_CLOSED", "PROTOCOL_ERROR")),
    ("5.1 PRIORITY after RST_STREAM", OPEN + rst_stream(1) + priority(1), ignored),
    ("5.1 WINDOW_UPDATE after RST_STREAM", OPEN + rst_stream(1) + window_update(1, 1), ignored),
    ("5.1 RST_STREAM after RST_STREAM", OPEN + rst_stream(1) + rst_stream(1), ignored),
    ("5.1.1 an even number", headers(2), goes("PROTOCOL_ERROR")),
    ("5.1.1 a number below the last one", headers(5) + headers(3), goes("PROTOCOL_ERROR", "STREAM_CLOSED")),
    ("5.1.1 DATA on a number passed over", headers(5) + data(3, b"a"), dropped("PROTOCOL_ERROR", "STREAM_CLOSED")),
    ("5.1.1 numbers with gaps", headers(1) + headers(1001), answered(200, stream=1001)),
    ("5.3.2 HEADERS with a priority", block(bytes(5) + hpack.plain(request()), flags=0x25), answered(200)),
    ("5.3.2 HEADERS shorter than its priority", block(bytes(4), flags=0x25),
     goes("FRAME_SIZE_ERROR", "PROTOCOL_ERROR")),
    ("5.5 unknown type within a field block", BEGUN + frame(UNKNOWN, 0, 1), goes("PROTOCOL_ERROR")),
    ("6.1 DATA on stream 0", data(0, b"a"), goes("PROTOCOL_ERROR")),
    ("6.1 padding", OPEN + data(1, b"\x03a\0\0\0", PADDED | END_STREAM), answered(200)),
    ("6.1 padding alone", OPEN + data(1, b"\x03\0\0\0", PADDED | END_STREAM), answered(200)),
    ("6.1 padding as long as the frame", OPEN + data(1, b"\x02a", PADDED), goes("PROTOCOL_ERROR")),
    ("6.1 padding longer than the frame", OPEN + data(1, b"\xffa", PADDED), goes("PROTOCOL_ERROR")),
    ("6.1 padding without its length", OPEN + data(1, b"", PADDED), goes("PROTOCOL_ERROR", "FRAME_SIZE_ERROR")),
    ("6.2 HEADERS on stream 0", headers(0), goes("PROTOCOL_ERROR")),
    ("6.2 padding", block(b"\x02" + hpack.plain(request()) + b"\0\0", flags=0x0d), answered(200)),
    ("6.2 padding as long as the frame", block(b"\x01", flags=0x0d), goes("PROTOCOL_ERROR")),
    ("6.2 padding longer than what is left", block(b"\x06" + bytes(10), flags=0x2d), goes("PROTOCOL_ERROR")),
    ("6.2 HEADERS within HEADERS", BEGUN + headers(3), goes("PROTOCOL_ERROR")),
    ("6.2 DATA within HEADERS", BEGUN + data(1), goes("PROTOCOL_ERROR")),
    ("6.2 PRIORITY within HEADERS", BEGUN + priority(1), goes("PROTOCOL_ERROR")),
    ("6.2 RST_STREAM within HEADERS", BEGUN + rst_stream(1), goes("PROTOCOL_ERROR")),
    ("6.2 SETTINGS within HEADERS", BEGUN + settings(), goes("PROTOCOL_ERROR")),
    ("6.2 PING within HEADERS", BEGUN + ping(), goes("PROTOCOL_ERROR")),
    ("6.2 GOAWAY within HEADERS", BEGUN + goaway(), goes("PROTOCOL_ERROR")),
    ("6.2 WINDOW_UPDATE within HEADERS", BEGUN + window_update(0, 1), goes("PROTOCOL_ERROR")),
    ("6.2 CONTINUATION of another stream", BEGUN + continuation(3), goes("PROTOCOL_ERROR")),
    ("6.3 PRIORITY on stream 0", priority(0, 1), goes("PROTOCOL_ERROR")),
    ("6.3 PRIORITY of four octets", OPEN + frame(PRIORITY, 0, 1, bytes(4)), breaks("FRAME_SIZE_ERROR")),
    ("6.3 PRIORITY of six octets", OPEN + frame(PRIORITY, 0, 1, bytes(6)), breaks("FRAME_SIZE_ERROR")),
    ("6.4 RST_STREAM on stream 0", rst_stream(0), goes("PROTOCOL_ERROR")),
    ("6.4 RST_STREAM of three octets", OPEN + frame(RST_STREAM, 0, 1, bytes(3)), goes("FRAME_SIZE_ERROR")),
    ("6.4 RST_STREAM of five octets", OPEN + frame(RST_STREAM, 0, 1, bytes(5)), goes("FRAME_SIZE_ERROR")),
    ("6.5 SETTINGS on stream 1", frame(SETTINGS, 0, 1), goes("PROTOCOL_ERROR")),
    ("6.5 SETTINGS of five octets", frame(SETTINGS, 0, 0, bytes(5)), goes("FRAME_SIZE_ERROR")),
    ("6.5 SETTINGS of seven octets", frame(SETTINGS, 0, 0, bytes(7)), goes("FRAME_SIZE_ERROR")),
    ("6.5 ACK with a setting", frame(SETTINGS, ACK, 0, bytes(6)), goes("FRAME_SIZE_ERROR")),
    ("6.5.2 ENABLE_PUSH 2", settings((f.ENABLE_PUSH, 2)), goes("PROTOCOL_ERROR")),
    ("6.5.2 INITIAL_WINDOW_SIZE 2^31", settings((f.INITIAL_WINDOW_SIZE, 1 << 31)), goes("FLOW_CONTROL_ERROR")),
    ("6.5.2 MAX_FRAME_SIZE 16383", settings((f.MAX_FRAME_SIZE, 16383)), goes("PROTOCOL_ERROR")),
    ("6.5.2 MAX_FRAME_SIZE 2^24", settings((f.MAX_FRAME_SIZE, 1 << 24)), goes("PROTOCOL_ERROR")),
    ("6.5.2 an unknown setting", settings((0xbeef, 7), (0, 0xffffffff)), ignored),
    ("6.5.2 settings at their upper bounds",
     settings((f.HEADER_TABLE_SIZE, 0xffffffff), (f.MAX_FRAME_SIZE, 0xffffff), (f.INITIAL_WINDOW_SIZE, f.WINDOW_MAX),
              (f.MAX_HEADER_LIST_SIZE, 0xffffffff), (f.MAX_CONCURRENT_STREAMS, 0xffffffff)), ignored),
    ("6.5.2 settings at their lower bounds",
     settings((f.HEADER_TABLE_SIZE, 0), (f.MAX_FRAME_SIZE, f.FRAME_SIZE), (f.MAX_CONCURRENT_STREAMS, 0)), ignored),
    ("6.6 PUSH_PROMISE", ASKED + frame(PUSH_PROMISE, END_HEADERS, 1, number(2) + hpack.plain(request())),
     goes("PROTOCOL_ERROR")),
    ("6.7 PING of seven octets", ping(bytes(7)), goes("FRAME_SIZE_ERROR")),
    ("6.7 PING of nine octets", ping(bytes(9)), goes("FRAME_SIZE_ERROR")),
    ("6.7 PING on stream 1", frame(PING, 0, 1, bytes(8)), goes("PROTOCOL_ERROR")),
    ("6.7 ACK that nobody asked for", ping(flags=ACK), ignored),
    ("6.8 GOAWAY on stream 1", goaway(stream=1), goes("PROTOCOL_ERROR")),
    ("6.8 GOAWAY of seven octets", frame(GOAWAY, 0, 0, bytes(7)), goes("FRAME_SIZE_ERROR")),
    ("6.9 WINDOW_UPDATE of three octets", frame(WINDOW_UPDATE, 0, 0, bytes(3)), goes("FRAME_SIZE_ERROR")),
    ("6.9 WINDOW_UPDATE of five octets", frame(WINDOW_UPDATE, 0, 0, bytes(5)), goes("FRAME_SIZE_ERROR")),
    ("6.9 increment 0 on the connection", window_update(0, 0), goes("PROTOCOL_ERROR")),
    ("6.9 increment 0 on a stream", ASKED + window_update(1, 0), breaks("PROTOCOL_ERROR")),
    ("6.9 increment 0 with the reserved bit", window_update(0, 1 << 31), goes("PROTOCOL_ERROR")),
    ("6.9.1 the connection above its maximum", window_update(0, f.WINDOW_MAX), goes("FLOW_CONTROL_ERROR")),
    ("6.9.1 a stream above its maximum", ASKED + 2 * window_update(1, f.WINDOW_MAX), breaks("FLOW_CONTROL_ERROR")),
    ("6.9.2 a stream above its maximum, by SETTINGS",
     headers(1, request(path=b"/big.bin")) + window_update(1, f.WINDOW_MAX) +
     settings((f.INITIAL_WINDOW_SIZE, f.WINDOW_MAX)),
     breaks("FLOW_CONTROL_ERROR")),
    ("6.10 CONTINUATION on stream 0", continuation(0), goes("PROTOCOL_ERROR")),
    ("6.10 CONTINUATION of stream 0 within HEADERS", BEGUN + continuation(0), goes("PROTOCOL_ERROR")),
    ("6.10 CONTINUATION after END_HEADERS", OPEN + continuation(1), goes("PROTOCOL_ERROR")),
    ("6.10 CONTINUATION after DATA", OPEN + data(1) + continuation(1), goes("PROTOCOL_ERROR")),
    ("6.10 CONTINUATION that ends the block", headers(1, request(), END_STREAM) + continuation(1, [(b"a", b"b")]),
     answered(200)),
    ("6.10 a block in five parts", block(b"", flags=END_STREAM) +
     b"".join(continuation(1, [field], 0) for field in request()) + continuation(1), answered(200)),
    ("7 RST_STREAM of an unknown error", OPEN + frame(RST_STREAM, 0, 1, number(0xbad)), ignored),
]

BLOCKS = [
    ("4.3 row 0", b"\x80"),
    ("4.3 a row that is not there", hpack.indexed(62)),
    ("4.3 a row that never will be", hpack.indexed(1 << 30)),
    ("4.3 a name in a row that is not there", hpack.literal(62, b"a")),
    ("4.3 a text that is cut", b"\x00\x05ab"),
    ("4.3 a field without its value", b"\x00\x01a"),
    ("4.3 an integer that is cut", b"\xff\x80"),
    ("4.3 an integer without end", b"\xff" + b"\x80" * 20 + b"\x01"),
    ("4.3 an integer that wraps", b"\xff" + b"\xff" * 9 + b"\x01"),
    ("4.3 a length that wraps", b"\x00\x7f" + b"\xff" * 9 + b"\x01a"),
    ("4.3 Huffman: EOS", b"\x00\x84\xff\xff\xff\xff\x00"),
    ("4.3 Huffman: padding of eight bits", b"\x00\x82\x07\xff\x00"),
    ("4.3 Huffman: padding of zeros", b"\x00\x81\x00\x00"),
    ("4.3 a table larger than allowed", hpack.size_update(4097)),
    ("4.3 a size update behind a field", hpack.indexed(2) + hpack.size_update(0)),
]

FIELDS = [
    ("8.2.1 a name in upper case", ask((b"X-A", b"b")), malformed),
    ("8.2.1 one letter in upper case", ask((b"x-A", b"b")), malformed),
    ("8.2.1 an empty name", ask((b"", b"b")), malformed),
    *((f"8.2.1 {chr(c)!r} in a name", ask((b"x" + bytes([c]) + b"y", b"b")), malformed)
      for c in (0, 9, 10, 13, 32, 0x3a, 0x7f, 0x80, 0xff)),
    *((f"8.2.1 {chr(c)!r} in a value", ask((b"x", b"a" + bytes([c]) + b"b")), malformed) for c in (0, 10, 13)),
    *((f"8.2.1 value {v!r}", ask((b"x", v)), malformed)
      for v in (b" a", b"a ", b"\ta", b"a\t", b" ", b"\r\n", b"\0")),
    ("8.2.1 octets above 7f in a value", ask((b"x", b"caf\xc3\xa9\xff")), answered(200)),
    ("8.2.1 an empty value", ask((b"x", b"")), answered(200)),
    ("8.2.1 LF in :path", ask(path=b"/\n"), malformed),
    ("8.2.1 NUL in :authority", ask(authority=b"a\0b"), malformed),
    *((f"8.2.2 {name.decode()}", ask((name, value)), malformed) for name, value in [
        (b"connection", b"close"), (b"connection", b"keep-alive"), (b"keep-alive", b"timeout=5"),
        (b"proxy-connection", b"keep-alive"), (b"transfer-encoding", b"chunked"), (b"upgrade", b"h2c")]),
    ("8.2.2 te with trailers", ask((b"te", b"trailers")), answered(200)),
    *((f"8.2.2 te: {v.decode()}", ask((b"te", v)), malformed) for v in (b"gzip", b"trailers, deflate", b"chunked")),
    ("8.2.3 cookie in three fields", ask(*((b"cookie", v) for v in (b"a=b", b"c=d", b"e=f"))), answered(200)),
    ("8.3 an undefined pseudo-header field", headers(1, [*request(), (b":x", b"y")]), malformed),
    ("8.3 :status in a request", headers(1, [*request(), (b":status", b"200")]), malformed),
    ("8.3 a pseudo-header field behind a regular one",
     headers(1, [request()[0], (b"x", b"y"), *request()[1:]]), malformed),
    *((f"8.3 {field[0].decode()} twice", headers(1, [*request(), field]), malformed) for field in request()),
    ("8.3 :Method", headers(1, [(b":Method", b"GET"), *request()[1:]]), malformed),
    ("8.3 a name of one colon", headers(1, [*request(), (b":", b"a")]), malformed),
    ("8.3.1 no :method", headers(1, request(None)), malformed),
    ("8.3.1 no :scheme", ask(scheme=None), malformed),
    ("8.3.1 no :path", headers(1, request(path=None)), malformed),
    ("8.3.1 no field at all", headers(1, []), malformed),
    ("8.3.1 an empty :method", headers(1, request(b"")), malformed),
    ("8.3.1 a :method that is no token", headers(1, request(b"G ET")), malformed),
    ("8.3.1 an empty :path", headers(1, request(path=b"")), malformed),
    ("8.3.1 a :path without its slash", headers(1, request(path=b"index.html")), malformed),
    ("8.3.1 a :path with a space", headers(1, request(path=b"/a b")), malformed),
    ("8.3.1 a :path that is a URI", headers(1, request(path=b"http://a.example/")), malformed),
    ("8.3.1 * for GET", headers(1, request(path=b"*")), malformed),
    ("8.3.1 * for OPTIONS", headers(1, request(b"OPTIONS", b"*")), answered(200, 204)),
    ("8.3.1 Host instead of :authority", ask((b"host", b"a.example"), authority=None), answered(200)),
    ("8.3.1 Host beside :authority", ask((b"host", b"a.example")), answered(200)),
    ("8.3.1 Host and :authority in other case", ask((b"host", b"A.EXAMPLE")), answered(200)),
    ("8.3.1 Host of another entity", ask((b"host", b"b.example")), malformed),
    ("8.3.1 neither Host nor :authority", ask(authority=None), malformed),
    ("8.3.1 userinfo in :authority", ask(authority=b"ann@a.example"), malformed),
    ("8.3.1 a space in :authority", ask(authority=b"a example"), malformed),
    ("8.5 CONNECT with :path", headers(1, request(b"CONNECT", b"/", scheme=None)), malformed),
    ("8.5 CONNECT with :scheme", headers(1, request(b"CONNECT", None)), malformed),
    ("8.5 CONNECT without :authority", headers(1, request(b"CONNECT", None, scheme=None, authority=None)), malformed),
    ("RFC 8441 4 :protocol for GET", headers(1, [*request(), (b":protocol", b"websocket")]), malformed),
    ("RFC 8441 4 :protocol without :path",
     headers(1, [*request(b"CONNECT", None, scheme=None), (b":protocol", b"websocket")]), malformed),
    ("RFC 8441 3 ENABLE_CONNECT_PROTOCOL of a client", settings((f.ENABLE_CONNECT_PROTOCOL, 1)), ignored),
    ("RFC 9218 2.1 NO_RFC7540_PRIORITIES 2", settings((f.NO_RFC7540_PRIORITIES, 2)), goes("PROTOCOL_ERROR")),
]

MESSAGES = [
    ("8.1 content in three frames", OPEN + data(1, b"a") + data(1) + data(1, b"b", END_STREAM), answered(200)),
    ("8.1 trailers", OPEN + data(1, b"a") + headers(1, [(b"x", b"y")]), answered(200)),
    ("8.1 trailers without content", OPEN + headers(1, [(b"x", b"y")]), answered(200)),
    ("8.1 trailers that do not end the stream", OPEN + headers(1, [(b"x", b"y")], END_HEADERS), malformed),
    ("8.1 a pseudo-header field in trailers", OPEN + headers(1, [(b":path", b"/")]), malformed),
    ("8.1 a name in upper case in trailers", OPEN + headers(1, [(b"X", b"y")]), malformed),
    ("8.1 a connection-specific field in trailers", OPEN + headers(1, [(b"connection", b"close")]), malformed),
    ("8.1 a second request on a stream", OPEN + headers(1), malformed),
    ("8.1 DATA after trailers", OPEN + headers(1, [(b"x", b"y")]) + data(1, b"a"), breaks("STREAM_CLOSED")),
    ("8.1.1 content-length is right", post(b"2", b"ab"), answered(200)),
    ("8.1.1 content-length in two frames", post(b"2", b"a", b"b"), answered(200)),
    ("8.1.1 content-length 0, no content", post(b"0"), answered(200)),
    ("8.1.1 padding does not count",
     headers(1, [*request(), (b"content-length", b"1")], END_HEADERS) +
     data(1, b"\x02a\0\0", PADDED | END_STREAM), answered(200)),
    ("8.1.1 more content than its length", post(b"1", b"ab"), malformed),
    ("8.1.1 less content than its length", post(b"3", b"ab"), malformed),
    ("8.1.1 less content in two frames", post(b"3", b"a", b"b"), malformed),
    ("8.1.1 no content, but a length", post(b"1"), malformed),
    ("8.1.1 content, but length 0", post(b"0", b"a"), malformed),
    ("8.1.1 less content, and trailers", headers(1, [*request(), (b"content-length", b"2")], END_HEADERS) +
     data(1, b"a") + headers(1, [(b"x", b"y")]), malformed),
    ("8.1.1 a length that is none", post(b"two", b"ab"), malformed),
    ("8.1.1 a length with a sign", post(b"+2", b"ab"), malformed),
    ("8.1.1 two lengths", headers(1, [*request(), (b"content-length", b"1"), (b"content-length", b"2")],
                                  END_HEADERS) + data(1, b"a", END_STREAM), malformed),
]


def rows():
    for name, octets in BLOCKS:
        yield name, block(octets), goes("COMPRESSION_ERROR")
    yield from FRAMES
    yield from FIELDS
    yield from MESSAGES


@pytest.mark.parametrize("frames, expect", [pytest.param(*row[1:], id=row[0]) for row in rows()])
def test_row(site, frames, expect):
    with H2(site.port, settings={f.INITIAL_WINDOW_SIZE: 0}) as h2:
        h2.send_frames(frames)
        expect(h2)
