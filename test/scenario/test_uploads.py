# SPDX-License-Identifier: Apache-2.0
"""Uploads that go on after a cut: wherever it was cut, the file is whole in the end."""
import hashlib
import os
import random
import re
import time

import pytest

from dav import Dav
from scenario import Site, counts, wait_until

PARTIAL = "application/partial-upload"
VERSION = {"Upload_Draft_Interop_Version": "8"}


@pytest.fixture(name="site")
def writable_site(tmp_path, root):
    config = f'state = "{tmp_path}/state"\nroute "/dav/" {{ files = "{root}" write = true }}'
    with Site(tmp_path, config) as site:
        yield site


def begin(dav, path, content, **fields):
    """Begins an upload with its first bytes. Returns where it is."""
    answer = dav("PUT", path, content, Upload_Complete="?0", **VERSION, **fields)
    assert answer.status == 201, answer
    assert answer.field("upload-complete") == "?0"
    assert "max-size=" in answer.field("upload-limit")
    return answer.field("location")


def offset_of(dav, location):
    answer = dav("HEAD", location)
    assert answer.status == 204, answer
    assert answer.field("cache-control") == "no-store"
    return int(answer.field("upload-offset"))


def append(dav, location, offset, content, complete="?1", **fields):
    return dav("PATCH", location, content, Upload_Offset=offset, Upload_Complete=complete,
               Content_Type=PARTIAL, **VERSION, **fields)


@pytest.mark.parametrize("cuts", counts(12, 400))
def test_cut_anywhere(site, root, figure, cuts):
    """The connection breaks after any byte of the content; the sha256 is right in the end."""
    pick = random.Random(104)
    content = pick.randbytes(700_000)
    late = 0
    for n in range(cuts):
        with Dav(site.port) as dav:
            dav.send("PUT", "/dav/cut.bin", None, Content_Length=len(content), Upload_Complete="?1",
                     **VERSION)
            told = dav.wire.head()
            assert told.status == 104, told
            assert told.field("upload-draft-interop-version") == "8"
            location, sent = told.field("location"), pick.randrange(len(content))
            dav.wire.send(content[:sent])
        while True:
            with Dav(site.port) as dav:
                offset = offset_of(dav, location)
                assert offset <= sent
                if pick.random() < 0.5:  # it breaks again
                    more = pick.randrange(len(content) - offset)
                    dav.send("PATCH", location, None, Content_Length=len(content) - offset,
                             Upload_Offset=offset, Upload_Complete="?1", Content_Type=PARTIAL)
                    dav.wire.send(content[offset:offset + more])
                    sent = max(sent, offset + more)
                    continue
                answer = append(dav, location, offset, content[offset:])
                if answer.status == 409:  # bytes of a cut request were read only now
                    sent, late = len(content), late + 1
                    continue
                assert answer.status == (201 if n == 0 else 204), answer
                assert answer.field("upload-complete") == "?1"
            break
        stored = (root / "cut.bin").read_bytes()
        assert hashlib.sha256(stored).digest() == hashlib.sha256(content).digest()
    assert not list((root / ".earnest").iterdir())
    assert late <= cuts // 4
    figure("uploads cut at a random byte, all whole in the end", cuts, f"{late} asked again")


@pytest.mark.parametrize("sent", [1, 100_000, 3_000_000])
def test_the_end_of_the_server_is_a_cut_too(tmp_path, root, sent):
    """What came until then is kept, though the client was never done."""
    config = (f'state = "{tmp_path}/state"\nroute "/dav/" {{ files = "{root}" write = true }}\n'
              "limits { drain_timeout_ms = 1000 }")
    content = os.urandom(4_000_000)
    with Site(tmp_path, config) as site:
        dav = Dav(site.port)
        location = begin(dav, "/dav/a.bin", b"", Upload_Length=len(content))
        dav.send("PATCH", location, None, Content_Length=len(content), Upload_Offset=0,
                 Upload_Complete="?1", Content_Type=PARTIAL, **VERSION)
        dav.wire.send(content[:sent])
    dav.hang_up()  # only now
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        offset = offset_of(dav, location)
        assert offset == sent
        assert append(dav, location, offset, content[offset:]).status == 201
    assert (root / "a.bin").read_bytes() == content


