# SPDX-License-Identifier: Apache-2.0
"""Crashes, full disks and damaged state: what was acknowledged must be there afterwards."""
import pathlib
import sys

TEST = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TEST / "lib"), str(TEST / "scenario")]

# The same options and fixtures as the scenarios have.
# pylint: disable=wildcard-import, unused-wildcard-import, wrong-import-position
import importlib.util  # noqa: E402

import pytest  # noqa: E402

import moments  # noqa: E402
from scenario import compile_shim  # noqa: E402

spec = importlib.util.spec_from_file_location("scenario_conftest", TEST / "scenario/conftest.py")
scenario_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scenario_conftest)
pytest_configure = scenario_conftest.pytest_configure
pytest_collection_modifyitems = scenario_conftest.pytest_collection_modifyitems
figure = scenario_conftest.figure_printer
root = scenario_conftest.root_folder


@pytest.fixture(name="shim", scope="session")
def fail_call_shim(tmp_path_factory):
    return compile_shim(tmp_path_factory.mktemp("shim"), "fail_call")


@pytest.fixture(name="rounds")
def rounds_of(tmp_path, root, kind, shim):
    """For tests with a parameter `kind`, one of moments.CHANGES."""
    rounds = moments.Rounds(tmp_path, root, kind, shim)
    rounds.start()
    yield rounds
    rounds.calls.disarm()
    rounds.site.__exit__(None)
    assert "database" not in rounds.site.stderr()
