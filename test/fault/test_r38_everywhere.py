# SPDX-License-Identifier: Apache-2.0
"""R-38, at every moment: the server is killed at the first call that changes a file, at the second,
and so on until the change is made without coming to it. Each time all is as before or as after.
"""
import contextlib
import os
import sqlite3

import pytest

from calls import KILL, Calls
from dav import Dav
from moments import CHANGES, Upload
from scenario import Site, counts, wait_until


def configuration(tmp_path, root):
    return (f'state = "{tmp_path}/state"\n'
            f'route "/" {{ files = "{root}" write = true infinite = true tombstones = "1d" }}')


def unfinished(tmp_path):
    """Names in the staging folder of uploads that may go on."""
    with contextlib.closing(sqlite3.connect(tmp_path / "state" / "earnest.db")) as store:
        return {r[0].decode() for r in store.execute("select staged from upload where not complete")}


class Rounds:
    """Makes one kind of change again and again, each time in a folder of its own."""

    def __init__(self, tmp_path, root, kind):
        self.tmp_path, self.root, self.kind = tmp_path, root, kind
        self.calls = Calls(tmp_path)
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


@pytest.fixture(name="rounds")
def rounds_of(tmp_path, root, kind):
    rounds = Rounds(tmp_path, root, kind)
    rounds.start()
    yield rounds
    rounds.calls.disarm()
    rounds.site.__exit__(None)
    assert "database" not in rounds.site.stderr()


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("step", counts(2, 1))
def test_killed_at_every_call(rounds, figure, step):
    one, old = rounds.next()
    assert rounds.make(one) in (200, 201, 204, 207)
    new = rounds.seen(one)
    assert old != new
    if isinstance(one, Upload):
        assert new.endswith("'?1')")
    n, kills, status = 1, 0, None
    while status is None:
        one, old = rounds.next()
        rounds.calls.arm(n, KILL)
        status = rounds.make(one)
        killed = rounds.calls.happened(n)
        kills += killed
        assert killed or status, "it broke without being killed"
        rounds.restart()
        found = rounds.seen(one)
        assert found in (old, new), f"killed at call {n}, it is neither as before nor as after"
        assert status is None or found == new, f"killed at call {n}, {status} was not kept"
        rounds.check_rest(one)
        n += step
    assert kills
    figure(f"calls that {rounds.kind.__name__} was killed at", kills)
