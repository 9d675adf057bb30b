# SPDX-License-Identifier: Apache-2.0
"""Servers behind us that speak TLS: who has no certificate for his name, by somebody trusted, is not asked."""
import ssl
import threading
import time

import pytest

import tls
from earnest_server import Server
from upstream import Upstream, speaks

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HOST = b"Host: a.example\r\n"


@pytest.fixture(name="authority", scope="module")
def authority_fixture(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


def context(path, **changes):
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(f"{path}.pem", f"{path}.key")
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def route(*ports, authority=None, host="localhost"):
    servers = ", ".join(f'"https://{host}:{port}"' for port in ports)
    more = f'ca = "{authority.path}.pem"' if authority else ""
    return f'route "/" {{ proxy = {{ {servers} }} {more} }}'


def ask(server, method="GET", content=b"", fields=b""):
    with server.connect() as wire:
        wire.send(f"{method} /a HTTP/1.1\r\n".encode() + HOST + fields + b"\r\n" + content)
        return wire.answer(method)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_connections_are_kept(tmp_path, authority, version):
    cert = authority.issue(f"kept-{version.value}", "localhost")
    secure = context(cert, minimum_version=version, maximum_version=version)
    names = []
    secure.sni_callback = lambda _socket, name, _context: names.append(name)
    with Upstream([OK], tls=secure) as up:
        with Server(tmp_path, route(up.port, authority=authority)) as server:
            assert [ask(server).content for _ in range(5)] == [b"ok"] * 5
    assert up.connections == 1 and names == ["localhost"]
    assert up.requests[0].field("host") == "a.example"


@pytest.mark.parametrize("case, error", [
    ("name", "tls_certificate_error"), ("authority", "tls_certificate_error"), ("system", "tls_certificate_error"),
    ("address", "tls_certificate_error"), ("plain", "tls_protocol_error"), ("old", "tls_protocol_error"),
    ("past", "tls_certificate_error")])
def test_who_is_not_trusted_is_not_asked(tmp_path, authority, case, error):
    hosts = "other.example" if case == "name" else "localhost"
    cert = authority.issue(f"bad-{case}", hosts)
    secure = context(cert)
    if case == "past":
        tls.openssl("x509", "-req", "-in", f"{cert}.csr", "-CA", f"{authority.path}.pem", "-CAkey",
                    f"{authority.path}.key", "-days", "0", "-set_serial", "99", "-extfile",
                    cert.with_suffix(".ext"), "-out", f"{cert}.pem")
        time.sleep(1.1)
        secure = context(cert)
    if case == "old":
        secure.minimum_version = ssl.TLSVersion.TLSv1
        secure.maximum_version = ssl.TLSVersion.TLSv1_1
        secure.set_ciphers("ALL:@SECLEVEL=0")
    trusted = tls.Authority(tmp_path, "other") if case == "authority" else None if case == "system" else authority
    host = "127.0.0.1" if case == "address" else "localhost"
    with Upstream([OK], tls=None if case == "plain" else secure) as up:
        with Server(tmp_path, route(up.port, authority=trusted, host=host)) as server:
            answer = ask(server)
        assert answer.status == 502
        assert answer.field("proxy-status").endswith(f"error={error}"), answer
        assert not up.requests
        up.errors.clear()
    assert server.rules() == ["unreachable"]


def test_content_both_ways(tmp_path, authority):
    secure = context(authority.issue("content", "localhost"))
    data = bytes(range(256)) * 32768  # 8 MiB

    def echo(request):
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request.content) + request.content

    with Upstream([echo], tls=secure) as up:
        with Server(tmp_path, route(up.port, authority=authority)) as server, server.connect() as wire:
            for _ in range(2):
                wire.send(b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(data))
                threading.Thread(target=wire.send, args=(data,), daemon=True).start()
                assert wire.answer("POST").content == data
    assert up.connections == 1


