# SPDX-License-Identifier: Apache-2.0
"""R-20 to R-23, and R-06 and R-17 over HTTP/2: clients that want more than their streams.

An attack is bytes, made beforehand and sent as quickly as the server takes them. Beside it a good
client asks, and is served; memory and processor time of the server are measured meanwhile.
"""
import random
import selectors
import statistics
import threading
import time

import pytest

import h2_frame as f
import hpack
from h2 import H2
from h2_frame import (END_HEADERS, continuation, data, frame, headers, number, priority, request, rst_stream,
                      window_update)
from scenario import COMBINED, SANITIZED, Site, counts, files_route, wait_until


RESETS_MAX = 250  # streams that one connection may waste
MEMORY = 1 << 20  # octets that one attacker may cost


class Flood(threading.Thread):
    """An attacker. ended: the server has closed; goaway: (last stream, error) of its last GOAWAY."""

    def __init__(self, port, attack, settings=None):
        super().__init__()
        self.h2 = H2(port, settings=settings)
        self.attack, self.got = memoryview(attack), bytearray()
        self.ended = False
        self.start()

    def read(self):
        try:
            got = self.h2.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            got = b""
        self.ended = not got
        self.got += got

    def write(self):
        try:
            self.attack = self.attack[self.h2.socket.send(self.attack[:1 << 16]):]
        except BlockingIOError:
            pass
        except OSError:
            self.attack = self.attack[:0]

    def run(self):
        """Sends all that it is let, and leaves when nothing has come for a second."""
        self.h2.socket.setblocking(False)
        deadline = time.monotonic() + 30
        with selectors.DefaultSelector() as selector:
            selector.register(self.h2.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while not self.ended and time.monotonic() < deadline:
                events = selector.select(1)
                if not events:
                    break
                for _, mask in events:
                    if mask & selectors.EVENT_READ:
                        self.read()
                    if mask & selectors.EVENT_WRITE and self.attack:
                        self.write()
                        if not self.attack:
                            selector.modify(self.h2.socket, selectors.EVENT_READ)
        self.h2.socket.close()

    def frames(self):
        at = 0
        while at + 9 <= len(self.got):
            size = int.from_bytes(self.got[at:at + 3], "big")
            stream = int.from_bytes(self.got[at + 5:at + 9], "big")
            yield f.Frame(self.got[at + 3], self.got[at + 4], stream, bytes(self.got[at + 9:at + 9 + size]))
            at += 9 + size

    @property
    def goaway(self):
        said = [got.payload for got in self.frames() if got.kind == f.GOAWAY]
        if not said:
            return None
        return int.from_bytes(said[-1][:4], "big"), f.ERRORS[int.from_bytes(said[-1][4:8], "big")]

    def count(self, kind):
        return sum(got.kind == kind for got in self.frames())


class Watch:
    """What a server spends while attackers are at it, and how a good client fares."""

    def __init__(self, site):
        self.site, self.times = site, []
        self.ask(50)
        self.memory, self.peak, self.cpu_s = site.memory("Rss"), 0, site.cpu_s()
        self.times.clear()

    def ask(self, n):
        with H2(self.site.port) as h2:
            for _ in range(n):
                start = time.monotonic()
                assert h2.answer(h2.request("GET", "/a.txt")).content == b"a\n"
                self.times.append(time.monotonic() - start)

    def during(self, floods):
        while any(flood.is_alive() for flood in floods):
            self.ask(10)
            self.peak = max(self.peak, self.site.memory("Rss"))
            time.sleep(0.01)
        while len(self.times) < 300:
            self.ask(10)

    def judge(self, figure, floods, what):
        attackers = len(floods)
        cpu = (self.site.cpu_s() - self.cpu_s) / attackers
        grown = max(0, self.peak - self.memory) // attackers
        p99 = statistics.quantiles(self.times, n=100)[98] * 1000
        figure(what, f"one cost {cpu:.2f} s of the processor and {grown} bytes; good p99 {p99:.1f} ms")
        assert cpu < (10 if SANITIZED else 1)
        assert grown < MEMORY or SANITIZED
        assert p99 < (1000 if SANITIZED else 50)


def unleash(tmp_path, root, attacks, settings=None):
    """Lets each of attacks loose on a server. Returns the attackers and what the server spent."""
    (root / "big.bin").write_bytes(bytes(1 << 20))
    with Site(tmp_path, files_route(root)) as site:
        serving = site.serving
        watch = Watch(site)
        floods = [Flood(site.port, each, settings) for each in attacks]
        watch.during(floods)
        assert site.serving == serving, "a process was lost"
        yield floods, watch
        assert site.status(b"/a.txt") == 200


WASTE = {
    "R-20 rapid reset": rst_stream,
    "R-21 WINDOW_UPDATE 0": lambda i: window_update(i, 0),
    "R-21 WINDOW_UPDATE above its maximum": lambda i: window_update(i, f.WINDOW_MAX),
    "R-21 PRIORITY of six octets": lambda i: frame(f.PRIORITY, 0, i, bytes(6)),
    "R-21 HEADERS after END_STREAM": lambda i: headers(i, []),
    "R-21 DATA after END_STREAM": lambda i: data(i, b"a"),
    "R-21 a malformed request": lambda i: headers(i + 2, [*request(), (b"X", b"y")]),
    "R-21 content beyond its length": lambda i: headers(
        i + 2, [*request(), (b"content-length", b"1")], END_HEADERS) + data(i + 2, b"ab", f.END_STREAM),
}


@pytest.mark.parametrize("name", WASTE)
@pytest.mark.parametrize("attackers", counts(4, 20))
def test_r20_wasted_streams(tmp_path, root, name, attackers, figure):
    """Each stream asks for a large file, and is reset by the client, or by the server for a wrong frame."""
    streams = range(1, 20_000, 4)
    wasted = b"".join(headers(i, request(path=b"/big.bin")) + WASTE[name](i) for i in streams)
    for floods, watch in unleash(tmp_path, root, [wasted] * attackers):
        for flood in floods:
            assert flood.ended and flood.goaway, f"it may go on for ever: {flood.count(f.RST_STREAM)} resets"
            last, code = flood.goaway
            assert (last + 3) // 4 <= RESETS_MAX, f"{last} streams"
            assert flood.count(f.RST_STREAM) <= RESETS_MAX
            assert name != "R-20 rapid reset" or code == "ENHANCE_YOUR_CALM"
        last, code = floods[0].goaway
        watch.judge(figure, floods, f"{code} after {(last + 3) // 4} of {len(streams)} streams")


def test_r21_a_stream_that_depends_on_itself(tmp_path, root, figure):
    """RFC 9113 has no dependencies: the sixth primitive is ignored, or it counts as the others do."""
    wasted = b"".join(headers(i, request(b"HEAD")) + priority(i, i) for i in range(1, 400, 4))
    for floods, watch in unleash(tmp_path, root, [wasted]):
        assert floods[0].count(f.RST_STREAM) <= RESETS_MAX
        assert floods[0].goaway or floods[0].count(f.HEADERS) == 100
        watch.judge(figure, floods, f"{floods[0].count(f.RST_STREAM)} resets")


def test_r20_streams_above_the_limit(tmp_path, root, figure):
    """Streams that nobody ends: there are never more than the server has said."""
    with_content = headers(1, request(path=b"/big.bin"))[9:]
    many = b"".join(f.number(len(with_content), 3) + bytes([f.HEADERS, 5]) + number(i) + with_content
                    for i in range(1, 20_000, 2))
    for floods, watch in unleash(tmp_path, root, [many] * 2, {f.INITIAL_WINDOW_SIZE: 0}):
        for flood in floods:
            assert flood.ended and flood.goaway
            assert flood.count(f.RST_STREAM) <= RESETS_MAX
        watch.judge(figure, floods, f"{floods[0].goaway[1]} at stream {floods[0].goaway[0]}")


N = 100_000
OPEN = headers(1, flags=END_HEADERS)
BEGUN = headers(1, flags=0)
FLOODS = {
    "SETTINGS": f.settings((f.INITIAL_WINDOW_SIZE, 1000)) * N,
    "empty SETTINGS": f.settings() * N,
    "one SETTINGS of 2700 settings": f.settings(*[(0xbeef, 1)] * 2700) * 500,
    "PING": f.ping() * N,
    "PRIORITY": priority(3) * N,
    "PRIORITY of many streams": b"".join(map(priority, range(1, 2 * N, 2))),
    "WINDOW_UPDATE of the connection": window_update(0, 1) * N,
    "WINDOW_UPDATE of a stream": OPEN + window_update(1, 1) * N,
    "empty DATA": OPEN + data(1) * N,
    "padding alone": OPEN + data(1, bytes([0]), f.PADDED) * N,
    "size updates": b"".join(frame(f.HEADERS, END_HEADERS, i, hpack.size_update(0) * 16000)
                             for i in range(1, 2000, 2)),
}
BLOCKS = {  # that never end
    "empty CONTINUATION": BEGUN + continuation(1, flags=0) * N,
    "CONTINUATION": BEGUN + continuation(1, [(b"a", b"b" * 1000)], 0) * 10_000,
    "zero-length names": BEGUN + continuation(1, [(b"", b"")] * 4000, 0) * 2000,
}


@pytest.mark.parametrize("name", [*FLOODS, *BLOCKS])
def test_r22_floods(tmp_path, root, name, figure):
    for floods, watch in unleash(tmp_path, root, [{**FLOODS, **BLOCKS}[name]]):
        flood = floods[0]
        assert flood.ended, "it may go on for ever"
        assert flood.goaway or name in BLOCKS, "ended without a word"
        replies = flood.count(f.PING) + flood.count(f.SETTINGS) + flood.count(f.WINDOW_UPDATE)
        assert replies <= 300, f"{replies} replies"
        watch.judge(figure, floods, f"{flood.goaway} after {replies} replies")


def test_r22_frames_of_unknown_types(tmp_path, root, figure):
    """They must be ignored (RFC 9113 4.1), and so may be ended only for their number."""
    for floods, watch in unleash(tmp_path, root, [frame(0xbe, 0, 0, b"12345678") * N]):
        watch.judge(figure, floods, f"{floods[0].goaway}")


@pytest.mark.parametrize("repeated", [5, 4000])
def test_r22_hpack_bomb(tmp_path, root, repeated, figure):
    """A row of 4,000 octets, named again and again: a few octets of block, and megabytes of fields."""
    row = hpack.literal(b"x", b"a" * 3900, hpack.INDEXING)
    bombs = b"".join(
        frame(f.HEADERS, END_HEADERS | f.END_STREAM, i,
              hpack.plain(request()) + (row if i == 1 else b"") + hpack.indexed(62) * repeated)
        for i in range(1, 200, 2))
    for floods, watch in unleash(tmp_path, root, [bombs]):
        heads = [got for got in floods[0].frames() if got.kind == f.HEADERS]
        decoder = hpack.Decoder()
        statuses = {dict(decoder.decode(got.payload))[b":status"] for got in heads}
        assert statuses <= {b"431", b"400"}, statuses
        assert heads or floods[0].count(f.RST_STREAM) or floods[0].goaway
        resets = floods[0].count(f.RST_STREAM)
        watch.judge(figure, floods, f"{len(heads)} answers {statuses}, {resets} resets, {floods[0].goaway}")


@pytest.mark.parametrize("octets", [0, 1])
def test_r23_windows_that_never_open(tmp_path, root, octets, figure):
    """Answers that nobody takes cost no more than the arenas of their requests, and send_stall_ms ends them."""
    (root / "big.bin").write_bytes(bytes(1 << 20))
    with Site(tmp_path, "limits { send_stall_ms = 1500 }\n" + files_route(root)) as site:
        watch = Watch(site)
        window = {f.INITIAL_WINDOW_SIZE: octets}
        held = [H2(site.port, settings=window, replenish=False) for _ in range(20)]
        for h2 in held:
            for _ in range(90):
                h2.request("GET", "/big.bin")
            assert h2.ping()
        grown = (site.memory("Rss") - watch.memory) // len(held)
        watch.ask(100)
        start = time.monotonic()
        for h2 in held:
            streams = h2.streams.values()
            h2.until(lambda streams=streams: all(stream.over for stream in streams))
            assert not any(stream.ended for stream in streams), "an answer without a window for it"
        took = time.monotonic() - start
        figure("90 streams that wait", f"{grown} bytes a connection, ended after {took:.1f} s")
        assert took < 5
        assert grown < 90 * 65536 or SANITIZED
        assert site.status(b"/a.txt") == 200


def test_r23_an_octet_at_a_time(tmp_path, root, figure):
    """A window that opens by one octet is progress, but not at the cost of others (RFC 9113 10.5)."""
    drip = b"".join(headers(i, request(path=b"/big.bin")) for i in range(1, 100, 2)) + \
        b"".join(window_update(i, 1) for i in range(1, 100, 2)) * 2000
    for floods, watch in unleash(tmp_path, root, [drip], {f.INITIAL_WINDOW_SIZE: 0}):
        watch.judge(figure, floods, f"{floods[0].goaway} after {floods[0].count(f.DATA)} DATA")


NASTY = [b"\r\n", b"\n", b"\r", b"\0", b"\r\nx-made: up", b"\nGET / HTTP/1.1",
         b"\r\n\r\nHTTP/1.1 200 OK", b" ", b"\t", b"\x1b[2J", b"\x7f",
         b"\x80", b"\xff", b'"', b"\\", b"%0d%0a", b"\xe2\x80\xa8", b"\x0b", b":", b"#", b"?"]


def nasty_requests():
    """Each piece in each place: pseudo-header fields, names, values, and trailers."""
    for piece in NASTY:
        for place, plain in (("method", b"GET"), ("path", b"/a"), ("scheme", b"http"), ("authority", b"a.b")):
            for spoilt in (plain + piece, piece + plain, plain[:1] + piece + plain[1:]):
                yield spoilt, request(**{place: spoilt}), None
        for name in (b"referer", b"user-agent", b"x-any", b"cookie", b"host", b"content-type", b"range"):
            yield b"a" + piece + b"b", [*request(), (name, b"a" + piece + b"b")], None
        yield piece, [*request(), (b"x" + piece, b"a")], None
        yield piece, request(), [(b"x", piece)]


def test_r06_fields_never_become_lines(tmp_path, root):
    """What can not be a line of HTTP/1.1 is refused; whatever is logged is one line."""
    cases = list(nasty_requests())
    random.Random(6).shuffle(cases)
    with Site(tmp_path, files_route(root)) as site:
        for at in range(0, len(cases), 50):
            with H2(site.port) as h2:
                for spoilt, fields, trailers in cases[at:at + 50]:
                    stream = h2.next
                    flags = END_HEADERS | (0 if trailers else f.END_STREAM)
                    h2.send_frames(headers(stream, fields, flags))
                    if trailers:
                        h2.send_frames(headers(stream, trailers))
                    outcome = h2.outcome(stream)
                    assert outcome is not None, f"{spoilt!r} ends the connection: {h2.goaways}"
                    if set(b"\r\n\0") & set(spoilt) and not trailers:
                        assert outcome in ("PROTOCOL_ERROR", 400), f"{outcome} for {spoilt!r}"
                    answer = h2.streams[stream].answer
                    assert not answer or answer.field("x-made") is None
    lines = (tmp_path / "access.log").read_bytes().split(b"\n")
    assert lines.pop() == b""
    broken = [line for line in lines if not COMBINED.fullmatch(line)]
    assert not broken, broken[:5]
    assert len(lines) <= len(cases) + 1, "a request makes more than one line"


def test_r17_idle_connections_over_h2(tmp_path, root, figure):
    n = 500
    with Site(tmp_path, files_route(root)) as site:
        watch = Watch(site)
        idle = [H2(site.port) for _ in range(n)]
        assert all(h2.outcome(h2.request("GET", "/a.txt")) == 200 for h2 in idle)
        grown = (site.memory("Rss") - watch.memory) / n
        assert all(h2.outcome(h2.request("GET", "/a.txt")) == 200 for h2 in idle)
        for h2 in idle:
            h2.socket.close()
        wait_until(lambda: site.status(b"/a.txt") == 200)
    figure("idle connections of HTTP/2", f"{n}, bytes each {grown:.0f}")
    assert grown <= 16384 or SANITIZED
