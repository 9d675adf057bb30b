# SPDX-License-Identifier: Apache-2.0
"""Slow clients take nothing from the others: slowhttptest, with good clients beside it."""
import http.client
import subprocess
import time

import pytest

from earnest_server import Server
from real import figure, route, tool, url

pytestmark = pytest.mark.exam
SECONDS = 10
SLOW = 500  # more than connections_address_max, which does not count local clients
KINDS = {"head": ["-H", "-i", "1"], "content": ["-B", "-i", "1", "-s", "8192"],
         "read": ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "10", "-k", "3"]}


def ask(port, source):
    """One request on a connection of its own, from an address of its own: how long did it take?"""
    begin = time.monotonic()
    client = http.client.HTTPConnection("127.0.0.1", port, 5, source_address=(source, 0))
    client.request("GET", "/a.txt")
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (200, b"content\n")
    client.close()
    return time.monotonic() - begin


@pytest.mark.parametrize("kind", KINDS)
def test_slow(tmp_path, kind):
    program = tool("slowhttptest")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"content\n")
    (root / "big.bin").write_bytes(bytes(4 << 20))
    with Server(tmp_path, route(root)) as server:
        target = url(server, "/big.bin" if kind == "read" else "/a.txt")
        command = [program, *KINDS[kind], "-c", str(SLOW), "-r", "250", "-l", str(SECONDS),
                   "-p", "3", "-u", target]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              cwd=tmp_path) as slow:
            times, end = [], time.monotonic() + SECONDS - 1
            while time.monotonic() < end:
                times.append(ask(server.port, "127.0.0.2"))
                time.sleep(0.01)
            # Content that nobody wants is refused at once (405), so that slow content ends early.
            assert kind == "content" or slow.poll() is None, "slowhttptest ended early"
            if slow.poll() is None:
                slow.terminate()
        times.sort()
        worst, nearly = times[-1] * 1000, times[len(times) * 99 // 100] * 1000
        figure(f"{SLOW} slow ({kind}), {len(times)} good requests",
               f"none failed, p99 {nearly:.1f} ms, worst {worst:.1f} ms")
        assert len(times) > 200 and worst < 1000
