# SPDX-License-Identifier: Apache-2.0
"""403: rights of users, groups and networks on paths, in files and in a writable folder, by every way that
leads to a path: its own, another's Destination, a whole tree, a binding, a listing, a report.
"""
import socket

import pytest

from dav import Dav
from earnest_server import Wire
from scenario import Site, get
from test_auth import OTHER, SECRET, ask, basic, passwd
from test_dav import bind

PRIVATE = b"private\n"


@pytest.fixture(name="users", scope="module")
def three_users():
    return (f'user "ann" {{ password = "{passwd(SECRET)}" groups = staff }}\n'
            f'user "bob" {{ password = "{passwd(OTHER)}" }}\n')


RIGHTS = '''
    right "/" { users = { "ann", "bob" } may = { "read", "write", "delete", "lock" } }
    right "/private/" { users = "ann" may = "all" }
    right "/shown/" { groups = "staff" may = "all" }
    right "/shown/" { may = "read" }
    right "/near/" { allow = "127.0.0.2" may = "all" }
'''


def config(tmp_path, users, root, more=""):
    return (f'{users}state = "{tmp_path}/state"\n'
            f'route "/dav/" {{ files = "{root}" write = true listing = true index = "none" infinite = true auth = basic '
            f'{RIGHTS} {more} }}\nlimits {{ login_valid_ms = 1h }}\n')


def header(user):
    password = {"ann": SECRET, "bob": OTHER}[user]
    return {"Authorization": basic(user, password).split(b": ")[1].strip().decode()}


@pytest.fixture(name="folder")
def folder_with_parts(root):
    for name in ("private", "shown", "near", "open"):
        (root / name).mkdir()
        (root / name / "x.txt").write_bytes(PRIVATE if name == "private" else b"x\n")
    return root


@pytest.fixture(name="site")
def site_with_rights(tmp_path, users, folder):
    with Site(tmp_path, config(tmp_path, users, folder)) as site:
        yield site


class As(Dav):
    def __init__(self, site, user):
        super().__init__(site.port, "/dav")
        self.fields = header(user)

    def __call__(self, method, path, content=None, **fields):
        return super().__call__(method, path, content, **{**self.fields, **fields})


def test_each_kind_of_method(site):
    with As(site, "ann") as ann, As(site, "bob") as bob:
        for method, content, good in [("GET", None, 200), ("PROPFIND", None, 207), ("PUT", b"y", 204),
                                      ("OPTIONS", None, 204)]:
            assert bob(method, "/open/x.txt", content, Depth="0").status == good
            assert ann(method, "/private/x.txt", content, Depth="0").status == good
            assert bob(method, "/private/x.txt", content, Depth="0").status == 403
        for method, good in [("GET", 200), ("PROPFIND", 207), ("PUT", 403), ("DELETE", 403), ("LOCK", 403),
                             ("MKCOL", 403), ("PROPPATCH", 403), ("PATCH", 403)]:
            assert bob(method, "/shown/x.txt", Depth="0").status == good, method
            assert bob(method, "/near/x.txt", Depth="0").status == 403, method
        assert ann("DELETE", "/shown/x.txt").status == 204
        assert bob("GET", "/private").status == 403  # "/private" is "/private/"
        assert bob("MKCOL", "/private/new").status == 403
        assert bob("VERSION-CONTROL", "/open/x.txt").status in (403, 405)


def test_networks(site):
    for source, status in [("127.0.0.1", 403), ("127.0.0.2", 200)]:
        with Wire.__new__(Wire) as wire:
            wire.buffer, wire.ended = b"", False
            wire.socket = socket.create_connection(("127.0.0.1", site.port), timeout=10,
                                                   source_address=(source, 0))
            wire.send(get(b"/dav/near/x.txt", fields=basic("bob", OTHER)))
            assert wire.answer("GET").status == status


def test_every_way_to_take_what_is_private(site, folder):
    """Nothing of it comes to bob, and nothing of his gets in."""
    with As(site, "bob") as bob:
        ways = [("COPY", "/private/x.txt", "/dav/open/a"), ("MOVE", "/private/x.txt", "/dav/open/a"),
                ("COPY", "/private", "/dav/open/a"), ("MOVE", "/private/", "/dav/open/a"),
                ("COPY", "/open/x.txt", "/dav/private/x.txt"), ("MOVE", "/open/x.txt", "/dav/private/y.txt"),
                ("COPY", "/open", "/dav/private"), ("COPY", "/open/x.txt", "/dav/%70rivate/x.txt"),
                ("COPY", "/open/x.txt", "/dav/open/../private/x.txt")]
        for method, path, destination in ways:
            assert bob(method, path, Destination=destination, Overwrite="T").status == 403, (method, path)
        bob("MKCOL", "/top")
        for body, path in [(bind("bind", "b", "/dav/private/x.txt"), "/open/"),
                           (bind("bind", "b", "/dav/private/"), "/open/"),
                           (bind("rebind", "b", "/dav/private/x.txt"), "/open/"),
                           (bind("bind", "b", "/dav/open/x.txt"), "/private/")]:
            assert bob("REBIND" if b"rebind" in body else "BIND", path, body).status == 403
        assert bob("UNBIND", "/", bind("unbind", "private")).status == 403
        assert bob("DELETE", "/private/").status == 403
        for path in ("/open/a", "/open/a/x.txt", "/open/b", "/open/b/x.txt"):
            assert PRIVATE not in bob("GET", path).content
    assert (folder / "private/x.txt").read_bytes() == PRIVATE
    assert sorted(p.name for p in (folder / "private").iterdir()) == ["x.txt"]


