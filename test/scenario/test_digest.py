# SPDX-License-Identifier: Apache-2.0
"""Digest (RFC 7616) as a client and as an attacker find it; curl in test_auth.py is the real one."""
import contextlib
import hashlib
import re
import threading
import time

import pytest

from earnest_server import Wire
from scenario import Site, get
from test_auth import GUESS, SECRET, basic, passwd

HASHES = {"SHA-256": "sha256", "SHA-512-256": "sha512_256", "MD5": "md5"}


def joined(algorithm, *texts):
    return hashlib.new(HASHES[algorithm], ":".join(texts).encode()).hexdigest()


class Client:
    """Answers the challenges of one realm."""

    def __init__(self, user="ann", password=SECRET, algorithm="SHA-256", realm="files"):
        self.user, self.password, self.algorithm, self.realm = user, password, algorithm, realm
        self.nonce, self.count = None, 0

    def take(self, answer):
        """The nonce of the challenge for our algorithm. Is it only stale?"""
        for line in str(answer).splitlines():
            if line.lower().startswith("www-authenticate: digest") and f"algorithm={self.algorithm}," in line:
                self.nonce, self.count = re.search('nonce="([^"]*)"', line)[1], 0
                assert 'qop="auth"' in line and f'realm="{self.realm}"' in line
                return "stale=true" in line
        raise AssertionError(f"no challenge for {self.algorithm} in {answer}")

    def a1(self):
        return joined(self.algorithm, self.user, self.realm, self.password)

    def response(self, method, uri, count, cnonce="c"):
        return joined(self.algorithm, self.a1(), self.nonce, count, cnonce, "auth",
                      joined(self.algorithm, method, uri))

    def fields(self, uri="/a.txt", method="GET", **more):
        self.count += 1
        count = more.pop("nc", f"{self.count:08x}")
        values = {"username": f'"{self.user}"', "realm": f'"{self.realm}"', "nonce": f'"{self.nonce}"',
                  "uri": f'"{uri}"', "algorithm": self.algorithm, "qop": "auth", "nc": count,
                  "cnonce": '"c"', "response": f'"{self.response(method, uri, count)}"'}
        values.update(more)
        pairs = ", ".join(f"{name}={value}" for name, value in values.items() if value is not None)
        return f"Authorization: Digest {pairs}\r\n".encode()


@pytest.fixture(name="digests", scope="module")
def file_of_digests(tmp_path_factory):
    path = tmp_path_factory.mktemp("digests") / "digests"
    md5 = hashlib.md5(f"ann:files:{SECRET}".encode()).hexdigest()
    jas = hashlib.sha256(f"Jäs:files:{SECRET}".encode()).hexdigest()
    path.write_text(passwd(SECRET, "--digest", "files", "ann") + f"\nann:files:{md5}\nJäs:files:{jas}\n",
                    encoding="utf-8")
    return path


def config(digests, root, more="", limits=""):
    return (f'digests = "{digests}"\n'
            f'route "/" {{ files = "{root}" auth = digest realm = "files" {more} }}\nlimits {{ {limits} }}')


def ask(wire, fields=b"", path=b"/a.txt"):
    wire.send(get(path, fields=fields))
    return wire.answer("GET")


def learn(wire, client):
    answer = ask(wire)
    assert answer.status == 401
    assert not client.take(answer)
    return client


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("userhash", [False, True])
def test_each_algorithm(tmp_path, root, digests, algorithm, userhash):
    more = 'digest = { "SHA-512-256", "SHA-256", "MD5" }'
    with Site(tmp_path, config(digests, root, more)) as site, site.connect() as wire:
        client = learn(wire, Client(algorithm=algorithm))
        extra = {"username": f'"{joined(algorithm, "ann", "files")}"', "userhash": "true"} if userhash else {}
        answer = ask(wire, client.fields(**extra))
        assert answer.status == 200
        rspauth = joined(algorithm, client.a1(), client.nonce, "00000001", "c", "auth",
                         joined(algorithm, "", "/a.txt"))
        assert f'rspauth="{rspauth}"' in answer.field("authentication-info")
        assert answer.field("cache-control") == "private"
    assert " - ann [" in site.log_path.read_text()


def test_what_is_not_offered_is_refused(tmp_path, root, digests):
    """MD5 where the configuration does not ask for it, and without a name (RFC 7616 3.4: then it is MD5)."""
    with Site(tmp_path, config(digests, root)) as site, site.connect() as wire:
        client = learn(wire, Client())
        md5 = Client(algorithm="MD5")
        for algorithm in ("MD5", None):
            md5.nonce = client.nonce
            assert ask(wire, md5.fields(algorithm=algorithm)).status == 401
        assert ask(wire, client.fields(algorithm="SHA-512-256")).status == 401
        assert ask(wire, client.fields(algorithm="SHA-256-sess")).status == 401
        assert ask(wire, client.fields(realm='"other"')).status == 401
        assert ask(wire, client.fields(qop="auth-int")).status == 401
        assert ask(wire, client.fields(qop=None)).status == 401
        assert ask(wire, basic("ann", SECRET)).status == 401
        assert ask(wire, client.fields()).status == 200


def test_a_name_that_is_not_ascii(tmp_path, root, digests):
    with Site(tmp_path, config(digests, root)) as site, site.connect() as wire:
        client = learn(wire, Client(user="Jäs"))
        assert ask(wire, client.fields(**{"username": None, "username*": "UTF-8''J%C3%A4s"})).status == 200
        hashed = joined("SHA-256", "Jäs", "files")
        assert ask(wire, client.fields(username=f'"{hashed}"', userhash="true")).status == 200


