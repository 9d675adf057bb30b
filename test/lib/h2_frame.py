# SPDX-License-Identifier: Apache-2.0
"""The frames of HTTP/2 as bytes, right ones and wrong ones (RFC 9113 4, 6 and 7)."""
import collections

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
PRIORITY_UPDATE = 0x10
END_STREAM = ACK = 0x01
END_HEADERS, PADDED, PRIORITISED = 0x04, 0x08, 0x20

ERRORS = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
          "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
          "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"]

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE = range(1, 7)
ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES = 8, 9

WINDOW = 65535
WINDOW_MAX = (1 << 31) - 1
FRAME_SIZE = 16384

Frame = collections.namedtuple("Frame", "kind flags stream payload")


def number(value, size=4):
    return value.to_bytes(size, "big")


def pairs_of(payload):
    """The settings of a SETTINGS frame, in their order."""
    return [(int.from_bytes(payload[i:i + 2], "big"), int.from_bytes(payload[i + 2:i + 6], "big"))
            for i in range(0, len(payload), 6)]


def frame(kind, flags, stream, payload=b""):
    return number(len(payload), 3) + bytes([kind, flags]) + number(stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(number(name, 2) + number(value) for name, value in pairs))


def data(stream, content=b"", flags=0):
    return frame(DATA, flags, stream, content)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, number(increment))


def rst_stream(stream, code="CANCEL"):
    return frame(RST_STREAM, 0, stream, number(ERRORS.index(code)))


def priority(stream, on=0, weight=15):
    return frame(PRIORITY, 0, stream, number(on) + bytes([weight]))


def ping(payload=b"earnest!", flags=0):
    return frame(PING, flags, 0, payload)


def goaway(last=0, code="NO_ERROR", stream=0):
    return frame(GOAWAY, 0, stream, number(last) + number(ERRORS.index(code)))


def request(method=b"GET", path=b"/", scheme=b"http", authority=b"a.example"):
    """The fields of a request, in the usual order. None leaves one out."""
    pseudo = [(b":method", method), (b":scheme", scheme), (b":authority", authority), (b":path", path)]
    return [field for field in pseudo if field[1] is not None]


def headers(stream, fields=None, flags=END_HEADERS | END_STREAM):
    """A field section in one frame, which leaves no trace in the table of HPACK."""
    return frame(HEADERS, flags, stream, hpack.plain(request() if fields is None else fields))


def continuation(stream, fields=(), flags=END_HEADERS):
    return frame(CONTINUATION, flags, stream, hpack.plain(fields))
