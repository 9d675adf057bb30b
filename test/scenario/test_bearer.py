# SPDX-License-Identifier: Apache-2.0
"""Bearer (RFC 6750): tokens that openssl has signed, and those that an attacker makes."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

import pytest

from scenario import Site, get, wait_until

ISSUER, AUDIENCE = "https://id.example/", "files"
SECRET = b"0123456789abcdef0123456789abcdef"
KINDS = {"RS256": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
         "ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "EdDSA": ["ED25519"]}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


class Key:
    """One of openssl's, and what a key set says of it."""

    def __init__(self, folder, algorithm, kid=None):
        self.algorithm, self.kid, self.path = algorithm, kid or algorithm, folder / f"{kid or algorithm}.pem"
        openssl("genpkey", "-algorithm", *KINDS[algorithm], "-out", str(self.path))
        self.pem = openssl("pkey", "-in", str(self.path), "-pubout")
        self.der = openssl("pkey", "-in", str(self.path), "-pubout", "-outform", "DER")

    def jwk(self):
        more = {}
        if self.algorithm == "RS256":
            text = openssl("rsa", "-in", str(self.path), "-noout", "-modulus").decode()
            more = {"kty": "RSA", "n": encode(bytes.fromhex(text.strip().split("=")[1])), "e": "AQAB"}
        elif self.algorithm == "ES256":
            more = {"kty": "EC", "crv": "P-256", "x": encode(self.der[-64:-32]), "y": encode(self.der[-32:])}
        else:
            more = {"kty": "OKP", "crv": "Ed25519", "x": encode(self.der[-32:])}
        return {"kid": self.kid, "use": "sig", **more}

    def sign(self, text, folder):
        if self.algorithm == "EdDSA":
            (folder / "text").write_bytes(text)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.path), "-in", str(folder / "text"))
        signature = openssl("dgst", "-sha256", "-sign", str(self.path), data=text)
        if self.algorithm == "RS256":
            return signature
        r_len = signature[3]
        r, s = signature[4:4 + r_len], signature[6 + r_len:]
        return b"".join(part.lstrip(b"\0").rjust(32, b"\0") for part in (r, s))


class Secret:
    algorithm, kid = "HS256", "HS256"

    def __init__(self, secret=SECRET):
        self.secret = secret

    def jwk(self):
        return {"kty": "oct", "kid": self.kid, "k": encode(self.secret)}

    def sign(self, text, _):
        return hmac.new(self.secret, text, hashlib.sha256).digest()


@pytest.fixture(name="keys", scope="module")
def all_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {"HS256": Secret(), **{algorithm: Key(folder, algorithm) for algorithm in KINDS}}


def claims(**more):
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": int(time.time()) + 600, **more}


def token(key, folder, header=None, **more):
    head = {"alg": key.algorithm, "kid": key.kid} if header is None else header
    text = encode(json.dumps(head).encode()) + "." + encode(json.dumps(claims(**more)).encode())
    return text + "." + encode(key.sign(text.encode(), folder))


def bearer(text):
    return b"Authorization: Bearer " + text.encode() + b"\r\n"


def config(tmp_path, root, keys, more="", issuer="", limits=""):
    """What is said of keys is written beside it."""
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key.jwk() for key in keys]}))
    return (f'issuer "{ISSUER}" {{ keys = "{tmp_path}/jwks.json" audience = "{AUDIENCE}" {issuer} }}\n'
            f'route "/" {{ files = "{root}" auth = bearer realm = "files" {more} }}\nlimits {{ {limits} }}\n')


ALL = 'algorithms = { "HS256", "RS256", "ES256", "EdDSA" }'


def ask(wire, text, path=b"/a.txt"):
    wire.send(get(path, fields=bearer(text)))
    return wire.answer("GET")


