# SPDX-License-Identifier: Apache-2.0
"""R-38: kill -9 at any moment of a write. What was acknowledged is there; what was not is wholly
there or not at all; nothing is left lying about; the database opens.
"""
import contextlib
import hashlib
import pathlib
import random
import sqlite3
import threading
import time

import pytest

from dav import Dav
from scenario import Site, counts

COLOUR, SIZE = "{urn:example}colour", "{urn:example}size"
INTEROP = "8"


class Client:
    """Writes, one thing after another, and remembers what it was told and what it was about to do."""

    def __init__(self, port, world, seed):
        self.port, self.world, self.random = port, world, random.Random(seed)
        self.stop = False

    def run(self):
        steps = [self.put, self.put, self.put, self.move_tree, self.properties, self.lock,
                 self.delete, self.copy_tree, self.upload]
        with Dav(self.port) as dav:
            try:
                while not self.stop:
                    self.random.choice(steps)(dav)
            except (OSError, AssertionError):
                assert self.stop or not self.alive(), "an answer that nobody expected"

    def alive(self):
        try:
            with Dav(self.port) as dav:
                return dav("OPTIONS", "/").status == 204
        except (OSError, AssertionError):
            return False

    def text(self):
        size = self.random.choice([1, 200, 5000, 70000, 300000])
        return self.random.randbytes(size)

    def put(self, dav):
        name, text = f"/f{self.random.randrange(4)}", self.text()
        self.world.begin(("file", name), text)
        answer = dav("PUT", name, text)
        assert answer.status in (201, 204), answer
        self.world.done(("file", name), text)

    def delete(self, dav):
        name = f"/f{self.random.randrange(4)}"
        self.world.begin(("file", name), None)
        answer = dav("DELETE", name)
        assert answer.status in (204, 404, 410), answer
        self.world.done(("file", name), None)

    def move_tree(self, dav):
        here = self.world.sure[("tree",)]
        there = "/tree1/" if here == "/tree2/" else "/tree2/"
        self.world.begin(("tree",), there)
        answer = dav("MOVE", here, Destination=there)
        assert answer.status == 201, answer
        self.world.done(("tree",), there)

    def copy_tree(self, dav):
        self.world.begin(("copy",), True)
        answer = dav("COPY", self.world.sure[("tree",)], Destination="/copy/")
        assert answer.status in (201, 204), answer
        self.world.done(("copy",), True)

    def properties(self, dav):
        n = str(self.random.randrange(10 ** 6))
        self.world.begin(("properties",), n)
        answer = dav.set(self.world.sure[("tree",)], {COLOUR: n, SIZE: n})
        assert answer.status == 207, answer
        self.world.done(("properties",), n)

    def lock(self, dav):
        name = f"/l{self.random.randrange(10 ** 9)}"
        token = dav.lock(name, Timeout="Second-3600")
        self.world.locks[name] = token

    def upload(self, dav):
        text = self.random.randbytes(200000)
        name = f"/u{self.random.randrange(10 ** 9)}"
        half = text[:100000]
        answer = dav("PUT", name, half, Upload_Complete="?0", Upload_Length=len(text),
                     Upload_Draft_Interop_Version=INTEROP)
        assert answer.status == 201, answer
        self.world.uploads[name] = (answer.field("location"), text)


class World:
    """What is sure, and what may be instead."""

    def __init__(self):
        self.sure, self.maybe = {("tree",): "/tree1/", ("copy",): False, ("properties",): None}, {}
        self.locks, self.uploads = {}, {}

    def begin(self, key, value):
        self.maybe = {key: value}

    def done(self, key, value):
        self.sure[key] = value
        self.maybe = {}

    def may_be(self, key, value):
        return value == self.sure.get(key) or (key in self.maybe and value == self.maybe[key])


def seed_files(root):
    (root / "tree1" / "deep").mkdir(parents=True)
    for n in range(40):
        (root / "tree1" / "deep" / f"{n}.txt").write_text(str(n) * 100)


