# SPDX-License-Identifier: Apache-2.0
"""What changed instead of what is (RFC 3229): past instances, deltas, and what a reader does with them."""
import gzip
import os
import random
import shutil
import subprocess
import xml.etree.ElementTree as xml

import pytest

from earnest_server import PROGRAM, check_laws
from scenario import Site, files_route, get

NOW = "limits { cache_valid_ms = 0 }"


def site_of(tmp_path, root, more="deltas = 5", limits=NOW):
    return Site(tmp_path, f'state = "{tmp_path}/state"\n' + files_route(root, more) + limits)


def ask(site, path, **fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    with site.connect() as wire:
        wire.send(get(path, fields=lines.encode(), close=True))
        answer = wire.answer("GET")
    check_laws(answer, "GET")
    return answer


def replace(path, content):
    """As editors do: a new file takes the place of the old one."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    os.replace(new, path)


def text_of(lines, seed=1):
    rng = random.Random(seed)
    words = ["delta", "instance", "server", "client", "entity", "cache", "variant", "range", "field", "target"]
    return "".join(" ".join(rng.choice(words) + str(rng.randrange(100)) for _ in range(9)) + "\n"
                   for _ in range(lines)).encode()


def xdelta(base, delta, tmp_path):
    """What a decoder that others wrote makes of it."""
    if not shutil.which("xdelta3"):
        pytest.skip("no xdelta3")
    (tmp_path / "base").write_bytes(base)
    (tmp_path / "delta").write_bytes(delta)
    subprocess.run(["xdelta3", "-d", "-f", "-s", tmp_path / "base", tmp_path / "delta", tmp_path / "made"],
                   check=True)
    return (tmp_path / "made").read_bytes()


def gdiff(base, delta):
    """NOTE-gdiff-19970901, read by the letter."""
    assert delta[:5] == b"\xd1\xff\xd1\xff\x04"
    at, made = 5, b""
    sizes = {249: (2, 1), 250: (2, 2), 251: (2, 4), 252: (4, 1), 253: (4, 2), 254: (4, 4), 255: (8, 4)}

    def number(n):
        nonlocal at
        at += n
        return int.from_bytes(delta[at - n:at], "big")

    while command := number(1):
        if command in sizes:
            place, size = (number(n) for n in sizes[command])
            made += base[place:place + size]
        else:
            size = command if command <= 246 else number(2 if command == 247 else 4)
            made += delta[at:at + size]
            at += size
    assert at == len(delta)
    return made


def test_a_delta_makes_the_new_of_the_old(tmp_path, root):
    old, page = text_of(2000), root / "page.txt"
    new = old[:5000] + b"something new\n" + old[9000:]
    page.write_bytes(old)
    with site_of(tmp_path, root) as site:
        first = ask(site, b"/page.txt", A_IM="vcdiff")
        assert first.status == 200 and "retain" in first.members("cache-control")
        again = ask(site, b"/page.txt", A_IM="vcdiff", If_None_Match=first.field("etag"))
        assert again.status == 304
        replace(page, new)
        delta = ask(site, b"/page.txt", A_IM="vcdiff", If_None_Match=first.field("etag"))
        assert delta.status == 226
        assert delta.field("im") == "vcdiff"
        assert delta.field("delta-base") == first.field("etag")
        assert delta.field("etag") != first.field("etag")
        assert {"im", "retain"} <= set(delta.members("cache-control"))
        assert len(delta.content) < 200
        assert xdelta(old, delta.content, tmp_path) == new
        whole = ask(site, b"/page.txt")
        assert whole.content == new and whole.field("etag") == delta.field("etag")
        other = ask(site, b"/page.txt", A_IM="gdiff;q=0.5, vcdiff;q=0.1",
                    If_None_Match=f'"other", {first.field("etag")}')
        assert other.status == 226 and other.field("im") == "gdiff"
        assert gdiff(old, other.content) == new


def ed(base, script):
    """What ed makes of it, a command at a time."""
    lines, script = base.splitlines(True), script.splitlines(True)
    while script:
        command = script.pop(0).strip()
        first, _, last = command[:-1].partition(b",")
        first, last = int(first), int(last or first)
        new = []
        while command[-1:] != b"d" and (line := script.pop(0)) != b".\n":
            new.append(line)
        if command[-1:] == b"a":
            lines[first:first] = new
        else:
            lines[first - 1:last] = new
    return b"".join(lines)


def test_a_script_for_ed(tmp_path, root):
    old, page = text_of(500), root / "page.txt"
    lines = old.splitlines(True)
    new = b"".join([*lines[:10], b"new\n", *lines[12:300], *lines[400:450], *lines[300:400], b"end\n"])
    page.write_bytes(old)
    with site_of(tmp_path, root) as site:
        tag = ask(site, b"/page.txt").field("etag")
        replace(page, new)
        answer = ask(site, b"/page.txt", A_IM="diffe", If_None_Match=tag)
        assert answer.status == 226 and answer.field("im") == "diffe"
        assert ed(old, answer.content) == new
        zipped = ask(site, b"/page.txt", A_IM="diffe, gzip", If_None_Match=tag)
        assert zipped.members("im") == ["diffe", "gzip"]
        assert gzip.decompress(zipped.content) == answer.content
        replace(page, new + b"no line feed")
        answer = ask(site, b"/page.txt", A_IM="diffe, vcdiff;q=0.1", If_None_Match=tag)
        assert answer.field("im") == "vcdiff"  # no script can say that


def test_manipulations_are_used_in_their_order(tmp_path, root):
    old, page = text_of(400), root / "page.txt"
    new = text_of(300, 2) + old
    page.write_bytes(old)
    with site_of(tmp_path, root) as site:
        tag = ask(site, b"/page.txt").field("etag")
        replace(page, new)
        plain = ask(site, b"/page.txt", A_IM="gdiff", If_None_Match=tag)
        zipped = ask(site, b"/page.txt", A_IM="gdiff, gzip", If_None_Match=tag)
        assert zipped.status == 226 and zipped.members("im") == ["gdiff", "gzip"]
        assert len(zipped.content) < len(plain.content)
        assert gdiff(old, gzip.decompress(zipped.content)) == new
        before = ask(site, b"/page.txt", A_IM="gzip, gdiff", If_None_Match=tag)
        assert before.members("im") == ["gdiff"]  # it would hide what both have in common
        alone = ask(site, b"/page.txt", A_IM="gzip")
        assert alone.status == 226 and alone.field("im") == "gzip" and alone.field("delta-base") is None
        assert gzip.decompress(alone.content) == new
        part = ask(site, b"/page.txt", A_IM="gdiff, range", If_None_Match=tag, Range="bytes=100-199")
        assert part.status == 226 and part.members("im") == ["gdiff", "range"]
        assert part.field("content-range") == f"bytes 100-199/{len(plain.content)}"
        assert part.content == plain.content[100:200]
        first = ask(site, b"/page.txt", A_IM="range, gdiff", If_None_Match=tag, Range="bytes=0-30000")
        assert first.status == 226 and first.members("im") == ["range", "gdiff"]
        assert gdiff(old[:30001], first.content) == new[:30001]
        unasked = ask(site, b"/page.txt", A_IM="gdiff", If_None_Match=tag, Range="bytes=0-9")
        assert unasked.status == 206 and unasked.content == new[:10]


def test_what_is_no_smaller_is_sent_whole(tmp_path, root):
    page = root / "page.txt"
    page.write_bytes(text_of(3))
    with site_of(tmp_path, root) as site:
        tag = ask(site, b"/page.txt").field("etag")
        replace(page, random.Random(3).randbytes(500))
        for wanted in ("vcdiff", "gdiff, gzip", "feed", "unknown", "vcdiff;q=0", ""):
            answer = ask(site, b"/page.txt", A_IM=wanted, If_None_Match=tag)
            assert answer.status == 200 and answer.field("im") is None, wanted
        answer = ask(site, b"/page.txt", A_IM="vcdiff", If_None_Match='"never"')
        assert answer.status == 200


def feed_of(entries):
    items = "".join(f"  <entry><id>urn:uuid:{n}</id><title>Entry {n}</title><updated>2026-01-01T00:00:00Z"
                    f"</updated><content>{text_of(3, n).decode()}</content></entry>\n" for n in entries)
    return ('<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>\n'
            f"{items}</feed>\n").encode()


def test_a_reader_gets_only_what_is_new(tmp_path, root, figure):
    feed = root / "news.atom"
    feed.write_bytes(feed_of(range(200)))
    with site_of(tmp_path, root) as site:
        tag = ask(site, b"/news.atom", A_IM="feed").field("etag")
        replace(feed, feed_of([203, 202, 201, *range(197)]))
        answer = ask(site, b"/news.atom", A_IM="feed", If_None_Match=tag)
        assert answer.status == 226 and answer.field("im") == "feed"
        ids = [e.text for e in xml.fromstring(answer.content).iter("{http://www.w3.org/2005/Atom}id")]
        assert ids == ["urn:uuid:203", "urn:uuid:202", "urn:uuid:201"]
        figure("feed bytes of", f"{len(answer.content)} of {len(feed.read_bytes())}")


def test_twenty_versions_of_a_large_text(tmp_path, root, figure):
    rng, page = random.Random(5), root / "page.txt"
    lines = text_of(14000).splitlines(keepends=True)
    full = deltas = zipped = 0
    with site_of(tmp_path, root) as site:
        page.write_bytes(b"".join(lines))
        old, tag = page.read_bytes(), ask(site, b"/page.txt").field("etag")
        for version in range(20):
            for _ in range(20):
                at = rng.randrange(len(lines))
                lines[at:at + 1] = text_of(1, rng.randrange(1 << 30)).splitlines(keepends=True)
            new = b"".join(lines)
            replace(page, new)
            answer = ask(site, b"/page.txt", A_IM="vcdiff", If_None_Match=tag)
            assert answer.status == 226, version
            if version % 5 == 0:
                assert xdelta(old, answer.content, tmp_path) == new
            full, deltas = full + len(new), deltas + len(answer.content)
            zipped += len(gzip.compress(new, 6))
            old, tag = new, answer.field("etag")
    figure("bytes in full, gzip, delta", f"{full} {zipped} {deltas}")
    assert deltas * 50 < zipped < full


def test_a_delta_is_as_small_as_that_of_others(tmp_path, root):
    if not shutil.which("xdelta3"):
        pytest.skip("no xdelta3")
    rng, page = random.Random(6), root / "page.txt"
    lines = text_of(9000).splitlines(keepends=True)
    page.write_bytes(b"".join(lines))
    (tmp_path / "old").write_bytes(page.read_bytes())
    with site_of(tmp_path, root) as site:
        tag = ask(site, b"/page.txt").field("etag")
        for _ in range(200):
            at = rng.randrange(len(lines))
            lines[at:at + rng.randrange(2)] = text_of(rng.randrange(3), rng.randrange(1 << 30)).splitlines(True)
        replace(page, b"".join(lines))
        answer = ask(site, b"/page.txt", A_IM="vcdiff", If_None_Match=tag)
    made = subprocess.run(["xdelta3", "-e", "-c", "-S", "none", "-s", tmp_path / "old", page], check=True,
                          capture_output=True).stdout
    assert answer.status == 226 and len(answer.content) <= 1.3 * len(made), (len(answer.content), len(made))


def test_past_instances_survive_a_restart_and_are_bounded(tmp_path, root):
    page, tags = root / "page.txt", []
    with site_of(tmp_path, root, "deltas = 2") as site:
        for n in range(4):
            replace(page, text_of(100) + str(n).encode())
            tags.append(ask(site, b"/page.txt").field("etag"))
    with site_of(tmp_path, root, "deltas = 2") as site:
        statuses = [ask(site, b"/page.txt", A_IM="vcdiff", If_None_Match=tag).status for tag in tags]
        assert statuses == [200, 226, 226, 304]
    limits = NOW[:-1] + " instances_bytes_max = 65536 }"
    with site_of(tmp_path, root, limits=limits) as site:
        for n in range(9):
            replace(root / f"{n}.txt", random.Random(n).randbytes(9000))
            tags.append(ask(site, f"/{n}.txt".encode()).field("etag"))
        replace(root / "8.txt", random.Random(8).randbytes(9000) + b"more")
        assert ask(site, b"/8.txt", A_IM="vcdiff", If_None_Match=tags[-1]).status == 226
        assert ask(site, b"/page.txt", A_IM="vcdiff", If_None_Match=tags[2]).status == 200  # gone


def test_variants_have_deltas_of_their_own(tmp_path, root):
    page = root / "page.en.html"
    page.write_bytes(text_of(50))
    (root / "page.bn.html").write_bytes(text_of(50, 2))
    with site_of(tmp_path, root, "deltas = 3 variants = true") as site:
        tag = ask(site, b"/page", Accept_Language="en").field("etag")
        replace(page, text_of(50) + b"more")
        answer = ask(site, b"/page", Accept_Language="en", A_IM="vcdiff", If_None_Match=tag)
        assert answer.status == 226 and answer.field("delta-base") == tag
        assert answer.field("content-location") == "page.en.html"


@pytest.mark.parametrize("more", ["deltas = 2", "deltas = 2 write = true"])
def test_deltas_need_a_place(tmp_path, root, more):
    conf = tmp_path / "check.conf"
    conf.write_text(('state = "/tmp"\n' if "write" in more else "") + files_route(root, more))
    said = subprocess.run([PROGRAM, "check", conf], capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "past versions" in said.stdout, said.stdout
