# SPDX-License-Identifier: Apache-2.0
"""`earnest peer`, as clients that people use see it: http.client, requests and curl."""
import base64
import http.client
import json
import shutil
import subprocess

import pytest

from earnest_server import PROGRAM, Server, Wire, await_port, free_port

ASKABLE = [200, 201, 202, 203, 204, 205, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400,
           401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418,
           421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507,
           508, 510, 511]


@pytest.fixture(name="peer")
def peer_server(tmp_path):
    with Server(tmp_path, 'route "/" { peer = true }') as server:
        yield server


def ask(server, method, path, content=None, **fields):
    """Status, fields and content."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, content,
                       {name.replace("_", "-"): value for name, value in fields.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


@pytest.mark.parametrize("status", ASKABLE)
def test_a_status_that_was_asked_for_says_so(peer, status):
    """Wire looks that it has all that this status must carry."""
    with peer.connect() as wire:
        wire.send(b"GET /status/%d HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n" % status)
        answer = wire.answer("GET")
    assert answer.status == status
    assert answer.field("earnest-status") == "asked"


@pytest.mark.parametrize("status", [100, 101, 103, 206, 299, 306, 600, 4294967296])
def test_a_status_that_can_not_be_asked_for_is_not_there(peer, status):
    code, fields, _ = ask(peer, "GET", f"/status/{status}")
    assert (code, fields["Earnest-Status"]) == (404, "earned")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_request_comes_back(peer, method):
    content = None if method == "GET" else 'a "b"\n\u0995'.encode()
    code, fields, text = ask(peer, method, "/anything?x=1%202&y=", content, Cookie="c=d", X_Own="e")
    found = json.loads(text)
    assert (code, fields["Earnest-Status"]) == (200, "earned")
    assert found["method"] == method and found["origin"] == "127.0.0.1"
    assert found["args"] == {"x": "1 2", "y": ""} and found["cookies"] == {"c": "d"}
    assert {name.lower(): value for name, value in found["headers"].items()}["x-own"] == "e"
    assert found["data"].encode() == (content or b"")


def test_content_is_bounded(peer):
    assert ask(peer, "POST", "/post", b"x" * 8193)[0] == 413
    assert ask(peer, "POST", "/post", b"\xff" * 8192)[0] == 200
    assert len(ask(peer, "GET", "/bytes/4294967295")[2]) == 102400


def test_redirects(peer):
    _, fields, _ = ask(peer, "GET", "/redirect/3")
    assert fields["Location"] == "/redirect/2" and fields["Earnest-Status"] == "earned"
    assert ask(peer, "GET", "/relative-redirect/1")[1]["Location"] == "/get"
    assert ask(peer, "GET", "/absolute-redirect/2")[1]["Location"] == \
        f"http://127.0.0.1:{peer.port}/absolute-redirect/1"
    assert ask(peer, "GET", "/redirect/4000000000")[1]["Location"] == "/redirect/99"
    assert ask(peer, "GET", "/redirect/x")[0] == 404


def test_a_peer_below_a_path(tmp_path):
    with Server(tmp_path, 'route "/peer/" { peer = true }') as server:
        assert ask(server, "GET", "/peer/redirect/2")[1]["Location"] == "/peer/redirect/1"
        assert ask(server, "GET", "/peer/status/302")[1]["Location"] == "/peer/get"
        assert ask(server, "GET", "/peer/status/307")[1]["Location"] == "/peer/anything"
        assert ask(server, "GET", "/peer/cookies/set?a=b")[1]["Set-Cookie"] == "a=b; Path=/peer"
        assert ask(server, "GET", "/peer/links/2")[1]["Location"] == "/peer/links/2/0"
        assert ask(server, "GET", "/get")[0] == 404


def test_credentials(peer):
    right = "Basic " + base64.b64encode(b"ann:pw").decode()
    code, fields, _ = ask(peer, "GET", "/basic-auth/ann/pw")
    assert code == 401 and fields["WWW-Authenticate"].startswith("Basic ")
    assert fields["Earnest-Status"] == "earned"
    assert ask(peer, "GET", "/basic-auth/ann/pw", Authorization=right)[0] == 200
    assert ask(peer, "GET", "/basic-auth/ann/other", Authorization=right)[0] == 401
    assert ask(peer, "GET", "/hidden-basic-auth/ann/pw")[0] == 404
    assert ask(peer, "GET", "/hidden-basic-auth/ann/pw", Authorization=right)[0] == 200
    assert ask(peer, "GET", "/bearer")[0] == 401
    assert ask(peer, "GET", "/bearer", Authorization="Bearer abc")[0] == 200
    assert ask(peer, "GET", "/bearer", Authorization=right)[0] == 401


def test_preconditions_and_ranges_are_the_real_ones(peer):
    assert ask(peer, "GET", "/etag/a", If_None_Match='"a"')[0] == 304
    assert ask(peer, "GET", "/etag/a", If_None_Match='"b"')[0] == 200
    assert ask(peer, "GET", "/etag/a", If_Match='"b"')[0] == 412
    assert ask(peer, "GET", "/cache/60")[1]["Cache-Control"] == "public, max-age=60"
    code, fields, content = ask(peer, "GET", "/range/100", Range="bytes=1-3")
    assert (code, fields["Content-Range"], content) == (206, "bytes 1-3/100", b"bcd")
    assert ask(peer, "GET", "/range/100", Range="bytes=100-")[0] == 416
    assert ask(peer, "POST", "/range/100", b"x")[0] == 405


def test_a_sequence_is_of_its_client(peer):
    def turns(path, n):
        return [ask(peer, "GET", path)[0] for _ in range(n)]
    assert turns("/seq/503,503,200", 4) == [503, 503, 200, 200]
    assert turns("/seq/503,503,200?key=a", 2) == [503, 503]
    assert turns("/seq/503,503,200?key=b", 3) == [503, 503, 200]
    assert turns("/seq/503,100", 1) == turns("/seq/x", 1) == [404]


@pytest.mark.parametrize("path, kind", [
    ("/html", "text/html"), ("/json", "application/json"), ("/xml", "application/xml"),
    ("/robots.txt", "text/plain"), ("/encoding/utf8", "text/plain"), ("/image/svg", "image/svg+xml")])
def test_what_is_fixed(peer, path, kind):
    code, fields, content = ask(peer, "GET", path)
    assert code == 200 and fields["Content-Type"].startswith(kind) and content.decode("utf-8")


def test_base64(peer):
    assert ask(peer, "GET", "/base64/aGk=")[2] == b"hi" and ask(peer, "GET", "/base64/a")[0] == 404


def test_requests(peer):
    requests = pytest.importorskip("requests")
    url = f"http://127.0.0.1:{peer.port}"
    with requests.Session() as session:
        session.trust_env = False
        assert len(session.get(url + "/redirect/4").history) == 4
        assert session.get(url + "/gzip").json()["method"] == "GET"
        assert session.get(url + "/basic-auth/a/b", auth=("a", "b")).ok
        assert session.post(url + "/post", data="text").json()["data"] == "text"


def test_curl(peer, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    url = f"http://127.0.0.1:{peer.port}"
    command = ["curl", "-s", "--noproxy", "*", "--max-time", "20"]
    done = subprocess.run([*command, "--compressed", url + "/gzip"], capture_output=True, check=True)
    assert json.loads(done.stdout)["method"] == "GET"
    done = subprocess.run([*command, "--retry", "3", "--retry-delay", "1", "-w", "%{http_code}", "-o",
                           tmp_path / "answer", url + "/seq/503,200"], capture_output=True, check=True)
    assert done.stdout == b"200"


def test_the_command(tmp_path):
    port = free_port()
    with open(tmp_path / "out", "wb") as out, \
            subprocess.Popen([PROGRAM, "peer", "--port", str(port)], stdout=out, stderr=out) as process:
        await_port(port, process, tmp_path / "out")
        with Wire(port) as wire:
            wire.send(b"GET /status/418 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert wire.answer("GET").status == 418
        process.terminate()
        assert process.wait(10) == 0
    for wrong in (["--port", "0"], ["--port", "x"], ["folder"], ["--nothing"]):
        assert subprocess.run([PROGRAM, "peer", *wrong], capture_output=True, check=False).returncode == 2
