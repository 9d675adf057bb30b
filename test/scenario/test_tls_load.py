# SPDX-License-Identifier: Apache-2.0
"""R-45 and R-48 over TLS and HTTP/2; content large and slow, in both directions; ends at every moment."""
import hashlib
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import h2_frame as f
from h2 import H2
from scenario import SANITIZED, Site, counts, files_route, get, wait_until
from tls import Authority, TlsWire, bytes_of, client, listen, shake

MIB = 1 << 20
ODD_SIZES = [0, 1, 16383, 16384, 16385, 65535, 65536, 65537, 1048577, 7654321]


@pytest.fixture(name="authority")
def made_authority(tmp_path):
    return Authority(tmp_path)


def writable(tmp_path, root, limits=""):
    return f'state = "{tmp_path}/state"\n{limits}\n' + files_route(root, "write = true")


def tls_site(tmp_path, config, authority):
    return Site(tmp_path, config, listen(authority.issue("site", "a.example")))


class Load(threading.Thread):
    """Asks without end on one connection after the other. A request that was not served by a server that
    said so before (GOAWAY, or an end instead of an answer on a connection that had answers) is asked again."""

    def __init__(self, port, protocol):
        super().__init__()
        self.port, self.protocol = port, protocol
        self.answers, self.connections, self.failures = 0, 0, []
        self.seen, self.stopping = set(), False

    def run(self):
        context = client(self.protocol)
        while not self.stopping:
            try:
                wire = H2(self.port, tls=context) if self.protocol == "h2" else TlsWire(self.port, context=context)
                with wire:
                    self.connections += 1
                    self.seen.add(wire.socket.getpeercert(True))
                    (self.ask_h2 if self.protocol == "h2" else self.ask_h1)(wire)
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))

    def ask_h1(self, wire):
        used = 0
        while not self.stopping:
            wire.send(get(b"/a.txt"))
            try:
                answer = wire.answer("GET")
            except (OSError, AssertionError):
                if used and not wire.buffer:
                    return
                raise
            assert (answer.status, answer.content) == (200, b"a\n"), answer
            self.answers += 1
            used += 1
            if answer.closes:
                return
            time.sleep(0.002)

    def ask_h2(self, h2):
        """Ten at a time; more are asked for until the last stream is named (RFC 9113 6.8)."""
        streams = []
        while not self.stopping and not any(last < f.WINDOW_MAX for last, _, _ in h2.goaways):
            while len(streams) < 10:
                streams.append(h2.request("GET", "/a.txt"))
            self.take(h2, streams.pop(0))
            time.sleep(0.002)
        for stream in streams:
            self.take(h2, stream)

    def take(self, h2, stream):
        outcome = h2.outcome(stream)
        if outcome is None and h2.goaways and h2.goaways[-1][0] < stream:
            return
        assert outcome == 200, f"{outcome}, {h2.goaways}"
        self.answers += 1


@pytest.mark.parametrize("n", counts(4, 40))
def test_r45_a_new_certificate_under_load(tmp_path, root, authority, n, figure):
    """50 connections: none fails, and those that are new see the new certificate."""
    with tls_site(tmp_path, files_route(root), authority) as site:
        loads = [Load(site.port, protocol) for protocol in ("http/1.1", "h2") for _ in range(25)]
        for load in loads:
            load.start()
        try:
            for _ in range(n):
                authority.issue("site", "a.example")
                assert "earnest: reloaded" in site.reload()
                with shake(site.port) as tls:
                    assert tls.getpeercert(True) == bytes_of(tmp_path / "site")
                time.sleep(0.3)
            wait_until(lambda: len(site.children()) == 1, 40)
        finally:
            for load in loads:
                load.stopping = True
            for load in loads:
                load.join()
    assert [failure for load in loads for failure in load.failures] == []
    assert all(len(load.seen) > 1 for load in loads), "a connection outlived its certificate"
    figure("new certificates", f"{n}, {sum(load.answers for load in loads)} answers on "
                               f"{sum(load.connections for load in loads)} connections, 0 failed")


@pytest.mark.parametrize("secure", [False, True])
def test_many_large_downloads(tmp_path, root, authority, secure):
    """More than sockets and windows take: each that waits goes on."""
    h2load = shutil.which("h2load")
    if not h2load:
        pytest.skip("h2load is not installed (Debian package nghttp2-client)")
    (root / "large.bin").write_bytes(bytes(5 * MIB + 1))
    site = tls_site(tmp_path, files_route(root), authority) if secure else Site(tmp_path, files_route(root))
    with site:
        said = subprocess.run(
            [h2load, "-c32", "-m20", "-n500", "-N10", f"--connect-to=127.0.0.1:{site.port}",
             f"http{'s' if secure else ''}://a.example/large.bin"], capture_output=True, check=True, timeout=120)
    assert b"500 succeeded, 0 failed, 0 errored, 0 timeout" in said.stdout, said.stdout