def test_in_parts(site, root):
    """Parts of an upload whose length nobody knows; the last one has no content."""
    content = os.urandom(50_000)
    with Dav(site.port) as dav:
        location = begin(dav, "/dav/parts.bin", b"")
        for at in range(0, len(content), 10_000):
            assert not (root / "parts.bin").exists()
            answer = append(dav, location, at, content[at:at + 10_000], "?0")
            assert (answer.status, answer.field("upload-complete")) == (204, "?0"), answer
        assert offset_of(dav, location) == len(content)
        answer = append(dav, location, len(content), b"")
        assert answer.status == 201, answer
        assert answer.field("location") == "/dav/parts.bin"
        assert (root / "parts.bin").read_bytes() == content
        answer = dav("HEAD", location)  # it is known to be complete for a while
        assert (answer.status, answer.field("upload-complete")) == (204, "?1"), answer
        answer = append(dav, location, len(content), b"more")
        assert (answer.status, answer.field("upload-complete")) == (409, "?0"), answer


def test_a_member_of_a_folder(site, root):
    """The POST of the draft's examples: the upload becomes a new file in the folder."""
    content = os.urandom(50_000)
    with Dav(site.port) as dav:
        answer = dav("POST", "/dav/", content[:20_000], Upload_Complete="?0", Slug="my notes.txt",
                     **VERSION)
        assert (answer.status, answer.field("upload-complete")) == (201, "?0"), answer
        assert not list(root.glob("my-notes*"))
        upload = answer.field("location")
        assert [i.field("location") for i in answer.interim if i.status == 104] == [upload]
        answer = append(dav, upload, 20_000, content[20_000:])
        assert (answer.status, answer.field("upload-complete")) == (201, "?1"), answer
        place = answer.field("location")
        assert re.fullmatch("/dav/my-notes-[0-9a-f]{32}[.]txt", place)
        assert dav("GET", place).content == content
        places = set()
        for _ in range(2):  # whole at once, but it could be gone on with
            answer = dav("POST", "/dav/", content, Upload_Complete="?1", **VERSION)
            assert (answer.status, answer.field("upload-complete")) == (201, "?1"), answer
            assert [i.status for i in answer.interim if i.field("location")] == [104]
            places.add(answer.field("location"))
            assert dav("GET", answer.field("location")).content == content
        assert len(places) == 2
        answer = dav("POST", "/dav/none/", b"x", Upload_Complete="?0", **VERSION)
        assert answer.status == 409, answer
        answer = dav("POST", place, b"x", Upload_Complete="?0", **VERSION)  # no folder
        assert answer.status == 405, answer


def test_a_new_request_ends_the_one_before(site, root):
    """The offset that HEAD tells is right, though an earlier request still sends."""
    content = os.urandom(3_000_000)
    with Dav(site.port) as slow, Dav(site.port) as dav:
        slow.send("PUT", "/dav/two.bin", None, Content_Length=len(content), Upload_Complete="?1",
                  **VERSION)
        location = slow.wire.head().field("location")
        slow.wire.send(content[:1_000_000])
        # Seen on the disk: to ask for the offset already ends the request.
        wait_until(lambda: any(f.stat().st_size for f in (root / ".earnest").iterdir()))
        offset = offset_of(dav, location)
        assert offset > 0
        slow.wire.send(content[1_000_000:])
        answer = slow.wire.answer("PUT")
        assert answer.status == 409, answer
        assert offset_of(dav, location) == offset
        answer = append(dav, location, offset, content[offset:])
        assert answer.status == 201, answer
        assert dav("GET", "/dav/two.bin").content == content


def test_lengths_that_do_not_agree(site, root):
    with Dav(site.port) as dav:
        answer = dav("PUT", "/dav/a.bin", b"12345", Upload_Complete="?1", Upload_Length="6")
        assert (answer.status, answer.problem()["rule"]) == (400, "fields_invalid")
        location = begin(dav, "/dav/a.bin", b"12345", Upload_Length="10")
        assert append(dav, location, 5, b"1234").status == 400
        assert append(dav, location, 5, b"12345", Upload_Length="11").status == 400
        assert append(dav, location, "x", b"12345").status == 400
        assert dav("PATCH", location, b"12345", Upload_Offset=5, Content_Type=PARTIAL).status == 400
        answer = dav("PATCH", location, b"12345", Upload_Offset=5, Upload_Complete="?1")
        assert (answer.status, answer.field("accept-patch")) == (415, PARTIAL), answer
        assert offset_of(dav, location) == 5
        # more than it is long, in chunks: refused, and the upload is not to be gone on with
        dav.send("PATCH", location, b"6\r\n123456\r\n0\r\n\r\n", Transfer_Encoding="chunked",
                 Upload_Offset=5, Upload_Complete="?0", Content_Type=PARTIAL, Content_Length=None)
    assert not (root / "a.bin").exists()


