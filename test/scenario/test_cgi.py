# SPDX-License-Identifier: Apache-2.0
"""Programs that are run for one request each (RFC 3875): what they get, and how they end."""
import os
import pathlib
import pwd
import re
import socket
import struct
import threading
import time

import pytest

import h2
from earnest_server import Server

HOST = b"Host: a.example\r\n"
HEAD = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
WHO = pwd.getpwuid(os.getuid()).pw_name

PROGRAMS = {
    "env.sh": HEAD + "env | sort\n",
    "cat.sh": HEAD + "exec cat\n",
    "where.sh": HEAD + 'echo "$0 $# $PWD"\nls -l /proc/self/fd | wc -l\nulimit -t\nulimit -v\nulimit -n\nulimit -c\n'
                       "ps -o pid=,pgid= -p $$\n",
    "signals.py": "#!/usr/bin/python3\nprint('Content-Type: text/plain\\n')\n"
                  "print(*[l.split()[1] for l in open('/proc/self/status') if l[:6] in ('SigBlk', 'SigIgn')])\n",
    "sub/deep.sh": HEAD + 'echo "$SCRIPT_NAME|$PATH_INFO"\n',
    "silent.sh": "#!/bin/sh\necho $$ > pid\nsleep 60 &\nwait\n",
    "stubborn.sh": "#!/bin/sh\ntrap '' TERM\necho $$ > pid\nwhile :; do sleep 1; done\n",
    "drip.sh": HEAD + "echo $$ > pid\nwhile :; do echo x; sleep 0.1; done\n",
    "killed.sh": HEAD + "echo begun\nkill -9 $$\n",
    "fails.sh": HEAD + "echo all\nexit 3\n",
    "goes_on.sh": HEAD + "echo all\nexec >&- 2>&- <&-\nsleep 0.5\necho done > done\n",
    "early.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\nContent-Length: 3\\n\\nall'\nexec >&- 2>&-\nsleep 0.5\necho done > done\n",
    "complains.sh": "#!/bin/sh\necho one >&2\necho two > /dev/stderr\nprintf 'Content-Type: text/plain\\n\\nok'\n",
    "spins.sh": "#!/bin/sh\nwhile :; do :; done\n",
    "plain.txt": "no program\n",
    "python.py": "#!/usr/bin/python3\nimport os, sys\nn = int(os.environ.get('CONTENT_LENGTH') or 0)\n"
                 "data = sys.stdin.buffer.read(n)\nprint('Content-Type: text/plain')\nprint()\nprint(len(data), sum(data))\n",
    "hints.sh": "#!/bin/sh\nprintf 'Status: 103 Early Hints\\nLink: </a.css>\\n\\n'\nsleep 0.1\nprintf 'Status: 200 OK\\n\\nok'\n",
}


@pytest.fixture(name="bin_folder")
def bin_folder_fixture(tmp_path):
    folder = tmp_path / "bin"
    for name, text in PROGRAMS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644 if name == "plain.txt" else 0o755)
    return folder


def config(folder, **rows):
    rows = {"program_grace_ms": 300, **rows}
    return (f'route "/bin/" {{ cgi = "{folder}"  run_as = "{WHO}" }}\n'
            "limits { " + " ".join(f"{name} = {value}" for name, value in rows.items()) + " }")


def ask(server, target, method="GET", fields=b"", content=b""):
    with server.connect() as wire:
        wire.send(f"{method} {target} HTTP/1.1\r\n".encode() + HOST + fields + b"\r\n" + content)
        return wire.answer(method)


def lives(pid):
    """Does a process run? One that has ended and is not yet forgotten does not."""
    try:
        return ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False


def wait_until(what, seconds=3):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_environment(tmp_path, bin_folder):
    fields = (b"Proxy: evil\r\nX-Own: $(id) `id`\r\nX-Two: a\r\nX-Two: b\r\nX_Three: c\r\n"
              b"Connection: X-Hop\r\nX-Hop: 1\r\n")
    with Server(tmp_path, config(bin_folder)) as server:
        told = ask(server, "/bin/env.sh/a%20b?c=%3Bid&d", fields=fields).content.decode()
        port = server.port
    told = dict(line.split("=", 1) for line in told.splitlines())
    assert told.pop("REMOTE_PORT").isdecimal()
    assert told == {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "earnest", "REQUEST_METHOD": "GET",
        "REQUEST_SCHEME": "http", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_URI": "/bin/env.sh/a%20b?c=%3Bid&d",
        "QUERY_STRING": "c=%3Bid&d", "SCRIPT_NAME": "/bin/env.sh", "SCRIPT_FILENAME": f"{bin_folder}/env.sh",
        "PATH_INFO": "/a b", "PATH_TRANSLATED": f"{bin_folder}/a b", "DOCUMENT_ROOT": str(bin_folder),
        "DOCUMENT_URI": "/bin/env.sh/a b", "REDIRECT_STATUS": "200", "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1", "SERVER_ADDR": "127.0.0.1", "SERVER_PORT": str(port),
        "SERVER_NAME": "a.example", "HTTP_HOST": "a.example", "HTTP_X_OWN": "$(id) `id`", "HTTP_X_TWO": "a, b",
        "PATH": "/usr/local/bin:/usr/bin:/bin", "PWD": str(bin_folder),
    }


