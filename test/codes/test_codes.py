# SPDX-License-Identifier: Apache-2.0
"""Runs the vectors of this folder against the whole server, over a real socket.

One server a vector: it is started with the vector's files and configuration, and stopped again, so
that the rules in its access log can be compared. README.md has the format.
"""
import os
import pathlib
import re
import time

import pytest

from earnest_server import Server, check_laws, seconds_of

HERE = pathlib.Path(__file__).parent
MODIFIED_S = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
WORDS_OF_ENGINE = {"fact", "etag", "modified", "length", "relayed"}


def unescape(text):
    """The bytes that a text with C escapes stands for."""
    raw = text.encode("utf-8").decode("latin-1")
    pattern = r'\\(?:x([0-9A-Fa-f]{2})|([rnt0\\"]))'
    plain = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\", '"': '"'}
    return re.sub(pattern, lambda m: chr(int(m[1], 16)) if m[1] else plain[m[2]],
                  raw).encode("latin-1")


def quoted(text):
    assert len(text) >= 2 and text[0] == text[-1] == '"', f"not in quotes: {text}"
    return unescape(text[1:-1])


def path_and_rest(text):
    """A path, in quotes if it has a space or an escape, and what stands behind it."""
    match = re.fullmatch(r'("(?:\\.|[^"\\])*"|\S+)\s*(.*)', text)
    path = quoted(match[1]) if match[1][0] == '"' else match[1].encode("utf-8")
    return path.decode("utf-8"), match[2]


class Exchange:
    def __init__(self):
        self.head, self.content = [], b""  # the head: bytes, or seconds to wait
        self.raw = self.has_content = False
        self.statuses, self.fields, self.bodies = [], [], []
        self.rule = None

    def read_request(self, line):
        if line.startswith(">~ "):
            self.raw = True
            self.head.append(int(line[3:]) / 1000)
        elif line.startswith(">> "):
            self.raw = True
            self.head.append(quoted(line[3:]))
        elif self.has_content:
            self.content += unescape(line[2:])
        else:
            self.has_content = line == ">"
            self.head.append(line[2:].encode("utf-8") + b"\r\n")

    def read_answer(self, line):
        text = line[1:].strip()
        if text.isdecimal():
            self.statuses.append(int(text))
        elif text.startswith("body "):
            self.bodies.append(text[5:])
        elif text.startswith("!"):
            self.fields.append((text[1:].strip(), None))
        else:
            name, value = text.split(":", 1)
            self.fields.append((name.strip(), value.strip()))

    def pieces(self):
        return self.head if self.raw or self.has_content else [*self.head, b"\r\n"]

    def first_line(self):
        line = b"".join(p for p in self.head if isinstance(p, bytes)).lstrip(b"\r\n")
        return line.split(b"\r\n")[0].decode("latin-1").split(" ")

    def expects(self):
        return any(isinstance(p, bytes) and p.lower().startswith(b"expect:") for p in self.head)


