# SPDX-License-Identifier: Apache-2.0
"""A gateway (RFC 9110 3.7): requests go on to servers behind us, and answers come back, whole or not at all."""
import base64
import hashlib
import re
import socket
import ssl
import threading
import time

import pytest

import h2
import tls
from earnest_server import Server
from scenario import limits
from upstream import SILENCE, Upstream, deaf_port, refusing_port, speaks

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HOST = b"Host: a.example\r\n"


def route(*ports, more=""):
    servers = ", ".join(f'"http://127.0.0.1:{port}"' for port in ports)
    return f'route "/" {{ proxy = {{ {servers} }} {more} }}'


def ask(server, method="GET", target="/a", fields=b"", content=b""):
    with server.connect() as wire:
        wire.send(f"{method} {target} HTTP/1.1\r\n".encode() + HOST + fields + b"\r\n" + content)
        return wire.answer(method)


def echo(request):
    body = request.content
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


# ---- heads


def test_request_is_written_anew(tmp_path):
    fields = (b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n"
              b"Proxy-Authorization: Basic eDp5\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
              b"X_Forwarded_For: 6.6.6.6\r\nVia: 1.0 first\r\nCookie: a=b\r\nX-Own: one\r\nX-Own: two\r\n"
              b"Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")
    with Upstream([OK]) as up, Server(tmp_path, route(up.port) + "\npseudonym = \"us\"") as server:
        answer = ask(server, target="/a/%7Eb?q=%20", fields=fields)
        assert answer.content == b"ok"
    request = up.requests[0]
    assert (request.method, request.target) == ("GET", "/a/%7Eb?q=%20")
    assert request.field("host") == "a.example"
    assert request.all("via") == ["1.0 first", "1.1 us"]
    assert request.field("forwarded") == 'for=127.0.0.1;host="a.example";proto=http'
    assert request.field("x-forwarded-for") == "127.0.0.1"
    assert request.field("x-forwarded-proto") == "http"
    assert request.all("x-own") == ["one", "two"]
    assert request.field("cookie") == "a=b"
    for name in ("connection", "keep-alive", "te", "x-hop", "proxy-authorization", "upgrade",
                 "x_forwarded_for", "http2-settings", "proxy-connection", "content-length",
                 "transfer-encoding"):
        assert request.field(name) is None, name


def test_path_that_can_be_read_in_two_ways_is_resolved(tmp_path):
    with Upstream([OK]) as up, Server(tmp_path, route(up.port)) as server:
        for target in ("/a/../b%20c", "/x//y", "/x/%2e%2E/y", "/./z/."):
            ask(server, target=target)
    assert [r.target for r in up.requests] == ["/b%20c", "/x/y", "/y", "/z/"]