def test_a_binding_that_somebody_else_made(site):
    with As(site, "ann") as ann, As(site, "bob") as bob:
        assert ann("BIND", "/open/", bind("bind", "b", "/dav/private/x.txt")).status == 201
        assert ann("GET", "/open/b").content == PRIVATE
        answer = bob("GET", "/open/b")
        assert answer.status == 403 and PRIVATE not in answer.content
        for method in ("PUT", "DELETE", "PROPFIND", "COPY"):
            assert bob(method, "/open/b", b"x" if method == "PUT" else None, Destination="/dav/open/c",
                       Depth="0").status == 403, method
        assert b"/open/b<" not in bob("PROPFIND", "/open/", Depth="1").content


def test_whole_trees(site, folder):
    with As(site, "ann") as ann, As(site, "bob") as bob:
        (folder / "top").mkdir()
        assert bob("COPY", "/", Destination="/dav/top/all").status == 403
        assert bob("MOVE", "/open", Destination="/dav/top/open").status == 201
        assert ann("COPY", "/private", Destination="/dav/top/mine").status == 201


def test_what_is_listed(site, folder):
    (folder / "private/deep").mkdir()
    with As(site, "ann") as ann, As(site, "bob") as bob:
        for depth in ("1", "infinity"):
            found = bob("PROPFIND", "/", Depth=depth).content
            assert b"/dav/open/" in found and b"/dav/shown/" in found
            assert b"private" not in found and b"near" not in found
            assert b"/dav/private/" in ann("PROPFIND", "/", Depth=depth).content
        for accept in ("text/html", "application/json", "text/plain"):
            listing = bob("GET", "/", Accept=accept).content
            assert b"open" in listing and b"private" not in listing
            assert b"private" in ann("GET", "/", Accept=accept).content
        report = (b'<sync-collection xmlns="DAV:"><sync-token/><sync-level>infinite</sync-level><prop>'
                  b"<getetag/></prop></sync-collection>")
        assert b"private" not in bob("REPORT", "/", report, Depth="0").content
        assert b"private" in ann("REPORT", "/", report, Depth="0").content


LOCK = (b'<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>')


def test_locks(site, folder):
    """A lock of a tree is one of all that is in it; it ends where it began; it makes what is not there."""
    with As(site, "ann") as ann, As(site, "bob") as bob:
        assert bob("LOCK", "/", LOCK, Depth="infinity").status == 403
        assert bob("LOCK", "/shown/x.txt", LOCK).status == 403
        assert bob("LOCK", "/", LOCK, Depth="0").status == 200
        token = bob("LOCK", "/open/", LOCK, Depth="infinity").field("lock-token")
        assert bob("UNLOCK", "/open/x.txt", **{"Lock-Token": token}).status == 204
        assert ann("BIND", "/open/", bind("bind", "b", "/dav/private/x.txt")).status == 201
        token = ann("LOCK", "/private/x.txt", LOCK).field("lock-token")
        assert bob("UNLOCK", "/open/b", **{"Lock-Token": token}).status == 403
        assert ann("UNLOCK", "/open/b", **{"Lock-Token": token}).status == 204
    assert not (folder / "shown/new").exists()


def test_a_lock_that_makes_a_file_writes(tmp_path, users, root):
    more = 'right "/locks/" { users = "bob" may = { "read", "lock" } }'
    (root / "locks").mkdir()
    (root / "locks/x.txt").write_bytes(b"x")
    with Site(tmp_path, config(tmp_path, users, root, more)) as site, As(site, "bob") as bob:
        assert bob("LOCK", "/locks/x.txt", LOCK).status == 200
        assert bob("LOCK", "/locks/new", LOCK).status == 403
        assert not (root / "locks/new").exists()


def test_jobs_are_of_those_who_may_see_what_they_do(site, folder):
    with As(site, "ann") as ann, As(site, "bob") as bob:
        job = ann("COPY", "/private/", Destination="/dav/private-2/", Prefer="respond-async")
        assert job.status == 202
        job = job.field("location")
        other = ann("COPY", "/open/", Destination="/dav/open-2/", Prefer="respond-async").field("location")
        ann.prefix = bob.prefix = ""
        assert ann("GET", job).status in (200, 303)
        assert bob("GET", other).status in (200, 303)
        for method in ("GET", "DELETE"):
            answer = bob(method, job)
            assert answer.status == 403 and b"private-2" not in answer.content
        assert bob("DELETE", other).status == 204
    assert (folder / "private").exists()


