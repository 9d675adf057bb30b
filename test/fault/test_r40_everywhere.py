# SPDX-License-Identifier: Apache-2.0
"""R-40 at every moment: the first call that writes, syncs, renames or reads fails, then the second,
and so on until the change is made without coming to it. A success is on the disk; whatever else is
answered, all is as before or as after, and plain writes are as before.
"""
import errno

import pytest

from calls import MAKE, READ, RENAME, SHORT, SYNC, WRITE
from dav import Dav
from moments import CHANGES, Patch, Put, Replace
from scenario import counts

SUCCESS = (200, 201, 204, 207)
ONCE, FROM_THEN_ON = 0, -1
FAULTS = [  # what fails, how, for how long, and what may be answered; some in the exam alone
    pytest.param(SYNC, errno.EIO, ONCE, (500, 503), id="sync-EIO"),
    pytest.param(SYNC, errno.EIO, FROM_THEN_ON, (500, 503), id="syncs-EIO", marks=pytest.mark.exam),
    pytest.param(WRITE | MAKE, errno.ENOSPC, ONCE, (507, 503), id="write-ENOSPC",
                 marks=pytest.mark.exam),
    pytest.param(WRITE | MAKE, errno.EDQUOT, FROM_THEN_ON, (507, 503), id="writes-EDQUOT"),
    pytest.param(WRITE, SHORT, FROM_THEN_ON, (), id="writes-short", marks=pytest.mark.exam),
    pytest.param(RENAME | MAKE, errno.EROFS, ONCE, (403, 503), id="rename-EROFS",
                 marks=pytest.mark.exam),
    pytest.param(READ, errno.EIO, ONCE, (500, 503), id="read-EIO", marks=pytest.mark.exam),
]


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("calls,error,more,answers", FAULTS)
@pytest.mark.parametrize("step", counts(4, 1))
def test_fails_at_every_call(rounds, figure, calls, error, more, answers, step):
    one, old = rounds.next()
    assert rounds.make(one) in SUCCESS
    new = rounds.seen(one)
    n, failures, happened = 1, 0, True
    while happened:
        one, old = rounds.next()
        rounds.calls.arm(n, error, calls, more)
        status = rounds.make(one)
        happened = rounds.calls.happened(n)
        rounds.calls.disarm()
        if more:  # what could not be put right then is, before anything else is changed
            with Dav(rounds.site.port) as dav:
                assert dav("PUT", f"/settled-{n}", b"").status == 201
        found = rounds.seen(one)
        where = f"{errno.errorcode.get(error, 'short')} at call {n} was answered with {status}"
        assert status in SUCCESS + answers and (happened or status in SUCCESS), where
        assert status not in SUCCESS or found == new, f"{where}, and is not there"
        assert found in (old, new), f"{where}, and half of it is there"
        if status not in SUCCESS:
            failures += 1
            if isinstance(one, (Put, Replace, Patch)):
                assert found == old, f"{where}, and is there"
        rounds.check_rest(one)
        n += step
    figure(f"failures of {rounds.kind.__name__}", failures, f"in {n // step} rounds")
