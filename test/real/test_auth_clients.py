# SPDX-License-Identifier: Apache-2.0
"""curl and wget log in by each scheme, over each wire."""
import json
import subprocess

import pytest

from earnest_server import PROGRAM, Server
from real import random_file, run, sha256, tool
from tls import Authority, listen
from tokens import AUDIENCE, ISSUER, Secret, token

SECRET, SIZE = "open sesame 7", 300_001


def passwd(*arguments):
    done = subprocess.run([PROGRAM, "passwd", *arguments], input=SECRET + "\n", text=True, capture_output=True,
                          check=True)
    return done.stdout


class Guarded(Server):
    """A writable folder that is asked for by every scheme, in the clear or on https://localhost."""

    def __init__(self, folder, secure):
        self.root = folder / "root"
        self.root.mkdir()
        random_file(self.root / "a.bin", SIZE)
        (folder / "digests").write_text(passwd("--digest", "files", "ann"))
        (folder / "jwks.json").write_text(json.dumps({"keys": [Secret().jwk()]}))
        self.secure, self.token = secure, token(Secret(), folder)
        self.authority = Authority(folder) if secure else None
        config = (f'state = "{folder}/state"\ndigests = "{folder}/digests"\n'
                  f'user "ann" {{ password = "{passwd().strip()}" }}\n'
                  f'issuer "{ISSUER}" {{ keys = "{folder}/jwks.json" audience = "{AUDIENCE}" '
                  f'algorithms = HS256 }}\n'
                  f'route "/" {{ files = "{self.root}" write = true realm = "files" '
                  f'auth = {{ "digest", "bearer", "basic" }} digest = {{ "SHA-256", "SHA-512-256" }} }}\n')
        super().__init__(folder, config, listen(self.authority.issue("site", "localhost")) if secure else "")

    def url(self, path="/a.bin"):
        return f"{'https' if self.secure else 'http'}://localhost:{self.port}{path}"

    def curl(self, *arguments, http="--http1.1"):
        trust = ["--cacert", f"{self.authority.path}.pem"] if self.secure else []
        return run(tool("curl"), "-sS", "--fail-with-body", http, *trust, *arguments)


@pytest.fixture(name="server", params=[False, True], ids=["plain", "tls"])
def guarded(tmp_path, request):
    with Guarded(tmp_path, request.param) as server:
        yield server


USER = ["-u", f"ann:{SECRET}"]


@pytest.mark.parametrize("http", ["--http1.1", "--http2"])
@pytest.mark.parametrize("scheme", ["--basic", "--digest", "--anyauth", "--oauth2-bearer"])
def test_curl_gets_and_puts(server, tmp_path, scheme, http):
    if http == "--http2" and not server.secure:
        if scheme in ("--digest", "--anyauth"):
            pytest.skip("curl 7.88 asks no second time on a connection of HTTP/2 in the clear")
        http = "--http2-prior-knowledge"
    who = [scheme, server.token] if scheme == "--oauth2-bearer" else [scheme, *USER]
    new, old = random_file(tmp_path / "new.bin", SIZE + 1), server.root / "a.bin"
    for target in ("one", "two"):
        server.curl(*who, "-o", str(tmp_path / target), server.url(), http=http)
        assert sha256(tmp_path / target) == sha256(old)
    if (scheme, http) == ("--anyauth", "--http2"):
        return  # curl 7.88 goes on to send what the answer says that nobody wants, and waits for ever
    server.curl(*who, "-T", str(new), server.url("/up.bin"), http=http)
    assert sha256(server.root / "up.bin") == sha256(new)
    if scheme == "--digest":
        told = server.curl(*who, "-D", "-", "-o", str(tmp_path / "three"), server.url(), http=http)
        assert b"authentication-info: rspauth=" in told.lower() and b"algorithm=sha-256," in told.lower()


def test_curl_is_refused(server):
    for who in (["--basic", "-u", "ann:wrong"], ["--digest", "-u", "ann:wrong"], ["--digest", "-u", "eve:x"],
                ["--oauth2-bearer", server.token[:-4] + "AAAA"], []):
        with pytest.raises(AssertionError, match="ended with 22"):
            server.curl(*who, server.url())


def test_wget_gets(server, tmp_path):
    """It answers the first challenge that it knows: none of Digest but MD5, so Basic."""
    trust = ["--ca-certificate", f"{server.authority.path}.pem"] if server.secure else []
    run(tool("wget"), "-q", *trust, "--user", "ann", "--password", SECRET, "-O", tmp_path / "a", server.url())
    assert sha256(tmp_path / "a") == sha256(server.root / "a.bin")
