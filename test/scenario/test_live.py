# SPDX-License-Identifier: Apache-2.0
"""The stream of decisions, /.earnest/live, over each carrier of WebSocket: what is told, to whom, and
what a client that does its worst can cost."""
import contextlib
import json
import re
import shutil
import socket
import subprocess
import time

import pytest

import tls
from earnest_server import Wire
from h2 import H2, Tunnel
from scenario import SANITIZED, Site, files_route, get, wait_until
from ws import (BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, Deflate, WebSocket, frame)

PATH = "/.earnest/live"
PMD = "permessage-deflate; client_max_window_bits"
WAYS = ["h1", "tls", "h2c", "h2"]


class Live(Site):
    """A site with two ports, one of them for TLS."""

    def __init__(self, folder, root, more="", workers=1):
        super().__init__(folder, files_route(root) + "\n" + more)
        self.tls_port = self.port + 1
        listen = f'listen "127.0.0.1:{self.tls_port}" {{ {tls.make_certificate(folder)} }}\n'
        text = self.config_path.read_text(encoding="utf-8").replace("workers = 1", f"workers = {workers}")
        self.config_path.write_text(text + listen, encoding="utf-8")

    @contextlib.contextmanager
    def listen(self, way="h1", query="", extensions=None, **fields):
        """A WebSocket to the stream."""
        target = PATH + query
        if way in ("h1", "tls"):
            with Wire(self.port) if way == "h1" else tls.TlsWire(self.tls_port, name=None) as wire:
                yield WebSocket.open(wire, target, extensions=extensions, **fields)
            return
        h2 = H2(self.port) if way == "h2c" else H2(self.tls_port, tls=tls.client("h2"), name=None)
        with h2:
            lines = [("sec-websocket-version", "13")]
            lines += [("sec-websocket-extensions", extensions)] if extensions else []
            tunnel = Tunnel.open(h2, target, lines)
            assert tunnel.answer.status == 200, f"no tunnel: {tunnel.answer}"
            agreed = tunnel.answer.field("sec-websocket-extensions")
            yield WebSocket(tunnel, Deflate(agreed, extensions) if agreed else None)


@pytest.fixture(name="site")
def running_site(tmp_path, root):
    with Live(tmp_path, root) as site:
        yield site


def told(client):
    """The next message: what the JSON says."""
    kind, text = client.event()
    assert kind == "text", f"{kind}: {text}"
    return json.loads(text)


# What is told.


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("extensions", [None, PMD], ids=["plain", "deflate"])
def test_a_decision_is_told(site, way, extensions):
    with site.listen(way, extensions=extensions) as client:
        for path, status, rule, source in [(b"/a.txt", 200, "ok", "RFC 9110 15.3.1"),
                                           (b"/none", 404, "missing", "RFC 9110 15.5.5")]:
            assert site.status(path) == status
            said = told(client)
            assert re.fullmatch("[0-9a-f]{1,16}", said.pop("id"))
            assert abs(time.mktime(time.strptime(said.pop("time"), "%Y-%m-%dT%H:%M:%SZ"))
                       - time.mktime(time.gmtime())) <= 3
            assert 0 <= said.pop("ms") < 5000
            assert said == {"client": "127.0.0.1", "method": "GET", "authority": "a.example",
                            "target": path.decode(), "status": status, "rule": rule, "source": source}
        client.end()


def test_what_a_stranger_wrote_is_escaped_and_bounded_and_queries_are_left_out(site):
    with site.listen() as client:
        with site.connect() as wire:
            wire.send(b'GET /%s"\\?token=secret HTTP/1.1\r\nHost: a.example\r\n\r\n' % (b"x" * 2000))
            wire.answer("GET")
        kind, text = client.event()
        assert kind == "text" and "secret" not in text
        assert json.loads(text)["target"] == "/" + "x" * 511
        with site.connect() as wire:
            wire.send(b'GET /a"\\?token=secret HTTP/1.1\r\nHost: a.example\r\n\r\n')
            wire.answer("GET")
        said = told(client)
        assert said["status"] == 400 and said["target"] == '/a"\\'
        client.end()


