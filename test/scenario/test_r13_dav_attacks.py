# SPDX-License-Identifier: Apache-2.0
"""R-13, R-28, R-29: what strangers send to a writable folder. A clear status, bounded memory and time,
and never a byte outside the folder.
"""
import json
import os
import random
import shutil
import subprocess
import threading
import time

import pytest

from dav import D, Dav, LOCK
from scenario import SANITIZED, Site, counts

MIB = 1 << 20


@pytest.fixture(name="place")
def writable_place(tmp_path, root):
    """A writable folder between others that are not to be touched."""
    (tmp_path / "root-secret").mkdir()
    (tmp_path / "root-secret" / "s.txt").write_text("secret")
    (root / "folder").mkdir()
    (root / "folder" / "b.txt").write_text("b")
    (root / "out").symlink_to("../root-secret")
    config = f'state = "{tmp_path}/state"\nroute "/dav/" {{ files = "{root}" write = true }}'
    with Site(tmp_path, config) as site:
        yield site


def outside(tmp_path):
    return {str(p.relative_to(tmp_path)): p.read_bytes()
            for p in (tmp_path / "root-secret").rglob("*") if p.is_file()}


def destinations(port):
    """Where a COPY or a MOVE of /dav/a.txt may be told to go, and the statuses that are right."""
    refused = {400, 403, 404, 409, 502}
    return [
        ("/dav/a.txt", {403}), ("/dav/folder/../a.txt", {403}), ("/dav/./a.txt", {403}),
        ("http://other.example/dav/x", {502}), (f"http://127.0.0.1:{port + 1}/dav/x", {502}),
        ("//other.example/dav/x", refused), ("/dav/../x", refused), ("/dav/../../etc/x", refused),
        ("/dav/%2e%2e/%2e%2e/x", refused), ("/dav/..%2fx", refused), ("/dav/%00", refused),
        ("/davx", {502}), ("/dav", refused | {204}), ("/da", {502}), ("/dav/out/x", refused),
        ("/dav/out", {201, 204, 403}), ("/dav/nothing/x", {409}), ("/dav/.earnest/x", {403}),
        ("/dav/.hidden", {403}), ("dav/x", {400}), ("", {400}), ("x", {400}), ("/", {502}),
        ("*", {400}), ("/dav/x#f", {400}), ("/dav/x?q", {400}), ("ftp://127.0.0.1/dav/x", {400, 502}),
        (f"http://127.0.0.1:{port}/dav/../../x", refused), ("/dav/" + "a" * 300, refused),
        ("/dav/" + "a/" * 2000 + "x", refused), ("/dav/\xff", {400, 201}), ("/dav/x y", {400}),
        ("http://", {400}), ("http:///dav/x", {400, 502}), ("/dav/%", {400}), ("/dav/%zz", {400}),
    ]


def test_r13_destinations(place, tmp_path, root, figure):
    before, escapes = outside(tmp_path), 0
    with Dav(place.port, "/dav") as dav:
        for destination, right in destinations(place.port):
            for method in ("COPY", "MOVE"):
                (root / "a.txt").write_text("a")
                if (root / "out").is_symlink() is False:
                    shutil.rmtree(root / "out", ignore_errors=True)
                    (root / "out").unlink(missing_ok=True)
                    (root / "out").symlink_to("../root-secret")
                answer = dav(method, "/a.txt", Destination=destination)
                assert answer.status in right, f"{method} to {destination!r}: {answer}"
                escapes += outside(tmp_path) != before
                escapes += {p.name for p in tmp_path.iterdir()} != {
                    "root", "root-secret", "state", "earnest.conf", "stderr", "access.log"} & {
                        p.name for p in tmp_path.iterdir()}
    assert escapes == 0
    figure("destinations", 2 * len(destinations(place.port)), "0 escapes")