def test_names_that_may_not_be_read_are_not_told(tmp_path, users, folder):
    assert folder
    find = b'<propfind xmlns="DAV:"><prop><parent-set/></prop></propfind>'
    with Site(tmp_path, config(tmp_path, users, folder, 'tombstones = "1h"')) as site, \
            As(site, "ann") as ann, As(site, "bob") as bob:
        assert ann("BIND", "/private/", bind("bind", "secret-name", "/dav/open/x.txt")).status == 201
        assert b"secret-name" in ann("PROPFIND", "/open/x.txt", find, Depth="0").content
        told = bob("PROPFIND", "/open/x.txt", find, Depth="0").content
        assert b"secret-name" not in told and b"<D:segment>x.txt<" in told
        assert ann("PUT", "/open/gone", b"x").status == 201
        assert ann("MOVE", "/open/gone", Destination="/dav/private/elsewhere").status == 201
        assert ann("GET", "/open/gone").field("location").endswith("/private/elsewhere")
        answer = bob("GET", "/open/gone")
        assert answer.status == 404 and answer.field("location") is None


def test_hidden_is_missing(tmp_path, users, folder):
    with Site(tmp_path, config(tmp_path, users, folder, "hide = true")) as site, As(site, "bob") as bob:
        for path in ("/private/x.txt", "/private/", "/private/no"):
            assert bob("GET", path).status == 404
        assert bob("COPY", "/open/x.txt", Destination="/dav/private/y").status == 404
        with site.connect() as wire:
            assert ask(wire, b"/dav/private/x.txt").status == 401  # a stranger learns nothing


def test_uploads(site, folder):
    part = {"Upload-Complete": "?0"}
    with As(site, "bob") as bob, As(site, "ann") as ann:
        assert bob("PUT", "/private/u", b"half", **part).status == 403
        upload = ann("PUT", "/private/u", b"half", **part).field("location")
        rest = {"Content-Type": "application/partial-upload", "Upload-Offset": "4", "Upload-Complete": "?1"}
        bob.prefix = ann.prefix = ""
        assert bob("PATCH", upload, b"done", **rest).status == 403
        assert not (folder / "private/u").exists()
        assert ann("PATCH", upload, b"done", **rest).status in (201, 204)
    assert (folder / "private/u").read_bytes() == b"halfdone"


def test_routes_within_a_folder(tmp_path, users, folder):
    """A route that guards a part of another's folder guards it on that one's ways, too."""
    text = (f'{users}state = "{tmp_path}/state"\n'
            f'route "/dav/" {{ files = "{folder}" write = true listing = true index = "none" infinite = true }}\n'
            f'route "/dav/private/" {{ files = "{folder}/private" auth = basic }}\n'
            f'route "/dav/shown/" {{ files = "{folder}/shown" }}\n')
    with Site(tmp_path, text) as site, Dav(site.port, "/dav") as dav:
        assert dav("GET", "/private/x.txt").status == 401
        assert dav("COPY", "/private/x.txt", Destination="/dav/a").status in (401, 405)
        for method, path, destination in [("COPY", "/", "/dav/open/all"),
                                          ("COPY", "/open/x.txt", "/dav/private/y"),
                                          ("COPY", "/open/x.txt", "/dav/shown/y"),
                                          ("COPY", "/open/", "/dav/private/")]:
            assert dav(method, path, Destination=destination).status == 403, (method, path, destination)
        assert dav("BIND", "/open/", bind("bind", "b", "/dav/private/x.txt")).status == 403
        assert dav("UNBIND", "/", bind("unbind", "private")).status == 403
        found = dav("PROPFIND", "/", Depth="infinity").content
        assert b"private" not in found and b"/dav/shown/x.txt" in found
        assert b"private" not in dav("GET", "/", Accept="text/plain").content
    assert sorted(p.name for p in (folder / "private").iterdir()) == ["x.txt"]


def test_rights_without_users(tmp_path, folder):
    text = (f'route "/" {{ files = "{folder}" right "/" {{ may = read }} '
            f'right "/private/" {{ allow = "10.0.0.0/8" may = read }} }}\n')
    with Site(tmp_path, text) as site:
        assert site.status(b"/open/x.txt") == 200
        assert site.status(b"/private/x.txt") == 403
        assert site.status(b"/%70rivate/x.txt") == 403
        assert site.status(b"/open/../private/x.txt") == 403
    text = f'route "/" {{ files = "{folder}" right "/open/" {{ may = read }} }}\n'
    with Site(tmp_path, text) as site:
        assert site.status(b"/open/x.txt") == 200
        assert site.status(b"/shown/x.txt") == 403  # what no right gives is forbidden
