# SPDX-License-Identifier: Apache-2.0
"""The admin socket: what a server says of itself, and sites that are paused (RFC 9110 15.6.4)."""
import json
import os
import socket
import stat
import subprocess

import pytest

from earnest_server import PROGRAM
from scenario import Site, files_route, get, wait_until


def ctl(*arguments, command=("ctl",)):
    return subprocess.run([PROGRAM, *command, *arguments], capture_output=True, text=True,
                          check=False, timeout=30)


def objects(done):
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Admin(Site):
    """A server with an admin socket."""

    def __init__(self, tmp_path, root, more="", config=None):
        self.path = tmp_path / "admin.sock"
        super().__init__(tmp_path, f'admin = "{self.path}"\n{more}\n' + (config or files_route(root)))

    def ctl(self, *arguments):
        return ctl("--admin", str(self.path), *arguments)


def test_status_and_limits(tmp_path, root):
    with Admin(tmp_path, root) as site:
        with site.connect():
            wait_until(lambda: objects(site.ctl("status"))[0]["connections"] == 1)
        status, = objects(site.ctl("status"))
        assert status["supervisor"] == site.process.pid and status["process"] == site.serving
        limits = {o["limit"]: o["value"] for o in objects(site.ctl("limits"))}
        assert limits["header_timeout_ms"] == 10000
        assert stat.S_IMODE(site.path.stat().st_mode) == 0o600
    assert not site.path.exists()


def test_a_site_is_paused_and_resumed(tmp_path, root):
    config = f'site "a.example" {{ {files_route(root)} }}\nsite "b.example" {{ {files_route(root)} }}'
    other = b"GET /a.txt HTTP/1.1\r\nHost: b.example\r\n\r\n"
    with Admin(tmp_path, root, config=config) as site, site.connect() as wire:
        assert objects(site.ctl("pause", "a.example", "--for", "1h")) == [
            {"site": "a.example", "paused_s": 3600}]
        for path in (b"/a.txt", b"/missing"):
            wire.send(get(path))
            answer = wire.answer("GET")
            assert answer.status == 503 and 3590 <= int(answer.field("retry-after")) <= 3600
            assert answer.problem()["rule"] == "unavailable"
        wire.send(other)
        assert wire.answer("GET").status == 200
        assert objects(site.ctl("status"))[1]["site"] == "a.example"
        assert objects(site.ctl("resume", "A.EXAMPLE"))[0]["paused_s"] == 0
        assert site.status(b"/a.txt") == 200


def test_a_pause_ends_by_itself(tmp_path, root):
    with Admin(tmp_path, root) as site:
        assert site.ctl("pause", "-", "--for", "1s").returncode == 0
        assert site.status(b"/a.txt") == 503
        wait_until(lambda: site.status(b"/a.txt") == 200, 5)


def test_allowed_networks_pass(tmp_path, root):
    with Admin(tmp_path, root, 'pause_allow = { "127.0.0.1" }') as site:
        assert site.ctl("pause", "-").returncode == 0
        assert site.status(b"/a.txt") == 200
        with socket.create_connection(("127.0.0.1", site.port), 10, ("127.0.0.2", 0)) as stranger:
            stranger.sendall(get(b"/a.txt"))
            assert stranger.recv(100).startswith(b"HTTP/1.1 503 ")


def test_a_pause_outlives_reload_and_crash(tmp_path, root):
    with Admin(tmp_path, root) as site:
        assert site.ctl("pause", "-").returncode == 0
        before = site.serving
        assert site.ctl("reload").returncode == 0
        wait_until(lambda: objects(site.ctl("status"))[0]["process"] != before)
        assert site.status(b"/a.txt") == 503
        before = site.serving
        os.kill(before, 9)
        wait_until(lambda: site.children() and site.serving != before and site.path.exists()
                   and site.ctl("status").returncode == 0)
        assert site.status(b"/a.txt") == 503
        assert site.ctl("resume", "-").returncode == 0
        assert site.status(b"/a.txt") == 200


def test_uploads_are_paused_too(tmp_path, root):
    with Admin(tmp_path, root, f'state = "{tmp_path}/state"',
               files_route(root, "write = true")) as site:
        assert site.ctl("pause", "-").returncode == 0
        assert site.status(b"/.earnest/upload/x") == site.status(b"/.earnest/job/x") == 503


def test_drain_stops_the_server(tmp_path, root):
    with Admin(tmp_path, root) as site:
        assert site.ctl("drain").returncode == 0
        assert site.process.wait(10) == 0


@pytest.mark.parametrize("arguments, code", [
    (("pause", "nowhere.example"), 1), (("pause", "-", "--for", "0s"), 1), (("resume", "x"), 1),
    (("pause", "-", "--for", "31d"), 1), (("pause", "-", "--for", "soon"), 2), ((), 2),
    (("explode",), 1),
])
def test_what_can_not_be_done(tmp_path, root, arguments, code):
    with Admin(tmp_path, root) as site:
        done = site.ctl(*arguments)
        assert done.returncode == code and done.stderr and not done.stdout
        assert site.status(b"/a.txt") == 200


def test_who_says_nothing_holds_nobody_up(tmp_path, root):
    with Admin(tmp_path, root) as site:
        with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as noisy:
            silent.connect(str(site.path))
            noisy.connect(str(site.path))
            noisy.sendall(b"x" * 4096)
            assert objects(site.ctl("status"))[0]["supervisor"] == site.process.pid


def test_a_file_is_not_replaced(tmp_path, root):
    (tmp_path / "admin.sock").write_text("mine")
    with pytest.raises(AssertionError, match="did not start"), Admin(tmp_path, root):
        pass
    assert (tmp_path / "admin.sock").read_text() == "mine"


@pytest.mark.parametrize("verb", ["ctl", "status", "limits", "pause", "resume", "reload", "drain"])
def test_each_verb_is_a_command(verb):
    assert ctl("--help", command=(verb,)).stdout.startswith("Usage: earnest ctl")
    nowhere = ctl("--admin", "/nowhere.sock", *(["x"] if verb in ("pause", "resume") else []),
                  command=(verb,))
    assert nowhere.returncode == (2 if verb == "ctl" else 1)
