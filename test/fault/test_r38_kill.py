# SPDX-License-Identifier: Apache-2.0
"""R-38: kill -9 at any moment of a write. What was acknowledged is there; what was not is wholly
there or not at all; nothing is left lying about; the database opens.
"""
import os
import random
import threading
import time

import pytest

from dav import Dav
from moments import unfinished
from scenario import Site, counts, wait_until
from world import Client, World, check, seed_files


@pytest.mark.parametrize("rounds", counts(25, 1000))
def test_kill(tmp_path, figure, rounds):
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
            check(dav, world)
        client = Client(site.port, world, n)
        thread = threading.Thread(target=client.run)
        thread.start()
        time.sleep(pick.uniform(0, 0.05) + (0.2 if n % 5 == 0 else 0))
        client.stop = True
        site.kill()
        thread.join()
        assert client.wrong is None, client.wrong
    site = Site(tmp_path, config)
    with site, Dav(site.port) as dav:
        check(dav, world)
        wait_until(lambda: set(os.listdir(root / ".earnest")) <= unfinished(tmp_path))
    assert "database" not in site.stderr()
    figure("kills at a random moment", rounds, f"{world.acknowledged} changes acknowledged, 0 lost")
