# SPDX-License-Identifier: Apache-2.0
"""R-34, R-36: who a connection was made for, and what came too early on it."""
import select
import shutil
import socket
import subprocess
import threading
import time

import pytest

from earnest_server import Wire
from h2 import H2
from scenario import Site
from tls import TlsWire, client, make_certificate

CHALLENGE = "/.well-known/acme-challenge/token"


def secure(tmp_path, root, more="", route="", name="a.example"):
    """A site over TLS with a writable folder, and how it is begun."""
    config = (f'state = "{tmp_path}/state"\n{more}\n'
              f'route "/" {{ files = "{root}" write = true }}\n{route}')
    return Site(tmp_path, config, make_certificate(tmp_path, name) + "\nearly_data = true")


# ---- early data (RFC 8470) ------------------------------------------------------------------------------

class OpenSsl:
    """openssl s_client, which can send early data. A session is good for it once it has its tickets."""

    def __init__(self, folder, port):
        if not shutil.which("openssl"):
            pytest.skip("openssl is not installed")
        self.folder, self.port = folder, port

    def run(self, sent, *more):
        process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "a.example", *more],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        process.stdin.write(sent)
        process.stdin.flush()
        time.sleep(0.5)
        return process.communicate(timeout=20)[0]

    def session(self):
        self.run(request("GET", "/a.txt"), "-sess_out", self.folder / "session")

    def early(self, data):
        (self.folder / "early").write_bytes(data)
        out = self.run(b"", "-sess_in", self.folder / "session", "-early_data", self.folder / "early")
        assert b"Early data was accepted" in out, out
        return int(out.split(b"HTTP/1.1 ")[1][:3]), out


def request(method, path, content=None):
    length = b"" if content is None else b"Content-Length: %d\r\n" % len(content)
    return b"%s %s HTTP/1.1\r\nHost: a.example\r\n%s\r\n%s" % (
        method.encode(), path.encode(), length, content or b"")


def test_r34_early_data(tmp_path, root):
    """Safe methods are served; others are too early, or wait for the handshake, as the route says."""
    route = (f'route "/wait/" {{ files = "{root}" write = true early_data = "wait" }}\n'
             f'route "/refuse/" {{ files = "{root}" early_data = "refuse" }}')
    with secure(tmp_path, root, route=route) as site:
        peer = OpenSsl(tmp_path, site.port)
        peer.session()
        assert peer.early(request("GET", "/a.txt"))[0] == 200
        status, out = peer.early(request("PUT", "/new.txt", b"early"))
        assert status == 425 and b'"rule":"too_early"' in out
        assert not (root / "new.txt").exists()
        assert peer.early(request("PUT", "/wait/new.txt", b"waited"))[0] == 201
        assert (root / "new.txt").read_bytes() == b"waited"
        assert peer.early(request("DELETE", "/wait/new.txt"))[0] == 204
        assert peer.early(request("GET", "/refuse/a.txt"))[0] == 425


