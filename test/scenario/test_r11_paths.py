# SPDX-License-Identifier: Apache-2.0
"""R-11, R-12, R-14: nothing outside the root is ever read, and no file is sent for what it is not."""
import ctypes
import os
import random
import re
import socket
import threading
import urllib.parse

import pytest

from scenario import Site, counts, files_route, get, wait_until

SECRET = b"the secret outside\n"
DOTS = [b"..", b".%2e", b"%2e.", b"%2e%2e", b"%2E%2E", b"%252e%252e", b"%c0%ae%c0%ae", b"..%00", b"...",
        b"%e0%80%ae%e0%80%ae", b"%ef%bc%8e%ef%bc%8e", b"..;", b"..%20", b"..%09", b". .", b"..\\",
        b"%uff0e%uff0e", b"..%2e", b"%32%65%32%65", b".\\.", b"..%5c", b"%f0%80%80%ae%f0%80%80%ae", b"."]
SEPARATORS = [b"/", b"//", b"/./", b"%2f", b"%2F", b"%5c", b"\\", b"%252f", b"%c0%af", b"/;/", b"%ef%bc%8f",
              b"/%2e/", b"/d/../", b"%00/", b"/?/", b"/%09/", b"/.%2f"]
TARGETS = [b"secret.txt", b"etc/passwd", b"secret.txt/", b"secret.txt.", b"secret.txt%00", b"secret.txt%00.txt",
           b"secret.txt%20", b"SECRET.TXT", b"proc/self/environ", b"root/../secret.txt"]
STARTS = [b"/", b"//", b"/d/", b"/d/e/", b"/./", b"/%2e/", b"/%2f", b"/a.txt/", b"/missing/", b"/d/l/",
          b"http://a.example/", b"http://a.example", b"/out/", b"/d//"]


def spelling(chance):
    n = chance.randint(1, 6)
    steps = b"".join(chance.choice(DOTS) + chance.choice(SEPARATORS) for _ in range(n))
    if chance.random() < 0.3:
        steps = (chance.choice(DOTS) + chance.choice(SEPARATORS)) * n
    return chance.choice(STARTS) + steps + chance.choice(TARGETS)


