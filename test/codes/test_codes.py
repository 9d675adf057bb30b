# SPDX-License-Identifier: Apache-2.0
"""Runs the vectors of this folder against the whole server, over real sockets, in each way that is spoken.

One server a vector: it is started with the vector's files and configuration, and stopped again, so
that the rules in its access log can be compared. README.md has the format.
"""
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import tempfile

import pytest

from carriers import WAYS, Unsayable, as_h2
from earnest_server import Server, check_laws, seconds_of
from tls import make_certificate
from upstream import SILENCE, Upstream, deaf_port, refusing_port

HERE = pathlib.Path(__file__).parent
MODIFIED_S = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
WORDS_OF_ENGINE = {"fact", "etag", "modified", "length", "relayed"}

# What hides that something is there gives the answer of what is not (RFC 9110 15.5.4).
SHOWN = {"forbidden_hidden": "missing"}


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
        self.changes = []  # files that get other content before it

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


class Behind:
    """What is behind the server of a vector, as its lines `upstream` say, while it runs."""

    def __init__(self, script):
        self.script, self.held, self.server = script, [], None

    def __enter__(self):
        words = {"ends": None, "silent": SILENCE}
        if self.script == ["refuses"]:
            self.held, port = refusing_port()
        elif self.script == ["deaf"]:
            self.held, port = deaf_port()
        elif self.script == ["nameless"]:
            return "no-such-name.invalid"
        elif self.script:
            self.server = Upstream([words[s] if s in words else quoted(s) for s in self.script])
            port = self.server.__enter__().port
            here = f"127.0.0.1:{port}".encode()
            self.server.script = [each.replace(b"UPSTREAM", here) if isinstance(each, bytes) else each
                                  for each in self.server.script]
        else:
            return ""
        return f"127.0.0.1:{port}"

    def __exit__(self, *reason):
        for each in self.held if isinstance(self.held, list) else [self.held]:
            each.close()
        if self.server:
            self.server.__exit__(*reason)


class Vector:
    def __init__(self, path):
        self.engine = False
        self.upstream = []
        self.excluded = {}  # why it does not hold over h1, h2, or tls
        self.makers, self.config, self.held = [], None, 0
        self.route = {"files": '"ROOT"', "listing": "true"}
        self.top, self.listen, self.listener, self.limits = [], [], "listen", []
        self.exchanges, self.changes = [], []
        lines = iter(path.read_text(encoding="utf-8").split("\n"))
        state = ""
        for line in lines:
            if line.startswith(">"):
                if state != ">":
                    self.exchanges.append(Exchange())
                    self.exchanges[-1].changes, self.changes = self.changes, []
                self.exchanges[-1].read_request(line)
            elif line.startswith("<"):
                self.exchanges[-1].read_answer(line)
            elif line.startswith("! rule "):
                self.exchanges[-1].rule = line.split()[2]
            elif line.startswith("! not "):
                way, source = re.fullmatch(r"! not (h1|h2|tls) (RFC \d+ [\d.]+)", line).groups()
                self.excluded[way] = source
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
            if key == "fastcgi":
                del self.route["files"], self.route["listing"]
        elif word == "top":
            self.top.append(rest)
        elif word in ("listen", "portal", "forward"):
            self.listen.append(rest)
            self.listener = self.listener if word == "listen" else word
        elif word == "limit":
            self.limits.append(" = ".join(rest.split()))
        elif word == "hold":
            self.held = int(rest)
        elif word == "change":
            self.changes.append(path_and_rest(rest))
        elif word == "upstream":
            self.upstream.append(rest)
            self.route = {"proxy": '{ "http://UPSTREAM" }'}
        elif word in ("file", "dir", "size", "symlink", "fifo"):
            self.makers.append((word, *path_and_rest(rest)))
        elif word == "program":
            self.makers.append((word, *path_and_rest(rest)))
            self.route = {"cgi": '"ROOT"', "run_as": f'"{pwd.getpwuid(os.getuid()).pw_name}"'}
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
                made.chmod(0o755 if kind == "program" else 0o644)

    def shows_decisions(self):
        """Is it about what shows decisions, and none of its own?"""
        return any(b"/.earnest/live" in piece for exchange in self.exchanges
                   for piece in exchange.head if isinstance(piece, bytes))

    def configuration(self, root, upstream):
        if self.config is not None:
            text = "\n".join(self.config)
        else:
            text = "\n".join(['route "/" {', *(f"{k} = {v}" for k, v in self.route.items()), "}"])
        if "write = true" in text or "deltas = " in text:
            text += f'\nstate = "{root}.state"'
        text = "\n".join([*self.top, text])
        if not self.shows_decisions():
            text = 'live_allow = { "127.0.0.1" }\n' + text
        if self.limits:
            text += "\nlimits {\n" + "\n".join(self.limits) + "\n}"
        return text.replace("ROOT", str(root)).replace("UPSTREAM", upstream)


