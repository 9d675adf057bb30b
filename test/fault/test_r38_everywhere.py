# SPDX-License-Identifier: Apache-2.0
"""R-38, at every moment: the server is killed at the first call that changes a file, at the second,
and so on until the change is made without coming to it. Each time all is as before or as after.
"""
import pytest

from calls import KILL
from moments import CHANGES, Upload
from scenario import counts


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
