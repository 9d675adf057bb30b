# SPDX-License-Identifier: Apache-2.0
"""A captive portal: who signs in passes, in each way that is spoken, for a time, and nobody else does."""
import hashlib
import hmac
import json
import socket
import time

import h2
import pytest
import tls
from earnest_server import Wire, secret
from scenario import Site, files_route, wait_until

SECRET = secret(bytes(range(32)))
LOGIN = "https://login.example/in"
API = b"/captive/api"


class Portal(Site):
    def __init__(self, folder, lifetime="1h", listen="", more=""):
        root = folder / "root"
        root.mkdir(exist_ok=True)
        (root / "a.txt").write_bytes(b"a\n")
        (folder / "secret").write_bytes(SECRET)
        lines = [f'login = "{LOGIN}"', f'lifetime = "{lifetime}"', f'secret = "{folder / "secret"}"',
                 'api = "https://portal.example/captive/api"', listen]
        super().__init__(folder, f'site "a.example" {{ {files_route(root)} }}\n{more}', "\n".join(lines))
        text = self.config_path.read_text(encoding="utf-8")
        self.config_path.write_text(text.replace("listen", "portal", 1), encoding="utf-8")

    def ask(self, path, host=b"a.example", method=b"GET", source="127.0.0.1", wire=None):
        request = b"%s %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (method, path, host)
        if wire:
            wire.send(request)
            return wire.answer(method.decode())
        with Wire(self.port) as wire:
            if source != "127.0.0.1":
                wire.socket.close()
                wire.socket = socket.create_connection(("127.0.0.1", self.port), 10, (source, 0))
            wire.send(request)
            return wire.answer(method.decode())

    def ask_api(self, query=b"", **more):
        return self.ask(API + query, b"portal.example", **more)

    def state(self, **more):
        answer = self.ask_api(**more)
        assert answer.status == 200
        assert answer.field("content-type") == "application/captive+json"
        assert answer.field("cache-control") == "no-store"
        return json.loads(answer.content)


def seal(address="127.0.0.1", issued=None, secret=SECRET):
    """The query with which the login page sends a client back."""
    issued = int(time.time()) if issued is None else issued
    mac = hmac.new(secret, f"{address} {issued}".encode(), hashlib.sha256).hexdigest()
    return f"?issued={issued}&seal={mac}".encode()


def test_who_signs_in_passes(tmp_path):
    with Portal(tmp_path) as portal, Wire(portal.port) as kept:
        assert portal.ask(b"/a.txt", wire=kept).status == 511
        link = f"{LOGIN}?address=127.0.0.1"
        assert portal.ask(b"/").problem()["link"] == link
        assert portal.state() == {"captive": True, "user-portal-url": link}
        answer = portal.ask_api(seal())
        assert (answer.status, answer.field("location")) == (303, LOGIN)
        after = portal.state()
        assert not after["captive"] and 3590 <= after["seconds-remaining"] <= 3600
        assert portal.ask(b"/a.txt", wire=kept).content == b"a\n"  # a connection from before, too
        # What is another's is not answered in its name: the client is to ask it there (RFC 9110 15.5.20).
        assert portal.ask(b"/generate_204", b"www.example.com").status == 421
    assert portal.rules()[-1] == "misdirected"


def test_nobody_else_passes(tmp_path):
    with Portal(tmp_path) as portal:
        assert portal.ask_api(seal()).status == 303
        assert portal.ask(b"/a.txt", source="127.0.0.2").status == 511
        assert portal.state(source="127.0.0.2")["captive"]
        assert portal.ask_api(seal("127.0.0.2"), source="127.0.0.3").status == 403
        assert portal.ask(b"/a.txt", source="127.0.0.3").status == 511


@pytest.mark.parametrize("query", [
    pytest.param(lambda: seal(secret=bytes(32)), id="another secret"),
    pytest.param(lambda: seal(issued=int(time.time()) - 400), id="too old"),
    pytest.param(lambda: seal(issued=int(time.time()) + 400), id="not yet"),
    pytest.param(lambda: seal()[:-1], id="cut"),
    pytest.param(lambda: seal() + b"00", id="more"),
    pytest.param(lambda: seal().replace(b"issued=", b"issued=0"), id="another number"),
    pytest.param(lambda: seal().replace(b"issued=", b"issued=9"), id="later"),
    pytest.param(lambda: b"?issued=", id="nothing"),
    pytest.param(lambda: b"?issued=" + b"9" * 40 + b"&seal=", id="too large"),
    pytest.param(lambda: seal()[:-2] + b"zz", id="no digits"),
])
def test_a_seal_that_does_not_hold(tmp_path, query):
    with Portal(tmp_path) as portal:
        assert portal.ask_api(query()).status == 403
        assert portal.ask(b"/a.txt").status == 511


def test_head_lets_nobody_pass(tmp_path):
    with Portal(tmp_path) as portal:
        assert portal.ask_api(seal(), method=b"HEAD").status == 303
        assert portal.ask(b"/a.txt").status == 511


def test_a_pass_ends_and_the_same_seal_gives_no_more(tmp_path):
    with Portal(tmp_path, lifetime="3s") as portal:
        query = seal()
        start = time.monotonic()
        assert portal.ask_api(query).status == 303
        assert portal.ask(b"/a.txt").status == 200
        assert portal.ask_api(query).status == 303
        wait_until(lambda: portal.ask(b"/a.txt").status == 511)
        assert time.monotonic() - start < 6
        assert portal.ask_api(query).status == 303
        assert portal.ask(b"/a.txt").status == 511


def test_a_reload_forgets_nobody(tmp_path):
    with Portal(tmp_path, more="") as portal:
        assert portal.ask_api(seal()).status == 303
        assert "not reloaded" not in portal.reload()
        assert portal.ask(b"/a.txt").status == 200
        assert portal.ask(b"/a.txt", source="127.0.0.2").status == 511


def test_over_tls_and_http2(tmp_path):
    with Portal(tmp_path, listen=tls.make_certificate(tmp_path)) as portal:
        with h2.H2(portal.port, tls=tls.client("h2")) as wire:
            def ask(path, host="a.example"):
                return wire.answer(wire.request("GET", path, authority=host))

            assert ask("/a.txt").status == 511
            assert ask("/a.txt", "www.example.com").status == 511
            connect = wire.open([(b":method", b"CONNECT"), (b":authority", b"www.example.com:443")],
                                True, "CONNECT")
            assert wire.answer(connect).status == 511
            assert ask((API + seal()).decode(), "portal.example").status == 303
            assert ask("/a.txt").content == b"a\n"


def test_a_table_that_is_asked_by_many_at_once(tmp_path):
    """Each address passes by its own seal alone; the log has a line for each."""
    with Portal(tmp_path) as portal:
        sources = [f"127.0.1.{i}" for i in range(1, 60)]
        for source in sources[::2]:
            assert portal.ask_api(seal(source), source=source).status == 303
        for i, source in enumerate(sources):
            assert portal.ask(b"/a.txt", source=source).status == (200 if i % 2 == 0 else 511)