class Vector:
    def __init__(self, path):
        self.engine = False
        self.makers, self.config, self.held = [], None, 0
        self.route = {"files": '"ROOT"', "listing": "true"}
        self.listen, self.limits = [], []
        self.exchanges = []
        lines = iter(path.read_text(encoding="utf-8").split("\n"))
        state = ""
        for line in lines:
            if line.startswith(">"):
                if state != ">":
                    self.exchanges.append(Exchange())
                self.exchanges[-1].read_request(line)
            elif line.startswith("<"):
                self.exchanges[-1].read_answer(line)
            elif line.startswith("! rule "):
                self.exchanges[-1].rule = line.split()[2]
            elif line and line[0] not in "#!":
                self.read_setting(line, lines)
            state = line[:1]

    def read_setting(self, line, lines):
        word, _, rest = line.partition(" ")
        if word == "engine":
            self.engine = True
        elif word == "config":
            self.config = []
            while text := next(lines):
                self.config.append(text)
        elif word == "route":
            key, value = rest.split(" = ", 1)
            self.route[key] = value
        elif word == "listen":
            self.listen.append(rest)
        elif word == "limit":
            self.limits.append(" = ".join(rest.split()))
        elif word == "hold":
            self.held = int(rest)
        elif word in ("file", "dir", "size", "symlink", "fifo"):
            self.makers.append((word, *path_and_rest(rest)))
        else:
            assert word in WORDS_OF_ENGINE, f"no such word: {word}"

    def make(self, root):
        root.mkdir()
        for kind, path, rest in self.makers:
            made = root / path[1:]
            made.parent.mkdir(parents=True, exist_ok=True)
            if kind == "dir":
                made.mkdir(exist_ok=True)
            elif kind == "symlink":
                made.symlink_to(rest)
            elif kind == "fifo":
                os.mkfifo(made)
            else:
                modified_s = MODIFIED_S
                if kind == "size":
                    made.write_bytes((bytes(range(251)) * (int(rest) // 251 + 1))[:int(rest)])
                else:
                    text, _, date = rest.partition(" mtime ")
                    made.write_bytes(quoted(text))
                    modified_s = seconds_of(date) if date else MODIFIED_S
                os.utime(made, (modified_s, modified_s))

    def configuration(self, root):
        if self.config is not None:
            text = "\n".join(self.config)
        else:
            text = "\n".join(['route "/" {', *(f"{k} = {v}" for k, v in self.route.items()), "}"])
        if "write = true" in text:
            text += f'\nstate = "{root}.state"'
        if self.limits:
            text += "\nlimits {\n" + "\n".join(self.limits) + "\n}"
        return text.replace("ROOT", str(root))


class Run:
    """The exchanges of a vector with a server."""

    def __init__(self, server, root):
        self.server, self.root = server, root
        self.wire = None
        self.etag = self.first_etag = None
        self.id = "$id"
        self.rules = []

    def etag_of(self, target):
        """The ETag that $etag stands for: that of the last answer, or the one that HEAD gives."""
        if self.etag is None:
            with self.server.connect() as wire:
                wire.send(f"HEAD {target} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())
                self.etag = wire.answer("HEAD").field("etag")
                self.rules.append("ok")
            assert self.etag, "HEAD gives no ETag for $etag"
        return self.etag.encode("latin-1")

    def filled(self, exchange, piece):
        """The piece with ETags in the place of their names."""
        if exchange.raw or b"$" not in piece:
            return piece
        if b"$etag" in piece:
            piece = piece.replace(b"$etag", self.etag_of(exchange.first_line()[1]))
        piece = piece.replace(b"$id", self.id.encode("latin-1"))
        return piece.replace(b"$first", (self.first_etag or "$first").encode("latin-1"))

    def send(self, exchange):
        """Sends at once what no pause divides; content that is announced by Expect waits."""
        data = b""
        for piece in exchange.pieces():
            if isinstance(piece, bytes):
                data += self.filled(exchange, piece)
                continue
            self.wire.send(data)
            data = b""
            time.sleep(piece)
        self.wire.send(data if exchange.expects() else data + exchange.content)

    def exchange(self, exchange):
        method, minor = exchange.first_line()[0] or "GET", exchange.first_line()[-1]
        if self.wire is None:
            self.wire = self.server.connect()
        self.send(exchange)
        answer = self.wire.answer(method, interim=(100,))
        interim = []
        if answer.status == 100:
            interim.append(100)
            self.wire.send(exchange.content)
            answer = self.wire.answer(method)
        interim += [i.status for i in answer.interim]
        assert [*interim, answer.status] == exchange.statuses, f"instead came\n{answer}"
        self.rules.append(exchange.rule)
        check_laws(answer, method, 0 if minor == "HTTP/1.0" else 1)
        problem = answer.problem()
        if problem:
            assert problem["rule"] == exchange.rule
        if answer.field("etag") and answer.status < 300:
            self.first_etag = self.first_etag or answer.field("etag")
            if self.etag is None:
                self.etag = answer.field("etag")
        self.id = (answer.field("location") or self.id).rsplit("/", 1)[-1]
        self.compare(exchange, answer)
        if answer.closes or answer.status == 101:
            self.wire.expect_end()
            self.wire.__exit__()
            self.wire = None

    def compare(self, exchange, answer):
        for name, wanted in exchange.fields:
            found = answer.field(name)
            if wanted is None:
                assert found is None, f"{name}: {found}"
                continue
            assert found is not None, f"no {name} in\n{answer}"
            wanted = wanted.replace("$etag", self.etag or "").replace("$first",
                                                                      self.first_etag or "")
            if wanted.endswith("*") and not wanted.startswith("bytes "):
                assert found.startswith(wanted[:-1]), f"{name}: {found}"
            else:
                assert found == wanted, f"{name}: {found}"
        for body in exchange.bodies:
            self.compare_body(body, answer.content)

    def compare_body(self, body, content):
        if body == "empty":
            assert content == b""
        elif body.startswith("contains "):
            assert quoted(body[9:]) in content, f"not in {content[:1000]!r}"
        elif body.startswith("file "):
            path, place = path_and_rest(body[5:])
            wanted = (self.root / path[1:]).read_bytes()
            if place:
                first, last = (int(n) for n in place.split("-"))
                wanted = wanted[first:last + 1]
            assert content == wanted
        else:
            assert content == quoted(body)

    def finish(self):
        if self.wire:
            assert self.wire.buffer == b"", f"more than an answer: {self.wire.buffer[:200]!r}"
            self.wire.__exit__()


def vectors():
    for path in sorted(HERE.glob("*/*.http")):
        vector = Vector(path)
        if not vector.engine:
            yield pytest.param(vector, id=f"{path.parent.name}/{path.stem}")


@pytest.mark.parametrize("vector", vectors())
def test_vector(vector, tmp_path):
    root = tmp_path / "root"
    vector.make(root)
    server = Server(tmp_path, vector.configuration(root), "\n".join(vector.listen))
    with server:
        held = [server.connect() for _ in range(vector.held)]
        run = Run(server, root)
        for exchange in vector.exchanges:
            run.exchange(exchange)
        run.finish()
        for wire in held:
            wire.__exit__()
    assert server.rules() == run.rules
