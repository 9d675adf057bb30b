# SPDX-License-Identifier: Apache-2.0
"""The examples that embed libearnest in libmicrohttpd: each answer is the engine's."""
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = pathlib.Path(os.environ.get("EARNEST_BUILD", ROOT / "build/debug")) / "examples"


def run(name):
    """Starts an example on a free port, which it says; at the end it must stop by itself."""
    if not (EXAMPLES / name).exists():
        pytest.skip("built without libmicrohttpd")
    with subprocess.Popen([EXAMPLES / name, "0"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as server:
        yield int(re.search(rb":(\d+)/", server.stdout.readline())[1])
        server.stdin.close()
        assert server.wait(10) == 0


@pytest.fixture(name="port")
def serve_note():
    yield from run("note_microhttpd")


@pytest.fixture(name="least")
def serve_least():
    yield from run("embed_microhttpd")


def ask(port, method, path="/note", content=None, **fields):
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    connection.request(method, path, content, {k.replace("_", "-"): v for k, v in fields.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def rule(body):
    return json.loads(body)["detail"]


def test_get_is_200_with_the_etag(port):
    response, body = ask(port, "GET")
    assert (response.status, response.getheader("ETag"), body) == (200, '"1"', b"Hello.\n")


def test_get_of_what_the_client_has_is_304_without_content(port):
    response, body = ask(port, "GET", If_None_Match='"0", W/"1"')
    assert (response.status, response.getheader("ETag"), body) == (304, '"1"', b"")


def test_get_of_an_older_version_is_200(port):
    assert ask(port, "GET", If_None_Match='"0"')[0].status == 200


def test_head_has_no_content(port):
    response, body = ask(port, "HEAD")
    assert (response.status, response.getheader("Content-Length"), body) == (200, "7", b"")


def test_put_replaces_the_note_and_its_etag(port):
    response, body = ask(port, "PUT", content=b"New.\n", If_Match='"1"')
    assert (response.status, response.getheader("ETag"), body) == (204, '"2"', b"")
    assert ask(port, "GET")[1] == b"New.\n"


def test_put_over_another_version_is_412_and_changes_nothing(port):
    response, body = ask(port, "PUT", content=b"Lost.\n", If_Match='"0"')
    assert (response.status, rule(body)) == (412, "if_match")
    assert response.getheader("Content-Type") == "application/problem+json"
    assert ask(port, "GET")[1] == b"Hello.\n"


def test_put_that_cannot_succeed_is_refused_before_its_content(port):
    with socket.create_connection(("localhost", port), timeout=10) as wire:
        wire.sendall(b'PUT /note HTTP/1.1\r\nHost: a\r\nIf-Match: "0"\r\n'
                     b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert wire.recv(4096).startswith(b"HTTP/1.1 412 ")


def test_put_that_can_succeed_is_asked_for_its_content(port):
    with socket.create_connection(("localhost", port), timeout=10) as wire:
        wire.sendall(b'PUT /note HTTP/1.1\r\nHost: a\r\nIf-Match: "1"\r\n'
                     b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert wire.recv(4096).startswith(b"HTTP/1.1 100 ")
        wire.sendall(b"New.\n")
        assert wire.recv(4096).startswith(b"HTTP/1.1 204 ")


def test_put_that_is_too_large_is_413(port):
    response, body = ask(port, "PUT", content=b"x" * 5000)
    assert (response.status, rule(body)) == (413, "content_too_large")


def test_put_in_chunks_that_grow_too_large_is_413(port):
    response, body = ask(port, "PUT", content=iter([b"x" * 4000, b"x" * 1000]))
    assert (response.status, rule(body)) == (413, "content_grew")


def test_delete_is_405_with_allow(port):
    response, body = ask(port, "DELETE")
    assert (response.status, rule(body)) == (405, "method_not_allowed")
    assert response.getheader("Allow") == "GET, HEAD, PUT"


def test_another_path_is_404(port):
    response, body = ask(port, "GET", "/nothing")
    assert (response.status, rule(body)) == (404, "missing")


def test_a_precondition_on_what_is_missing_is_404(port):
    assert ask(port, "GET", "/nothing", If_Match="*")[0].status == 404


def test_an_unknown_method_is_501(port):
    response, body = ask(port, "FROB")
    assert (response.status, rule(body)) == (501, "unknown_method")


@pytest.mark.parametrize("method, fields, status", [
    ("GET", {}, 200),
    ("GET", {"If_None_Match": '"1"'}, 304),
    ("GET", {"If_None_Match": '"0"'}, 200),
    ("GET", {"If_Match": '"0"'}, 412),
    ("GET", {"If_Match": '"1"'}, 200),
    ("DELETE", {}, 405),
])
def test_the_least_that_it_takes(least, method, fields, status):
    response, _ = ask(least, method, "/", **fields)
    assert response.status == status
    assert (response.getheader("Allow") == "GET, HEAD") == (status == 405)


def test_the_least_has_nothing_elsewhere(least):
    assert ask(least, "GET", "/other")[0].status == 404