def test_an_answer_that_is_cut_says_so(site, root):
    (root / "big").write_bytes(bytes(1 << 24))
    with site.listen() as client:
        with site.connect() as wire:
            wire.send(get(b"/big"))
            wire.bytes(1000)
        said = told(client)
        assert said["aborted"] is True and said["status"] == 200
        client.end()


def test_the_decisions_of_all_workers_are_told_to_clients_of_all(tmp_path, root):
    with Live(tmp_path, root, workers=2) as site, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(site.listen(query="?status=404")) for _ in range(8)]
        for i in range(40): # the kernel chooses the worker of each connection
            assert site.status(b"/none/%d" % i) == 404
        for client in clients:
            targets = {told(client)["target"] for _ in range(40)}
            assert targets == {f"/none/{i}" for i in range(40)}
            client.end()


# Which of it.


@pytest.mark.parametrize("query,heard", [
    ("", ["/a.txt", "/b/1", "/b/a.txt"]),
    ("?path=/b/", ["/b/1", "/b/a.txt"]),
    ("?path=%2Fb%2F&status=200", ["/b/a.txt"]),
    ("?status=4xx", ["/b/1"]),
    ("?status=4xx,200", ["/a.txt", "/b/1", "/b/a.txt"]),
])
def test_a_filter_in_the_query(site, root, query, heard):
    (root / "b").mkdir()
    (root / "b/a.txt").write_bytes(b"b")
    with site.listen(query=query) as client:
        for path in (b"/a.txt", b"/b/1", b"/b/a.txt"):
            site.status(path)
        assert [told(client)["target"] for _ in heard] == heard
        client.ping(b"no more")
        assert client.event() == ("pong", b"no more")


@pytest.mark.parametrize("way", WAYS)
def test_a_filter_is_changed_by_a_message(site, way):
    with site.listen(way, "?status=5xx") as client:
        site.status(b"/none")
        client.text('{"path": "/x y", "status": "4xx,201"}', fragments=3)
        assert told(client) == {"filter": {"path": "/x y", "status": "201,4xx"}}
        site.status(b"/a.txt")
        site.status(b"/x%20y")
        assert told(client)["target"] == "/x%20y"
        client.text("{}")
        assert told(client) == {"filter": {"path": "/", "status": "1xx,2xx,3xx,4xx,5xx"}}
        site.status(b"/a.txt")
        assert told(client)["target"] == "/a.txt"
        client.end()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": 1}', '{"path": "x"}', '{"path": "/%s"}' % ("x" * 256),
                                  '{"status": "6xx"}', '{"status": ["4xx"]}', '{"since": 1}',
                                  '{"path": "/", "path": "/"}', "[" * 60000])
def test_what_is_no_filter_is_told_and_changes_nothing(site, text):
    with site.listen(query="?status=404") as client:
        client.text(text)
        assert list(told(client)) == ["error"]
        site.status(b"/a.txt")
        site.status(b"/none")
        assert told(client)["status"] == 404
        client.end()


# Who takes nothing.


