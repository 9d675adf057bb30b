# SPDX-License-Identifier: Apache-2.0
"""A log reader that others wrote reads every line of the access log."""
import json
import re

import pytest

from earnest_server import Server
from real import route, run, tool

REQUESTS = [
    b"GET /a.txt HTTP/1.1\r\nHost: a\r\n",
    b"GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-2\r\n",
    b"HEAD /a.txt HTTP/1.1\r\nHost: a\r\nUser-Agent: x \"y\" \\z \x1b[31m\xff\r\n",
    b"GET /missing?q=\"1\" HTTP/1.1\r\nHost: a\r\nReferer: http://b.example/\"q\"\r\n",
    b"GET /missing/%22%0A%5C HTTP/1.1\r\nHost: a\r\n",
    b"PUT /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n",
]


FORMATS = {
    "combined": ["--log-format=COMBINED"],
    "json": ['--log-format={"ts":"%x","remote_ip":"%h","method":"%m","host":"%v","uri":"%U","proto":"%H",'
             '"status":"%s","size":"%b","referer":"%R","user_agent":"%u"}',
             "--date-format=%s", "--time-format=%s", "--datetime-format=%s"],
}


@pytest.mark.parametrize("form", FORMATS)
def test_goaccess(tmp_path, form):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"content\n")
    server = Server(tmp_path, route(root))
    text = server.config_path.read_text(encoding="utf-8")
    server.config_path.write_text(text.replace('"combined"', f'"{form}"'), encoding="utf-8")
    with server:
        for request in REQUESTS * 20:
            with server.connect() as wire:
                wire.send(request + b"\r\n")
                wire.answer(request.split()[0].decode())
    lines = server.log_path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(REQUESTS) * 20
    report, invalid = tmp_path / "x.json", tmp_path / "invalid"
    run(tool("goaccess"), server.log_path, *FORMATS[form], "--no-global-config", "-o", report, "--no-progress",
        "--invalid-requests", invalid)
    assert not invalid.exists() or not invalid.read_text(), invalid.read_text()
    general = json.loads(report.read_text(encoding="utf-8"))["general"]
    assert general["total_requests"] == general["valid_requests"] == len(lines)
    assert general["failed_requests"] == 0
    sizes = re.findall(r'" \d{3} (\d+) "|"size":(\d+)', "\n".join(lines))
    sent = sum(int(a or b) for a, b in sizes)
    assert general["bandwidth"] == sent
