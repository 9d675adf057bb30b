# SPDX-License-Identifier: Apache-2.0
"""WebDAV where clients that people use do not reach: bindings, references, patches, reports, and a
folder that is not at the root of its site.
"""
import base64
import hashlib
import json
import re
import time
import xml.etree.ElementTree as ElementTree

import pytest

from dav import D, Dav, multistatus
from scenario import Site

ID, PARENTS = D + "resource-id", D + "parent-set"


@pytest.fixture(name="dav")
def client(tmp_path, root):
    """A writable folder at /dav/, with nothing in it."""
    for path in root.iterdir():
        path.unlink()
    config = (f'state = "{tmp_path}/state"\nroute "/dav/" {{ files = "{root}" write = true '
              'listing = true infinite = true tombstones = "1h" }')
    with Site(tmp_path, config) as site, Dav(site.port, "/dav") as dav:
        yield dav


def bind(method, segment, href=None):
    href = f"<href>{href}</href>" if href else ""
    return f'<{method} xmlns="DAV:"><segment>{segment}</segment>{href}</{method}>'.encode()


def text(answer):
    return ElementTree.fromstring(answer.content)


# ---- what is written by some is read by others --------------------------------------------------------

@pytest.mark.parametrize("options, name, sandboxed, sniffed", [
    ("write = true", "a.html", True, False),
    ("write = true", "a.svg", True, False),
    ("write = true", "a.xml", True, False),
    ("write = true", "a.xhtml", True, False),
    ("write = true", "a.txt", False, False),
    ("write = true", "a.pdf", False, False),  # whose viewers refuse to work in a sandbox
    ("write = true sandbox = false", "a.html", False, True),
    ("", "a.html", False, True),
    ("sandbox = true", "a.html", True, False),  # the folder is written to by another route
])
def test_a_page_that_was_written_runs_no_script(tmp_path, root, options, name, sandboxed, sniffed):
    (root / name).write_text("<script>alert(1)</script>", encoding="utf-8")
    config = (f'state = "{tmp_path}/state"\n'
              f'route "/" {{ files = "{root}" listing = true content_policy = "img-src *" {options} }}')
    with Site(tmp_path, config) as site, Dav(site.port, "") as dav:
        for method in ("GET", "HEAD"):
            answer = dav(method, f"/{name}")
            assert answer.status == 200
            assert ("sandbox" in answer.members("content-security-policy")) == sandboxed
            assert "img-src *" in answer.members("content-security-policy")
            assert (answer.field("x-content-type-options") is None) == sniffed
        (root / "index.html").unlink()
        assert "sandbox" not in (dav("GET", "/").field("content-security-policy") or "")


# ---- names --------------------------------------------------------------------------------------------

def test_a_prefix_is_everywhere(dav, root):
    """href, Location, Destination and lock roots all begin with the path of the route."""
    assert dav("MKCOL", "/a%20b/").status == 201
    assert dav("PUT", "/a%20b/%C3%A4.txt", b"x").status == 201
    assert set(dav.find("/a%20b/", depth="1")) == {"/dav/a%20b/", "/dav/a%20b/%C3%A4.txt"}
    token = dav.lock("/a%20b/")
    answer = dav("PUT", "/a%20b/new.txt", b"x")
    assert answer.status == 423
    assert text(answer).find(f".//{D}lock-token-submitted/{D}href").text == "/dav/a%20b"
    assert dav("UNLOCK", "/a%20b/", Lock_Token=f"<{token}>").status == 204
    assert dav("MOVE", "/a%20b/", Destination="/dav/c/").status == 201
    answer = dav("GET", "/a%20b/%C3%A4.txt")
    assert (answer.status, answer.field("location")) == (301, "/dav/c/%C3%A4.txt")
    answer = dav("PROPFIND", "/a%20b/", Depth="0")
    assert (answer.status, answer.field("location")) == (308, "/dav/c/")
    assert dav("COPY", "/c/", Destination="/elsewhere/").status == 502
    answer = dav("POST", "/c/", b"new", Slug="my%20note.txt", Content_Type="text/plain")
    assert (answer.status, answer.field("location")) == (201, "/dav/c/my-note.txt")
    answer = dav("POST", "/c/", b"new", Slug="my%20note.txt", Content_Type="text/plain")
    assert answer.field("location") == "/dav/c/my-note-2.txt"
    assert sorted(p.name for p in (root / "c").iterdir()) == ["my-note-2.txt", "my-note.txt", "ä.txt"]


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a%2Fb", "%2e%2e%2fetc", "a%00b", ".earnest",
                                  ".earnest/x", "%2Eearnest%2Fx", "a%5Cb%2F..%2F.."])
