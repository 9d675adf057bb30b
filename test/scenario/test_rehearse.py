# SPDX-License-Identifier: Apache-2.0
"""`earnest explain -c FILE -- REQUEST` says what a server with this configuration would, and does nothing."""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from earnest_server import PROGRAM, SOURCES
from scenario import Site, files_route
from tls import make_certificate

sys.path.insert(0, str(SOURCES / "test/codes"))
import test_codes as codes  # pylint: disable=wrong-import-position

# Decided by what is only there in a server: others who ask, content on its way or made, a connection.
NOT_HERE = {"overloaded", "rate_limit", "request_timeout", "switching", "tunnelled", "captive_portal",
            "accepted", "delta"}


def rehearse(conf, *arguments, code=0):
    done = subprocess.run([PROGRAM, "explain", "--json", "-c", str(conf), "--", *map(str, arguments)],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def asked(vector):
    """The arguments that say the one request of a vector; None where they can not."""
    if len(vector.exchanges) != 1 or vector.held or vector.listener != "listen" or "h1" in vector.excluded:
        return None
    if any("fields" in limit for limit in vector.limits): # the command line adds some of its own
        return None
    exchange, = vector.exchanges
    text = b"".join(piece for piece in exchange.head if isinstance(piece, bytes))
    if vector.upstream or {"cgi", "fastcgi"} & set(vector.route): # others would have to be asked
        return None
    if exchange.raw or exchange.has_content or b"$" in text or exchange.rule in NOT_HERE:
        return None
    line, *fields = text.decode("utf-8").rstrip("\r\n").split("\r\n")
    match = re.fullmatch(r"(\S+) (/\S*) HTTP/1\.1", line)
    hosts = [field for field in fields if field.lower().startswith("host:")]
    if not match or len(hosts) != 1 or any(f.lower().startswith("content-length") for f in fields):
        return None
    arguments = ["-X", match[1]]
    for field in fields:
        arguments += ["-H", field]
    if not any(field.lower().startswith("accept:") for field in fields):
        arguments += ["-H", "Accept: */*"]
    return [*arguments, match[2]]


VECTORS = [(name, vector, asked(vector)) for name, vector in codes.vectors()]
VECTORS = [pytest.param(vector, arguments, id=name) for name, vector, arguments in VECTORS if arguments]


def test_there_are_vectors_enough():
    assert len(VECTORS) > 120
    assert len({param.values[0].exchanges[0].rule for param in VECTORS}) > 25


@pytest.mark.parametrize("vector, arguments", VECTORS)
def test_it_says_what_the_server_says(vector, arguments, tmp_path):
    root = tmp_path / "root"
    vector.make(root)
    conf = tmp_path / "site.conf"
    listen = "\n".join(vector.listen)
    conf.write_text(f'listen "127.0.0.1:8080" {{\n{listen}\n}}\n{vector.configuration(root, "127.0.0.1:9")}\n',
                    encoding="utf-8")
    before = sorted(root.rglob("*"))
    said = rehearse(conf, *arguments)
    exchange, = vector.exchanges
    assert (said["answers"][-1]["status"], said["why"]["rule"]) == (exchange.statuses[-1], exchange.rule)
    assert sorted(root.rglob("*")) == before


def test_a_path_is_enough_and_a_client_can_be_named(tmp_path, root):
    conf = tmp_path / "site.conf"
    conf.write_text(files_route(root, 'allow = { "192.0.2.0/24" }'), encoding="utf-8")
    assert rehearse(conf, "/a.txt")["why"]["rule"] == "forbidden"
    said = rehearse(conf, "--from", "192.0.2.7", "/a.txt")
    assert said["why"]["rule"] == "ok" and said["why"]["request"]["client"] == "192.0.2.7"
    assert "no IP address" in rehearse(conf, "--from", "x", "/a.txt", code=2)
    assert rehearse(conf, "--from", "2001:db8::1", "http://a.example:8080/a.txt")["why"]["rule"] == "forbidden"


def test_tls_is_what_the_url_says(tmp_path, root):
    conf = tmp_path / "site.conf"
    conf.write_text(f'listen ":8443" {{ {make_certificate(tmp_path)} }}\nlisten ":8080" {{ }}\n'
                    + files_route(root, "require = tls"), encoding="utf-8")
    assert rehearse(conf, "https://localhost/a.txt")["why"]["rule"] == "ok"
    assert rehearse(conf, "http://localhost/a.txt")["why"]["rule"] == "upgrade_required"
    conf.write_text(files_route(root), encoding="utf-8")
    assert "no listener" in rehearse(conf, "https://localhost/a.txt", code=1)


def test_what_a_server_remembers_is_seen_and_left_alone(tmp_path, root):
    """A lock in the state of a running server is known; neither state nor folder changes."""
    config = files_route(root, "write = true") + f'\nstate = "{tmp_path}/state"'
    with Site(tmp_path, config) as site:
        lock = (b'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
                b'<D:locktype><D:write/></D:locktype></D:lockinfo>')
        with site.connect() as wire:
            wire.send(b"LOCK /a.txt HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/xml\r\n"
                      b"Content-Length: %d\r\n\r\n%s" % (len(lock), lock))
            assert wire.answer("LOCK").status == 200
        before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
        assert rehearse(site.config_path, "-X", "PUT", "-d", "x", "/a.txt")["why"]["rule"] == "locked"
        said = rehearse(site.config_path, "-X", "PUT", "-d", "x", "/new.txt")
        assert said["why"]["rule"] == "created" and not (root / "new.txt").exists()
        assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
        assert site.status(b"/a.txt", b"DELETE") == 423
    assert not [path for path in pathlib.Path("/tmp").glob("earnest.*") if path.stat().st_uid == os.getuid()
                and path.is_dir() and (path / "earnest.db").exists()]


def test_servers_behind_are_not_asked(tmp_path):
    conf = tmp_path / "site.conf"
    with socket.create_server(("127.0.0.1", 0)) as behind:
        conf.write_text('pseudonym = "us"\nsite "a.example" { route "/" { proxy = '
                        f'{{ "http://127.0.0.1:{behind.getsockname()[1]}" }} }} }}', encoding="utf-8")
        assert rehearse(conf, "-X", "DELETE", "/a.txt")["answers"][-1]["status"] < 300
        assert rehearse(conf, "-H", "Via: 1.1 us", "/a.txt")["why"]["rule"] == "loop"
        behind.settimeout(0.1)
        with pytest.raises(TimeoutError):
            behind.accept()


def test_a_configuration_that_is_wrong(tmp_path, root):
    conf = tmp_path / "site.conf"
    conf.write_text(files_route(root, "lisitng = true"), encoding="utf-8")
    assert "listing" in rehearse(conf, "/a.txt", code=1)
    assert rehearse(tmp_path / "none", "/a.txt", code=1)
