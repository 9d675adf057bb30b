# SPDX-License-Identifier: Apache-2.0
"""The scenarios: the whole server against clients, disks and signals that mean it harm.

Each has a short form, and a long one with the counts that the project promises, for ./dev exam:
-m exam, or ERN_EXAM=1.
"""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))


def pytest_configure(config):
    config.addinivalue_line("markers", "exam: the slow tests")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("ERN_EXAM") == "1" or "exam" in (config.getoption("markexpr") or ""):
        return
    for item in items:
        if "exam" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="an exam: ERN_EXAM=1"))


@pytest.fixture(name="figure")
def figure_printer(request, record_property):
    """figure("p99", 1.5, "ms") prints what a scenario reached, and keeps it in the report."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def figure(name, value, unit=""):
        text = f"{value:.1f}" if isinstance(value, float) else str(value)
        record_property(name, text)
        with capture.global_and_fixture_disabled():
            print(f"\n    {request.node.name}: {name} {text} {unit}".rstrip(), end="")

    return figure


@pytest.fixture(name="root")
def root_folder(tmp_path):
    """A folder to be served, beside the server's own files."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "index.html").write_bytes(b"<p>index</p>\n")
    (root / "a.txt").write_bytes(b"a\n")
    return root
