# SPDX-License-Identifier: Apache-2.0
"""PHP by FastCGI: php-fpm, if it is installed."""
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

FPM = next(iter(sorted(pathlib.Path("/usr/sbin").glob("php-fpm*"))), None)
needs_fpm = pytest.mark.skipif(FPM is None, reason="php-fpm is not installed")


class Fpm:
    """PHP's application, with two children."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.address = f"unix:{self.folder}/s"
        (self.folder / "conf").write_text(
            f"[global]\nerror_log = {self.folder}/log\ndaemonize = no\n[www]\nlisten = {self.folder}/s\n"
            "pm = static\npm.max_children = 2\nuser = root\ngroup = root\nrequest_terminate_timeout = 20\n")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [FPM, "-R", "-n", "-d", "display_errors=0", "-d", "upload_max_filesize=8M", "-d",
             "post_max_size=16M", "-d", f"session.save_path={self.folder}", "-y",
             self.folder / "conf"], stderr=subprocess.DEVNULL)
        for _ in range(100):
            if (self.folder / "s").exists():
                return self
            time.sleep(0.05)
        raise AssertionError("php-fpm does not listen")

    def children(self):
        return [int(pid) for pid in
                pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)
