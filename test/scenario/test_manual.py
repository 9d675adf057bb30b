# SPDX-License-Identifier: Apache-2.0
"""The manual and the completions say all that the program knows, in a form that is read."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from earnest_server import PROGRAM, SOURCES

MADE = pathlib.Path(os.environ.get("EARNEST_BUILD", SOURCES / "build/debug")) / "doc"
SHELLS = {"bash": "earnest.bash", "zsh": "_earnest", "fish": "earnest.fish"}


def text_of(name):
    return (MADE / name).read_text(encoding="utf-8").replace("\\-", "-")


def test_every_key_and_limit_is_in_the_manual():
    rows = []
    for path in ("src/conf/option.def", "src/code/limits.def"):
        table = (SOURCES / path).read_text(encoding="utf-8").split("clang-format off")[1]
        rows += re.findall(r"^(?:SECTION|OPTION)\(\w+, *(\w+)|^LIMIT\((\w+)", table, re.M)
    keys = {a or b for a, b in rows}
    assert len(keys) > 150
    page = text_of("earnest.conf.5")
    assert not [key for key in keys if f"\\fB{key}\\fR " not in page]


def test_every_function_is_in_the_manual():
    page = text_of("ern_decide.3")
    for name in ("ern_request_facts", "ern_begin", "ern_decide", "ern_learn", "ern_why"):
        assert f".SS {name}\n" in page


def test_every_command_can_be_completed():
    said = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  (\w+) ", said, re.M)
    assert len(commands) > 10
    for name in ("earnest.1", *SHELLS.values()):
        assert not [command for command in commands if not re.search(rf"\b{command}\b", text_of(name))]


def flags():
    """(command, flag, whether it has a value) of all helps."""
    said = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=True).stdout
    for command in re.findall(r"^  (\w+) +\S", said, re.M):
        text = subprocess.run([PROGRAM, command, "-h"], capture_output=True, text=True, check=True).stdout
        found = re.findall(r"^ {2,8}(?:-\w, )?(--[a-z-]+)(?:[ =]([A-Za-z|]+))? {2,}\S", text, re.M)
        assert ("--help", "") in found, command
        yield from ((command, flag, bool(value)) for flag, value in found if flag != "--help")


def test_every_flag_that_is_told_of_is_there():
    """A flag with a value insists on it, one without refuses it; and each has its variable."""
    page, all_of = text_of("earnest.1"), list(flags())
    assert len(all_of) > 50
    for command, flag, has_value in all_of:
        line = [PROGRAM, command, flag if has_value else flag + "=x"]
        code = subprocess.run(line, capture_output=True, timeout=10, check=False).returncode
        assert code == 2, line
        assert f"\n.B EARNEST_{flag[2:].upper().replace('-', '_')}\n" in page


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_read_their_completions(shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    subprocess.run([shell, "-n", MADE / SHELLS[shell]], check=True)


@pytest.mark.parametrize("line, word", [(("earnest", "expl"), "explain"), (("earnest", "serve", "--listi"), "--listing"),
                                        (("earnest", "why", "--la"), "--lang"),
                                        (("earnest", "passwd", "--d"), "--digest"),
                                        (("earnest", "explain", "--co"), "--config")])
def test_bash_completes(line, word):
    script = (f'. "{MADE}/earnest.bash"; COMP_WORDS=({" ".join(line)}); COMP_CWORD={len(line) - 1}; _earnest; '
              'echo "${COMPREPLY[@]}"')
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == [word], result


@pytest.mark.parametrize("name", ["earnest.1", "earnest.conf.5", "libearnest.3", "ern_decide.3"])
def test_pages_are_right_for_mandoc(name):
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc")
    result = subprocess.run(["mandoc", "-T", "lint", "-W", "error", MADE / name], capture_output=True, text=True,
                            check=False)
    assert result.returncode == 0, result.stdout