def test_process(tmp_path, bin_folder):
    rows = {"program_cpu_s": 7, "program_memory_bytes": "100M", "program_files_max": 64}
    with Server(tmp_path, config(bin_folder, **rows)) as server:
        lines = ask(server, "/bin/where.sh?a+b").content.decode().split("\n")
    assert lines[0] == f"{bin_folder}/where.sh 0 {bin_folder}"  # the query is no argument
    assert int(lines[1]) <= 5  # 0, 1, 2, and what ls opens itself
    assert lines[2:6] == ["7", str(100 << 10), "64", "0"]
    pid, group = lines[6].split()
    assert pid == group


def test_signals(tmp_path, bin_folder):
    with Server(tmp_path, config(bin_folder)) as server:
        blocked, ignored = ask(server, "/bin/signals.py").content.split()
    assert int(blocked, 16) == 0
    assert int(ignored, 16) == 1 << 12 | 1 << 24  # SIGPIPE and SIGXFSZ, by Python itself


@pytest.mark.parametrize("target, status", [
    ("/bin/sub/deep.sh/x/y", 200), ("/bin/sub", 301), ("/bin/sub/", 404), ("/bin/", 404), ("/bin", 301),
    ("/bin/none.sh", 404), ("/bin/env.sh/../none", 404), ("/bin/../env.sh", 404), ("/bin/plain.txt", 500)])
def test_which_program(tmp_path, bin_folder, target, status):
    with Server(tmp_path, config(bin_folder)) as server:
        answer = ask(server, target)
        assert answer.status == status
        assert status != 200 or answer.content == b"/bin/sub/deep.sh|/x/y\n"


def test_content_streams(tmp_path, bin_folder):
    data = bytes(range(256)) * 40000
    length = b"Content-Length: %d\r\n" % len(data)
    with Server(tmp_path, config(bin_folder)) as server:
        with server.connect() as wire:
            wire.send(b"POST /bin/cat.sh HTTP/1.1\r\n" + HOST + length + b"\r\n")
            threading.Thread(target=wire.send, args=(data,), daemon=True).start()
            assert wire.answer("POST").content == data
        answer = ask(server, "/bin/python.py", "POST", length, data)
        assert answer.content == b"%d %d\n" % (len(data), sum(data))
        assert ask(server, "/bin/env.sh", "POST", length, data).status == 200  # it reads none of it
        assert ask(server, "/bin/cat.sh").content == b""
        with h2.H2(server.port) as client:
            answer = client.answer(client.request("POST", "/bin/cat.sh", [("content-length", "5")], b"hello"))
            assert answer.content == b"hello"


