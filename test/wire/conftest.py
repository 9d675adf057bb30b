# SPDX-License-Identifier: Apache-2.0
"""Protocols by the letter: what RFC 9113 asks of a server, row by row."""
import pathlib
import sys

TEST = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TEST / "lib"), str(TEST / "scenario")]

import pytest  # noqa: E402  pylint: disable=wrong-import-position

from scenario import Site, files_route  # noqa: E402  pylint: disable=wrong-import-position
from tls import make_certificate  # noqa: E402  pylint: disable=wrong-import-position


def make_root(folder):
    root = folder / "root"
    root.mkdir()
    (root / "index.html").write_bytes(b"<p>index</p>\n")
    (root / "a.txt").write_bytes(b"a\n")
    (root / "big.bin").write_bytes(bytes(range(250)) * 1200)
    return root


@pytest.fixture(name="site", scope="module")
def module_site(tmp_path_factory):
    """One server for all rows: each must leave it as able as it was."""
    folder = tmp_path_factory.mktemp("site")
    with Site(folder, files_route(make_root(folder))) as site:
        yield site


@pytest.fixture(name="tls_site", scope="module")
def module_tls_site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    with Site(folder, files_route(make_root(folder)), make_certificate(folder)) as site:
        yield site


@pytest.fixture(name="own_site")
def site_to_stop(tmp_path):
    """A server that the test may reload and stop."""
    with Site(tmp_path, files_route(make_root(tmp_path))) as site:
        yield site
