# SPDX-License-Identifier: Apache-2.0
"""The audit: who was refused what, who did what to the server; and no secret in any log (R-56)."""
import base64
import json
import os
import subprocess

import pytest

from earnest_server import PROGRAM, secret
from scenario import Site, files_route, get, wait_until
from test_order import ANN, LOGIN

KEY = secret("kk-0f1e2d3c4b5a-paid")
RECEIPT = secret("rr-5a4b3c2d1e0f-once")
COOKIE = secret("cc-session-77aa88bb")
PASSWORD = secret("pp-correct-horse-battery")
BASIC = secret(base64.b64encode(f"ann:{PASSWORD}".encode()).decode())
TOKEN = secret("tt-eyJhbGciOi.bearer")
SECRET_FIELDS = (f"X-API-Key: {KEY}\r\nIdempotency-Key: {RECEIPT}\r\nCookie: s={COOKIE}\r\n"
                 f"Authorization: Basic {BASIC}\r\nProxy-Authorization: Bearer {TOKEN}\r\n").encode()


class Audited(Site):
    def __init__(self, folder, root, form):
        self.admin, self.audit_path = folder / "admin.sock", folder / "audit.log"
        (folder / "demands.conf").write_text(
            'demand "R 1" { path = "/book" authority = "https://court.example/1" }')
        (root / ".hidden").write_text("x")
        routes = "\n".join([
            files_route(root, "limit { requests = 1000 per = \"1s\" }"),
            f'route "/inner/" {{ files = "{root}" allow = {{ "10.0.0.0/8" }} }}',
            f'route "/none/" {{ files = "{root}" allow = {{ "10.0.0.0/8" }} hide = true }}',
            f'route "/paid/" {{ files = "{root}" price = 2 pay = "/pay" }}',
            f'route "/often/" {{ files = "{root}" limit {{ requests = 1 per = "1h" }} }}',
            f'route "/dav/" {{ files = "{root}" write = true }}',
        ])
        super().__init__(folder, f'state = "{folder}/state"\nadmin = "{self.admin}"\n'
                         f'legal = "{folder}/demands.conf"\n{routes}',
                         log=f'format = "{form}" file = "{folder}/access.log" '
                             f'errors = "{folder}/errors.log" audit = "{self.audit_path}"')

    def ctl(self, *words):
        return subprocess.run([PROGRAM, "ctl", "--admin", self.admin, *words], timeout=30,
                              capture_output=True, text=True, check=False)

    def audit(self, event):
        lines = self.audit_path.read_text(encoding="utf-8").splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == event]


REFUSED = [
    (b"/inner/a.txt", b"GET", 403, "forbidden"), (b"/none/a.txt", b"GET", 404, "forbidden_hidden"),
    (b"/paid/a.txt", b"GET", 402, "payment"), (b"/book", b"DELETE", 451, "legal"),
    (b"/.hidden", b"GET", 403, "withheld"), (b"/../x", b"GET", 403, "path_escapes"),
    (b"/a.txt", b"M-GET", 510, "not_extended"),
]


@pytest.mark.parametrize("form", ["combined", "json"])
def test_refusals_and_nothing_else(tmp_path, root, form):
    with Audited(tmp_path, root, form) as site:
        for path, method, status, _ in REFUSED:
            query = b"?session=1" if b".." not in path else b""
            assert site.status(path + query, method, SECRET_FIELDS) == status
        assert [site.status(b"/often/a.txt", fields=SECRET_FIELDS) for _ in range(2)] == [200, 429]
        for path, method, status in ((b"/a.txt", b"GET", 200), (b"/missing", b"GET", 404),
                                     (b"/a.txt", b"DELETE", 405), (b"/dav/a.txt", b"TRACE", 405)):
            assert site.status(path, method, SECRET_FIELDS) == status
        wait_until(lambda: len(site.audit("refused")) == len(REFUSED) + 1, 5)
        lines = site.audit("refused")
        assert [line["rule"] for line in lines] == [r[3] for r in REFUSED] + ["rate_limit"]
        assert lines[0] == {"ts": lines[0]["ts"], "event": "refused", "remote_ip": "127.0.0.1",
                            "method": "GET", "host": "a.example", "path": "/inner/a.txt",
                            "status": 403, "rule": "forbidden"}


def test_a_user_is_named_once_known(tmp_path, root):
    """Not before: what was given as a name may be a password, typed into the wrong box."""
    audit = tmp_path / "audit.log"
    config = (f'user "ann" {{ password = {ANN} }}\nuser "bob" {{ password = {ANN} }}\n'
              + files_route(root, 'auth = basic allow_users = "bob"'))
    with Site(tmp_path, config, log=f'audit = "{audit}"') as site:
        assert site.status(b"/a.txt", fields=LOGIN) == 403
        assert site.status(b"/a.txt", fields=LOGIN.replace(b"YW5uOnNlY3JldA==", b"c2VjcmV0OmFubg==")) == 401
        wait_until(lambda: audit.exists() and audit.read_text().count("\n") == 2, 5)
        known, unknown = map(json.loads, audit.read_text().splitlines())
        assert (known["rule"], known["user"]) == ("forbidden", "ann")
        assert unknown["rule"] == "unauthenticated" and "user" not in unknown


def test_deeds(tmp_path, root):
    with Audited(tmp_path, root, "json") as site:
        assert site.ctl("credit", "add", KEY, "5").returncode == 0
        assert site.ctl("credit", KEY).returncode == 0
        assert site.ctl("status").returncode == 0
        assert site.ctl("pause", "-", "--for", "10s").returncode == 0
        assert site.ctl("resume", "-").returncode == 0
        assert site.ctl("resume", "nowhere.example").returncode == 1
        assert site.ctl("unlock", "urn:uuid:x").returncode == 1
        assert site.ctl("credit", "add", KEY, str(10**15)).returncode == 1
        assert site.ctl("reload").returncode == 0
        wait_until(lambda: len(site.audit("admin")) == 7, 5)
        lines = site.audit("admin")
        assert [(line["verb"], line["done"]) for line in lines] == [
            ("credit", True), ("pause", True), ("resume", True), ("resume", False),
            ("unlock", False), ("credit", False), ("reload", True)]
        assert lines[0]["what"].endswith(" +5") and {line["uid"] for line in lines} == {os.getuid()}


def test_what_strangers_write_is_one_line(tmp_path, root):
    with Audited(tmp_path, root, "json") as site:
        with site.connect() as wire:
            wire.send(get(b'/inner/%0a"\\\x7f' + b"x" * 3000 + b"?" + TOKEN.encode()[:2]))
            assert wire.answer("GET").status == 400
        for path in (b"/inner/%22%5c%c3%a4'", b"/inner/" + b"x" * 3000):
            assert site.status(path) == 403
        wait_until(lambda: len(site.audit("refused")) == 2, 5)
        assert all(len(json.dumps(line)) < 2000 for line in site.audit("refused"))


def test_error_pages_and_traces_have_no_secret(tmp_path, root):
    """Nor the paths of this host: what a stranger is told of an error is his own request at most."""
    with Audited(tmp_path, root, "json") as site, site.connect() as wire:
        for path, method, status, _ in REFUSED:
            for accept in (b"application/json", b"text/html", b"text/plain"):
                wire.send(get(path, method, SECRET_FIELDS + b"Accept: %s\r\n" % accept))
                answer = wire.answer(method.decode())
                assert answer.status == status
                told = answer.content + str(answer).encode()
                for word in (KEY, RECEIPT, COOKIE, BASIC, TOKEN, str(tmp_path)):
                    assert word.encode() not in told