class Tap(threading.Thread):
    """One connection passed on to a port, and what its client said."""

    def __init__(self, port):
        super().__init__()
        self.listener, self.said = socket.create_server(("127.0.0.1", 0)), b""
        self.server = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        client_side, _ = self.listener.accept()
        with self.listener, self.server, client_side:
            other = {client_side: self.server, self.server: client_side}
            while True:
                for ready in select.select(list(other), [], [], 20)[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    self.said += data if ready is client_side else b""
                    other[ready].sendall(data)


@pytest.mark.parametrize("reloads", [False, True])
def test_r34_what_is_sent_again_is_not_served(tmp_path, root, reloads):
    """By whoever heard it, and whichever process reads it (RFC 8446 8.2)."""
    with secure(tmp_path, root) as site:
        OpenSsl(tmp_path, site.port).session()
        tap = Tap(site.port)
        assert OpenSsl(tmp_path, tap.port).early(request("GET", "/index.html"))[0] == 200
        tap.join()
        for _ in range(3):
            if reloads:
                site.reload()
            with Wire(site.port) as wire:
                wire.send(tap.said)
                wire.end()
                while wire.more():
                    pass
                assert len(wire.buffer) < 2000, "more than a handshake"
    log = site.log_path.read_text(encoding="utf-8")
    assert log.count("GET /index.html") == 1, log


def test_r34_no_early_data_unless_it_is_wanted(tmp_path, root):
    config = f'route "/" {{ files = "{root}" }}'
    with Site(tmp_path, config, make_certificate(tmp_path)) as site:
        peer = OpenSsl(tmp_path, site.port)
        peer.session()
        (tmp_path / "early").write_bytes(request("GET", "/a.txt"))
        out = peer.run(b"", "-sess_in", tmp_path / "session", "-early_data", tmp_path / "early")
        assert b"Early data was accepted" not in out
        assert b"HTTP/1.1 200" not in out


# ---- another host (RFC 9110 7.4) ------------------------------------------------------------------------

def status_of(port, host, context=None):
    with TlsWire(port, context=context) as wire:  # the name in the handshake is a.example
        wire.send(f"GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return wire.answer("GET").status


def test_r36_another_host_over_tls(tmp_path, root):
    with secure(tmp_path, root) as site:
        assert status_of(site.port, "a.example") == 200
        assert status_of(site.port, f"A.example:{site.port}") == 200
        assert status_of(site.port, "b.example") == 421
        assert status_of(site.port, "127.0.0.1") == 421


def test_r36_connections_that_serve_several_hosts(tmp_path, root):
    """HTTP/2 may use a connection for every host that its certificate names (RFC 9113 9.1.1)."""
    with secure(tmp_path, root, name="*.example") as site, H2(site.port, tls=client("h2")) as h2:
        for host, status in (("a.example", 200), ("b.example", 200), ("c.test", 421)):
            stream = h2.request("GET", "/a.txt", authority=host)
            assert h2.answer(stream).status == status, host
        assert status_of(site.port, "b.example") == 421  # HTTP/1.1 has no such rule


# ---- from http to https ---------------------------------------------------------------------------------

@pytest.mark.parametrize("hsts", [False, True])
def test_sent_on_to_https(tmp_path, root, hsts):
    """301 where the method may change, else 307, or 308 once clients are told that no http is left."""
    (root / CHALLENGE[1:]).parent.mkdir(parents=True)
    (root / CHALLENGE[1:]).write_text("proof")
    more = 'hsts = "180d"' if hsts else ""
    with Site(tmp_path, f'{more}\nroute "/" {{ files = "{root}" }}', "https = true") as site:
        text = site.config_path.read_text(encoding="utf-8")
        other = f'listen "127.0.0.1:0" {{ {make_certificate(tmp_path)} }}\n'
        site.config_path.write_text(other + text, encoding="utf-8")
        assert "earnest: reloaded" in site.reload()
        for method, status in (("GET", 301), ("HEAD", 301), ("POST", 308 if hsts else 307),
                               ("DELETE", 308 if hsts else 307)):
            with site.connect() as wire:
                wire.send(f"{method} /a%20b/c?d=e HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())
                answer = wire.answer(method)
                assert answer.status == status
                assert answer.field("location").startswith("https://a.example")
                assert answer.field("location").endswith("/a%20b/c?d=e")
                assert answer.field("strict-transport-security") is None
        assert site.status(CHALLENGE.encode()) == 200
        with site.connect() as wire:
            wire.send(b"GET / HTTP/1.0\r\n\r\n")  # for no host, so to no host
            answer = wire.answer("GET")
            assert (answer.status, answer.field("upgrade")) == (426, "TLS/1.3")


def test_hsts_is_said_over_tls_alone(tmp_path, root):
    with secure(tmp_path, root, more='hsts = "1h"') as site:
        with TlsWire(site.port) as wire:
            for path in ("/a.txt", "/none"):
                wire.send(f"GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())
                assert wire.answer("GET").field("strict-transport-security") == "max-age=3600"
    with Site(tmp_path, f'hsts = "1h"\nroute "/" {{ files = "{root}" }}') as site, site.connect() as wire:
        wire.send(b"GET /a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert wire.answer("GET").field("strict-transport-security") is None
