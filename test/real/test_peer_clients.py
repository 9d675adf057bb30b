# SPDX-License-Identifier: Apache-2.0
"""Clients that people use, against a test peer: what takes its time, what is coded, who asks."""
import json
import time

import pytest

from browser import Tab
from earnest_server import Server
from real import run, tool, url
from tls import Authority

PEER = 'route "/" { peer = true }'


@pytest.fixture(name="server")
def peer_server(tmp_path):
    with Server(tmp_path, PEER) as server:
        yield server


def curl(*words, **options):
    return run(tool("curl"), "-sS", "--noproxy", "*", "--max-time", "20", *words, **options)


VERSIONS = ["--http1.0", "--http1.1", "--http2-prior-knowledge"]


@pytest.mark.parametrize("version", VERSIONS)
def test_curl(server, version):
    begun = time.monotonic()
    assert json.loads(curl(version, url(server, "/delay/0.3")))["args"] == {}
    assert curl(version, url(server, "/drip?numbytes=5&duration=0.5&delay=0.1")) == b"*" * 5
    assert 0.7 < time.monotonic() - begun < 5
    assert len(curl(version, url(server, "/stream/20")).splitlines()) == 20
    assert curl(version, url(server, "/sse?count=3&duration=0.2")).count(b"data:") == 3
    assert len(curl(version, url(server, "/stream-bytes/90000"))) == 90000
    for path in ("/gzip", "/deflate", "/brotli", "/zstd"):
        assert json.loads(curl(version, "--compressed", url(server, path)))["method"] == "GET"
    if version == "--http2-prior-knowledge":
        return  # curl 7.88 can not use such a connection twice
    assert json.loads(curl(version, "-L", "-b", "", url(server, "/cookies/set?a=b&c=d")))["cookies"] == {"a": "b", "c": "d"}
    for path in ("/digest-auth/auth/a/b", "/digest-auth/auth/a/b/SHA-256", "/digest-auth/auth-int/a/b/MD5"):
        assert json.loads(curl(version, "--digest", "-u", "a:b", url(server, path)))["authenticated"] is True
    assert curl(version, "-L", "--max-redirs", "20", url(server, "/absolute-redirect/9")).startswith(b'{"args"')


@pytest.fixture(name="secure")
def secure_peer(tmp_path):
    """Words for curl to trust it, and its URL."""
    authority = Authority(tmp_path)
    certificate = authority.issue("server", "localhost")
    with Server(tmp_path, PEER, f'certificate = "{certificate}.pem"\nkey = "{certificate}.key"') as server:
        yield (["--cacert", f"{authority.path}.pem", "--resolve", f"localhost:{server.port}:127.0.0.1"],
               f"https://localhost:{server.port}")


def test_many_streams_of_one_connection(secure):
    """Over HTTP/2 they wait side by side."""
    to, base = secure
    begun = time.monotonic()
    paths = [base + f"/drip?duration=1&numbytes={10 + n}" for n in range(40)]
    text = curl(*to, "--http2", "--parallel", "--parallel-max", "50", *paths)
    assert len(text) == sum(10 + n for n in range(40)) and time.monotonic() - begun < 6


def test_curl_over_tls(secure):
    to, base = secure
    for version in ("--http1.1", "--http2"):
        assert curl(*to, version, base + "/drip?numbytes=5&duration=0.3") == b"*" * 5
        assert len(curl(*to, version, base + "/stream/5").splitlines()) == 5
        assert json.loads(curl(*to, version, base + "/delay/0.1"))["url"] == base + "/delay/0.1"
        assert len(curl(*to, version, base + "/stream-bytes/100000")) == 100000
        redirected = curl(*to, version, "-w", "%{redirect_url}", "-o", "/dev/null", base + "/absolute-redirect/2")
        assert redirected.decode() == base + "/absolute-redirect/1"