def test_slow_reader_is_waited_for(tmp_path, authority):
    """What upstream does not take yet is sent later, and only once."""
    secure = context(authority.issue("slow", "localhost"))
    size, took = 16 << 20, []

    @speaks
    def slow(_request, peer):
        time.sleep(0.7)
        took.append(peer.bytes(size))
        peer.socket.sendall(OK)
        return True

    with Upstream([slow], tls=secure) as up:
        with Server(tmp_path, route(up.port, authority=authority)) as server, server.connect() as wire:
            data = bytes(i * 7 & 255 for i in range(1 << 16)) * (size >> 16)
            wire.send(b"PUT /a HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size)
            threading.Thread(target=wire.send, args=(data,), daemon=True).start()
            assert wire.answer("PUT").status == 200
    assert took[0] == data


@pytest.mark.parametrize("goodbye", [True, False])
def test_end_that_is_not_announced_is_a_cut(tmp_path, authority, goodbye):
    """Content that ends with the connection: somebody else may have ended it (RFC 9112 9.8)."""
    secure = context(authority.issue(f"end-{goodbye}", "localhost"))
    with Upstream([b"HTTP/1.1 200 OK\r\n\r\nall"], keeps=False, tls=secure) as up:
        up.says_goodbye = goodbye
        with Server(tmp_path, route(up.port, authority=authority)) as server:
            if goodbye:
                assert ask(server).content == b"all"
            else:
                with pytest.raises(AssertionError):
                    ask(server)


def test_upgrade_is_tunnelled(tmp_path, authority):
    secure = context(authority.issue("tunnel", "localhost"))

    @speaks
    def switch(_request, peer):
        peer.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello")
        while peer.buffer or peer.more():
            data, peer.buffer = peer.buffer, b""
            peer.socket.sendall(data)
        peer.socket.sendall(b"bye")
        return False

    with Upstream([switch], tls=secure) as up:
        with Server(tmp_path, route(up.port, authority=authority)) as server, server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"Upgrade: echo\r\nConnection: upgrade\r\n\r\nearly")
            assert wire.answer("GET").status == 101
            assert wire.bytes(10) == b"helloearly"
            wire.send(b"x" * 100000)
            assert wire.bytes(100000) == b"x" * 100000
            wire.end()
            assert wire.bytes(3) == b"bye"
            wire.expect_end()


def test_silent_handshake_is_a_timeout(tmp_path, authority):
    @speaks
    def silent(_request, peer):
        return bool(peer.bytes(1))

    class Mute(Upstream):
        def serve(self, connection):
            self.ended.wait(5)
            connection.close()

    with Mute([silent]) as up:
        config = route(up.port, authority=authority) + "\nlimits { upstream_connect_ms = 300 }"
        with Server(tmp_path, config) as server:
            assert ask(server).status == 504
    assert server.rules() == ["connect_timeout"]


def mutual(path, authority, **changes):
    """It asks who we are, and takes whom the authority knows."""
    found = context(path, verify_mode=ssl.CERT_REQUIRED, **changes)
    found.load_verify_locations(f"{authority.path}.pem")
    return found


def own(path, key=True):
    return f'certificate = "{path}.pem"' + (f' key = "{path}.key"' if key else "")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["ours", "in one file", "another's", "none"])
def test_certificate_of_ours(tmp_path, authority, version, shown):
    """A server that asks who we are is shown our certificate; who has none that it takes is no client of it."""
    secure = mutual(authority.issue("asks", "localhost"), authority, minimum_version=version,
                    maximum_version=version)
    ours = authority.issue("us")
    both = tmp_path / "both"
    both.with_suffix(".pem").write_bytes(b"".join(ours.with_suffix(end).read_bytes() for end in (".pem", ".key")))
    other = tls.Authority(tmp_path, "others").issue("them")
    more = {"ours": own(ours), "in one file": own(both, key=False), "another's": own(other), "none": ""}[shown]
    seen = []

    @speaks
    def answer(_request, peer):
        seen.append(dict(pair for part in peer.socket.getpeercert()["subject"] for pair in part)["commonName"])
        peer.socket.sendall(OK)
        return True

    config = route("%d", authority=authority)[:-1] + more + " }"
    with Upstream([answer], tls=secure) as up, Server(tmp_path, config % up.port) as server:
        got = ask(server)
        assert (got.status, seen) == ((200, ["us"]) if shown in ("ours", "in one file") else (502, []))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_connections_are_resumed(tmp_path, authority, version):
    """The next connection to a server costs no signature."""
    secure = context(authority.issue("resumes", "localhost"), minimum_version=version, maximum_version=version)
    reused = []

    @speaks
    def answer(_request, peer):
        reused.append(peer.socket.session_reused)
        peer.socket.sendall(OK)
        return False

    with Upstream([answer], tls=secure) as up, Server(tmp_path, route(up.port, authority=authority)) as server:
        assert [ask(server).content for _ in range(6)] == [b"ok"] * 6
    assert up.connections == 6
    assert reused == [False] + [True] * 5


def test_certificate_that_can_not_be_read(tmp_path, authority):
    path = authority.issue("odd")
    for more, where in ((f'certificate = "{tmp_path}/none.pem"', "can not be read"),
                        (f'certificate = "{path}.pem" key = "{authority.path}.key"', "can not be read"),
                        (f'key = "{path}.key"', "a key is that of a certificate")):
        with pytest.raises(AssertionError, match=where):
            with Server(tmp_path, route(9, authority=authority)[:-1] + more + " }"):
                pass
    with pytest.raises(AssertionError, match="none of these servers has a certificate"):
        with Server(tmp_path, f'route "/" {{ proxy = "http://localhost:9" certificate = "{path}.pem" }}'):
            pass