def test_grows_over_its_length(site):
    with Dav(site.port) as dav:
        location = begin(dav, "/dav/a.bin", b"12345", Upload_Length="10")
        dav.wire.send((f"PATCH {location} HTTP/1.1\r\nHost: a.example\r\nUpload-Offset: 5\r\n"
                       f"Upload-Complete: ?0\r\nContent-Type: {PARTIAL}\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n0\r\n\r\n").encode())
        answer = dav.wire.answer("PATCH")
        assert (answer.status, answer.problem()["rule"]) == (413, "content_grew"), answer
    with Dav(site.port) as dav:
        wait_until(lambda: dav("HEAD", location).status == 404)


def test_preconditions_hold_until_the_end(site, root):
    """If-None-Match: * of the beginning counts when the last byte is there."""
    with Dav(site.port) as dav:
        location = begin(dav, "/dav/new.txt", b"mine", If_None_Match="*", Upload_Length="8")
        (root / "new.txt").write_text("another was faster")
        answer = append(dav, location, 4, b"mine")
        assert (answer.status, answer.problem()["rule"]) == (409, "conflict"), answer
        assert (root / "new.txt").read_text() == "another was faster"
        assert dav("PUT", "/dav/new.txt", b"x", If_None_Match="*", Upload_Complete="?0").status == 412


def test_a_lock_counts_at_the_end(site, root):
    with Dav(site.port) as dav:
        location = begin(dav, "/dav/a.txt", b"half", Upload_Length="8")
        token = dav.lock("/dav/a.txt")
        assert append(dav, location, 4, b"done").status == 423
        assert append(dav, location, 4, b"done", If=f"</dav/a.txt> (<{token}>)").status in (201, 204)
        assert (root / "a.txt").read_bytes() == b"halfdone"


def test_cancelled_and_unknown(site, root):
    with Dav(site.port) as dav:
        location = begin(dav, "/dav/a.bin", b"12345")
        assert dav("DELETE", location).status == 204
        assert dav("HEAD", location).status == 404
        assert append(dav, location, 5, b"x").status == 404
        assert dav("GET", "/.earnest/upload/1/" + "0" * 32).status == 404
        assert dav("GET", "/.earnest/upload/1/x").status == 404
        assert dav("PUT", location, b"x").status == 405
        allow = dav("OPTIONS", location).field("allow")
        assert allow == "GET, HEAD, OPTIONS, DELETE, PATCH" or "PATCH" in allow
    assert not list((root / ".earnest").iterdir())


def test_survives_a_restart(tmp_path, root):
    config = f'state = "{tmp_path}/state"\nroute "/" {{ files = "{root}" write = true }}'
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        location = begin(dav, "/a.bin", b"12345", Upload_Length="10")
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        assert offset_of(dav, location) == 5
        assert append(dav, location, 5, b"67890").status == 201
        assert (root / "a.bin").read_bytes() == b"1234567890"


def test_its_time_is_over(tmp_path, root):
    config = (f'state = "{tmp_path}/state"\nlimits {{ upload_seconds_max = "60s" }}\n'
              f'route "/" {{ files = "{root}" write = true }}')
    with Site(tmp_path, config, environment={"TZ": "UTC"}) as site, Dav(site.port) as dav:
        location = begin(dav, "/a.bin", b"12345")
        limit = dav("HEAD", location).field("upload-limit")
        assert 50 <= int(limit.rsplit("max-age=", 1)[1]) <= 60


def test_progress_is_told(site):
    """104 with the offset each time much has come, and no Location in an append."""
    size = 20 << 20
    with Dav(site.port) as dav:
        location = begin(dav, "/dav/big.bin", b"")
        dav.send("PATCH", location, bytes(size), Upload_Offset=0, Upload_Complete="?1",
                 Content_Type=PARTIAL, **VERSION)
        answer = dav.wire.answer("PATCH")
        assert answer.status == 201, answer
        told = [i for i in answer.interim if i.status == 104 and i.field("upload-offset")]
        assert told, answer.interim
        assert all(i.field("location") is None for i in told)
        offsets = [int(i.field("upload-offset")) for i in told]
        assert offsets == sorted(offsets) and offsets[-1] <= size


def test_options_tells_the_limit(site):
    with Dav(site.port) as dav:
        answer = dav("OPTIONS", "/dav/new.bin")
        assert "max-size=" in answer.field("upload-limit"), answer
        assert dav("OPTIONS", "/dav/").field("upload-limit") is None
