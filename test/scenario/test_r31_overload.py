# SPDX-License-Identifier: Apache-2.0
"""Too much at once is turned away, with 503 and a time to come back, before anything breaks (R-31)."""
import concurrent.futures
import contextlib
import os
import pathlib
import socket

import pytest

from scenario import SANITIZED, Site, compile_shim, files_route, get, wait_until

GROUPS = pathlib.Path("/sys/fs/cgroup")
MEMORY = 64 << 20


def ask(site, path):
    with site.connect() as wire:
        wire.send(get(path, close=True))
        return wire.answer("GET")


def make_files(root, n):
    for i in range(n):
        (root / f"{i}.txt").write_bytes(b"%d\n" % i)


@pytest.mark.parametrize("limits, name, at_once", [
    ("pool_queue_max = 8", "pool_queue_max", 64),
    ("requests_max = 8", "requests_max", 64),
])
def test_what_is_too_much_is_turned_away(tmp_path, root, limits, name, at_once):
    """Disks that are slow, and more requests for them than may wait: none of those begun fails."""
    make_files(root, at_once)
    config = f"limits {{ {limits} cache_valid_ms = 0 }}\n" + files_route(root)
    with Site(tmp_path, config, preload=compile_shim(tmp_path, "fail_io"),
              environment={"SLOW_MS": "50"}) as site:
        with concurrent.futures.ThreadPoolExecutor(at_once) as threads:
            answers = list(threads.map(lambda i: ask(site, b"/%d.txt" % i), range(at_once)))
        assert {a.status for a in answers} == {200, 503}
        for answer in answers:
            if answer.status == 503:
                assert answer.field("retry-after") == "1"
                assert answer.problem()["rule"] == "overloaded"
                assert answer.problem()["limit"]["name"] == name
        wait_until(lambda: ask(site, b"/0.txt").status == 200)


class Group:
    """A control group with a limit of memory, of version 1 or 2."""

    def __init__(self, memory):
        self.v1 = (GROUPS / "memory").is_dir()
        top = GROUPS / "memory" if self.v1 else GROUPS
        self.folder = top / f"earnest-test-{os.getpid()}"
        lines = pathlib.Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
        ours = next(line.split(":", 2)[2] for line in lines
                    if line.split(":")[1] == ("memory" if self.v1 else ""))
        self.home = top / ours.strip("/") / "cgroup.procs"
        try:
            self.folder.mkdir()
            limit = "memory.limit_in_bytes" if self.v1 else "memory.max"
            (self.folder / limit).write_text(str(memory), encoding="ascii")
        except OSError as error:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
            pytest.skip(f"no control group can be made here: {error}")

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def leave(self):
        self.home.write_text(str(os.getpid()), encoding="ascii")

    def kills(self):
        name = "memory.oom_control" if self.v1 else "memory.events"
        text = (self.folder / name).read_text(encoding="ascii")
        return int(next(line.split()[1] for line in text.splitlines() if "oom_kill " in line + " "
                        and line.startswith("oom_kill ")))

    def most(self):
        name = "memory.max_usage_in_bytes" if self.v1 else "memory.peak"
        return int((self.folder / name).read_text(encoding="ascii"))


@pytest.fixture(name="group")
def small_group():
    group = Group(MEMORY)
    yield group
    wait_until(lambda: not (group.folder / "cgroup.procs").read_text(encoding="ascii"))
    group.folder.rmdir()


def half_a_head(site):
    """A connection that asks something large, and does not come to the end of it."""
    link = socket.create_connection(("127.0.0.1", site.port), 10)
    link.settimeout(0.1)
    fields = b"".join(b"X-%d: %s\r\n" % (i, b"x" * 7000) for i in range(2))
    with contextlib.suppress(OSError):
        link.sendall(b"GET /" + b"y" * 7000 + b" HTTP/1.1\r\nHost: a.example\r\n" + fields)
    return link


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more memory than there is")
def test_r31_little_memory(tmp_path, root, group, figure):
    """64 MiB, and three times as many connections as fit, each with a request as large as may be."""
    group.enter()
    try:
        site = Site(tmp_path, files_route(root))
        site.__enter__()  # pylint: disable=unnecessary-dunder-call
    finally:
        group.leave()
    pid, links, turned_away = site.serving, [], 0
    try:
        for _ in range(1200):
            links.append(half_a_head(site))
            if len(links) > 250 and turned_away < 100:
                with contextlib.suppress(OSError):
                    turned_away += links[-1].recv(100).startswith(b"HTTP/1.1 503 ")
        assert turned_away == 100
        figure("peak of memory", group.most() / (1 << 20), "MiB")
        assert (group.kills(), site.serving) == (0, pid)
    finally:
        for link in links:
            link.close()
        wait_until(lambda: ask(site, b"/a.txt").status == 200, 15)
        site.__exit__(None, None, None)
    assert group.kills() == 0
