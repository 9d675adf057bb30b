# SPDX-License-Identifier: Apache-2.0
"""What the scenarios share: a server that can be looked into, and shims for its C library."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from earnest_server import PROGRAM, SOURCES, Server

SANITIZED = b"__asan_init" in pathlib.Path(PROGRAM).read_bytes()
# A line of the access log: whatever a stranger wrote, it is one line.
COMBINED = re.compile(
    rb'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
    rb'"((?:[ !#-\[\]-~]|\\x[0-9a-f]{2})*)" (\d{3}) \d+ '
    rb'"(?:[ !#-\[\]-~]|\\x[0-9a-f]{2})*" "(?:[ !#-\[\]-~]|\\x[0-9a-f]{2})*" rule=\w+( aborted( by=client)?)?')


def counts(short, full):
    """Parameters for a scenario that has a short and a full form."""
    return [pytest.param(short, id="short"), pytest.param(full, id="full", marks=pytest.mark.exam)]


def files_route(root, more=""):
    return f'route "/" {{ files = "{root}" {more} }}'


def limits(**rows):
    return "\nlimits { " + " ".join(f"{name} = {value}" for name, value in rows.items()) + " }"


def get(path, method=b"GET", fields=b"", close=False):
    """A request as bytes."""
    return b"%s %s HTTP/1.1\r\nHost: a.example\r\n%s%s\r\n" % (
        method, path, fields, b"Connection: close\r\n" if close else b"")


def wait_until(true, seconds=10, pause=0.01):
    """Waits for true() to be true. Returns the seconds that took."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds, f"not so after {seconds} s"
        time.sleep(pause)
    return time.monotonic() - start


class Site(Server):
    """A server that can be looked into.

    preload  a shim to load into it
    log      the lines of the section "log"; None: as Server has it
    """

    def __init__(self, folder, config, listen="", environment=None, preload=None, log=None):
        environment = dict(environment or {})
        if preload:
            environment["LD_PRELOAD"] = str(preload)
            environment["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
        super().__init__(folder, config, listen, environment)
        if log is not None:
            lines = self.config_path.read_text(encoding="utf-8").splitlines()
            lines = [line if not line.startswith("log {") else f"log {{ {log} }}" for line in lines]
            self.config_path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def __enter__(self):
        super().__enter__()
        wait_until(lambda: "serving on" in self.stderr())
        return self

    def children(self):
        """The processes that serve, the youngest last."""
        pid = self.process.pid
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(child) for child in text.split()]

    def kill(self):
        """Every process of the server at once, as a power switch would."""
        pids = [self.process.pid, *self.children()]
        self.process.send_signal(signal.SIGSTOP)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    @property
    def serving(self):
        return self.children()[-1]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.serving}/fd"))

    def cpu_s(self):
        """Processor time of the process that serves."""
        stat = pathlib.Path(f"/proc/{self.serving}/stat").read_text(encoding="ascii")
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name="Pss"):
        """Bytes of memory of the process that serves."""
        rollup = pathlib.Path(f"/proc/{self.serving}/smaps_rollup").read_text(encoding="ascii")
        line = next(line for line in rollup.splitlines() if line.startswith(name + ":"))
        return int(line.split()[1]) * 1024

    def status(self, path=b"/", method=b"GET", fields=b""):
        """The status of one request on a connection of its own."""
        with self.connect() as wire:
            wire.send(get(path, method, fields, close=True))
            return wire.answer(method.decode()).status

    def reload(self):
        """SIGHUP; returns what standard error says of it."""
        before = len(self.stderr())
        self.process.send_signal(1)
        wait_until(lambda: "reloaded" in self.stderr()[before:])
        return self.stderr()[before:]


def compile_shim(folder, name):
    """Compiles test/lib/NAME.c to be loaded before the C library."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("no C compiler to make the shim with")
    shim = pathlib.Path(folder) / f"{name}.so"
    subprocess.run([compiler, "-O1", "-Wall", "-shared", "-fPIC", "-o", shim,
                    SOURCES / "test/lib" / f"{name}.c", "-ldl"], check=True)
    return shim
