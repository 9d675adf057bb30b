# SPDX-License-Identifier: Apache-2.0
"""Downloads that are cut, resumed, joined and repeated: curl and aria2c."""
import email
import gzip
import re
import subprocess
import time

from earnest_server import Server
from real import MIB, figure, in_both_sizes, logged, random_file, route, run, sha256, tool, url

QUICK_DRAIN = "limits { drain_timeout_ms = 200ms }"
CURL_TIMED_OUT = 28


def curl(*arguments, **options):
    return run(tool("curl"), "--silent", "--show-error", "--noproxy", "*", *arguments, **options)


def status(*arguments, **options):
    return int(curl("--write-out", "%{http_code}", *arguments, **options)[-3:])


def test_curl_resumes(tmp_path):
    tool("curl")
    file = random_file(tmp_path / "a.bin", 12 * MIB)
    part = tmp_path / "part"
    with Server(tmp_path, route(tmp_path)) as server:
        curl("--limit-rate", "4M", "--max-time", "0.7", "-o", part, url(server, "/a.bin"),
             codes=(CURL_TIMED_OUT,))
        cut = part.stat().st_size
        assert 0 < cut < 12 * MIB
        assert status("-C", "-", "-o", part, url(server, "/a.bin")) == 206
        assert sha256(part) == sha256(file)
        figure("curl -C -", f"cut at {cut}, resumed to {12 * MIB}, sha256 equal")
        # All is there already: 416, which curl 7.88 takes for success.
        curl("-C", "-", "-o", part, url(server, "/a.bin"), codes=(0, 22))
        assert sha256(part) == sha256(file)


def test_curl_validates(tmp_path):
    tool("curl")
    root = tmp_path / "root"
    root.mkdir()
    file = root / "a.txt"
    file.write_bytes(b"first")
    with Server(tmp_path, route(root) + "limits { cache_valid_ms = 0 }") as server:
        where = url(server, "/a.txt")
        copy, tag = tmp_path / "copy", tmp_path / "tag"
        assert status("-R", "-o", copy, where) == 200
        assert int(copy.stat().st_mtime) == int(file.stat().st_mtime), "curl -R sets Last-Modified"
        assert status("-z", copy, "-o", tmp_path / "none", where) == 304
        assert status("-z", "Sat, 01 Jan 2000 00:00:00 GMT", "-o", copy, where) == 200
        assert status("-z", "-Sat, 01 Jan 2000 00:00:00 GMT", "-o", "/dev/null", where) == 412
        assert status("--etag-save", tag, "-o", copy, where) == 200
        assert status("--etag-compare", tag, "-o", copy, where) == 304
        file.write_bytes(b"second")
        assert status("--etag-compare", tag, "--etag-save", tag, "-o", copy, where) == 200
        assert copy.read_bytes() == b"second"
        assert status("--etag-compare", tag, "-o", copy, where) == 304


def test_curl_ranges(tmp_path):
    tool("curl")
    file = random_file(tmp_path / "a.bin", 100000)
    data = file.read_bytes()
    with Server(tmp_path, route(tmp_path)) as server:
        where = url(server, "/a.bin")
        assert curl("-r", "0-99", where) == data[:100]
        assert curl("-r", "-100", where) == data[-100:]
        assert curl("-r", "99990-", where) == data[99990:]
        answer = curl("-i", "-r", "0-9,50000-50009,-10", where)
        head, content = answer.split(b"\r\n\r\n", 1)
        kind = re.search(rb"(?i)content-type: .*", head)[0]
        parts = email.message_from_bytes(kind.strip() + b"\r\n\r\n" + content).get_payload()
        found = [(part["Content-Range"], part.get_payload(decode=True)) for part in parts]
        assert found == [("bytes 0-9/100000", data[:10]),
                         ("bytes 50000-50009/100000", data[50000:50010]),
                         ("bytes 99990-99999/100000", data[-10:])]