class Run:
    """The exchanges of a vector with a server, in one way."""

    def __init__(self, port, root, way, quiet, upstream):
        self.port, self.root, self.quiet, self.upstream = port, root, quiet, upstream
        self.carrier = way(port)
        self.etag = self.first_etag = None
        self.id = "$id"
        self.rules = []
        self.told = []  # of each answer: where it is explained, status and rule
        self.resets = 0

    def etag_of(self, target):
        """The ETag that $etag stands for: that of the last answer, or the one that HEAD gives."""
        if self.etag is None:
            other = type(self.carrier)(self.port)
            other.ask("HEAD", [f"HEAD {target} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode()], b"", False)
            self.etag = other.answer().field("etag")
            other.finish()
            self.rules.append("ok")
            assert self.etag, "HEAD gives no ETag for $etag"
        return self.etag.encode("latin-1")

    def filled(self, exchange, piece):
        """The piece with ETags in the place of their names, and with the scheme that is spoken."""
        if not isinstance(piece, bytes):
            return piece
        if self.carrier.secure:
            piece = re.sub(rb"http://(?=[ab]\.example)", b"https://", piece)
        piece = piece.replace(b"UPSTREAM", self.upstream.encode())
        if exchange.raw or b"$" not in piece:
            return piece
        if b"$etag" in piece:
            piece = piece.replace(b"$etag", self.etag_of(exchange.first_line()[1]))
        piece = piece.replace(b"$id", self.id.encode("latin-1"))
        return piece.replace(b"$first", (self.first_etag or "$first").encode("latin-1"))

    def exchange(self, exchange):
        for path, text in exchange.changes:
            new = self.root / ".new"
            new.write_bytes(quoted(text))
            new.replace(self.root / path[1:])
        method, minor = exchange.first_line()[0] or "GET", exchange.first_line()[-1]
        pieces = [self.filled(exchange, piece) for piece in exchange.pieces()]
        self.carrier.ask(method, pieces, exchange.content, exchange.expects())
        answer, interim = self.carrier.answer(interim=(100,)), []
        if answer is None:
            assert exchange.rule == "malformed", "a good request was reset"
            self.resets += 1
            return
        if answer.status == 100:
            interim.append(100)
            self.carrier.go_on(exchange.content)
            answer = self.carrier.answer()
        interim += [i.status for i in answer.interim]
        assert [*interim, answer.status] == exchange.statuses, f"instead came\n{answer}"
        self.rules.append(exchange.rule)
        self.remember(exchange, answer)
        check_laws(answer, method, 0 if minor == "HTTP/1.0" else 1)
        problem = answer.problem()
        if problem:
            assert problem["rule"] == SHOWN.get(exchange.rule, exchange.rule)
        if answer.field("etag") and answer.status < 300:
            self.first_etag = self.first_etag or answer.field("etag")
            if self.etag is None:
                self.etag = answer.field("etag")
        self.id = (answer.field("location") or self.id).rsplit("/", 1)[-1]
        self.compare(exchange, answer)
        self.carrier.done(answer)

    def remember(self, exchange, answer):
        """Every answer says where it is explained, but for those of what shows decisions."""
        lines = {field: re.fullmatch(r'</\.earnest/why/([0-9a-f-]+)>; rel="describedby"', field[1])
                 for field in answer.fields if field[0] == "link"}
        ids = [match[1] for match in lines.values() if match]
        answer.fields = [field for field in answer.fields if not lines.get(field)]
        assert len(ids) == (0 if self.quiet else 1), f"it is explained at {ids}"
        self.told += [(id, answer.status, exchange.rule) for id in ids]

    def replay(self, admin):
        """What is remembered of each decision leads to the same rule and status again."""
        for id, status, rule in self.told:
            with socket.socket(socket.AF_UNIX) as asks:
                asks.connect(str(admin))
                asks.sendall(f"why {id} json en\n".encode())
                with asks.makefile("rb") as file:
                    why = json.load(file)
            assert "error" not in why, f"{id}: {why}"
            assert (why["id"], why["status"], why["rule"]) == (id, status, rule)
            assert why["replayed"] == {"rule": rule, "status": status}
            assert [step["rule"] for step in why["steps"] if step["group"] == "held"] == [rule]

    def compare(self, exchange, answer):
        for name, wanted in exchange.fields:
            if name == "connection" and "h2" in self.carrier.excluded_by:
                continue  # RFC 9113 8.2.2
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


def vectors():
    for path in sorted(HERE.glob("*/*.http")):
        vector = Vector(path)
        if not vector.engine:
            yield f"{path.parent.name}/{path.stem}", vector


def ways():
    for name, vector in vectors():
        for way, carrier in WAYS.items():
            if not carrier.excluded_by & set(vector.excluded):
                yield pytest.param(vector, carrier, id=name if way == "http" else f"{name} {way}")


@pytest.fixture(name="admin")
def short_path():
    """Where the admin socket can be: the path of a socket must be short."""
    folder = tempfile.mkdtemp()
    yield pathlib.Path(folder) / "admin"
    shutil.rmtree(folder)


def run_vector(vector, server, run, admin):
    with server:
        held = [server.connect() for _ in range(vector.held)]
        for exchange in vector.exchanges:
            run.exchange(exchange)
        run.carrier.finish()
        run.replay(admin)
        for wire in held:
            wire.__exit__()


@pytest.mark.parametrize("vector, way", ways())
def test_vector(vector, way, tmp_path, admin):
    root = tmp_path / "root"
    vector.make(root)
    with Behind(vector.upstream) as upstream:
        listen = [line.replace("UPSTREAM_PORT", upstream.rpartition(":")[2]) for line in vector.listen]
        listen += [make_certificate(tmp_path)] if way.secure else []
        server = Server(tmp_path, f'admin = "{admin}"\n{vector.configuration(root, upstream)}',
                        "\n".join(listen), kind=vector.listener)
        run = Run(server.port, root, way, vector.shows_decisions(), upstream)
        run_vector(vector, server, run, admin)
    logged = server.rules()
    if run.resets:  # a malformed request may be reset before there is anything to log
        logged = [rule for rule in logged if rule != "malformed"]
    assert logged == run.rules


@pytest.mark.parametrize("vector", [pytest.param(vector, id=name) for name, vector in vectors()
                                    if "h2" not in vector.excluded])
def test_vector_can_be_said_in_h2(vector):
    """A vector that HTTP/2 has no words for says so: ! not h2 SOURCE."""
    for exchange in vector.exchanges:
        pieces = b"".join(piece for piece in exchange.pieces() if isinstance(piece, bytes))
        try:
            as_h2(pieces + exchange.content, b"http")
        except Unsayable as reason:
            pytest.fail(f"not marked: {reason}")
