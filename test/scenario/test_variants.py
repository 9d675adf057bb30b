# SPDX-License-Identifier: Apache-2.0
"""One resource, many representations: variants by name and by type map, as they come and go."""
import base64
import hashlib
import subprocess

import pytest

from earnest_server import PROGRAM, Server, check_laws
from scenario import Site, files_route, get

VARIANTS = "variants = true"
NOW = "limits { cache_valid_ms = 0 }"  # each request looks again


def ask(site, path, **fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    with site.connect() as wire:
        wire.send(get(path, fields=lines.encode(), close=True))
        answer = wire.answer("GET")
    check_laws(answer, "GET")
    return answer


def write_pages(root, languages=("bn", "en")):
    for language in languages:
        (root / f"page.{language}.html").write_text(f"<p lang={language}>\n")


def test_each_variant_has_an_address_and_a_tag_of_its_own(tmp_path, root):
    write_pages(root)
    with Site(tmp_path, files_route(root, VARIANTS)) as site:
        tags = set()
        for language in ("bn", "en"):
            answer = ask(site, b"/page", Accept_Language=language)
            assert answer.field("content-location") == f"page.{language}.html"
            assert answer.field("content-language") == language
            assert {"negotiate", "accept-language"} <= set(answer.members("vary"))
            alone = ask(site, b"/" + answer.field("content-location").encode())
            assert alone.content == answer.content
            assert alone.field("tcn") is None
            # RFC 2295 9.2: the tag of the variant, and after a semicolon the list's.
            assert answer.field("etag").startswith(alone.field("etag")[:-1] + ";")
            tags.add(answer.field("etag"))
            again = ask(site, b"/page", Accept_Language=language, If_None_Match=answer.field("etag"))
            assert again.status == 304
            assert again.field("content-location") == answer.field("content-location")
        assert len(tags) == 2


def test_variants_come_and_go(tmp_path, root):
    with Site(tmp_path, files_route(root, VARIANTS) + NOW) as site:
        assert ask(site, b"/page").status == 404
        write_pages(root, ["en"])
        first = ask(site, b"/page", Accept_Language="bn")
        assert first.field("content-location") == "page.en.html"
        write_pages(root, ["bn"])
        second = ask(site, b"/page", Accept_Language="bn")
        assert second.field("content-location") == "page.bn.html"
        assert second.field("etag").split(";")[1] != first.field("etag").split(";")[1]
        (root / "page.var").write_text('{"page.en.html" 1.0}')  # a type map comes before names
        assert ask(site, b"/page", Accept_Language="bn").field("content-location") == "page.en.html"
        (root / "page").write_bytes(b"plain")  # and a file before all
        assert ask(site, b"/page").content == b"plain"
        for path in root.glob("page*"):
            path.unlink()
        assert ask(site, b"/page").status == 404


@pytest.mark.parametrize("option, prefers, served", [
    ("", None, "page.en.html"),
    ("", "fr", "page.html"),  # what is in no language is for everybody
    ("", "bn", "page.bn.html"),
    ("", "*", "page.en.html"),
    ('language = "bn"', None, "page.bn.html"),
    ('language = "bn"', "en", "page.en.html"),
    ('language = "pt"', None, "page.pt-BR.html"),
    ('language = "PT-br"', None, "page.pt-BR.html"),
    ('language = "de"', None, "page.html"),  # what is in no language comes before what is in others
    ('language = "bn"', "*", "page.bn.html"),
])
def test_the_language_of_who_prefers_none(tmp_path, root, option, prefers, served):
    for language in (".bn", ".en", ".pt-BR", ""):
        (root / f"page{language}.html").write_text(language, encoding="utf-8")
    with Site(tmp_path, files_route(root, f"{VARIANTS} {option}")) as site:
        fields = {"Accept_Language": prefers} if prefers else {}
        assert ask(site, b"/page", **fields).field("content-location") == served


def test_the_language_when_nothing_fits(tmp_path, root):
    """As if the client had said nothing (RFC 9110 12.4.1)."""
    write_pages(root)
    with Site(tmp_path, files_route(root, VARIANTS)) as site:
        assert ask(site, b"/page", Accept_Language="fr").field("content-location") == "page.en.html"


def test_a_type_map_has_an_order_of_its_own(tmp_path, root):
    write_pages(root)
    (root / "page.var").write_text(
        '{"page.bn.html" 1.0 {type text/html} {language bn}} {"page.en.html" 1.0 {type text/html} {language en}}')
    with Site(tmp_path, files_route(root, f'{VARIANTS} language = "en"')) as site:
        assert ask(site, b"/page").field("content-location") == "page.bn.html"


@pytest.mark.parametrize("options, word", [('variants = true language = "english please"', "is not a language"),
                                           ('language = "en"', "there are no variants")])
def test_check_knows_languages(tmp_path, options, word):
    conf = tmp_path / "earnest.conf"
    conf.write_text(f'route "/" {{ files = "{tmp_path}" {options} }}', encoding="utf-8")
    done = subprocess.run([PROGRAM, "check", conf], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and word in done.stdout, done


def test_a_variant_that_is_coded(tmp_path, root):
    """By a type map the file is what the map says, not what its name says."""
    (root / "page.html.gz").write_bytes(b"not looked into")
    (root / "page.var").write_text('{"page.html.gz" 1.0 {type text/html} {encoding gzip}}')
    with Site(tmp_path, files_route(root, VARIANTS)) as site:
        answer = ask(site, b"/page", Accept_Encoding="gzip")
        assert answer.field("content-type") == "text/html"
        assert answer.field("content-encoding") == "gzip"
        answer = ask(site, b"/page.html", Accept_Encoding="gzip")  # its only coding
        assert answer.field("content-type") == "text/html; charset=utf-8"
        assert answer.field("content-encoding") == "gzip"


def test_what_is_hidden_stays_hidden(tmp_path, root):
    (root / ".secret").write_bytes(b"secret")
    (root / "above").mkdir()
    (root / "above" / "a.var").write_text('{"../.secret" 1.0} {".secret" 1.0} {"%2e%2e/a.txt" 1.0}')
    (root / "b.var").write_text('{".secret" 1.0} {"./.secret" 1.0} {"%2Esecret" 0.9}')
    with Site(tmp_path, files_route(root, VARIANTS)) as site:
        for path in (b"/above/a", b"/b"):
            answer = ask(site, path)
            assert answer.status == 300 and b"secret\"}" not in answer.content.split(b"choices")[0]
            assert answer.content != b"secret"


def test_many_names_are_bounded(tmp_path, root):
    for i in range(200):
        (root / f"page.en-x{i}.html").write_bytes(b"x")
    limits = "limits { variants_max = 8 variants_scanned_max = 64 }"
    with Site(tmp_path, files_route(root, VARIANTS) + limits) as site:
        answer = ask(site, b"/page", Negotiate="vlist")
        assert answer.status == 300
        assert 1 <= len(answer.problem()["choices"]) <= 8


@pytest.mark.parametrize("name, options, warns", [
    ("index.en.html", "variants = true", False),
    ("index.var", "variants = true", False),
    ("index.en.html", "", True),
    ("other.en.html", "variants = true", True),
])
def test_check_knows_an_index_in_variants(tmp_path, name, options, warns):
    (tmp_path / name).write_text('{"a.html" 1.0}', encoding="utf-8")
    (tmp_path / "a.html").write_text("a", encoding="utf-8")
    conf = tmp_path / "earnest.conf"
    conf.write_text(f'route "/" {{ files = "{tmp_path}" index = {{ "index" }} {options} }}', encoding="utf-8")
    done = subprocess.run([PROGRAM, "check", conf], capture_output=True, text=True, check=True)
    assert ("none of the index files" in done.stdout) == warns, done.stdout


def test_check_finds_maps_that_lead_nowhere(tmp_path, root):
    write_pages(root)
    (root / "right.var").write_text('{"page.en.html" 1.0 {language en}}')
    (root / "loop.var").write_text('{"right" 1.0}')
    (root / "below").mkdir()
    (root / "below" / "lost.var").write_text('{"none.html" 1.0}')
    (root / "wrong.var").write_text('{"page.en.html" 2.0}')
    conf = tmp_path / "check.conf"
    conf.write_text(files_route(root, VARIANTS))
    said = subprocess.run([PROGRAM, "check", conf], capture_output=True, text=True, check=True)
    lines = [line for line in said.stdout.splitlines() if "warning" in line]
    assert len(lines) == 3, said.stdout
    for map_name, word in [("loop.var", "506"), ("below/lost.var", "not there"),
                           ("wrong.var", "no type map")]:
        assert any(map_name in line and word in line for line in lines), said.stdout


@pytest.mark.parametrize("config", ["choices = list", "variants = true write = true"])
def test_what_makes_no_sense_is_refused(tmp_path, root, config):
    conf = tmp_path / "check.conf"
    conf.write_text(f'state = "{tmp_path}"\n' + files_route(root, config))
    said = subprocess.run([PROGRAM, "check", conf], capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "variants" in said.stdout, said.stdout


def test_without_the_option_a_name_is_a_name(tmp_path, root):
    write_pages(root)
    with Server(tmp_path, files_route(root)) as server, server.connect() as wire:
        wire.send(get(b"/page"))
        assert wire.answer("GET").status == 404


@pytest.mark.parametrize("size", [5, 3000000])
def test_digests_for_those_who_want_them(tmp_path, root, size):
    content = bytes(range(251)) * (size // 251 + 1)
    (root / "a.bin").write_bytes(content[:size])
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(content[:size]).digest()).decode() + ":"
    with Site(tmp_path, files_route(root)) as site:
        for _ in range(2):
            both = ask(site, b"/a.bin", Want_Repr_Digest="sha-512=3, sha-256=10, unixsum=0",
                       Want_Content_Digest="sha-256=1")
            assert both.field("repr-digest") == both.field("content-digest") == digest
        part = ask(site, b"/a.bin", Range="bytes=1-2", Want_Repr_Digest="sha-256=1",
                   Want_Content_Digest="sha-256=1")
        assert part.status == 206 and part.field("repr-digest") == digest
        assert part.field("content-digest") is None
        longer = "sha-512=:" + base64.b64encode(hashlib.sha512(content[:size]).digest()).decode() + ":"
        for wanted in ("sha-512=5", "sha-512=10, sha-256=3", "sha-256=3, sha-512=3", "sha-256=0, sha-512=1"):
            assert ask(site, b"/a.bin", Want_Repr_Digest=wanted).field("repr-digest") == longer, wanted
        two = ask(site, b"/a.bin", Want_Repr_Digest="sha-512=1", Want_Content_Digest="sha-256=1")
        assert (two.field("repr-digest"), two.field("content-digest")) == (longer, digest)
        for wanted in ("sha-256=0", "sha-512=0", "sha-256", "sha=1, md5=1", "garbage=, x", ""):
            none = ask(site, b"/a.bin", Want_Repr_Digest=wanted)
            assert none.status == 200 and none.field("repr-digest") is None, wanted
