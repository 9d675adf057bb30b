# SPDX-License-Identifier: Apache-2.0
"""R-40, R-41: disks that are full, read-only, or fail; state that is damaged. A write is whole or
absent, its status says which, and what was there before is as it was.
"""
import contextlib
import os
import pathlib
import sqlite3
import subprocess
import time

import pytest

from dav import LOCK, Dav
from scenario import Site, wait_until

OLD = b"old content\n" * 1000


@pytest.fixture(name="disk")
def small_disk(tmp_path):
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False,
                          capture_output=True)
    if done.returncode:
        pytest.skip("to mount a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def writable(tmp_path, root, more=""):
    return f'state = "{tmp_path}/state"\nroute "/" {{ files = "{root}" write = true {more} }}'


def staged(root):
    return [p.name for p in (root / ".earnest").iterdir()]


def test_full_disk(tmp_path, disk):
    """507, before the write where the quota tells and in it where the disk does."""
    (disk / "a.bin").write_bytes(OLD)
    with Site(tmp_path, writable(tmp_path, disk)) as site, Dav(site.port) as dav:
        answer = dav("PUT", "/a.bin", os.urandom(2 << 20))
        assert answer.status == 507, answer
        dav.hang_up()
        assert (disk / "a.bin").read_bytes() == OLD
        (disk / "tree").mkdir()
        (disk / "tree" / "big.bin").write_bytes(os.urandom(600 << 10))
        assert dav("COPY", "/tree/", Destination="/wood/").status in (507, 207)
        assert not (disk / "wood").exists()
        assert dav("GET", "/a.bin").content == OLD
        wait_until(lambda: staged(disk) == [])
        assert dav("PUT", "/c.bin", b"x" * 1000).status == 201


def test_quota(tmp_path, root):
    """507 by Content-Length, without a byte of content asked for; deletion gives room again."""
    with Site(tmp_path, writable(tmp_path, root, 'quota = "100K"')) as site:
        with Dav(site.port) as dav:
            assert dav("PUT", "/big.bin", b"x" * 60000).status == 201
            dav.send("PUT", "/more.bin", Content_Length=60000, Expect="100-continue")
            answer = dav.wire.answer("PUT")
            assert answer.status == 507 and not answer.interim, answer
            dav.hang_up()
            found = dav.find("/", ["{DAV:}quota-used-bytes", "{DAV:}quota-available-bytes"])["/"]
            used = int(found["{DAV:}quota-used-bytes"][1].text)
            free = int(found["{DAV:}quota-available-bytes"][1].text)
            assert 60000 <= used <= 61000 and used + free == 100 * 1024
            assert dav("COPY", "/big.bin", Destination="/copy.bin").status == 507
            assert dav("DELETE", "/big.bin").status == 204
            assert dav("PUT", "/more.bin", b"x" * 60000).status == 201


def test_full_state(tmp_path, root, disk):
    """The state has no room: 503 for what must be remembered, and nothing changed; reading goes on,
    and so does what needs not be remembered. No lock is lost, and with room all goes on."""
    config = f'state = "{disk}/state"\nroute "/" {{ files = "{root}" write = true }}'
    site = Site(tmp_path, config)
    site.__enter__()
    with Dav(site.port) as dav:
        token = dav.lock("/a.txt", Timeout="Second-3600")
        with open(disk / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))
        large = {"{urn:x}a": "x" * 30_000}
        for refused in (lambda: dav.set("/b.txt", large), lambda: dav("DELETE", "/b.txt"),
                        lambda: dav("LOCK", "/c.txt", LOCK % (b"exclusive", b"ann" * 10_000))):
            dav("PUT", "/b.txt", b"b")
            answers = {refused().status for _ in range(20)}  # what is left of its log is used up
            assert answers <= {503, 507, 207, 204, 201, 404, 423} and 503 in answers, answers
        assert dav("GET", "/a.txt").content == b"a\n"
        assert dav("PUT", "/a.txt", b"x").status == 423
    site.kill()
    (disk / "ballast").unlink()
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        assert dav("PUT", "/a.txt", b"x").status == 423
        assert dav("UNLOCK", "/a.txt", Lock_Token=f"<{token}>").status == 204
        assert dav.set("/a.txt", large).status == 207


