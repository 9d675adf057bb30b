# SPDX-License-Identifier: Apache-2.0
"""R-16 to R-19 and R-25: clients that want everything for themselves."""
import os
import random
import resource
import selectors
import signal
import socket
import statistics
import threading
import time

import pytest

from scenario import SANITIZED, Site, counts, files_route, get, wait_until


def raise_descriptors():
    """As many descriptors for this test as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Drip(threading.Thread):
    """Connections that never finish: heads by the byte, and answers that nobody reads."""

    def __init__(self, site, n):
        super().__init__()
        self.stopping = False
        self.timeouts = 0
        self.sockets = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(n)]
        for i, each in enumerate(self.sockets):
            each.setblocking(False)
            if i % 5 == 0:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                each.send(get(b"/large.bin"))
            elif i % 5 == 1:
                each.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
            else:
                each.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")

    def run(self):
        while not self.stopping:
            for i, each in enumerate(self.sockets):
                try:
                    if i % 5:
                        each.send(b"x")
                        if b" 408 " in each.recv(100):
                            self.timeouts += 1
                    else:
                        each.recv(1)
                except OSError:
                    pass
            time.sleep(0.1)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()
        for each in self.sockets:
            each.close()


@pytest.mark.parametrize("n", counts(500, 5000))
def test_r16_slow_clients(tmp_path, root, n, figure):
    raise_descriptors()
    (root / "large.bin").write_bytes(b"x" * (16 << 20))
    config = "limits { header_timeout_ms = 1000 send_stall_ms = 5000 }\n" + files_route(root)
    times = []
    with Site(tmp_path, config) as site, Drip(site, n) as drip:
        end = time.monotonic() + 2.5
        wires = [site.connect() for _ in range(20)]
        while time.monotonic() < end:
            for wire in wires:
                asked = time.monotonic()
                wire.send(get(b"/a.txt"))
                assert wire.answer("GET").content == b"a\n"
                times.append(time.monotonic() - asked)
            time.sleep(0.02)
        for wire in wires:
            wire.socket.close()
        assert drip.timeouts >= n * 2 // 5
        timeouts = drip.timeouts
    p99 = statistics.quantiles(times, n=100)[98] * 1000
    figure("p99 of 20 good clients", p99, f"ms, {len(times)} answers, {timeouts} slow ones told 408")
    assert p99 < (500 if SANITIZED else 50)


def test_r17_idle_connections(tmp_path, root, figure):
    descriptors = raise_descriptors()
    n = min(10_000, descriptors - 200)
    with Site(tmp_path, f"limits {{ connections_max = {n + 100} }}\n" + files_route(root)) as site:
        for _ in range(50):
            assert site.status(b"/a.txt") == 200
        before = site.memory("Pss"), site.memory("Rss")
        idle = []
        try:
            for i in range(n):
                each = socket.socket()
                each.bind((f"127.0.0.{2 + i % 50}", 0))
                each.connect(("127.0.0.1", site.port))
                idle.append(each)
                each.sendall(get(b"/a.txt"))
                assert each.recv(4096).startswith(b"HTTP/1.1 200 ")
            grown = [(after - b) / n for after, b in
                     zip((site.memory("Pss"), site.memory("Rss")), before)]
            for each in idle:
                each.sendall(get(b"/a.txt"))
                assert each.recv(4096).startswith(b"HTTP/1.1 200 ")
        finally:
            for each in idle:
                each.close()
    figure("idle connections", f"{n}, all answer twice; bytes each: PSS {grown[0]:.0f}, "
                               f"RSS {grown[1]:.0f}")
    assert max(grown) <= 2048 or SANITIZED


def open_many(port, n):
    """Connections, as many as the kernel gives; the server may have left some in its queue."""
    sockets = []
    for _ in range(n):
        each = socket.socket()
        each.settimeout(5)
        each.connect(("127.0.0.1", port))
        sockets.append(each)
    return sockets


def test_r18_no_descriptors_left(tmp_path, root, figure):
    raise_descriptors()
    config = "limits { connections_max = 1000 linger_ms = 500 }\n" + files_route(root)
    with Site(tmp_path, config) as site:
        serving = site.serving
        assert site.status(b"/a.txt") == 200
        resource.prlimit(serving, resource.RLIMIT_NOFILE, (64, 64))
        sockets = open_many(site.port, 500)
        wait_until(lambda: site.descriptors() >= 62)
        time.sleep(0.3)
        refused = 0
        for each in sockets:
            each.setblocking(False)
            try:
                said = each.recv(4096)
                refused += b" 503 " in said and b"\r\nRetry-After: " in said
            except (BlockingIOError, ConnectionResetError):
                pass
        assert refused >= 400, refused
        cpu, start = site.cpu_s(), time.monotonic()
        time.sleep(1)
        load = (site.cpu_s() - cpu) / (time.monotonic() - start)
        for each in sockets:
            each.close()
        took = wait_until(lambda: site.status(b"/a.txt") == 200)
        assert site.serving == serving
    figure("no descriptors", f"{refused} of 500 told 503 + Retry-After, processor {load * 100:.1f} % while "
                             f"full, served again after {took * 1000:.0f} ms")
    assert load < 0.05
    assert took < 1


def test_r18_a_low_limit_from_the_start(tmp_path, root):
    """With 64 descriptors the server knows: it serves fewer at a time, and says so to the others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Site(tmp_path, files_route(root)) as site:
        text = f'ulimit -n 64; exec "$0" serve -c "{site.config_path}"'
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(5) == 0
        import subprocess  # pylint: disable=import-outside-toplevel
        from earnest_server import PROGRAM  # pylint: disable=import-outside-toplevel
        site.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["/bin/sh", "-c", text, PROGRAM], stderr=open(tmp_path / "stderr", "ab"))
        wait_until(site.accepts)
        wires = [site.connect() for _ in range(10)]
        for wire in wires:
            wire.send(get(b"/a.txt"))
        assert [wire.answer("GET").status for wire in wires] == [200] * 10
        many = open_many(site.port, 200)
        told = [each.recv(4096)[:13] for each in many[100:]]
        assert told.count(b"HTTP/1.1 503 ") >= 95
        for each in [wire.socket for wire in wires] + many:
            each.close()
        wait_until(lambda: site.status(b"/a.txt") == 200)
    assert (soft, hard) == resource.getrlimit(resource.RLIMIT_NOFILE)


