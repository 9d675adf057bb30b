# SPDX-License-Identifier: Apache-2.0
"""Ten thousand idle connections cost little, and all of them are still served."""
import os
import pathlib
import re
import resource
import select
import socket
import time

import pytest

from earnest_server import Server
from real import figure, route, served_process, whole

BYTES_MAX = 2048  # of user memory, a connection
REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n"


def memory(pid):
    """Proportional set size, bytes."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.M)[1]) * 1024


def open_many(port, n):
    sockets = []
    for _ in range(n):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", port))
        sockets.append(connection)
        if len(sockets) % 500 == 0:
            wait_for(sockets[-500:], select.EPOLLOUT, lambda connection: True)
    wait_for(sockets, select.EPOLLOUT, lambda connection: True)
    return sockets


def wait_for(sockets, event, done, patience=30):
    """Waits until done(socket) was true for each, which is called when the event is there."""
    with select.epoll() as poll:
        waiting = {connection.fileno(): connection for connection in sockets}
        for number in waiting:
            poll.register(number, event)
        deadline = time.monotonic() + patience
        while waiting:
            assert time.monotonic() < deadline, f"{len(waiting)} connections are not served"
            for number, _ in poll.poll(1):
                if done(waiting[number]):
                    poll.unregister(number)
                    del waiting[number]


def ask_all(sockets):
    """Sends a request on each, and reads each answer. All must be whole and 200."""
    answers = {connection: b"" for connection in sockets}

    def read(connection):
        data = connection.recv(65536)
        assert data, f"the server hung up after {answers[connection]!r}"
        answers[connection] += data
        return answers[connection].endswith(b"\r\n\r\ncontent\n")

    for connection in sockets:
        connection.send(REQUEST)
    wait_for(sockets, select.EPOLLIN, read)
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers.values())


@pytest.mark.parametrize("n", [pytest.param(2000, id="quick"),
                               pytest.param(10000, id="whole", marks=whole.marks)])
def test_idle(tmp_path, n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < n + 200:
        pytest.skip(f"only {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 200), hard))
    (tmp_path / "a.txt").write_bytes(b"content\n")
    limits = f"limits {{ connections_max = {n + 100} connections_address_max = {n + 100} }}"
    try:
        with Server(tmp_path, route(tmp_path) + limits) as server:
            pid = served_process(server)
            first = open_many(server.port, 10)
            ask_all(first)
            before = memory(pid)
            sockets = open_many(server.port, n)
            fresh = settled(pid)
            ask_all(sockets)
            used = settled(pid)
            ask_all(sockets)
            again = settled(pid)
            threads = len(os.listdir(f"/proc/{pid}/task"))
            for connection in first + sockets:
                connection.close()
        each = [(value - before) / n for value in (fresh, used, again)]
        figure(f"{n} idle connections, Pss bytes each",
               f"{each[0]:.0f} new, {each[1]:.0f} after a request each, {each[2]:.0f} after two "
               f"(before: {before // 1024} KiB, {threads} threads)")
        assert max(each) <= BYTES_MAX
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def settled(pid):
    """The memory once it no longer changes."""
    last = memory(pid)
    for _ in range(20):
        time.sleep(0.1)
        now = memory(pid)
        if now == last:
            break
        last = now
    return last
