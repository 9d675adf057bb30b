# SPDX-License-Identifier: Apache-2.0
"""R-16, R-17 and R-34 to R-36: who the server says that it is, and clients that shake hands badly."""
import json
import re
import resource
import select
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import threading
import time

import pytest

from earnest_server import Wire
from h2 import H2
from scenario import SANITIZED, Site, counts, files_route, get, wait_until
from tls import Authority, TlsWire, bytes_of, client, listen, shake


class TlsSite(Site):
    """A site whose own requests go over TLS."""

    def connect(self):
        return TlsWire(self.port)


@pytest.fixture(name="authority")
def made_authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture(name="site")
def plain_site(tmp_path, root, authority):
    with TlsSite(tmp_path, files_route(root), listen(authority.issue("site", "a.example"))) as site:
        yield site


def only(cipher):
    """A client of TLS 1.2 that takes certificates of one kind."""
    context = client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"ECDHE-{cipher}-AES128-GCM-SHA256")
    return context


def test_the_name_chooses_the_certificate(tmp_path, root, authority):
    """And of those for one name, what the client can verify."""
    first, rsa, wild = (authority.issue("first", "a.example"), authority.issue("rsa", "a.example", rsa=True),
                        authority.issue("wild", "*.b.example", "c.example"))
    one = authority.issue("one", "one.b.example")
    expected = {"a.example": first, "x.b.example": wild, "X.B.Example": wild, "one.b.example": one,
                "c.example": wild, "b.example": first, "x.y.b.example": first, "d.example": first, None: first}
    with TlsSite(tmp_path, files_route(root), listen(first, rsa, wild, one)) as site:
        for host, path in expected.items():
            with shake(site.port, host=host) as tls:
                assert tls.getpeercert(True) == bytes_of(path), host
        for cipher, path in (("ECDSA", first), ("RSA", rsa)):
            with shake(site.port, only(cipher)) as tls:
                assert tls.getpeercert(True) == bytes_of(path), cipher
        with shake(site.port, only("RSA"), "d.example") as tls:
            assert tls.getpeercert(True) == bytes_of(rsa)
        with pytest.raises(ssl.SSLError):
            shake(site.port, only("RSA"), "c.example")


def test_a_stranger_and_a_client_that_trusts(site, authority):
    context = ssl.create_default_context(cafile=f"{authority.path}.pem")
    with TlsWire(site.port, context=context) as wire:
        wire.send(get(b"/a.txt"))
        assert wire.answer("GET").content == b"a\n"


def resume(site, context, session):
    """A request. Returns the session to go on with, and whether it was resumed."""
    with shake(site.port, context, session=session) as tls:
        tls.sendall(get(b"/a.txt"))
        assert tls.recv(4096).startswith(b"HTTP/1.1 200 ")
        return tls.session, tls.session_reused


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_tickets_are_good_for_every_thread_and_after_a_reload(tmp_path, root, authority, version):
    context = client("http/1.1")
    context.maximum_version = ssl.TLSVersion[version]
    site = TlsSite(tmp_path, files_route(root), listen(authority.issue("site", "a.example")))
    text = site.config_path.read_text(encoding="utf-8")
    site.config_path.write_text(text.replace("workers = 1", "workers = 4"), encoding="utf-8")
    with site:
        session, reused = resume(site, context, None)
        assert not reused
        for i in range(40):
            if i % 10 == 5:
                site.reload()
            session, reused = resume(site, context, session)
            assert reused, f"connection {i}"


def test_r36_a_ticket_is_for_the_host_that_it_was_given_for(tmp_path, root, authority):
    paths = [authority.issue("one", "one.example"), authority.issue("two", "two.example")]
    context = client("http/1.1")
    with TlsSite(tmp_path, files_route(root), listen(*paths)) as site:
        with shake(site.port, context, "one.example") as tls:
            tls.sendall(get(b"/a.txt"))
            assert tls.recv(4096)
            session = tls.session
        with shake(site.port, context, "two.example", session) as tls:
            assert not tls.session_reused
            assert tls.getpeercert(True) == bytes_of(paths[1])


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("wanted", ["none", "optional", "required"])
def test_certificates_of_clients(tmp_path, root, authority, wanted, version):
    known, stranger = authority.issue("client"), Authority(tmp_path, "other").issue("stranger")
    more = "" if wanted == "none" else f'client_ca = "{authority.path}.pem"\nclient_certificate = "{wanted}"'
    with TlsSite(tmp_path, files_route(root), listen(authority.issue("s", "a.example"), more=more)) as site:
        for path, served in ((None, wanted != "required"), (known, True), (stranger, wanted == "none"),
                             (authority.folder / "s", wanted == "none")):
            context = client("http/1.1")
            context.maximum_version = ssl.TLSVersion[version]
            if path:
                context.load_cert_chain(f"{path}.pem", f"{path}.key")
            try:
                with TlsWire(site.port, context=context) as wire:
                    wire.socket.sendall(get(b"/a.txt"))
                    assert wire.answer("GET").status == 200
                    answered = True
            except (OSError, AssertionError):
                answered = False
            assert answered == served, f"{path} is {answered}"


