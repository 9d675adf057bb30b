# SPDX-License-Identifier: Apache-2.0
"""Scripts that an application runs which speaks FastCGI: what they are told, and what becomes of their answer."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest

import h2
from earnest_server import Server
from fastcgi import OVERLOADED, UNKNOWN_ROLE, Application
from fpm import Fpm, needs_fpm
from scenario import limits

HOST = b"Host: a.example\r\n"
OK = b"Content-Type: text/plain\n\nok"


@pytest.fixture(name="app_root")
def app_root_folder(tmp_path):
    root = tmp_path / "app"
    (root / "sub").mkdir(parents=True)
    for name in ("index.php", "a.php", "sub/b.php"):
        (root / name).write_text("<?php")
    (root / "a.txt").write_text("plain\n")
    (root / "upload.jpg").write_text("<?php")
    (root / ".hidden.php").write_text("<?php")
    (root / "folder.php").mkdir()
    (tmp_path / "outside.php").write_text("<?php")
    (root / "link.php").symlink_to(tmp_path / "outside.php")
    return root


def route(app, root, more="", path="/"):
    return f'route "{path}" {{ fastcgi = "{app.address}"  root = "{root}" {more} }}'


def ask(server, target="/a.php", method="GET", fields=b"", content=b""):
    with server.connect() as wire:
        wire.send(f"{method} {target} HTTP/1.1\r\n".encode() + HOST + fields + b"\r\n" + content)
        return wire.answer(method)


# ---- what a script is told


def test_environment(tmp_path, app_root):
    fields = (b"Proxy: http://evil.example\r\nX-Own: 1\r\nX-Own: 2\r\nX_Own: 3\r\nCookie: a=b\r\nCookie: c=d\r\n"
              b"Connection: X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nX-Forwarded-For: 6.6.6.6\r\nAuthorization: Own x\r\n"
              b"Content-Type: a/b\r\nContent-Length: 2\r\n")
    with Application([OK]) as app, Server(tmp_path, route(app, app_root)) as server:
        assert ask(server, "/sub/b.php/x%20y/z?q=%20&r", "POST", fields, b"hi").content == b"ok"
        told = app.requests[0].params
        assert app.requests[0].content == b"hi"
        port = str(server.port)
    assert told.pop("REMOTE_PORT").isdecimal()
    assert told == {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "earnest", "REQUEST_METHOD": "POST",
        "REQUEST_SCHEME": "http", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_URI": "/sub/b.php/x%20y/z?q=%20&r",
        "QUERY_STRING": "q=%20&r", "CONTENT_LENGTH": "2", "CONTENT_TYPE": "a/b",
        "SCRIPT_NAME": "/sub/b.php", "SCRIPT_FILENAME": f"{app_root}/sub/b.php", "PATH_INFO": "/x y/z",
        "PATH_TRANSLATED": f"{app_root}/x y/z", "DOCUMENT_ROOT": str(app_root),
        "DOCUMENT_URI": "/sub/b.php/x y/z", "REDIRECT_STATUS": "200", "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1", "SERVER_ADDR": "127.0.0.1", "SERVER_PORT": port,
        "SERVER_NAME": "a.example", "HTTP_HOST": "a.example", "HTTP_X_OWN": "1, 2",
        "HTTP_COOKIE": "a=b; c=d", "HTTP_AUTHORIZATION": "Own x",
    }


def test_environment_over_http2(tmp_path, app_root):
    with Application([OK]) as app, Server(tmp_path, route(app, app_root)) as server:
        with h2.H2(server.port) as client:
            assert client.answer(client.request("GET", "/a.php?x", authority="b.example")).content == b"ok"
    told = app.requests[0].params
    assert (told["SERVER_PROTOCOL"], told["HTTP_HOST"], told["SERVER_NAME"]) == ("HTTP/2.0", "b.example", "b.example")


def test_largest_request_is_told_in_full(tmp_path, app_root):
    fields = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 150) for i in range(90))
    target = "/a.php/" + "p" * 4000 + "?" + "q" * 4000
    with Application([OK]) as app, Server(tmp_path, route(app, app_root)) as server:
        assert ask(server, target, fields=fields).status == 200
    told = app.requests[0].params
    assert told["REQUEST_URI"] == target and told["HTTP_X_89"] == "v" * 150


def test_who_logged_in_is_named_and_keeps_the_secret(tmp_path, app_root):
    hashed = subprocess.run(["openssl", "passwd", "-6", "secret"], capture_output=True, check=True).stdout.decode().strip()
    config = f'user "ann" {{ password = "{hashed}" }}\n'
    with Application([OK]) as app:
        with Server(tmp_path, config + route(app, app_root, 'auth = "basic"')) as server:
            assert ask(server).status == 401
            assert ask(server, fields=b"Authorization: Basic YW5uOnNlY3JldA==\r\n").status == 200
    told = app.requests[0].params
    assert (told["REMOTE_USER"], told["AUTH_TYPE"]) == ("ann", "Basic")
    assert len(app.requests) == 1 and "HTTP_AUTHORIZATION" not in told


# ---- which script


@pytest.mark.parametrize("target, status, name, info", [
    ("/", 200, "/index.php", ""), ("/a.php", 200, "/a.php", ""), ("/a.php/", 200, "/a.php", "/"),
    ("/a.php/b.php", 200, "/a.php", "/b.php"), ("/sub/b.php/../b.php", 200, "/sub/b.php", ""),
    ("/upload.jpg/x.php", 404, None, None), ("/upload.jpg/.php", 403, None, None), ("/none.php", 404, None, None),
    ("/none/a.php", 404, None, None), ("/.hidden.php", 403, None, None), ("/link.php", 403, None, None),
    ("/../outside.php", 403, None, None), ("/a.php%00.jpg", 400, None, None), ("/upload.jpg%2fx.php", 400, None, None),
    ("/folder.php/x", 404, None, None), ("/folder.php", 301, None, None), ("/a.PHP", 404, None, None)])
def test_only_files_below_the_root_are_run(tmp_path, app_root, target, status, name, info):
    with Application([OK]) as app, Server(tmp_path, route(app, app_root)) as server:
        assert ask(server, target).status == status
    assert [(r.params["SCRIPT_NAME"], r.params["PATH_INFO"]) for r in app.requests] == ([(name, info)] if name else [])


def test_plain_files_are_served_as_they_are(tmp_path, app_root):
    (app_root / "sub/index.html").write_text("<p>sub")
    with Application([OK]) as app, Server(tmp_path, route(app, app_root)) as server:
        answer = ask(server, "/a.txt")
        assert (answer.status, answer.content) == (200, b"plain\n")
        etag = answer.field("etag")
        assert ask(server, "/a.txt", fields=f"If-None-Match: {etag}\r\n".encode()).status == 304
        assert ask(server, "/a.txt", fields=b"Range: bytes=1-2\r\n").content == b"la"
        assert ask(server, "/sub/").content == b"<p>sub"
        assert ask(server, "/sub/", fields=b"If-None-Match: *\r\n").status == 304
        assert ask(server, "/a.txt", "POST", b"Content-Length: 0\r\n").status == 405
        assert ask(server, "/none.php", "DELETE").status == 405
    assert not app.requests


def test_fallback_answers_what_no_file_has(tmp_path, app_root):
    with Application([OK]) as app:
        with Server(tmp_path, route(app, app_root, 'fallback = "/index.php"')) as server:
            for target in ("/2026/11/a-post/", "/none.php/x", "/upload.jpg/x.php"):
                assert ask(server, target).content == b"ok"
            assert ask(server, "/a.txt").content == b"plain\n"
            assert ask(server, "/none", "PUT", b"Content-Length: 1\r\n", b"x").status == 200
    told = [r.params for r in app.requests]
    assert [t["REQUEST_URI"] for t in told] == ["/2026/11/a-post/", "/none.php/x", "/upload.jpg/x.php", "/none"]
    assert {(t["SCRIPT_NAME"], t["PATH_INFO"]) for t in told} == {("/index.php", "")}


def test_route_below_the_site(tmp_path, app_root):
    with Application([OK], tmp_path / "s") as app, Server(tmp_path, route(app, app_root, path="/blog/")) as server:
        assert ask(server, "/blog/a.php/x").status == 200
        assert ask(server, "/blog").field("location") == "/blog/"
        assert ask(server, "/blog/").status == 200
    told = app.requests[0].params
    assert (told["SCRIPT_NAME"], told["PATH_INFO"], told["DOCUMENT_URI"]) == ("/blog/a.php", "/x", "/blog/a.php/x")
    assert told["SCRIPT_FILENAME"] == f"{app_root}/a.php"


# ---- answers


def test_hints_are_passed_on(tmp_path, app_root):
    def hints(_, peer):
        peer.out(b"Status: 103 Early Hints\nLink: </a.css>; rel=preload\n\n")
        time.sleep(0.1)
        peer.out(OK)
        peer.end()

    with Application([hints]) as app, Server(tmp_path, route(app, app_root)) as server:
        answer = ask(server, fields=b"Sec-Fetch-Mode: navigate\r\n")
        assert answer.content == b"ok"
        assert [(i.status, i.field("link")) for i in answer.interim] == [(103, "</a.css>; rel=preload")]
        assert not ask(server).interim  # who knows no hints might take one for the answer


def test_what_it_complains_about_is_in_the_log(tmp_path, app_root):
    def complains(_, peer):
        peer.err(b"PHP Warning:  one\n")
        peer.out(b"Content-Type: text/plain\n")
        peer.err(b"two\x1b[2J\n" + b"x" * 60000)
        peer.out(b"\nok")
        peer.end()

    with Application([complains]) as app, Server(tmp_path, route(app, app_root)) as server:
        assert ask(server).content == b"ok"
    log = server.stderr()
    assert "error: script /a.php: PHP Warning:  one\n" in log
    assert "error: script /a.php: two\\x1b[2J\n" in log
    assert len(log) < 40000 and "(more is dropped)" in log


@pytest.mark.parametrize("answer, status, rule", [
    (lambda _, peer: peer.socket.close(), 500, "act_failed"),
    (lambda _, peer: peer.end(), 500, "act_failed"),
    (lambda _, peer: (peer.out(b"Content-Type: a/b\n"), peer.socket.close()), 500, "act_failed"),
    (lambda _, peer: peer.out(b"<p>hello\n"), 500, "act_failed"),
    (lambda _, peer: peer.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), 500, "act_failed"),
    (lambda _, peer: peer.out(b"A: " + b"a" * 60000), 500, "act_failed"),
    (lambda _, peer: peer.out(b"Status: 103\n\n" * 9), 500, "act_failed"),
    (lambda _, peer: peer.end(UNKNOWN_ROLE), 500, "act_failed"),
    (lambda _, peer: peer.end(OVERLOADED), 503, "upstream_busy"),
    (lambda _, peer: time.sleep(2), 504, "upstream_timeout")])
def test_what_goes_wrong_is_told_apart(tmp_path, app_root, answer, status, rule):
    config = limits(upstream_answer_ms=400)
    with Application([answer]) as app, Server(tmp_path, route(app, app_root) + "\n" + config) as server:
        told = ask(server)
        assert told.status == status
        assert (told.field("proxy-status") is not None) == (status != 500)
        assert (status != 503) or told.field("retry-after") == "1"
    assert server.rules() == [rule]
    if status == 500:
        assert f"incident {told.problem()['instance']}" in server.stderr()


@pytest.mark.parametrize("head", [b"Content-Type: a/b\n\n", b"Content-Type: a/b\nContent-Length: 10\n\n"])
def test_answer_that_is_cut_is_cut_for_its_client(tmp_path, app_root, head):
    def cut(_, peer):
        peer.out(head + b"1234")
        time.sleep(0.1)
        peer.socket.close()

    with Application([cut]) as app, Server(tmp_path, route(app, app_root)) as server:
        with server.connect() as wire:
            wire.send(b"GET /a.php HTTP/1.1\r\n" + HOST + b"\r\n")
            with pytest.raises(AssertionError):
                wire.answer("GET")
        with h2.H2(server.port) as client:
            assert client.outcome(client.request("GET", "/a.php")) == "INTERNAL_ERROR"
    assert server.log_path.read_text(encoding="utf-8").count("rule=relayed aborted") == 2


def test_full_queue_is_busy(tmp_path, app_root):
    import socket
    folder = pathlib.Path(tempfile.mkdtemp())
    with socket.socket(socket.AF_UNIX) as deaf, socket.socket(socket.AF_UNIX) as held:
        deaf.bind(str(folder / "s"))
        deaf.listen(0)
        held.connect(str(folder / "s"))
        config = f'route "/" {{ fastcgi = "unix:{folder}/s"  root = "{app_root}" }}'
        with Server(tmp_path, config) as server:
            answer = ask(server)
            assert (answer.status, answer.field("retry-after")) == (503, "1")
    shutil.rmtree(folder)
    assert server.rules() == ["upstream_busy"]


def test_another_application_is_asked_if_one_is_away(tmp_path, app_root):
    with Application([OK]) as app:
        config = f'route "/" {{ fastcgi = {{ "127.0.0.1:1", "{app.address}" }} root = "{app_root}" }}'
        with Server(tmp_path, config) as server:
            assert [ask(server).status for _ in range(4)] == [200] * 4


# ---- content


def test_content_streams_with_back_pressure(tmp_path, app_root, figure):
    """64 MiB each way, to who takes it slowly at first: neither side gathers."""
    size = 64 << 20

    def echo(request, peer):
        time.sleep(1)
        peer.out(b"Content-Type: a/b\nContent-Length: %d\n\n" % size)
        n = 0
        while piece := peer.stdin():
            n += len(piece)
            peer.out(piece)
        assert n == size
        peer.end()

    with Application([echo]) as app, Server(tmp_path, route(app, app_root)) as server:
        before = rss(served_by(server))
        with server.connect() as wire:
            wire.send(b"POST /a.php HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size)
            threading.Thread(target=wire.send, args=(bytes(size),), daemon=True).start()
            time.sleep(0.8)
            grown = rss(served_by(server)) - before
            answer = wire.answer("POST")
        assert answer.content == bytes(size)
        figure("memory grew", grown, "KiB")
        assert grown < 2048


def served_by(server):
    children = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return int(children.read_text(encoding="ascii").split()[0])


def rss(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def test_expectation_is_answered_for_the_script(tmp_path, app_root):
    with Application([OK]) as app, Server(tmp_path, route(app, app_root)) as server, server.connect() as wire:
        wire.send(b"POST /a.php HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert wire.head().status == 100
        wire.send(b"hi")
        assert wire.answer("POST").content == b"ok"
    assert app.requests[0].content == b"hi"


def test_content_that_is_cut_ends_the_script(tmp_path, app_root):
    ended = threading.Event()

    def reads(_, peer):
        try:
            while peer.stdin():
                pass
        except EOFError:
            ended.set()

    with Application([reads]) as app, Server(tmp_path, route(app, app_root)) as server:
        with server.connect() as wire:
            wire.send(b"POST /a.php HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nhi")
            time.sleep(0.2)
        assert ended.wait(3)


# ---- PHP


PHP = {
    "index.php": "<?php header('Link: </a.css>; rel=preload'); setcookie('seen', 'yes');\n"
                 "echo '<p>', htmlspecialchars($_GET['name'] ?? 'nobody'), ' ', $_SERVER['REQUEST_URI'];",
    "form.php": "<?php echo $_POST['a'], ' ', $_FILES['f']['size'] ?? '-', ' ', md5_file($_FILES['f']['tmp_name']);",
    "json.php": "<?php header('Content-Type: application/json'); echo json_encode(['in' => strlen(file_get_contents('php://input'))]);",
    "status.php": "<?php http_response_code(404); header('X-A: 1'); echo 'none';",
    "away.php": "<?php header('Location: /elsewhere');",
    "big.php": "<?php for ($i = 0; $i < 1024; $i++) echo str_repeat(chr(65 + $i % 26), 32768);",
    "slow.php": "<?php sleep(30);",
    "die.php": "<?php exec('kill -9 ' . getmypid());",
    "kill.php": "<?php echo str_repeat('x', 100000); flush(); exec('kill -9 ' . getmypid());",
    "error.php": "<?php error_log('this is said'); undefined_function();",
}


@pytest.fixture(name="fpm")
def fpm_server(tmp_path):
    root = tmp_path / "php"
    root.mkdir()
    for name, text in PHP.items():
        (root / name).write_text(text)
    (root / "style.css").write_text("p {}")
    with Fpm() as fpm:
        config = (f'route "/" {{ fastcgi = "{fpm.address}"  root = "{root}"  fallback = "/index.php" }}\n'
                  + limits(upstream_answer_ms=1500))
        with Server(tmp_path, config) as server:
            server.fpm = fpm
            yield server


@needs_fpm
def test_php_pages(fpm):
    answer = ask(fpm, "/?name=<b>")
    assert answer.content == b"<p>&lt;b&gt; /?name=<b>" or b"&lt;b&gt;" in answer.content
    assert answer.field("set-cookie") == "seen=yes" and answer.field("content-type").startswith("text/html")
    assert b"/2026/a-post/" in ask(fpm, "/2026/a-post/").content
    assert ask(fpm, "/style.css").field("content-type").startswith("text/css")
    answer = ask(fpm, "/away.php")
    assert (answer.status, answer.field("location")) == (302, "/elsewhere")
    answer = ask(fpm, "/big.php")
    assert len(answer.content) == 32 << 20 and answer.content[32768:32770] == b"BB"
    answer = ask(fpm, "/big.php", "HEAD")
    assert (answer.status, answer.content) == (200, b"")


@needs_fpm
def test_php_forms(fpm, tmp_path):
    data = os.urandom(3 << 20)
    (tmp_path / "f").write_bytes(data)
    url = f"http://127.0.0.1:{fpm.port}"
    for version in ("--http1.1", "--http2-prior-knowledge"):
        out = subprocess.run(["curl", "-sS", version, "-F", "a=b", "-F", f"f=@{tmp_path}/f", f"{url}/form.php"],
                             capture_output=True, check=True, timeout=20).stdout.decode().split()
        assert out[:2] == ["b", str(len(data))]
        sent = subprocess.run(["curl", "-sS", version, "--data-binary", f"@{tmp_path}/f", f"{url}/json.php"],
                              capture_output=True, check=True, timeout=20).stdout
        assert sent == b'{"in":%d}' % len(data)


@needs_fpm
def test_php_that_dies_is_told_apart(fpm):
    assert ask(fpm, "/die.php").status == 500
    with pytest.raises(AssertionError):
        ask(fpm, "/kill.php")
    began = time.monotonic()
    assert ask(fpm, "/slow.php").status == 504
    assert time.monotonic() - began < 5
    assert ask(fpm, "/error.php").status == 500
    for pid in fpm.fpm.children():
        os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    assert ask(fpm, "/").status == 200
    fpm.fpm.process.kill()
    fpm.fpm.process.wait()
    for pid in fpm.fpm.children() if pathlib.Path(f"/proc/{fpm.fpm.process.pid}").exists() else []:
        os.kill(pid, signal.SIGKILL)