RANGES = {
    "16 of one byte": b",".join(b"%d-%d" % (i * 1000, i * 1000) for i in range(16)),
    "200 of one byte": b",".join(b"%d-%d" % (i * 100, i * 100) for i in range(200)),
    "5000 of one byte": b",".join(b"%d-%d" % (i, i) for i in range(0, 10000, 2))[:8000].rsplit(b",", 1)[0],
    "5000 of 0-": b"0-," * 2600 + b"0-",
    "16 overlapping": b",".join(b"%d-" % i for i in range(16)),
    "2 overlapping": b"0-60000,1-",
    "3 the same": b"0-,0-,0-",
    "16 of the whole": b",".join([b"0-65535"] * 16),
    "suffixes": b",".join(b"-%d" % i for i in range(1, 17)),
    "backwards": b",".join(b"%d-%d" % (i, i) for i in range(1500, 0, -100)),
    "adjacent": b",".join(b"%d-%d" % (i * 4096, i * 4096 + 4095) for i in range(16)),
}


def test_r19_ranges(tmp_path, root, figure):
    size = 65536
    (root / "r.bin").write_bytes(random.Random(19).randbytes(size))
    worst = 0.0
    with Site(tmp_path, files_route(root)) as site:
        for name, spec in RANGES.items():
            with site.connect() as wire:
                wire.send(get(b"/r.bin", fields=b"Range: bytes=" + spec + b"\r\n", close=True))
                while wire.more():
                    pass
                out = len(wire.buffer)
                answer = wire.answer("GET")
            kept = answer.content.count(b"Content-Range: bytes ") if answer.status == 206 else 1
            assert answer.status in (200, 206), name
            assert kept <= 16, name
            assert out <= 1.1 * size + 200 * max(kept, 2), (name, out)
            if "16 of one" in name or "suffixes" not in name and answer.status == 206:
                worst = max(worst, out / size)
    figure("worst bytes out for a file's byte", worst)


def fields_that_collide(n):
    """Names that one sum, and one djb2, cannot tell apart."""
    pairs = [b"Ez", b"FY"]  # 33 * 'E' + 'z' = 33 * 'F' + 'Y'
    return [b"".join(pairs[i >> bit & 1] for bit in range(8)) for i in range(n)]


def time_of(wire, message, n):
    start = time.process_time(), time.monotonic()
    wire.send(message * n)
    for _ in range(n):
        wire.answer("GET")
    return time.monotonic() - start[1]


def test_r25_names_that_collide(tmp_path, root, figure):
    chance = random.Random(25)
    letters = b"abcdefghijklmnopqrstuvwxyz"
    alike = b"".join(name + b": x\r\n" for name in fields_that_collide(98))
    other = b"".join(bytes(chance.choices(letters, k=16)) + b": x\r\n" for _ in range(98))
    with Site(tmp_path, files_route(root)) as site:
        spent = {}
        for name, fields in [("warm", other), ("alike", alike), ("random", other)]:
            cpu = site.cpu_s()
            with site.connect() as wire:
                for _ in range(60):
                    time_of(wire, get(b"/a.txt", fields=fields), 20)
            spent[name] = site.cpu_s() - cpu
    figure("processor seconds for 1,200 heads of 98 names", f"alike {spent['alike']:.2f}, random "
                                                            f"{spent['random']:.2f}")
    assert spent["alike"] <= 2 * spent["random"] + 0.05


@pytest.mark.parametrize("n", counts(20_000, 100_000))
def test_r25_paths_that_are_not_there(tmp_path, root, n, figure):
    """Any number of distinct paths: time as for one, and memory within the limits of the cache."""
    config = "limits { cache_entries_max = 2000 cache_bytes_max = 1048576 }\n" + files_route(root)
    with Site(tmp_path, config) as site, site.connect() as wire:
        def run(paths):
            cpu = site.cpu_s()
            for at in range(0, len(paths), 50):
                batch = paths[at:at + 50]
                wire.send(b"".join(get(path, b"HEAD") for path in batch))
                for _ in batch:
                    assert wire.answer("HEAD").status == 404
            return site.cpu_s() - cpu
        run([b"/warm%d" % i for i in range(4000)])
        before = site.memory("Rss")
        chance = random.Random(25)
        pairs = [b"Ez", b"FY"]
        alike = run([b"/" + b"".join(pairs[i >> bit & 1] for bit in range(17)) for i in range(n)])
        other = run([b"/%034x" % chance.getrandbits(136) for _ in range(n)])
        grown = site.memory("Rss") - before
    figure("distinct missing paths", f"{n}: {alike:.2f} s alike, {other:.2f} s random, memory +{grown} bytes")
    assert alike <= 2 * other + 0.1
    assert grown < 2 << 20 or SANITIZED
