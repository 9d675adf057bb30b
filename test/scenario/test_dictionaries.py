# SPDX-License-Identifier: Apache-2.0
"""Files compressed with what the client has of before (RFC 9842): past versions, and files of the route."""
import base64
import gzip
import hashlib
import os
import shutil
import subprocess

import pytest

from earnest_server import check_laws
from scenario import Site, files_route, get

MAGIC = bytes.fromhex("5e2a4d1820000000")
NOW = "\nlimits { cache_valid_ms = 0 }"


def site_of(tmp_path, root, more='deltas = 3  dictionaries = { "past", "/common.txt" }', limits=NOW):
    return Site(tmp_path, f'live = false\nstate = "{tmp_path}/state"\n{files_route(root, more)}{limits}')


def ask(site, path, have=None, method="GET", **fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    if have is not None:
        digest = base64.b64encode(hashlib.sha256(have).digest()).decode()
        lines += f"Available-Dictionary: :{digest}:\r\n"
        lines += "" if "Accept_Encoding" in fields else "Accept-Encoding: gzip, br, zstd, dcb, dcz\r\n"
    with site.connect() as wire:
        wire.send(get(path, method.encode(), fields=lines.encode(), close=True))
        answer = wire.answer(method)
    check_laws(answer, method)
    return answer


def put(path, content):
    new = path.with_name(".new")
    new.write_bytes(content)
    os.replace(new, path)


def decode(content, dictionary, tmp_path):
    if not shutil.which("zstd"):
        pytest.skip("no zstd")
    assert content[:8] == MAGIC and content[8:40] == hashlib.sha256(dictionary).digest()
    (tmp_path / "dictionary").write_bytes(dictionary)
    return subprocess.run(["zstd", "-q", "-d", "-c", "-D", tmp_path / "dictionary"], input=content,
                          capture_output=True, check=True).stdout


def version(n, lines=4000):
    return b"".join(b"line %d of a text, %s\n" % (i, hashlib.md5(b"%d %d" % (i, n if i % 97 == n else 0)).hexdigest().encode())
                    for i in range(lines))


@pytest.mark.parametrize("lines", [10, 4000, 40000])
def test_a_version_is_sent_with_the_one_before(tmp_path, root, lines):
    old, new = version(1, lines), version(2, lines)
    with site_of(tmp_path, root) as site:
        put(root / "a.js", old)
        first = ask(site, b"/a.js", Accept_Encoding="zstd")
        assert first.content == old and first.field("use-as-dictionary") == 'match="/a.js"'
        assert first.members("vary") == ["accept-encoding", "available-dictionary"]
        put(root / "a.js", new)
        for _ in range(2):  # the second time from memory
            answer = ask(site, b"/a.js", old)
            assert answer.status == 200 and answer.field("content-encoding") == "dcz"
            assert decode(answer.content, old, tmp_path) == new
            assert len(answer.content) < len(new) // (2 if lines < 100 else 20)
        assert answer.field("use-as-dictionary") == 'match="/a.js"'
        etag = answer.field("etag")
        assert etag != first.field("etag")
        assert ask(site, b"/a.js", old, If_None_Match=etag).status == 304
        assert ask(site, b"/a.js").field("etag") != etag
        head = ask(site, b"/a.js", old, "HEAD")
        assert head.field("etag") == etag and head.field("content-length") == str(len(answer.content))
        same = ask(site, b"/a.js", new)  # it is current already, and asked for all the same
        assert decode(same.content, new, tmp_path) == new and same.field("etag") != etag


def test_a_file_of_the_route_is_a_dictionary_for_the_others(tmp_path, root):
    common = version(1)
    page = b"<p>" + common[20000:60000]
    put(root / "common.txt", common)
    put(root / "page.html", page)
    with site_of(tmp_path, root) as site:
        assert ask(site, b"/common.txt").field("use-as-dictionary") == 'match="/*"'
        answer = ask(site, b"/page.html", common)
        assert answer.field("content-encoding") == "dcz" and len(answer.content) < 200
        assert decode(answer.content, common, tmp_path) == page


def test_only_those_who_can_take_it_get_it(tmp_path, root):
    old, new = version(1), version(2)
    with site_of(tmp_path, root) as site:
        put(root / "a.js", old)
        ask(site, b"/a.js")
        put(root / "other.js", new)
        ask(site, b"/other.js")
        put(root / "a.js", new)
        for answer in (ask(site, b"/a.js", old, Accept_Encoding="gzip, br"),
                       ask(site, b"/a.js", old, Accept_Encoding="dcz;q=0, gzip"),
                       ask(site, b"/a.js", old, Cache_Control="no-transform"),
                       ask(site, b"/a.js", b"another"),
                       ask(site, b"/other.js", old),  # it was never that
                       ask(site, b"/a.js", None, Accept_Encoding="dcz", Available_Dictionary=":AAAA:"),
                       ask(site, b"/a.js", None, Accept_Encoding="dcz", Available_Dictionary='"x"'),
                       ask(site, b"/a.js", None, Accept_Encoding="dcz", Available_Dictionary=":not base64:"),
                       ask(site, b"/a.js", None, Accept_Encoding="dcz")):
            assert answer.status == 200 and answer.content == new and answer.field("content-encoding") is None
        part = ask(site, b"/a.js", old, Range="bytes=1-3")
        assert part.status == 206 and part.content == new[1:4]
        delta = ask(site, b"/a.js", old, A_IM="vcdiff", If_None_Match='"x"')
        assert delta.field("content-encoding") is None


def test_what_does_not_become_smaller_is_sent_as_it_is(tmp_path, root):
    old, new = os.urandom(3000), os.urandom(3000)
    with site_of(tmp_path, root) as site:
        put(root / "a.txt", old)
        ask(site, b"/a.txt")
        put(root / "a.txt", new)
        answer = ask(site, b"/a.txt", old)
        assert answer.content == new and answer.field("content-encoding") is None


def test_a_path_that_would_be_a_pattern_is_none(tmp_path, root):
    with site_of(tmp_path, root) as site:
        for name in ("a*b.js", "a:b.js", "a b.js", "(a).js"):
            put(root / name, version(1))
            path = "".join(c if c not in " " else "%20" for c in name).encode()
            assert ask(site, b"/" + path).field("use-as-dictionary") is None
        put(root / "a.png", b"x")
        assert ask(site, b"/a.png").field("use-as-dictionary") is None


def test_it_is_remembered_by_the_next_server(tmp_path, root):
    old, new = version(1), version(2)
    with site_of(tmp_path, root) as site:
        put(root / "a.js", old)
        ask(site, b"/a.js")
    put(root / "a.js", new)
    with site_of(tmp_path, root) as site:
        assert decode(ask(site, b"/a.js", old).content, old, tmp_path) == new


def test_a_page_that_forbids_it_is_left_alone(tmp_path, root):
    old, new = version(1), version(2)
    more = 'deltas = 3  dictionaries = { "past" }  cache_control = "no-transform"'
    with site_of(tmp_path, root, more) as site:
        put(root / "a.js", old)
        assert ask(site, b"/a.js").field("use-as-dictionary") is None
        put(root / "a.js", new)
        assert ask(site, b"/a.js", old).content == new


def test_twenty_versions_cost_little(tmp_path, root, figure):
    full = zipped = coded = 0
    with site_of(tmp_path, root) as site:
        old = version(0, 8000)
        put(root / "a.js", old)
        ask(site, b"/a.js")
        for n in range(1, 21):
            new = version(n, 8000)
            put(root / "a.js", new)
            answer = ask(site, b"/a.js", old)
            assert answer.field("content-encoding") == "dcz", n
            if n % 5 == 0:
                assert decode(answer.content, old, tmp_path) == new
            full, zipped, coded = full + len(new), zipped + len(gzip.compress(new, 6)), coded + len(answer.content)
            old = new
    figure("bytes in full, gzip, dcz", f"{full} {zipped} {coded}")
    assert coded * 20 < zipped < full
