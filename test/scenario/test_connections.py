# SPDX-License-Identifier: Apache-2.0
"""Connections: how many, how long, in what order, and what is left when a client goes away."""
import random
import socket
import time

import pytest

from earnest_server import Wire
from scenario import SANITIZED, Site, files_route, get, wait_until


def own_address():
    """An address of this host that is not the loopback's, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # sends nothing
            return probe.getsockname()[0]
        except OSError:
            return None


def assert_refused(wire):
    """Too many: it is told before it asks, when it may come back, and the connection ends."""
    answer = wire.answer("GET")
    assert answer.status == 503
    assert int(answer.field("retry-after")) >= 1
    assert answer.closes
    wire.expect_end()


def test_the_connection_limit_is_503_with_retry_after(tmp_path, root):
    with Site(tmp_path, "limits { connections_max = 4 }\n" + files_route(root)) as site:
        wires = [site.connect() for _ in range(4)]
        for wire in wires:
            wire.send(get(b"/a.txt"))
            assert wire.answer("GET").status == 200
        with site.connect() as wire:
            assert_refused(wire)
        wires.pop().socket.close()
        wait_until(lambda: site.status(b"/a.txt") == 200)
        for wire in wires:
            wire.send(get(b"/a.txt", close=True))
            assert wire.answer("GET").status == 200
            wire.socket.close()


def test_the_limit_of_an_address_is_503_and_spares_others(tmp_path, root):
    address = own_address()
    if not address or address.startswith("127."):
        pytest.skip("this host has only its loopback")
    with Site(tmp_path, "limits { connections_address_max = 3 }\n" + files_route(root)) as site:
        text = site.config_path.read_text(encoding="utf-8")
        site.config_path.write_text(text.replace("127.0.0.1:", ":"), encoding="utf-8")
        assert "earnest: reloaded" in site.reload()
        wires = [Wire(site.port, address) for _ in range(3)]
        for wire in wires:
            wire.send(get(b"/a.txt"))
            assert wire.answer("GET").status == 200
        with Wire(site.port, address) as wire:
            assert_refused(wire)
        assert site.status(b"/a.txt") == 200  # from the loopback
        for wire in wires:
            wire.socket.close()
        wait_until(lambda: status_from(site, address) == 200)


def status_from(site, address):
    with Wire(site.port, address) as wire:
        wire.send(get(b"/a.txt", close=True))
        return wire.answer("GET").status


def test_slow_readers_of_one_file_do_not_meet(tmp_path, root):
    """The head of an answer that is not taken whole must not be the next one's (RFC 9112 9.3.2)."""
    content = random.Random(1).randbytes(4100)
    (root / "data.bin").write_bytes(content)
    asked = [("GET", b""), ("GET", b"Range: bytes=1-\r\n"), ("HEAD", b""), ("GET", b""),
             ("GET", b"Range: bytes=0-3999\r\n")]
    times = 800  # more than the buffers of both ends take
    expected = [content, content[1:], b"", content, content[:4000]]
    with Site(tmp_path, files_route(root)) as site:
        wires = [site.connect() for _ in range(2)]
        for wire in wires:
            for method, fields in asked * times:  # one by one, or answers are gathered
                wire.send(b"%s /data.bin HTTP/1.1\r\nHost: a.example\r\n%s\r\n" %
                          (method.encode(), fields))
        for _ in range(times):
            for (method, _), part in zip(asked, expected):
                for wire in wires:
                    answer = wire.answer(method)
                    assert answer.content == part
                    assert answer.status == (206 if answer.field("content-range") else 200)


