# SPDX-License-Identifier: Apache-2.0
"""Chromium, driven by playwright-core; and what lies between it and the server."""
import json
import pathlib
import socket
import struct
import subprocess
import threading
import time

import pytest

from earnest_server import PATIENCE_S, SOURCES
from real import ARTEFACTS, tool

MODULES = SOURCES / "build/cache/node"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--mute-audio",
         "--no-proxy-server", "--disable-dev-shm-usage"]


def package(name):
    """Has a package of Node there; the test is skipped, and says so, where it can not be had."""
    if not (MODULES / "node_modules" / name).exists():
        MODULES.mkdir(parents=True, exist_ok=True)
        (MODULES / "package.json").write_text('{"private": true}')
        command = [tool("npm"), "install", "--no-audit", "--no-fund", "--no-save", name]
        done = subprocess.run(command, cwd=MODULES, capture_output=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"{name} can not be had: {done.stderr[-300:]}")


def script(place, name, **job):
    """The command that runs a script of ours with its job, which is kept in the place."""
    node, chromium = tool("node", "nodejs"), tool("chromium")
    package("playwright-core")
    path = pathlib.Path(place) / "job.json"
    path.write_text(json.dumps({"chromium": chromium, "modules": str(MODULES), "flags": FLAGS,
                                **job}))
    return [node, str(SOURCES / "test/real" / name), str(path)]


class Tab:
    """One tab of Chromium. Its methods are those of Playwright's Page and of tab.js.

    context   options of Playwright's newContext(): locale, colorScheme, viewport ...
    """

    def __init__(self, place, **context):
        self.command = script(place, "tab.js", context={"locale": "en-GB", **context})
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def do(self, name, *values):
        self.process.stdin.write(json.dumps({"do": name, "with": values}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the browser is gone"
        answer = json.loads(line)
        assert "error" not in answer, f"{name} {values}: {answer['error']}"
        return answer["value"]

    def __getattr__(self, name):
        return lambda *values: self.do(name, *values)

    def wait(self, condition):
        """Until an expression of JavaScript is true. (waitForFunction() needs unsafe-eval.)"""
        deadline = time.monotonic() + PATIENCE_S
        while not self.do("evaluate", condition):
            assert time.monotonic() < deadline, f"never: {condition}"
            time.sleep(0.02)

    def press(self, *keys):
        for key in keys:
            self.do("keyboard.press", key)

    def picture(self, name):
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.do("screenshot", {"path": f"{ARTEFACTS}/{name}.png"})


class Relay:
    """Passes connections on to a port, and can be told to stop in the middle.

    passed    bytes that came from clients
    hold_at   as many, after which nothing passes
    mute      what the server says is dropped
    """

    def __init__(self, port):
        self.to, self.hold_at, self.passed, self.mute = port, None, 0, False
        self.change = threading.Condition()
        self.pairs = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:  # the server is away
                near.close()
                continue
            self.pairs.add((near, far))
            threading.Thread(target=self.carry, args=(near, far), daemon=True).start()

    def carry(self, near, far):
        """Both ways, until both have ended."""
        back = threading.Thread(target=self.carry_back, args=(near, far), daemon=True)
        back.start()
        self.copy(near, far, self.passes)
        back.join()
        self.pairs.discard((near, far))
        near.close()
        far.close()

    def carry_back(self, near, far):
        self.copy(far, near, lambda n: not self.mute)

    @staticmethod
    def copy(one, other, may_pass):
        try:
            while data := one.recv(65536):
                if may_pass(len(data)):
                    other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def passes(self, n):
        with self.change:
            self.passed += n
            self.change.notify_all()
            self.change.wait_for(lambda: self.hold_at is None or self.passed < self.hold_at)
            return True

    def hold(self, n):
        """Lets n more bytes of the clients pass, and no others."""
        with self.change:
            self.hold_at = self.passed + n

    def wait_held(self):
        with self.change:
            assert self.change.wait_for(lambda: self.passed >= self.hold_at, PATIENCE_S)

    def go_on(self):
        with self.change:
            self.hold_at = None
            self.change.notify_all()

    def cut(self):
        """Breaks all connections, and lets new ones pass."""
        for end in [end for pair in list(self.pairs) for end in pair]:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.mute = False
        self.go_on()
