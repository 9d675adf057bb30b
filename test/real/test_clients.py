# SPDX-License-Identifier: Apache-2.0
"""Clients that people use: libraries, fetchers, git, apt, rclone, text browsers."""
import gzip
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request

import pytest

from earnest_server import Server
from real import ODD_NAMES, figure, logged, random_file, route, run, sha256, tool, url

TEXT = b"content\n"


@pytest.fixture(name="root")
def folder(tmp_path):
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "a.txt").write_bytes(TEXT)
    random_file(root / "folder" / "b.bin", 300000)
    for name in ODD_NAMES:
        (root / "folder" / name).write_bytes(name.encode())
    return root


@pytest.fixture(name="server")
def served(tmp_path, root):
    with Server(tmp_path, route(root)) as server:
        yield server


def test_urllib(server):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url(server, "/folder")) as answer:  # follows the redirect to /folder/
        assert answer.url == url(server, "/folder/")
        assert b"b.bin" in answer.read()
    for name in ODD_NAMES:
        with opener.open(url(server, "/folder/" + urllib.parse.quote(name))) as answer:
            assert answer.read() == name.encode()
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(url(server, "/missing"))
    assert caught.value.code == 404
    assert json.loads(caught.value.read())["rule"] == "missing"


def test_http_client_keeps_its_connection(server):
    client = http.client.HTTPConnection("127.0.0.1", server.port)
    client.connect()
    local = client.sock.getsockname()
    for method, path, status in [("GET", "/a.txt", 200), ("HEAD", "/a.txt", 200),
                                 ("OPTIONS", "/a.txt", 204), ("GET", "/folder/", 200),
                                 ("GET", "/missing", 404), ("PUT", "/a.txt", 405)]:
        client.request(method, path, body=b"x" * 1000 if method == "PUT" else None)
        answer = client.getresponse()
        answer.read()
        assert answer.status == status
        assert client.sock and client.sock.getsockname() == local, f"{method} {path} hung up"
    client.close()


