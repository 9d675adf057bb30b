# SPDX-License-Identifier: Apache-2.0
"""R-07: whatever strangers write comes out as what it is, on the wire and in the logs.

Names of files, queries, locations and fields of random bytes go in. Every answer is read by the
letter of RFC 9112, and every line of the log is one line, and is that of its request.
"""
import html.parser
import json
import os
import random
import re

import pytest

from scenario import COMBINED, Site, counts, files_route, wait_until

NASTY = [b"\r\n", b"\n", b"\r", b"\0", b'"', b"\\", b"<script>", b"</a>", b"'", b"&", b"%0d%0aX: y",
         b"\xe2\x80\xa8", b"\xc2\x85", b"\xff\xfe", b"\x1b[2J", b"\x7f", b"\t", b" ", b"{", b"../",
         b"\xe0\xa6\xac\xe0\xa6\xbe", b"\r\nSet-Cookie: a=b", b"\r\n\r\nHTTP/1.1 200 OK", b"${x}", b"%n"]
URI = re.compile(r"[!#$%&'()*+,\-./:;=?@_~\[\]0-9A-Za-z]*")


def any_bytes(chance, n):
    parts = [chance.choice(NASTY) if chance.random() < 0.5 else chance.randbytes(chance.randint(1, 6))
             for _ in range(chance.randint(1, n))]
    return b"".join(parts)


def encoded(text, chance):
    """Percent-encoded as some client may do it: all that must be, and some that need not be."""
    keep = b"-._~!$&'()*+,;=:@/"
    return b"".join(
        bytes([c]) if (bytes([c]).isalnum() and c < 128 or c in keep) and chance.random() < 0.9
        else b"%%%02x" % c for c in text)


def any_target(chance, folders):
    kind = chance.randrange(5)
    path = encoded(any_bytes(chance, 4), chance)
    query = b"?" + encoded(any_bytes(chance, 4), chance) if chance.random() < 0.5 else b""
    if kind == 0 and folders:
        return b"/" + encoded(chance.choice(folders), chance) + query
    if kind == 1:
        return b"/old/" + path + query
    if kind == 2:
        return b"/gone/" + path + query
    if kind == 3:
        return b"/" + bytes(chance.choice(range(0x21, 0x7f)) for _ in range(8)) + query
    return b"/" + path + query


def any_request(chance, folders):
    value = re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", any_bytes(chance, 5))
    field = chance.choice([b"Referer", b"User-Agent", b"X-Any", b"Accept", b"Accept-Language",
                           b"Accept-Encoding", b"Range", b"If-Range", b"Cookie"])
    accept = chance.choice([b"", b"Accept: text/html\r\n", b"Accept: application/problem+json\r\n",
                            b"Accept: text/plain\r\nAccept-Language: bn\r\n"])
    return b"GET %s HTTP/1.1\r\nHost: a.example\r\n%s: %s\r\n%s\r\n" % (
        any_target(chance, folders), field, value, accept if field[:6] != b"Accept" else b"")


def make_folders(root, chance):
    folders = []
    while len(folders) < 60:
        name = re.sub(rb"[/\0]", b"", any_bytes(chance, 3))[:80]
        if name.strip(b".") and not os.path.lexists(os.path.join(os.fsencode(root), name)):
            os.mkdir(os.path.join(os.fsencode(root), name))
            folders.append(name)
    return folders


def run(tmp_path, n, log):
    chance = random.Random(7)
    root = tmp_path / "root"
    root.mkdir()
    folders = make_folders(root, chance)
    requests = [any_request(chance, folders) for _ in range(n)]
    config = (files_route(root, "listing = true precompressed = true") +
              ' route "/old/" { redirect = "https://new.example/here/" status = 308 }'
              ' route "/gone/" { gone = true }')
    seen = {}
    with Site(tmp_path, config, log=log) as site:
        for answer in exchange_all(site, requests):
            seen[answer.status] = seen.get(answer.status, 0) + 1
            names = {name for name, _ in answer.fields}
            assert not names & {"x", "set-cookie", "x-any"}, answer
            location = answer.field("location")
            if location is not None:
                assert URI.fullmatch(location), location
                assert location.startswith(("/", "https://new.example/here/")), location
                assert not location.startswith("//"), location
            if answer.field("content-type") == "application/problem+json":
                json.loads(answer.content)
    return requests, seen