def test_what_is_known_of_the_certificate_is_sent_along(tmp_path, root, authority):
    path = authority.issue("s", "a.example")
    more = f'ocsp = "{authority.vouch(path)}"'
    with TlsSite(tmp_path, files_route(root), listen(path, more=more)) as site:
        said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-status"],
                              input=b"", capture_output=True, check=True).stdout
    assert b"OCSP Response Status: successful" in said
    assert b"Cert Status: good" in said


def test_plain_http_on_the_port_of_tls(site):
    with Wire(site.port) as wire:
        wire.send(get(b"/a.txt", fields=b"Accept: application/problem+json\r\n"))
        answer = wire.answer("GET")
        assert answer.status == 400 and answer.closes
        assert "https" in answer.problem()["detail"]
        wire.expect_end()


@pytest.mark.parametrize("first", [b"\0", b"\x80\x2e\1\0\2", b"\x15\3\1\0\2\2\0", b"SSH-2.0-x\r\n\r\n", b"\r\n\r\n", b"G"])
def test_what_is_neither(site, first):
    with Wire(site.port) as wire:
        wire.send(first + bytes(100))
        wire.end()
        while wire.more():
            pass
        assert wire.buffer == b"" or wire.buffer.startswith(b"HTTP/1.1 400 ")
    assert site.status(b"/a.txt") == 200


