# SPDX-License-Identifier: Apache-2.0
"""What the tests with real clients share: their programs, their files, their figures."""
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess

import pytest

from earnest_server import SOURCES

ARTEFACTS = SOURCES / "build/artefacts"
MIB = 1 << 20

# Names that go wrong where somebody escapes twice, or not at all.
ODD_NAMES = ["a b", "a+b", "100%", "%41", "a%20b", "ümlaut", "বাংলা", "quote\"'s", "h#ash", "q?uery",
             "a&b=c;d", "<i>", "c:olon", "back\\slash", "tilde~", "[x]{y}|^`", "-dash", "$@!*(),"]

whole = pytest.param("whole", marks=pytest.mark.exam)
in_both_sizes = pytest.mark.parametrize("size", ["quick", whole])


def tool(name, package=None):
    """The path of a program; the test is skipped, and says so, where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian package {package or name})")
    return path


def run(*command, codes=(0,), timeout=120, **options):
    """Runs a client. Returns what it wrote to standard output."""
    environment = {"LC_ALL": "C.UTF-8", "TERM": "dumb", **os.environ, **options.pop("env", {})}
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        environment.pop(name, None)
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False,
                          timeout=timeout, stdin=subprocess.DEVNULL, env=environment, **options)
    assert done.returncode in codes, (
        f"{command[0]} ended with {done.returncode}:\n"
        f"{done.stdout[-2000:].decode(errors='replace')}\n"
        f"{done.stderr[-4000:].decode(errors='replace')}")
    return done.stdout


def random_file(path, size):
    path.write_bytes(random.Random(size).randbytes(size))
    return path


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def route(root, *more):
    """Serves root, with listings."""
    return f'route "/" {{\nfiles = "{root}"\nlisting = true\n' + "\n".join(more) + "\n}\n"


def url(server, path="/"):
    return f"http://127.0.0.1:{server.port}{path}"


def logged(server):
    """The status codes of the access log. Complete once the server has stopped."""
    log = server.log_path.read_text(encoding="utf-8")
    return [int(code) for code in re.findall(r'" (\d{3}) (?:\d+|-) "', log)]


def figure(name, value):
    """Prints a figure, and keeps it in build/artefacts/figures.txt."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with open(ARTEFACTS / "figures.txt", "a", encoding="utf-8") as file:
        file.write(f"{name}: {value}\n")
    print(f"{name}: {value}")


def served_process(server):
    """The process that serves: the child of the supervisor."""
    pid = server.process.pid
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    assert len(children) == 1, f"the supervisor has the children {children}"
    return int(children[0])
