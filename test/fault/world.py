# SPDX-License-Identifier: Apache-2.0
"""A client that changes a folder without a pause, what it was told, and whether all of that is
there after the server was stopped by force. What was not acknowledged is wholly there or not at all.
"""
import hashlib
import random

from dav import Dav

COLOUR, SIZE = "{urn:example}colour", "{urn:example}size"
INTEROP = "8"


class Client:
    """Writes, and remembers what it was told and what it was about to do."""

    def __init__(self, port, world, seed):
        self.port, self.world, self.random = port, world, random.Random(seed)
        self.stop, self.wrong = False, None

    def run(self):
        steps = [self.put, self.put, self.put, self.move_tree, self.properties, self.lock,
                 self.delete, self.copy_tree, self.upload]
        with Dav(self.port) as dav:
            try:
                while not self.stop:
                    self.random.choice(steps)(dav)
            except (OSError, AssertionError) as error:
                if not self.stop and self.alive():
                    self.wrong = error

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
        self.world.acknowledged += 1

    def upload(self, dav):
        text = self.random.randbytes(200000)
        name = f"/u{self.random.randrange(10 ** 9)}"
        half = text[:100000]
        answer = dav("PUT", name, half, Upload_Complete="?0", Upload_Length=len(text),
                     Upload_Draft_Interop_Version=INTEROP)
        assert answer.status == 201, answer
        self.world.uploads[name] = (answer.field("location"), text)
        self.world.acknowledged += 1


class World:
    """What is sure, and what may be instead."""

    def __init__(self):
        self.sure, self.maybe = {("tree",): "/tree1/", ("copy",): False, ("properties",): None}, {}
        self.locks, self.uploads = {}, {}
        self.acknowledged = 0

    def begin(self, key, value):
        self.maybe = {key: value}

    def done(self, key, value):
        self.sure[key] = value
        self.maybe = {}
        self.acknowledged += 1

    def may_be(self, key, value):
        return value == self.sure.get(key) or (key in self.maybe and value == self.maybe[key])


MEMBERS = {f"{n}.txt": str(n) * 100 for n in range(40)}


def seed_files(root):
    (root / "tree1" / "deep").mkdir(parents=True)
    for name, text in MEMBERS.items():
        (root / "tree1" / "deep" / name).write_text(text)


def content(dav, path):
    """What is there; None if nothing is."""
    answer = dav("GET", path)
    assert answer.status in (200, 404, 410, 301, 308), answer
    return answer.content if answer.status == 200 else None


def is_there(dav, path):
    return dav("PROPFIND", path, Depth="0").status == 207


def check_tree(dav, path):
    hrefs = dav.find(path + "deep/", ["{DAV:}getetag"], depth="1")
    assert set(hrefs) == {path + "deep/"} | {f"{path}deep/{name}" for name in MEMBERS}
    for name, text in MEMBERS.items():
        assert content(dav, f"{path}deep/{name}") == text.encode(), f"{path}deep/{name} is torn"


def check_files(dav, world):
    for name in (f"/f{n}" for n in range(4)):
        text = content(dav, name)
        assert world.may_be(("file", name), text), f"{name} is neither the old nor the new"
        world.sure[("file", name)] = text
    here = [t for t in ("/tree1/", "/tree2/") if is_there(dav, t)]
    assert len(here) == 1, f"the tree is at {here}"
    assert world.may_be(("tree",), here[0])
    check_tree(dav, here[0])
    copied = is_there(dav, "/copy/")
    assert world.may_be(("copy",), copied)
    if copied:
        check_tree(dav, "/copy/")
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


def check_uploads(dav, world):
    for name, (location, text) in world.uploads.items():
        path = "/" + location.split("/", 3)[3] if "://" in location else location
        answer = dav("HEAD", path, Upload_Draft_Interop_Version=INTEROP)
        offset = int(answer.field("upload-offset"))
        assert offset == 100000, f"{offset} of an upload that was acknowledged up to 100000"
        answer = dav("PATCH", path, text[offset:], Upload_Offset=offset, Upload_Complete="?1",
                     Content_Type="application/partial-upload",
                     Upload_Draft_Interop_Version=INTEROP)
        assert answer.status in (200, 201, 204), answer
        stored = content(dav, name)
        assert hashlib.sha256(stored).digest() == hashlib.sha256(text).digest()
        assert dav("DELETE", name).status == 204
    world.uploads = {}


def check(dav, world):
    check_files(dav, world)
    check_state(dav, world)
    check_uploads(dav, world)