@pytest.mark.parametrize("secure", [False, True])
def test_r48_sigterm_lets_a_download_over_h2_finish(tmp_path, root, authority, secure):
    (root / "large.bin").write_bytes(b"x" * (32 * MIB))
    site = tls_site(tmp_path, files_route(root), authority) if secure else Site(tmp_path, files_route(root))
    tls = client("h2") if secure else None
    with site, H2(site.port, tls=tls) as idle, H2(site.port, tls=tls) as h2:
        assert idle.outcome(idle.request("GET", "/a.txt")) == 200
        stream = h2.request("GET", "/large.bin")
        assert h2.until(lambda: len(h2.streams[stream].content) > 10)
        site.process.send_signal(signal.SIGTERM)
        assert idle.farewell() == "NO_ERROR"
        wait_until(lambda: not site.accepts(), 5)
        assert h2.answer(stream).content == b"x" * (32 * MIB)
        assert h2.farewell() == "NO_ERROR"
        assert h2.goaways[-1][0] == stream
        assert site.process.wait(5) == 0


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("carrier", ["h2", "h2 over tls", "h1 over tls"])
def test_content_of_odd_sizes(tmp_path, root, authority, carrier):
    """Up and down again: every octet is what it was."""
    config = writable(tmp_path, root)
    site = tls_site(tmp_path, config, authority) if "tls" in carrier else Site(tmp_path, config)
    chance = random.Random(5)
    with site:
        def connect():
            if carrier == "h1 over tls":
                return TlsWire(site.port)
            return H2(site.port, tls=client("h2") if "tls" in carrier else None)

        with connect() as wire:
            for size in ODD_SIZES:
                data, path = chance.randbytes(size), f"/{size}.bin"
                if carrier == "h1 over tls":
                    wire.send(get(path.encode(), b"PUT", b"Content-Length: %d\r\n" % size) + data)
                    put = wire.answer("PUT")
                    wire.send(get(path.encode()))
                    got = wire.answer("GET")
                else:
                    put = wire.answer(wire.request("PUT", path, content=data))
                    got = wire.answer(wire.request("GET", path))
                assert put.status == 201, size
                assert got.status == 200 and digest(got.content) == digest(data), size
                assert digest((root / path[1:]).read_bytes()) == digest(data), size


@pytest.mark.parametrize("secure", [False, True])
def test_a_hundred_streams(tmp_path, root, authority, secure):
    """At once, up and down, and each has its own content."""
    config = writable(tmp_path, root)
    site = tls_site(tmp_path, config, authority) if secure else Site(tmp_path, config)
    chance = random.Random(100)
    contents = [chance.randbytes(chance.randrange(150_000)) for _ in range(50)]
    for i, content in enumerate(contents):
        (root / f"{i}.bin").write_bytes(content)
    with site, H2(site.port, tls=client("h2") if secure else None) as h2:
        down = [h2.request("GET", f"/{i}.bin") for i in range(50)]
        up = [h2.request("PUT", f"/up{i}.bin", content=b"", end=False) for i in range(50)]
        for i in range(0, 150_000, 9_999):
            for stream, content in zip(up, contents):
                if content[i:i + 9_999]:
                    h2.send_content(stream, content[i:i + 9_999], end=False)
        for stream in up:
            h2.send_content(stream, b"")
        assert [h2.outcome(stream) for stream in up] == [201] * 50
        assert [digest(h2.answer(stream).content) for stream in down] == [digest(content) for content in contents]
    for i, content in enumerate(contents):
        assert (root / f"up{i}.bin").read_bytes() == content


class Peak(threading.Thread):
    """The most memory that a site has had."""

    def __init__(self, site):
        super().__init__()
        self.site, self.stopping, self.first = site, False, site.memory("Rss")
        self.most = self.first

    def run(self):
        while not self.stopping:
            self.most = max(self.most, self.site.memory("Rss"))
            time.sleep(0.02)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()

    @property
    def grown(self):
        return self.most - self.first