@pytest.mark.parametrize("algorithm", ["HS256", *KINDS])
def test_each_algorithm(tmp_path, root, keys, algorithm):
    with Site(tmp_path, config(tmp_path, root, keys.values(), issuer=ALL)) as site, site.connect() as wire:
        good = token(keys[algorithm], tmp_path)
        for _ in range(3):  # looked at, and remembered
            answer = ask(wire, good)
            assert answer.status == 200 and answer.field("cache-control") == "private"
        head, middle, end = good.split(".")
        assert ask(wire, token(keys[algorithm], tmp_path, {"alg": algorithm})).status == 200  # no kid
        assert ask(wire, f"{head}.{encode(json.dumps(claims(sub='eve')).encode())}.{end}").status == 401
        assert ask(wire, f"{head}.{middle}.{'A' * len(end)}").status == 401
        assert ask(wire, f"{head}.{middle}.").status == 401
    assert " - ann [" in site.log_path.read_text()


def test_without_and_with_a_wrong_one(tmp_path, root, keys):
    key = keys["EdDSA"]
    with Site(tmp_path, config(tmp_path, root, [key], limits="logins_failed_max = 1000")) as site:
        with site.connect() as wire:
            wire.send(get(b"/a.txt"))
            assert wire.answer("GET").field("www-authenticate") == 'Bearer realm="files"'
            now = int(time.time())
            for more, why in [({"exp": now - 60}, "expired"), ({"nbf": now + 120}, "not valid yet"),
                              ({"iss": "https://evil.example/"}, "issuer"), ({"aud": "mail"}, "server"),
                              ({"sub": "a\r\nSet-Cookie: x"}, ""), ({"exp": None}, "no JSON Web Token")]:
                answer = ask(wire, token(key, tmp_path, **more))
                assert answer.status == 401 and answer.field("set-cookie") is None
                challenge = answer.field("www-authenticate")
                assert 'error="invalid_token"' in challenge and why in challenge
            for text in ("x", "a.b.c", "....", token(key, tmp_path)[:-2]):
                assert 'error="invalid_token"' in ask(wire, text).field("www-authenticate")
            assert ask(wire, token(key, tmp_path)).status == 200


def test_none_is_no_algorithm(tmp_path, root, keys):
    with Site(tmp_path, config(tmp_path, root, keys.values(), issuer=ALL)) as site, site.connect() as wire:
        for name in ("none", "None", "NONE", "nOnE", "", None, ["RS256"]):
            text = (encode(json.dumps({"alg": name}).encode()) + "." + encode(json.dumps(claims()).encode()))
            for end in (".", "", "." + encode(b"x" * 32)):
                assert ask(wire, text + end).status in (401, 429)


def test_a_public_key_is_no_secret(tmp_path, root, keys):
    """HS256 with the public key that the verifier has, in each of its spellings, even where HS256 is
    allowed."""
    rsa = keys["RS256"]
    spellings = [rsa.pem, rsa.pem.rstrip(), rsa.der, rsa.jwk()["n"].encode(), json.dumps(rsa.jwk()).encode(),
                 base64.urlsafe_b64decode(rsa.jwk()["n"] + "==")]
    with Site(tmp_path, config(tmp_path, root, [rsa], issuer=ALL)) as site, site.connect() as wire:
        for secret in spellings:
            forged = token(Secret(secret), tmp_path, {"alg": "HS256", "kid": rsa.kid})
            assert ask(wire, forged).status == 401
        assert ask(wire, token(rsa, tmp_path)).status == 200


def test_an_algorithm_that_is_not_allowed(tmp_path, root, keys):
    with Site(tmp_path, config(tmp_path, root, keys.values())) as site, site.connect() as wire:
        assert ask(wire, token(keys["HS256"], tmp_path)).status == 401  # it is not among the standard ones
        assert ask(wire, token(keys["ES256"], tmp_path)).status == 200
        assert ask(wire, token(keys["ES256"], tmp_path, {"alg": "ES256", "kid": "RS256"})).status == 401


