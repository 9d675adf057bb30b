# SPDX-License-Identifier: Apache-2.0
"""R-45, R-47, R-48, R-50: reloads, wrong configurations, ends and crashes; and the command line."""
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from earnest_server import PROGRAM, free_port
from scenario import SANITIZED, Site, counts, files_route, get, wait_until


class Load(threading.Thread):
    """Asks without end. A failure is a request that was sent and not answered in full, except where
    an idle connection was ended before any of the answer: that one request is sent again."""

    def __init__(self, site, keep_alive):
        super().__init__()
        self.site, self.keep_alive = site, keep_alive
        self.answers, self.retries, self.failures, self.stopping = 0, 0, [], False

    def ask(self, wire):
        wire.socket.sendall(get(b"/a.txt", close=not self.keep_alive))
        answer = wire.answer("GET")
        assert (answer.status, answer.content) == (200, b"a\n"), answer
        self.answers += 1
        return not answer.closes

    def run(self):
        while not self.stopping:
            used = 0
            try:
                with self.site.connect() as wire:
                    while not self.stopping and self.ask(wire):
                        used += 1
                        time.sleep(0.001)
            except (OSError, AssertionError) as error:
                if used and not wire.buffer and isinstance(error, (OSError, AssertionError)) and (
                        "ends within" in str(error) or isinstance(error, OSError)):
                    self.retries += 1
                else:
                    self.failures.append(repr(error))


class Loads:
    def __init__(self, site, keep_alive, fresh):
        self.all = [Load(site, True) for _ in range(keep_alive)]
        self.all += [Load(site, False) for _ in range(fresh)]

    def __enter__(self):
        for load in self.all:
            load.start()
        return self

    def __exit__(self, *_):
        for load in self.all:
            load.stopping = True
        for load in self.all:
            load.join()

    def failures(self):
        return [failure for load in self.all for failure in load.failures]

    def answers(self):
        return sum(load.answers for load in self.all)

    def retries(self):
        return sum(load.retries for load in self.all)


@pytest.mark.parametrize("n", counts(10, 100))
def test_r45_reloads_under_load(tmp_path, root, n, figure):
    with Site(tmp_path, files_route(root)) as site:
        with Loads(site, 32, 4) as loads:
            for i in range(n):
                assert "reloaded" in site.reload(), i
                time.sleep(0.1)
            # Connections that ask are soon with the new process, and the old ones end.
            wait_until(lambda: len(site.children()) == 1, 40)
        assert loads.failures() == []
        assert loads.answers() > 100 * n / 10
        figure("reloads", f"{n}, {loads.answers()} answers, 0 failed, {loads.retries()} sent again")


def test_a_reload_to_another_address_leaves_nothing_behind(tmp_path, root):
    """A socket that is listened on no more must not take its share of the connections."""
    with Site(tmp_path, files_route(root)) as site:
        text = site.config_path.read_text(encoding="utf-8")
        first, second = site.port, free_port()
        for port in (second, first, second, first):
            changed = text.replace(f":{first}", f":{port}")
            site.config_path.write_text(changed, encoding="utf-8")
            assert "earnest: reloaded" in site.reload()
            site.port = port
            for _ in range(20):
                assert site.status(b"/a.txt") == 200
            other = second if port == first else first
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", other), timeout=5).close()


def mutations(text, n):
    """The configuration with one thing wrong."""
    chance = random.Random(47)
    while n:
        kind, at = chance.randrange(5), chance.randrange(len(text))
        if kind == 0:
            changed = text[:at] + chance.choice('{}="\0;[$\\\x01') + text[at:]
        elif kind == 1:
            changed = text[:at]
        elif kind == 2:
            word = chance.choice(re.findall(r"[a-z_]{4,}", text))
            changed = text.replace(word, word + "x", 1)
        elif kind == 3:
            changed = text + f"limits {{ {chance.choice(['fields_max', 'no_such', 'idle_timeout_ms'])} = -1 }}\n"
        else:
            changed = text[:at] + text[at + chance.randint(1, 30):]
        if changed != text:
            yield changed
            n -= 1