@pytest.mark.parametrize("secure", [False, True])
def test_an_upload_of_200_megabytes(tmp_path, root, authority, secure, figure):
    """It comes no faster than it is kept: memory does not grow with it."""
    config = writable(tmp_path, root)
    site = tls_site(tmp_path, config, authority) if secure else Site(tmp_path, config)
    part, n = random.Random(200).randbytes(MIB), 200
    with site, H2(site.port, tls=client("h2") if secure else None) as h2, Peak(site) as peak:
        stream = h2.request("PUT", "/large.bin", content=b"", end=False)
        for i in range(n):
            h2.send_content(stream, part, end=i == n - 1)
        assert h2.outcome(stream) == 201
    assert (root / "large.bin").stat().st_size == n * MIB
    assert digest((root / "large.bin").read_bytes()) == digest(part * n)
    figure("memory for an upload of 200 MiB", f"{peak.grown} bytes")
    assert peak.grown < 2 * MIB or SANITIZED


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_a_slow_reader_over_tls(tmp_path, root, authority, protocol, figure):
    """A file that is taken in small sips costs no more than what is on its way: at most the 128 KiB that
    are handed to the socket at a time (WORKER_OUT_BYTES), if it takes none of them, and the session."""
    (root / "large.bin").write_bytes(bytes(64 * MIB))
    with tls_site(tmp_path, files_route(root), authority) as site:
        wires = []
        for _ in range(20):
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(("127.0.0.1", site.port))
            wires.append(client(protocol).wrap_socket(plain, server_hostname="a.example"))
        ask = get(b"/large.bin")
        if protocol == "h2":
            ask = f.PREFACE + f.settings((f.INITIAL_WINDOW_SIZE, f.WINDOW_MAX)) + f.window_update(
                0, f.WINDOW_MAX - f.WINDOW) + f.headers(1, f.request(path=b"/large.bin", scheme=b"https"))
        with Peak(site) as peak:
            for wire in wires:
                wire.sendall(ask)
            for _ in range(200):
                for wire in wires:
                    assert wire.recv(512)
        for wire in wires:
            wire.close()
    figure("memory for 20 slow readers", f"{peak.grown // 20} bytes each")
    assert peak.grown < 20 * (128 + 64) * 1024 or SANITIZED


# ---- ends at every moment ---------------------------------------------------------------------------------

PUT = [*f.request(b"PUT", b"/up.bin"), (b"content-length", b"100000")]
BEGUN = f.headers(1, PUT, f.END_HEADERS)
STAGES = {
    "before the head is whole": f.headers(1, PUT, 0),
    "after the head": BEGUN,
    "while 100 is awaited": f.headers(1, [*PUT, (b"expect", b"100-continue")], f.END_HEADERS),
    "within content": BEGUN + f.data(1, bytes(16000)),
    "before the last of it": BEGUN + f.data(1, bytes(16000)) * 3 + f.data(1, bytes(2000)),
    "when it is all there": f.headers(1, f.request(b"PUT", b"/up.bin"), f.END_HEADERS) + f.data(
        1, bytes(16000), f.END_STREAM),
    "while files are asked for": f.headers(1, f.request(path=b"/folder/")),
    "while a folder is walked": f.headers(1, [*f.request(b"PROPFIND"), (b"depth", b"1")]),
    "while a folder is copied": f.headers(1, [*f.request(b"COPY", b"/folder/"), (b"destination", b"/copy/")]),
    "while content is sent": f.headers(1, f.request(path=b"/large.bin")),
    "in an early answer": f.headers(1, [*f.request(b"PUT", b"/up.bin"), (b"if-match", b'"no"')], f.END_HEADERS),
}
ENDS = {
    "RST_STREAM": f.rst_stream(1),
    "a stream error": f.window_update(1, 0),
    "a connection error": f.data(0, b"a"),
    "GOAWAY and an end": f.goaway(),
    "an end": b"",
    "a reset": None,
}


def hang_up(h2, end):
    if end is None:
        h2.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    else:
        h2.send(end)
    h2.socket.close()


@pytest.mark.parametrize("stage", STAGES)
def test_ends_in_each_stage(tmp_path, root, stage):
    """However a stream or its connection ends, and whatever waits for it then: others go on, and no job, no
    file and no descriptor is left."""
    (root / "folder").mkdir()
    for i in range(200):
        (root / "folder" / f"{i}.txt").write_bytes(b"x" * 1000)
    (root / "large.bin").write_bytes(bytes(4 * MIB))
    config = writable(tmp_path, root, "limits { cache_valid_ms = 0 linger_ms = 100 drain_timeout_ms = 2000 }")
    chance = random.Random(stage)
    with Site(tmp_path, config) as site:
        serving = site.serving
        assert site.status(b"/a.txt") == 200
        before = site.descriptors()
        for end in ENDS.values():
            for i in range(12):
                h2 = H2(site.port)
                h2.send(STAGES[stage])
                if i % 3:
                    time.sleep(chance.random() / 200)
                hang_up(h2, end)
        assert site.status(b"/a.txt") == 200
        wait_until(lambda: site.descriptors() <= before + 3)
        assert site.serving == serving, "a process was lost"
        with H2(site.port) as h2:  # and a stream beside: a reset is of one
            h2.send_frames(STAGES[stage] if stage != "before the head is whole" else b"")
            h2.next = max(h2.next, 3)
            other = h2.request("GET", "/a.txt")
            h2.cancel(1) if 1 in h2.streams else None
            assert h2.outcome(other) == 200
    assert not [path for path in (root / ".earnest").rglob("*") if path.is_file()], "something staged is left"
