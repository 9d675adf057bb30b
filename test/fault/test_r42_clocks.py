# SPDX-License-Identifier: Apache-2.0
"""R-42: the clock is set, by an hour and by ten years, while the server runs and while it does not.
Locks, tombstones and uploads live as long as they were said to, neither shorter nor for ever; dates
are those of the clock, and a file that did not change has the entity tag that it had.
"""
import pathlib
import subprocess
import time

import pytest

import earnest_server
from dav import Dav
from earnest_server import seconds_of
from scenario import Site, wait_until

FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
HOUR, YEARS = 3600, 10 * 365 * 86400
UPLOAD = {"Upload_Draft_Interop_Version": "8"}


class Clock:
    """What the server takes for the time: the machine's, and so many seconds."""

    def __init__(self, folder):
        self.path, self.off = pathlib.Path(folder) / "clock", 0
        self.set(0)
        self.loaded = {"preload": FAKETIME,
                       "environment": {"FAKETIME_TIMESTAMP_FILE": str(self.path),
                                       "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
                                       "FAKETIME_DONT_FAKE_MONOTONIC": "1"}}

    def set(self, seconds):
        self.off = seconds
        new = self.path.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n", encoding="ascii")
        new.rename(self.path)

    def now(self):
        return time.time() + self.off


class Things:
    """What is to live on: two locks, two names that are gone, an upload; and a file as it is."""

    def __init__(self, port):
        with Dav(port) as dav:
            self.begun = time.monotonic()
            dav.lock("/short/a.txt", Timeout="Second-3")
            assert dav("DELETE", "/short/b.txt").status == 204
            dav.lock("/a.txt", Timeout="Second-1000")
            assert dav("DELETE", "/b.txt").status == 204
            self.etag = dav("GET", "/c.txt").field("etag")
            answer = dav("PUT", "/new.bin", b"12345", Upload_Complete="?0", **UPLOAD)
            self.upload = answer.field("location")
            self.token = dav.find("/", ["{DAV:}sync-token"])["/"]["{DAV:}sync-token"][1].text

    def age(self):
        return time.monotonic() - self.begun

    def live(self, port, clock):
        """Those that have time left are there, and know how much."""
        with Dav(port) as dav:
            answer = dav("GET", "/c.txt", If_None_Match=self.etag)
            assert (answer.status, answer.field("etag")) == (304, self.etag), answer
            answer = dav("GET", "/c.txt")
            assert abs(seconds_of(answer.field("date")) - clock.now()) <= 3, answer
            changed = answer.field("last-modified")
            assert changed is None or seconds_of(changed) <= seconds_of(answer.field("date"))
            assert dav("PUT", "/a.txt", b"x").status == 423
            assert abs(self.lock_left(dav) - (1000 - self.age())) <= 2
            assert dav("GET", "/b.txt").status == 410
            answer = dav("HEAD", self.upload, **UPLOAD)
            assert (answer.status, answer.field("upload-offset")) == (204, "5"), answer
            left = int(answer.field("upload-limit").rsplit("max-age=", 1)[1])
            assert abs(left - (60 - self.age())) <= 2
            assert dav("PUT", "/c.txt", b"changed").status == 204
            (etag, self.etag) = self.etag, dav("GET", "/c.txt").field("etag")
            assert etag != self.etag

    @staticmethod
    def lock_left(dav):
        found = dav.find("/a.txt", ["{DAV:}lockdiscovery"])["/a.txt"]
        text = found["{DAV:}lockdiscovery"][1].find(".//{DAV:}timeout").text
        return int(text.removeprefix("Second-"))

    def short_live(self, port):
        """Are the three seconds not over yet? They are right by a second."""
        with Dav(port) as dav:
            age = self.age()
            locked = dav("PUT", "/short/a.txt", b"x").status == 423
            gone = dav("GET", "/short/b.txt").status == 410
            for alive in (locked, gone):
                assert alive or self.age() > 2, f"over after {age:.1f} s of 3"
                assert not alive or age < 4.5, f"not over after {age:.1f} s of 3"
            return locked or gone