def test_curl_compressed(tmp_path):
    tool("curl")
    (tmp_path / "a.txt").write_bytes(b"text " * 1000)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"text " * 1000))
    with Server(tmp_path, route(tmp_path)) as server:
        head = curl("-I", "-H", "Accept-Encoding: gzip", url(server, "/a.txt"))
        assert b"content-encoding: gzip" in head.lower()
        assert curl("--compressed", url(server, "/a.txt")) == b"text " * 1000
        assert curl(url(server, "/a.txt")) == b"text " * 1000
        assert gzip.decompress(curl("--compressed", url(server, "/a.txt.gz"))) == b"text " * 1000


def test_curl_upload_is_refused_before_it_is_sent(tmp_path):
    tool("curl")
    file = random_file(tmp_path / "a.bin", 8 * MIB)
    with Server(tmp_path, route(tmp_path)) as server:
        begin = time.monotonic()
        for method in ("-T", "--data-binary"):
            what = file if method == "-T" else f"@{file}"
            out = curl("-o", "/dev/null", "-w", "%{http_code} %{size_upload}",
                       "-H", "Expect: 100-continue", method, what, url(server, "/a.bin"))
            assert out == b"405 0", out
        assert time.monotonic() - begin < 0.9, "curl waited for 100"
        # Without asking first, much is refused as well: the answer arrives, or the end of it.
        out = curl("-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "-T", file,
                   url(server, "/a.bin"), codes=(0, 55, 56))
        assert out == b"405", out


def aria2c(server, into, *more, **options):
    return run(tool("aria2c", "aria2"), "-x8", "-s8", "-k1M", "--file-allocation=none",
               "--console-log-level=warn", "--summary-interval=0", "--auto-file-renaming=false",
               "--no-conf", "-d", into, *more, url(server, "/big.bin"), **options)


@in_both_sizes
def test_aria2c_joins_segments(tmp_path, size):
    tool("aria2c", "aria2")
    mib = 16 if size == "quick" else 64
    file = random_file(tmp_path / "big.bin", mib * MIB)
    into = tmp_path / "into"
    server = Server(tmp_path, route(tmp_path) + QUICK_DRAIN)
    with server:
        begin = time.monotonic()
        aria2c(server, into)
        seconds = time.monotonic() - begin
    assert sha256(into / "big.bin") == sha256(file)
    parts = logged(server)
    assert parts.count(206) >= 7, f"it did not ask for ranges: {parts}"
    figure(f"aria2c -x8 -s8, {mib} MiB", f"{seconds:.2f} s, {parts.count(206)} x 206, sha256 equal")


def test_aria2c_continues_after_a_restart(tmp_path):
    tool("aria2c", "aria2")
    file = random_file(tmp_path / "big.bin", 64 * MIB)
    into = tmp_path / "into"
    server = Server(tmp_path, route(tmp_path) + QUICK_DRAIN)
    with server:
        with subprocess.Popen(
                [tool("aria2c", "aria2"), "-x8", "-s8", "-k1M", "--file-allocation=none",
                 "--no-conf", "--quiet", "--max-tries=1", "--max-overall-download-limit=8M",
                 "-d", into, url(server, "/big.bin")]) as first:
            time.sleep(1.5)
            server.process.terminate()
            assert first.wait(20) != 0, "the download was not cut"
    assert (into / "big.bin.aria2").exists(), "there is nothing to continue"
    with server:
        aria2c(server, into, "-c")
    assert sha256(into / "big.bin") == sha256(file)
    # Cut answers are in the log as well, with what was sent of them.
    sent = sum(int(n) for n in re.findall(r'" 20[06] (\d+) ', server.log_path.read_text()))
    assert sent >= 64 * MIB, f"the log knows of {sent} bytes only"
    figure("aria2c -c over a restart", f"sha256 equal, {sent / MIB:.0f} MiB sent for 64")
