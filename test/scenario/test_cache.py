# SPDX-License-Identifier: Apache-2.0
"""A shared cache before a gateway (RFC 9111): what is kept, for whom, until when, and who is asked meanwhile."""
import contextlib
import os
import re
import signal
import threading
import time

import pytest

import h2
from earnest_server import Server
from scenario import SANITIZED, Site, compile_shim, limits, wait_until
from upstream import SILENCE, Upstream, speaks

HOST = b"Host: a.example\r\n"


def route(port, more="", top=""):
    return f'route "/" {{ proxy = {{ "http://127.0.0.1:{port}" }} cache = true {more} }}\npseudonym = "us"\n{top}'


def answer(content=b"ok", control="max-age=60", fields=b"", status=b"200 OK"):
    head = b"HTTP/1.1 " + status + b"\r\n" + (b"Cache-Control: %s\r\n" % control.encode() if control else b"")
    return head + fields + b"Content-Length: %d\r\n\r\n" % len(content) + content


def numbered(control="max-age=60", fields=b""):
    """Each answer says which it is."""
    count = iter(range(1, 1000))
    return lambda request: answer(b"%d" % next(count), control, fields)


def ask(server, target="/a", fields=b"", method="GET", host=HOST):
    with server.connect() as wire:
        wire.send(f"{method} {target} HTTP/1.1\r\n".encode() + host + fields + b"\r\n")
        return wire.answer(method)


def status_of(reply):
    return reply.field("cache-status")


def lines_of(reply, name):
    return [value for other, value in reply.fields if other == name]


class Threads(Server):
    """The server with several threads."""

    def __init__(self, folder, config, workers):
        super().__init__(folder, config)
        text = self.config_path.read_text(encoding="utf-8")
        self.config_path.write_text(text.replace("workers = 1", f"workers = {workers}"), encoding="utf-8")


# ---- hits


def test_what_is_fresh_is_used(tmp_path):
    fields = b"ETag: \"v1\"\r\nX-Own: a\r\nVia: 1.1 them\r\nConnection: X-Hop\r\nX-Hop: 1\r\nAge: 7\r\n"
    with Upstream([answer(fields=fields)]) as up, Server(tmp_path, route(up.port)) as server:
        first, second = ask(server), ask(server)
    assert len(up.requests) == 1
    assert status_of(first) == "us; fwd=uri-miss; ttl=53; stored" and first.field("age") == "7"
    assert re.fullmatch(r"us; hit; ttl=5[23]", status_of(second))
    assert second.content == b"ok" and second.field("x-own") == "a" and second.field("age") in "78"
    assert second.field("x-hop") is None and lines_of(second, "via") == ["1.1 them", "1.1 us"]
    assert server.rules() == ["relayed", "ok"]