@pytest.mark.parametrize("way", ["h1", "h2c"])
def test_a_client_that_reads_nothing_loses_messages_and_no_memory(tmp_path, root, way):
    target = b"/" + b"x" * 400
    with Live(tmp_path, root, "limits { ws_unsent_bytes_max = 32768 log_queue_bytes = 65536 }") as site:
        with site.listen(way) as client, site.connect() as other:
            sock = client.wire.socket if way == "h1" else client.wire.h2.socket
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)

            def ask(n):
                for _ in range(n // 50):
                    other.send(get(target) * 50)
                    for _ in range(50):
                        assert other.answer("GET").status == 404

            ask(12000) # more than the kernel holds for it
            before = site.memory("Rss")
            ask(6000)
            assert SANITIZED or site.memory("Rss") - before < 1 << 20
            client.ping(b"that was all")
            heard = dropped = 0
            while (event := client.event()) != ("pong", b"that was all"):
                said = json.loads(event[1])
                dropped += said.get("dropped", 0)
                heard += "target" in said
            assert site.status(b"/a.txt") == 200
            while (said := told(client)).get("target") != "/a.txt":
                dropped += said.get("dropped", 0)
                heard += "target" in said
            assert dropped > 0
            assert heard + dropped == 18000
            client.end()


# What a client may not do, and what it has to.


def masked(first, payload=b"", **how):
    return frame(first, payload, b"mask", **how)


WRONG = [
    (frame(FIN | TEXT, b"{}"), 1002), # not masked
    (masked(FIN | RSV1 | TEXT, b"a"), 1002), (masked(FIN | 5), 1002), (masked(PING), 1002),
    (masked(FIN | PONG, bytes(126)), 1002), (masked(FIN | CONTINUATION), 1002),
    (masked(TEXT) + masked(FIN | TEXT), 1002), (masked(FIN | CLOSE, b"\3"), 1002),
    (masked(FIN | BINARY, b"{}"), 1003),
    (masked(FIN | TEXT, b"\xff"), 1007), (masked(TEXT, b"\xed\xa0", length=1000), 1007),
    (masked(FIN | CLOSE, b"\3\xe8\xff"), 1007),
    (masked(FIN | TEXT, b"", form=9, length=65537), 1009),
    (masked(TEXT, b"a" * 40000) + masked(CONTINUATION, b"a" * 30000), 1009),
]


@pytest.mark.parametrize("way", ["h1", "h2"])
@pytest.mark.parametrize("data,code", WRONG, ids=lambda value: value[:6].hex() if isinstance(value, bytes)
                         else str(value))
def test_what_is_wrong_ends_the_connection(site, way, data, code):
    with site.listen(way) as client:
        client.wire.send(data)
        client.expect_failure(code)


def test_what_is_wrong_when_it_is_inflated(site):
    for payload, code in [(b"\x06\x00", 1007), (b"\xed\xa0\x80", 1007), (bytes(1 << 22), 1009)]:
        with site.listen(extensions=PMD) as client:
            if payload == b"\x06\x00":
                client.send(FIN | RSV1 | TEXT, payload)
            else:
                client.message(TEXT, payload, compress=True)
            client.expect_failure(code)
    with site.listen(extensions=PMD) as client:
        client.text('{"status": "404"}', compress=True, fragments=4)
        assert told(client)["filter"]["status"] == "404"
        client.end()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", [None, 1000, 1001, 3999])
def test_a_close_frame_is_answered_with_its_code(site, way, code):
    with site.listen(way) as client:
        client.ping(b"before")
        assert client.event() == ("pong", b"before")
        client.end(code)


@pytest.mark.parametrize("way", ["h1", "h2c"])
def test_frames_that_come_with_the_handshake_or_byte_by_byte(site, way):
    with site.listen(way) as client:
        for byte in masked(FIN | TEXT, b'{"status":"404"}') + masked(FIN | PING, b"p"):
            client.wire.send(bytes([byte]))
        assert told(client)["filter"]["status"] == "404"
        assert client.event() == ("pong", b"p")
        client.end()
    if way == "h1":
        with site.connect() as wire:
            wire.send(b"GET /.earnest/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                      b"Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                      b"Sec-WebSocket-Version: 13\r\n\r\n" + masked(FIN | PING, b"early"))
            assert wire.answer("GET").status == 101
            assert WebSocket(wire).event() == ("pong", b"early")


@pytest.mark.parametrize("way", WAYS)
def test_a_silent_client_is_asked_and_then_left(tmp_path, root, way):
    with Live(tmp_path, root, "limits { ws_ping_ms = 300 }") as site:
        with site.listen(way) as client:
            for _ in range(3): # who answers may stay
                assert client.event() == ("ping", b"")
                client.pong()
            start = time.monotonic()
            assert client.event() == ("ping", b"")
            client.expect_failure(1001)
            assert 0.3 <= time.monotonic() - start < 3


@pytest.mark.parametrize("way", WAYS)
def test_who_does_not_close_is_left(tmp_path, root, way):
    """The server closes, and the client never does: it has linger_ms."""
    with Live(tmp_path, root, "limits { linger_ms = 300 live_clients_max = 1 }") as site:
        with site.listen("h1"), site.listen(way) as client:
            start = time.monotonic()
            client.expect_failure(1013) # too many listen
            assert 0.2 < time.monotonic() - start < 3
        with site.listen(way) as client:
            site.status(b"/a.txt")
            while told(client)["target"] != "/a.txt":
                pass
            client.end()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["stop", "reload"])
