# SPDX-License-Identifier: Apache-2.0
"""R-39: the power is cut at any moment of a write, and the machine is started again: a kernel, a
file system and a disk of its own. What was acknowledged is on the disk; what was not is there as a whole
or not at all.
"""
import os
import random
import threading
import time

import pytest

from dav import Dav
from machine import Machine
from moments import unfinished
from scenario import SANITIZED
from world import Client, World, check, seed_files


CUTS = 20


@pytest.mark.exam
def test_power_is_cut(tmp_path, figure):
    if SANITIZED:
        pytest.skip("a sanitizer is too slow in an emulated machine")
    seed = tmp_path / "seed"
    (seed / "state").mkdir(parents=True)
    seed_files(seed / "root")
    machine = Machine(tmp_path, seed)
    world, pick = World(), random.Random(39)
    for n in range(CUTS):
        with machine:
            with Dav(machine.port) as dav:
                check(dav, world)
            client = Client(machine.port, world, n)
            thread = threading.Thread(target=client.run)
            thread.start()
            time.sleep(pick.uniform(0.5, 3))
            client.stop = True
            machine.cut()
            thread.join()
            assert client.wrong is None, client.wrong
    with machine, Dav(machine.port) as dav:
        check(dav, world)
        time.sleep(1)  # what is left over is removed after the answer,
        assert dav("PUT", "/last", b"x").status == 201  # and that is on the disk with the next sync
    place = tmp_path / "found"
    place.mkdir()
    machine.look(place)
    left = set(os.listdir(place / "root" / ".earnest")) - unfinished(place)
    assert not left, f"left in the staging folder: {left}"
    assert world.acknowledged > CUTS
    figure("power cuts", CUTS, f"{world.acknowledged} changes acknowledged, 0 lost")
