# SPDX-License-Identifier: Apache-2.0
"""http-tests/cache-tests, by which caches compare each other (cache-tests.fyi), for a shared cache."""
import collections
import json
import os
import pathlib
import socket
import subprocess
import time

import pytest

from earnest_server import Server, free_port
from real import SOURCES, figure, run, tool

HERE = pathlib.Path(__file__).parent
MARK = 132  # required tests that the best of its peers passes, Apache Traffic Server
# Where a copy of the suite may be; nothing but Node.js is needed to run it.
PLACES = [os.environ.get("CACHE_TESTS"), SOURCES / "build/cache/cache-tests", SOURCES.parent / "cache-tests"]
# Required tests that it does not pass, and never will: each says why.
OURS = {
    "headers-store-Set-Cookie": "who sets a cookie has to say public or s-maxage before the answer is for all",
    "headers-store-Transfer-Encoding": "an answer with a transfer coding that nobody knows is 502",
    "invalidate-M-SEARCH": "M- begins the name of a mandatory request (RFC 2774), which is 510",
    "interim-not-cached": "103 goes to clients of HTTP/1.1 only where a browser opens a page (RFC 8297 3)",
}


def suite():
    for place in PLACES:
        if place and (pathlib.Path(place) / "test-engine/cli.mjs").exists():
            return pathlib.Path(place)
    return pytest.skip("there is no copy of http-tests/cache-tests: CACHE_TESTS names one")


def listens(port):
    try:
        socket.create_connection(("localhost", port), 1).close()
        return True
    except OSError:
        return False


@pytest.fixture(name="origin")
def server_of_the_suite(tmp_path):
    folder, port = suite(), free_port()
    environment = {**os.environ, "npm_config_protocol": "http", "npm_config_port": str(port),
                   "npm_config_pidfile": str(tmp_path / "pid")}
    with subprocess.Popen([tool("node"), "test-engine/server/server.mjs"], cwd=folder, env=environment,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 10
        while not listens(port):
            assert process.poll() is None and time.monotonic() < end, "the server of the suite does not start"
            time.sleep(0.05)
        yield port
        process.terminate()


@pytest.mark.exam
def test_required_tests(tmp_path, origin):
    config = (f'state = "{tmp_path}"\nroute "/" {{ proxy = {{ "http://127.0.0.1:{origin}" }} cache = true }}\n')
    with Server(tmp_path, config) as server:
        out = run(tool("node"), "--no-warnings", HERE / "cache_suite.mjs", suite(),
                  f"http://127.0.0.1:{server.port}", cwd=tmp_path, timeout=300).decode()
    tests = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    ends = collections.Counter((test["kind"], test["end"]) for test in tests)
    figure("cache-tests", ", ".join(f"{kind} {end} {n}" for (kind, end), n in sorted(ends.items())))
    failed = [test for test in tests if test["kind"] == "required" and test["end"] == "fail"]
    surprises = [test for test in failed if test["id"] not in OURS and not test["id"].startswith("cdn-")]
    assert not surprises, surprises
    assert ends["required", "pass"] >= MARK