def test_the_end_of_the_server_is_told(tmp_path, root, way, how):
    with Live(tmp_path, root) as site:
        with site.listen(way) as client:
            if how == "stop":
                site.process.terminate()
            else:
                site.reload()
            assert client.event() == ("close", 1001, "")
            client.close(1001)
            if way in ("h1", "tls"):
                client.wire.expect_end()
            else:
                assert not client.wire.more() and client.wire.stream.ended
        if how == "stop":
            assert site.process.wait(5) == 0
        else:
            wait_until(lambda: len(site.children()) == 1, seconds=5)


@pytest.mark.parametrize("way", ["h1", "h2c"])
@pytest.mark.parametrize("attack", [masked(FIN | PING, b"p" * 125), masked(FIN | PONG), masked(FIN | PING),
                                    masked(FIN | TEXT, b"{}")],
                         ids=["pings", "pongs", "empty pings", "messages"])
def test_a_flood_is_bounded(tmp_path, root, way, attack):
    with Live(tmp_path, root, "limits { ws_received_bytes_max = 262144 }") as site:
        with site.listen(way) as client:
            before = site.memory("Rss")
            client.wire.send(attack * (262144 // len(attack)))
            assert SANITIZED or site.memory("Rss") - before < 2 << 20
            assert site.status(b"/a.txt") == 200
            client.wire.send(attack * 20)
            while (event := client.event())[0] != "close":
                pass
            assert event[1] == 1008


def test_fragments_without_an_end_are_bounded(site):
    with site.listen() as client:
        client.wire.send(masked(TEXT) + masked(CONTINUATION) * 50000)
        client.expect_failure(1008)


def test_a_client_that_goes_away_without_a_word_leaves_nothing(site):
    before = site.descriptors()
    for way in WAYS * 5:
        with site.listen(way, extensions=PMD):
            site.status(b"/none")
    wait_until(lambda: site.descriptors() == before)
    assert site.status(b"/a.txt") == 200


def test_frames_that_come_with_an_extended_connect(site):
    with H2(site.port) as h2:
        sent = []
        h2.send = sent.append
        number = Tunnel.ask(h2, PATH, [("sec-websocket-version", "13")])
        h2.send_content(number, masked(FIN | PING, b"early"), end=False)
        del h2.send
        h2.send(b"".join(sent))
        assert WebSocket(Tunnel(h2, number)).event() == ("pong", b"early")
        closed = Tunnel.ask(h2, PATH, [("sec-websocket-version", "13")], end=True)
        assert h2.answer(closed).status == 200 # and its end: nothing can be said to it
        assert h2.answer(closed).content == b""


def test_many_tunnels_in_one_connection(site):
    with H2(site.port) as h2:
        lines = [("sec-websocket-version", "13")]
        clients = [WebSocket(Tunnel.open(h2, PATH + "?status=404", lines)) for _ in range(20)]
        number = h2.request("GET", "/none")
        assert h2.answer(number).status == 404
        for client in clients:
            assert told(client)["target"] == "/none"
        for client in clients[::2]:
            client.end()
        assert h2.answer(h2.request("GET", "/none")).status == 404
        for client in clients[1::2]:
            assert told(client)["target"] == "/none"
        h2.end()


# A client of another make.

NODE = """
const seen = [], socket = new WebSocket(process.argv[1] + "?status=4xx");
socket.onopen = () => fetch(process.argv[2] + "/none").then(answer => answer.text());
socket.onmessage = event => { seen.push(JSON.parse(event.data)); socket.close(1000, "enough"); };
socket.onclose = event => console.log(JSON.stringify({code: event.code, clean: event.wasClean, seen}));
"""


def test_node_listens(site):
    node = shutil.which("node")
    flag = "--experimental-websocket"
    if not node or subprocess.run([node, flag, "-e", "WebSocket"], capture_output=True, check=False).returncode:
        pytest.skip("there is no node with WebSocket")
    done = subprocess.run([node, flag, "-e", NODE, f"ws://localhost:{site.port}{PATH}",
                           f"http://127.0.0.1:{site.port}"], capture_output=True, check=True, timeout=20)
    said = json.loads(done.stdout)
    assert said["code"] == 1000 and said["clean"]
    assert [row["target"] for row in said["seen"]] == ["/none"]
