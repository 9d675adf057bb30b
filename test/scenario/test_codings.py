# SPDX-License-Identifier: Apache-2.0
"""Content coded on its way: files compressed while they are sent, and uploads that come compressed."""
import gzip
import os
import shutil
import subprocess
import threading
import time
import zlib

import pytest

from earnest_server import check_laws
from scenario import SANITIZED, Site, counts, files_route, get, wait_until

TEXT = b"".join(b"line %d of a text that says the same again and again\n" % i for i in range(4000))
DECODERS = {"gzip": lambda b: gzip.decompress(b),
            "br": lambda b: through(["brotli", "-d", "-c"], b),
            "zstd": lambda b: through(["zstd", "-d", "-c", "-q"], b)}
ENCODERS = {"gzip": lambda b: gzip.compress(b, 9),
            "br": lambda b: through(["brotli", "-q", "9", "-c"], b),
            "zstd": lambda b: through(["zstd", "-19", "-c", "-q"], b)}


def through(command, content):
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]}")
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


def ask(site, path, method=b"GET", content=b"", **fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    if content:
        lines += f"Content-Length: {len(content)}\r\n"
    with site.connect() as wire:
        wire.send(get(path, method, fields=lines.encode(), close=True) + content)
        answer = wire.answer(method.decode())
    check_laws(answer, method.decode())
    return answer


@pytest.fixture(name="site")
def compressing_site(tmp_path, root):
    (root / "page.txt").write_bytes(TEXT)
    (root / "small.txt").write_bytes(TEXT[:1000])
    (root / "little.txt").write_bytes(TEXT[:9000])
    (root / "photo.png").write_bytes(TEXT)
    (root / "both.txt").write_bytes(TEXT)
    (root / "both.txt.gz").write_bytes(gzip.compress(TEXT))
    with Site(tmp_path, files_route(root, "compress = true")) as site:
        yield site


@pytest.mark.parametrize("coding", DECODERS)
@pytest.mark.parametrize("name", ["page.txt", "little.txt"])
def test_a_file_is_compressed_while_it_is_sent(site, root, coding, name):
    whole = (root / name).read_bytes()
    plain = ask(site, f"/{name}".encode())
    first = ask(site, f"/{name}".encode(), Accept_Encoding=coding)
    assert first.field("content-encoding") == coding
    assert first.field("content-type") == plain.field("content-type")
    assert first.field("etag") == plain.field("etag")[:-1] + f'-{coding}"'
    assert "accept-encoding" in first.members("vary") and "accept-encoding" in plain.members("vary")
    assert DECODERS[coding](first.content) == whole
    assert len(first.content) < len(whole) / 4
    assert first.field("accept-ranges") is None
    again = ask(site, f"/{name}".encode(), Accept_Encoding=coding)  # it was kept: its length is known
    assert again.field("content-length") == str(len(first.content))
    assert again.content == first.content
    part = ask(site, f"/{name}".encode(), Accept_Encoding=coding, Range="bytes=0-9")
    assert part.status == 206 and part.content == first.content[:10]
    tag = first.field("etag")
    assert ask(site, f"/{name}".encode(), Accept_Encoding=coding, If_None_Match=tag).status == 304
    assert ask(site, f"/{name}".encode(), If_None_Match=tag).status == 200
    head = ask(site, f"/{name}".encode(), b"HEAD", Accept_Encoding=coding)
    assert head.field("etag") == tag and head.field("content-encoding") == coding


@pytest.mark.parametrize("path,accepted,coding", [
    (b"/page.txt", "gzip;q=0.5, br;q=0.8, zstd;q=0", "br"),
    (b"/page.txt", "gzip, br, zstd", "zstd"),
    (b"/page.txt", "*", "zstd"),
    (b"/page.txt", "x-gzip", "gzip"),
    (b"/page.txt", "deflate, compress", None),
    (b"/page.txt", "gzip;q=0.5, identity", None),
    (b"/page.txt", "gzip;q=0", None),
    (b"/page.txt", "", None),
    (b"/small.txt", "gzip", None),
    (b"/photo.png", "gzip", None),
    (b"/both.txt", "gzip, br;q=0.5", "gzip"),
], ids=str)
def test_what_is_compressed_and_how(site, path, accepted, coding):
    answer = ask(site, path, Accept_Encoding=accepted)
    assert answer.status == 200 and answer.field("content-encoding") == coding


def test_a_sibling_comes_first(site, root):
    answer = ask(site, b"/both.txt", Accept_Encoding="gzip")
    assert answer.content == (root / "both.txt.gz").read_bytes()


def test_nothing_is_done_to_what_is_not_to_be_changed(tmp_path, root, site):
    assert ask(site, b"/page.txt", Accept_Encoding="gzip",
               Cache_Control="no-transform").field("content-encoding") is None
    folder = tmp_path / "other"
    folder.mkdir()
    more = 'compress = true cache_control = "max-age=60, no-transform"'
    with Site(folder, files_route(root, more)) as other:
        answer = ask(other, b"/page.txt", Accept_Encoding="gzip")
        assert answer.field("content-encoding") is None
    folder = tmp_path / "without"
    folder.mkdir()
    with Site(folder, files_route(root)) as other:
        assert ask(other, b"/page.txt", Accept_Encoding="gzip").field("content-encoding") is None


def test_a_file_that_changes_is_compressed_anew(tmp_path, root):
    page = root / "page.txt"
    page.write_bytes(TEXT)
    with Site(tmp_path, files_route(root, "compress = true") + "limits { cache_valid_ms = 0 }") as site:
        tags = set()
        for n in range(3):
            new = TEXT + str(n).encode()
            (root / "new").write_bytes(new)
            os.replace(root / "new", page)
            for _ in range(2):
                answer = ask(site, b"/page.txt", Accept_Encoding="gzip")
                assert gzip.decompress(answer.content) == new
            tags.add(answer.field("etag"))
        assert len(tags) == 3


def test_what_is_kept_is_bounded(tmp_path, root):
    for n in range(40):
        (root / f"{n}.bin.txt").write_bytes(os.urandom(40000) + bytes(20000))
    limits = "limits { cache_bytes_max = 262144 coded_bytes_max = 65536 }"
    with Site(tmp_path, files_route(root, "compress = true") + limits) as site:
        ask(site, b"/0.bin.txt", Accept_Encoding="gzip")
        before = site.memory()
        for n in list(range(40)) * 3:
            answer = ask(site, f"/{n}.bin.txt".encode(), Accept_Encoding="gzip")
            assert zlib.decompress(answer.content, 31) == (root / f"{n}.bin.txt").read_bytes()
        if not SANITIZED:
            assert site.memory() - before < 16 << 20


def test_a_client_that_leaves_costs_nothing(tmp_path, root):
    (root / "large.txt").write_bytes(TEXT * 100)
    with Site(tmp_path, files_route(root, "compress = true")) as site:
        for _ in range(20):
            with site.connect() as wire:
                wire.send(get(b"/large.txt", fields=b"Accept-Encoding: br\r\n"))
                wire.socket.recv(100)
        answer = ask(site, b"/large.txt", Accept_Encoding="gzip")
        assert gzip.decompress(answer.content) == TEXT * 100


# Uploads.


def writable(tmp_path, root, limits=""):
    return Site(tmp_path, f'state = "{tmp_path}/state"\n' + files_route(root, "write = true") + limits)


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("content", [b"short\n", TEXT * 10, os.urandom(300000), b""], ids=["short", "text", "random", "empty"])
def test_an_upload_is_decoded(tmp_path, root, coding, content):
    with writable(tmp_path, root) as site:
        coded = ENCODERS[coding](content)
        answer = ask(site, b"/new.bin", b"PUT", coded, Content_Encoding=coding)
        assert answer.status == 201 and answer.field("etag") is None
        assert (root / "new.bin").read_bytes() == content
        assert ask(site, b"/new.bin", b"PUT", coded, Content_Encoding=coding).status == 204


COMMANDS = {"gzip": "gzip -9", "br": "brotli -c -q 5 --lgwin=24", "zstd": "zstd -c -q"}


def largest(folder):
    """Bytes of the largest file that is being written."""
    sizes = [0]
    for path in folder.rglob("*"):
        try:
            sizes.append(path.stat().st_size if path.is_file() else 0)
        except FileNotFoundError:
            pass
    return max(sizes)


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("mib", counts(200, 10240))
def test_r27_a_bomb_does_not_go_off(tmp_path, root, coding, mib, figure):
    """What becomes a thousand times as large is refused before it is 10 MiB."""
    if not shutil.which(COMMANDS[coding].split()[0]):
        pytest.skip(f"no {COMMANDS[coding].split()[0]}")
    bomb = subprocess.run(f"head -c {mib}M /dev/zero | {COMMANDS[coding]}", shell=True, capture_output=True,
                          check=True).stdout
    assert len(bomb) < mib << 13
    with writable(tmp_path, root) as site, site.connect() as wire:
        begun, most, ended = time.monotonic(), 0, threading.Event()

        def watch():
            nonlocal most
            while not ended.wait(0.001):
                most = max(most, largest(root / ".earnest"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            wire.send(b"PUT /bomb HTTP/1.1\r\nHost: a.example\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" %
                      (coding.encode(), len(bomb)) + bomb)
        except OSError:  # it was refused before all of it was sent
            pass
        answer = wire.answer("PUT")
        ended.set()
        watcher.join()
        assert answer.status == 413 and answer.problem()["rule"] == "content_grew"
        assert time.monotonic() - begun < 5
        assert most <= 10 << 20
        assert not (root / "bomb").exists()
        # what was decoded of it is dropped with the request, which ends after its answer
        wait_until(lambda: largest(root / ".earnest") <= 4096)
    figure(f"{coding}: bytes that {len(bomb)} of {mib} MiB became", most)


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("spoil", [lambda b: b[:-2], lambda b: b + b"more", lambda b: b"x" + b[1:]],
                         ids=["cut", "more", "wrong"])
def test_what_is_not_coded_so_is_refused(tmp_path, root, coding, spoil):
    with writable(tmp_path, root) as site:
        answer = ask(site, b"/new.txt", b"PUT", spoil(ENCODERS[coding](TEXT)), Content_Encoding=coding)
        assert answer.status == 400 and answer.problem()["rule"] == "content_illformed"
        assert not (root / "new.txt").exists()


def test_a_quota_counts_what_is_kept(tmp_path, root):
    config = f'state = "{tmp_path}/state"\n' + files_route(root, 'write = true quota = "100K"')
    with Site(tmp_path, config) as site:
        answer = ask(site, b"/new.txt", b"PUT", gzip.compress(TEXT), Content_Encoding="gzip")
        assert answer.status == 507
        assert not (root / "new.txt").exists()