def test_expectation_and_hints(tmp_path, bin_folder):
    with Server(tmp_path, config(bin_folder)) as server:
        with server.connect() as wire:
            wire.send(b"POST /bin/cat.sh HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            assert wire.head().status == 100
            wire.send(b"hi")
            assert wire.answer("POST").content == b"hi"
        answer = ask(server, "/bin/hints.sh", fields=b"Sec-Fetch-Mode: navigate\r\n")
        assert [i.status for i in answer.interim] == [103] and answer.content == b"ok"


def test_what_it_complains_about_is_in_the_log(tmp_path, bin_folder):
    with Server(tmp_path, config(bin_folder)) as server:
        assert ask(server, "/bin/complains.sh").content == b"ok"
    assert re.findall(r"error: script (.*)", server.stderr()) == ["/complains.sh: one", "/complains.sh: two"]


# ---- ends


@pytest.mark.parametrize("name", ["silent.sh", "stubborn.sh"])
def test_silent_one_is_ended_with_its_group(tmp_path, bin_folder, name):
    with Server(tmp_path, config(bin_folder, upstream_answer_ms=300)) as server:
        assert ask(server, f"/bin/{name}").status == 504
        pid = int((bin_folder / "pid").read_text())
        wait_until(lambda: not lives(pid))
        wait_until(lambda: not group(pid))
    assert server.rules() == ["upstream_timeout"]


def group(leader):
    """Processes that run in a group."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(stat)
    return found


def reset(wire):
    """Its client is gone, and says so: one that only sends no more may still want the answer."""
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.socket.close()


@pytest.mark.parametrize("name, way", [("silent.sh", "reset"), ("drip.sh", "close"), ("silent.sh", "h2")])
def test_client_that_goes_ends_it(tmp_path, bin_folder, name, way):
    with Server(tmp_path, config(bin_folder)) as server:
        with h2.H2(server.port) if way == "h2" else server.connect() as wire:
            if way == "h2":
                stream = wire.request("GET", f"/bin/{name}")
            else:
                wire.send(f"GET /bin/{name} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            wait_until((bin_folder / "pid").exists)
            time.sleep(0.1)
            pid = int((bin_folder / "pid").read_text())
            assert lives(pid)
            if way == "h2":
                wire.cancel(stream)
                wait_until(lambda: not lives(pid) and not group(pid))
            elif way == "reset":
                reset(wire)
        wait_until(lambda: not lives(pid) and not group(pid))


def test_stop_ends_it(tmp_path, bin_folder):
    with Server(tmp_path, config(bin_folder, drain_timeout_ms=100)) as server:
        with server.connect() as wire:
            wire.send(b"GET /bin/stubborn.sh HTTP/1.1\r\n" + HOST + b"\r\n")
            wait_until((bin_folder / "pid").exists)
            time.sleep(0.1)
            pid = int((bin_folder / "pid").read_text())
            server.process.terminate()
            server.process.wait(5)
            wait_until(lambda: not lives(pid))


def test_answer_of_one_that_is_killed_is_cut(tmp_path, bin_folder):
    with Server(tmp_path, config(bin_folder)) as server:
        with pytest.raises(AssertionError):
            ask(server, "/bin/killed.sh")
        assert ask(server, "/bin/fails.sh").content == b"all\n"  # it has said all
    assert " aborted" in server.log_path.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("name", ["goes_on.sh", "early.sh"])
def test_it_may_go_on_after_its_answer(tmp_path, bin_folder, name):
    with Server(tmp_path, config(bin_folder, program_exit_ms=100)) as server:
        began = time.monotonic()
        assert ask(server, f"/bin/{name}").content.strip() == b"all"
        assert time.monotonic() - began < 0.45
        wait_until((bin_folder / "done").exists)


def test_limits_end_it(tmp_path, bin_folder):
    with Server(tmp_path, config(bin_folder, program_cpu_s=1)) as server:
        assert ask(server, "/bin/spins.sh").status == 500
    assert server.rules() == ["act_failed"]


def test_so_many_at_once(tmp_path, bin_folder):
    with Server(tmp_path, config(bin_folder, programs_max=2)) as server:
        wires = [server.connect() for _ in range(2)]
        for wire in wires:
            wire.send(b"GET /bin/silent.sh HTTP/1.1\r\n" + HOST + b"\r\n")
        wait_until((bin_folder / "pid").exists)
        time.sleep(0.1)
        answer = ask(server, "/bin/env.sh")
        assert (answer.status, answer.field("retry-after")) == (503, "1")
        for wire in wires:
            reset(wire)
        wait_until(lambda: ask(server, "/bin/env.sh").status == 200)


def test_nothing_is_left_of_many(tmp_path, bin_folder):
    """Descriptors and processes of 300 of them, some of which are left by their client."""
    with Server(tmp_path, config(bin_folder)) as server:
        worker = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()[0]
        ask(server, "/bin/env.sh")
        before = len(os.listdir(f"/proc/{worker}/fd"))
        for i in range(300):
            if i % 3:
                assert ask(server, "/bin/complains.sh").status == 200
            else:
                with server.connect() as wire:
                    wire.send(b"GET /bin/silent.sh HTTP/1.1\r\n" + HOST + b"\r\n")
                    time.sleep(0.002)
                    reset(wire)
        wait_until(lambda: not any(c.read_text().strip() for c in pathlib.Path(f"/proc/{worker}/task").glob("*/children")))
        wait_until(lambda: len(os.listdir(f"/proc/{worker}/fd")) <= before)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_runs_as_who_is_named(tmp_path, bin_folder):
    open_up = pathlib.Path("/tmp") / f"earnest-cgi-{os.getpid()}"
    open_up.mkdir()
    program = open_up / "who.sh"
    program.write_text(HEAD + "id -un; id -G; cat /etc/shadow 2>&1 | wc -l\n")
    program.chmod(0o755)
    route = f'route "/bin/" {{ cgi = "{open_up}"  run_as = "nobody" }}'
    try:
        with Server(tmp_path, route) as server:
            name, groups, lines = ask(server, "/bin/who.sh").content.decode().splitlines()
    finally:
        program.unlink()
        open_up.rmdir()
    nobody = pwd.getpwnam("nobody")
    assert (name, groups, lines) == ("nobody", str(nobody.pw_gid), "1")
