# SPDX-License-Identifier: Apache-2.0
"""Servers behind the server, which do as a script says.

    with Upstream([b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"]) as upstream:
        ... proxy = { "http://127.0.0.1:%d" } % upstream.port ...
        upstream.requests   what came: a head, and content without its framing, each

Each request gets the next answer of the script, the last one again and again. An answer is bytes, or
what a function makes of the request; None ends the connection, and SILENCE says nothing. Requests
are read by the letter of RFC 9112: what is none is in errors, and is not answered.
"""
import re
import socket
import threading

SILENCE = object()
PATIENCE_S = 10
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP/1\.1")
FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t\x20-\x7e\x80-\xff]*)")


class Request:
    def __init__(self, method, target, fields):
        self.method, self.target, self.fields, self.content = method, target, fields, b""
        self.trailers = []

    def all(self, name):
        return [value for other, value in self.fields if other == name]

    def field(self, name):
        """The value of the field, its lines joined; None if there is none."""
        return ", ".join(self.all(name)) if self.all(name) else None


class Malformed(Exception):
    """It is no request."""


class Peer:
    """A connection, as who serves it reads it."""

    def __init__(self, connection):
        self.socket, self.buffer = connection, b""

    def more(self):
        data = self.socket.recv(1 << 16)
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\n" not in self.buffer:
            if not self.more():
                if self.buffer:
                    raise Malformed(f"it ends in {self.buffer[:200]!r}")
                raise EOFError
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise Malformed(f"line end in {line[:200]!r}")
        return line[:-1]

    def bytes(self, n):
        parts, have = [], 0
        while have < n:
            if not self.buffer and not self.more():
                raise Malformed("content that is cut")
            part, self.buffer = self.buffer[:n - have], self.buffer[n - have:]
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    def section(self):
        fields = []
        while line := self.line():
            match = FIELD_LINE.fullmatch(line)
            if not match:
                raise Malformed(f"field line {line[:200]!r}")
            fields.append((match[1].decode().lower(), match[2].decode("latin-1")))
        return fields

    def head(self):
        line = self.line()
        match = REQUEST_LINE.fullmatch(line)
        if not match:
            raise Malformed(f"request line {line[:200]!r}")
        request = Request(match[1].decode(), match[2].decode("latin-1"), self.section())
        if len(request.all("host")) != 1:
            raise Malformed(f"Host: {request.all('host')}")
        return request

    def content(self, request):
        codings, lengths = request.all("transfer-encoding"), request.all("content-length")
        if codings and (lengths or codings != ["chunked"]):
            raise Malformed(f"framing {codings} {lengths}")
        if len(lengths) > 1 or (lengths and not lengths[0].isdecimal()):
            raise Malformed(f"framing {lengths}")
        if lengths:
            return self.bytes(int(lengths[0]))
        parts = []
        while codings:
            size = self.line()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
                raise Malformed(f"chunk size {size!r}")
            if int(size, 16) == 0:
                request.trailers = self.section()
                break
            parts.append(self.bytes(int(size, 16)))
            if self.line():
                raise Malformed("a chunk goes on past its size")
        return b"".join(parts)


class Upstream:
    def __init__(self, script, keeps=True, tls=None):
        """keeps: it answers several requests of a connection. tls: an SSLContext; None: it speaks none."""
        self.script, self.keeps, self.tls, self.says_goodbye = list(script), keeps, tls, True
        self.requests, self.errors, self.connections = [], [], 0
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.ended = threading.Event()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None:
            assert not self.errors, self.errors

    def stop(self):
        if self.ended.is_set():
            return
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def next_answer(self):
        with self.lock:
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def serve(self, connection):
        connection.settimeout(PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.tls:
                connection = self.secure(connection)
            self.speak(connection)
        except Malformed as error:
            self.errors.append(str(error))
        except (EOFError, OSError):
            pass
        finally:
            with self.lock:
                self.open.discard(connection)
            self.close(connection)

    def speak(self, connection):
        peer = Peer(connection)
        while self.turn(peer) and self.keeps:
            pass

    def secure(self, plain):
        with self.lock:
            self.open.discard(plain)
        connection = self.tls.wrap_socket(plain, server_side=True)
        with self.lock:
            self.open.add(connection)
        return connection

    def close(self, connection):
        try:
            if self.tls and self.says_goodbye:
                connection.settimeout(0.2)
                connection.unwrap()
        except (OSError, ValueError):
            pass
        connection.close()

    def turn(self, peer):
        """One request. Returns whether another one may follow."""
        request = peer.head()
        answer = self.next_answer()
        if callable(answer) and getattr(answer, "reads_content", False):
            self.requests.append(request)
            return answer(request, peer)
        request.content = peer.content(request)
        self.requests.append(request)
        if callable(answer):
            answer = answer(request)
        if answer is None:
            return False
        if answer is SILENCE:
            self.ended.wait(PATIENCE_S)
            return False
        peer.socket.sendall(answer)
        return b"\r\nConnection: close\r\n" not in answer[:answer.find(b"\r\n\r\n") + 2]


def speaks(function):
    """Marks a function that reads the content itself, and answers: function(request, peer) returns whether
    another request may follow."""
    function.reads_content = True
    return function


def refusing_port():
    """A port of this host where nobody listens; it is held, so that nobody will."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held, held.getsockname()[1]


def deaf_port():
    """A port that takes no connection: its queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    held = [listener]
    for _ in range(8):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        held.append(client)
    return held, listener.getsockname()[1]
