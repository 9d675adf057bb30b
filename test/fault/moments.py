# SPDX-License-Identifier: Apache-2.0
"""Changes of a writable folder, and what can be seen of it before and after: all that a fault may
leave is the one or the other.

Each change is made in a folder of its own. `before` makes what is there, `change` is the one
request, `paths` are what is asked for by GET, too.
"""
import contextlib
import hashlib
import os
import pathlib
import re
import sqlite3

from calls import Calls
from dav import LOCK, Dav, multistatus
from scenario import Site, wait_until

COLOUR, SIZE = "{urn:example}colour", "{urn:example}size"
SMALL, LARGE = b"old content\n" * 100, os.urandom(300_000)
UPLOAD = {"Upload_Draft_Interop_Version": "8"}
ALL = b'<propfind xmlns="DAV:"><allprop/></propfind>'
VOLATILE = re.compile(r"\{DAV:\}(creationdate|getlastmodified|getetag|quota-.*|sync-token|"
                      r"resource-id|lockdiscovery)")


def tree(place, mark):
    """A folder with a folder with files in it."""
    (place / "deep").mkdir(parents=True)
    for n in range(3):
        (place / "deep" / f"{n}.txt").write_text(f"{mark} {n}\n" * 50)


class Change:
    """The file "kept" of the folder has a property and a lock, which are there whatever happens."""

    paths = ("a", "b")

    def __init__(self, root, n):
        self.name = f"round-{n:06}"
        self.folder, self.url = pathlib.Path(root) / self.name, "/" + self.name

    def before(self, dav):
        self.folder.mkdir()
        (self.folder / "kept").write_text("kept")
        dav.set(f"{self.url}/kept", {COLOUR: "blue"})
        dav.lock(f"{self.url}/kept", Timeout="Second-3600")

    def change(self, dav):
        raise NotImplementedError

    def files(self):
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        return found

    def memory(self, dav):
        """Of each member: its properties, those that need no change to be other ones apart; and its
        locks, by scope and time."""
        answer = dav("PROPFIND", self.url + "/", ALL, Depth="infinity")
        assert answer.status == 207, answer
        found = {}
        for href, properties in multistatus(answer.content).items():
            found[href] = {name: element.text for name, (_, element) in properties.items()
                           if not VOLATILE.fullmatch(name)}
            if "{DAV:}lockdiscovery" in properties:
                locks = properties["{DAV:}lockdiscovery"][1].iter("{DAV:}depth")
                found[href]["locks"] = [lock.text for lock in locks]
        return found

    def seen(self, port):
        with Dav(port) as dav:
            statuses = {}
            for path in self.paths:
                answer = dav("GET", f"{self.url}/{path}")
                statuses[path] = answer.status, answer.field("location")
            return self.files(), statuses, self.memory(dav)

    def stays(self, port):
        """What was acknowledged before is there."""
        with Dav(port) as dav:
            assert dav("PUT", f"{self.url}/kept", b"x").status == 423, "a lock was lost"
            found = dav.find(f"{self.url}/kept", [COLOUR])[f"{self.url}/kept"]
            assert found[COLOUR][0] == 200 and found[COLOUR][1].text == "blue"


class Put(Change):
    def change(self, dav):
        return dav("PUT", f"{self.url}/a", SMALL)


class Replace(Change):
    def before(self, dav):
        super().before(dav)
        (self.folder / "a").write_bytes(SMALL)
        dav.set(f"{self.url}/a", {COLOUR: "red"})

    def change(self, dav):
        return dav("PUT", f"{self.url}/a", LARGE)


class Trees(Change):
    """Two trees with properties; a request to one of them may name the other."""

    other = False

    def before(self, dav):
        super().before(dav)
        for name in ("a", "b") if self.other else ("a",):
            tree(self.folder / name, name)
            for member in ("", "/deep/1.txt"):
                dav.set(f"{self.url}/{name}{member}", {COLOUR: name, SIZE: "1"})


class Move(Trees):
    def change(self, dav):
        return dav("MOVE", f"{self.url}/a/", Destination=f"{self.url}/b/")


class MoveOnto(Move):
    other = True


class Copy(Trees):
    def change(self, dav):
        return dav("COPY", f"{self.url}/a/", Destination=f"{self.url}/b/")


class CopyOnto(Copy):
    other = True


class Delete(Trees):
    def change(self, dav):
        return dav("DELETE", f"{self.url}/a/")


class Proppatch(Trees):
    def change(self, dav):
        return dav.set(f"{self.url}/a/", {COLOUR: "new", SIZE: "new"})


class Mkcol(Change):
    def change(self, dav):
        return dav("MKCOL", f"{self.url}/a", (
            b'<mkcol xmlns="DAV:"><set><prop><resourcetype><collection/></resourcetype>'
            b'<c xmlns="urn:example">x</c><d xmlns="urn:example">x</d></prop></set></mkcol>'))


