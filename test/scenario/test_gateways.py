# SPDX-License-Identifier: Apache-2.0
"""Gateways in front of the server: what they say of their clients, and what others would say in their place."""
import json
import socket
import struct
import threading
import time

import pytest

import h2
import tls
from earnest_server import Wire
from scenario import Site, files_route, get, wait_until

TRUSTED = 'trusted = { "127.0.0.1" }\n'
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 80\r\n"
LINE_6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 80\r\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"


def binary(client, family=0x11, more=b"", command=0x21):
    """A header of version 2."""
    kind = socket.AF_INET if family == 0x11 else socket.AF_INET6
    addresses = socket.inet_pton(kind, client) * 2 if client else b""
    block = addresses + (struct.pack(">HH", 40000, 80) if client else b"") + more
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(block)) + block


BINARY = binary("192.0.2.7", more=b"\x04\x00\x03abc")
LOCAL = binary(None, 0, command=0x20)
HEADERS = {"line": (LINE, "192.0.2.7"), "line6": (LINE_6, "2001:db8::7"), "unknown": (UNKNOWN, "127.0.0.1"),
           "binary": (BINARY, "192.0.2.7"), "binary6": (binary("2001:db8::7", 0x21), "2001:db8::7"),
           "local": (LOCAL, "127.0.0.1")}


class Gateway(threading.Thread):
    """Passes one connection on, with a header in front of its bytes.

    way  "apart": the header by itself, "joined": with the client's first bytes, "slowly": byte by byte
    """

    def __init__(self, port, header, way):
        super().__init__()
        self.header, self.way = header, way
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.server = socket.create_connection(("127.0.0.1", port))
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        client, _ = self.listener.accept()
        back = threading.Thread(target=self.carry, args=(self.server, client, b""))
        back.start()
        if self.way == "slowly":
            for i in range(len(self.header)):
                self.server.sendall(self.header[i:i + 1])
                time.sleep(0.001)
        elif self.way == "apart":
            self.server.sendall(self.header)
            time.sleep(0.01)
        self.carry(client, self.server, self.header if self.way == "joined" else b"")
        back.join()
        client.close()

    def carry(self, source, target, first):
        try:
            while data := source.recv(1 << 16):
                target.sendall(first + data)
                first = b""
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.join()
        self.server.close()
        self.listener.close()


def addresses(site):
    """The client of each line of the access log; complete once the server has stopped."""
    return [line.split(" ")[0] for line in site.log_path.read_text(encoding="ascii").splitlines()]


@pytest.fixture(name="relayed")
def relayed_site(tmp_path, root):
    """Makes a server whose connections begin with a PROXY header."""

    def make(config=TRUSTED, listen="", log=None):
        return Site(tmp_path, config + files_route(root), "proxy_protocol = true\n" + listen, log=log)

    return make


def ended(site, data):
    """The server says nothing to a connection that sends this, and ends it."""
    with site.connect() as wire:
        wire.send(data)
        try:
            wire.expect_end()
        except ConnectionResetError:
            pass


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_in_two_pieces(relayed, name):
    header, address = HEADERS[name]
    data = header + get(b"/a.txt")
    with relayed() as site:
        for at in range(len(data) + 1):
            with site.connect() as wire:
                wire.send(data[:at])
                time.sleep(0.002)
                wire.send(data[at:])
                assert wire.answer("GET").content == b"a\n"
    assert addresses(site) == [address] * (len(data) + 1)