NODE = """
const base = process.argv[2], say = {};
const get = (path, more) => fetch(base + path, more);
const begun = Date.now();
say.json = (await (await get("/anything?a=b", {method: "POST", body: new URLSearchParams({c: "d"})})).json()).form;
const form = new FormData(); form.set("f", new Blob(["text"]), "name");
say.files = (await (await get("/post", {method: "POST", body: form})).json()).files;
say.coded = (await (await get("/brotli")).json()).brotli;
say.pieces = 0;
for await (const piece of (await get("/drip?numbytes=5&duration=0.5")).body) say.pieces++;
say.lines = (await (await get("/stream/7")).text()).trim().split("\\n").length;
say.cut = await get("/delay/9", {signal: AbortSignal.timeout(200)}).catch(e => e.name);
say.late = await get("/drip?duration=9", {signal: AbortSignal.timeout(300)}).then(r => r.text()).catch(e => e.name);
say.many = (await Promise.all(Array.from({length: 50}, () => get("/delay/0.5")))).every(r => r.ok);
say.redirected = (await get("/redirect/5")).redirected;
say.in_time = Date.now() - begun < 8000;
console.log(JSON.stringify(say));
"""


def test_node_fetch(tmp_path, server):
    script = tmp_path / "fetch.mjs"
    script.write_text(NODE)
    said = json.loads(run(tool("node", "nodejs"), script, url(server, "")))
    assert said.pop("pieces") >= 3
    assert said == {"json": {"c": "d"}, "files": {"f": "text"}, "coded": True, "lines": 7,
                    "cut": "TimeoutError", "late": "TimeoutError", "many": True, "redirected": True,
                    "in_time": True}


def test_python_clients(server):
    base = url(server, "")
    for name in ("requests", "httpx"):
        module = pytest.importorskip(name)
        make = {"requests": lambda m: m.Session(), "httpx": lambda m: m.Client(follow_redirects=True)}[name]
        with make(module) as session:
            session.trust_env = False
            assert session.get(base + "/digest-auth/auth/a/b/SHA-256",
                               auth={"requests": lambda m: m.auth.HTTPDigestAuth, "httpx": lambda m: m.DigestAuth}
                               [name](module)("a", "b")).json() == {"authenticated": True, "user": "a"}
            assert session.get(base + "/cookies/set/a/b").json()["cookies"] == {"a": "b"}
            assert session.post(base + "/post", files={"f": b"text"}, data={"c": "d"}).json()["form"] == {"c": "d"}
            assert session.post(base + "/post", json={"a": 1}).json()["json"] == {"a": 1}
            assert session.get(base + "/deflate").json()["deflated"] is True
            with pytest.raises((getattr(module, "Timeout", OSError), getattr(module, "TimeoutException", OSError))):
                session.get(base + "/delay/9", timeout=0.3)


EVENTS = """new Promise(done => {
    const source = new EventSource("/sse?count=4&duration=0.4"), heard = [];
    source.addEventListener("ping", event => {
        heard.push(event.lastEventId);
        if (heard.length === 4) done(heard.join(" "));
    });
})"""


@pytest.mark.exam
def test_events_in_a_browser(tmp_path, server):
    """When all are there the connection ends; the browser asks once more, and not again after 204."""
    with Tab(tmp_path) as tab:
        tab.goto(url(server, "/html"))
        assert tab.evaluate(EVENTS) == "0 1 2 3"
        time.sleep(5)
    lines = [line for line in server.log_path.read_text().splitlines() if "/sse" in line]
    assert [line.split('" ')[1].split()[0] for line in lines] == ["200", "204"]


@pytest.mark.exam
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "svg"])
def test_images_in_a_browser(tmp_path, server, kind):
    with Tab(tmp_path) as tab:
        tab.goto(url(server, "/html"))
        assert tab.evaluate(f"""new Promise((done, fail) => {{
            const image = new Image(); image.onload = () => done(image.naturalWidth || 64);
            image.onerror = () => done(0); image.src = "/image/{kind}"; }})""") > 0
