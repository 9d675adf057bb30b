# SPDX-License-Identifier: Apache-2.0
"""R-32 and R-33: memory, disks and logs that fail, and disks that are slow."""
import os
import re
import socket
import time

import pytest

from earnest_server import Wire
from scenario import SANITIZED, Site, compile_shim, counts, files_route, get, wait_until

LISTED = "listing = true precompressed = true index = { index.html }"


def requests(i):
    """Things of every kind to ask for; i makes some of them new to the cache."""
    yield get(b"/a.txt")
    yield get(b"/new%d.txt" % i)
    yield get(b"/missing%d" % i)
    yield get(b"/folder/", fields=b"Accept: text/html\r\n")
    yield get(b"/large.bin", fields=b"Range: bytes=0-9,100-109\r\n")
    yield get(b"/folder")
    yield b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    yield b"GET / HTTP/1.1\r\nno colon\r\n\r\n"
    yield get(b"/large.bin")


def make_files(root):
    (root / "folder").mkdir()
    for i in range(50):
        (root / "folder" / f"member {i}").touch()
    (root / "large.bin").write_bytes(b"x" * (1 << 20))


def read_all(wire):
    """What comes until nothing comes, or the end; an end at any place is no crash."""
    try:
        while wire.more():
            if len(wire.buffer) > 1 << 19:
                wire.buffer = b""
    except (ConnectionResetError, TimeoutError):
        pass


@pytest.mark.parametrize("n", counts(60, 400))
def test_r32_the_nth_allocation_fails(tmp_path, root, n, figure):
    if SANITIZED:
        pytest.skip("the sanitizer has an allocator of its own")
    make_files(root)
    shim = compile_shim(tmp_path, "fail_malloc")
    arm = tmp_path / "arm"
    failed = 0
    config = "limits { cache_valid_ms = 0 cache_entries_max = 16 linger_ms = 10 }\n" + files_route(root, LISTED)
    with Site(tmp_path, config, preload=shim, environment={"FAIL_AFTER": str(arm)}) as site:
        serving, before = site.serving, site.descriptors()
        for i in range(1, n + 1):
            (tmp_path / "arm.new").write_text(str(i), encoding="ascii")
            os.rename(tmp_path / "arm.new", arm)
            for request in requests(i):
                with site.connect() as wire:
                    wire.socket.settimeout(2)
                    wire.send(request)
                    wire.end()
                    read_all(wire)
            failed += not arm.exists()
            wait_until(lambda: site.serving == serving)
        # What is still armed goes off on the way.
        for i in range(200):
            try:
                site.status(b"/new%d.txt" % i)
            except (AssertionError, ConnectionError):
                pass
        arm.unlink(missing_ok=True)
        assert site.status(b"/a.txt") == 200
        assert site.serving == serving, "it crashed"
        wait_until(lambda: site.descriptors() <= before + 40)
    assert failed >= 5
    figure("failed allocations", f"the 1st to {n}th, {failed} rounds armed, 0 crashes")


