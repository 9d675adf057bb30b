# SPDX-License-Identifier: Apache-2.0
"""Applications behind us, as Chromium meets them: PHP with sessions and uploads, Node with live pages."""
import contextlib
import json
import os
import subprocess

import pytest

from browser import MODULES, Tab, package
from earnest_server import Server, await_port, free_port
from fpm import Fpm, needs_fpm
from real import tool, url
from tls import make_certificate

pytestmark = pytest.mark.exam
BLOG = r"""<?php // one script for all addresses, as WordPress has it
session_start();
$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
$said = fn($text) => htmlspecialchars($text);
if ($_SERVER["REQUEST_METHOD"] === "POST") {
    if ($path === "/login")
        $_SESSION["name"] = $_POST["name"];
    elseif ($path === "/upload" && isset($_SESSION["name"]))
        move_uploaded_file($_FILES["picture"]["tmp_name"], __DIR__ . "/uploads/" . basename($_FILES["picture"]["name"]));
    else
        http_response_code(403) && exit("no");
    header("Location: /", true, 303);
    exit;
}
$post = preg_match("#^/\d{4}/([a-z-]+)/$#", $path, $part) ? $part[1] : null;
if (!$post && $path !== "/")
    http_response_code(404);
?><!doctype html><title>blog</title><link rel=icon href="data:,"><link rel=stylesheet href="/style.css">
<h1><?= $post ? $said($post) : ($path === "/" ? "Hello, " . $said($_SESSION["name"] ?? "nobody") : "Not here") ?></h1>
<a href="/2026/a-first-post/">a post</a>
<form method=post action="/login"><input name=name><button id=login>log in</button></form>
<form method=post action="/upload" enctype="multipart/form-data"><input type=file name=picture><button id=send>send</button></form>
<?php foreach (glob(__DIR__ . "/uploads/*") as $file) echo "<img src='/uploads/", $said(basename($file)), "'>";
"""
PICTURE = (b'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><!--' + b"x" * 300000 +
           b'--><rect width="30" height="20"/></svg>')
LIVE = """
const {WebSocketServer} = require("ws"), http = require("http");
const page = `<!doctype html><title>live</title><link rel=icon href="data:,"><script>
window.told = []; window.echoed = [];
new EventSource("/events").onmessage = e => told.push([e.data, e.lastEventId]);
const ws = new WebSocket(location.origin.replace("http", "ws") + "/socket");
ws.onopen = () => { ws.send("বাংলা"); ws.send("x".repeat(200000)); ws.send("end"); };
ws.onmessage = e => { echoed.push(e.data); if (e.data === "end") ws.close(1000, "done"); };
ws.onclose = e => window.ended = [e.code, e.reason, e.wasClean];
</script>`;
const server = http.createServer((request, response) => {
    if (request.url !== "/events")
        return response.setHeader("Content-Type", "text/html; charset=utf-8").end(page);
    response.setHeader("Content-Type", "text/event-stream");
    let n = Number(request.headers["last-event-id"] || 0);
    const timer = setInterval(() => {
        response.write(`id: ${++n}\\ndata: ${Date.now()}\\n\\n`);
        if (n % 5 === 0) response.end();  // the client comes again, and says where it was
    }, 50);
    request.on("close", () => { clearInterval(timer); });
});
new WebSocketServer({server, path: "/socket"}).on("connection",
    ws => ws.on("message", (data, binary) => ws.send(data, {binary})));
server.listen(PORT, "127.0.0.1");
"""


@pytest.fixture(name="secure", params=[False, True], ids=["plain", "tls"])
def secure_or_not(request, tmp_path):
    return make_certificate(tmp_path) if request.param else ""


def open_tab(place):
    return Tab(place, ignoreHTTPSErrors=True)


@needs_fpm
def test_a_blog_in_php(tmp_path, secure):
    root = tmp_path / "blog"
    (root / "uploads").mkdir(parents=True)
    (root / "index.php").write_text(BLOG, encoding="utf-8")
    (root / "style.css").write_text("h1 { color: rgb(1, 2, 3) }")
    (tmp_path / "picture.svg").write_bytes(PICTURE)
    with Fpm() as fpm:
        conf = f'route "/" {{ fastcgi = "{fpm.address}"  root = "{root}"  fallback = "/index.php" }}\n'
        with Server(tmp_path, conf, secure) as server, open_tab(tmp_path) as tab:
            tab.goto(url(server, "/").replace("http:", "https:" if secure else "http:"))
            assert tab.textContent("h1") == "Hello, nobody"
            assert tab.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(1, 2, 3)"
            tab.click("a")
            tab.wait("location.pathname === '/2026/a-first-post/' && document.querySelector('h1')?.textContent === 'a-first-post'")
            tab.fill("input[name=name]", "Ada <b>")
            tab.click("#login")
            tab.wait("document.querySelector('h1')?.textContent === 'Hello, Ada <b>'")
            tab.setInputFiles("input[name=picture]", str(tmp_path / "picture.svg"))
            tab.click("#send")
            tab.wait("document.querySelector('img')?.naturalWidth === 30")
            assert (root / "uploads/picture.svg").read_bytes() == PICTURE
            tab.reload()
            assert tab.textContent("h1") == "Hello, Ada <b>"
            assert tab.evaluate("fetch('/none').then(r => r.status)") == 404
            assert tab.evaluate("fetch('/upload', {method: 'POST', credentials: 'omit'}).then(r => r.status)") == 403


@contextlib.contextmanager
def live_application(folder):
    package("ws")
    port = free_port()
    (folder / "live.js").write_text(LIVE.replace("PORT", str(port)), encoding="utf-8")
    environment = {**os.environ, "NODE_PATH": str(MODULES / "node_modules")}
    with open(folder / "live.out", "wb") as out, \
            subprocess.Popen([tool("node", "nodejs"), folder / "live.js"], env=environment, stdout=out,
                             stderr=out) as process:
        try:
            await_port(port, process, folder / "live.out")
            yield port
        finally:
            process.terminate()


def test_a_live_page_of_node(tmp_path, secure):
    """Events as they come, again from where they ended; messages of a WebSocket, and its end."""
    with live_application(tmp_path) as port:
        conf = f'route "/" {{ proxy = {{ "http://127.0.0.1:{port}" }} }}\n'
        with Server(tmp_path, conf, secure) as server, open_tab(tmp_path) as tab:
            tab.goto(url(server, "/").replace("http:", "https:" if secure else "http:"))
            tab.wait("window.ended && told.length >= 7")
            assert tab.evaluate("ended") == [1000, "done", True]
            assert tab.evaluate("echoed.map(e => e.length)") == [5, 200000, 3]
            assert tab.evaluate("echoed[0]") == "বাংলা"
            told = tab.evaluate("told")
            assert [id for _, id in told[:7]] == [str(i + 1) for i in range(7)], json.dumps(told)
            gaps = [int(b[0]) - int(a[0]) for a, b in zip(told[:5], told[1:5])]
            assert max(gaps) < 1000 and min(gaps) > 10
