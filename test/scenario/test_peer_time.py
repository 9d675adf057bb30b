# SPDX-License-Identifier: Apache-2.0
"""What of a test peer takes its time: it is late, and nobody else is."""
import contextlib
import json
import socket
import struct
import time

import pytest

from earnest_server import Server
from h2 import H2
from test_peer import ask

PEER = 'route "/" { peer = true }'


@pytest.fixture(name="peer")
def peer_server(tmp_path):
    with Server(tmp_path, PEER) as server:
        yield server


def begin(server, path, more=b""):
    wire = server.connect()
    wire.send(b"GET %s HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n%s\r\n" % (path.encode(), more))
    return wire


def taken(function, *arguments):
    """How many seconds it took, and what came of it."""
    begun = time.monotonic()
    value = function(*arguments)
    return time.monotonic() - begun, value


def test_a_delay_is_before_the_answer(peer):
    seconds, (code, fields, content) = taken(ask, peer, "POST", "/delay/0.4?x=1", b"a=b")
    assert 0.38 < seconds < 3
    assert (code, fields["Earnest-Status"]) == (200, "earned")
    assert json.loads(content)["args"] == {"x": "1"} and json.loads(content)["data"] == "a=b"
    assert taken(ask, peer, "GET", "/delay/0")[0] < 0.3
    assert ask(peer, "GET", "/delay/x")[0] == ask(peer, "GET", "/delay/-1")[0] == 404


def test_many_wait_and_nobody_waits_for_them(peer):
    """There is one thread: what blocked it would be seen at once."""
    def all_of_them():
        with contextlib.ExitStack() as stack:
            wires = [stack.enter_context(begin(peer, "/delay/1")) for _ in range(200)]
            quick, _ = taken(ask, peer, "GET", "/get")
            return quick, [wire.answer("GET").status for wire in wires]
    seconds, (quick, codes) = taken(all_of_them)
    assert codes == [200] * 200
    assert seconds < 4 and quick < 0.5


def test_a_delay_has_its_limit(tmp_path):
    with Server(tmp_path, "limits { peer_wait_ms = 300 }\n" + PEER) as peer:
        assert 0.28 < taken(ask, peer, "GET", "/delay/60")[0] < 3
        assert 0.55 < taken(ask, peer, "GET", "/drip?duration=60&delay=60&numbytes=60")[0] < 4


def test_those_that_wait_are_counted(tmp_path):
    """One more is told to come later, and those who leave make room."""
    with Server(tmp_path, "limits { peer_waits_max = 2 }\n" + PEER) as peer:
        first, second = begin(peer, "/delay/9"), begin(peer, "/sse?duration=9")
        time.sleep(0.1)
        code, fields, _ = ask(peer, "GET", "/drip")
        assert (code, fields["Retry-After"], fields["Earnest-Status"]) == (503, "1", "earned")
        assert ask(peer, "GET", "/get")[0] == ask(peer, "GET", "/stream/2")[0] == 200
        for wire in (first, second):
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.socket.close()
        time.sleep(0.1)
        assert ask(peer, "GET", "/drip?duration=0.1")[0] == 200


@pytest.mark.parametrize("minor", [0, 1])
def test_a_drip_comes_drop_by_drop(peer, minor):
    with peer.connect() as wire:
        wire.send(b"GET /drip?numbytes=4&duration=0.8&delay=0.3 HTTP/1.%d\r\nHost: a\r\n\r\n" % minor)
        begun = time.monotonic()
        head = wire.head()
        assert head.field("content-length") == "4" and 0.25 < time.monotonic() - begun < 2
        times = []
        for _ in range(4):
            assert wire.bytes(1) == b"*"
            times.append(time.monotonic() - begun)
        assert times[3] - times[0] > 0.5