def test_scopes(tmp_path, root, keys):
    key = keys["EdDSA"]
    more = 'scopes = { "read", "list" }'
    with Site(tmp_path, config(tmp_path, root, [key], more)) as site, site.connect() as wire:
        assert ask(wire, token(key, tmp_path, scope="list other read")).status == 200
        for scope in ("read", "reading list", "", ["read", "list"]):
            for _ in range(2):
                answer = ask(wire, token(key, tmp_path, scope=scope))
                assert answer.status == 403
                challenge = answer.field("www-authenticate")
                assert 'error="insufficient_scope"' in challenge and 'scope="read list"' in challenge
    with Site(tmp_path, config(tmp_path, root, [key], more + " hide = true")) as site, site.connect() as wire:
        answer = ask(wire, token(key, tmp_path, scope="read"))
        assert answer.status == 404 and answer.field("www-authenticate") is None


def test_users_and_groups(tmp_path, root, keys):
    key = keys["EdDSA"]
    hashed = "$y$j75$kEpsA1tYkEpsA1tY$JIRHXLKDnnkdsg0dgIi7Fusw8eyyfhh9Owx2LgI8sz4"
    user = f'user "bob" {{ password = "{hashed}" groups = staff }}\n'
    more = "allow_users = ann allow_groups = staff"
    with Site(tmp_path, user + config(tmp_path, root, [key], more)) as site, site.connect() as wire:
        for name, status in [("ann", 200), ("bob", 200), ("eve", 403)]:
            assert ask(wire, token(key, tmp_path, sub=name)).status == status


def test_a_token_ends_when_it_says(tmp_path, root, keys):
    """Though it is remembered for longer; a few seconds are allowed for clocks."""
    key = keys["EdDSA"]
    with Site(tmp_path, config(tmp_path, root, [key])) as site, site.connect() as wire:
        short = token(key, tmp_path, exp=int(time.time()) - 28)
        assert ask(wire, short).status == 200
        time.sleep(3.1)
        assert ask(wire, short).status == 401


def test_keys_are_read_again(tmp_path, root, keys):
    """New ones count, old ones no longer: even for tokens that were remembered."""
    old, new = keys["EdDSA"], keys["ES256"]
    with Site(tmp_path, config(tmp_path, root, [old])) as site, site.connect() as wire:
        first, second = token(old, tmp_path), token(new, tmp_path)
        assert [ask(wire, text).status for text in (first, second, first)] == [200, 401, 200]
        (tmp_path / "new.json").write_text(json.dumps({"keys": [new.jwk()]}))
        os.replace(tmp_path / "new.json", tmp_path / "jwks.json")
        assert [ask(wire, text).status for text in (second, first, second)] == [200, 401, 200]
        (tmp_path / "jwks.json").write_text("{")  # while it is written: the old ones stay
        assert ask(wire, token(new, tmp_path, sub="bob")).status == 200
        assert "jwks.json" in site.stderr()


def test_forgers_are_slowed_and_late_comers_are_not(tmp_path, root, keys):
    key = keys["EdDSA"]
    with Site(tmp_path, config(tmp_path, root, [key], limits="logins_failed_max = 2")) as site:
        with site.connect() as wire:
            late = token(key, tmp_path, exp=int(time.time()) - 60)
            assert {ask(wire, late).status for _ in range(5)} == {401}
            statuses = [ask(wire, late + "x").status for _ in range(4)]
            assert statuses == [401, 401, 429, 429]


def test_no_token_is_told(tmp_path, root, keys):
    key = keys["EdDSA"]
    log = f'format = json file = "{tmp_path}/access" errors = "{tmp_path}/errors"'
    with Site(tmp_path, config(tmp_path, root, [key]), log=log) as site, site.connect() as wire:
        good, late = token(key, tmp_path), token(key, tmp_path, exp=1)
        told = b"".join(ask(wire, text, path).content for text in (good, late) for path in (b"/a.txt", b"/no"))
        wait_until(lambda: b"\n" in (tmp_path / "access").read_bytes())
        assert json.loads((tmp_path / "access").read_text().splitlines()[0])["user"] == "ann"
    told += b"".join((tmp_path / name).read_bytes() for name in ("access", "errors", "stderr"))
    for text in (good, late):
        for part in text.split("."):
            assert part.encode() not in told