def test_http_1_0_keeps_alive_if_asked(tmp_path, root):
    with Site(tmp_path, files_route(root)) as site:
        with site.connect() as wire:
            for _ in range(3):
                wire.send(b"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                answer = wire.answer("GET")
                assert (answer.status, answer.content) == (200, b"a\n")
                assert "keep-alive" in answer.members("connection")
            wire.send(b"GET /a.txt HTTP/1.0\r\n\r\n")
            assert wire.answer("GET").closes
            wire.expect_end()


@pytest.mark.parametrize("size", [1, 3, 7, 61, 1009, 4093, 65521])
def test_pipelining_of_1000_requests_in_odd_pieces(tmp_path, root, size):
    n = 1000 if size > 3 else 100
    for i in range(20):
        (root / f"{i}.txt").write_bytes(b"%d\n" % i)
    requests = b"".join(get(b"/%d.txt" % (i % 20)) for i in range(n))
    with Site(tmp_path, files_route(root)) as site, site.connect() as wire:
        at = answered = 0
        while answered < n:
            if at < len(requests):
                wire.send(requests[at:at + size])
                at += size
                if (at // size) % 64 == 0:
                    wire.socket.settimeout(0.0)
                    try:
                        wire.more()
                    except BlockingIOError:
                        pass
                    wire.socket.settimeout(10)
            else:
                answer = wire.answer("GET")
                assert (answer.status, answer.content) == (200, b"%d\n" % (answered % 20))
                answered += 1


def test_a_half_closed_client_is_answered(tmp_path, root):
    (root / "large.bin").write_bytes(b"x" * (8 << 20))
    with Site(tmp_path, files_route(root)) as site:
        for target, length in [(b"/a.txt", 2), (b"/large.bin", 8 << 20)]:
            with site.connect() as wire:
                wire.send(get(target) * 2)
                wire.end()
                for _ in range(2):
                    assert len(wire.answer("GET").content) == length
                wire.expect_end()


def test_a_client_that_goes_away_leaves_nothing_behind(tmp_path, root, figure):
    (root / "large.bin").write_bytes(b"x" * (16 << 20))
    for i in range(300):
        (root / f"member {i}").touch()
    config = files_route(root, "listing = true index = { }")
    with Site(tmp_path, config) as site:
        assert site.status(b"/") == 200
        assert site.status(b"/large.bin") == 200
        before = site.descriptors()
        for i in range(100):
            with site.connect() as wire:
                wire.send([get(b"/large.bin"), get(b"/") * 5, get(b"/large.bin")[:20],
                           b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nx"][i % 4])
                if i % 3:
                    wire.bytes(100) if i % 4 != 2 else None
                if i % 2:
                    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wait_until(lambda: site.descriptors() <= before)
        figure("descriptors", f"{before} before, {site.descriptors()} after 100 clients went away")


def test_408_comes_after_header_timeout_ms(tmp_path, root, figure):
    config = "limits { header_timeout_ms = 300 }\n" + files_route(root)
    with Site(tmp_path, config) as site, site.connect() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: a")
        start = time.monotonic()
        answer = wire.answer("GET")
        took = time.monotonic() - start
        assert (answer.status, answer.closes) == (408, True)
        wire.expect_end()
        assert 0.29 <= took < 1, took
        figure("408 after", took * 1000, "ms")


def test_an_idle_connection_is_ended_without_a_word(tmp_path, root):
    config = "limits { idle_timeout_ms = 300 }\n" + files_route(root)
    with Site(tmp_path, config) as site, site.connect() as wire:
        wire.expect_end()


def test_a_client_that_takes_nothing_is_cut(tmp_path, root):
    (root / "large.bin").write_bytes(b"x" * (32 << 20))
    config = "limits { send_stall_ms = 300 }\n" + files_route(root)
    with Site(tmp_path, config) as site, site.connect() as wire:
        before = site.descriptors()
        wire.send(get(b"/large.bin"))
        wait_until(lambda: site.descriptors() > before)
        wait_until(lambda: " aborted" in site.log_path.read_text(encoding="utf-8"), 5)


def test_unwanted_content_without_end_is_cut_while_others_are_served(tmp_path, root, figure):
    """After our last answer the rest is read and dropped; a client that sends and sends has no more
    of the server than others."""
    with Site(tmp_path, "limits { linger_ms = 1000 }\n" + files_route(root)) as site:
        with site.connect() as flood:
            flood.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576000\r\n\r\n")
            flood.socket.setblocking(False)
            start, worst = time.monotonic(), 0.0
            block = b"x" * (1 << 20)
            ended = False
            while time.monotonic() - start < 3 and not ended:
                try:
                    for _ in range(20):
                        flood.socket.send(block)
                except BlockingIOError:
                    pass
                except OSError:
                    ended = True
                asked = time.monotonic()
                assert site.status(b"/a.txt") == 200
                worst = max(worst, time.monotonic() - asked)
        assert ended, "the flood goes on after linger_ms"
        assert worst < (2 if SANITIZED else 0.5)
        figure("slowest answer beside the flood", worst * 1000, "ms")


def test_a_location_that_is_too_long_for_an_answer_is_500_and_no_crash(tmp_path, root):
    """A long redirect and a long path are each allowed; together they are no head of ours."""
    to = "/" + "n" * 80_000 + "/"
    config = ("limits { target_bytes_max = 65536 request_arena_bytes = 1048576 }\n"
              f'route "/old/" {{ redirect = "{to}" }}\n' + files_route(root))
    with Site(tmp_path, config) as site:
        pid = site.serving
        assert site.status(b"/old/" + b"o" * 10_000) == 308
        assert site.status(b"/old/" + b"o" * 60_000) == 500
        assert site.status(b"/a.txt") == 200
        assert site.serving == pid