def test_names_that_are_none(dav, root, name):
    before = sorted(p for p in root.rglob("*") if p.parent != root / ".earnest")
    for method in ("PUT", "MKCOL", "DELETE", "LOCK"):
        assert 400 <= dav(method, f"/{name}").status < 500
        dav("PUT", "/x", b"x")
        assert 400 <= dav("MOVE", "/x", Destination=f"/dav/{name}").status <= 502
    assert sorted(p for p in root.rglob("*") if p.parent != root / ".earnest") in (
        before, sorted([*before, root / "x"]))


# ---- RFC 5842 -------------------------------------------------------------------------------------------

def test_bindings(dav, root):
    assert dav("MKCOL", "/c/").status == 201
    assert dav("PUT", "/c/a.txt", b"one").status == 201
    assert dav("BIND", "/", bind("bind", "b.txt", "/dav/c/a.txt")).status == 201
    assert dav("GET", "/b.txt").content == b"one"
    assert dav("PUT", "/b.txt", b"two").status == 204
    assert dav("GET", "/c/a.txt").content == b"two"
    ids = {dav.find(path, [ID])[f"/dav{path}"][ID][1][0].text for path in ("/c/a.txt", "/b.txt")}
    assert len(ids) == 1 and ids.pop().startswith("urn:uuid:")
    parents = dav.find("/c/a.txt", [PARENTS])["/dav/c/a.txt"][PARENTS][1]
    found = {(p.find(D + "href").text, p.find(D + "segment").text) for p in parents}
    assert found == {("/dav/c/", "a.txt"), ("/dav/", "b.txt")}
    assert dav("DELETE", "/c/a.txt").status == 204  # one binding goes, the resource stays
    assert dav("GET", "/b.txt").content == b"two"
    assert dav("GET", "/c/a.txt").status in (404, 410)
    assert dav("UNBIND", "/", bind("unbind", "b.txt")).status in (200, 204)
    assert dav("GET", "/b.txt").status in (404, 410)
    assert not [p for p in root.rglob("*.txt")]


def test_rebind(dav):
    dav("MKCOL", "/c/")
    dav("PUT", "/a.txt", b"one")
    assert dav("REBIND", "/c/", bind("rebind", "b.txt", "/dav/a.txt")).status == 201
    assert dav("GET", "/c/b.txt").content == b"one"
    assert dav("GET", "/a.txt").status in (301, 404, 410)


def test_208_and_508(dav):
    """A collection that is met again is reported once, to a client that knows bindings (7.1)."""
    dav("MKCOL", "/c/")
    dav("PUT", "/c/a.txt", b"one")
    assert dav("BIND", "/c/", bind("bind", "loop", "/dav/c/")).status == 201
    answer = dav("PROPFIND", "/c/", Depth="infinity", DAV="bind")
    assert answer.status == 207, answer
    found = multistatus(answer.content)
    assert {code for code, _ in found["/dav/c/loop/"].values()} >= {208}, answer.content
    assert {code for code, _ in found["/dav/c/"].values()} == {200}
    assert len(found) == 3, sorted(found)
    assert dav("PROPFIND", "/c/", Depth="infinity").status == 508
    answer = dav("BIND", "/c/", bind("bind", "x", "/dav/nothing"))
    assert answer.status == 409 and b"bind-source-exists" in answer.content, answer
    answer = dav("BIND", "/c/", bind("bind", "x", "http://other.example/a"))
    assert answer.status == 403 and b"cross-server-binding" in answer.content, answer
    answer = dav("BIND", "/c/", bind("bind", "x", "/dav/.earnest"))
    assert answer.status == 409 and b"bind-source-exists" in answer.content, answer


