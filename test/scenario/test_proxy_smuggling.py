# SPDX-License-Identifier: Apache-2.0
"""R-01, R-02 and R-06 through the gateway: whoever is behind us never sees a request that we did not see.

The server behind reads by the letter, and keeps connections: what is left of one message would be taken
for the next one.
"""

import socket

import h2
from earnest_server import Server
from smuggling import cases, inner, logged
from test_r01_framing import R01, chunks, hosts
from upstream import Upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def route(port):
    return f'route "/" {{ proxy = {{ "http://127.0.0.1:{port}" }} }}'


def send(server, message, victim):
    """Sends both over one connection, and reads all that comes."""
    with server.connect() as wire:
        wire.socket.settimeout(5)
        wire.send(message + inner(victim))
        wire.send(inner(victim + b"/last"))
        try:
            wire.socket.shutdown(socket.SHUT_WR)
            while wire.more():
                pass
        except OSError:
            pass
        return wire.buffer


def test_no_request_is_seen_that_was_not_logged(tmp_path, figure):
    refused = [*R01, *chunks(), *hosts()]
    with Upstream([OK]) as up, Server(tmp_path, route(up.port)) as server:
        every = list(cases(refused))
        for _, message, victim in every:
            send(server, message, victim)
    ours = [(method, target) for method, target, _ in logged(server.log_path.read_text())]
    assert len(every) > 300
    assert not up.errors, "what we sent was no request"
    paths = {(method, target.partition("a.example:80")[2] or target) for method, target in ours}
    for request in up.requests:
        assert request.target not in ("/evil", "/victim")
        assert not request.target.startswith("/evil"), "content was taken for a request"
        assert request.field("host") is not None
    seen = [(r.method, r.target) for r in up.requests if r.target.startswith(("/c", "/victim"))]
    assert {pair for pair in seen if pair not in paths} == set()
    figure("messages", len(every))
    figure("requests behind us", len(up.requests))


def test_content_arrives_as_it_was_sent(tmp_path):
    """The requests within content are content, to the last byte."""
    evil = inner(b"/evil")
    with Upstream([OK]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        for framing, content in ((b"Content-Length: %d\r\n" % len(evil), evil),
                                 (b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(evil), evil))):
            for method in (b"POST", b"GET", b"DELETE"):
                wire.send(method + b" /a HTTP/1.1\r\nHost: a.example\r\n" + framing + b"\r\n" + content)
                assert wire.answer("POST").content == b"ok"
    assert [r.content for r in up.requests] == [evil] * 6
    assert {r.target for r in up.requests} == {"/a"}


EVIL = [
    ([(":path", "/x y")], ()), ([(":path", "/x\r\nX: y")], ()), ([(":path", "/x HTTP/1.1\r\nHost: b\r\n\r\nGET /evil")], ()),
    ([(":method", "GET /evil HTTP/1.1\r\nX:")], ()), ([(":method", "GE T")], ()), ([(":method", "")], ()),
    ([(":authority", "a.example\r\nX: y")], ()), ([(":authority", "a b")], ()), ([(":authority", "u@a.example")], ()),
    ([], [("x", "y\r\nTransfer-Encoding: chunked")]), ([], [("x", "y\nz")]), ([], [("x", "y\0z")]), ([], [("x", "y\r")]),
    ([], [("x\r\ny", "z")]), ([], [("x: y\r\nz", "z")]), ([], [("x y", "z")]), ([], [("", "z")]), ([], [("X-Upper", "z")]),
    ([], [("transfer-encoding", "chunked")]), ([], [("connection", "close")]), ([], [("keep-alive", "1")]),
    ([], [("upgrade", "websocket")]), ([], [("host", "b.example")]), ([], [("content-length", "5")]),
    ([], [("content-length", "0"), ("content-length", "5")]), ([], [("te", "chunked")]), ([], [("proxy-connection", "x")]),
]


def test_downgrade(tmp_path):
    """R-06: what HTTP/2 can carry and HTTP/1.1 can not is not carried on."""
    with Upstream([OK]) as up, Server(tmp_path, route(up.port)) as server:
        for pseudo, fields in EVIL:
            section = {":method": "POST", ":scheme": "http", ":authority": "a.example", ":path": "/h2", **dict(pseudo)}
            with h2.H2(server.port) as client:
                number = client.open([*section.items(), *fields], end=False, method="POST")
                try:
                    client.send_content(number, inner(b"/evil"), end=True)
                    client.until(lambda s=client.streams[number]: s.over)
                except (OSError, AssertionError):
                    pass
        # That a length is a lie is found when content comes: the request is cut, and none (RFC 9112 8).
        assert set(up.errors) <= {"content that is cut"}
        up.errors.clear()
    assert {r.target for r in up.requests} <= {"/h2"}
    for request in up.requests:
        assert request.field("host") == "a.example"
        assert request.content in (b"", inner(b"/evil"))
        assert request.field("transfer-encoding") in (None, "chunked")
        assert request.field("connection") is None and request.field("te") is None


def test_crumbs_are_joined_once(tmp_path):
    with Upstream([OK]) as up, Server(tmp_path, route(up.port)) as server, h2.H2(server.port) as client:
        client.answer(client.request("GET", "/a", [("cookie", "a=b"), ("cookie", "c=d"), ("x", "y"), ("cookie", "e=f")]))
    assert up.requests[0].all("cookie") == ["a=b; c=d; e=f"]


def test_answers_are_not_shifted(tmp_path, figure):
    """R-02: a message that is odd, and after it a request on the same connection: each gets its own answer."""
    def named(request):
        body = request.target.encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    pairs = 0
    with Upstream([named]) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(20):
            with server.connect() as wire:
                for number in range(50):
                    content = inner(b"/evil")
                    fields = (b"Content-Length: %d\r\n" % len(content), b"Transfer-Encoding: chunked\r\n")[number % 2]
                    if number % 2:
                        content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
                    wire.send(b"POST /first%d HTTP/1.1\r\nHost: a.example\r\n" % number + fields + b"\r\n" + content +
                              inner(b"/second%d" % number))
                    assert wire.answer("POST").content == b"/first%d" % number
                    assert wire.answer("GET").content == b"/second%d" % number
                    pairs += 1
    figure("pairs", pairs)
