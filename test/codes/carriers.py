# SPDX-License-Identifier: Apache-2.0
"""How the exchanges of a vector travel: by HTTP/1.1 or HTTP/2, in the clear or over TLS.

A vector is text of HTTP/1.1. as_h2() says the same request in HTTP/2, or that it can not be said there.
"""
import collections
import re
import time

import h2
import tls
from earnest_server import Wire

Message = collections.namedtuple("Message", "fields content trailers complete")


class Unsayable(Exception):
    """There is no such request in HTTP/2."""


def split_head(text):
    head, end, content = text.partition(b"\r\n\r\n")
    if not end:
        raise Unsayable("its head has no end")
    line, *lines = head.split(b"\r\n")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if version != b"HTTP/1.1" or not method:
        raise Unsayable(f"request line {line!r}")
    fields = []
    for each in lines:
        name, colon, value = each.partition(b":")
        if not colon or each[:1] in b" \t":
            raise Unsayable(f"field line {each!r}")
        fields.append((name.lower(), value.strip(b" \t")))
    return method, target, fields, content


def control_data(method, target, fields, scheme):
    """The pseudo-header fields, and what is left of the others (RFC 9113 8.3.1)."""
    hosts = [value for name, value in fields if name == b"host"]
    rest = [field for field in fields if field[0] != b"host"]
    if method == b"CONNECT":
        return [(b":method", method), (b":authority", target)], rest
    absolute = re.fullmatch(rb"(https?)://([^/?#]*)(.*)", target)
    if absolute:
        hosts, target = [absolute[2]], absolute[3] or (b"*" if method == b"OPTIONS" else b"/")
    pseudo = [(b":method", method), (b":scheme", scheme), (b":path", target)]
    if len(hosts) == 1:
        pseudo.insert(2, (b":authority", hosts[0]))
        return pseudo, rest
    return pseudo, fields


def upgrade(fields):
    """The protocol that a request asks to change to, and its fields without that."""
    fields_of = {name: value.lower() for name, value in fields}
    if b"upgrade" not in fields_of or b"upgrade" not in fields_of.get(b"connection", b""):
        return None, fields
    # RFC 8441 5: what is left out is done by :protocol.
    gone = (b"connection", b"upgrade", b"sec-websocket-key")
    return fields_of[b"upgrade"], [field for field in fields if field[0] not in gone]


def unchunked(coded):
    """Content and trailers of chunks, which HTTP/2 does not have (RFC 9113 8.1)."""
    content = b""
    while True:
        match = re.match(rb"([0-9A-Fa-f]+)(;[^\r\n]*)?\r\n", coded)
        if not match:
            raise Unsayable(f"chunk {coded[:20]!r}")
        size, coded = int(match[1], 16), coded[match.end():]
        if size == 0:
            break
        content, coded = content + coded[:size], coded[size:]
        if coded[:2] != b"\r\n":
            raise Unsayable("a chunk without its end")
        coded = coded[2:]
    trailers = [line.partition(b":") for line in coded.split(b"\r\n") if line]
    return content, [(name.lower(), value.strip(b" \t")) for name, _, value in trailers]


def as_h2(text, scheme):
    """A request of HTTP/1.1 as a message of HTTP/2. complete: its content is all there."""
    method, target, fields, content = split_head(text)
    protocol, fields = upgrade(fields)
    pseudo, rest = control_data(method, target, fields, scheme)
    if protocol:
        pseudo = [(b":method", b"CONNECT"), (b":protocol", protocol), *pseudo[1:]]
    codings = [value.lower() for name, value in fields if name == b"transfer-encoding"]
    lengths = [value for name, value in fields if name == b"content-length"]
    trailers, complete = [], True
    if codings == [b"chunked"] and not lengths:
        content, trailers = unchunked(content)
        rest = [field for field in rest if field[0] != b"transfer-encoding"]
    elif lengths and lengths[0].isdigit():
        complete = len(content) >= int(lengths[0])
    return Message(pseudo + rest, content, trailers, complete and not protocol)


class Http1:
    """ask() sends the head and, if it is not to wait for 100, the content. answer() gives an interim answer
    whose status is in interim, or the final one; None if the stream was reset, which HTTP/1.1 can not."""

    secure, excluded_by = False, {"h1"}

    def __init__(self, port):
        self.port, self.wire = port, None
        self.method = ""

    def connect(self):
        # The handshake names no host: vectors ask for many (test/scenario/test_r34_identity.py).
        return tls.TlsWire(self.port, name=None) if self.secure else Wire(self.port)

    def ask(self, method, pieces, content, waits):
        """pieces: octets, and seconds between them."""
        self.wire = self.wire or self.connect()
        self.method, data = method, b""
        for piece in pieces:
            if isinstance(piece, bytes):
                data += piece
                continue
            self.wire.send(data)
            data = b""
            time.sleep(piece)
        self.wire.send(data if waits else data + content)

    def answer(self, interim=()):
        return self.wire.answer(self.method, interim)

    def go_on(self, content):
        self.wire.send(content)

    def done(self, answer):
        """Ends the connection if the answer says so."""
        if answer.closes:
            self.wire.expect_end()
        if answer.closes or answer.status == 101:
            self.wire.__exit__()
            self.wire = None

    def finish(self):
        if self.wire:
            assert self.wire.buffer == b"", f"more than an answer: {self.wire.buffer[:200]!r}"
            self.wire.__exit__()


class Https1(Http1):
    secure, excluded_by = True, {"h1", "tls"}


class Http2:
    secure, excluded_by = False, {"h2"}

    def __init__(self, port):
        self.port, self.h2 = port, None
        self.stream, self.tunnels = 0, False

    def ask(self, method, pieces, content, waits):
        scheme = b"https" if self.secure else b"http"
        message = as_h2(b"".join(p for p in pieces if isinstance(p, bytes)) + content, scheme)
        self.h2 = self.h2 or h2.H2(self.port, tls=tls.client("h2") if self.secure else None,
                                    name=None)
        bare = not message.content and not message.trailers
        self.tunnels = b":protocol" in dict(message.fields)
        self.stream = self.h2.open(message.fields, bare and message.complete, method)
        if message.content and not waits:
            self.h2.send_content(self.stream, message.content, message.complete and not message.trailers)
        if message.trailers:
            self.h2.send_section(self.stream, message.trailers, True)

    def answer(self, interim=()):
        stream = self.h2.streams[self.stream]

        def opened():
            return self.tunnels and stream.answer and stream.answer.status < 300

        self.h2.until(lambda: stream.over or opened() or any(a.status in interim for a in stream.interim))
        if opened():
            return stream.answer
        if stream.reset == "PROTOCOL_ERROR" and not stream.answer:
            return None
        return self.h2.answer(self.stream, interim)

    def go_on(self, content):
        self.h2.send_content(self.stream, content)

    def done(self, _):
        """Takes back what is left of the request."""
        if not self.h2.streams[self.stream].said:
            self.h2.cancel(self.stream)

    def finish(self):
        if self.h2:
            assert self.h2.ping() and not self.h2.goaways, f"the connection is lost: {self.h2.goaways}"
            self.h2.__exit__()


class Https2(Http2):
    secure, excluded_by = True, {"h2", "tls"}


WAYS = {"http": Http1, "https": Https1, "h2c": Http2, "h2": Https2}