@pytest.mark.parametrize("n", counts(50, 1000))
def test_r47_wrong_configurations_at_reload(tmp_path, root, n, figure):
    place = re.compile(r"earnest\.conf:\d+:\d+: error: \S")
    kept = right = 0
    with Site(tmp_path, files_route(root)) as site:
        text = site.config_path.read_text(encoding="utf-8")
        # A mutation can be a configuration, too: then it says so, and is none of this test.
        tries = (changed for changed in mutations(text, 20 * n) if is_wrong(tmp_path, changed))
        with site.connect() as wire:
            serving = site.serving
            for changed in tries:
                site.config_path.write_text(changed, encoding="utf-8")
                said = site.reload()
                assert "not reloaded; the old configuration goes on" in said, said
                assert place.search(said), said
                assert site.serving == serving
                wire.send(get(b"/a.txt"))
                assert wire.answer("GET").content == b"a\n"
                kept += 1
                if kept == n:
                    break
        site.config_path.write_text(text, encoding="utf-8")
        assert "earnest: reloaded" in site.reload()
        right = site.status(b"/a.txt")
    assert (kept, right) == (n, 200)
    figure("wrong configurations", f"{kept}, the old one went on each time")


def is_wrong(folder, text):
    path = folder / "tried.conf"
    path.write_text(text, encoding="utf-8")
    result = subprocess.run([PROGRAM, "check", path], capture_output=True, check=False)
    assert result.returncode in (0, 1), result
    return result.returncode == 1


def test_r48_sigterm_lets_a_download_finish(tmp_path, root, figure):
    (root / "large.bin").write_bytes(b"x" * (32 << 20))
    with Site(tmp_path, files_route(root)) as site, site.connect() as idle, site.connect() as wire:
        idle.send(get(b"/a.txt"))
        assert idle.answer("GET").status == 200
        wire.send(get(b"/large.bin"))
        length = int(wire.head().field("content-length"))
        begun = wire.bytes(1000)
        start = time.monotonic()
        site.process.send_signal(signal.SIGTERM)
        idle.expect_end()
        ended = time.monotonic() - start
        with pytest.raises(ConnectionRefusedError):
            while time.monotonic() - start < 5:
                with socket.create_connection(("127.0.0.1", site.port), timeout=1):
                    time.sleep(0.01)
        assert site.process.poll() is None
        assert len(wire.bytes(length - len(begun))) == length - len(begun)
        wire.expect_end()
        assert site.process.wait(5) == 0
    assert ended < 1.5
    figure("idle connection ended after", ended * 1000, "ms; the download was whole, exit code 0")


def test_r48_what_takes_too_long_is_cut(tmp_path, root):
    (root / "large.bin").write_bytes(b"x" * (32 << 20))
    config = "limits { drain_timeout_ms = 300 }\n" + files_route(root)
    with Site(tmp_path, config) as site, site.connect() as wire:
        wire.send(get(b"/large.bin"))
        wire.head()
        start = time.monotonic()
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(10) == 0
        assert time.monotonic() - start < 3


def test_r50_a_crash_is_followed_by_another_process(tmp_path, root, figure):
    with Site(tmp_path, files_route(root)) as site:
        with Loads(site, 8, 2) as loads:
            time.sleep(1.2)
            serving, before = site.serving, loads.answers()
            start = time.monotonic()
            os.kill(serving, signal.SIGSEGV)
            wait_until(lambda: site.children() and site.serving != serving)
            wait_until(lambda: loads.answers() > before + 50)
            took = time.monotonic() - start
        said = site.stderr()
        site.config_path.with_name("stderr").write_text(
            re.sub(r"(?s)(=+\d+=+ERROR|AddressSan|UndefinedB|==\d+==).*?ABORTING\n", "", said), "utf-8")
    assert f"process {serving} ended" in said
    assert "GET /a.txt" in said
    assert len(loads.failures()) <= 10
    figure("served again after", took * 1000, f"ms; {len(loads.failures())} requests of 10 clients failed")
    assert took < (3 if SANITIZED else 1)


