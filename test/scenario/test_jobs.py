# SPDX-License-Identifier: Apache-2.0
"""What is accepted and done later: 202, its monitor, 303 when it is done, and a restart meanwhile."""
import json
import time

import pytest

from dav import Dav
from scenario import Site, wait_until

ASYNC = {"Prefer": "respond-async"}


def make_tree(folder, n):
    for i in range(n):
        if i % 100 == 0:
            (folder / f"d{i // 100}").mkdir(parents=True)
        (folder / f"d{i // 100}" / f"{i}.txt").write_text(str(i))


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(name="config")
def writable(tmp_path, root):
    return (f'state = "{tmp_path}/state"\nlimits {{ work_seconds_max = "2s" }}\n'
            f'route "/dav/" {{ files = "{root}" write = true }}')


def state(dav, monitor):
    answer = dav("GET", monitor, Accept="application/json")
    return json.loads(answer.content)["state"] if answer.status == 200 else answer.status


def test_copy_move_delete(tmp_path, root, config):
    make_tree(root / "tree", 500)
    before = tree(root / "tree")
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        answer = dav("COPY", "/dav/tree/", Destination="/dav/copy/", Accept="application/json", **ASYNC)
        assert answer.status == 202, answer
        assert answer.field("preference-applied") == "respond-async"
        assert json.loads(answer.content)["method"] == "COPY"
        monitor = answer.field("location")
        wait_until(lambda: state(dav, monitor) == 303)
        answer = dav("GET", monitor)
        assert answer.field("location") == "/dav/copy/"
        assert tree(root / "copy") == before

        answer = dav("MOVE", "/dav/copy/", Destination="/dav/moved/", **ASYNC)
        assert answer.status == 202, answer
        wait_until(lambda: state(dav, answer.field("location")) == 303)
        assert tree(root / "moved") == before and not (root / "copy").exists()

        answer = dav("DELETE", "/dav/moved/", **ASYNC)
        assert answer.status == 202, answer
        wait_until(lambda: state(dav, answer.field("location")) == 303)
        assert not (root / "moved").exists()
        wait_until(lambda: not list((root / ".earnest").iterdir()))
        # after a while its outcome is not told any more
        wait_until(lambda: state(dav, monitor) == 410)
        assert dav("DELETE", monitor).status == 410


def test_failed_by_a_rule(tmp_path, root, config):
    """What stands in its way when its turn comes is said by the name of a rule."""
    make_tree(root / "tree", 3000)
    make_tree(root / "other", 5)
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        first = dav("COPY", "/dav/tree/", Destination="/dav/copy/", **ASYNC)
        second = dav("COPY", "/dav/other/", Destination="/dav/late/", Overwrite="F", **ASYNC)
        assert (first.status, second.status) == (202, 202)
        (root / "late").mkdir()
        (root / "late" / "mine.txt").write_text("mine")
        wait_until(lambda: state(dav, second.field("location")) == "failed")
        told = json.loads(dav("GET", second.field("location"), Accept="application/json").content)
        assert told["rule"] == "overwrite", told
        assert tree(root / "late") == {"mine.txt": b"mine"}
        page = dav("GET", second.field("location"), Accept="text/html", Accept_Language="bn")
        assert "ব্যর্থ".encode() in page.content


def test_cancelled(tmp_path, root, config):
    make_tree(root / "tree", 8000)
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        answer = dav("COPY", "/dav/tree/", Destination="/dav/copy/", **ASYNC)
        monitor = answer.field("location")
        wait_until(lambda: state(dav, monitor) == "running", pause=0.001)
        assert dav("DELETE", monitor).status == 204
        assert state(dav, monitor) == "cancelled"
        wait_until(lambda: not list((root / ".earnest").iterdir()))
        assert not (root / "copy").exists()
        assert dav("DELETE", monitor).status == 204  # and it is forgotten
        assert dav("GET", monitor).status == 404


def test_survives_a_restart(tmp_path, root, config):
    make_tree(root / "tree", 4000)
    before = tree(root / "tree")
    site = Site(tmp_path, config)
    site.__enter__()
    with Dav(site.port) as dav:
        monitor = dav("COPY", "/dav/tree/", Destination="/dav/copy/", **ASYNC).field("location")
        wait_until(lambda: state(dav, monitor) == "running", pause=0.001)
        site.kill()
    assert not (root / "copy").exists()
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        wait_until(lambda: state(dav, monitor) == 303)
        assert tree(root / "copy") == before
        wait_until(lambda: not list((root / ".earnest").iterdir()))


def test_no_room_for_another(tmp_path, root):
    """A preference is no more than that: what cannot wait is done at once."""
    make_tree(root / "tree", 3000)
    make_tree(root / "small", 5)
    config = (f'state = "{tmp_path}/state"\nlimits {{ works_max = 1 }}\n'
              f'route "/" {{ files = "{root}" write = true }}')
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        assert dav("COPY", "/tree/", Destination="/a/", **ASYNC).status == 202
        answer = dav("COPY", "/small/", Destination="/b/", **ASYNC)
        assert answer.status == 201, answer
        assert answer.field("preference-applied") is None
        assert len(tree(root / "b")) == 5


def test_102_while_it_takes_its_time(tmp_path, root):
    make_tree(root / "tree", 6000)
    config = (f'state = "{tmp_path}/state"\n'
              f'route "/" {{ files = "{root}" write = true processing_after = "200ms" }}')
    with Site(tmp_path, config) as site, Dav(site.port) as dav:
        start = time.monotonic()
        answer = dav("COPY", "/tree/", Destination="/copy/")
        took = time.monotonic() - start
        assert answer.status == 201, answer
        assert {i.status for i in answer.interim} <= {102}
        assert bool(answer.interim) == (took > 0.5) or 0.1 < took <= 0.5
        assert len(tree(root / "copy")) == 6000