# ---- RFC 4437 ---------------------------------------------------------------------------------------------

def reference(target, element="mkredirectref", lifetime=""):
    lifetime = f"<redirect-lifetime><{lifetime}/></redirect-lifetime>" if lifetime else ""
    return (f'<{element} xmlns="DAV:"><reftarget><href>{target}</href></reftarget>{lifetime}'
            f"</{element}>").encode()


def test_redirect_references(dav):
    assert dav("MKREDIRECTREF", "/r", reference("https://example.org/x")).status == 201
    answer = dav("GET", "/r")
    assert (answer.status, answer.field("location")) == (302, "https://example.org/x")
    assert answer.field("redirect-ref") == "https://example.org/x"
    answer = dav("PROPFIND", "/r", Depth="0", Apply_To_Redirect_Ref="T")
    assert answer.status == 207 and b"redirectref" in answer.content, answer
    update = reference("/dav/y", "updateredirectref", "permanent")
    assert dav("UPDATEREDIRECTREF", "/r", update).status in (200, 204)
    answer = dav("GET", "/r")
    assert (answer.status, answer.field("location")) == (301, "/dav/y")
    assert dav("MKREDIRECTREF", "/r", reference("/z")).status == 405
    assert dav("DELETE", "/r", Apply_To_Redirect_Ref="T").status == 204
    assert dav("GET", "/r").status in (404, 410)


# ---- RFC 5789 ---------------------------------------------------------------------------------------------

def patch(dav, path, document, kind="json-patch", **fields):
    return dav("PATCH", path, json.dumps(document).encode(),
               Content_Type=f"application/{kind}+json", **fields)


