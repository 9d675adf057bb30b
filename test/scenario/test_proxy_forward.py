# SPDX-License-Identifier: Apache-2.0
"""A proxy (RFC 9110 3.7): clients ask others through us, who they may, whom they may, and for how long."""
import base64
import threading
import time

import pytest

import h2
import tls
from earnest_server import Server
from upstream import Upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HERE = 'networks = { "127.0.0.1" }'
# The password is "secret".
USER = 'user "ann" { password = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW" }'


def proxy(tmp_path, options="", top="", listen=""):
    return Server(tmp_path, top, f"{options}\n{listen}", kind="forward")


def ports(*numbers):
    return "ports = { " + ", ".join(f'"{n}"' for n in numbers) + " }"


def ask(server, target, method="GET", fields=b"", content=b"", host=b"a.example"):
    with server.connect() as wire:
        wire.send(f"{method} {target} HTTP/1.1\r\n".encode() + b"Host: " + host + b"\r\n" + fields + b"\r\n" + content)
        return wire.answer(method)


class Echo(Upstream):
    """Not HTTP: each byte comes back in upper case."""

    def turn(self, peer):
        while peer.buffer or peer.more():
            data, peer.buffer = peer.buffer, b""
            peer.socket.sendall(data.upper())
        return False


def test_absolute_form(tmp_path):
    with Upstream([OK]) as up:
        with proxy(tmp_path, f"{HERE}\n{ports(up.port)}", 'pseudonym = "us"') as server:
            answer = ask(server, f"http://127.0.0.1:{up.port}/a/../b?c", fields=b"Forwarded: for=x\r\nProxy-Authorization: Basic eA==\r\n")
            assert answer.content == b"ok" and answer.field("via") == "1.1 us"
            assert ask(server, f"http://127.0.0.1:{up.port}").content == b"ok"
            answer = ask(server, "/a")
            assert answer.status == 421
    first, second = up.requests
    assert first.target == "/a/../b?c" and second.target == "/"
    assert first.field("host") == f"127.0.0.1:{up.port}"
    assert first.field("forwarded") == "for=x" and first.field("x-forwarded-for") is None
    assert first.field("proxy-authorization") is None
    assert first.all("via") == ["1.1 us"]


def test_sites_beside_it(tmp_path, root):
    with proxy(tmp_path, "", f'route "/" {{ files = "{root}" }}') as server:
        assert ask(server, "/a.txt").content == b"a\n"


@pytest.mark.parametrize("secure", [False, True])
def test_connect(tmp_path, secure):
    listen = tls.make_certificate(tmp_path) if secure else ""
    with Echo([None]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}", listen=listen) as server:
        wire = tls.TlsWire(server.port, name=None) if secure else server.connect()
        with wire:
            wire.send(f"CONNECT 127.0.0.1:{up.port} HTTP/1.1\r\nHost: 127.0.0.1:{up.port}\r\n\r\nearly".encode())
            head = wire.head()
            assert head.status == 200
            assert head.field("content-length") is None and head.field("transfer-encoding") is None
            assert head.field("connection") is None
            assert wire.bytes(5) == b"EARLY"
            for _ in range(3):
                data = bytes(range(97, 123)) * (100 if secure else 10000)
                sender = threading.Thread(target=wire.send, args=(data,), daemon=True)
                sender.start()
                if secure:  # which is for one thread at a time
                    sender.join()
                assert wire.bytes(len(data)) == data.upper()
    assert server.rules() == ["ok"]


def test_connect_over_h2(tmp_path):
    with Echo([None]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}") as server:
        with h2.H2(server.port) as client:
            numbers = [client.request("CONNECT", "", authority=f"127.0.0.1:{up.port}", end=False) for _ in range(3)]
            for number in numbers:
                stream = client.streams[number]
                client.until(lambda s=stream: s.answer or s.over)
                assert stream.answer.status == 200
                client.send_content(number, b"abc" * 20000, end=False)
                client.until(lambda s=stream: len(b"".join(s.content)) >= 60000 or s.over)
                assert b"".join(stream.content) == b"ABC" * 20000
                client.send_content(number, b"", end=True)
                client.until(lambda s=stream: s.over)
                assert stream.ended


def test_http_over_h2(tmp_path):
    with Upstream([OK]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}") as server:
        with h2.H2(server.port) as client:
            answer = client.answer(client.request("GET", "/x", authority=f"127.0.0.1:{up.port}"))
            assert answer.content == b"ok"
            assert client.answer(client.request("GET", "/x")).status == 403


