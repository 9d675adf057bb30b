# SPDX-License-Identifier: Apache-2.0
"""Clients that people use over HTTP/2 and TLS; they trust the authority, and complain of the least."""
import base64
import hashlib
import re

import pytest

from earnest_server import Server
from real import figure, random_file, run, sha256, tool
from tls import Authority, listen, openssl

pytestmark = pytest.mark.exam
SIZE = 5_000_001
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"><body><script>
addEventListener("load", () => { document.body.textContent = "spoken:" + performance.getEntries()
    .filter(entry => entry.nextHopProtocol).map(entry => entry.nextHopProtocol).join(); });
</script></body></html>"""


class Secure(Server):
    """A writable folder on https://localhost."""

    def __init__(self, folder, root):
        self.authority = Authority(folder)
        self.certificate = self.authority.issue("site", "localhost")
        config = f'state = "{folder}/state"\nroute "/" {{ files = "{root}" listing = true write = true }}\n'
        super().__init__(folder, config, listen(self.certificate))

    @property
    def trusted(self):
        return f"{self.authority.path}.pem"

    def url(self, path="/"):
        return f"https://localhost:{self.port}{path}"


@pytest.fixture(name="root")
def folder(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"content\n")
    random_file(root / "b.bin", SIZE)
    (root / "page.html").write_text(PAGE, encoding="utf-8")
    (root / "style.css").write_text("body { color: #123 }", encoding="utf-8")
    return root


@pytest.fixture(name="server")
def served(tmp_path, root):
    with Secure(tmp_path, root) as server:
        yield server


@pytest.mark.parametrize("option, version", [("--http1.1", b"1.1"), ("--http2", b"2")])
def test_curl(tmp_path, root, server, option, version):
    curl = [tool("curl"), "-sS", "--noproxy", "*", "--cacert", server.trusted, option]
    said = run(*curl, "-w", "%{http_version}", "-o", tmp_path / "got", server.url("/b.bin"))
    assert said == version
    assert sha256(tmp_path / "got") == sha256(root / "b.bin")
    for size in (0, 1, 65535, 65536, SIZE):
        sent = random_file(tmp_path / "sent", size)
        said = run(*curl, "-T", sent, "-w", "%{http_code}", "-o", "/dev/null", server.url(f"/{size}.bin"))
        assert said == b"201"
        assert sha256(root / f"{size}.bin") == sha256(sent)
    said = run(*curl, "-Z", *[word for n in range(50) for word in ("-o", tmp_path / str(n), server.url("/b.bin"))])
    assert {sha256(tmp_path / str(n)) for n in range(50)} == {sha256(root / "b.bin")}


@pytest.mark.parametrize("option, version", [("--http2", b"2"), ("--http2-prior-knowledge", b"2"),
                                             ("--http1.1", b"1.1")])
def test_curl_in_the_clear(tmp_path, root, option, version):
    """--http2 is Upgrade here (RFC 7540 3.2)."""
    with Server(tmp_path, f'route "/" {{ files = "{root}" }}') as plain:
        said = run(tool("curl"), "-sS", "--noproxy", "*", option, "-w", "%{http_version}", "-o", tmp_path / "got",
                   f"http://127.0.0.1:{plain.port}/b.bin")
    assert said == version
    assert sha256(tmp_path / "got") == sha256(root / "b.bin")


def test_nghttp(server):
    said = run(tool("nghttp", "nghttp2-client"), "-nv", server.url("/a.txt"), server.url("/b.bin"))
    assert said.count(b":status: 200") == 2
    assert b"INVALID" not in said and b"recv GOAWAY" not in said and b"RST_STREAM" not in said
    said = run(tool("nghttp"), "-nv", "-u", "-H", "accept: text/plain", server.url("/none"))
    assert said.count(b":status: 404") == 1


@pytest.mark.parametrize("path, n", [("/a.txt", 100_000), ("/b.bin", 500), ("/", 5000)])
def test_h2load(server, path, n):
    text = run(tool("h2load", "nghttp2-client"), "-c32", "-m20", f"-n{n}", server.url(path)).decode()
    assert f"{n} succeeded, 0 failed, 0 errored, 0 timeout" in text, text
    assert f"status codes: {n} 2xx" in text, text
    figure(f"h2load -c32 -m20 https {path}", re.search(r"([\d.]+) req/s", text)[0] + ", none failed")


def test_wget(tmp_path, root, server):
    run(tool("wget"), "-q", "--no-proxy", f"--ca-certificate={server.trusted}", "-O", tmp_path / "got",
        server.url("/b.bin"))
    assert sha256(tmp_path / "got") == sha256(root / "b.bin")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_verifies(server, version):
    text = openssl("s_client", "-connect", f"localhost:{server.port}", "-servername", "localhost", "-CAfile",
                   server.trusted, "-verify_return_error", "-alpn", "h2,http/1.1", version)
    assert b"Verification: OK" in text and b"ALPN protocol: h2" in text


@pytest.mark.parametrize("priority", ["NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"])
def test_gnutls_cli_verifies_and_resumes(server, priority):
    text = run(tool("gnutls-cli", "gnutls-bin"), "--x509cafile", server.trusted, "--priority", priority,
               "--resume", "--alpn=http/1.1", "--waitresumption", "-p", server.port, "localhost").decode()
    assert "The certificate is trusted" in text
    assert "This is a resumed session" in text


def test_chromium(tmp_path, server):
    """The page and what it needs come by HTTP/2."""
    key = openssl("x509", "-in", f"{server.certificate}.pem", "-noout", "-pubkey")
    der = base64.b64decode("".join(key.decode().split("\n")[1:-2]))
    pin = base64.b64encode(hashlib.sha256(der).digest()).decode()
    text = run(tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server",
               "--disable-dev-shm-usage", "--disable-background-networking", "--virtual-time-budget=5000",
               f"--user-data-dir={tmp_path / 'user'}", f"--ignore-certificate-errors-spki-list={pin}",
               "--dump-dom", server.url("/page.html"), timeout=60).decode()
    assert "spoken:h2,h2" in text, text


def test_rclone(tmp_path, root, server):
    """A folder goes up by WebDAV over TLS, and comes back."""
    folder, back = tmp_path / "folder", tmp_path / "back"
    folder.mkdir()
    for n in range(30):
        random_file(folder / f"{n}.bin", n * 10_007)
    options = ["--config", "/dev/null", "--ca-cert", server.trusted, "--webdav-url", server.url(), "--webdav-vendor",
               "other"]
    run(tool("rclone"), "copy", *options, folder, ":webdav:up")
    run(tool("rclone"), "copy", *options, ":webdav:up", back)
    for path in folder.iterdir():
        assert sha256(root / "up" / path.name) == sha256(path) == sha256(back / path.name)
