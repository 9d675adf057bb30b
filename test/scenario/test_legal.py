# SPDX-License-Identifier: Apache-2.0
"""Legal demands: a record that changes while the server runs (RFC 7725)."""
import datetime
import gzip
import hashlib
import os
import subprocess

import pytest

from earnest_server import PROGRAM
from scenario import Site, files_route, get, wait_until

AUTHORITY = ("--authority", "https://court.example/1")
SECONDS = 5  # the file is looked at once a second


def legal(*arguments):
    return subprocess.run([PROGRAM, "legal", *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=30)


@pytest.fixture(name="record")
def empty_record(tmp_path):
    record = tmp_path / "demands.conf"
    record.write_text("# none yet\n")
    return record


def site_with(tmp_path, root, record):
    return Site(tmp_path, f'legal = "{record}"\n' + files_route(root))


def test_added_and_lifted_while_it_serves(tmp_path, root, record):
    with site_with(tmp_path, root, record) as site:
        assert site.status(b"/a.txt") == 200
        added = legal("add", record, "Ref 1", "--path", "/a.txt", *AUTHORITY)
        assert (added.returncode, added.stderr) == (0, "")
        wait_until(lambda: site.status(b"/a.txt") == 451, SECONDS)
        with site.connect() as wire:
            wire.send(get(b"/a.txt"))
            answer = wire.answer("GET")
        assert answer.field("link") == '</>; rel="blocked-by"'
        assert "[Ref 1; https://court.example/1]" in answer.problem()["detail"]
        assert 'demand "Ref 1" {' in legal("list", record).stdout
        assert legal("lift", record, "Ref 1").returncode == 0
        wait_until(lambda: site.status(b"/a.txt") == 200, SECONDS)
        assert legal("list", record).stdout == ""


def test_content_is_withheld_wherever_it_stands(tmp_path, root, record):
    """Small content lies in memory, large content in a file: neither is given by another name, in part or
    compressed; what only has its length is."""
    texts = {"small": b"what a court forbids\n", "large": bytes(range(256)) * 400}
    for name, text in texts.items():
        (root / f"{name}.bin").write_bytes(text)
        (root / f"{name}-copy.bin").write_bytes(text)
        (root / f"{name}-other.bin").write_bytes(text[:-1] + b"!")
        (root / f"{name}-copy.bin.gz").write_bytes(gzip.compress(text))
    with site_with(tmp_path, root, record) as site:
        assert site.status(b"/small-copy.bin") == 200
        for name in texts:
            added = legal("add", record, name, "--content", root / f"{name}.bin", *AUTHORITY)
            assert (added.returncode, added.stderr) == (0, "")
            hexed = hashlib.sha256(texts[name]).hexdigest()
            assert hexed in record.read_text()
        wait_until(lambda: site.status(b"/large.bin") == 451, SECONDS)
        for name in (b"small", b"large"):
            for fields in (b"", b"Range: bytes=0-1\r\n", b"Accept-Encoding: gzip\r\n",
                           b"If-None-Match: *\r\n"):
                for _ in range(2):  # what was read once is remembered
                    assert site.status(b"/%s-copy.bin" % name, fields=fields) == 451
            assert site.status(b"/%s-other.bin" % name) == 200
            assert site.status(b"/%s-copy.bin" % name, b"HEAD") == 451
        with site.connect() as wire:
            wire.send(get(b"/large-copy.bin"))
            answer = wire.answer("GET")
        assert answer.problem()["rule"] == "legal_content"
        assert answer.field("link") == '</>; rel="blocked-by"' and answer.field("etag") is None
        assert legal("lift", record, "large").returncode == 0
        wait_until(lambda: site.status(b"/large-copy.bin") == 200, SECONDS)


def test_content_within_a_path_only(tmp_path, root, record):
    (root / "sub").mkdir()
    (root / "sub" / "a.txt").write_bytes((root / "a.txt").read_bytes())
    legal("add", record, "R 1", "--content", root / "a.txt", "--path", "/sub/", *AUTHORITY)
    with site_with(tmp_path, root, record) as site:
        assert (site.status(b"/sub/a.txt"), site.status(b"/a.txt")) == (451, 200)


def test_what_is_written_is_looked_at_too(tmp_path, root, record):
    legal("add", record, "R 1", "--content", root / "a.txt", *AUTHORITY)
    config = (f'state = "{tmp_path}/state"\nlegal = "{record}"\n'
              + files_route(root, "write = true"))
    with Site(tmp_path, config) as site:
        fields = b"Destination: /b.txt\r\n"
        assert site.status(b"/a.txt", b"COPY", fields) == 201
        assert site.status(b"/a.txt") == site.status(b"/b.txt") == 451


def test_a_record_that_is_wrong_changes_nothing(tmp_path, root, record):
    legal("add", record, "Ref 1", "--path", "/a.txt", *AUTHORITY)
    with site_with(tmp_path, root, record) as site:
        assert site.status(b"/a.txt") == 451
        record.write_text('demand "Ref 2" {')
        wait_until(lambda: b"was not read again" in site.stderr().encode(), SECONDS)
        assert site.status(b"/a.txt") == 451
        record.unlink()
        wait_until(lambda: site.stderr().count("was not read again") == 2, SECONDS)
        assert site.status(b"/a.txt") == 451


def test_days_are_whole(record):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for n, (first, last) in enumerate([(today, today), (today, "9999-12-31")]):
        added = legal("add", record, f"Ref {n}", "--host", "a.example", *AUTHORITY, "--from", first,
                      "--until", last)
        assert added.returncode == 0, added.stderr


@pytest.mark.parametrize("options, why", [
    (["--path", "/x"], "who makes it"),
    ([*AUTHORITY], "what is withheld"),
    (["--path", "x", *AUTHORITY], "does not begin with /"),
    (["--content", "/nowhere", *AUTHORITY], "/nowhere"),
    (["--path", "/x", "--authority", "court"], "not a URL"),
    (["--path", "/x", *AUTHORITY, "--blocked-by", "https://a/\r\nX: y"], "control character"),
    (["--path", "/x", *AUTHORITY, "--blocked-by", "https://a/>"], "neither a URL nor a path"),
    (["--path", "/x", *AUTHORITY, "--network", "10.0.0.1/8"], "neither an IP address"),
    (["--path", "/x", *AUTHORITY, "--from", "2026-02-29"], "is not a day"),
    (["--path", "/x", *AUTHORITY, "--from", "2026-02-02", "--until", "2026-02-01"], "before"),
    (["--host", "http://a/", *AUTHORITY], "not the name of a site"),
])
def test_what_is_wrong_is_not_written(record, options, why):
    done = legal("add", record, "Ref 1", *options)
    assert done.returncode in (1, 2) and why in done.stderr
    assert record.read_text() == "# none yet\n"
    assert os.listdir(record.parent).count("demands.conf.new") == 0


def test_references_are_unique_and_known(record):
    assert legal("add", record, "Ref 1", "--path", "/a", *AUTHORITY).returncode == 0
    before = record.read_text()
    again = legal("add", record, "Ref 1", "--path", "/b", *AUTHORITY)
    assert again.returncode == 1 and "on record already" in again.stderr
    unknown = legal("lift", record, "Ref 2")
    assert unknown.returncode == 1 and "no such reference" in unknown.stderr
    assert record.read_text() == before


def test_one_change_at_a_time(record):
    (record.parent / "demands.conf.new").touch()
    done = legal("add", record, "Ref 1", "--path", "/a", *AUTHORITY)
    assert done.returncode == 1 and "demands.conf.new" in done.stderr
    assert record.read_text() == "# none yet\n"


def test_the_mode_stays(record):
    record.chmod(0o600)
    assert legal("add", record, "Ref 1", "--path", "/a", *AUTHORITY).returncode == 0
    assert record.stat().st_mode & 0o777 == 0o600


def test_wrong_usage():
    assert legal().returncode == legal("lift", "x").returncode == 2
    assert legal("--help").stdout.startswith("Usage: earnest legal")