@pytest.fixture(name="config")
def configuration(tmp_path, root):
    (root / "short").mkdir()
    for path in ("b.txt", "c.txt", "short/a.txt", "short/b.txt"):
        (root / path).write_text(path)
    return (f'state = "{tmp_path}/state"\nlimits {{ upload_seconds_max = "60s" }}\n'
            f'route "/" {{ files = "{root}" write = true tombstones = "1d" }}\n'
            f'route "/short/" {{ files = "{root}/short" write = true tombstones = "3s" }}\n')


@pytest.mark.parametrize("step", [
    pytest.param(HOUR, id="hour-on"), pytest.param(-YEARS, id="years-back"),
    pytest.param(-HOUR, id="hour-back", marks=pytest.mark.exam),
    pytest.param(YEARS, id="years-on", marks=pytest.mark.exam)])
def test_clock_is_set(tmp_path, config, step):
    """While it runs; it is started again with the clock as it is now; and it is set back."""
    if not FAKETIME.exists():
        pytest.skip("libfaketime is not installed (Debian package faketime)")
    clock = Clock(tmp_path)
    with Site(tmp_path, config, **clock.loaded) as site:
        things = Things(site.port)
        clock.set(step)
        things.live(site.port, clock)
        things.short_live(site.port)
        with Dav(site.port) as dav:  # what changed before cannot be told from what did after
            answer = dav("REPORT", "/", (f'<sync-collection xmlns="DAV:"><sync-token>{things.token}'
                                         "</sync-token><sync-level>1</sync-level><prop/>"
                                         "</sync-collection>").encode())
            assert b"valid-sync-token" in answer.content, answer
    with Site(tmp_path, config, **clock.loaded) as site:
        things.live(site.port, clock)
        things.short_live(site.port)
        clock.set(0)
        things.live(site.port, clock)
        wait_until(lambda: not things.short_live(site.port))
        things.live(site.port, clock)


@pytest.mark.parametrize("on", [
    pytest.param(YEARS, id="years"),
    pytest.param(1000, id="minutes", marks=pytest.mark.exam)])
def test_time_namespace(tmp_path, config, monkeypatch, on):
    """Started where CLOCK_BOOTTIME is another one, as in a container, and where it is the machine's
    again: it is another boot, and what is remembered lives on by the date."""
    program = tmp_path / "elsewhere"
    program.write_text(f'#!/bin/sh\nexec unshare -T --boottime {on} {earnest_server.PROGRAM} "$@"\n')
    program.chmod(0o755)
    if subprocess.run([program, "--version"], check=False, capture_output=True).returncode:
        pytest.skip("to make a time namespace needs root, and unshare that knows of them")
    clock = Clock(tmp_path)
    with Site(tmp_path, config) as site:
        things = Things(site.port)
        things.live(site.port, clock)
    with monkeypatch.context() as patch:
        patch.setattr(earnest_server, "PROGRAM", program)
        with Site(tmp_path, config) as site:
            things.live(site.port, clock)
            things.short_live(site.port)
    with Site(tmp_path, config) as site:
        things.live(site.port, clock)
        wait_until(lambda: not things.short_live(site.port))


@pytest.mark.exam
@pytest.mark.parametrize("step", [HOUR, -HOUR, -YEARS])
def test_uploads_do_not_live_for_ever(tmp_path, config, step):
    if not FAKETIME.exists():
        pytest.skip("libfaketime is not installed (Debian package faketime)")
    clock = Clock(tmp_path)
    with Site(tmp_path, config, **clock.loaded) as site, Dav(site.port) as dav:
        things = Things(site.port)
        clock.set(step)
        time.sleep(57 - things.age())
        assert dav("HEAD", things.upload).status == 204
        time.sleep(63 - things.age())
        assert dav("HEAD", things.upload).status == 404