def test_r13_trees_into_themselves(place, root):
    with Dav(place.port, "/dav") as dav:
        for method in ("COPY", "MOVE"):
            for source, destination, right in (
                    ("/folder/", "/dav/folder/", 403), ("/folder/", "/dav/folder/x", 403),
                    ("/folder/", "/dav/folder", 403), ("/folder/b.txt", "/dav/folder", 403),
                    ("/folder/", "/dav/folder-2/", 201), ("/", "/dav/x/", 403)):
                answer = dav(method, source, Destination=destination)
                assert answer.status == right, f"{method} {source} to {destination}: {answer}"
            if method == "COPY":
                assert dav("DELETE", "/folder-2/").status == 204
        assert (root / "folder-2" / "b.txt").read_text() == "b"


@pytest.mark.parametrize("seconds", counts(2, 60))
def test_r13_links_that_are_swapped(place, tmp_path, root, figure, seconds):
    """A folder becomes a link out of the root, and back, while it is written to."""
    stop, before = threading.Event(), outside(tmp_path)
    swapped = root / "swap"
    swapped.mkdir()

    def swap():
        while not stop.is_set():
            os.rename(swapped, root / "kept")
            os.symlink("../root-secret", swapped)
            os.unlink(swapped)
            os.rename(root / "kept", swapped)

    thread = threading.Thread(target=swap)
    thread.start()
    answers, end = {}, time.monotonic() + seconds
    try:
        with Dav(place.port, "/dav") as dav:
            while time.monotonic() < end:
                for method, path, fields in (
                        ("PUT", "/swap/s.txt", {}), ("MKCOL", "/swap/new", {}),
                        ("DELETE", "/swap/s.txt", {}), ("DELETE", "/swap/new", {}),
                        ("COPY", "/a.txt", {"Destination": "/dav/swap/s.txt"}),
                        ("MOVE", "/swap/s.txt", {"Destination": "/dav/swap/t.txt"})):
                    status = dav(method, path, b"x" if method == "PUT" else None, **fields).status
                    answers[status] = answers.get(status, 0) + 1
    finally:
        stop.set()
        thread.join()
    assert outside(tmp_path) == before
    assert 500 not in answers, answers
    figure("writes beside swaps", sum(answers.values()), f"by status {answers}, 0 outside")