def test_connect_has_no_content(tmp_path):
    with Echo([None]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}") as server:
        target = f"127.0.0.1:{up.port}"
        for framing in (b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"):
            assert ask(server, target, "CONNECT", framing, host=target.encode()).status == 400
        assert up.connections == 0


def test_407(tmp_path):
    good, bad = (base64.b64encode(pair) for pair in (b"ann:secret", b"ann:wrong"))
    auth = 'auth = "basic"\nrealm = "way out"'
    with Upstream([OK]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}\n{auth}", USER) as server:
        target = f"http://127.0.0.1:{up.port}/"
        for fields in (b"", b"Proxy-Authorization: Basic " + bad + b"\r\n", b"Authorization: Basic " + good + b"\r\n"):
            answer = ask(server, target, fields=fields)
            assert answer.status == 407
            assert answer.field("proxy-authenticate") == 'Basic realm="way out", charset="UTF-8"'
            assert answer.field("www-authenticate") is None
        assert ask(server, f"127.0.0.1:{up.port}", "CONNECT", host=f"127.0.0.1:{up.port}".encode()).status == 407
        assert not up.requests
        answer = ask(server, target, fields=b"Proxy-Authorization: Basic " + good + b"\r\nAuthorization: Basic eA==\r\n")
        assert answer.status == 200
        with h2.H2(server.port) as client:
            number = client.request("CONNECT", "", authority=f"127.0.0.1:{up.port}", end=False)
            client.until(lambda: client.streams[number].answer)
            assert client.streams[number].answer.status == 407
    assert up.requests[0].field("authorization") == "Basic eA=="
    assert up.requests[0].field("proxy-authorization") is None
    assert " ann [" in server.log_path.read_text()


def test_what_decides_before_and_after_407(tmp_path):
    auth, limit = 'auth = "basic"', 'limit { requests = 2 per = "1h" }\n'
    good = b"Proxy-Authorization: Basic " + base64.b64encode(b"ann:secret") + b"\r\n"
    with proxy(tmp_path, f"{ports(1)}\n{auth}", limit + USER) as server:
        target = "http://127.0.0.1:2/"
        assert ask(server, target, "TRACE").status == 407  # before 403 and 405
        assert ask(server, target, fields=good).status == 403
        assert ask(server, target).status == 429  # who asks too often is not asked who they are


PRIVATE = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "[::1]", "[::]",
           "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.0.0.1", "192.168.1.1", "172.16.9.9",
           "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fc00::1]", "224.0.0.1", "255.255.255.255"]


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_not_reached(tmp_path, host):
    with Upstream([OK]) as up, proxy(tmp_path, ports(up.port)) as server:
        answer = ask(server, f"http://{host}:{up.port}/")
        if host in ("127.1", "2130706433", "0x7f000001") and answer.status == 502:
            assert answer.problem()["rule"] == "upstream_unresolved"
        else:
            assert answer.status == 403 and answer.field("proxy-status").endswith("error=destination_ip_prohibited")
        assert ask(server, f"{host}:{up.port}", "CONNECT", host=f"{host}:{up.port}".encode()).status == answer.status
        assert up.connections == 0


def test_hosts_and_ports(tmp_path):
    hosts = 'hosts = { "localhost", ".ok.example" }'
    with Upstream([OK]) as up, proxy(tmp_path, f"networks = {{ \"127.0.0.1\", \"::1\" }}\n{ports(up.port, 1)}\n{hosts}") as server:
        assert ask(server, f"http://localhost:{up.port}/").status == 200
        for target in (f"http://127.0.0.1:{up.port}/", "http://localhost:2/", "http://localhost/",
                       f"http://ok.example:{up.port}/", f"http://xok.example:{up.port}/", f"https://localhost:{up.port}/"):
            answer = ask(server, target)
            assert answer.status == 403 and answer.problem()["rule"] == "forbidden"
        assert ask(server, f"http://a.ok.example:{up.port}/").status == 502
        assert ask(server, "localhost:1", "CONNECT", host=b"localhost:1").status == 502


def test_limits_of_tunnels(tmp_path):
    for rows, least, most in (("tunnel_idle_ms = 300", 0.2, 2), ("tunnel_seconds_max = 1", 0.9, 4)):
        folder = tmp_path / rows.split()[0]
        folder.mkdir()
        with Echo([None]) as up, proxy(folder, f"{HERE}\n{ports(up.port)}", "limits { " + rows + " }") as server:
            with server.connect() as wire:
                wire.send(f"CONNECT 127.0.0.1:{up.port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                assert wire.head().status == 200
                begun = time.monotonic()
                ended = False
                while not ended and time.monotonic() - begun < 6:
                    if "seconds" in rows:
                        wire.send(b"x")
                    try:
                        wire.socket.settimeout(0.1)
                        ended = not wire.more()
                    except TimeoutError:
                        pass
                    except ConnectionResetError:
                        ended = True
                assert least < time.monotonic() - begun < most


def test_ends_of_tunnels(tmp_path):
    """Whoever ends first: what it said goes to the other before that is ended (RFC 9110 9.3.6)."""
    class Speaker(Upstream):
        def turn(self, peer):
            peer.socket.sendall(b"last words" * 1000)
            return False

    class Hearer(Upstream):
        def turn(self, peer):
            while peer.more():
                pass
            self.requests.append(peer.buffer)
            peer.socket.sendall(b"heard")
            return False

    with Speaker([None]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}") as server, server.connect() as wire:
        wire.send(f"CONNECT 127.0.0.1:{up.port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert wire.head().status == 200
        assert wire.bytes(10000) == b"last words" * 1000
        wire.expect_end()
    with Hearer([None]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}") as server, server.connect() as wire:
        wire.send(f"CONNECT 127.0.0.1:{up.port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert wire.head().status == 200
        wire.send(b"z" * 300000)
        wire.end()
        assert wire.bytes(5) == b"heard"
        wire.expect_end()
        assert up.requests == [b"z" * 300000]


def test_many_tunnels(tmp_path, figure):
    """Idle ones hold little."""
    count = 200
    with Echo([None]) as up, proxy(tmp_path, f"{HERE}\n{ports(up.port)}", "limits { upstream_requests_max = 1000 }") as server:
        with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as children:
            pid = int(children.read().split()[0])

        def resident():
            with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
                return int(statm.read().split()[1]) * 4

        wires = [server.connect() for _ in range(count)]
        before = resident()
        for wire in wires:
            wire.send(f"CONNECT 127.0.0.1:{up.port} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert wire.head().status == 200
            wire.send(b"x")
            assert wire.bytes(1) == b"X"
        figure("a tunnel", (resident() - before) / count, "KiB")
        for wire in wires:
            wire.send(b"y")
            assert wire.bytes(1) == b"Y"
            wire.__exit__()