def test_requests(server):
    requests = pytest.importorskip("requests")
    with requests.Session() as session:
        session.trust_env = False
        first = session.get(url(server, "/a.txt"))
        assert first.content == TEXT
        again = session.get(url(server, "/a.txt"), headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert session.get(url(server, "/folder")).history[0].status_code == 301
        problem = session.get(url(server, "/no"), headers={"Accept": "application/problem+json"})
        assert problem.json()["status"] == 404
        # A chunked upload that nobody wants; the session must stay usable.
        assert session.put(url(server, "/a.txt"), data=iter([b"x" * 5000] * 3)).status_code == 405
        assert session.get(url(server, "/a.txt")).content == TEXT


FETCH = """
const base = process.argv[2], say = {};
const get = async (path, options) => fetch(base + path, options);
let a = await get("/a.txt");
say.text = await a.text();
say.again = (await get("/a.txt", {headers: {"if-none-match": a.headers.get("etag")}})).status;
say.part = await (await get("/folder/b.bin", {headers: {range: "bytes=1000-1999"}})).bytes?.()
    .then(b => b.length) ?? 1000;
a = await get("/folder");
say.redirected = a.redirected && a.url === base + "/folder/";
say.listed = (await (await get("/folder/", {headers: {accept: "application/json"}})).text()).length;
a = await get("/no", {headers: {accept: "application/problem+json"}});
say.missing = (await a.json()).rule;
say.put = (await get("/a.txt", {method: "PUT", body: "x".repeat(100000)})).status;
const many = await Promise.all(Array.from({length: 200}, () => get("/folder/b.bin")
    .then(r => r.arrayBuffer()).then(b => b.byteLength)));
say.many = many.every(n => n === 300000);
const cut = new AbortController();
await get("/folder/b.bin", {signal: cut.signal}).then(() => cut.abort());
say.after = (await get("/a.txt")).status;
console.log(JSON.stringify(say));
"""


@pytest.mark.exam
def test_node_fetch(tmp_path, server):
    script = tmp_path / "fetch.mjs"
    script.write_text(FETCH)
    said = json.loads(run(tool("node", "nodejs"), script, url(server, "")))
    assert said.pop("listed") > 100
    assert said == {"text": TEXT.decode(), "again": 304, "part": 1000, "redirected": True,
                    "missing": "missing", "put": 405, "many": True, "after": 200}


def test_git_clones_over_dumb_http(tmp_path):
    git = tool("git")
    home = {"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    work, bare = tmp_path / "work", tmp_path / "root" / "repo.git"
    bare.parent.mkdir()
    me = ["-c", "user.name=a", "-c", "user.email=a@a.example", "-c", "init.defaultBranch=main"]
    run(git, *me, "init", work, env=home)
    for n in range(20):
        random_file(work / f"{n}.bin", 2000 + n)
        run(git, "-C", work, "add", ".", env=home)
        run(git, *me, "-C", work, "commit", "-m", f"commit {n}", env=home)
    run(git, "clone", "--bare", work, bare, env=home)
    with Server(tmp_path, route(bare.parent)) as server:
        for packed in (False, True):
            if packed:
                run(git, "-C", bare, "gc", env=home)
            run(git, "-C", bare, "update-server-info", env=home)
            copy = tmp_path / f"copy-{packed}"
            run(git, "clone", url(server, "/repo.git"), copy, env=home)
            run(git, "-C", copy, "fsck", "--strict", env=home)
            assert run(git, "-C", copy, "rev-parse", "HEAD") == run(git, "-C", work, "rev-parse",
                                                                    "HEAD")
            assert len(list(copy.glob("*.bin"))) == 20


def test_apt(tmp_path):
    apt, build = tool("apt-get", "apt"), tool("dpkg-deb", "dpkg")
    scan = tool("dpkg-scanpackages", "dpkg-dev")
    root, state = tmp_path / "root", tmp_path / "state"
    root.mkdir()
    for n in range(20):
        package = tmp_path / f"p{n}"
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN" / "control").write_text(
            f"Package: earnest-test-{n}\nVersion: 1+{n}~rc\nArchitecture: all\n"
            f"Maintainer: A <a@a.example>\nDescription: test {n}\n")
        random_file(package / "data", 10000 + n)
        run(build, "-Znone", "--root-owner-group", "-b", package, root)
    packages = run(scan, "-m", ".", cwd=root)
    (root / "Packages").write_bytes(packages)
    (root / "Packages.gz").write_bytes(gzip.compress(packages))
    for path in ("lists/partial", "cache/archives/partial", "etc", "dpkg"):
        (state / path).mkdir(parents=True)
    (state / "dpkg/status").touch()
    server = Server(tmp_path, route(root))
    with server:
        (state / "etc/sources.list").write_text(f"deb [trusted=yes] {url(server)} ./\n")
        options = ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={state}/cache",
                   "-o", f"Dir::Etc={state}/etc", "-o", f"Dir::State::status={state}/dpkg/status",
                   "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none",
                   "-o", "Acquire::http::Proxy=DIRECT", "-o", "Acquire::Retries=0",
                   "-o", "Debug::NoLocking=1", "-o", "Acquire::http::Pipeline-Depth=10"]
        run(apt, *options, "update")
        into = tmp_path / "into"
        into.mkdir()
        names = [f"earnest-test-{n}" for n in range(20)]
        run(apt, *options, "download", *names, cwd=into)
        for name in sorted(os.listdir(root)):
            if name.endswith(".deb"):
                assert sha256(into / name) == sha256(root / name)
        assert len(list(into.glob("*.deb"))) == 20
        run(apt, *options, "update")
    codes = logged(server)
    assert codes.count(200) >= 21
    assert 304 in codes, "the second update fetched everything again"
    figure("apt-get update, download 20, update", f"{codes.count(200)} x 200, "
           f"{codes.count(304)} x 304, {codes.count(404)} x 404 (no Release)")