def bombs():
    """XML that means harm, and what it is told."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return {
        "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><propfind xmlns="DAV:">&l9;'
                          "</propfind>",
        "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 50000}">]><propfind>{"&a;" * 1000}</propfind>',
        "external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
                           '<propfind xmlns="DAV:">&e;</propfind>',
        "external DTD": '<!DOCTYPE propfind SYSTEM "http://127.0.0.1:9/x.dtd"><propfind xmlns="DAV:"/>',
        "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]><x/>',
        "100,000 deep": "<a>" * 20000,
        "1,000 deep": '<propfind xmlns="DAV:">' + "<a>" * 1000 + "</a>" * 1000 + "</propfind>",
        "a long attribute": f'<propfind xmlns="DAV:" a="{"x" * 200000}"/>',
        "many attributes": "<propfind " + " ".join(f'a{n}="1"' for n in range(5000)) + "/>",
        "many names": '<propfind xmlns="DAV:"><prop>' + "<a/>" * 30000 + "</prop></propfind>",
        "UTF-7": '<?xml version="1.0" encoding="UTF-7"?><propfind xmlns="DAV:"/>',
        "UTF-16 that is none": '<?xml version="1.0" encoding="UTF-16"?><propfind xmlns="DAV:"/>',
        "an encoding twice": '<?xml version="1.0" encoding="latin-1"?><propfind xmlns="DAV:"><prop>'
                             "<displayname/></prop></propfind>",
        "an unbound prefix": "<D:propfind/>",
        "two roots": '<propfind xmlns="DAV:"/><propfind xmlns="DAV:"/>',
        "a NUL": '<propfind xmlns="DAV:">\0</propfind>',
        "not UTF-8": '<propfind xmlns="DAV:">\udcff</propfind>',
        "a cut element": '<propfind xmlns="DAV:"><prop><',
        "a processing instruction": '<?php system("id") ?><propfind xmlns="DAV:"><allprop/></propfind>',
        "xinclude": '<propfind xmlns="DAV:"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" '
                    'href="file:///etc/passwd"/></propfind>',
    }


FINE = {"a processing instruction", "xinclude", "an encoding twice", "a long attribute"}


def test_r28_xml(place, tmp_path, figure):
    """DTDs are 400; nothing is fetched or opened; memory stays where it was."""
    trace = tmp_path / "trace"
    tracer = None
    with Dav(place.port, "/dav") as dav:
        assert dav("PROPFIND", "/", Depth="0").status == 207
        if shutil.which("strace") and not SANITIZED:  # the leak check wants to trace by itself
            tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=connect,socket,open,openat",
                                       "-o", trace, "-p", str(place.serving)])
            time.sleep(0.5)
        before, n = place.memory("Private_Dirty"), 0
        for name, text in bombs().items():
            content = text.encode("utf-8", "surrogateescape")
            for method in ("PROPFIND", "PROPPATCH", "LOCK", "REPORT", "MKCOL"):
                start = time.monotonic()
                path = {"MKCOL": "/new", "REPORT": "/"}.get(method, "/a.txt")
                answer = dav(method, path, content, Depth="0")
                took = time.monotonic() - start
                right = {207, 400, 403, 409, 413, 415, 422} if name in FINE else {400, 413, 422}
                assert answer.status in right, f"{method} with {name}: {answer}"
                assert b"root:" not in answer.content
                assert took < (10 if SANITIZED else 2), f"{name}: {took:.1f} s"
                n += 1
        grown = place.memory("Private_Dirty") - before
    if tracer:
        tracer.terminate()
        tracer.wait()
        lines = trace.read_text(errors="replace").splitlines()
        assert not [line for line in lines if "passwd" in line or "connect(" in line], lines
    figure("hostile XML documents", n, f"memory {grown:+} bytes, 0 fetched")
    assert SANITIZED or grown <= MIB


def growing_patches():
    """Documents and patches of few bytes that ask for very many, and the statuses that are right."""
    deep = "[" * 1500 + "1," * 200000 + "1" + "]" * 1500
    chains = "[" + ",".join(["[" * 1000 + "]" * 1000] * 20) + "]"
    moves = [{"op": "move", "from": "/1", "path": "/0" * (1000 * i) + "/0"} for i in range(1, 20)]
    return {
        "copies of copies": ('{"a": "text"}', [{"op": "copy", "from": "", "path": f"/{i}"} for i in range(99)],
                             409),
        "many copies": (json.dumps({"a": "x" * 900000}),
                        [{"op": "copy", "from": "/a", "path": f"/b{i}"} for i in range(1000)], 409),
        "chains of chains": (chains, moves, 409),
        "a deep document": (deep, [], 204),
        "a long pointer": ("{}", [{"op": "remove", "path": "/a" * 100000}], 409),
        "a long name": ("{}", [{"op": "remove", "path": "/" + "a" * 100000}], 409),
    }


def test_r28_patches(place, figure):
    """A patch changes a document within the limits, or says why not; memory stays where it was."""
    with Dav(place.port, "/dav") as dav:
        before = place.memory("Private_Dirty")
        patches = growing_patches()
        for name, (document, patch, status) in patches.items():
            assert dav("PUT", "/p.json", document.encode()).status in (201, 204)
            answer = dav("PATCH", "/p.json", json.dumps(patch).encode(),
                         Content_Type="application/json-patch+json")
            assert answer.status == status, f"{name}: {answer}"
            assert status == 204 or answer.problem()["rule"] == "conflict"
            assert len(dav("GET", "/p.json").content) <= len(document) + 1, name
        grown = place.memory("Private_Dirty") - before
    figure("patches that grow", len(patches), f"memory {grown:+} bytes")
    assert SANITIZED or grown <= 64 * MIB  # a document in memory is many times its text


def test_r29_huge_if(place, figure):
    with Dav(place.port, "/dav") as dav:
        lists = "".join(f"(<urn:uuid:{n:08x}-0000-0000-0000-000000000000>)" for n in range(100))
        answer = dav("PUT", "/a.txt", b"x", If=lists[:8000].rsplit("(", 1)[0])
        assert (answer.status, answer.problem()["rule"]) == (400, "fields_invalid"), answer
        assert dav("PUT", "/a.txt", b"x", If="(" + "<a:b> " * 1200 + ")").status == 400
    with Dav(place.port, "/dav") as dav:
        start = time.monotonic()
        dav.send("PUT", "/a.txt", None, If="(<urn:x>)" * (10 * MIB // 9))
        assert dav.wire.answer("PUT").status == 431
        figure("an If of 10 MiB was refused after", time.monotonic() - start, "s")
    for value in ("", "(", "()", "<a>", "(<a)", '(["x)', "(Not)", "<a> <b> (<c>)", "(<a>) <b> (<c>)", "x"):
        with Dav(place.port, "/dav") as dav:
            assert dav("PUT", "/a.txt", b"x", If=value).status in (400, 412), value


@pytest.mark.parametrize("n", counts(500, 5000))
def test_r29_many_locks(place, figure, n):
    """Shared locks on one resource end at locks_max; the status says that a lock is in the way."""
    with Dav(place.port, "/dav") as dav:
        statuses, slowest = {}, 0
        for i in range(n):
            start = time.monotonic()
            answer = dav("LOCK", "/a.txt", LOCK % (b"shared", b"%d" % i))
            slowest = max(slowest, time.monotonic() - start)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert statuses == {200: 100, 423: n - 100}, statuses
        answer = dav("PROPFIND", "/a.txt", b'<propfind xmlns="DAV:"><prop><lockdiscovery/></prop>'
                     b"</propfind>", Depth="0")
        assert answer.content.count(b"<D:activelock>") == 100
        figure(f"{n} LOCKs of one resource", statuses, f"slowest {slowest * 1000:.1f} ms")


@pytest.mark.parametrize("n", counts(10_000, 100_000))
def test_r29_large_folders(tmp_path, root, figure, n):
    """PROPFIND of a folder with so many members is streamed; Depth infinity ends at its limit."""
    folder = root / "many"
    folder.mkdir()
    for i in range(n):
        (folder / f"{i:06}.txt").touch()
    config = (f'state = "{tmp_path}/state"\nlimits {{ members_max = 5000 }}\n'
              f'route "/" {{ files = "{root}" write = true infinite = true }}')
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        dav("PROPFIND", "/many/", Depth="0")
        before, peak, stop = site.memory("Private_Dirty"), [0], threading.Event()

        def watch():
            while not stop.wait(0.02):
                peak[0] = max(peak[0], site.memory("Private_Dirty"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        answer = dav("PROPFIND", "/many/", b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>',
                     Depth="1")
        stop.set()
        watcher.join()
        assert answer.status == 207
        assert answer.content.count(b"<D:response>") == n + 1
        grown = max(peak[0] - before, 0)
        figure(f"PROPFIND of {n} members", grown, "bytes of memory more")
        assert SANITIZED or grown < 8 * MIB
        answer = dav("PROPFIND", "/many/", Depth="infinity")
        assert answer.content.count(b"<D:response>") <= 5002
        assert b"507" in answer.content


@pytest.mark.parametrize("depth", counts(300, 1000))
def test_r29_deep_trees(place, root, figure, depth):
    """A tree that is deeper than a path can be long is copied, found and deleted, or refused."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    with Dav(place.port, "/dav") as dav:
        copied = dav("COPY", "/d/", Destination="/dav/e/")
        assert copied.status in (201, 207, 507), copied
        assert dav("PROPFIND", "/d/", Depth="infinity").status == 403
        assert dav("DELETE", "/e/").status in (204, 404)
        assert dav("DELETE", "/d/").status == 204
        assert dav("GET", "/a.txt").status == 200
        figure(f"a tree {depth} deep", copied.status, "and deleted")


