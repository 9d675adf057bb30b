# SPDX-License-Identifier: Apache-2.0
"""Answers of servers behind us that are changed on their way (203), while they stream."""
import gzip
import re
import shutil
import subprocess
import threading
import time

import pytest

import h2
from earnest_server import PROGRAM, Server, check_laws
from scenario import SANITIZED, wait_until
from upstream import Upstream, speaks

WORDS = b"".join(b"<p>paragraph  number %d of a page</p>\n" % i for i in range(8000))
FEWER = WORDS.replace(b"  ", b" ")
GZIP = b"Accept-Encoding: gzip\r\n"


def answer_of(content, fields=b"", kind=b"text/html"):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n" %
            (kind, fields, len(content)) + content)


def route(port, *wanted, limits=""):
    words = ", ".join(f'"{word}"' for word in wanted)
    return (f'route "/" {{ proxy = {{ "http://127.0.0.1:{port}" }} transform = {{ {words} }} }}'
            f"\nlimits {{ {limits} }}")


def ask(server, fields=b"", method="GET"):
    with server.connect() as wire:
        wire.send(f"{method} /a HTTP/1.1\r\nHost: a.example\r\n".encode() + fields + b"\r\n")
        answer = wire.answer(method)
        wire.send(b"GET /b HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
        assert wire.answer("GET").status in (200, 203)
    check_laws(answer, method)
    return answer


def test_what_is_kept_is_not_changed(tmp_path):
    conf = tmp_path / "site.conf"
    conf.write_text(route(9, "minify").replace("transform", "cache = true transform"), encoding="utf-8")
    said = subprocess.run([PROGRAM, "check", conf], capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "leave one of transform and cache out" in said.stderr + said.stdout
    conf.write_text(route(9, "minify"), encoding="utf-8")
    assert subprocess.run([PROGRAM, "check", conf], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("coding", ["identity", "gzip", "br", "zstd"])
def test_a_large_page_is_changed_whatever_it_comes_in(tmp_path, coding):
    coders = {"gzip": gzip.compress, "identity": lambda b: b}
    content = coders[coding](WORDS) if coding in coders else through([{"br": "brotli"}.get(coding, coding), "-c"], WORDS)
    fields = b"Content-Encoding: %s\r\n" % coding.encode() if coding != "identity" else b""
    with Upstream([answer_of(content, fields)]) as up, Server(tmp_path, route(up.port, "minify")) as server:
        answer = ask(server, b"Accept-Encoding: br\r\n")
        assert answer.status == 203 and answer.content == FEWER
        assert answer.field("content-encoding") is None
        assert {r.field("accept-encoding") for r in up.requests} == {"identity"}


def through(command, content):
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]}")
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


@pytest.mark.parametrize("over", ["h1", "h2"])
def test_both_are_done_at_once(tmp_path, over):
    with Upstream([answer_of(WORDS)]) as up, Server(tmp_path, route(up.port, "minify", "compress")) as server:
        if over == "h2":
            with h2.H2(server.port) as client:
                answer = client.answer(client.request("GET", "/a", [("accept-encoding", "gzip")]))
        else:
            answer = ask(server, GZIP)
        assert answer.status == 203 and gzip.decompress(answer.content) == FEWER
        assert answer.field("content-encoding") == "gzip"


def test_http_1_0_gets_it_until_the_end(tmp_path):
    with Upstream([answer_of(WORDS)]) as up, Server(tmp_path, route(up.port, "minify")) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.0\r\n\r\n")
            answer = wire.answer("GET")
            assert answer.status == 203 and answer.content == FEWER


def test_what_has_nothing_to_change_goes_on_as_it_came(tmp_path):
    """Be it shorter than what is looked at ahead, as long, or longer; coded, or not what it should be."""
    texts = [FEWER[:n] for n in (1, 1023, 1024, 1025, 70000)] + [FEWER, gzip.compress(FEWER), b"no gzip"]
    for text in texts:
        coded = b"ETag: \"1\"\r\n" + (b"" if text.startswith(b"<") else b"Content-Encoding: gzip\r\n")
        with Upstream([answer_of(text, coded)]) as up, \
                Server(tmp_path, route(up.port, "minify", limits="transform_ahead_bytes_max = 1K")) as server:
            answer = ask(server)
            assert answer.status == 200 and answer.content == text
            assert answer.field("etag") == '"1"' and answer.field("content-length") == str(len(text))


def test_what_changes_too_late_is_not_changed(tmp_path):
    late = FEWER[:30000] + b"<p>a  b</p>"
    for ahead, status in (("8K", 200), ("64K", 203)):
        with Upstream([answer_of(late)]) as up, \
                Server(tmp_path, route(up.port, "minify", limits=f"transform_ahead_bytes_max = {ahead}")) as server:
            assert ask(server).status == status


def test_it_streams(tmp_path):
    """What was changed goes out before all of it has come; a piece a byte is as good as any."""
    go_on = threading.Event()

    @speaks
    def slowly(_request, peer):
        peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in b"<p>a  b</p>" + b"c" * 40:
            peer.socket.sendall(b"1\r\n%c\r\n" % byte)
        go_on.wait(10)
        peer.socket.sendall(b"8\r\n  d</p> \r\n0\r\n\r\n")
        return True

    with Upstream([slowly]) as up, Server(tmp_path, route(up.port, "minify")) as server, \
            server.connect() as wire:
        wire.send(b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
        while b"<p>a b</p>ccc" not in re.sub(rb"\r\n[0-9a-f]+\r\n", b"", wire.buffer):
            assert wire.more()
        go_on.set()
        answer = wire.answer("GET")
        assert answer.status == 203 and answer.content == b"<p>a b</p>" + b"c" * 40 + b" d</p> "


def test_an_answer_that_is_cut_is_cut(tmp_path):
    whole = answer_of(WORDS)

    @speaks
    def breaks_off(_request, peer):
        peer.socket.sendall(whole[:100000])
        return False

    with Upstream([breaks_off]) as up, Server(tmp_path, route(up.port, "minify")) as server, \
            server.connect() as wire:
        wire.send(b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
        with pytest.raises(AssertionError):
            wire.answer("GET")


@pytest.mark.parametrize("wanted", [("minify",), ("minify", "compress")])
def test_a_bomb_does_not_go_off(tmp_path, wanted):
    """Of 10 GiB that come as 10 MiB no more is decoded than the limit; others are served meanwhile."""
    def coded():
        # one member of spaces, again and again: some of it changes at once
        member = gzip.compress(b"<p>" + b" " * (1 << 22))
        return member * (2500 if not SANITIZED else 50)

    bomb = answer_of(coded(), b"Content-Encoding: gzip\r\n")
    other = answer_of(b"ok", kind=b"text/plain")
    with Upstream([lambda r: bomb if r.target == "/a" else other]) as up, \
            Server(tmp_path, route(up.port, *wanted, limits="transform_bytes_max = 64M")) as server:
        with server.connect() as wire, server.connect() as beside:
            begun = time.monotonic()
            wire.send(b"GET /a HTTP/1.1\r\nHost: a.example\r\n" + GZIP + b"\r\n")
            slowest = 0
            for _ in range(20):
                asked = time.monotonic()
                beside.send(b"GET /b HTTP/1.1\r\nHost: a.example\r\n\r\n")
                assert beside.answer("GET").content == b"ok"
                slowest = max(slowest, time.monotonic() - asked)
            with pytest.raises(AssertionError):
                wire.answer("GET")
            assert time.monotonic() - begun < 30
            assert slowest < (5 if SANITIZED else 1)


def test_the_first_bytes_of_a_bomb_are_looked_at_with_measure(tmp_path):
    """Nothing changes in it: it goes on as it came, and was not decoded to its end."""
    bomb = answer_of(gzip.compress(bytes(1 << 28)), b"Content-Encoding: gzip\r\n")
    with Upstream([bomb]) as up, Server(tmp_path, route(up.port, "minify", "compress")) as server:
        begun = time.monotonic()
        answer = ask(server, GZIP)
        assert answer.status == 200 and answer.content == bomb.split(b"\r\n\r\n", 1)[1]
        assert time.monotonic() - begun < 10


@speaks
def begins_and_stops(_request, peer):
    peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<p>a b")
    peer.socket.recv(1)  # until the other side gives up
    return False


def test_what_is_looked_at_ahead_has_to_come_in_time(tmp_path):
    with Upstream([begins_and_stops]) as up, \
            Server(tmp_path, route(up.port, "minify", limits="upstream_stall_ms = 200")) as server, \
            server.connect() as wire:
        begun = time.monotonic()
        wire.send(b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
        with pytest.raises(AssertionError):
            wire.answer("GET")
        assert 0.1 < time.monotonic() - begun < 5
        assert b" 200 " in wire.buffer or wire.ended


def test_a_client_may_leave_meanwhile(tmp_path):
    with Upstream([begins_and_stops]) as up, Server(tmp_path, route(up.port, "minify")) as server:
        with h2.H2(server.port) as client:
            client.request("GET", "/a")
            wait_until(lambda: up.requests)
        wait_until(lambda: not up.open)  # its connection is given up, too


SHEET = b'@import "//127.0.0.1:%d/a.css"; b { c: url(http://127.0.0.1:%d/d) } /* http://127.0.0.1:%d/ */'


@pytest.mark.parametrize("kind, status", [(b"text/css", 203), (b"text/css; charset=utf-8", 203),
                                          (b"text/css; charset=utf-16", 200), (b"text/plain", 200)])
def test_links_of_a_style_sheet_become_paths(tmp_path, kind, status):
    with Upstream([]) as up, Server(tmp_path, route(up.port, "rewrite_links", "minify")) as server:
        sheet = SHEET % ((up.port,) * 3)
        up.script.append(answer_of(sheet, kind=kind))
        answer = ask(server)
        assert answer.status == status
        assert answer.content == (sheet if status == 200 else
                                  b'@import "/a.css"; b { c: url(/d) } /* http://127.0.0.1:%d/ */' % up.port)


@pytest.mark.parametrize("name, value, wanted", [
    ("Location", "http://UP/a?b", "/a?b"),
    ("Location", "http://UP", "/"),
    ("Location", "http://UP//a", "/.//a"),
    ("Location", "http://other.example/a", None),
    ("Location", "/a?http://UP/", None),
    ("Content-Location", "HTTP://UP/a", "/a"),
    ("Link", "<http://UP/a>; rel=next, </b>, <//UP/c>; title=\"<http://UP/d>\"",
     "</a>; rel=next, </b>, </c>; title=\"<http://UP/d>\""),
    ("Link", "<http://UP/a", "</a"),
    ("Refresh", "5; url=http://UP/a", "5; url=/a"),
    ("Refresh", "0;URL='http://UP/a'", "0;URL='/a'"),
    ("Refresh", "5", None),
    ("Set-Cookie", "a=b; Domain=127.0.0.1; Path=/c", "a=b; Path=/c"),
    ("Set-Cookie", "a=b; path=/c; domain=.127.0.0.1", "a=b; path=/c"),
    ("Set-Cookie", "Domain=127.0.0.1; Domain=example.com", None),
    ("X-Other", "http://UP/a", None),
])
@pytest.mark.parametrize("status", ["302 Found", "404 Not Found"])
def test_links_of_fields_become_paths(tmp_path, name, value, wanted, status):
    """The status stays: content is as it came (RFC 9110 7.7)."""
    with Upstream([]) as up, Server(tmp_path, route(up.port, "rewrite_links")) as server:
        value, wanted = [v and v.replace("UP", f"127.0.0.1:{up.port}") for v in (value, wanted)]
        up.script.append(f"HTTP/1.1 {status}\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n".encode())
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
            answer = wire.answer("GET")
        assert answer.status == int(status[:3])
        assert answer.field(name.lower()) == (wanted or value)
    with Upstream([f"HTTP/1.1 {status}\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n".encode()]) as up, \
            Server(tmp_path, route(up.port, "minify")) as server, server.connect() as wire:
        wire.send(b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert wire.answer("GET").field(name.lower()) == value  # nobody asked for it