def hello():
    """The first flight of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client("h2", "http/1.1").wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("trusted", [False, True])
def test_https_urls_without_tls(tmp_path, root, trusted):
    """RFC 9110 7.4: misdirected, unless a gateway asks; and so is a scheme that is not of HTTP."""
    gateways = 'trusted = { "127.0.0.1" }\n' if trusted else ""
    with Site(tmp_path, gateways + files_route(root)) as site, H2(site.port) as h2:
        for scheme, status in (("http", 200), ("HTTP", 200), ("https", 200 if trusted else 421), ("ftp", 421)):
            number = h2.open([(b":method", b"GET"), (b":scheme", scheme.encode()), (b":authority", b"a.example"),
                              (b":path", b"/a.txt")])
            assert h2.answer(number).status == status, scheme


def test_tls_on_a_plain_port(tmp_path, root):
    with Site(tmp_path, files_route(root)) as site, site.connect() as wire:
        wire.send(hello())
        assert wire.answer("GET").status == 400
        wire.expect_end()


@pytest.mark.parametrize("sent", [0, 1, 5, 100, None])
@pytest.mark.parametrize("drips", [False, True])
def test_a_handshake_that_stalls_is_ended(tmp_path, root, authority, sent, drips):
    """However slowly the rest comes."""
    config = "limits { header_timeout_ms = 500 idle_timeout_ms = 500 }\n" + files_route(root)
    with TlsSite(tmp_path, config, listen(authority.issue("site", "a.example"))) as site:
        first = hello()
        with Wire(site.port) as wire:
            start = time.monotonic()
            wire.send(first[:sent])
            rest = iter(first[sent or len(first):-1] if drips else b"")
            while not select.select([wire.socket], [], [], 0.05)[0] or wire.more():
                wire.send(bytes([byte]) if (byte := next(rest, None)) is not None else b"")
                assert time.monotonic() - start < 3, "it may stall for ever"
            assert time.monotonic() - start > 0.3


def test_half_a_record(site):
    with shake(site.port) as tls:
        context, incoming, outgoing = client("http/1.1"), ssl.MemoryBIO(), ssl.MemoryBIO()
        assert tls.version() and context
    plain = socket.create_connection(("127.0.0.1", site.port), timeout=5)
    with plain:
        tls = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
        converse(plain, tls, incoming, outgoing, tls.do_handshake)
        tls.write(get(b"/a.txt"))
        record = outgoing.read()
        plain.sendall(record[:len(record) // 2])
        assert site.status(b"/a.txt") == 200
        plain.sendall(record[len(record) // 2:])
        assert b"HTTP/1.1 200 " in converse(plain, tls, incoming, outgoing, lambda: tls.read(4096))


def converse(plain, tls, incoming, outgoing, step):
    """Does a step of TLS over a socket. Returns what it returned."""
    while True:
        try:
            result = step()
            break
        except ssl.SSLWantReadError:
            plain.sendall(outgoing.read())
            data = plain.recv(1 << 16)
            assert data, f"{tls} ends within"
            incoming.write(data)
    plain.sendall(outgoing.read())
    return result


@pytest.mark.parametrize("why", ["asked", "idle", "stopped"])
def test_the_end_is_said(tmp_path, root, authority, why):
    """close_notify comes before the end (RFC 8446 6.1): a cut would be seen."""
    config = "limits { idle_timeout_ms = 300 }\n" + files_route(root)
    with TlsSite(tmp_path, config, listen(authority.issue("site", "a.example"))) as site:
        plain = socket.create_connection(("127.0.0.1", site.port), timeout=5)
        with client("http/1.1").wrap_socket(plain, server_hostname="a.example", suppress_ragged_eofs=False) as tls:
            tls.sendall(get(b"/a.txt", close=why == "asked"))
            got = tls.recv(4096)
            if why == "stopped":
                site.process.send_signal(signal.SIGTERM)
            while data := tls.recv(4096):  # an end without close_notify is an SSLEOFError
                got += data
            assert got.endswith(b"\r\n\r\na\n")


def test_a_client_that_says_its_end_is_answered(site):
    """close_notify is of one direction: what was asked for comes (RFC 8446 6.1)."""
    context, incoming, outgoing = client("http/1.1"), ssl.MemoryBIO(), ssl.MemoryBIO()
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as plain:
        tls = context.wrap_bio(incoming, outgoing)
        converse(plain, tls, incoming, outgoing, tls.do_handshake)
        tls.write(get(b"/a.txt"))
        with pytest.raises(ssl.SSLWantReadError):
            tls.unwrap()
        plain.sendall(outgoing.read())
        got = b""
        while data := plain.recv(4096):
            got += data
        incoming.write(got)
        incoming.write_eof()
        said = b""
        with pytest.raises((ssl.SSLZeroReturnError, ssl.SSLError)):
            while data := tls.read(4096):
                said += data
            raise ssl.SSLZeroReturnError
        assert said.startswith(b"HTTP/1.1 200 ") and said.endswith(b"\r\n\r\na\n")


@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked\r\n", b"Content-Length: 100\r\n"])
def test_content_that_is_cut_is_not_kept(tmp_path, root, authority, framing):
    config = f'state = "{tmp_path}/state"\n' + files_route(root, "write = true")
    with TlsSite(tmp_path, config, listen(authority.issue("site", "a.example"))) as site:
        with site.connect() as wire:
            wire.send(get(b"/cut.txt", b"PUT", framing) + b"5\r\nabcde\r\n")
            wire.socket.shutdown(socket.SHUT_WR)
            while wire.more():
                pass
            assert not wire.buffer.startswith(b"HTTP/1.1 2")
        assert not (root / "cut.txt").exists()


class Handshakes(threading.Thread):
    """Connections whose handshakes never finish, a byte at a time."""

    def __init__(self, port, n):
        super().__init__()
        self.stopping, self.first = False, hello()
        self.sockets = []
        for i in range(n):
            each = socket.socket()
            each.bind((f"127.0.0.{2 + i % 50}", 0))
            each.connect(("127.0.0.1", port))
            each.setblocking(False)
            each.send(self.first[:i % 100])
            self.sockets.append(each)
        self.at = 100

    def run(self):
        while not self.stopping:
            for each in self.sockets:
                try:
                    each.send(self.first[self.at:self.at + 1])
                    each.recv(100)
                except OSError:
                    pass
            self.at = min(self.at + 1, len(self.first) - 2)
            time.sleep(0.2)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()
        for each in self.sockets:
            each.close()


def more_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@pytest.mark.parametrize("n", counts(500, 5000))
def test_r16_slow_handshakes(tmp_path, root, authority, n, figure):
    more_descriptors()
    config = "limits { header_timeout_ms = 2000 }\n" + files_route(root)
    times, fresh = [], []
    with TlsSite(tmp_path, config, listen(authority.issue("site", "a.example"))) as site:
        with Handshakes(site.port, n):
            end = time.monotonic() + 3
            with site.connect() as wire:
                while time.monotonic() < end:
                    asked = time.monotonic()
                    wire.send(get(b"/a.txt"))
                    assert wire.answer("GET").content == b"a\n"
                    times.append(time.monotonic() - asked)
                    if len(times) % 10 == 0:
                        asked = time.monotonic()
                        assert site.status(b"/a.txt") == 200
                        fresh.append(time.monotonic() - asked)
                    time.sleep(0.005)
            wait_until(lambda: site.descriptors() < 100)
    p99 = statistics.quantiles(times, n=100)[98] * 1000
    figure("p99 of a good client", p99, f"ms beside {n} handshakes; a new one at most {max(fresh) * 1000:.0f} ms")
    assert p99 < (500 if SANITIZED else 50)


@pytest.mark.parametrize("protocol, most", [("http/1.1", 14 << 10), ("h2", 40 << 10)])
def test_r17_idle_connections(tmp_path, root, authority, protocol, most, figure):
    """Of what HTTP/2 costs more, 16 KiB are the buffer that each session of nghttp2 writes frames in."""
    n = min(1000, more_descriptors() - 200)
    config = f"limits {{ connections_max = {n + 100} }}\n" + files_route(root)

    def ask(wire):
        if protocol == "h2":
            assert wire.outcome(wire.request("GET", "/a.txt")) == 200
        else:
            wire.send(get(b"/a.txt"))
            assert wire.answer("GET").status == 200

    with TlsSite(tmp_path, config, listen(authority.issue("site", "a.example"))) as site:
        context = client(protocol)
        open_one = (lambda: H2(site.port, tls=context)) if protocol == "h2" else (
            lambda: TlsWire(site.port, context=context))
        warm = [open_one() for _ in range(50)]
        for wire in warm:
            ask(wire)
        before = site.memory("Rss")
        idle = [open_one() for _ in range(n)]
        for wire in idle:
            ask(wire)
        grown = (site.memory("Rss") - before) / n
        for wire in idle:
            ask(wire)
        for wire in warm + idle:
            wire.socket.close()
    figure(f"idle connections of {protocol} over TLS", f"{n}, all answer twice; bytes each {grown:.0f}")
    assert grown <= most or SANITIZED


def test_r35_old_versions_and_renegotiation(site):
    for version in ("TLSv1", "TLSv1_1"):
        context = client()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        with pytest.raises(ssl.SSLError):
            shake(site.port, context)
    said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-tls1_2"],
                          input=b"R\n", capture_output=True, check=False, timeout=20)
    assert re.search(b"no renegotiation|no_renegotiation", said.stderr), said.stderr
    assert site.status(b"/a.txt") == 200


@pytest.mark.exam
def test_r35_testssl(tmp_path, root, authority, figure):
    """Nothing above LOW, but for what is the test certificate's own, and fields that a site chooses."""
    testssl = shutil.which("testssl") or shutil.which("testssl.sh")
    if not testssl:
        pytest.skip("testssl is not installed (Debian package testssl.sh)")
    paths = [authority.issue("site", "a.example"), authority.issue("rsa", "a.example", rsa=True)]
    found = tmp_path / "found.json"
    with TlsSite(tmp_path, 'hsts = "180d"\n' + files_route(root), listen(*paths)) as site:
        subprocess.run([testssl, "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--add-ca",
                        f"{authority.path}.pem", "--jsonfile", found, f"a.example:{site.port}"],
                       stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600)
    findings = json.loads(found.read_text(encoding="utf-8"))
    bad = [f"{each['severity']} {each['id']}: {each['finding']}" for each in findings
           if each["severity"] not in ("OK", "INFO", "LOW")
           and not each["id"].startswith(("cert_", "security_headers"))]
    assert len(findings) > 100 and not bad, bad
    figure("testssl", f"{len(findings)} findings, none above low")
