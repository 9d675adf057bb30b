# SPDX-License-Identifier: Apache-2.0
"""The guide, worked through as a reader would; doc/guide/README.md says how its pages are written."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

import pytest

from earnest_server import PROGRAM, SOURCES, free_port
from scenario import SANITIZED, wait_until

GUIDE = SOURCES / "doc/guide"
ALL = sorted(str(path.relative_to(GUIDE)) for path in GUIDE.rglob("*.md"))
PAGES = [page for page in ALL if "/" not in page and page != "README.md"]
EDITIONS = [page for page in ALL if "/" in page and not page.endswith("/README.md")]
BLOCK = re.compile(r"^```(\w+) ?(.*)\n((?:.*\n)*?)^```$", re.M)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.M)
PORT = re.compile(r"\b(?:80|84|90)\d\d\b")
BUILD = pathlib.Path(os.environ.get("EARNEST_BUILD", SOURCES / "build/debug"))
PATH = os.environ["PATH"] + ":/usr/sbin"  # where nginx is
END = "\x1e"  # what a shell says after each command, with its exit code
PATIENCE_S = 60


def read(page):
    return (GUIDE / page).read_text(encoding="utf-8")


def have(program):
    """Can the page use it? No program can be linked with a library that has sanitizers, but with them."""
    return shutil.which(program, path=PATH) and not (program == "cc" and SANITIZED)


def same(shown, said):
    """Is it what the page shows? Three dots stand for anything within a line, or for any lines."""
    lines = ["(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
             for line in shown.splitlines()]
    return re.fullmatch("".join(lines), said)


class Shell:
    """The shell of one page. Its commands are run in folder; what goes on beside them says it to a file."""

    def __init__(self, folder):
        self.folder, self.aside = folder / "page", folder / "aside"
        for made in (self.folder, self.aside, folder / "bin"):
            made.mkdir()
        (folder / "bin/earnest").symlink_to(PROGRAM)
        (folder / ".curlrc").write_text("no-progress-meter\n", encoding="utf-8")  # as on a terminal
        environment = {
            "HOME": str(folder), "LC_ALL": "C.UTF-8", "PATH": f"{folder}/bin:{PATH}",
            "PKG_CONFIG_PATH": str(BUILD / "meson-uninstalled"), "LD_LIBRARY_PATH": str(BUILD)}
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
            cwd=self.folder, env=environment, start_new_session=True)
        self.watch = threading.Timer(PATIENCE_S, self.kill)

    def __enter__(self):
        self.watch.start()
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.run("jobs -p >../jobs; kill $(cat ../jobs) 2>/dev/null; wait")
                for path in self.aside.iterdir():
                    assert not re.search("Sanitizer|runtime error|[Aa]ssertion", path.read_text(encoding="utf-8"))
        finally:
            self.watch.cancel()
            self.kill()
            self.process.communicate()

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)

    def run(self, command):
        """Runs a command, which must succeed. Returns what it says."""
        self.process.stdin.write(f"{{ {command}\n}} </dev/null; echo \"{END}$?\"\n".encode())
        said = b""
        while not re.search(rb"\x1e\d+\n\Z", said):
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, f"{command}\nends the shell, or takes too long:\n{said.decode()}"
            said += more
        text, code = said.decode().replace("\r", "").split(END)
        assert code == "0\n", f"{command}\nfails with {code}{text}"
        return text if text.endswith("\n") or not text else text + "\n"

    def try_out(self, command, shown):
        """Runs a command, which must say what is shown. One that ends with & has begun when it has said so."""
        if not command.endswith("&"):
            said = self.run(command)
            assert same(shown, said), f"{command}\nsays\n{said}\nand not\n{shown}"
            return
        said = self.aside / str(len(list(self.aside.iterdir())))
        said.touch()
        self.run(f">{said} 2>&1 {command}")
        wait_until(lambda: same(shown + "...\n", said.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES)
def test_page(tmp_path, page):
    if not shutil.which("curl"):
        pytest.skip("no curl")
    ports, ran = {}, 0
    text = PORT.sub(lambda match: str(ports.setdefault(match[0], free_port())), read(page))
    with Shell(tmp_path) as shell:
        for language, words, block in BLOCK.findall(text):
            if language != "console" and words:
                path = shell.folder / words
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block, encoding="utf-8")
            elif language == "console" and all(map(have, words.split())):
                for command, shown in COMMAND.findall(block):
                    shell.try_out(command, shown)
                    ran += 1
    assert COMMAND.search(text)
    if not ran:
        pytest.skip("what it needs is not here")


@pytest.mark.parametrize("page", PAGES)
def test_page_ends_with_what_can_go_wrong(page):
    last = read(page).rsplit("\n## ", 1)[1]
    assert last.startswith("What can go wrong\n") and re.search(r"\b[345]\d\d\b", last)


@pytest.mark.parametrize("page", EDITIONS)
def test_editions_have_the_same_blocks(page):
    assert BLOCK.findall(read(page)) == BLOCK.findall(read(page.split("/")[1]))


@pytest.mark.parametrize("page", ALL)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^):#]+)\)", read(page)):
        assert (GUIDE / page).parent.joinpath(link).exists(), link


def test_the_index_has_every_page():
    assert set(PAGES) <= set(re.findall(r"\]\(([^):#/]+)\)", read("README.md")))