@pytest.fixture(name="tree")
def make_tree(tmp_path, root):
    """A root, with the secret beside it and links that lead there."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f.txt").write_bytes(SECRET)
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "b.txt").write_bytes(b"b\n")
    (root / "d" / "e" / "c.txt").write_bytes(b"c\n")
    (root / "d" / "l").symlink_to("e")
    (root / "out").symlink_to("../outside")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "absolute.txt").symlink_to(tmp_path / "secret.txt")
    (root / "magic").symlink_to("/proc/self/root" + str(tmp_path / "secret.txt"))
    (root / "here.txt").symlink_to("a.txt")
    return root


def oracle(root, target):
    """The file that the target may be answered with, or None: decoded once, dots taken out, inside."""
    path = re.sub(rb"^http://[^/]*", b"", target).split(b"?")[0]
    steps = []
    for step in urllib.parse.unquote_to_bytes(path).split(b"/"):
        if step == b"..":
            steps = steps[:-1]
        elif step not in (b"", b"."):
            steps.append(step)
    if any(b"\0" in step for step in steps):
        return None
    real = os.path.realpath(os.path.join(os.fsencode(root), *steps))
    inside = os.path.realpath(os.fsencode(root)) + b"/"
    return real if (real + b"/").startswith(inside) else None


def all_files(root):
    for folder, _, names in os.walk(os.fsencode(root)):
        for name in names:
            yield os.path.join(folder, name)


@pytest.mark.parametrize("n", counts(2000, 100_000))
def test_r11_spellings(tmp_path, tree, n, figure):
    chance = random.Random(11)
    seen = {}
    with Site(tmp_path, files_route(tree, "hidden = serve")) as site:
        for _ in range(n):
            target = spelling(chance)
            with site.connect() as wire:
                wire.send(get(target, close=True))
                answer = wire.answer("GET")
            seen[answer.status] = seen.get(answer.status, 0) + 1
            assert SECRET not in answer.content, target
            assert answer.status in (200, 301, 400, 403, 404), (target, answer.status)
            if answer.status == 200:
                file = oracle(tree, target)
                assert file, target
                if os.path.isdir(file):
                    file = os.path.join(file, b"index.html")
                with open(file, "rb") as content:
                    assert answer.content == content.read(), target
    figure("spellings", f"{n}, by status {dict(sorted(seen.items()))}, 0 escapes")


def test_r11_links(tmp_path, tree):
    with Site(tmp_path, files_route(tree)) as site:
        for target, status in [(b"/out.txt", 403), (b"/out/f.txt", 403), (b"/absolute.txt", 403),
                               (b"/magic", 403), (b"/here.txt", 200), (b"/d/l/c.txt", 200),
                               (b"/out", 403), (b"/out/", 403)]:
            assert site.status(target) == status, target


RENAME_EXCHANGE = 2
AT_FDCWD = -100


class Swapper(threading.Thread):
    """Exchanges two paths again and again, each time in one step."""

    def __init__(self, a, b):
        super().__init__()
        self.paths = os.fsencode(a), os.fsencode(b)
        self.swaps = 0
        self.stopping = False
        self.libc = ctypes.CDLL(None, use_errno=True)

    def run(self):
        a, b = self.paths
        while not self.stopping:
            if self.libc.renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE):
                break
            self.swaps += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()


@pytest.mark.parametrize("n", counts(20_000, 1_000_000))
def test_r12_swaps_of_folder_and_link(tmp_path, tree, n, figure):
    """While a folder and a link to the outside change places, every answer is the inside or none."""
    (tree / "s").mkdir()
    (tree / "s" / "f.txt").write_bytes(b"inside\n")
    (tree / "t").symlink_to("../outside")
    batch = get(b"/s/f.txt") * 20 + get(b"/s/") * 2 + get(b"/d/../s/f.txt") * 2
    seen = {}
    config = "limits { cache_valid_ms = 0 }\n" + files_route(tree, 'index = { "f.txt" }')
    with Site(tmp_path, config) as site, Swapper(tree / "s", tree / "t") as swapper:
        with site.connect() as wire:
            while swapper.swaps < n or seen.get(200, 0) < n / 10:
                assert swapper.is_alive()
                wire.send(batch)
                for _ in range(24):
                    answer = wire.answer("GET")
                    seen[answer.status] = seen.get(answer.status, 0) + 1
                    assert SECRET not in answer.content
                    # 404: the index went away after its folder was seen.
                    assert answer.status in (200, 403, 404), answer
                    assert answer.status != 200 or answer.content == b"inside\n", answer
        swaps = swapper.swaps
    assert seen.get(403), "the race was never run"
    figure("swaps", f"{swaps}, answers {seen}, 0 from outside")


def test_r14_what_is_no_file(tmp_path, root):
    os.mkfifo(root / "fifo")
    holder = socket.socket(socket.AF_UNIX)
    holder.bind(str(root / "socket"))
    targets = [(b"/fifo", 403), (b"/socket", 403), (b"/a.txt/", 404), (b"/fifo/", 403), (b"/a.txt/b", 404)]
    if os.getuid() == 0:
        try:
            os.mknod(root / "zero", 0o20666, os.makedev(1, 5))
            targets.append((b"/zero", 403))
        except OSError:
            pass
    (root / "fifo.d").mkdir()
    os.mkfifo(root / "fifo.d" / "index.html")
    targets.append((b"/fifo.d/", 404))
    os.mkfifo(root / "a.txt.gz")
    targets.append((b"/a.txt", 200))
    with holder, Site(tmp_path, files_route(root, "precompressed = true")) as site:
        for target, status in targets:
            assert site.status(target, fields=b"Accept-Encoding: gzip\r\n") == status, target


def test_r14_files_of_the_kernel_that_have_no_length(tmp_path):
    """What /proc says of itself is no file with a length: sent as it says, and never hanging."""
    with Site(tmp_path, files_route("/proc/sys/kernel")) as site, site.connect() as wire:
        for _ in range(3):
            wire.send(get(b"/ostype"))
            answer = wire.answer("GET")
            assert (answer.status, answer.content) == (200, b"")


def test_r14_a_sparse_file_of_4_tib(tmp_path, root):
    size = 1 << 42
    try:
        with open(root / "sparse.bin", "wb") as file:
            file.truncate(size)
            file.seek(size - 3)
            file.write(b"end")
    except OSError as error:
        pytest.skip(f"no sparse file of 4 TiB here: {error}")
    with Site(tmp_path, files_route(root)) as site, site.connect() as wire:
        wire.send(get(b"/sparse.bin", b"HEAD"))
        assert wire.answer("HEAD").field("content-length") == str(size)
        for spec, place, content in [(b"-3", f"{size - 3}-{size - 1}", b"end"),
                                     (b"%d-" % (size - 5), f"{size - 5}-{size - 1}", b"\0\0end"),
                                     (b"4294967296-4294967297", "4294967296-4294967297", b"\0\0"),
                                     (b"%d-99999999999999" % (size - 1), f"{size - 1}-{size - 1}", b"d")]:
            wire.send(get(b"/sparse.bin", fields=b"Range: bytes=" + spec + b"\r\n"))
            answer = wire.answer("GET")
            assert answer.status == 206
            assert answer.field("content-range") == f"bytes {place}/{size}"
            assert answer.content == content
        wire.send(get(b"/sparse.bin", fields=b"Range: bytes=%d-\r\n" % size))
        assert wire.answer("GET").status == 416
        # All of it: begins, and ends with us.
        wire.send(get(b"/sparse.bin"))
        assert wire.head().field("content-length") == str(size)
        assert wire.bytes(1 << 20) == bytes(1 << 20)


def begin_download(site, target, at_least=1 << 16):
    """A download that has begun, and is read no further for now. Returns wire and length."""
    wire = site.connect()
    wire.send(get(target))
    head = wire.head()
    assert head.status == 200
    wire.begun = wire.bytes(at_least)
    return wire, int(head.field("content-length"))


def test_r14_a_file_that_shrinks_while_it_is_sent(tmp_path, root):
    with open(root / "large.bin", "wb") as file:
        file.write(b"x" * (64 << 20))
    with Site(tmp_path, files_route(root)) as site:
        wire, length = begin_download(site, b"/large.bin")
        os.truncate(root / "large.bin", 1 << 20)
        try:
            while wire.more():
                pass
        except ConnectionResetError:
            pass
        # What was on its way may be zeroed by the kernel behind the new end; the cut says so.
        content = wire.begun + wire.buffer
        assert content[:1 << 20] == b"x" * (1 << 20)
        assert len(content) < length
        assert site.status(b"/a.txt") == 200
        wire.socket.close()
    assert " aborted" in site.log_path.read_text(encoding="utf-8")


def test_r14_a_file_that_is_replaced_while_it_is_sent(tmp_path, root):
    (root / "large.bin").write_bytes(b"x" * (32 << 20))
    with Site(tmp_path, files_route(root)) as site:
        wire, length = begin_download(site, b"/large.bin")
        (root / "new").write_bytes(b"y" * (16 << 20))
        os.rename(root / "new", root / "large.bin")
        content = wire.begun + wire.bytes(length - len(wire.begun))
        assert content == b"x" * length
        wire.socket.close()
        wait_until(lambda: site.status(b"/large.bin") == 200 and fetch(site)[:1] == b"y", 5, 0.2)
        assert fetch(site) == b"y" * (16 << 20)


def fetch(site):
    with site.connect() as wire:
        wire.send(get(b"/large.bin", close=True))
        return wire.answer("GET").content