def test_damaged_state(tmp_path, root):
    """503 for what needs the state, with Retry-After; reading goes on."""
    config = writable(tmp_path, root)
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        dav.lock("/a.txt")
    for path in (tmp_path / "state").iterdir():
        path.write_bytes(os.urandom(max(path.stat().st_size, 4096)))
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        assert dav("GET", "/a.txt").status == 200
        for method in ("PUT", "PROPFIND", "LOCK", "DELETE"):
            answer = dav(method, "/a.txt", b"" if method == "PUT" else None)
            assert answer.status == 503, answer
            assert answer.problem() is None or answer.problem()["rule"] == "state_unreachable"
            assert int(answer.field("retry-after")) > 0
        assert "state cannot be reached" in site.stderr()


def test_busy_state(tmp_path, root):
    """Another process holds the database: 503 after a while, and nothing changed."""
    with Site(tmp_path, writable(tmp_path, root)) as site, Dav(site.port) as dav:
        assert dav.set("/a.txt", {"{urn:x}a": "1"}).status == 207
        other = sqlite3.connect(tmp_path / "state" / "earnest.db", timeout=1)
        other.execute("begin immediate")
        dav.send("DELETE", "/a.txt")
        dav.wire.socket.settimeout(30)
        answer = dav.wire.answer("DELETE")
        assert answer.status == 503, answer
        assert (root / "a.txt").exists()
        other.rollback()
        assert dav("DELETE", "/a.txt").status == 204


def test_read_only(tmp_path, root):
    """A folder that the server may not write to: 403, not 500."""
    if os.geteuid() == 0:
        done = subprocess.run(["mount", "--bind", root, root], check=False, capture_output=True)
        if done.returncode:
            pytest.skip("to make a folder read-only needs to mount")
    try:
        with Site(tmp_path, writable(tmp_path, root)) as site, Dav(site.port) as dav:
            assert dav("PUT", "/warm.txt", b"x").status == 201
            subprocess.run(["mount", "-o", "remount,ro,bind", root], check=True)
            answer = dav("PUT", "/a.txt", b"new")
            assert answer.status == 403, answer
            assert dav("GET", "/a.txt").content == b"a\n"
    finally:
        subprocess.run(["umount", "-l", root], check=False)


def test_start_after_a_crash(tmp_path, root, figure):
    """R-44: ready in two seconds with 100,000 locks and a million properties to remember."""
    config = writable(tmp_path, root)
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        token = dav.lock("/a.txt", Timeout="Second-3600")
        dav.set("/a.txt", {"{urn:x}a": "1"})
    database = sqlite3.connect(tmp_path / "state" / "earnest.db")
    grow(database)
    database.close()
    start = time.monotonic()
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        assert dav("PUT", "/a.txt", b"x").status == 423
        figure("first answer after", time.monotonic() - start, "s")
        assert time.monotonic() - start < 2
        assert dav("UNLOCK", "/a.txt", Lock_Token=f"<{token}>").status == 204


def grow(database):
    """Copies the lock and the property many times, whatever the columns are."""
    def copies(table, n, changed):
        columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
        picked = ", ".join(changed.get(c, c) for c in columns)
        database.execute(f"with recursive n(i) as (select 1 union all select i + 1 from n "
                         f"where i < {n}) insert into {table} select {picked} "
                         f"from (select * from {table} limit 1), n")
    copies("lock", 100_000, {"token": "token || i", "path": "'/many/' || i"})
    copies("property", 1_000_000, {"path": "'/many/' || (i / 10)", "name": "name || i"})
    database.commit()


def test_leftovers_are_swept(tmp_path, root):
    """What a crash left in the staging folder is gone after a start."""
    config = writable(tmp_path, root)
    with Site(tmp_path, config):
        pass
    (root / ".earnest" / ("0" * 32)).write_bytes(b"half a file")
    (root / ".earnest" / ("1" * 32)).mkdir()
    (root / ".earnest" / ("1" * 32) / "a").write_bytes(b"half a tree")
    for path in pathlib.Path(root / ".earnest").iterdir():
        os.utime(path, (1, 1))
    with Site(tmp_path, config):
        wait_until(lambda: staged(root) == [])
