# SPDX-License-Identifier: Apache-2.0
"""Servers behind us that are asked over HTTP/2 (RFC 9113): many requests over one connection."""
import re
import socket
import ssl
import threading

import pytest

import h2
import h2_frame as f
import hpack
import tls
import upstream
from earnest_server import Server
from scenario import limits
from test_proxy import HOST, ask, big
from upstream_h2 import Upstream, echo, frames, ok, silence, until


def route(*ports, more="", scheme="http", name="127.0.0.1"):
    servers = ", ".join(f'"{scheme}://{name}:{port}"' for port in ports)
    return f'route "/" {{ proxy = {{ {servers} }} http2 = true {more} }}'


# ---- heads and content


def test_request_has_the_form_of_http2(tmp_path):
    fields = (b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nCookie: a=b\r\nX-Own: one\r\n"
              b"X-Own: two\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\nX-Forwarded-For: 6.6.6.6\r\n")
    script = [ok(fields=[(b"x-back", b"yes"), (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")])]
    with Upstream(script) as up, Server(tmp_path, route(up.port) + '\npseudonym = "us"') as server:
        answer = ask(server, "POST", "/a/%7Eb?q=%20", fields, b"3\r\nabc\r\n0\r\n\r\n")
        assert answer.status == 200 and answer.content == b"ok"
        assert answer.field("x-back") == "yes" and answer.field("via") == "2.0 us"
    request, = up.requests
    pseudo = [(name, value) for name, value in request.fields if name.startswith(b":")]
    assert pseudo == [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a.example"),
                      (b":path", b"/a/%7Eb?q=%20")]
    assert request.fields[:4] == pseudo
    assert bytes(request.content) == b"abc"
    assert request.all("x-own") == ["one", "two"] and request.field("cookie") == "a=b"
    assert request.field("x-forwarded-for") == "127.0.0.1"
    for name in ("connection", "host", "te", "x-hop", "upgrade", "transfer-encoding", "keep-alive"):
        assert request.field(name) is None, name
    assert all(name == name.lower() for name, _ in request.fields)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 70000, 3000000])
def test_content_goes_both_ways(tmp_path, size, chunked):
    body = big(size)
    fields, content = b"Content-Length: %d\r\n" % size, body
    if chunked:
        fields = b"Transfer-Encoding: chunked\r\n"
        content = (b"%x\r\n%s\r\n" % (size, body) if size else b"") + b"0\r\n\r\n"
    with Upstream([echo]) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(2):
            answer = ask(server, "POST", fields=fields, content=content)
            assert answer.status == 200 and answer.content == body
        with h2.H2(server.port) as client:
            assert client.answer(client.request("POST", "/a", content=body)).content == body
    assert up.connections == 1


def test_many_requests_share_a_connection(tmp_path):
    barrier = threading.Barrier(40)

    def together(peer, request):
        barrier.wait(10)
        ok(request.field(":path").encode())(peer, request)

    with Upstream([together]) as up, Server(tmp_path, route(up.port)) as server:
        wires = [server.connect() for _ in range(40)]
        for i, wire in enumerate(wires):
            wire.send(b"GET /%d HTTP/1.1\r\n" % i + HOST + b"\r\n")
        for i, wire in enumerate(wires):
            assert wire.answer("GET").content == b"/%d" % i
            wire.socket.close()
    assert up.connections == 1


def test_head_and_statuses_without_content(tmp_path):
    script = [ok(b"", [(b"content-length", b"12345")]), ok(b"", [(b"etag", b'"e"')], b"304"), ok(b"", (), b"204")]
    with Upstream(script) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server, "HEAD").field("content-length") == "12345"
        assert ask(server, fields=b'If-None-Match: "e"\r\n').status == 304
        assert ask(server).status == 204
    assert up.connections == 1


def test_trailers_and_interim_answers(tmp_path):
    def answer(peer, request):
        peer.head(request.stream, [(b":status", b"103"), (b"link", b"</a>; rel=preload")])
        ok(fields=[(b"x-last", b"1")], trailers=[(b"x-trailer", b"1")])(peer, request)

    with Upstream([answer]) as up, Server(tmp_path, route(up.port)) as server:
        with h2.H2(server.port) as client:
            got = client.answer(client.request("GET", "/a"))
            assert got.status == 200 and got.content == b"ok"
        assert ask(server).content == b"ok"
    assert up.connections == 1


# ---- what is said of it, by cause


def cause(answer):
    return answer.status, re.search(r"error=(\w+)", answer.field("proxy-status") or "error=none")[1]


def too_large(stream):
    return (f.headers(stream, [(b":status", b"200")] + [(b"x", b"y" * 4000)] * 4, f.END_STREAM)
            + f.continuation(stream, [(b"x", b"y" * 4000)] * 3))


def flood(stream):
    first = f.headers(stream, [(b":status", b"200")], f.END_STREAM)
    return first + f.continuation(stream, [(b"x", b"y")], 0) * 1000


CAUSES = {
    "reset": ([lambda n: f.rst_stream(n, "INTERNAL_ERROR")], (502, "http_response_incomplete")),
    "cut": (None, (502, "http_response_incomplete")),
    "large": ([too_large], (502, "http_response_header_section_size")),
    "connection": ([lambda n: f.headers(n, [(b":status", b"200"), (b"connection", b"close")])],
                   (502, "http_protocol_error")),
    "coding": ([lambda n: f.headers(n, [(b":status", b"200"), (b"transfer-encoding", b"chunked")])],
               (502, "http_protocol_error")),
    "capitals": ([lambda n: f.headers(n, [(b":status", b"200"), (b"X-A", b"b")])], (502, "http_protocol_error")),
    "splitting": ([lambda n: f.headers(n, [(b":status", b"200"), (b"x", b"a\r\nb: c")])],
                  (502, "http_protocol_error")),
    "no status": ([lambda n: f.headers(n, [(b"x", b"y")])], (502, "http_protocol_error")),
    "odd status": ([lambda n: f.headers(n, [(b":status", b"2OO")])], (502, "http_protocol_error")),
    "switch": ([lambda n: f.headers(n, [(b":status", b"101")], f.END_HEADERS)], (502, "http_protocol_error")),
    "two lengths": ([lambda n: f.headers(n, [(b":status", b"200"), (b"content-length", b"1"),
                                             (b"content-length", b"2")])], (502, "http_protocol_error")),
    "content first": ([lambda n: f.data(n, b"x")], (502, "http_protocol_error")),
    "interim storm": ([lambda n: f.headers(n, [(b":status", b"103")], f.END_HEADERS) * 50],
                      (502, "http_protocol_error")),
    "continuation flood": ([flood], (502, "http_protocol_error")),
    "settings flood": ([f.settings((f.MAX_CONCURRENT_STREAMS, 9)) * 5000], (502, "http_protocol_error")),
    "ping flood": ([f.ping() * 20000], (502, "http_protocol_error")),
    "window overflow": ([f.window_update(0, f.WINDOW_MAX) * 2], (502, "http_protocol_error")),
    "push": ([lambda n: f.frame(f.PUSH_PROMISE, f.END_HEADERS, n, f.number(2) + hpack.plain(f.request()))],
             (502, "http_protocol_error")),
    "not compressed": ([lambda n: f.frame(f.HEADERS, f.END_HEADERS, n, b"\xff" * 20)], (502, "http_protocol_error")),
    "silence": ([], (504, "http_response_timeout")),
}


@pytest.mark.parametrize("lie", CAUSES)
def test_causes(tmp_path, lie):
    """Each ends as the same would over HTTP/1.1; and the server goes on to ask, over a connection that is sound."""
    parts, wanted = CAUSES[lie]
    script = [None if parts is None else frames(*parts), ok()]
    config = limits(upstream_answer_ms=700, upstream_failures_max=100)
    with Upstream(script) as up, Server(tmp_path, route(up.port) + config) as server:
        assert cause(ask(server, "POST", fields=b"Content-Length: 0\r\n")) == wanted
        assert ask(server).content == b"ok"


def test_what_speaks_another_protocol_is_garbled(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                peer.recv(1000)
        threading.Thread(target=serve, daemon=True).start()
        with Server(tmp_path, route(listener.getsockname()[1])) as server:
            assert cause(ask(server, "POST", fields=b"Content-Length: 0\r\n")) == (502, "http_protocol_error")


def test_refused_and_slow(tmp_path):
    held, port = upstream.refusing_port()
    deaf, slow = upstream.deaf_port()
    with Server(tmp_path, route(port)) as server:
        assert cause(ask(server)) == (502, "connection_refused")
    with Server(tmp_path, route(slow) + limits(upstream_connect_ms=300)) as server:
        wires = [server.connect() for _ in range(5)]
        for wire in wires:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
        for wire in wires:
            assert cause(wire.answer("GET"))[0] in (504, 503)
            wire.socket.close()
    held.close()
    for each in deaf:
        each.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("how", ["refused", "goaway"])
def test_what_was_not_acted_on_is_asked_again(tmp_path, how, method):
    """RFC 9113 8.7: whatever the method."""
    first = frames(lambda n: f.rst_stream(n, "REFUSED_STREAM")) if how == "refused" else frames(f.goaway(0))
    with Upstream([first, ok()]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server, method, fields=b"Content-Length: 0\r\n" if method == "POST" else b"").content == b"ok"
    assert len(up.requests) == 2
    assert up.connections == (1 if how == "refused" else 2)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_may_have_been_acted_on(tmp_path, method):
    """A connection that was used before ends: only what is idempotent is asked once more (RFC 9110 9.2.2)."""
    with Upstream([ok(), None, ok()]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server).content == b"ok"
        answer = ask(server, method, fields=b"Content-Length: 0\r\n" if method == "POST" else b"")
        assert answer.status == (200 if method == "GET" else 502)
    assert len(up.requests) == (3 if method == "GET" else 2)


def test_leaving_lets_others_finish(tmp_path):
    """GOAWAY with a last stream: that is answered, and the next request has a connection of its own."""
    def leave(peer, request):
        peer.send(f.goaway(request.stream))
        ok(big(200000))(peer, request)

    with Upstream([leave, ok()]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server).content == big(200000)
        assert ask(server).content == b"ok"
        assert up.connections == 2


@pytest.mark.parametrize("answer", [
    frames(lambda n: f.headers(n, [(b":status", b"200")], f.END_HEADERS) + f.data(n, b"abc") + f.rst_stream(n)),
    frames(lambda n: f.headers(n, [(b":status", b"200"), (b"content-length", b"9")], f.END_HEADERS)
           + f.data(n, b"abc", f.END_STREAM)),
    frames(lambda n: f.headers(n, [(b":status", b"200"), (b"content-length", b"4")], f.END_HEADERS)
           + f.data(n, b"abc") + f.data(n, b"defg", f.END_STREAM)),
], ids=["reset", "short", "long"])
def test_answer_that_is_cut_is_cut_for_the_client(tmp_path, answer):
    with Upstream([answer]) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
            got = b""
            while more := wire.socket.recv(65536):
                got += more
            assert not got.endswith(b"0\r\n\r\n") and b"HTTP/1.1 200 OK\r\n" in got
        with h2.H2(server.port) as client:
            stream = client.request("GET", "/a")
            client.until(lambda: client.streams[stream].over)
            assert client.streams[stream].reset


# ---- limits


def test_streams_of_the_other_side(tmp_path):
    """MAX_CONCURRENT_STREAMS is heeded: there are more connections, and then it is too much (503)."""
    release = threading.Event()

    def wait(peer, request):
        release.wait(10)
        ok()(peer, request)

    config = limits(upstream_shared_max=2)
    with Upstream([ok(), wait], settings=[(f.MAX_CONCURRENT_STREAMS, 1)]) as up:
        with Server(tmp_path, route(up.port) + config) as server:
            assert ask(server).content == b"ok"
            wires = [server.connect() for _ in range(2)]
            for i, wire in enumerate(wires):
                wire.send(b"GET /%d HTTP/1.1\r\n" % i + HOST + b"\r\n")
                until(lambda: len(up.requests) == 2 + i)  # pylint: disable=cell-var-from-loop
            refused = ask(server)
            assert cause(refused) == (503, "connection_limit_reached") and refused.field("retry-after") == "1"
            assert up.connections == 2
            release.set()
            for wire in wires:
                assert wire.answer("GET").content == b"ok"
                wire.socket.close()
            assert ask(server).content == b"ok"


def test_burst_waits_for_what_is_allowed(tmp_path):
    """Nobody is asked more than it takes, not even before it has said so: nothing has to be refused."""
    with Upstream([ok()], settings=[(f.MAX_CONCURRENT_STREAMS, 1)]) as up:
        with Server(tmp_path, route(up.port)) as server:
            wires = [server.connect() for _ in range(12)]
            for wire in wires:
                wire.send(b"POST /a HTTP/1.1\r\nContent-Length: 0\r\n" + HOST + b"\r\n")
            for wire in wires:
                assert wire.answer("POST").content == b"ok"
                wire.socket.close()
    assert len(up.requests) == 12 and up.connections <= 12


def test_client_that_leaves_cancels_its_stream_alone(tmp_path):
    with Upstream([ok(), silence, ok()]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server).content == b"ok"
        with h2.H2(server.port) as client:
            stream = client.request("GET", "/gone")
            until(lambda: len(up.requests) == 2)
            client.cancel(stream)
            client.ping()
            until(lambda: up.peers[0].resets)
        assert list(up.peers[0].resets.values()) == ["CANCEL"]
        assert ask(server).content == b"ok"
    assert up.connections == 1


def resident(server):
    with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as children:
        pid = int(children.read().split()[0])
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def test_slow_client_holds_up_nobody_else(tmp_path, figure):
    """40 clients take nothing of 20 MB each: memory is bounded by the windows, and others are served."""
    body = big(20 << 20)

    def answer(peer, request):
        ok(body if request.field(":path") == "/big" else b"ok")(peer, request)

    with Upstream([answer]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server).content == b"ok"
        before = resident(server)
        wires = []
        for _ in range(40):
            wire = server.connect()
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.send(b"GET /big HTTP/1.1\r\n" + HOST + b"\r\n")
            wires.append(wire)
        until(lambda: len(up.requests) == 41)
        for _ in range(20):
            assert ask(server).content == b"ok"
        more = resident(server) - before
        figure("more for each", more // 40960, "KiB")
        assert more < 40 * 300000
        for wire in wires:
            wire.socket.close()
        until(lambda: len(up.peers[0].resets) == 40)
    assert up.connections == 1


def test_slow_server_is_not_filled(tmp_path, figure):
    """It opens no window: what the client sends is not gathered here."""
    config = limits(upstream_stall_ms=4000)
    with Upstream([silence], replenishes=False) as up, Server(tmp_path, route(up.port) + config) as server:
        before = resident(server)
        with server.connect() as wire:
            wire.send(b"POST /a HTTP/1.1\r\nContent-Length: 100000000\r\n" + HOST + b"\r\n")
            wire.socket.settimeout(1)
            sent = 0
            with pytest.raises(TimeoutError):
                while True:
                    sent += wire.socket.send(bytes(1 << 20))
        figure("taken", sent // 1024, "KiB")
        figure("more", (resident(server) - before) // 1024, "KiB")
        assert resident(server) - before < 2 << 20
        assert len(up.peers[0].streams[1].content) == f.WINDOW


# ---- TLS


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_alpn_chooses(tmp_path, protocol):
    authority = tls.Authority(tmp_path)
    path = authority.issue("alpn", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{path}.pem", f"{path}.key")
    context.set_alpn_protocols([protocol])
    kind = Upstream([ok()], tls=context) if protocol == "h2" else upstream.Upstream(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], tls=context)
    config = route("%d", scheme="https", name="localhost", more=f'ca = "{authority.path}.pem"')
    with kind as up, Server(tmp_path, config % up.port) as server:
        for _ in range(3):
            assert ask(server).content == b"ok"
        via = ask(server).field("via")
    assert via.startswith("2.0 " if protocol == "h2" else "1.1 ")
    assert up.connections == 1
    if protocol == "h2":
        assert up.requests[0].field(":scheme") == "https"


# ---- and all that a proxy does besides


def test_probe_and_cache(tmp_path):
    script = [ok(fields=[(b"cache-control", b"max-age=60")])]
    config = route("%d", more='probe = "/health" cache = true') + limits(probe_interval_ms=50)
    with Upstream(script) as up, Server(tmp_path, config % up.port) as server:
        until(lambda: sum(r.field(":path") == "/health" for r in up.requests) >= 4)
        assert up.connections <= 4  # of each worker one
        assert ask(server, target="/kept").content == b"ok"
        assert ask(server, target="/kept").field("age") is not None
    assert sum(r.field(":path") == "/kept" for r in up.requests) == 1


def test_websocket_is_not_tunnelled(tmp_path):
    """There is no Upgrade (RFC 9113 8.6): it goes on as a request without it."""
    with Upstream([ok()]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server, fields=b"Connection: Upgrade\r\nUpgrade: websocket\r\n").content == b"ok"
    assert up.requests[0].field("upgrade") is None