def many_answers(site, n):
    with site.connect() as wire:
        for _ in range(n // 100):
            wire.send(get(b"/a.txt?" + b"q" * 500) * 100)
            for _ in range(100):
                assert wire.answer("GET").status == 200


def test_r33_a_log_that_is_full(tmp_path, root):
    with Site(tmp_path, files_route(root), log='file = "/dev/full" errors = "/dev/full"') as site:
        many_answers(site, 5000)
        wait_until(lambda: dropped(site) >= 5000)


def dropped(site):
    """Lines of the access log that are lost, as the counters say."""
    with site.connect() as wire:
        wire.send(b"GET /.earnest/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        text = wire.answer("GET").content.decode()
    return int(re.search(r'^earnest_log_lines_dropped_total\{log="access"\} (\d+)$', text, re.M)[1])


def test_r33_a_log_that_nobody_reads(tmp_path, root, figure):
    """A fifo with a reader that never reads: requests go on, and so does the end."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    config = "limits { log_queue_bytes = 65536 }\n" + files_route(root)
    with Site(tmp_path, config, log=f'file = "{fifo}"') as site:
        start = time.monotonic()
        many_answers(site, 10_000)
        figure("answers beside a blocked log", 10_000 / (time.monotonic() - start), "a second")
        assert site.memory("Rss") < (64 << 20) or SANITIZED
    os.close(reader)


def test_r33_a_fifo_without_reader_is_said_at_once(tmp_path, root):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    site = Site(tmp_path, files_route(root), log=f'file = "{fifo}"')
    with pytest.raises(AssertionError, match="it did not start"):
        site.__enter__()  # pylint: disable=unnecessary-dunder-call
    assert str(fifo) in site.stderr()
    assert site.process.wait(5) == 1


def test_an_io_error_is_500_with_an_incident_that_is_in_the_log(tmp_path, root):
    shim = compile_shim(tmp_path, "fail_io")
    (root / "eio.txt").write_bytes(b"unreadable\n")
    (root / "eiostat.txt").write_bytes(b"unreadable\n")
    log = f'file = "{tmp_path}/access.log" errors = "{tmp_path}/errors.log"'
    incidents = []
    with Site(tmp_path, files_route(root), preload=shim, log=log) as site:
        for target in (b"/eio.txt", b"/eiostat.txt", b"/eio.txt"):
            with site.connect() as wire:
                wire.send(get(target, fields=b"Accept: application/problem+json\r\n"))
                answer = wire.answer("GET")
                assert answer.status == 500
                incidents.append(answer.problem()["instance"])
                wire.send(get(b"/a.txt"))
                assert wire.answer("GET").status == 200
    lines = (tmp_path / "errors.log").read_text(encoding="utf-8").splitlines()
    assert len(set(incidents)) == len(lines) == 3
    for incident, line in zip(incidents, lines):
        assert incident in line
        assert "errno 5" in line


@pytest.fixture(name="slow")
def slow_site(tmp_path, root):
    shim = compile_shim(tmp_path, "fail_io")
    make_files(root)
    config = "limits { cache_valid_ms = 0 }\n" + files_route(root, LISTED)
    with Site(tmp_path, config, preload=shim, environment={"SLOW_MS": "20"}) as site:
        yield site


def test_a_slow_disk_changes_no_answer(slow, root):
    (root / "index.html.gz").write_bytes(b"zipped")
    for fields in (b"", b"Accept-Encoding: gzip\r\n"):
        with slow.connect() as wire:
            batch = [(b"/a.txt", 200), (b"/", 200), (b"/missing", 404), (b"/folder", 301), (b"/folder/", 200),
                     (b"/large.bin", 200), (b"/a.txt/", 404), (b"/a.txt", 200)]
            wire.send(b"".join(get(path, fields=fields) for path, _ in batch))
            for path, status in batch:
                answer = wire.answer("GET")
                assert answer.status == status, path
            tag = answer.field("etag").encode()
            wire.send(get(b"/a.txt", fields=b"If-None-Match: " + tag + b"\r\n"))
            assert wire.answer("GET").status == 304
            wire.send(get(b"/large.bin", fields=b"Range: bytes=5-9\r\n"))
            assert wire.answer("GET").content == b"xxxxx"
            wire.send(get(b"/large.bin", b"HEAD") + get(b"/folder/", b"HEAD"))
            assert wire.answer("HEAD").field("content-length") == str(1 << 20)
            assert wire.answer("HEAD").status == 200


def test_a_client_that_leaves_while_the_disk_is_looked_at(slow, root, figure):
    """Its request must outlive it: other requests come to lie where it lay."""
    for i in range(12):
        (root / f"one{i:02}.txt").write_bytes(b"one\n")
        (root / f"two{i:02}.txt").write_bytes(b"two\n")
    assert slow.status(b"/a.txt") == 200
    before = slow.descriptors()
    for i in range(12):
        with slow.connect() as wire:
            wire.send(get(b"/one%02d.txt" % i) if i % 4 else get(b"/folder/"))
            if i % 3 == 0:
                time.sleep(0.005)
        with slow.connect() as wire:
            wire.send(get(b"/two%02d.txt" % i))
            assert wire.answer("GET").content == b"two\n"
    for i in range(12):
        with slow.connect() as wire:
            wire.send(get(b"/one%02d.txt" % i) + get(b"/two%02d.txt" % i))
            assert wire.answer("GET").content == b"one\n"
            assert wire.answer("GET").content == b"two\n"
    wait_until(lambda: slow.descriptors() <= before + 2)
    figure("clients that left in time", 12)


def test_an_answer_that_waited_comes_after_those_that_the_client_did_not_take(tmp_path, root):
    """Pipelined answers fill the connection, while the next one waits for the disk."""
    n = 100
    shim = compile_shim(tmp_path, "fail_io")
    for i in range(n):
        (root / f"{i}.txt").write_bytes(b"%04d" % i * 4000)
    with Site(tmp_path, files_route(root), preload=shim, environment={"SLOW_MS": "2"}) as site:
        narrow = Narrow(site.port)
        with narrow as wire, site.connect() as other:
            wire.send(b"".join(get(b"/%d.txt" % i) for i in range(n)))
            for _ in range(50):
                other.send(get(b"/a.txt"))
                assert other.answer("GET").content == b"a\n"
                time.sleep(0.01)
            for i in range(n):
                if i % 10 == 0:
                    time.sleep(0.02)
                assert wire.answer("GET").content == b"%04d" % i * 4000


def test_a_request_outlives_its_client(tmp_path, root):
    """A client is reset while its answers are stuck and its next request waits for the disk. Where
    that request lay, another one comes to lie at once: the two must not be taken for one another."""
    shim = compile_shim(tmp_path, "fail_io")
    (root / "kilo.txt").write_bytes(b"k" * 16000)
    for i in range(8):
        for j in range(8):
            (root / f"one{i}{j}.txt").write_bytes(b"one\n")
        (root / f"two{i}{i}.txt").write_bytes(b"two\n")
    config = "limits { cache_valid_ms = 60000 }\n" + files_route(root, "precompressed = false")
    with Site(tmp_path, config, preload=shim, environment={"SLOW_MS": "40"}) as site:
        assert site.status(b"/kilo.txt") == 200
        before = site.descriptors()
        for i in range(8):
            with Narrow(site.port) as wire, site.connect() as other:
                for j in range(i + 1):
                    wire.send(get(b"/kilo.txt") * 3 +
                              get(b"/one%d%d.txt" % (i, j)))
                    time.sleep(0.05 if j < i else 0.01)
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                wire.socket.close()
                time.sleep(0.002)
                other.send(get(b"/kilo.txt") * 3 + get(b"/two%d%d.txt" % (i, i), b"PUT"))
                for status in (200, 200, 200, 405):
                    assert other.answer("PUT").status == status
                time.sleep(0.05)
                other.send(get(b"/two%d%d.txt" % (i, i)))
                assert other.answer("GET").content == b"two\n"
        for i in range(8):
            for j in range(i + 1):
                with site.connect() as wire:
                    wire.send(get(b"/one%d%d.txt" % (i, j)))
                    assert wire.answer("GET").content == b"one\n"
        wait_until(lambda: site.descriptors() <= before)


class Narrow(Wire):
    """A client whose buffer for what it receives is small, and which reads little at a time."""

    def __init__(self, port):  # pylint: disable=super-init-not-called
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.buffer = b""
        self.ended = False


def test_an_end_while_the_disk_is_looked_at(tmp_path, root):
    shim = compile_shim(tmp_path, "fail_io")
    with Site(tmp_path, files_route(root), preload=shim, environment={"SLOW_MS": "300"}) as site:
        with site.connect() as wire:
            wire.send(get(b"/a.txt"))
            time.sleep(0.05)
            site.process.terminate()
            assert wire.answer("GET").content == b"a\n"
            wire.expect_end()
        assert site.process.wait(5) == 0