def test_names_that_look_alike(place, root):
    """Names are bytes: what differs in case or in Unicode form is another resource."""
    with Dav(place.port, "/dav") as dav:
        for path in ("/x.txt", "/X.txt", "/%C3%A9", "/e%CC%81"):
            assert dav("PUT", path, path.encode()).status == 201
        token = dav.lock("/%C3%A9")
        assert dav("PUT", "/e%CC%81", b"2").status == 204
        assert dav("PUT", "/%C3%A9", b"2").status == 423
        assert dav("UNLOCK", "/%C3%A9", Lock_Token=f"<{token}>").status == 204
        assert dav("GET", "/X.txt").content == b"/X.txt"
        assert dav("PUT", "/%ff", b"x").status in (201, 400, 403)


@pytest.mark.parametrize("rounds", counts(300, 20_000))
def test_random_trees(place, tmp_path, root, figure, rounds):
    """Random writes, each compared with a model of what RFC 4918 says."""
    pick, model = random.Random(4918), {}
    shutil.rmtree(root / "folder")
    for path in ("a.txt", "index.html", "out"):
        (root / path).unlink()
    names = ["a", "b", "c"]

    def path():
        return "/" + "/".join(pick.choice(names) for _ in range(pick.randint(1, 3)))

    def parent(p):
        return p.rsplit("/", 1)[0]

    def tree(p):
        return [q for q in model if q == p or q.startswith(p + "/")]

    with Dav(place.port, "/dav") as dav:
        for _ in range(rounds):
            p, q = path(), path()
            method = pick.choice(["PUT", "MKCOL", "DELETE", "COPY", "MOVE"])
            content = pick.randbytes(20) if method == "PUT" else None
            fields = {"Destination": "/dav" + q} if method in ("COPY", "MOVE") else {}
            overwrite = pick.choice(["T", "F"])
            if fields:
                fields["Overwrite"] = overwrite
            status = dav(method, p, content, **fields).status
            is_folder = {x: model.get(x, 0) is None for x in (parent(p), parent(q), p)}
            fine = {"": True}
            if method == "PUT":
                if p in model and is_folder[p]:
                    wanted = 409
                elif not fine.get(parent(p), is_folder[parent(p)]):
                    wanted = 409
                else:
                    wanted = 204 if p in model else 201
                    model[p] = content
            elif method == "MKCOL":
                if p in model:
                    wanted = 405
                elif not fine.get(parent(p), is_folder[parent(p)]):
                    wanted = 409
                else:
                    wanted = 201
                    model[p] = None
            elif p not in model:
                wanted = 404
            elif method == "DELETE":
                wanted = 204
                for x in tree(p):
                    del model[x]
            elif p == q or q.startswith(p + "/") or p.startswith(q + "/"):
                wanted = 403
            elif not fine.get(parent(q), is_folder[parent(q)]):
                wanted = 409
            elif q in model and overwrite == "F":
                wanted = 412
            else:
                wanted = 204 if q in model else 201
                for x in tree(q):
                    del model[x]
                for x in tree(p):
                    model[q + x[len(p):]] = model[x]
                if method == "MOVE":
                    for x in tree(p):
                        del model[x]
            assert status == wanted, (method, p, q, overwrite, sorted(model))
    found = {"/" + str(p.relative_to(root)): None if p.is_dir() else p.read_bytes()
             for p in root.rglob("*") if ".earnest" not in p.parts}
    assert found == model
    figure("random writes like the model", rounds)