def run(*arguments, seconds=10):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=seconds, check=False, text=True)


@pytest.mark.parametrize("command", [(), ("serve",), ("check",), ("explain",)])
def test_help_says_usage_and_ends_with_0(command):
    for option in ("-h", "--help"):
        result = run(*command, option)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.lower().startswith("usage: earnest")


@pytest.mark.parametrize("arguments", [(), ("frob",), ("serve",), ("serve", "--frob", "."), ("serve", ".", "."),
                                       ("serve", "--workers", "0", "."), ("serve", "--workers", "x", "."),
                                       ("serve", "--listing", "maybe", "."), ("serve", "-l"), ("check",),
                                       ("serve", "-c", "x", "."), ("check", "--frob"), ("check", "a", "b")])
def test_wrong_usage_ends_with_2(arguments):
    result = run(*arguments)
    assert result.returncode == 2, result
    assert result.stderr
    assert result.stdout == ""


def test_what_cannot_be_served_is_said_and_ends_with_1(tmp_path, root):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        for arguments, word in [(("-l", "127.0.0.1:0", tmp_path / "no such"), "no folder"),
                                (("-l", "127.0.0.1:0", root / "a.txt"), "folder"),
                                (("-l", taken, root), "in use"),
                                (("-l", "192.0.2.250:1", root), "192.0.2.250"),
                                (("-l", "nowhere", root), "nowhere"),
                                (("-c", tmp_path / "no.conf"), "no.conf"),
                                (("--user", "no-such-user", "-l", "127.0.0.1:0", root), "no-such-user"),
                                (("--log", tmp_path / "no" / "log", "-l", "127.0.0.1:0", root), "folder")]:
            result = run("serve", *arguments)
            assert result.returncode == 1, (arguments, result)
            assert word in result.stderr, (arguments, result)


@pytest.mark.parametrize("before, after", [("", ""), ("", 'listen ":%d" {}\n'), ('listen ":%d" {}\n', "")])
def test_a_second_server_leaves_the_address_to_the_first(tmp_path, root, before, after):
    """Each of two would get a part of the connections. Those of one server may cover each other."""
    site = Site(tmp_path, files_route(root))
    config = site.config_path.read_text()
    site.config_path.write_text(before.replace("%d", str(site.port)) + config + after.replace("%d", str(site.port)))
    with site:
        for address in (f"127.0.0.1:{site.port}", f":{site.port}"):
            second = subprocess.run([PROGRAM, "serve", "--listen", address, str(root)], capture_output=True,
                                    text=True, timeout=20, check=False)
            assert second.returncode == 1
            assert f"{address}: Address already in use" in second.stderr
        assert [site.status(b"/a.txt") for _ in range(8)] == [200] * 8


def test_user_drops_what_root_may(tmp_path, root):
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        if folder.stat().st_uid == 0 and str(folder) != "/tmp":
            folder.chmod(folder.stat().st_mode | 0o11)
    (root / "private.txt").write_bytes(b"private\n")
    (root / "private.txt").chmod(0o600)
    (root / "closed").mkdir(mode=0o700)
    (root / "closed" / "a.txt").write_bytes(b"private\n")
    with Site(tmp_path, 'user = "nobody"\n' + files_route(root)) as site:
        with open(f"/proc/{site.serving}/status", encoding="ascii") as status:
            text = status.read()
        assert re.search(r"^Uid:\s+65534\s+65534\s+65534\s+65534$", text, re.M)
        assert re.search(r"^Gid:\s+65534\s+65534\s+65534\s+65534$", text, re.M)
        assert re.search(r"^Cap(Eff|Prm):\s+0+$", text, re.M)
        assert site.status(b"/a.txt") == 200
        assert site.status(b"/private.txt") == 403
        assert site.status(b"/closed/a.txt") == 403
        assert "earnest: reloaded" in site.reload()
        assert site.status(b"/a.txt") == 200