def exchange_all(site, requests):
    """Answers in order, one connection after the other: one that closes answers no more."""
    at = 0
    while at < len(requests):
        batch = requests[at:at + 40]
        with site.connect() as wire:
            wire.send(b"".join(batch))
            for _ in batch:
                answer = wire.answer("GET")
                at += 1
                yield answer
                if answer.closes:
                    break


@pytest.mark.parametrize("n", counts(10_000, 1_000_000))
def test_r07_answers_and_lines_stay_whole(tmp_path, n, figure):
    requests, seen = run(tmp_path, n, f'format = "combined" file = "{tmp_path}/access.log"')
    lines = (tmp_path / "access.log").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == len(requests) == sum(seen.values())
    for request, line in zip(requests, lines):
        match = COMBINED.fullmatch(line)
        assert match, line
        if match[1] != b"-":
            said = match[1].split(b" ")[1]
            target = request.split(b" ")[1]
            assert said[:40] in target.replace(b"\\", b"\\x5c").replace(b'"', b"\\x22"), line
    assert {200, 308, 404, 410} <= set(seen), seen
    assert seen[301] + seen[308] > n / 5, seen
    figure("cases", f"{n}, by status {dict(sorted(seen.items()))}, 0 broken")


def test_r07_json_lines_stay_whole(tmp_path):
    requests, seen = run(tmp_path, 3000, f'format = "json" file = "{tmp_path}/access.log"')
    lines = (tmp_path / "access.log").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == len(requests)
    for line in lines:
        entry = json.loads(line)
        assert not re.search(rb"[\x00-\x1f\x7f]", line), line
        assert entry["status"] in seen
        assert set(entry) <= {"ts", "remote_ip", "method", "host", "uri", "proto", "status", "size", "rule",
                              "source", "referer", "user_agent", "finding", "aborted"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = set()
        self.attributes = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_r07_listings_hold_names_of_any_bytes(tmp_path):
    chance = random.Random(8)
    root = tmp_path / "root"
    root.mkdir()
    names = make_folders(root, chance)
    with Site(tmp_path, files_route(root, "listing = true hidden = serve")) as site:
        for accept in (b"text/html", b"application/json", b"text/plain"):
            with site.connect() as wire:
                wire.send(b"GET / HTTP/1.1\r\nHost: a.example\r\nAccept: %s\r\n\r\n" % accept)
                answer = wire.answer("GET")
            assert answer.status == 200
            assert answer.field("content-type").startswith(accept.decode())
            if accept == b"application/json":
                assert len(json.loads(answer.content)["members"]) >= len(names)
            elif accept == b"text/html":
                page = Page()
                page.feed(answer.content.decode("utf-8"))
                assert not page.tags & {"script", "img", "iframe"}, page.tags
                assert not {a for a in page.attributes if a.startswith("on")}, page.attributes
                hrefs = re.findall(rb'href="([^"]*)"', answer.content)
                assert len(hrefs) >= len(names)
            else:
                assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", answer.content)


def test_r07_what_the_supervisor_says_of_a_crash_is_one_line(tmp_path, root):
    """The last request is told after a crash: bytes of strangers must not draw on the terminal."""
    with Site(tmp_path, files_route(root)) as site:
        for target in (b"/\x1b[2J", b"/\xff\xfe", b"/a\tb"):
            with site.connect() as wire:
                wire.send(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                wire.answer("GET")
                before = len(site.stderr())
                os.kill(site.serving, 9)
            wait_until(lambda: "served last" in site.stderr()[before:])
            wait_until(lambda: site.children() and site.accepts())
            said = (tmp_path / "stderr").read_bytes()[before:]
            assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", said), said