def test_patches(dav):
    dav("PUT", "/a.json", b'{"a": {"b": [1, 2, 3]}, "c": null}')
    answer = patch(dav, "/a.json", [{"op": "test", "path": "/a/b/0", "value": 1},
                                    {"op": "move", "from": "/a/b", "path": "/d"},
                                    {"op": "add", "path": "/d/-", "value": {"e": "ä"}}],
                   Prefer="return=representation")
    assert answer.status == 200, answer
    assert json.loads(answer.content) == {"a": {}, "c": None, "d": [1, 2, 3, {"e": "ä"}]}
    assert answer.field("etag")
    answer = patch(dav, "/a.json", {"c": 1, "d": None}, "merge-patch")
    assert answer.status == 204, answer
    assert json.loads(dav("GET", "/a.json").content) == {"a": {}, "c": 1}
    answer = patch(dav, "/a.json", [{"op": "test", "path": "/c", "value": 2},
                                    {"op": "remove", "path": "/c"}])
    assert (answer.status, answer.problem()["rule"]) == (409, "conflict")
    answer = patch(dav, "/a.json", [{"op": "frobnicate", "path": "/c"}])
    assert (answer.status, answer.problem()["rule"]) == (422, "content_invalid")
    answer = dav("PATCH", "/a.json", b"[{", Content_Type="application/json-patch+json")
    assert (answer.status, answer.problem()["rule"]) == (400, "content_illformed")
    answer = dav("PATCH", "/a.json", b"a=1", Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 415
    assert "application/merge-patch+json" in answer.field("accept-patch")
    etag = dav("HEAD", "/a.json").field("etag")
    assert patch(dav, "/a.json", {}, "merge-patch", If_Match='"other"').status == 412
    assert patch(dav, "/a.json", {}, "merge-patch", If_Match=etag).status == 204
    assert patch(dav, "/none.json", {}, "merge-patch").status == 404
    dav("PUT", "/b.txt", b"no json")
    assert patch(dav, "/b.txt", {}, "merge-patch").status == 409


# ---- RFC 4918 ---------------------------------------------------------------------------------------------

def test_proppatch_is_all_or_nothing(dav):
    dav("PUT", "/a.txt", b"x")
    answer = dav("PROPPATCH", "/a.txt",
                 b'<propertyupdate xmlns="DAV:" xmlns:x="urn:x"><set><prop><x:a>1</x:a></prop></set>'
                 b"<set><prop><getetag>2</getetag></prop></set></propertyupdate>")
    assert answer.status == 207, answer
    found = multistatus(answer.content)["/dav/a.txt"]
    assert (found["{urn:x}a"][0], found[D + "getetag"][0]) == (424, 403)
    assert dav.find("/a.txt", ["{urn:x}a"])["/dav/a.txt"]["{urn:x}a"][0] == 404


def test_extended_mkcol(dav):
    answer = dav("MKCOL", "/c/", b'<mkcol xmlns="DAV:" xmlns:x="urn:x"><set><prop><resourcetype>'
                 b"<collection/></resourcetype><x:a>1</x:a></prop></set></mkcol>")
    assert answer.status == 201, answer
    assert dav.find("/c/", ["{urn:x}a"])["/dav/c/"]["{urn:x}a"][1].text == "1"
    answer = dav("MKCOL", "/d/", b'<mkcol xmlns="DAV:" xmlns:x="urn:x"><set><prop><resourcetype>'
                 b"<collection/><x:calendar/></resourcetype></prop></set></mkcol>")
    assert answer.status == 403 and b"valid-resourcetype" in answer.content, answer
    assert dav("PROPFIND", "/d/", Depth="0").status == 404
    assert dav("MKCOL", "/e/", b"hello", Content_Type="text/plain").status == 415


def test_a_lock_beneath_stops_the_whole_tree(dav, root):
    dav("MKCOL", "/c/")
    dav("PUT", "/c/a.txt", b"x")
    dav("PUT", "/c/b.txt", b"x")
    token = dav.lock("/c/a.txt")
    for method, fields in (("DELETE", {}), ("MOVE", {"Destination": "/dav/d/"})):
        answer = dav(method, "/c/", **fields)
        assert answer.status == 207, answer
        found = multistatus(answer.content)
        assert {h: p[""][0] for h, p in found.items()} == {"/dav/c/a.txt": 423}
    assert len(list((root / "c").iterdir())) == 2
    assert dav("DELETE", "/c/", If=f"</dav/c/a.txt> (<{token}>)").status == 204


def test_locks_end(dav):
    dav("PUT", "/a.txt", b"x")
    token = dav.lock("/a.txt", Timeout="Second-1")
    assert dav("PUT", "/a.txt", b"y").status == 423
    refreshed = dav("LOCK", "/a.txt", If=f"(<{token}>)", Timeout="Second-100")
    assert refreshed.status == 200 and b"Second-100" in refreshed.content
    assert dav("PUT", "/a.txt", b"y", If="(<urn:uuid:00000000-0000-0000-0000-000000000000>)"
               ).status == 412
    assert dav("PUT", "/a.txt", b"y", If=f"(<{token}> [\"wrong\"]) (Not <DAV:no-lock> <{token}>)"
               ).status == 204
    assert dav("UNLOCK", "/a.txt", Lock_Token=f"<{token}>").status == 204
    token = dav.lock("/a.txt", Timeout="Second-1")
    time.sleep(1.2)
    assert dav("PUT", "/a.txt", b"z").status == 204


def test_an_unmapped_url_is_locked_as_an_empty_file(dav, root):
    """RFC 4918 7.3."""
    token = dav.lock("/new.txt")
    assert (root / "new.txt").read_bytes() == b""
    assert dav("PUT", "/new.txt", b"x").status == 423
    assert dav("PUT", "/new.txt", b"x", If=f"(<{token}>)").status in (201, 204)


# ---- RFC 6578 ---------------------------------------------------------------------------------------------

def sync(dav, token=""):
    answer = dav("REPORT", "/", f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
                 "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>".encode())
    assert answer.status == 207, answer
    root = ElementTree.fromstring(answer.content)
    token = root.find(D + "sync-token").text
    found = {}
    for response in root.findall(D + "response"):
        status = response.find(D + "status")
        found[response.find(D + "href").text] = int(status.text.split()[1]) if status is not None else 200
    return token, found


def test_sync_collection(dav):
    dav("PUT", "/a.txt", b"x")
    dav("PUT", "/b.txt", b"x")
    token, found = sync(dav)
    assert found == {"/dav/a.txt": 200, "/dav/b.txt": 200}
    time.sleep(3.2)  # clocks of files are coarse: what is told twice is not lost
    token, _ = sync(dav, token)
    dav("PUT", "/c.txt", b"x")
    dav("DELETE", "/a.txt")
    _, found = sync(dav, token)
    assert found["/dav/c.txt"] == 200 and found["/dav/a.txt"] == 404, found
    assert "/dav/b.txt" not in found
    answer = dav("REPORT", "/", b'<sync-collection xmlns="DAV:"><sync-token>urn:x</sync-token>'
                 b"<sync-level>1</sync-level><prop/></sync-collection>")
    assert answer.status in (403, 409) and b"valid-sync-token" in answer.content, answer


# ---- RFC 4331 ---------------------------------------------------------------------------------------------

def test_quota_properties(tmp_path, root):
    config = (f'state = "{tmp_path}/state"\nroute "/" {{ files = "{root}" write = true '
              'quota = "1M" }')
    used, free = D + "quota-used-bytes", D + "quota-available-bytes"
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        before = dav.find("/", [used, free])["/"]
        assert int(before[used][1].text) + int(before[free][1].text) == 1 << 20
        dav("PUT", "/b.bin", bytes(1000))
        after = dav.find("/", [used, free])["/"]
        assert int(after[used][1].text) == int(before[used][1].text) + 1000
        dav("DELETE", "/b.bin")
        assert dav.find("/", [used])["/"][used][1].text == before[used][1].text


def test_options_says_what_is_true(dav):
    answer = dav("OPTIONS", "/")
    assert answer.status == 204
    classes = {c.strip() for c in answer.field("dav").split(",")}
    assert {"1", "2", "3", "bind", "redirectrefs", "extended-mkcol"} <= classes
    for method in ("PROPFIND", "LOCK", "COPY", "REPORT", "BIND"):
        assert method in answer.field("allow")
    assert "PUT" in dav("OPTIONS", "/new.txt").field("allow")


def test_what_is_only_read_stays_so(tmp_path, root):
    """Without write = true there is no WebDAV."""
    with Site(tmp_path, f'route "/" {{ files = "{root}" }}') as site, Dav(site.port) as dav:
        for method in ("PUT", "DELETE", "MKCOL", "PROPFIND", "LOCK", "COPY"):
            assert dav(method, "/a.txt").status == 405
        assert dav("OPTIONS", "/").field("dav") is None
        assert not (root / ".earnest").exists()


@pytest.mark.parametrize("write", ["true", "false"])
def test_a_page_is_what_its_policy_names(tmp_path, root, write):
    """Each style and script of a listing has the hash that Content-Security-Policy names."""
    (root / "folder").mkdir()
    config = (f'state = "{tmp_path}/state"\n'
              f'route "/" {{ files = "{root}" listing = true write = {write} }}')
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        answer = dav("GET", "/folder/", Accept="text/html")
    policy = dict(part.strip().split(" ", 1)
                  for part in answer.field("content-security-policy").split(";"))
    assert policy["default-src"] == "'none'"
    for name in ("style", "script"):
        parts = re.findall(f"<{name}>(.*?)</{name}>".encode(), answer.content, re.S)
        hashes = [base64.b64encode(hashlib.sha256(part).digest()).decode() for part in parts]
        named = policy.get(f"{name}-src", "").split()
        assert named == [f"'sha256-{each}'" for each in hashes]
    assert ("script-src" in policy) == (write == "true")
