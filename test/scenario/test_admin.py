# SPDX-License-Identifier: Apache-2.0
"""The admin socket: what a server says of itself, and sites that are paused (RFC 9110 15.6.4)."""
import base64
import json
import os
import socket
import stat
import subprocess

import pytest

from earnest_server import PROGRAM
from scenario import Site, compile_shim, files_route, get, wait_until


def ctl(*arguments, command=("ctl",)):
    return subprocess.run([PROGRAM, *command, *arguments], capture_output=True, text=True,
                          check=False, timeout=30)


def objects(done):
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Admin(Site):
    """A server with an admin socket."""

    def __init__(self, tmp_path, root, more="", config=None, preload=None):
        self.path = tmp_path / "admin.sock"
        super().__init__(tmp_path, f'admin = "{self.path}"\n{more}\n'
                         + (config or files_route(root)), preload=preload)

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


ANN = '"$y$j75$kEpsA1tYkEpsA1tY$JIRHXLKDnnkdsg0dgIi7Fusw8eyyfhh9Owx2LgI8sz4"'
LOGIN = b"Authorization: Basic YW5uOnNlY3JldA==\r\n"  # ann:secret


def test_allowed_users_pass(tmp_path, root):
    more = f'user "ann" {{ password = {ANN} }}\nuser "bob" {{ password = {ANN} }}\n'
    config = files_route(root, 'auth = "basic"')
    with Admin(tmp_path, root, more + 'pause_allow_users = "ann"', config) as site:
        assert site.ctl("pause", "-").returncode == 0
        assert site.status(b"/a.txt", fields=LOGIN) == 200
        for other in (b"bob:secret", b"ann:wrong", b"eve:secret"):
            fields = b"Authorization: Basic %s\r\n" % base64.b64encode(other)
            assert site.status(b"/a.txt", fields=fields) == 503
        assert site.status(b"/a.txt") == 503


def test_a_reload_says_what_became_of_it(tmp_path, root):
    with Admin(tmp_path, root) as site:
        before, right = site.serving, site.config_path.read_text()
        assert site.ctl("reload").returncode == 0
        assert site.serving != before
        status, = objects(site.ctl("status"))
        assert (status["process"], status["reloaded"], status["refused"]) == (site.serving, 1, 0)
        before = site.serving
        site.config_path.write_text(right + "no such key\n")
        refused = site.ctl("reload")
        assert (refused.returncode, refused.stdout) == (1, "") and "not reloaded" in refused.stderr
        assert site.serving == before and objects(site.ctl("status"))[0]["refused"] == 1
        site.config_path.write_text(right)
        os.kill(before, 9)
        wait_until(lambda: site.children() and site.serving != before and site.path.exists()
                   and site.ctl("status").returncode == 0)
        status, = objects(site.ctl("status"))
        assert (status["reloaded"], status["refused"]) == (1, 1)


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


@pytest.mark.parametrize("verb", ["ctl", "status", "limits", "pause", "resume", "reload", "drain",
                                  "credit", "locks", "unlock", "jobs", "incident"])
def test_each_verb_is_a_command(verb):
    assert ctl("--help", command=(verb,)).stdout.startswith("Usage: earnest ctl")
    nowhere = ctl("--admin", "/nowhere.sock", *(["x"] if verb in ("pause", "resume", "unlock", "incident") else []),
                  command=(verb,))
    assert nowhere.returncode == (2 if verb == "ctl" else 1)


LOCK = (b'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
        b'<D:locktype><D:write/></D:locktype><D:owner>ann</D:owner></D:lockinfo>')


def test_locks_are_listed_and_broken(tmp_path, root):
    with Admin(tmp_path, root, f'state = "{tmp_path}/state"',
               f'route "/dav/" {{ files = "{root}" write = true }}') as site, site.connect() as wire:
        assert objects(site.ctl("locks")) == []
        wire.send(b"LOCK /dav/a.txt HTTP/1.1\r\nHost: a.example\r\nTimeout: Second-600\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(LOCK), LOCK))
        token = wire.answer("LOCK").field("lock-token").strip("<>")
        lock, = objects(site.ctl("locks"))
        assert (lock["path"], lock["token"], lock["scope"]) == ("/dav/a.txt", token, "exclusive")
        assert "ann" in lock["owner"] and 590 <= lock["seconds"] <= 600
        assert site.status(b"/dav/a.txt", b"DELETE") == 423
        assert objects(site.ctl("unlock", token)) == [{"unlocked": token}]
        assert objects(site.ctl("locks")) == []
        assert site.ctl("unlock", token).returncode == 1
        assert site.status(b"/dav/a.txt", b"DELETE") == 204


def test_more_locks_than_one_piece_holds(tmp_path, root):
    with Admin(tmp_path, root, f'state = "{tmp_path}/state"',
               files_route(root, "write = true")) as site, site.connect() as wire:
        for i in range(300):
            wire.send(b"LOCK /%d.txt HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n%s"
                      % (i, len(LOCK), LOCK))
            assert wire.answer("LOCK").status == 201
        assert len({lock["path"] for lock in objects(site.ctl("locks"))}) == 300


def test_jobs_are_listed(tmp_path, root):
    (root / "many").mkdir()
    for i in range(20):
        (root / "many" / f"{i}.txt").write_text("x")
    with Admin(tmp_path, root, f'state = "{tmp_path}/state"',
               files_route(root, "write = true")) as site:
        fields = b"Prefer: respond-async\r\nDestination: /copy/\r\n"
        assert site.status(b"/many/", b"COPY", fields) == 202
        wait_until(lambda: objects(site.ctl("jobs"))[0]["state"] == "done")
        job, = objects(site.ctl("jobs"))
        assert (job["method"], job["path"], job["to"]) == ("COPY", "/many", "/copy")


def test_demands_in_force(tmp_path, root):
    record = tmp_path / "demands.conf"
    record.write_text('demand "R 1" { path = "/x" authority = "https://c.example/1" }\n'
                      'demand "R 2" { path = "/y" authority = "https://c.example/2" '
                      'until = "2001-01-01" }\n')
    with Admin(tmp_path, root, f'legal = "{record}"') as site:
        demand, = objects(site.ctl("legal"))
        assert demand == {"demand": "R 1", "path": "/x", "authority": "https://c.example/1"}


def test_an_incident_is_told(tmp_path, root):
    """What can not be read is our fault: its answer has an id, by which it is remembered."""
    (root / "eio.txt").write_bytes(b"unreadable\n")
    with Admin(tmp_path, root, preload=compile_shim(tmp_path, "fail_io")) as site:
        with site.connect() as wire:
            wire.send(get(b"/eio.txt?token=abc"))
            answer = wire.answer("GET")
        why, = objects(site.ctl("incident", answer.problem()["instance"]))
        assert (answer.status, why["method"], why["target"]) == (500, "GET", "/eio.txt")
        assert (why["rule"], why["error"]) == ("broke", "Input/output error")
        assert site.ctl("incident", "0123456789abcdef").returncode == 1


@pytest.mark.parametrize("verb", ["locks", "jobs", "legal", "credit"])
def test_what_there_is_not_is_said(tmp_path, root, verb):
    with Admin(tmp_path, root) as site:
        done = site.ctl(verb)
        assert done.returncode == 1 and "error" in done.stderr
