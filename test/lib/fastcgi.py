# SPDX-License-Identifier: Apache-2.0
"""Applications that speak FastCGI, which do as a script says.

    with Application([b"Content-Type: text/plain\\n\\nok"]) as app:
        ... fastcgi = "127.0.0.1:%d" % app.port ...
        app.requests   what came: params and content, each

Each request gets the next answer of the script, the last one again and again. An answer is what goes to
its output; or a function(request, peer) that says all itself, with peer.out(), peer.err(), peer.end().
Records are read by the letter of FastCGI 1.0: what is none is in errors.
"""
import socket
import struct
import threading

PATIENCE_S = 10
BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
COMPLETE, CANT_MPX, OVERLOADED, UNKNOWN_ROLE = range(4)


class Malformed(Exception):
    """It is no record that may come."""


class Request:
    def __init__(self):
        self.params, self.content = {}, b""


class Peer:
    """A connection, as the application sees it."""

    def __init__(self, connection):
        self.socket = connection

    def bytes(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def record(self):
        version, kind, ident, length, padding, _ = struct.unpack(">BBHHBB", self.bytes(8))
        if version != 1 or ident != 1:
            raise Malformed(f"version {version}, id {ident}")
        content = self.bytes(length)
        self.bytes(padding)
        return kind, content

    def params(self):
        params = {}
        while True:
            kind, content = self.record()
            if kind != PARAMS:
                raise Malformed(f"record {kind} among the parameters")
            if not content:
                return params
            while content:
                lengths = []
                for _ in range(2):
                    n = content[0]
                    if n >> 7:
                        n, content = struct.unpack(">I", content[:4])[0] & 0x7fffffff, content[4:]
                    else:
                        content = content[1:]
                    lengths.append(n)
                name, value = content[:lengths[0]], content[lengths[0]:sum(lengths)]
                if len(name) + len(value) != sum(lengths) or name.decode() in params:
                    raise Malformed(f"parameter {name[:100]!r}")
                params[name.decode()] = value.decode("latin-1")
                content = content[sum(lengths):]

    def stdin(self):
        """The next piece of content; empty at its end."""
        kind, content = self.record()
        if kind != STDIN:
            raise Malformed(f"record {kind} in the content")
        return content

    def send(self, kind, content=b"", padding=0):
        self.socket.sendall(struct.pack(">BBHHBB", 1, kind, 1, len(content), padding, 0) + content + bytes(padding))

    def out(self, data):
        for at in range(0, len(data), 65000):
            self.send(STDOUT, data[at:at + 65000], -len(data[at:at + 65000]) % 8)

    def err(self, data):
        self.send(STDERR, data)

    def end(self, status=COMPLETE):
        self.send(END, struct.pack(">IB3x", 0, status))


class Application:
    def __init__(self, script, path=None):
        self.script, self.path = list(script), path
        self.requests, self.errors = [], []
        self.lock, self.ended = threading.Lock(), threading.Event()
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(128)
            self.address = f"unix:{path}"
        else:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if kind is None:
            assert not self.errors, self.errors

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(PATIENCE_S)
        with connection:
            try:
                self.turn(Peer(connection))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):  # else what was not read would reset what is on its way
                    pass
            except Malformed as error:
                self.errors.append(str(error))
            except (EOFError, OSError):
                pass

    def turn(self, peer):
        kind, content = peer.record()
        if (kind, content) != (BEGIN, b"\0\1\0\0\0\0\0\0"):
            raise Malformed(f"it begins with {kind} {content!r}")
        request = Request()
        request.params = peer.params()
        with self.lock:
            self.requests.append(request)
            answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if callable(answer):
            answer(request, peer)
            return
        while piece := peer.stdin():
            request.content += piece
        peer.out(answer)
        peer.end()
