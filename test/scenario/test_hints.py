# SPDX-License-Identifier: Apache-2.0
"""Hints that go ahead of a page (103): learned by looking through it once, and told with the page, too."""
import os

import pytest

import h2
from earnest_server import check_laws
from scenario import Site, files_route, get

STYLE = b'<link rel="stylesheet" href="/%s.css">'
NAVIGATE = b"Sec-Fetch-Mode: navigate\r\n"


def ask(site, path, fields=NAVIGATE):
    with site.connect() as wire:
        wire.send(get(path, fields=fields, close=True))
        answer = wire.answer("GET")
    check_laws(answer, "GET")
    return [i.field("link") for i in answer.interim], answer


@pytest.fixture(name="site")
def hinting_site(tmp_path, root):
    with Site(tmp_path, 'live = false\n' + files_route(root, 'hints = "learned"')) as site:
        yield site


def test_hints_are_what_the_page_says_itself(site, root):
    (root / "a.html").write_bytes(STYLE % b"one")
    for _ in range(2):
        hints, answer = ask(site, b"/a.html")
        assert hints == [answer.field("link")] == ["</one.css>; rel=preload; as=style"]
        assert answer.content == STYLE % b"one"


def test_another_page_in_its_place_has_hints_of_its_own(tmp_path, root):
    config = 'live = false\n' + files_route(root, 'hints = "learned"') + "\nlimits { cache_valid_ms = 0 }"
    with Site(tmp_path, config) as site:
        (root / "a.html").write_bytes(STYLE % b"one")
        assert ask(site, b"/a.html")[0] == ["</one.css>; rel=preload; as=style"]
        (root / "new").write_bytes(STYLE % b"two")
        os.replace(root / "new", root / "a.html")
        hints, answer = ask(site, b"/a.html")
        assert hints == [answer.field("link")] == ["</two.css>; rel=preload; as=style"]


def test_only_the_beginning_of_a_page_is_looked_through(tmp_path, root):
    config = ('live = false\n' + files_route(root, 'hints = "learned"') +
              "\nlimits { hints_page_bytes_max = 1K  hints_bytes_max = 80 }")
    with Site(tmp_path, config) as site:
        (root / "late.html").write_bytes(b" " * 1000 + STYLE % b"one")
        (root / "many.html").write_bytes(b"".join(STYLE % b"%d" % i for i in range(9)))
        assert ask(site, b"/late.html")[0] == []
        hints = ask(site, b"/many.html")[0]
        assert hints == ["</0.css>; rel=preload; as=style, </1.css>; rel=preload; as=style"]


def test_http2_takes_hints_from_whoever_asks(site, root):
    (root / "a.html").write_bytes(STYLE % b"one")
    assert ask(site, b"/a.html", b"")[0] == []
    with h2.H2(site.port) as client:
        answer = client.answer(client.request("GET", "/a.html"))
    assert [i.status for i in answer.interim] == [103]
    assert answer.interim[0].field("link") == answer.field("link")


def test_hints_go_ahead_of_what_takes_its_time(tmp_path, root):
    """A delta is made on the pool: the hints are sent before."""
    (root / "a.html").write_bytes(STYLE % b"one" + b"text " * 1000)
    config = (f'live = false\nstate = "{tmp_path / "state"}"\n' +
              files_route(root, 'hints = "learned"  deltas = 2') + "\nlimits { cache_valid_ms = 0 }")
    with Site(tmp_path, config) as site:
        _, before = ask(site, b"/a.html")
        (root / "new").write_bytes(STYLE % b"two" + b"text " * 1000)
        os.replace(root / "new", root / "a.html")
        fields = NAVIGATE + b"A-IM: vcdiff\r\nIf-None-Match: %s\r\n" % before.field("etag").encode()
        hints, answer = ask(site, b"/a.html", fields)
    assert answer.status == 226
    assert hints == [answer.field("link")] == ["</two.css>; rel=preload; as=style"]
