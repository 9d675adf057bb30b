# SPDX-License-Identifier: Apache-2.0
"""Crashes, full disks and damaged state: what was acknowledged must be there afterwards."""
import pathlib
import sys

TEST = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TEST / "lib"), str(TEST / "scenario")]

# The same options and fixtures as the scenarios have.
# pylint: disable=wildcard-import, unused-wildcard-import, wrong-import-position
import importlib.util  # noqa: E402

spec = importlib.util.spec_from_file_location("scenario_conftest", TEST / "scenario/conftest.py")
scenario_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scenario_conftest)
pytest_configure = scenario_conftest.pytest_configure
pytest_collection_modifyitems = scenario_conftest.pytest_collection_modifyitems
figure = scenario_conftest.figure_printer
root = scenario_conftest.root_folder