def test_replay_is_refused(tmp_path, root, digests):
    """What was sent once lets nobody in again: not on another connection, not with a smaller count."""
    with Site(tmp_path, config(digests, root)) as site, site.connect() as wire:
        client = learn(wire, Client())
        first, second = client.fields(), client.fields()
        assert ask(wire, second).status == 200
        assert ask(wire, first).status == 200  # late, and new
        for fields in (first, second, first):
            with site.connect() as other:
                answer = ask(other, fields)
                assert answer.status == 401
                assert Client().take(answer)  # stale: the password is right
        assert ask(wire, client.fields()).status == 200
        for count in ("00000000", "1", "0000000g", "000000001", "ffffffff", "00100000"):
            assert ask(wire, client.fields(nc=count)).status == 401


def test_a_race_lets_one_in(tmp_path, root, digests):
    with Site(tmp_path, config(digests, root)) as site, contextlib.ExitStack() as stack:
        with site.connect() as wire:
            client = learn(wire, Client())
        for _ in range(20):
            fields, statuses = client.fields(), []
            wires = [stack.enter_context(Wire(site.port)) for _ in range(8)]
            start = threading.Barrier(8)

            def send(wire, fields=fields, statuses=statuses, start=start):
                start.wait()
                statuses.append(ask(wire, fields).status)

            threads = [threading.Thread(target=send, args=(wire,)) for wire in wires]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(statuses) == [200] + [401] * 7


def test_another_request_is_not_what_was_signed(tmp_path, root, digests):
    (root / "b.txt").write_bytes(b"b\n")
    with Site(tmp_path, config(digests, root)) as site, site.connect() as wire:
        client = learn(wire, Client())
        wire.send(get(b"/a.txt", b"HEAD", client.fields(method="GET")))
        assert wire.answer("HEAD").status == 401
        answer = ask(wire, client.fields(uri="/b.txt"))  # RFC 7616 3.4.6
        assert answer.status == 400 and b"Digest" in answer.content
        with site.connect() as wire:
            port = site.port
            wire.send(get(f"http://127.0.0.1:{port}/a.txt".encode(), fields=client.fields()))
            assert wire.answer("GET").status == 200
            assert ask(wire, client.fields(uri=f"http://127.0.0.1:{port}/a.txt")).status == 200


def test_nonces_grow_old_and_the_next_comes_along(tmp_path, root, digests):
    with Site(tmp_path, config(digests, root, limits="nonce_valid_s = 10")) as site, site.connect() as wire:
        client = learn(wire, Client())
        old = client.nonce
        assert "nextnonce" not in ask(wire, client.fields()).field("authentication-info")
        time.sleep(7)
        answer = ask(wire, client.fields())
        client.nonce = re.search('nextnonce="([^"]*)"', answer.field("authentication-info"))[1]
        client.count = 0
        assert client.nonce != old
        assert ask(wire, client.fields()).status == 200
        time.sleep(5)
        client.nonce = old
        answer = ask(wire, client.fields(nc="00000009"))
        assert answer.status == 401 and client.take(answer)
        assert ask(wire, client.fields()).status == 200


def test_a_nonce_of_nobody_is_stale_only_to_those_who_know(tmp_path, root, digests):
    with Site(tmp_path, config(digests, root)) as site, site.connect() as wire:
        client = learn(wire, Client())
        for nonce in ("", "x", client.nonce[:-1] + "g", "0" * 48, client.nonce * 2):
            client.nonce, stranger = nonce, Client(password=GUESS)
            stranger.nonce = nonce
            assert client.take(ask(wire, client.fields()))
            assert not stranger.take(ask(wire, stranger.fields()))
        site.reload()
        with site.connect() as wire:
            assert client.take(ask(wire, client.fields()))  # of the process before
            assert ask(wire, client.fields()).status == 200


def test_guesses_are_slowed(tmp_path, root, digests):
    with Site(tmp_path, config(digests, root, limits="logins_failed_max = 3")) as site:
        with site.connect() as wire:
            client, guesser = learn(wire, Client()), Client(password=GUESS)
            guesser.nonce = client.nonce
            statuses = [ask(wire, guesser.fields()).status for _ in range(5)]
            assert statuses == [401, 401, 401, 429, 429]
            answer = ask(wire, client.fields())
            assert answer.status == 429 and answer.field("retry-after") == "1"
            time.sleep(1.1)
            assert ask(wire, client.fields()).status == 200


def test_hostile_names_split_nothing(tmp_path, root, digests):
    with Site(tmp_path, config(digests, root)) as site, site.connect() as wire:
        client = learn(wire, Client())
        for fields in ({"username*": "UTF-8''a%0d%0aSet-Cookie:x", "username": None},
                       {"username": '"a\\"b"'}, {"username": '""'}, {"cnonce": '"\\"\\\\"'}):
            answer = ask(wire, client.fields(**fields))
            assert answer.status == 401 and answer.field("set-cookie") is None
        client.user = 'x" ] "GET / HTTP/1.1" 200'
        assert ask(wire, client.fields(username='"' + client.user.replace('"', '\\"') + '"')).status == 401
    assert "Set-Cookie" not in site.log_path.read_text()