@pytest.mark.exam
def test_rclone_copies(tmp_path, root, server):
    into = tmp_path / "into"
    run(tool("rclone"), "copy", "--config", "/dev/null", "--http-url", url(server),
        "--http-no-head", ":http:", into, timeout=60)
    for path in root.rglob("*"):
        if path.is_file():
            brought = into / path.relative_to(root)
            assert brought.is_file(), f"{path.name} did not come: {sorted(into.rglob('*'))}"
            assert brought.read_bytes() == path.read_bytes()


@pytest.mark.exam
def test_httpie(tmp_path, server):
    text = run(tool("http", "httpie"), "--ignore-stdin", "--print=hb", "--check-status",
               url(server, "/a.txt"), env={"HOME": str(tmp_path)})
    assert b"HTTP/1.1 200 OK" in text and TEXT.strip() in text
    text = run(tool("http", "httpie"), "--ignore-stdin", "--print=hb", "--json",
               url(server, "/missing"), env={"HOME": str(tmp_path)})
    assert b"HTTP/1.1 404 Not Found" in text and b'"missing"' in text
    file = tmp_path / "b.bin"
    run(tool("http", "httpie"), "--ignore-stdin", "--download", "--output", file,
        url(server, "/folder/b.bin"), env={"HOME": str(tmp_path)})
    assert file.stat().st_size == 300000


def test_busybox_wget(tmp_path, root, server):
    file = tmp_path / "b.bin"
    data = (root / "folder/b.bin").read_bytes()
    file.write_bytes(data[:100000])
    run(tool("busybox"), "wget", "-c", "-q", "-O", file, url(server, "/folder/b.bin"))
    assert file.read_bytes() == data
    text = run(tool("busybox"), "wget", "-q", "-O", "-", url(server, "/folder"))
    assert b"b.bin" in text


PERL = """
use HTTP::Tiny;
my ($base, $copy) = @ARGV;
my $client = HTTP::Tiny->new(keep_alive => 1);
for (1 .. 3) {
    my $r = $client->get("$base/a.txt");
    print "$r->{status} $r->{headers}{'content-length'}\\n";
}
print $client->mirror("$base/folder/b.bin", $copy)->{status}, "\\n";
print $client->mirror("$base/folder/b.bin", $copy)->{status}, "\\n";
print $client->get("$base/folder/")->{status}, "\\n";
print $client->head("$base/no")->{status}, "\\n";
"""


def test_perl_http_tiny(tmp_path, root, server):
    copy = tmp_path / "b.bin"
    out = run(tool("perl"), "-e", PERL, url(server, ""), copy).decode().split("\n")
    assert out == ["200 8"] * 3 + ["200", "304", "200", "404", ""]
    assert sha256(copy) == sha256(root / "folder/b.bin")


@pytest.mark.parametrize("name", ["lynx", "w3m"])
def test_text_browsers(root, server, name):
    flags = ["-O", "UTF-8"]
    if name == "lynx":
        flags = ["-assume_charset=utf-8", "-display_charset=utf-8"]
    text = run(tool(name), "-dump", *flags, "-cols" if name == "w3m" else "-width", "200",
               url(server, "/folder/")).decode()
    for path in (root / "folder").iterdir():
        assert path.name in text, f"{path.name} is not in the listing:\n{text}"
    text = run(tool(name), "-dump", *flags, url(server, "/missing"), codes=(0, 1)).decode()
    assert "404" in text


def test_curl_parallel(tmp_path, root, server):
    """Many at once, over few connections, to files with difficult names."""
    curl = tool("curl")
    lines = []
    for n, name in enumerate(sorted(os.listdir(root / "folder"))):
        path = "/folder/" + urllib.parse.quote(name)
        lines.append(f'url = "{url(server, path)}"\noutput = "{tmp_path / str(n)}.got"')
    config = tmp_path / "curl.conf"
    config.write_text("\n".join(lines))
    run(curl, "-sS", "--noproxy", "*", "--path-as-is", "-g", "-Z", "-K", config)
    for n, name in enumerate(sorted(os.listdir(root / "folder"))):
        assert (tmp_path / f"{n}.got").read_bytes() == (root / "folder" / name).read_bytes()