def test_a_drip_of_a_status_and_of_nothing(peer):
    assert ask(peer, "GET", "/drip?numbytes=0&duration=0.1")[2] == b""
    assert ask(peer, "GET", "/drip?numbytes=90000&duration=0.1")[2] == b"*" * 90000
    code, fields, _ = ask(peer, "GET", "/drip?code=503&duration=0.1")
    assert (code, fields["Earnest-Status"]) == (503, "asked")
    for wrong in ("code=99", "duration=x", "numbytes=-1", "delay=1e9"):
        assert ask(peer, "GET", f"/drip?{wrong}")[0] == 404


def test_events(peer):
    seconds, (code, fields, content) = taken(ask, peer, "GET", "/sse?count=3&duration=0.6")
    assert code == 200 and fields["Content-Type"] == "text/event-stream" and 0.35 < seconds < 3
    assert content == b"".join(b'id: %d\nevent: ping\ndata: {"id":%d}\n\n' % (n, n) for n in range(3))
    with begin(peer, "/sse?count=3&duration=0", b"Last-Event-ID: 1\r\n") as wire:
        assert wire.answer("GET").content == b'id: 2\nevent: ping\ndata: {"id":2}\n\n'
    with begin(peer, "/sse?count=3&duration=0", b"Last-Event-ID: 2\r\n") as wire:
        assert wire.answer("GET").status == 204


def test_lines(peer):
    lines = ask(peer, "GET", "/stream/3?a=b")[2].splitlines()
    assert [json.loads(line)["id"] for line in lines] == [0, 1, 2]
    assert json.loads(lines[2])["args"] == {"a": "b"}
    assert ask(peer, "GET", "/stream/0")[2] == b""
    assert len(ask(peer, "GET", "/stream/4000000000")[2].splitlines()) == 200


def test_a_line_that_is_longer_than_a_piece(tmp_path):
    limits = "limits { fields_bytes_max = 200000 field_bytes_max = 150000 }\n"
    with Server(tmp_path, limits + PEER) as peer:
        lines = ask(peer, "GET", "/stream/3", X_Own='"' * 100000)[2].splitlines()
        assert [json.loads(line)["headers"]["X-Own"] for line in lines] == ['"' * 100000] * 3


def test_bytes_of_a_seed(peer):
    first = ask(peer, "GET", "/stream-bytes/5000?seed=1&chunk_size=100")[2]
    assert first == ask(peer, "GET", "/stream-bytes/5000?seed=1")[2] == ask(peer, "GET", "/bytes/5000?seed=1")[2]
    assert len(first) == 5000 and len(set(first)) == 256
    assert ask(peer, "GET", "/bytes/16")[2] != ask(peer, "GET", "/bytes/16")[2]
    assert ask(peer, "GET", "/stream-bytes/0")[2] == b""
    assert ask(peer, "GET", "/stream-bytes/5?chunk_size=0")[0] == ask(peer, "GET", "/bytes/5?seed=x")[0] == 404


def test_nothing_is_sent_of_a_stream_to_head(peer):
    code, fields, content = ask(peer, "HEAD", "/drip?numbytes=7&duration=0.1")
    assert (code, fields["Content-Length"], content) == (200, "7", b"")
    assert ask(peer, "HEAD", "/stream/3")[2] == b""


def test_a_server_that_stops_ends_those_that_wait(tmp_path):
    with Server(tmp_path, "limits { drain_timeout_ms = 200 }\n" + PEER) as peer:
        wires = [begin(peer, "/delay/9"), begin(peer, "/sse?duration=9"), begin(peer, "/drip?duration=0.1")]
        time.sleep(0.1)
    for wire in wires:
        wire.socket.close()


def test_streams_that_are_cancelled_make_room(tmp_path):
    with Server(tmp_path, "limits { peer_waits_max = 20 }\n" + PEER) as peer, H2(peer.port) as h2:
        for path in ("/delay/9", "/sse?duration=9", "/drip?duration=9&numbytes=9") * 3:
            streams = [h2.request("GET", path) for _ in range(20)]
            time.sleep(0.1)  # of those that come together any may be the one too many
            refused = h2.request("GET", path)
            assert h2.answer(refused).status == 503
            for stream in streams:
                h2.cancel(stream)
            assert h2.answer(h2.request("GET", "/drip?duration=0.05")).status == 200