class Lock(Replace):
    def change(self, dav):
        return dav("LOCK", f"{self.url}/a", LOCK % (b"exclusive", b"ann"), Timeout="Second-3600")


class LockNew(Change):
    def change(self, dav):
        return dav("LOCK", f"{self.url}/a", LOCK % (b"exclusive", b"ann"), Timeout="Second-3600")


class Patch(Change):
    def before(self, dav):
        super().before(dav)
        (self.folder / "a").write_text('{"n": 1}')

    def change(self, dav):
        return dav("PATCH", f"{self.url}/a", b'{"n": 2}',
                   Content_Type="application/merge-patch+json")


class BindOnto(Trees):
    """A binding in the place of a tree."""

    other = True

    def change(self, dav):
        return dav("BIND", self.url + "/", (
            f'<bind xmlns="DAV:"><segment>b</segment><href>{self.url}/a/</href></bind>').encode())


class ReferenceOnto(Replace):
    """A redirect reference moves to the place of a file."""

    def before(self, dav):
        super().before(dav)
        answer = dav("MKREDIRECTREF", f"{self.url}/b", (
            b'<mkredirectref xmlns="DAV:"><reftarget><href>/x</href></reftarget></mkredirectref>'))
        assert answer.status == 201, answer

    def change(self, dav):
        return dav("MOVE", f"{self.url}/b", Destination=f"{self.url}/a",
                   Apply_To_Redirect_Ref="T")


class Upload(Change):
    """The last part of an upload that replaces a file. It is seen by its offset: at least what was
    acknowledged."""

    location = None

    def before(self, dav):
        super().before(dav)
        (self.folder / "a").write_bytes(SMALL)
        answer = dav("PUT", f"{self.url}/a", LARGE[:100_000], Upload_Complete="?0", **UPLOAD)
        assert answer.status == 201, answer
        self.location = answer.field("location")

    def append(self, dav, offset):
        return dav("PATCH", self.location, LARGE[offset:], Upload_Offset=offset,
                   Upload_Complete="?1", Content_Type="application/partial-upload", **UPLOAD)

    def change(self, dav):
        return self.append(dav, 100_000)

    def seen(self, port):
        with Dav(port) as dav:
            answer = dav("HEAD", self.location, **UPLOAD)
            assert answer.status == 204, answer
            assert int(answer.field("upload-offset")) >= 100_000, answer
            complete = answer.field("upload-complete")
        return *super().seen(port), complete

    def stays(self, port):
        """It can be gone on with where it says, and is whole in the end."""
        super().stays(port)
        with Dav(port) as dav:
            answer = dav("HEAD", self.location, **UPLOAD)
            if answer.field("upload-complete") == "?0":
                answer = self.append(dav, int(answer.field("upload-offset")))
                assert answer.status == 204, answer
        assert (self.folder / "a").read_bytes() == LARGE


CHANGES = [Put, Replace, Move, MoveOnto, Copy, CopyOnto, Delete, Proppatch, Mkcol, Lock, LockNew,
           Patch, BindOnto, ReferenceOnto, Upload]


def configuration(tmp_path, root):
    return (f'state = "{tmp_path}/state"\n'
            f'route "/" {{ files = "{root}" write = true infinite = true tombstones = "1d" }}')


def unfinished(tmp_path):
    """Names in the staging folder of uploads that may go on: even if nobody was told of them."""
    with contextlib.closing(sqlite3.connect(tmp_path / "state" / "earnest.db")) as store:
        rows = store.execute("select staged from upload where not complete")
        return {row[0].decode() for row in rows}


class Rounds:
    """Makes one kind of change again and again, each time in a folder of its own."""

    def __init__(self, tmp_path, root, kind, shim):
        self.tmp_path, self.root, self.kind = tmp_path, root, kind
        self.calls = Calls(tmp_path, shim)
        self.site, self.n = None, 0

    def start(self):
        self.site = Site(self.tmp_path, configuration(self.tmp_path, self.root),
                         **self.calls.loaded)
        self.site.__enter__()

    def restart(self):
        self.calls.disarm()
        self.site.kill()
        self.start()

    def next(self):
        """A change that is ready to be made, and what is seen before it."""
        self.n += 1
        one = self.kind(self.root, self.n)
        with Dav(self.site.port) as dav:
            one.before(dav)
        return one, self.seen(one)

    def seen(self, one):
        """As text, without the name of the folder."""
        return repr(one.seen(self.site.port)).replace(one.name, "round")

    def make(self, one):
        """Asks for it. Returns the status, or None if the connection broke."""
        with Dav(self.site.port) as dav:
            try:
                return one.change(dav).status
            except (OSError, AssertionError):
                return None

    def check_rest(self, one):
        """No leftovers, and nothing of before is lost."""
        wait_until(lambda: set(os.listdir(self.root / ".earnest")) <= unfinished(self.tmp_path))
        one.stays(self.site.port)
