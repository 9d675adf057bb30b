# SPDX-License-Identifier: Apache-2.0
"""Every command of the guide is run, and says what the guide says. $URL is a folder with a.txt."""
import os
import re
import shutil
import subprocess

import pytest

from earnest_server import SOURCES
from scenario import Site, files_route

PAGES = sorted((SOURCES / "doc/guide").glob("*.md"))


def commands(page):
    """(command, lines that its output has, in this order) of each console block."""
    for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *lines = part.splitlines()
            yield command, lines


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_guide(tmp_path, root, page):
    if not shutil.which("curl"):
        pytest.skip("no curl")
    (root / "a.txt").write_bytes(b"hello\n")
    ran = 0
    with Site(tmp_path, files_route(root)) as site:
        environment = {**os.environ, "URL": f"http://127.0.0.1:{site.port}"}
        for command, lines in commands(page):
            result = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True,
                                    cwd=tmp_path, timeout=10, check=True)
            said = iter(result.stdout.splitlines())
            for line in lines:
                assert line in said, (command, line, result.stdout)
            ran += 1
    assert ran > 0
