# SPDX-License-Identifier: Apache-2.0
"""Load generators see no error. How quick it is, bench/ measures; here it must only be right."""
import re

import pytest

from earnest_server import Server
from real import figure, logged, route, run, tool, url

pytestmark = pytest.mark.exam
CLIENTS = 64


@pytest.fixture(name="server")
def served(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"content " * 128)
    (root / "big.bin").write_bytes(bytes(1 << 20))
    (root / "folder").mkdir()
    for n in range(50):
        (root / "folder" / f"{n}.txt").touch()
    server = Server(tmp_path, route(root))
    with server:
        yield server
    assert set(logged(server)) <= {200}


PATHS = ["/a.txt", "/big.bin", "/folder/"]


@pytest.mark.parametrize("path", PATHS)
def test_wrk(server, path):
    text = run(tool("wrk"), f"-c{CLIENTS}", "-t1", "-d2s", url(server, path)).decode()
    assert "Socket errors" not in text and "Non-2xx" not in text, text
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)[1]
    assert float(rate) > 0
    figure(f"wrk -c{CLIENTS} -d2s {path}", f"{rate}/s, no socket error, no non-2xx")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("keep", [True, False])
def test_ab(server, path, keep):
    """ab speaks HTTP/1.0: with "Connection: Keep-Alive", or a connection each."""
    n = 5000 if path == "/a.txt" else 500
    flags = ["-k"] if keep else []
    # -l: a listing is sent as it comes, its Content-Length is not known beforehand
    text = run(tool("ab", "apache2-utils"), "-q", "-l", *flags, f"-c{CLIENTS}", f"-n{n}",
               url(server, path)).decode()
    assert re.search(rf"Complete requests:\s+{n}\n", text), text
    assert re.search(r"Failed requests:\s+0\n", text), text
    assert "Non-2xx" not in text, text
    if keep and path != "/folder/":
        assert re.search(rf"Keep-Alive requests:\s+{n}\n", text), text
    rate = re.search(r"Requests per second:\s+([\d.]+)", text)[1]
    figure(f"ab {'-k ' if keep else ''}-c{CLIENTS} {path}", f"{rate}/s, none failed")


@pytest.mark.parametrize("path", PATHS)
def test_h2load(server, path):
    n = 20000 if path == "/a.txt" else 1000
    text = run(tool("h2load", "nghttp2-client"), "--h1", f"-c{CLIENTS}", f"-n{n}",
               url(server, path)).decode()
    assert f"{n} succeeded, 0 failed, 0 errored, 0 timeout" in text, text
    assert f"status codes: {n} 2xx" in text, text
    rate = re.search(r"finished in [^,]+, ([\d.]+) req/s", text)[1]
    figure(f"h2load --h1 -c{CLIENTS} {path}", f"{rate}/s, none failed")
