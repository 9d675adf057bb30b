# SPDX-License-Identifier: Apache-2.0
"""Servers behind the server that speak HTTP/2, by prior knowledge or over TLS, as a script says.

    with Upstream([ok()]) as upstream:
        ... proxy = { "http://127.0.0.1:%d" } http2 = true % upstream.port ...
        upstream.requests   what came: fields and content, each

Each request gets the next answer of the script, the last one again and again: a function of the peer
and the request, or None, which ends the connection.
"""
import socket
import threading
import time

import h2_frame as f
import hpack
import upstream

PATIENCE_S = 10


class Request:
    def __init__(self, stream, fields):
        self.stream, self.fields, self.content, self.ended = stream, fields, bytearray(), False

    def all(self, name):
        return [value.decode("latin-1") for other, value in self.fields if other == name.encode()]

    def field(self, name):
        return ", ".join(self.all(name)) if self.all(name) else None


class Peer:
    """A connection, as who serves it reads it."""

    def __init__(self, upstream, connection):
        self.upstream, self.socket, self.buffer = upstream, connection, b""
        self.decoder, self.encoder = hpack.Decoder(), hpack.Encoder()
        self.window, self.windows, self.initial = f.WINDOW, {}, f.WINDOW
        self.streams, self.resets, self.block, self.ended = {}, {}, b"", False
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)

    def send(self, *frames):
        with self.lock:
            self.socket.sendall(b"".join(frames))

    def head(self, stream, fields, end=False):
        with self.lock:
            block = self.encoder.encode(fields)
            self.send(f.frame(f.HEADERS, f.END_HEADERS | (f.END_STREAM if end else 0), stream, block))

    def content(self, stream, content, end=True):
        """Sends content, as the windows allow."""
        content = memoryview(content)
        while True:
            with self.changed:
                room = min(self.window, self.windows.get(stream, self.initial), f.FRAME_SIZE)
                if stream in self.resets or self.ended:
                    raise ConnectionResetError
                if len(content) and room <= 0:
                    assert self.changed.wait(PATIENCE_S), "a window stays closed"
                    continue
                piece, content = bytes(content[:room]), content[room:]
                self.window -= len(piece)
                self.windows[stream] = self.windows.get(stream, self.initial) - len(piece)
                self.send(f.data(stream, piece, f.END_STREAM if end and not len(content) else 0))
            if not len(content):
                return

    def exactly(self, n):
        while len(self.buffer) < n:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self.buffer += data
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def frames(self):
        """Reads and heeds frames until the end."""
        while True:
            head = self.exactly(9)
            frame = f.Frame(head[3], head[4], int.from_bytes(head[5:9], "big"),
                            self.exactly(int.from_bytes(head[:3], "big")))
            with self.changed:
                self.heed(frame)
                self.changed.notify_all()

    def heed(self, frame):
        if frame.kind == f.SETTINGS and not frame.flags & f.ACK:
            for name, value in f.pairs_of(frame.payload):
                if name == f.INITIAL_WINDOW_SIZE:
                    self.initial = value
            self.send(f.frame(f.SETTINGS, f.ACK, 0))
        elif frame.kind == f.PING and not frame.flags & f.ACK:
            self.send(f.ping(frame.payload, f.ACK))
        elif frame.kind == f.WINDOW_UPDATE:
            more = int.from_bytes(frame.payload, "big")
            if frame.stream:
                self.windows[frame.stream] = self.windows.get(frame.stream, self.initial) + more
            else:
                self.window += more
        elif frame.kind == f.RST_STREAM:
            self.resets[frame.stream] = f.ERRORS[int.from_bytes(frame.payload, "big")]
        elif frame.kind in (f.HEADERS, f.CONTINUATION):
            self.block += frame.payload
            if frame.flags & f.END_HEADERS:
                fields, self.block = self.decoder.decode(self.block), b""
                self.streams[frame.stream] = Request(frame.stream, fields)
            if frame.kind == f.HEADERS and frame.flags & f.END_STREAM:
                self.streams[frame.stream].ended = True
        elif frame.kind == f.DATA:
            self.streams[frame.stream].content += frame.payload
            if self.upstream.replenishes and frame.payload:
                self.send(f.window_update(0, len(frame.payload)),
                          f.window_update(frame.stream, len(frame.payload)))
            if frame.flags & f.END_STREAM:
                self.streams[frame.stream].ended = True
        if frame.kind in (f.HEADERS, f.CONTINUATION, f.DATA):
            request = self.streams.get(frame.stream)
            if request and (request.ended or self.upstream.eager) and not getattr(request, "told", False):
                request.told = True
                self.upstream.take(self, request)


class Upstream(upstream.Upstream):
    def __init__(self, script, tls=None, settings=(), replenishes=True, eager=False):
        """settings: pairs that it sends. eager: answers with the head of a request. tls: an SSLContext."""
        super().__init__(script, tls=tls)
        self.settings, self.replenishes, self.eager = settings, replenishes, eager
        self.says_goodbye = False
        self.peers = []

    def speak(self, connection):
        connection.settimeout(None)
        peer = Peer(self, connection)
        self.peers.append(peer)
        try:
            peer.send(f.settings(*self.settings))
            assert peer.exactly(len(f.PREFACE)) == f.PREFACE
            peer.frames()
        finally:
            with peer.changed:
                peer.ended = True
                peer.changed.notify_all()

    def take(self, peer, request):
        self.requests.append(request)
        answer = self.next_answer()
        if answer is None:
            peer.socket.shutdown(socket.SHUT_RDWR)
            return
        threading.Thread(target=self.run, args=(answer, peer, request), daemon=True).start()

    @staticmethod
    def run(answer, peer, request):
        try:
            answer(peer, request)
        except OSError:
            pass


def ok(content=b"ok", fields=(), status=b"200", trailers=None):
    """An answer with these fields and this content."""
    def answer(peer, request):
        peer.head(request.stream, [(b":status", status), *fields], end=not content and not trailers)
        if content:
            peer.content(request.stream, content, end=not trailers)
        if trailers:
            peer.head(request.stream, trailers, end=True)
    return answer


def frames(*parts):
    """Frames as they are; a function among them is called with the number of the stream."""
    def answer(peer, request):
        for part in parts:
            peer.send(part(request.stream) if callable(part) else part)
    return answer


def silence(_peer, _request):
    pass


def echo(peer, request):
    with peer.changed:
        while not request.ended:
            peer.changed.wait(PATIENCE_S)
    ok(bytes(request.content), [(b"content-length", b"%d" % len(request.content))])(peer, request)


def until(what, seconds=5):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it does not come to it"
        time.sleep(0.01)
