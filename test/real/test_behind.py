# SPDX-License-Identifier: Apache-2.0
"""A WebDAV server behind a gateway that speaks TLS for it: Apache's mod_dav, by curl and litmus."""
import pathlib
import re

import pytest

from earnest_server import Server
from real import figure, run, tool, url
from test_audit_peers import peer, prepare
from tls import make_certificate


@pytest.fixture(name="dav")
def mod_dav(tmp_path):
    prepare(tmp_path)
    with peer(tmp_path, "Apache") as (port, _):
        yield f'route "/" {{\nproxy = {{ "http://127.0.0.1:{port}" }}\n}}\n', tmp_path / "root/area"


def test_names_of_ours_are_the_servers(tmp_path, dav):
    """Destination and If name https, which the server does not speak (RFC 4918 10.3, 10.4.2)."""
    conf, area = dav
    with Server(tmp_path, conf, make_certificate(tmp_path)) as site:
        base = f"https://a.example:{site.port}/area"

        def curl(*words):
            out = run(tool("curl"), "-sk", "--http1.1", "--resolve", f"a.example:{site.port}:127.0.0.1", "-i", *words)
            return int(out.split()[1]), out.decode()

        assert curl("-X", "COPY", "-H", f"Destination: {base}/b.txt", base + "/page.txt")[0] == 201
        assert (area / "b.txt").read_bytes() == (area / "page.txt").read_bytes()
        assert curl("-X", "MOVE", "-H", f"Destination: {base}/c.txt", base + "/b.txt")[0] == 201
        assert (area / "c.txt").exists() and not (area / "b.txt").exists()
        assert curl("-X", "MOVE", "-H", "Destination: https://b.example/area/d.txt", base + "/c.txt")[0] == 502
        assert (area / "c.txt").exists()
        status, out = curl("-X", "LOCK", "--data", '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>'
                           "<locktype><write/></locktype></lockinfo>", base + "/c.txt")
        assert status == 200
        token = re.search(r"lock-token: (<[^>]*>)", out, re.I)[1]
        assert curl("-X", "DELETE", base + "/c.txt")[0] == 423
        assert curl("-X", "DELETE", "-H", f'If: <{base}/c.txt> ({token} ["another"])', base + "/c.txt")[0] == 412
        assert curl("-X", "DELETE", "-H", f"If: <{base}/c.txt> ({token})", base + "/c.txt")[0] == 204


@pytest.mark.parametrize("suite", ["basic", "copymove", "props", "locks", "http"])
def test_litmus(tmp_path, dav, suite):
    """No gateway is to be seen: what mod_dav passes it passes behind one, too."""
    conf, _ = dav
    tool("litmus")
    program = pathlib.Path("/usr/libexec/litmus") / suite
    direct = re.search(r'http://[^"]*', conf)[0]
    with Server(tmp_path, conf) as server:
        said = [re.search(r"of (\d+) tests run: (\d+) passed, (\d+) failed", run(
            program, "--htdocs", "/usr/share/litmus/htdocs", base + "/area/", cwd=tmp_path, codes=(0, 1)
        ).decode(errors="replace")) for base in (direct, url(server).rstrip("/"))]
    assert all(said)
    figure(f"litmus {suite} behind a gateway", said[1][0])
    assert said[1].groups() == said[0].groups() and int(said[1][3]) == 0