def test_trusted_gateway_is_believed(tmp_path):
    with Upstream([OK]) as up, Server(tmp_path, route(up.port) + '\ntrusted = { "127.0.0.1" }') as server:
        ask(server, fields=b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n")
    request = up.requests[0]
    assert request.field("x-forwarded-for") == "1.2.3.4, 127.0.0.1"
    assert request.field("x-forwarded-proto") == "https"
    assert "6.6.6.6" not in request.field("forwarded")


def test_answer_is_written_anew(tmp_path):
    script = [b"HTTP/1.1 299 Odd\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: a\r\nSet-Cookie: a=b\r\n"
              b"Set-Cookie: c=d\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n\r\nok"]
    with Upstream(script) as up, Server(tmp_path, route(up.port)) as server:
        answer = ask(server)
    assert answer.status == 299
    assert answer.content == b"ok"
    assert [value for name, value in answer.fields if name == "set-cookie"] == ["a=b", "c=d"]
    assert answer.field("date") == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert answer.field("via").startswith("1.1 earnest-")
    assert answer.field("x-hop") is None and answer.field("keep-alive") is None
    assert answer.field("server") is None


@pytest.mark.parametrize("status", [204, 304, 404, 412, 416, 503])
def test_status_is_passed_on(tmp_path, status):
    content = b"" if status in (204, 304) else b"Content-Length: 3\r\n"
    script = [b"HTTP/1.1 %d X\r\nETag: \"u\"\r\n%s\r\n%s" % (status, content, b"abc" if content else b"")]
    fields = b"If-None-Match: *\r\nIf-Match: \"x\"\r\nRange: bytes=0-1\r\n"
    with Upstream(script) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(2):
            answer = ask(server, fields=fields)
            assert answer.status == status
            assert answer.content == (b"abc" if content else b"")
    assert up.requests[0].field("if-match") == '"x"'
    assert up.connections == 1
    assert server.rules() == ["relayed"] * 2


def test_head_keeps_the_length(tmp_path):
    with Upstream([b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"]) as up:
        with Server(tmp_path, route(up.port)) as server, server.connect() as wire:
            for _ in range(2):
                wire.send(b"HEAD /a HTTP/1.1\r\n" + HOST + b"\r\n")
                assert wire.answer("HEAD").field("content-length") == "12345"


def test_max_forwards(tmp_path):
    with Upstream([OK]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server, "OPTIONS", fields=b"Max-Forwards: 3\r\n").status == 200
        last = ask(server, "OPTIONS", fields=b"Max-Forwards: 0\r\n")
        assert last.status == 204 and "GET" in last.field("allow")
        assert ask(server, "TRACE", fields=b"Max-Forwards: 3\r\n").status == 405
        preface = ask(server, "PRI")  # no method, but how HTTP/2 begins
        assert preface.status == 405 and "PRI" not in preface.field("allow")
        assert ask(server, "FROB").status == 200
    assert [(r.method, r.field("max-forwards")) for r in up.requests] == [("OPTIONS", "2"), ("FROB", None)]


# ---- content


def big(n):
    return (hashlib.sha256(b"seed").digest() * (n // 32 + 1))[:n]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 70000, 3000000])
def test_content_goes_both_ways(tmp_path, size, chunked):
    body = big(size)

    def answer(request):
        assert request.content == body
        if not chunked:
            return echo(request)
        parts = [body[i:i + 40000] for i in range(0, size, 40000)]
        return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                b"".join(b"%x;a=b\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\nX-T: 1\r\n\r\n")

    framing = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: %d\r\n" % size
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (size, body) if chunked and size else b"0\r\n\r\n" if chunked else body
    with Upstream([answer]) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            for _ in range(2):
                threading.Thread(target=wire.send, daemon=True, args=(
                    b"PUT /a HTTP/1.1\r\n" + HOST + framing + b"\r\n" + sent,)).start()
                got = wire.answer("PUT")
                assert got.content == body
    assert len(up.requests) == 2 and up.connections == 1


def test_content_up_to_the_end_of_the_connection(tmp_path):
    with Upstream([b"HTTP/1.0 200 OK\r\n\r\nall that comes"], keeps=False) as up:
        with Server(tmp_path, route(up.port)) as server:
            answer = ask(server)
            assert answer.content == b"all that comes"
            assert answer.field("transfer-encoding") == "chunked"


def test_answer_while_the_request_comes(tmp_path):
    """Both directions at once: each part of the request is answered before the next is sent."""
    @speaks
    def talk(_request, peer):
        peer.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            size = int(peer.line(), 16)
            data = peer.bytes(size)
            peer.line()
            if size == 0:
                peer.socket.sendall(b"0\r\n\r\n")
                return True
            peer.socket.sendall(b"%x\r\n%s\r\n" % (size, data.upper()))

    with Upstream([talk]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        wire.send(b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert wire.head().status == 200
        for part in (b"one", b"two", b"three"):
            wire.send(b"%x\r\n%s\r\n" % (len(part), part))
            assert wire.line() == b"%x" % len(part)
            assert wire.bytes(len(part)) == part.upper()
            wire.line()
        wire.send(b"0\r\n\r\n")
        assert wire.line() == b"0" and wire.line() == b""
        wire.send(b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert wire.answer("POST").status == 200
    assert up.connections == 1


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def server_pid(server):
    with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as children:
        return int(children.read().split()[0])


@pytest.mark.parametrize("way", ["down", "up"])
def test_memory_is_flat(tmp_path, way, figure):
    """A slow reader: what was sent and is not taken does not gather in between."""
    size, took = 64 << 20, []

    @speaks
    def upstream(_request, peer):
        if way == "down":
            peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size >> 16):
                peer.socket.sendall(bytes(1 << 16))
            return True
        time.sleep(1)
        took.append(len(peer.bytes(size)))
        peer.socket.sendall(OK)
        return True

    with Upstream([upstream]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        before = resident_kib(server_pid(server))
        if way == "down":
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
            time.sleep(1)
            most = resident_kib(server_pid(server))
            assert len(wire.answer("GET").content) == size
        else:
            wire.send(b"PUT /a HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size)
            thread = threading.Thread(target=wire.send, args=(bytes(size),), daemon=True)
            thread.start()
            time.sleep(0.8)
            most = resident_kib(server_pid(server))
            assert wire.answer("PUT").status == 200
            assert took == [size]
        figure("more", most - before, "KiB")
        assert most - before < 2048


# ---- interim answers


def test_expectation_goes_end_to_end(tmp_path):
    asked = threading.Event()

    @speaks
    def careful(request, peer):
        assert request.field("expect") == "100-continue"
        assert not peer.buffer
        asked.set()
        peer.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.content(request)
        peer.socket.sendall(OK)
        return True

    with Upstream([careful]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        wire.send(b"PUT /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert wire.answer("PUT", interim=(100,)).status == 100
        assert asked.is_set()
        wire.send(b"abc")
        assert wire.answer("PUT").status == 200


def test_expectation_that_is_refused(tmp_path):
    @speaks
    def refuse(_request, peer):
        peer.socket.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        return False

    with Upstream([refuse]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        wire.send(b"PUT /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        answer = wire.answer("PUT")
        assert answer.status == 403 and not answer.interim and answer.closes


HINTS = (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
         b"HTTP/1.1 102 Processing\r\n\r\n") + OK


def test_interim_answers_are_passed_on(tmp_path):
    with Upstream([HINTS]) as up, Server(tmp_path, route(up.port)) as server:
        answer = ask(server)
        assert [i.status for i in answer.interim] == [102]
        answer = ask(server, fields=b"Sec-Fetch-Mode: navigate\r\n")
        assert [i.status for i in answer.interim] == [103, 102]
        assert answer.interim[0].field("link") == "</a.css>; rel=preload"
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.0\r\n" + HOST + b"\r\n")
            assert not wire.answer("GET").interim
        with h2.H2(server.port) as client:
            answer = client.answer(client.request("GET", "/a"))
            assert [i.status for i in answer.interim] == [103, 102]


def test_interim_storm_ends(tmp_path):
    storm = b"HTTP/1.1 102 Processing\r\n\r\n" * 9 + OK
    with Upstream([storm]) as up, Server(tmp_path, route(up.port)) as server:
        answer = ask(server)
        assert answer.status == 502 and len(answer.interim) == 8
    assert server.rules() == ["upstream_garbled"]


# ---- tunnels


def test_upgrade_is_tunnelled(tmp_path):
    @speaks
    def switch(request, peer):
        assert request.field("upgrade") == "echo" and request.field("connection").lower() == "upgrade"
        peer.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello")
        while peer.buffer or peer.more():
            data, peer.buffer = peer.buffer, b""
            peer.socket.sendall(data)
        peer.socket.sendall(b"bye")
        return False

    with Upstream([switch]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"Upgrade: echo\r\nConnection: upgrade\r\n\r\nearly")
        answer = wire.answer("GET")
        assert answer.status == 101 and answer.field("upgrade") == "echo"
        assert answer.members("connection") == ["upgrade"]
        assert wire.bytes(10) == b"helloearly"
        for _ in range(3):
            wire.send(big(100000))
            assert wire.bytes(100000) == big(100000)
        wire.end()
        assert wire.bytes(3) == b"bye"
        wire.expect_end()
    assert server.rules() == ["relayed"]


def accept(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


@speaks
def shout(request, peer):
    """The words of WebSocket, and then bytes that come back loud."""
    assert request.method == "GET" and request.field("upgrade") == "websocket"
    assert request.field("sec-websocket-version") == "13" and request.field("transfer-encoding") is None
    assert len(base64.b64decode(request.field("sec-websocket-key"))) == 16
    key = request.field("sec-websocket-key") if request.target != "/wrong" else "x"
    peer.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + accept(key) + b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
    while peer.buffer or peer.more():
        data, peer.buffer = peer.buffer, b""
        peer.socket.sendall(data.upper())
    return False


def test_websocket_over_h2(tmp_path):
    """A client of HTTP/2 (RFC 8441), and a server of HTTP/1.1."""
    fields = [("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat")]
    with Upstream([shout]) as up, Server(tmp_path, route(up.port)) as server, h2.H2(server.port) as client:
        for _ in range(2):
            tunnel = h2.Tunnel.open(client, "/ws", fields)
            assert tunnel.answer.status == 200 and tunnel.answer.field("sec-websocket-protocol") == "chat"
            assert tunnel.answer.field("sec-websocket-accept") is None and tunnel.answer.field("upgrade") is None
            for _ in range(3):
                tunnel.send(b"abc" * 10000)
                assert tunnel.bytes(30000) == b"ABC" * 10000
            tunnel.end()
            assert not tunnel.more() and tunnel.stream.ended
        assert h2.Tunnel.open(client, "/wrong", fields).answer.status == 502
    assert server.rules() == ["ok", "ok", "upstream_garbled"]


def test_switch_that_nobody_asked_for(tmp_path):
    with Upstream([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n"]) as up:
        with Server(tmp_path, route(up.port)) as server:
            assert ask(server).status == 502


def test_idle_tunnel_ends(tmp_path):
    @speaks
    def switch(_request, peer):
        peer.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n")
        peer.more()
        return False

    with Upstream([switch]) as up, Server(tmp_path, route(up.port) + limits(tunnel_idle_ms=300)) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"Upgrade: echo\r\nConnection: upgrade\r\n\r\n")
            assert wire.answer("GET").status == 101
            begun = time.monotonic()
            wire.expect_end()
            assert 0.2 < time.monotonic() - begun < 3


# ---- what can go wrong (each cause is told apart)


LIES = {
    "garbled": (b"SSH-2.0-x\r\n", 502, "upstream_garbled", "http_protocol_error"),
    "reserved": (b"HTTP/1.1 306 X\r\n\r\n", 502, "upstream_garbled", "http_protocol_error"),
    "below": (b"HTTP/1.1 099 X\r\n\r\n", 502, "upstream_garbled", "http_protocol_error"),
    "above": (b"HTTP/1.1 600 X\r\n\r\n", 502, "upstream_garbled", "http_protocol_error"),
    "both": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 502,
             "upstream_garbled", "http_protocol_error"),
    "lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 502, "upstream_garbled",
                "http_protocol_error"),
    "bare_lf": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 502, "upstream_garbled", "http_protocol_error"),
    "tls": (b"\x15\x03\x01\x00\x02\x02\x46", 502, "upstream_garbled", "http_protocol_error"),
    "large": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 40000 + b"\r\n\r\n", 502, "upstream_too_large",
              "http_response_header_section_size"),
    "many": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n", 502, "upstream_too_large",
             "http_response_header_section_size"),
    "ended": (None, 502, "upstream_cut", "http_response_incomplete"),
    "silent": (SILENCE, 504, "upstream_timeout", "http_response_timeout"),
}


@pytest.mark.parametrize("over", ["h1", "h2"])
@pytest.mark.parametrize("lie", LIES)
def test_lies(tmp_path, lie, over):
    answer, status, rule, error = LIES[lie]
    with Upstream([answer]) as up, Server(tmp_path, route(up.port) + limits(upstream_answer_ms=300)) as server:
        if over == "h1":
            got = ask(server, "POST", fields=b"Content-Length: 2\r\n", content=b"hi")
        else:
            with h2.H2(server.port) as client:
                got = client.answer(client.request("GET", "/a"))
        assert got.status == status
        assert got.field("proxy-status").endswith(f"; error={error}")
        assert got.field("via") is None
    assert server.rules() == [rule]


def test_refused_and_unresolved_and_slow(tmp_path):
    refusing, port = refusing_port()
    deaf, slow = deaf_port()
    config = (f'route "/refused" {{ proxy = {{ "http://127.0.0.1:{port}" }} }}\n'
              f'route "/slow" {{ proxy = {{ "http://127.0.0.1:{slow}" }} }}\n'
              'route "/name" { proxy = { "http://no-such-name.invalid" } }\n')
    with Server(tmp_path, config + limits(upstream_connect_ms=5000)) as server:
        assert ask(server, target="/refused").field("proxy-status").endswith("error=connection_refused")
        assert ask(server, target="/name").field("proxy-status").endswith("error=dns_error")
    with Server(tmp_path, config + limits(upstream_connect_ms=300)) as server:
        answer = ask(server, target="/slow")
        assert answer.status == 504 and answer.field("proxy-status").endswith("error=connection_timeout")
    refusing.close()
    for each in deaf:
        each.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
                                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX"])
def test_answer_that_is_cut_is_cut_for_the_client(tmp_path, answer):
    """The head and what came of the content arrive, and then the end (RFC 9112 8)."""
    with Upstream([answer], keeps=False) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
            got = b""
            while more := wire.socket.recv(65536):
                got += more
            assert got.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"abc" in got.partition(b"\r\n\r\n")[2], got
            assert not got.endswith(b"0\r\n\r\n")
        with h2.H2(server.port) as client:
            stream = client.request("GET", "/a")
            client.until(lambda: client.streams[stream].over)
            assert client.streams[stream].reset


def test_second_answer_is_not_taken_for_the_next_one(tmp_path):
    with Upstream([OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", OK]) as up:
        with Server(tmp_path, route(up.port)) as server, server.connect() as wire:
            for _ in range(5):
                wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
                assert wire.answer("GET").content == b"ok"
    assert up.connections == 2


# ---- loops


def test_request_that_comes_back(tmp_path):
    with Server(tmp_path, f'route "/" {{ proxy = {{ "http://127.0.0.1:1" }} }}\npseudonym = "us"') as server:
        for field in (b"Via: 1.1 them, 1.1 US (x)\r\n", b"CDN-Loop: them;a=b, us; c=d\r\n"):
            answer = ask(server, fields=field)
            assert answer.status == 508
        assert ask(server, fields=b"Via: 1.1 us2, 1.0 them\r\nCDN-Loop: them\r\n").status == 502


def test_two_servers_in_a_row(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Upstream([OK]) as up, Server(tmp_path / "a", route(up.port)) as inner:
        with Server(tmp_path / "b", route(inner.port)) as outer:
            assert ask(outer).content == b"ok"
    assert len(up.requests[0].all("via")) == 2


# ---- several servers, their health


def test_retries(tmp_path):
    """One that ends the connection is asked again if that does no harm; one that never took it, always."""
    held, dead = refusing_port()
    with Upstream([None, OK]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server).status == 502
    with Upstream([None]) as bad, Upstream([OK]) as up:
        with Server(tmp_path, route(bad.port, up.port)) as server:
            assert [ask(server).status for _ in range(4)] == [200] * 4
        with Server(tmp_path, route(bad.port)) as server:
            assert ask(server, "POST", fields=b"Content-Length: 0\r\n").status == 502
        with Server(tmp_path, route(dead, up.port)) as server:
            for _ in range(4):
                assert ask(server, "POST", fields=b"Content-Length: 2\r\n", content=b"hi").status == 200
    held.close()


def test_kept_connection_that_ended_meanwhile(tmp_path):
    with Upstream([OK], keeps=False) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            for _ in range(20):
                wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
                assert wire.answer("GET").status == 200
    assert set(server.rules()) == {"relayed"}


def test_circuit(tmp_path):
    rows = limits(upstream_failures_max=3, upstream_recovery_ms=600, upstream_answer_ms=5000)
    with Upstream([None, None, None, OK], keeps=False) as up, Server(tmp_path, route(up.port) + rows) as server:
        assert [ask(server, "POST", fields=b"Content-Length: 0\r\n").status for _ in range(3)] == [502] * 3
        answer = ask(server)
        assert answer.status == 503 and answer.field("retry-after") == "1"
        assert answer.field("proxy-status").endswith("error=destination_unavailable")
        assert len(up.requests) == 3
        time.sleep(0.7)
        assert ask(server).status == 200
    assert server.rules() == ["upstream_cut"] * 3 + ["upstream_busy", "relayed"]


def test_full(tmp_path):
    rows = limits(upstream_requests_max=1, upstream_answer_ms=1000)
    with Upstream([SILENCE]) as up, Server(tmp_path, route(up.port) + rows) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
            time.sleep(0.2)
            answer = ask(server)
            assert answer.status == 503 and answer.field("retry-after")
            assert answer.field("proxy-status").endswith("error=connection_limit_reached")
            assert wire.answer("GET").status == 504


def named(name):
    return b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + name


def test_balance(tmp_path):
    with Upstream([named(b"a")]) as a, Upstream([named(b"b")]) as b, Upstream([named(b"c")]) as c:
        with Server(tmp_path, route(a.port, b.port, c.port)) as server:
            got = {ask(server).content for _ in range(9)}
            assert got == {b"a", b"b", b"c"}
        with Server(tmp_path, route(a.port, b.port, c.port, more='balance = "hash"')) as server:
            assert len({ask(server).content for _ in range(9)}) == 1


def test_upstream_that_comes_back(tmp_path, figure):
    """R-49: the server behind us dies and comes back: it is found again within a second or so."""
    with Upstream([OK]) as up:
        port = up.port
        with Server(tmp_path, route(port)) as server:
            assert ask(server).status == 200
            up.stop()
            statuses = [ask(server).status for _ in range(8)]
            assert statuses[-1] == 503 and set(statuses) == {502, 503}
            again = Upstream([OK])
            again.listener.close()
            again.listener = socket.create_server(("127.0.0.1", port))
            with again:
                begun = time.monotonic()
                while ask(server).status != 200:
                    assert time.monotonic() - begun < 3
                    time.sleep(0.02)
                figure("healed after", time.monotonic() - begun, "s")
                assert time.monotonic() - begun < 1.2


# ---- clients


def test_client_that_is_at_fault(tmp_path):
    """What is wrong with content is said even where upstream was asked already, and it gets no whole request."""
    rows = limits(relayed_bytes_max=100, content_grace_ms=300)
    cases = [
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", b"deX", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (200, b"x" * 200), 413),
        (b"Content-Length: 50\r\n\r\nabc", b"", 408),
    ]
    with Upstream([OK]) as up, Server(tmp_path, route(up.port) + rows) as server:
        for first, second, status in cases:
            with server.connect() as wire:
                wire.send(b"PUT /a HTTP/1.1\r\n" + HOST + first)
                time.sleep(0.1)
                wire.send(second)
                assert wire.answer("PUT").status == status
        deadline = time.monotonic() + 5
        while up.open:
            assert time.monotonic() < deadline, "a connection stays with half a request"
            time.sleep(0.01)
        assert not up.requests
        up.errors.clear()  # which are that they were cut


def test_cut_right_after_the_head(tmp_path):
    """A client has the head of an answer whose content never came, over TLS too."""
    listen = tls.make_certificate(tmp_path)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-Own: one\r\n\r\n"
    with Upstream([answer], keeps=False) as up:
        for secure in (False, True):
            with Server(tmp_path, route(up.port), listen if secure else "") as server:
                with server.connect() as wire:
                    plain = wire.socket
                    if secure:
                        plain = tls.client("http/1.1").wrap_socket(wire.socket)
                    plain.sendall(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
                    head = b""
                    try:
                        while more := plain.recv(65536):
                            head += more
                    except ssl.SSLEOFError:
                        pass
                assert head.startswith(b"HTTP/1.1 200 OK\r\n") and head.endswith(b"\r\n\r\n"), head
                assert b"\r\nX-Own: one\r\n" in head


def end_of(peers):
    """Waits until the server behind has no connection any more."""
    deadline = time.monotonic() + 5
    while peers:
        assert time.monotonic() < deadline, "the connection stays"
        time.sleep(0.01)


@pytest.mark.parametrize("version", ["1.1", "2", "tls"])
def test_client_that_closes_while_upstream_is_silent(tmp_path, version):
    """It ends its side, without a reset; the only connection upstream is then free for others."""
    @speaks
    def wait(request, peer):
        assert not peer.more(), "something comes after the request"
        return False

    listen = tls.make_certificate(tmp_path) if version == "tls" else ""
    config = limits(upstream_requests_max=1, half_closed_ms=200)
    with Upstream([wait, OK]) as up, Server(tmp_path, route(up.port) + "\n" + config, listen) as server:
        if version == "2":
            client = h2.H2(server.port)
            client.request("GET", "/gone")
            client.ping()
        else:
            client = server.connect()
            if version == "tls":
                client.socket = tls.client("http/1.1").wrap_socket(client.socket)
            client.socket.sendall(b"GET /gone HTTP/1.1\r\n" + HOST + b"\r\n")
        while not up.requests:
            time.sleep(0.01)
        began = time.monotonic()
        client.socket.close()
        end_of(up.open)
        assert time.monotonic() - began < 2
        if version != "tls":
            assert ask(server).status == 200
    line, = re.findall(r'.* /gone .*', server.log_path.read_text())
    assert '" 0 0 ' in line and line.endswith("rule=none aborted by=client")


def test_client_that_ends_its_side_is_answered(tmp_path):
    """A half-closed client has the answer if it comes soon (RFC 9112 9.6)."""
    def slow(request):
        time.sleep(0.2)
        return OK

    with Upstream([slow]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.answer("GET").content == b"ok"


def test_client_that_leaves(tmp_path):
    with Upstream([SILENCE]) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            wire.send(b"GET /gone HTTP/1.1\r\n" + HOST + b"\r\n")
            while not up.requests:
                time.sleep(0.01)
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with h2.H2(server.port) as client:
            stream = client.request("GET", "/cancelled")
            while len(up.requests) < 2:
                client.ping()
            client.cancel(stream)
            client.ping()
    assert len(re.findall(r" /(?:gone|cancelled) ", server.log_path.read_text())) == 2, "each is in the log"


@pytest.mark.parametrize("secure", [False, True])
def test_over_h2(tmp_path, secure):
    listen = tls.make_certificate(tmp_path) if secure else ""
    body = big(500000)
    with Upstream([echo]) as up, Server(tmp_path, route(up.port), listen) as server:
        with h2.H2(server.port, tls=tls.client("h2") if secure else None, name=None) as client:
            for _ in range(3):
                answer = client.answer(client.request("POST", "/a", content=body))
                assert answer.status == 200 and answer.content == body
    assert up.requests[0].field("forwarded").endswith("proto=https" if secure else "proto=http")
    assert up.requests[0].field("host") == "a.example"


def test_largest_request_goes_on(tmp_path):
    """What is within our limits is passed on, whatever is added to it."""
    host = b"Host: " + b"a" * 8000 + b"\r\n"
    fields = b"".join(b"X-%d: " % i + b"x" * 4000 + b"\r\n" for i in range(2))
    with Upstream([OK]) as up, Server(tmp_path, route(up.port)) as server, server.connect() as wire:
        wire.send(b"GET /" + b"p" * 8100 + b" HTTP/1.1\r\n" + host + fields + b"\r\n")
        assert wire.answer("GET").status == 200
    assert len(up.requests[0].target) == 8101 and len(up.requests[0].field("host")) == 8000


def test_garbled_resource_does_not_shut_out_the_others(tmp_path):
    def answer(request):
        return b"garbled\r\n\r\n" if request.target == "/bad" else OK

    with Upstream([answer], keeps=False) as up, Server(tmp_path, route(up.port)) as server:
        assert [ask(server, target="/bad").status for _ in range(8)] == [502] * 8
        assert ask(server).status == 200


# ---- probes


def health(status, well=lambda: True):
    """A server that says how it is, and answers what it is asked with its name."""
    def answer(request):
        if request.target != "/health":
            return OK
        return b"HTTP/1.1 %d It\r\nContent-Length: 0\r\n\r\n" % (status if well() else 500)
    return answer


def probes(up, since=0):
    return [r for r in up.requests[since:] if r.target == "/health"]


def eventually(what, seconds=3):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("status", [204, 302])
def test_server_that_is_not_well_is_left_alone_until_it_is(tmp_path, status):
    state = {"well": True}
    with Upstream([health(status, lambda: state["well"])]) as ill, Upstream([health(200)]) as well:
        config = route(ill.port, well.port, more='probe = "/health"') + "\n" + limits(probe_interval_ms=50)
        with Server(tmp_path, config) as server:
            eventually(lambda: len(probes(ill)) > 1 and len(probes(well)) > 1)
            request = probes(ill)[0]
            assert request.method == "GET" and request.field("host") == f"127.0.0.1:{ill.port}"
            assert request.field("user-agent") == "earnest-probe"
            state["well"] = False
            time.sleep(0.3)
            before = len(ill.requests) - len(probes(ill))
            assert [ask(server).status for _ in range(6)] == [200] * 6
            assert len(ill.requests) - len(probes(ill)) == before
            state["well"] = True
            time.sleep(0.3)
            assert [ask(server).status for _ in range(6)] == [200] * 6
            assert len(ill.requests) - len(probes(ill)) > before


@pytest.mark.parametrize("what", [SILENCE, None, b"garbage\r\n\r\n", b"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n"])
def test_nobody_is_asked_who_is_not_well(tmp_path, what):
    def answer(request):
        return what if request.target == "/health" else OK

    with Upstream([answer]) as up:
        config = (route(up.port, more='probe = "/health"') + "\n"
                  + limits(probe_interval_ms=50, probe_timeout_ms=100))
        with Server(tmp_path, config) as server:
            eventually(lambda: ask(server).status == 503)
            before = len(up.requests) - len(probes(up))
            answer = ask(server)
            assert answer.status == 503 and int(answer.field("retry-after")) >= 1
            assert len(up.requests) - len(probes(up)) == before


def test_server_that_is_away_comes_back(tmp_path):
    held, port = refusing_port()
    config = route(port, more='probe = "/health"') + "\n" + limits(probe_interval_ms=50)
    with Server(tmp_path, config) as server:
        eventually(lambda: ask(server).status == 503)
        held.close()
        up = Upstream([health(200)])
        up.listener.close()
        up.listener = socket.create_server(("127.0.0.1", port))
        with up:
            eventually(lambda: ask(server).status == 200)