def test_ages_grow(tmp_path):
    with Upstream([answer(fields=b"Age: 30\r\n")]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        time.sleep(1.2)
        reply = ask(server)
    assert int(reply.field("age")) in (31, 32)


def test_one_store_for_all_threads(tmp_path):
    with Upstream([numbered()]) as up, Threads(tmp_path, route(up.port), 4) as server:
        assert {ask(server).content for _ in range(40)} == {b"1"}
    assert len(up.requests) == 1


def test_head_is_answered_from_what_get_stored(tmp_path):
    with Upstream([answer(b"hello")]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        reply = ask(server, method="HEAD")
        assert reply.field("content-length") == "5" and reply.content == b""
    assert len(up.requests) == 1


@pytest.mark.parametrize("ranges, content", [("1-3", b"ell"), ("-2", b"lo"), ("3-", b"lo")])
def test_parts_of_what_is_stored(tmp_path, ranges, content):
    with Upstream([answer(b"hello", fields=b"ETag: \"v\"\r\n")]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        reply = ask(server, fields=f"Range: bytes={ranges}\r\n".encode())
        assert (reply.status, reply.content) == (206, content)
        several = ask(server, fields=b"Range: bytes=0-0,4-4\r\n")
        assert several.status == 206 and several.field("content-type").startswith("multipart/byteranges")
        assert ask(server, fields=b"Range: bytes=9-\r\n").status == 416
        assert ask(server, fields=b"Range: bytes=0-1\r\nIf-Range: \"w\"\r\n").status == 200
    assert len(up.requests) == 1


def test_parts_are_not_stored_as_wholes(tmp_path):
    part = (b"HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-1/5\r\n"
            b"Content-Length: 2\r\n\r\nhe")
    with Upstream([part, answer(b"hello")]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server, fields=b"Range: bytes=0-1\r\n").status == 206
        assert ask(server).content == b"hello"
    assert up.requests[0].field("range") == "bytes=0-1"


def test_only_what_is_stored(tmp_path):
    with Upstream([answer()]) as up, Server(tmp_path, route(up.port)) as server:
        only = b"Cache-Control: only-if-cached\r\n"
        refused = ask(server, fields=only)
        assert refused.status == 504 and refused.problem()["rule"] == "not_stored"
        assert status_of(refused) is None and up.requests == []
        ask(server)
        assert ask(server, fields=only).status == 200
        assert ask(server, target="/b", fields=only).status == 504
    assert len(up.requests) == 1


# ---- keys


def test_what_tells_answers_apart(tmp_path):
    with Upstream([numbered()]) as up, Server(tmp_path, route(up.port)) as server:
        one = ask(server).content
        others = [ask(server, target="/b"), ask(server, target="/a?"), ask(server, target="/a?x=1"),
                  ask(server, target="/A"), ask(server, host=b"Host: b.example\r\n")]
        assert len({one, *(o.content for o in others)}) == 6
        assert ask(server, host=b"Host: A.EXAMPLE\r\n").content == one
        assert ask(server, target="/x/../a").content == one
        assert ask(server, target="/a?x=1").content == others[2].content


def test_vary(tmp_path):
    def by_language(request):
        return answer(request.field("accept-language").encode(), fields=b"Vary: Accept-Language, X\r\n")

    with Upstream([by_language]) as up, Server(tmp_path, route(up.port)) as server:
        def get(language):
            return ask(server, fields=f"Accept-Language: {language}\r\n".encode())

        assert get("bn").content == b"bn"
        assert "fwd=vary-miss" in status_of(get("en"))
        assert get("bn").content == b"bn" and get("EN").content == b"en"
    assert len(up.requests) == 2


def test_variants_are_bounded(tmp_path):
    few = limits(stored_variants_max=2)
    with Upstream([numbered(fields=b"Vary: X\r\n")]) as up, Server(tmp_path, route(up.port, top=few)) as server:
        for n in (1, 2, 3, 3, 2, 1):
            ask(server, fields=b"X: %d\r\n" % n)
    assert [r.field("x") for r in up.requests] == ["1", "2", "3", "1"]


UNKEYED = ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Forwarded-Port", "X-Forwarded-Server",
           "X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL", "X-Host", "X-HTTP-Method-Override", "Forwarded",
           "X_Forwarded_Host"]


@pytest.mark.parametrize("name", UNKEYED)
def test_nobody_poisons_it(tmp_path, name):
    def reflects(request):
        return answer(repr(request.fields).encode())

    with Upstream([reflects]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server, fields=f"{name}: host=evil.example\r\n".encode())
        assert b"evil" not in ask(server).content
    assert len(up.requests) == 1


def test_what_trusted_gateways_say_is_a_part_of_the_key(tmp_path):
    def reflects(request):
        return answer(f'{request.field("x-forwarded-host")} {request.field("forwarded")}'.encode())

    with Upstream([reflects]) as up, Server(tmp_path, route(up.port, top='trusted = { "127.0.0.1" }')) as server:
        b = ask(server, fields=b"X-Forwarded-Host: b.example\r\nForwarded: host=evil.example\r\n").content
        assert b"b.example" in b and b"evil" not in b
        assert b"b.example" not in ask(server).content
        assert ask(server, fields=b"X-Forwarded-Host: b.example\r\n").content == b
    assert len(up.requests) == 2


def test_content_of_get_poisons_nothing(tmp_path):
    with Upstream([numbered()]) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc")
            reply = wire.answer("GET")
        assert reply.content == b"1" and "fwd=bypass" in status_of(reply)
        assert ask(server).content == b"2"


# ---- not for all


@pytest.mark.parametrize("fields, control", [
    (b"", "max-age=60, private"), (b"", "max-age=60, no-store"), (b"", "no-cache, max-age=60"),
    (b"Set-Cookie: id=1\r\n", "max-age=60"), (b"Vary: *\r\n", "max-age=60"), (b"", "max-age=0"), (b"", ""),
])
def test_what_is_not_for_all_is_not_used(tmp_path, fields, control):
    with Upstream([numbered(control, fields)]) as up, Server(tmp_path, route(up.port)) as server:
        assert [ask(server).content for _ in range(3)] == [b"1", b"2", b"3"]


def test_who_says_who_he_is(tmp_path):
    secret = b"Authorization: Basic eDp5\r\n"
    with Upstream([numbered()]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server, fields=secret).content == b"1" and ask(server).content == b"2"
        assert ask(server, fields=secret).content == b"2"
    assert up.requests[0].field("authorization") == "Basic eDp5"


def test_fields_that_are_for_one_alone(tmp_path):
    fields = b"X-One: 1\r\nX-Two: 2\r\nX-All: 3\r\n"
    control = 'max-age=60, private="x-one", no-cache="X-Two"'
    with Upstream([answer(fields=fields, control=control)]) as up, Server(tmp_path, route(up.port)) as server:
        first, second = ask(server), ask(server)
    assert (first.field("x-one"), first.field("x-two")) == ("1", "2")
    assert [second.field(f) for f in ("x-one", "x-two", "x-all")] == [None, None, "3"]


def test_access_is_asked_for_before_what_is_stored(tmp_path):
    only = 'allow = { "10.0.0.0/8" }'
    with Upstream([answer()]) as up:
        config = route(up.port) .replace("route", f'route "/secret" {{ proxy = {{ "http://127.0.0.1:{up.port}" }} '
                                         f'cache = true {only} }}\nroute', 1)
        with Server(tmp_path, config) as server:
            assert ask(server, target="/secret").status == 403
            assert ask(server).status == 200
    assert len(up.requests) == 1


# ---- validation


def validating(request):
    if request.field("if-none-match") == '"v1"':
        return b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nX-New: 2\r\n\r\n"
    return answer(b"hello", "max-age=0", b"ETag: \"v1\"\r\nX-New: 1\r\nX-Old: 1\r\n")


def test_what_is_stale_is_validated(tmp_path):
    with Upstream([validating]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        second, third = ask(server), ask(server)
        assert second.content == third.content == b"hello"
        assert status_of(second).startswith("us; fwd=stale; fwd-status=304; ttl=")
        assert "; hit" in status_of(third)
        for reply in (second, third):
            assert (lines_of(reply, "x-new"), reply.field("x-old")) == (["2"], "1")
    assert len(up.requests) == 2
    assert server.rules() == ["relayed", "ok", "ok"]


def test_clients_conditions_are_judged_after_validation(tmp_path):
    with Upstream([validating]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        reply = ask(server, fields=b"If-None-Match: \"other\", W/\"v1\"\r\n")
        assert reply.status == 304 and reply.field("etag") == '"v1"' and reply.field("x-new") is None
        assert ask(server, fields=b"If-None-Match: \"other\"\r\n").status == 200
        assert ask(server, fields=b"Range: bytes=0-0\r\n").content == b"h"
    assert len(up.requests) == 2 and up.requests[1].field("if-none-match") == '"v1"'


def test_conditions_without_anything_stored_go_on(tmp_path):
    with Upstream([b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"]) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(2):
            assert ask(server, fields=b"If-None-Match: \"x\"\r\n").status == 304
        assert ask(server, fields=b"If-Match: \"x\"\r\n").status == 304
    assert up.requests[0].field("if-none-match") == '"x"' and up.requests[2].field("if-match") == '"x"'


def test_answer_about_something_else_freshens_nothing(tmp_path):
    """A 304 whose ETag is of another version is no answer to what was asked."""
    script = [answer(b"old", "max-age=0", b"ETag: \"v1\"\r\n"),
              b"HTTP/1.1 304 Not Modified\r\nETag: \"v2\"\r\nCache-Control: max-age=60\r\n\r\n",
              answer(b"new", "max-age=60", b"ETag: \"v2\"\r\n")]
    with Upstream(script) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        for _ in range(2):
            reply = ask(server)
            assert (reply.status, reply.content) == (200, b"new")
    assert [r.field("if-none-match") for r in up.requests] == [None, '"v1"', None]


def test_tags_that_are_too_long_are_not_asked_about(tmp_path):
    tag = b'ETag: "' + b"x" * 12000 + b'"\r\n'
    with Upstream([answer(control="max-age=0", fields=tag)]) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(3):
            assert ask(server, fields=b"X: " + b"y" * 8000 + b"\r\nZ: " + b"y" * 7000 + b"\r\n").status == 200
    assert [r.field("if-none-match") for r in up.requests] == [None] * 3


def test_directives_of_requests(tmp_path):
    with Upstream([numbered("max-age=60")]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        for n, control in enumerate(["no-cache", "max-age=0", "min-fresh=100"]):
            time.sleep(1.1 if control == "max-age=0" else 0)
            reply = ask(server, fields=f"Cache-Control: {control}\r\n".encode())
            assert reply.content == b"%d" % (n + 2) and "fwd=request" in status_of(reply)
        assert ask(server).content == b"4"
        assert ask(server, target="/n", fields=b"Cache-Control: no-store\r\n").content == b"5"
        assert ask(server, target="/n").content == b"6"


def test_head_tells_that_what_is_stored_is_old(tmp_path):
    def by_method(request):
        length = {"GET": b"5", "HEAD": b"6"}[request.method]
        return (b"HTTP/1.1 200 OK\r\nCache-Control: max-age=1\r\nContent-Length: " + length + b"\r\n\r\n" +
                (b"hello" if request.method == "GET" else b""))

    with Upstream([by_method]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        time.sleep(2.1)
        assert ask(server, method="HEAD").field("content-length") == "6"
        ask(server, fields=b"Cache-Control: max-stale\r\n")
    assert [r.method for r in up.requests] == ["GET", "HEAD", "GET"]


# ---- stale


def stale_after(control, *rest):
    return [answer(b"old", control), *rest]


def test_stale_while_upstream_is_cut_off(tmp_path):
    with Upstream(stale_after("max-age=1", None)) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        time.sleep(2.1)
        reply = ask(server)
        assert (reply.status, reply.content) == (200, b"old") and "ttl=-" in status_of(reply)
    assert server.rules() == ["relayed", "ok"]


@pytest.mark.parametrize("control", ["max-age=1, must-revalidate", "max-age=1, proxy-revalidate", "s-maxage=1"])
def test_never_stale_where_that_is_forbidden(tmp_path, control):
    with Upstream(stale_after(control, None)) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        time.sleep(2.1)
        assert ask(server).status == 502


def test_stale_for_no_longer_than_the_limit(tmp_path):
    with Upstream(stale_after("max-age=1", None)) as up:
        with Server(tmp_path, route(up.port, top=limits(stored_stale_s_max="0s"))) as server:
            ask(server)
            time.sleep(2.1)
            assert ask(server).status == 502


@pytest.mark.parametrize("control, status", [("max-age=1, stale-if-error=60", 200), ("max-age=1", 503),
                                             ("max-age=1, stale-if-error=60, must-revalidate", 503)])
def test_stale_if_error(tmp_path, control, status):
    failing = answer(b"sorry", "", status=b"503 Busy")
    with Upstream(stale_after(control, failing)) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        time.sleep(2.1)
        reply = ask(server)
        assert reply.status == status and reply.content == (b"old" if status == 200 else b"sorry")


SWR = "max-age=1, stale-while-revalidate=60"


def test_stale_while_it_is_validated(tmp_path):
    """Nobody waits for the validation, and one is enough; its request has of the client's what Vary names."""
    def script(request):
        if len(up.requests) == 1:
            return answer(b"old", SWR, b"Vary: X\r\nETag: \"v1\"\r\n")
        time.sleep(0.5)
        return answer(b"new", "max-age=60", b"Vary: X\r\nETag: \"v2\"\r\n")

    with Upstream([script]) as up, Server(tmp_path, route(up.port)) as server:
        fields = b"X: 1\r\nCookie: secret\r\n"
        ask(server, fields=fields)
        time.sleep(2.1)
        begun = time.monotonic()
        assert [ask(server, fields=fields).content for _ in range(5)] == [b"old"] * 5
        assert time.monotonic() - begun < 0.4
        wait_for(lambda: ask(server, fields=fields).content == b"new")
    assert len(up.requests) == 2
    own = up.requests[1]
    assert (own.target, own.field("host"), own.field("x")) == ("/a", "a.example", "1")
    assert own.field("if-none-match") == '"v1"' and own.field("cookie") is None


def test_stale_is_freshened_meanwhile(tmp_path):
    script = [answer(b"old", SWR, b"ETag: \"v1\"\r\n"),
              b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
              b"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n"]
    with Upstream(script) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        time.sleep(2.1)
        assert "ttl=-" in status_of(ask(server))
        wait_for(lambda: "ttl=-" not in status_of(ask(server)))
    assert len(up.requests) == 2


@pytest.mark.parametrize("then", [None, SILENCE, answer(b"sorry", "", status=b"503 Busy"), b"junk\r\n\r\n"])
def test_stale_stays_when_validation_fails(tmp_path, then):
    with Upstream([answer(b"old", SWR), then]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server)
        time.sleep(2.1)
        for _ in range(3):
            assert ask(server).content == b"old"
            time.sleep(0.1)
        assert len(up.requests) >= 2


# ---- invalidation


@pytest.mark.parametrize("method, status, is_new", [
    ("POST", b"200 OK", True), ("PUT", b"204 No Content", True), ("DELETE", b"302 Found", True),
    ("X-OWN", b"200 OK", True), ("POST", b"500 Oops", False), ("POST", b"404 No", False),
    ("OPTIONS", b"200 OK", False), ("PROPFIND", b"200 OK", False)])
def test_changes_make_it_old(tmp_path, method, status, is_new):
    count = iter(range(1, 100))

    def script(request):
        if request.method != "GET":
            return b"HTTP/1.1 " + status + b"\r\n" + (b"" if status.startswith(b"204") else b"Content-Length: 0\r\n") + b"\r\n"
        return answer(b"%d" % next(count))

    with Upstream([script]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server).content == b"1"
        reply = ask(server, method=method)
        assert ("fwd=method" in status_of(reply)) == (method not in ("OPTIONS", "PROPFIND"))
        assert ask(server).content == (b"2" if is_new else b"1")


@pytest.mark.parametrize("reference, target", [
    ("/b", "/b"), ("b", "/x/b"), ("http://a.example/b?q", "/b?q"), ("//A.example/c/../b", "/b"), ("?q", "/x/y?q"),
    ("../b#z", "/b"), ("http://a.example", "/"), ("", "/x/y"), ("http://other.example/b", None), ("https://a.example/b", None), ("//a.example.evil/b", None)])
def test_changes_make_old_what_they_name(tmp_path, reference, target):
    count = iter(range(1, 100))

    def script(request):
        if request.method == "POST":
            return b"HTTP/1.1 201 Made\r\nLocation: " + reference.encode() + b"\r\nContent-Length: 0\r\n\r\n"
        return answer(b"%d" % next(count))

    with Upstream([script]) as up, Server(tmp_path, route(up.port)) as server:
        for at in (target or "/b",):
            one = ask(server, target=at).content
            ask(server, target="/x/y", method="POST")
            assert (ask(server, target=at).content == one) == (target is None)


def test_change_while_an_answer_is_on_its_way(tmp_path):
    """What was asked for before the change is not stored after it."""
    gate = threading.Event()

    def script(request):
        if request.method == "PUT":
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        gate.wait(10)
        return answer(b"old" if len(up.requests) < 3 else b"new")

    with Upstream([script]) as up, Server(tmp_path, route(up.port)) as server:
        replies = []
        thread = threading.Thread(target=lambda: replies.append(ask(server)))
        thread.start()
        while not up.requests:
            time.sleep(0.01)
        assert ask(server, method="PUT").status == 204
        gate.set()
        thread.join()
        assert replies[0].content == b"old"
        assert ask(server).content == b"new"


# ---- one for many


def many(server, n, fields=b""):
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(ask(server, fields=fields))) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def slow(make, seconds=0.5):
    def script(request):
        time.sleep(seconds)
        return make(request)
    return script


@pytest.mark.parametrize("workers", [1, 4])
def test_one_request_for_many_clients(tmp_path, workers):
    with Upstream([slow(numbered())]) as up, Threads(tmp_path, route(up.port), workers) as server:
        replies = many(server, 30)
        assert {r.content for r in replies} == {b"1"}
        assert sum("collapsed" in status_of(r) for r in replies) == 29
    assert len(up.requests) == 1


def test_nobody_gets_what_is_for_another(tmp_path):
    with Upstream([slow(numbered("max-age=60, private"), 0.3)]) as up, Server(tmp_path, route(up.port)) as server:
        replies = many(server, 12)
        assert len({r.content for r in replies}) == 12
        begun = time.monotonic()
        assert len({r.content for r in many(server, 12)}) == 12
        assert time.monotonic() - begun < 0.6, "it is known that nobody can wait for it"
    assert len(up.requests) == 24


def test_who_says_who_he_is_waits_for_nobody(tmp_path):
    with Upstream([slow(numbered())]) as up, Server(tmp_path, route(up.port)) as server:
        assert len({r.content for r in many(server, 5, b"Authorization: x y\r\n")}) == 5


def test_waiting_has_an_end(tmp_path):
    with Upstream([SILENCE, answer()]) as up:
        with Server(tmp_path, route(up.port, top=limits(collapse_wait_ms=300))) as server, server.connect() as first:
            first.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
            while not up.requests:
                time.sleep(0.01)
            reply = ask(server)
            assert reply.content == b"ok" and "collapsed=?0" in status_of(reply)


def test_clients_leave_while_they_wait(tmp_path):
    with Upstream([slow(numbered(), 1)]) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(20):
            wire = server.connect()
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
            time.sleep(0.01)
            wire.socket.close()
        assert ask(server).status == 200


def test_first_client_leaves(tmp_path):
    """Who waits for its answer asks again."""
    with Upstream([SILENCE, answer()]) as up, Server(tmp_path, route(up.port)) as server:
        first = server.connect()
        first.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
        while not up.requests:
            time.sleep(0.01)
        replies = []
        thread = threading.Thread(target=lambda: replies.append(ask(server)))
        thread.start()
        time.sleep(0.2)
        first.socket.close()
        thread.join(5)
        assert replies and replies[0].content == b"ok"


@pytest.mark.parametrize("private", [False, True])
def test_streams_of_one_connection(tmp_path, private):
    """HTTP/2: requests of one connection wait for one of them, too."""
    script = slow(numbered("private" if private else "max-age=60"), 0.3)
    with Upstream([script]) as up, Server(tmp_path, route(up.port)) as server:
        with h2.H2(server.port) as wire:
            streams = [wire.request("GET", "/a") for _ in range(8)]
            contents = {wire.answer(stream).content for stream in streams}
    assert len(contents) == len(up.requests) == (8 if private else 1)


def test_reload_while_many_ask(tmp_path):
    """The new process begins with an empty shelf; nobody is refused."""
    with Upstream([slow(numbered(), 0.05)]) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(3):
            threads = [threading.Thread(target=lambda: many(server, 10)) for _ in range(2)]
            for thread in threads:
                thread.start()
            server.process.send_signal(signal.SIGHUP)
            for thread in threads:
                thread.join()
            assert {r.status for r in many(server, 10)} == {200}


# ---- bounds


def sized(n):
    return lambda request: answer(request.target.encode().ljust(n, b"."))


def test_memory_is_bounded(tmp_path):
    """What was used longest ago goes."""
    with Upstream([sized(1000)]) as up, Server(tmp_path, route(up.port, top=limits(stored_bytes_max="16K"))) as server:
        ask(server, target="/first")
        for i in range(40):
            ask(server, target=f"/{i}")
        ask(server, target="/39")
        assert len(up.requests) == 41
        ask(server, target="/first")
        assert len(up.requests) == 42


def test_metrics(tmp_path):
    with Upstream([sized(1000)]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server), ask(server, target="/b")
        text = ask(server, target="/.earnest/metrics", host=b"Host: localhost\r\n").content.decode()
    figures = dict(line.split(" ") for line in text.splitlines() if line.startswith("earnest_stored"))
    assert figures["earnest_stored_answers"] == "2" and figures["earnest_stored_file_bytes"] == "0"
    assert 2000 < int(figures["earnest_stored_bytes"]) < 6000


def test_large_content_is_a_file(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    content = bytes(range(256)) * 20000
    top = f'state = "{state}"\n' + limits(stored_memory_bytes_max="64K")
    with Upstream([answer(content)]) as up, Server(tmp_path, route(up.port, top=top)) as server:
        assert ask(server).content == content
        wait_for(lambda: "hit" in status_of(ask(server, method="HEAD")))
        assert ask(server).content == content
        assert ask(server, fields=b"Range: bytes=1000000-1000003\r\n").content == content[1000000:1000004]
        assert len(up.requests) <= 3
    assert not [name for name in os.listdir(state) if "sqlite" not in name and "db" not in name]


def wait_for(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("rows", [{"stored_answer_bytes_max": "10K"}, {"stored_memory_bytes_max": "10K"},
                                  {"stored_files_max": "0"}])
def test_what_is_too_large_is_not_kept(tmp_path, rows):
    with Upstream([sized(1 << 20)]) as up, Server(tmp_path, route(up.port, top=limits(**rows))) as server:
        for _ in range(2):
            assert len(ask(server).content) == 1 << 20
    assert len(up.requests) == 2


def test_files_are_bounded(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    top = f'state = "{state}"\n' + limits(stored_memory_bytes_max="1K", stored_files_bytes_max="100K")
    with Upstream([sized(30000)]) as up, Server(tmp_path, route(up.port, top=top)) as server:
        for i in range(10):
            ask(server, target=f"/{i}")
        time.sleep(0.3)
        asked = len(up.requests)
        hits = ["hit" in status_of(ask(server, target=f"/{i}", method="HEAD")) for i in reversed(range(10))]
        assert 1 <= sum(hits) <= 3 and len(up.requests) > asked


LIES = {  # none of them is kept, and none is taken for another's answer
    "longer": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nshort",
    "shorter": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
    "twice": answer(b"ok") + answer(b"evil"),
    "storm": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100 + answer(),
    "early": b"HTTP/1.1 200 OK\r\nCache-Control: max-a",
    "huge": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100000 + b"\r\n\r\n",
    "tls": b"\x15\x03\x01\x00\x02\x02\x46",
    "two_lengths": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "both": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "splits": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nX: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_not_stored(tmp_path, lie):
    @speaks
    def lies(_, peer):
        peer.socket.sendall(LIES[lie])
        return False

    with Upstream([lies, answer(b"good")]) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            while wire.more():
                pass
            assert b"evil" not in wire.buffer and b"Set-Cookie" not in wire.buffer
        reply = ask(server)
        assert reply.content == (b"ok" if lie in ("shorter", "twice") else b"good")
        assert "evil" not in repr(ask(server)) and ask(server, target="/b").content == b"good"


def test_memory_that_is_refused(tmp_path):
    """R-32: each allocation of a miss, a validation and a refresh fails once; requests may, the server does not."""
    if SANITIZED:
        pytest.skip("the sanitizer has an allocator of its own")
    controls = ["max-age=60", "max-age=0, stale-while-revalidate=60", "max-age=0", "private"]

    def script(request):
        control = controls[int(request.target.rpartition("/")[2]) % len(controls)]
        if request.field("if-none-match"):
            return f"HTTP/1.1 304 Not Modified\r\nCache-Control: {control}\r\n\r\n".encode()
        return answer(b"x" * 5000, control, b"ETag: \"v\"\r\nVary: X\r\n")

    arm, failed = tmp_path / "arm", 0
    shim = compile_shim(tmp_path, "fail_malloc")
    with Upstream([script]) as up:
        with Site(tmp_path, route(up.port), preload=shim, environment={"FAIL_AFTER": str(arm)}) as site:
            serving = site.serving
            for n in range(1, 40):
                (tmp_path / "arm.new").write_text(str(n), encoding="ascii")
                os.rename(tmp_path / "arm.new", arm)
                for i in (4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 1, 4 * n + 2, 4 * n + 3):
                    with site.connect() as wire, contextlib.suppress(ConnectionResetError):
                        wire.send(f"GET /{i} HTTP/1.1\r\n".encode() + HOST + b"X: 1\r\nConnection: close\r\n\r\n")
                        while wire.more():
                            pass
                failed += not arm.exists()
                wait_until(lambda: site.serving == serving)
            arm.unlink(missing_ok=True)
            wait_until(lambda: ask(site, target="/0").status == 200)
            assert site.serving == serving, "it crashed"
    assert failed >= 20


@speaks
def cuts(request, peer):
    peer.socket.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 100\r\n\r\nhalf")
    return False


def test_what_is_cut_is_not_stored(tmp_path):
    with Upstream([cuts, answer(b"whole")]) as up, Server(tmp_path, route(up.port)) as server:
        with server.connect() as wire:
            wire.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
            while wire.more():
                pass
            assert b"whole" not in wire.buffer
        assert ask(server).content == b"whole"
        assert ask(server).content == b"whole"
    assert len(up.requests) == 2


def test_chunks_and_ends(tmp_path):
    chunked = (b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")
    with Upstream([chunked]) as up, Server(tmp_path, route(up.port)) as server:
        assert ask(server).content == b"hello"
        reply = ask(server)
        assert reply.content == b"hello" and reply.field("content-length") == "5"
    assert len(up.requests) == 1


@pytest.mark.parametrize("status", [b"204 No Content", b"301 Moved", b"404 Not Found", b"410 Gone"])
def test_statuses_without_much_content(tmp_path, status):
    head = b"HTTP/1.1 " + status + b"\r\nCache-Control: max-age=60\r\nX-Own: 1\r\n"
    head += b"\r\n" if status.startswith(b"204") else b"Content-Length: 0\r\n\r\n"
    with Upstream([head]) as up, Server(tmp_path, route(up.port)) as server:
        for _ in range(2):
            reply = ask(server, fields=b"If-None-Match: *\r\nRange: bytes=0-1\r\n")
            assert reply.status == int(status[:3]) and reply.field("x-own") == "1"
    assert len(up.requests) == 1


def test_why(tmp_path):
    with Upstream([answer()]) as up, Server(tmp_path, route(up.port)) as server:
        ask(server, host=b"Host: localhost\r\n")
        reply = ask(server, host=b"Host: localhost\r\n", fields=b"Accept: */*\r\n")
        link = re.search(r"<([^>]+)>", reply.field("link"))[1]
        page = ask(server, target=link, host=b"Host: localhost\r\n", fields=b"Accept: text/plain\r\n").content.decode()
    assert "stored" in page and "Is there a stored answer that may be used?" in page
