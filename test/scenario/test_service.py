# SPDX-License-Identifier: Apache-2.0
"""The service manager's part, over real sockets: it opens, listens to what we say, and watches."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

from earnest_server import PROGRAM, SOURCES, Wire, free_port
from scenario import files_route, get, wait_until


class Manager:
    """Starts the program as systemd does, and hears it."""

    def __init__(self, folder, root, watchdog_ms=0, abstract=False, sockets=1):
        self.folder, self.watchdog_ms = folder, watchdog_ms
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"\0earnest-{os.getpid()}" if abstract else str(folder / "notify")
        self.ear.bind(name)
        self.ear.settimeout(15)
        self.notify = name.replace("\0", "@")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets, self.process, self.heard = sockets, None, []
        (folder / "earnest.conf").write_text(
            f'listen "127.0.0.1:{self.port}" {{ }}\nworkers = 2\n'
            f'log {{ file = "{folder}/access.log" }}\n{files_route(root)}\n', encoding="utf-8")

    def start(self, listen_pid="$$"):
        variables = f"LISTEN_PID={listen_pid} LISTEN_FDS={self.sockets} NOTIFY_SOCKET={self.notify}"
        if self.watchdog_ms:
            variables += f" WATCHDOG_PID=$$ WATCHDOG_USEC={self.watchdog_ms * 1000}"
        line = f'exec 3<&{self.listener.fileno()}; exec env {variables} "$0" serve -c earnest.conf'
        with open(self.folder / "stderr", "wb") as errors:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(["bash", "-c", line, PROGRAM], cwd=self.folder, stderr=errors,
                                            pass_fds=[self.listener.fileno()])
        return self.process

    def hears(self, word):
        """Waits until a message has this line; those before it are kept."""
        while True:
            lines = self.ear.recv(4096).decode().splitlines()
            self.heard.append(lines)
            if word in lines:
                return lines

    def get(self):
        with Wire(self.port) as wire:
            wire.send(get(b"/a.txt", close=True))
            return wire.answer("GET").content

    def serving(self):
        pid = self.process.pid
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return int(text.split()[0])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(15)
        self.ear.close()
        self.listener.close()


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_reloading_ready_stopping(tmp_path, root, abstract):
    with Manager(tmp_path, root, abstract=abstract) as manager:
        manager.hears("READY=1")
        assert manager.get() == b"a\n"
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        manager.process.send_signal(signal.SIGHUP)
        said = dict(line.split("=") for line in manager.hears("RELOADING=1"))
        assert before <= int(said["MONOTONIC_USEC"]) <= before + 5_000_000
        manager.hears("READY=1")
        assert manager.get() == b"a\n"
        manager.process.send_signal(signal.SIGTERM)
        manager.hears("STOPPING=1")
        assert manager.process.wait(15) == 0
    assert [lines[0] for lines in manager.heard] == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


def test_a_socket_that_was_given_outlives_the_server(tmp_path, root):
    """Who asks while nothing serves waits, and is answered by the next."""
    with Manager(tmp_path, root) as manager:
        manager.hears("READY=1")
        manager.process.send_signal(signal.SIGTERM)
        assert manager.process.wait(15) == 0
        with Wire(manager.port) as wire:  # nobody is there
            wire.send(get(b"/a.txt", close=True))
            manager.start()
            assert wire.answer("GET").content == b"a\n"


def test_a_socket_for_somebody_else_is_not_taken(tmp_path, root):
    manager = Manager(tmp_path, root)
    with contextlib.closing(manager.ear), contextlib.closing(manager.listener):
        process = manager.start(listen_pid=1)
        assert process.wait(15) == 1  # the address is in use: by the socket that is not ours
    assert "in use" in (tmp_path / "stderr").read_text(encoding="utf-8")


def test_a_socket_that_no_listen_names_is_said(tmp_path, root):
    with Manager(tmp_path, root) as manager:
        manager.hears("READY=1")
        (tmp_path / "earnest.conf").write_text(
            f'listen "127.0.0.1:{free_port()}" {{ }}\nworkers = 1\n{files_route(root)}\n', encoding="utf-8")
        said = f"127.0.0.1:{manager.port} for us, which no listen names"
        assert said not in (tmp_path / "stderr").read_text(encoding="utf-8")
        manager.process.send_signal(signal.SIGHUP)
        manager.hears("RELOADING=1")
        manager.hears("READY=1")
        assert said in (tmp_path / "stderr").read_text(encoding="utf-8")


def test_the_watchdog_hears_who_turns_and_no_one_who_is_stuck(tmp_path, root):
    with Manager(tmp_path, root, watchdog_ms=2000) as manager:
        manager.hears("READY=1")
        start = time.monotonic()
        for _ in range(4):
            manager.hears("WATCHDOG=1")
        assert time.monotonic() - start < 4
        serving = manager.serving()
        os.kill(serving, signal.SIGSTOP)  # it is there, and does nothing
        try:
            time.sleep(7)
            manager.ear.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    manager.ear.recv(4096)
            manager.ear.settimeout(3)
            with pytest.raises(TimeoutError):
                manager.hears("WATCHDOG=1")
        finally:
            os.kill(serving, signal.SIGCONT)
        manager.ear.settimeout(10)
        manager.hears("WATCHDOG=1")


def test_rotated_logs_are_left_alone(tmp_path, root):
    """As logrotate does: the file gets another name, and SIGHUP makes a new one. No line is lost."""
    with Manager(tmp_path, root) as manager:
        manager.hears("READY=1")
        log, old = tmp_path / "access.log", tmp_path / "access.log.1"
        manager.get()
        log.rename(old)
        manager.get()
        manager.process.send_signal(signal.SIGHUP)
        manager.hears("RELOADING=1")
        manager.hears("READY=1")
        manager.get()
        wait_until(lambda: log.exists() and b"GET /a.txt" in log.read_bytes())
        manager.process.send_signal(signal.SIGTERM)
        assert manager.process.wait(15) == 0
        assert old.read_bytes().count(b"GET /a.txt") == 2
        assert log.read_bytes().count(b"GET /a.txt") == 1


def test_the_unit_is_right_and_little_is_exposed(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("no systemd-analyze")
    for name in ("earnest.service", "earnest.socket"):
        text = (SOURCES / "service" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/usr/bin/earnest", PROGRAM), encoding="utf-8")
    units = [tmp_path / "earnest.service", tmp_path / "earnest.socket"]
    result = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    ours = [line for line in result.stderr.splitlines() if "earnest" in line]
    assert ours == [], ours
    result = subprocess.run([analyze, "security", "--offline=true", "--threshold=25", units[0]],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("variables, arguments, code, word", [
    ({"EARNEST_LISTEN": "nowhere"}, ["serve", "."], 1, "nowhere"),
    ({"EARNEST_LISTEN": "nowhere"}, ["serve", "--listen", "elsewhere", "."], 1, "elsewhere"),
    ({"EARNEST_CONFIG": "no.conf"}, ["serve"], 1, "no.conf"),
    ({"EARNEST_CONFIG": "no.conf", "EARNEST_HOST": "a.example"}, ["serve"], 2, "nothing else"),
    ({"EARNEST_WORKERS": "0"}, ["serve", "."], 2, "can not be used"),
    ({"EARNEST_PORT": "0"}, ["peer"], 2, "port"),
    ({"EARNEST_PORT": "0"}, ["tour"], 2, "port"),
    ({"EARNEST_ADMIN": "/there/is/none"}, ["ctl", "status"], 1, "/there/is/none"),
    ({"EARNEST_ADMIN": "/there/is/none"}, ["status"], 1, "/there/is/none"),
    ({"EARNEST_ADMIN": "/there/is/none"}, ["status", "--admin", "/nor/there"], 1, "/nor/there"),
    ({"EARNEST_ADMIN": "/there/is/none"}, ["why", "1-2"], 1, "/there/is/none"),
    ({"EARNEST_FOR": "soon"}, ["pause", "-"], 2, "wrong usage"),
    ({"EARNEST_KEYS": "1"}, ["check"], 0, "listen"),
    ({"EARNEST_KEYS": "0"}, ["check"], 2, "Usage"),
    ({"EARNEST_JSON": "1"}, ["explain", "412"], 0, '{"code":412,'),
    ({"EARNEST_LANG": "bn"}, ["explain", "412"], 0, "অর্থ"),
    ({"EARNEST_LANG": "bn"}, ["explain", "--lang=en", "412"], 0, "Meaning"),
    ({"EARNEST_DIGEST": "a:b"}, ["passwd", "ann"], 2, "Usage"),
    ({"EARNEST_CONTENT": "no.pdf"}, ["legal", "add", "f", "1"], 2, "no.pdf"),
    ({"EARNEST_TIMEOUT": "soon"}, ["audit", "http://localhost:1/"], 2, "can not be used"),
    ({"EARNEST_HELP": "1"}, ["check"], 2, "Usage"),
    ({"EARNEST_FIELD": "x" * 9000}, ["audit", "http://localhost:1/"], 2, "too much"),
])
def test_flags_can_be_in_the_environment(tmp_path, variables, arguments, code, word):
    result = subprocess.run([PROGRAM, *arguments], cwd=tmp_path, env={**os.environ, "LC_ALL": "C", **variables},
                            capture_output=True, text=True, timeout=10, check=False)
    assert result.returncode == code, result
    assert word in (result.stdout + result.stderr).replace("cannot", "can not"), result
