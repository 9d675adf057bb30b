# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
for folder in (HERE.parent / "real", HERE.parent / "lib"):
    sys.path.insert(0, str(folder))


def pytest_configure(config):
    config.addinivalue_line("markers", "exam: slow, or needs large programs; run by ./dev exam")
