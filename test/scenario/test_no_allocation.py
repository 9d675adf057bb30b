# SPDX-License-Identifier: Apache-2.0
"""Between the bytes of a request and the sending of its answer nothing is allocated."""
import mmap
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time

import pytest

from upstream import Upstream

ROOT = pathlib.Path(__file__).parents[2]
EARNEST = os.environ.get("EARNEST", str(ROOT / "build/debug/src/main/earnest"))
COUNTER = ROOT / "test/bench/count_malloc.c"
ETAG = b"ETAG"
REQUESTS = {
    200: b"GET /small.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
    304: b"GET /small.txt HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: ETAG\r\n\r\n",
    206: b"GET /large.txt HTTP/1.1\r\nHost: localhost\r\nRange: bytes=10-99\r\n\r\n",
    404: b"GET /missing HTTP/1.1\r\nHost: localhost\r\nAccept: text/html, */*;q=0.8\r\n\r\n",
}
STORED = {
    200: b"GET /stored/a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    304: b"GET /stored/a HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"v\"\r\n\r\n",
    206: b"GET /stored/a HTTP/1.1\r\nHost: localhost\r\nRange: bytes=1-2\r\n\r\n",
}
ROUNDS = 2500 # of four requests


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.rest = b""

    def ask(self, request):
        """Returns (status, head)."""
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self.rest:
            self.receive()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status = int(head[9:12])
        length = 0 if status == 304 else int(field(head, b"content-length"))
        while len(self.rest) < length:
            self.receive()
        self.rest = self.rest[length:]
        return status, head

    def end(self):
        """Returns once the server has ended the connection, too."""
        self.socket.shutdown(socket.SHUT_WR)
        assert self.socket.recv(1) == b""
        self.socket.close()

    def receive(self):
        piece = self.socket.recv(65536)
        assert piece, "the server ended the connection"
        self.rest += piece


def field(head, name):
    for line in head.split(b"\r\n"):
        if line.lower().startswith(name + b":"):
            return line.partition(b":")[2].strip()
    raise AssertionError(f"no field {name} in {head}")


def connect(port, server):
    for _ in range(500):
        try:
            return Client(port)
        except ConnectionRefusedError:
            assert server.poll() is None, "the server does not start"
            time.sleep(0.01)
    raise AssertionError("the server does not listen")


@pytest.fixture(name="counter")
def build_counter(tmp_path):
    compiler = os.environ.get("CC") or shutil.which("cc")
    if not compiler:
        pytest.skip("no compiler")
    if b"__asan_init" in pathlib.Path(EARNEST).read_bytes():
        pytest.skip("the sanitizer has a malloc of its own")
    library = tmp_path / "count_malloc.so"
    subprocess.run([compiler, "-O2", "-fPIC", "-shared", "-D_GNU_SOURCE", "-o", library, COUNTER],
                   check=True)
    return library


@pytest.fixture(name="served")
def serve(tmp_path, counter):
    """(a connection to a server that one thread serves, its count of allocations)"""
    www = tmp_path / "www"
    www.mkdir()
    (www / "small.txt").write_bytes(b"x" * 1000)
    (www / "large.txt").write_bytes(b"x" * 100000)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    answer = b'HTTP/1.1 200 OK\r\nETag: "v"\r\nCache-Control: max-age=3600\r\nContent-Length: 5\r\n\r\nhello'
    conf = tmp_path / "earnest.conf"
    # Looking at a file again is work of the cache, not of a request. The log has blocks of its own,
    # as many as log_queue_bytes allows while it is slow.
    up = Upstream([answer])
    conf.write_text(f'workers = 1\nlisten "127.0.0.1:{port}" {{}}\n'
                    f'limits {{ cache_valid_ms = "1h" }}\n'
                    f'log {{ file = "off" errors = "{tmp_path}/error.log" }}\n'
                    f'route "/" {{ files = "{www}" }}\n'
                    f'route "/stored/" {{ proxy = {{ "http://127.0.0.1:{up.port}" }} cache = true }}\n')
    shared = tmp_path / "count"
    shared.write_bytes(bytes(mmap.PAGESIZE))
    environment = {**os.environ, "LD_PRELOAD": str(counter), "COUNT_MALLOC": str(shared)}
    with up, subprocess.Popen([EARNEST, "serve", "-c", conf], env=environment) as server:
        try:
            yield connect(port, server), lambda: struct.unpack_from("Q", shared.read_bytes())[0]
        finally:
            server.terminate()
            server.wait(10)


def run(client, requests, rounds):
    for _ in range(rounds):
        for status, request in requests.items():
            assert client.ask(request)[0] == status


def test_requests_on_a_connection_allocate_nothing(served):
    client, count = served
    etag = field(client.ask(REQUESTS[200])[1], b"etag")
    requests = {status: request.replace(ETAG, etag) for status, request in REQUESTS.items()}
    run(client, requests, 10)
    before = count()
    assert before > 0, "the counter does not count"
    run(client, requests, ROUNDS)
    assert count() - before == 0


def test_stored_answers_allocate_nothing(served):
    client, count = served
    run(client, STORED, 10)
    before = count()
    run(client, STORED, ROUNDS)
    assert count() - before == 0


def test_new_connections_allocate_nothing_once_memory_is_there(served):
    client, count = served
    port = client.socket.getpeername()[1]
    # More at once than any time later: a turn of the loop takes up to 64 before it sees which of
    # them have ended.
    many = [Client(port) for _ in range(200)]
    for other in many:
        assert other.ask(REQUESTS[200])[0] == 200
    for other in many:
        other.end()
    before = count()
    for _ in range(1000):
        other = Client(port)
        assert other.ask(REQUESTS[200])[0] == 200
        other.end()
    assert before > 0
    assert count() - before == 0
