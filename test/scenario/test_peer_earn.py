# SPDX-License-Identifier: Apache-2.0
"""What a test peer says of how a status is earned is true: the commands are run as they stand."""
import json
import re
import shutil
import subprocess

import pytest

from earnest_server import SOURCES, Server
from test_peer import ask
from tour import Tour

EARNED = [int(status) for status in
          re.findall(r"^EARN\((\d+)", (SOURCES / "src/res/peer_earn.def").read_text(), re.MULTILINE)]

# Their head is not read to its end: whose they are is not known.
BEFORE = (414, 431)

# What who asks otherwise gets: those that every request earns are not here.
NEAR = {304: {"If-None-Match": '"another"'}, 412: {"If-Match": '"earned"'}, 401: {"Authorization": "Bearer a"},
        406: {"Accept": "application/json"}, 206: {}, 400: {}, 405: {}, 411: {}, 415: {}, 416: {"Range": "bytes=0-1"},
        417: {"Expect": "100-continue"}, 418: {}, 422: {}, 428: {}, 431: {"Large": "x" * 1000}, 501: {}, 510: {}}


@pytest.fixture(name="peer", scope="module")
def peer_server(tmp_path_factory):
    limits = "limits { content_grace_ms = 1000 }\n"
    with Server(tmp_path_factory.mktemp("peer"), limits + 'route "/" { peer = true }') as server:
        yield server


@pytest.fixture(name="commands", scope="module")
def all_commands(peer):
    return {earn["status"]: earn["command"] for earn in json.loads(ask(peer, "GET", "/earn")[2])}


@pytest.mark.parametrize("status", EARNED)
def test_the_command_earns_it(commands, status):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    command = commands[status].replace("curl ", "curl -s --noproxy '*' --max-time 20 ")
    command = command.replace("sleep 120", "sleep 2")
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=30)
    text = (done.stdout + done.stderr).decode(errors="replace")
    answers = [int(code) for code in re.findall(r"^(?:< )?HTTP/[\d.]+ (\d+)", text, re.MULTILINE)]
    assert status in answers, text
    if status >= 200:
        assert re.search(r"^(?:< )?earnest-status: earned", text, re.MULTILINE | re.IGNORECASE) or \
            status in BEFORE, text


@pytest.mark.parametrize("status", sorted(NEAR))
def test_who_asks_otherwise_is_told_how(peer, status):
    code, fields, content = ask(peer, "GET", f"/earn/{status}", **NEAR[status])
    assert (code, fields["Earnest-Status"]) == (206 if status == 416 else 200, "earned")
    if code == 200:
        assert json.loads(content)["status"] == status


def test_the_right_content_is_taken(peer):
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert ask(peer, "POST", "/earn/422", b'{"a":1}', **kind)[0] == 200
    assert ask(peer, "POST", "/earn/415", b"[]", **kind)[0] == 200
    assert ask(peer, "POST", "/earn/400", b"[]", **kind)[0] == 200
    assert ask(peer, "POST", "/earn/411", b"x")[0] == 200
    assert ask(peer, "PUT", "/earn/428", b"x", **{"If-Match": '"earned"'})[0] == 200


def test_all_that_are_registered_are_told_of(peer, commands):
    assert set(EARNED) < set(commands) and len(commands) > 60
    assert commands[511] == "earnest tour"
    assert ask(peer, "GET", "/earn/507")[0] == 200
    assert ask(peer, "GET", "/earn/299")[0] == ask(peer, "GET", "/earn/70000")[0] == 404


@pytest.fixture(name="tour", scope="module")
def running_tour(tmp_path_factory):
    with Tour(tmp_path_factory.mktemp("tour")) as tour:
        yield tour.port


@pytest.mark.parametrize("status", [102, 103, 201, 202, 203, 205, 207, 208, 226, 300, 305, 402, 409, 421, 423, 424, 425,
                                    429, 451, 500, 502, 503, 504, 506, 507, 508])
def test_a_tour_earns_what_a_peer_can_not(commands, tour, status):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    command = commands[status].replace("curl -i", "curl -i -s --noproxy '*' --max-time 20").replace("8080", str(tour))
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=60)
    assert status in [int(code) for code in re.findall(rb"HTTP/1.1 (\d+)", done.stdout)], done.stdout


def test_a_command_has_nothing_of_a_strange_host(peer):
    for host in ("a';reboot;'", "$(reboot)", "[::1]"):
        with peer.connect() as wire:
            wire.send(b"GET /earn/412 HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
            command = json.loads(wire.answer("GET").content)["command"]
        assert "reboot" not in command and command.endswith("http://localhost/earn/412")