@pytest.mark.parametrize("way", ["apart", "joined", "slowly"])
@pytest.mark.parametrize("header", [LINE, BINARY], ids=["line", "binary"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_all_that_can_come_after_it(relayed, tmp_path, secure, header, way):
    listen = tls.make_certificate(tmp_path) if secure else ""
    with relayed(listen=listen) as site:
        with Gateway(site.port, header, way) as gateway:
            with (tls.TlsWire if secure else Wire)(gateway.port) as wire:
                for _ in range(3):
                    wire.send(get(b"/a.txt"))
                    assert wire.answer("GET").content == b"a\n"
        with Gateway(site.port, header, way) as gateway:
            with h2.H2(gateway.port, tls=tls.client("h2") if secure else None) as wire:
                for _ in range(3):
                    assert wire.answer(wire.request("GET", "/a.txt")).content == b"a\n"
    assert addresses(site) == ["192.0.2.7"] * 6


def test_a_gateway_may_have_spoken_tls_before_it(relayed):
    """Behind one that ends TLS and passes the rest on, https is what was asked for (RFC 9110 7.4)."""
    with relayed() as site:
        with Gateway(site.port, BINARY, "apart") as gateway, h2.H2(gateway.port) as wire:
            assert wire.answer(wire.request("GET", "/a.txt", scheme="https")).content == b"a\n"
            assert wire.answer(wire.request("GET", "/a.txt", scheme="ftp")).status == 421
        with site.connect() as wire:
            wire.send(LINE + get(b"https://a.example/a.txt"))
            assert wire.answer("GET").content == b"a\n"
    assert addresses(site) == ["192.0.2.7"] * 3


def test_plain_http_where_tls_is_spoken(relayed, tmp_path):
    with relayed(listen=tls.make_certificate(tmp_path)) as site, site.connect() as wire:
        wire.send(LINE + get(b"/a.txt"))
        assert wire.answer("GET").status == 400
        wire.expect_end()
    assert addresses(site) == ["192.0.2.7"]


def test_a_client_can_not_add_a_header_of_its_own(relayed):
    with relayed() as site:
        for forged in (b"PROXY TCP4 192.0.2.66 192.0.2.1 1 1\r\n", binary("192.0.2.66")):
            with site.connect() as wire:
                wire.send(LINE + forged + get(b"/a.txt"))
                assert wire.answer("GET").status == 400
    assert addresses(site) == ["192.0.2.7"] * 2


WRONG = [get(b"/a.txt"), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00", b"PROXY TCP4 192.0.2.7\r\n",
         b"PROXY TCP4 192.0.2.256 192.0.2.1 1 1\r\n", b"PROXY " + b"x" * 200, SIGNATURE + b"\x31\x11\0\x0c",
         SIGNATURE + b"\x22\x11\0\x0c", SIGNATURE + b"\x21\x99\0\x0c", SIGNATURE + b"\x21\x11\0\x04",
         SIGNATURE + b"\x21\x11\xff\xff", binary("192.0.2.7", more=b"\x03\0\x04\0\0\0\0"),
         binary("192.0.2.7", more=b"\x04\0\x09x")]


def test_wrong_headers_end_a_connection(relayed, figure):
    rounds = 10
    with relayed() as site:
        start = time.monotonic()
        for data in WRONG * rounds:
            ended(site, data)
        spent = time.monotonic() - start
        time.sleep(1.1)  # more than the second that has its line
        ended(site, WRONG[0])
        with site.connect() as wire:  # the others have nothing from it
            wire.send(LINE + get(b"/a.txt"))
            assert wire.answer("GET").status == 200
    lines = [line for line in site.stderr().splitlines() if "no PROXY header from" in line]
    more = sum(int(line.split()[-2]) for line in lines if line.endswith("more"))
    figure("lines", len(lines))
    assert "no PROXY header from 127.0.0.1: proxy_signature" in lines[-1]
    assert len(lines) <= spent + 3
    assert len(lines) + more == len(WRONG) * rounds + 1
    assert addresses(site) == ["192.0.2.7"]


def test_others_than_gateways_are_ended(relayed):
    with relayed('trusted = { "192.0.2.1", "10.0.0.0/8" }\n') as site:
        for data in (b"", LINE + get(b"/a.txt"), get(b"/a.txt"), BINARY):
            ended(site, data)
        wait_until(lambda: "no PROXY header from 127.0.0.1: it is not trusted" in site.stderr())
    assert addresses(site) == []


def test_a_header_that_takes_its_time(relayed):
    with relayed(TRUSTED + "limits { header_timeout_ms = 400 }\n") as site:
        start = time.monotonic()
        with site.connect() as silent, site.connect() as slow:
            for i in range(100):
                slow.send(LINE[i:i + 1])
                slow.socket.setblocking(False)
                try:
                    if not slow.socket.recv(1):
                        break
                except BlockingIOError:
                    time.sleep(0.05)
                except ConnectionResetError:
                    break
                finally:
                    slow.socket.setblocking(True)
            assert 0.3 < time.monotonic() - start < 1.8
            silent.expect_end()
        wait_until(lambda: "127.0.0.1: it did not come in time" in site.stderr())
    assert addresses(site) == []


def status_with(site, header, held):
    """The status for a connection with this header, which is kept open."""
    wire = site.connect()
    held.append(wire)
    wire.send(header + get(b"/a.txt"))
    return wire.answer("GET").status


def test_connections_are_counted_by_whom_they_are_of(relayed):
    held = []
    config = 'trusted = { "127.0.0.1", "10.0.0.0/8" }\nlimits { connections_address_max = 2 }\n'
    with relayed(config) as site:
        for header in (LINE, BINARY):
            assert status_with(site, header, held) == 200
        assert status_with(site, LINE, held) == 503
        assert status_with(site, LINE_6, held) == 200
        for header in (LOCAL, UNKNOWN, binary("10.0.0.9")) * 4:  # of gateways, which speak for many
            assert status_with(site, header, held) == 200
        held[0].__exit__()
        wait_until(lambda: status_with(site, LINE, held) == 200)
        for wire in held:
            wire.__exit__()


def test_connections_without_their_header_are_counted_in_all(relayed):
    with relayed(TRUSTED + "limits { connections_max = 4 }\n") as site:
        held = [site.connect() for _ in range(4)]
        with site.connect() as wire:
            assert wire.answer("GET").status == 503
        held[0].send(LINE + get(b"/a.txt"))
        assert held[0].answer("GET").status == 200
        for wire in held:
            wire.__exit__()


def test_a_gateway_that_goes_away(relayed):
    with relayed() as site:
        before = site.descriptors()
        for at in range(len(BINARY)):
            with site.connect() as wire:
                wire.send(BINARY[:at])
                wire.end()
                wire.expect_end()
        wait_until(lambda: site.descriptors() == before)
        assert "no PROXY header" not in site.stderr()


def entries(tmp_path, root, config, requests):
    """The lines of the access log, as JSON, for these fields of requests."""
    path = tmp_path / "json.log"
    with Site(tmp_path, config + files_route(root), log=f'format = "json" file = "{path}"') as site:
        for fields in requests:
            assert site.status(b"/a.txt", fields=fields) in (200, 400)
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


X, F = b"X-Forwarded-For: %s\r\n", b"Forwarded: for=%s\r\n"


@pytest.mark.parametrize("form", ["x-forwarded", "forwarded"])
def test_who_asks_is_whom_the_gateway_names(tmp_path, root, form):
    spoken, other = (X, F) if form == "x-forwarded" else (F, X)
    between = b"192.0.2.66, 192.0.2.7" if spoken is X else b"192.0.2.66, for=192.0.2.7"
    wanted = [
        (b"", "127.0.0.1"),
        (spoken % b"192.0.2.7", "192.0.2.7"),
        (spoken % b"192.0.2.66" + spoken % b"192.0.2.7", "192.0.2.7"),
        (spoken % between, "192.0.2.7"),
        (spoken % b'"[2001:db8::7]:99"'.strip(b'"' if spoken is X else b""), "2001:db8::7"),
        (spoken % b"unknown", "127.0.0.1"),
        (spoken % b"_hidden", "127.0.0.1"),
        (spoken % b"192.0.2.7" + other % b"192.0.2.66", "192.0.2.7"),
        (other % b"192.0.2.66", "127.0.0.1"),
        (spoken % b"192.0.2.256", "127.0.0.1"),
        (spoken % b"192.0.2.66" + b"a b: a head with an error\r\n" + spoken % b"192.0.2.7", "127.0.0.1"),
    ]
    config = TRUSTED + (f"forwarded = {form}\n" if form == "forwarded" else "")
    lines = entries(tmp_path, root, config, [fields for fields, _ in wanted])
    assert [line["remote_ip"] for line in lines] == [address for _, address in wanted]
    assert all(("gateway_ip" in line) == (line["remote_ip"] != "127.0.0.1") for line in lines)
    assert [line.get("ignored") for line in lines] == [None] * 9 + ["forwarded_node", None]


def test_others_say_nothing_of_whom_they_are(tmp_path, root):
    for form in ("x-forwarded", "forwarded"):
        config = f'trusted = {{ "192.0.2.1" }}\nforwarded = "{form}"\n'
        lines = entries(tmp_path, root, config, [X % b"192.0.2.7" + F % b"192.0.2.7", X % b"?" + F % b"?"])
        assert all(line["remote_ip"] == "127.0.0.1" for line in lines)
        assert not any("gateway_ip" in line or "ignored" in line for line in lines)


def test_whom_a_header_names_is_no_gateway(relayed):
    fields = X % b"192.0.2.66"
    with relayed() as site, site.connect() as wire:
        wire.send(LINE + get(b"/a.txt", fields=fields))
        assert wire.answer("GET").status == 200
    assert addresses(site) == ["192.0.2.7"]


def test_links_are_not_made_of_what_it_says(tmp_path, root):
    (root / "folder").mkdir()
    fields = b"X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: javascript\r\n"
    with Site(tmp_path, TRUSTED + files_route(root, "listing = true")) as site, site.connect() as wire:
        wire.send(get(b"/folder", fields=fields) + get(b"/folder/", fields=fields))
        answer = wire.answer("GET")
        assert (answer.status, answer.field("location")) == (301, "/folder/")
        assert b"evil" not in wire.answer("GET").content