def tree_is_whole(path):
    files = sorted((path / "deep").iterdir(), key=lambda f: int(f.stem))
    return ([f.name for f in files] == [f"{n}.txt" for n in range(40)]
            and all(f.read_text() == f.stem * 100 for f in files))


def check_files(root, world):
    for n in range(4):
        path = root / f"f{n}"
        text = path.read_bytes() if path.exists() else None
        assert world.may_be(("file", f"/f{n}"), text), f"f{n} is neither the old nor the new"
        world.sure[("file", f"/f{n}")] = text
    here = [t for t in ("/tree1/", "/tree2/") if (root / t.strip("/")).exists()]
    assert len(here) == 1, f"the tree is at {here}"
    assert world.may_be(("tree",), here[0])
    assert tree_is_whole(root / here[0].strip("/"))
    copied = (root / "copy").exists()
    assert world.may_be(("copy",), copied)
    assert not copied or tree_is_whole(root / "copy")
    world.sure[("tree",)], world.sure[("copy",)] = here[0], copied


def check_state(dav, world):
    found = dav.find(world.sure[("tree",)], [COLOUR, SIZE])[world.sure[("tree",)]]
    values = {found[n][1].text if found[n][0] == 200 else None for n in (COLOUR, SIZE)}
    assert len(values) == 1, f"half a PROPPATCH: {values}"
    value = values.pop()
    assert world.may_be(("properties",), value), f"{value} of {world.sure}, {world.maybe}"
    world.sure[("properties",)] = value
    for name, token in world.locks.items():
        assert dav("PUT", name, b"x").status == 423, f"the lock of {name} is lost"
        assert dav("UNLOCK", name, Lock_Token=f"<{token}>").status == 204
    world.locks = {}


def check_uploads(dav, root, world):
    for name, (location, text) in world.uploads.items():
        path = "/" + location.split("/", 3)[3] if "://" in location else location
        answer = dav("HEAD", path, Upload_Draft_Interop_Version=INTEROP)
        offset = int(answer.field("upload-offset"))
        assert offset == 100000, f"{offset} of an upload that was acknowledged up to 100000"
        answer = dav("PATCH", path, text[offset:], Upload_Offset=offset, Upload_Complete="?1",
                     Content_Type="application/partial-upload",
                     Upload_Draft_Interop_Version=INTEROP)
        assert answer.status in (200, 201, 204), answer
        stored = (root / name[1:]).read_bytes()
        assert hashlib.sha256(stored).digest() == hashlib.sha256(text).digest()
        (root / name[1:]).unlink()
    world.uploads = {}


def waiting_uploads(state):
    """Those whose first answer was lost: nobody knows of them, and they wait until their time is over."""
    with contextlib.closing(sqlite3.connect(state / "earnest.db")) as store:
        return {row[0].decode() for row in store.execute("select id from upload where not complete")}


@pytest.mark.parametrize("rounds", counts(25, 1000))
def test_kill(tmp_path, rounds):
    root = tmp_path / "root"
    root.mkdir()
    seed_files(root)
    world, pick = World(), random.Random(38)
    config = (f'state = "{tmp_path}/state"\n'
              f'route "/" {{ files = "{root}" write = true tombstones = "1d" }}')
    for n in range(rounds):
        site = Site(tmp_path, config)
        site.__enter__()
        with Dav(site.port) as dav:
            check_state(dav, world)
            check_uploads(dav, root, world)
        client = Client(site.port, world, n)
        thread = threading.Thread(target=client.run)
        thread.start()
        time.sleep(pick.uniform(0, 0.05) + (0.2 if n % 5 == 0 else 0))
        client.stop = True
        site.kill()
        thread.join()
        check_files(root, world)
    site = Site(tmp_path, config)
    with site, Dav(site.port) as dav:
        check_state(dav, world)
        check_uploads(dav, root, world)
        left = {p.name for p in pathlib.Path(root / ".earnest").iterdir()}
        left -= waiting_uploads(tmp_path / "state")
        assert not left, f"left in the staging folder: {left}"
    assert "database" not in site.stderr()
