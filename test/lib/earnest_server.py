# SPDX-License-Identifier: Apache-2.0
"""The program under test on a port of its own, and a client that takes nothing on trust.

    with Server(folder, 'route "/" { files = "%s" }' % root) as server, server.connect() as wire:
        wire.send(b"GET / HTTP/1.1\\r\\nHost: a.example\\r\\n\\r\\n")
        answer = wire.answer("GET")
        assert answer.status == 200

The program is $EARNEST, or the debug build. The client reads answers by the letter of RFC 9112: what
it can not read is an AssertionError, never repaired.
"""
import collections
import datetime
import email.utils
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

SOURCES = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("EARNEST", str(SOURCES / "build/debug/src/main/earnest"))
PATIENCE_S = 10
TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) ([\t\x20-\x7e]*)")
FIELD_LINE = re.compile(rb"(%s): ?([\t\x20-\x7e\x80-\xff]*)" % TOKEN.encode())
CHUNK_LINE = re.compile(rb"[0-9A-Fa-f]{1,8}")
SINGLE = {"content-length", "content-type", "content-range", "date", "etag", "last-modified",
          "location", "retry-after", "transfer-encoding"}
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|"
                  r"Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT")
ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')
ERROR_TYPES = {"application/problem+json", "text/html; charset=utf-8", "text/plain; charset=utf-8",
               "application/xml; charset=utf-8"}


def carried():
    """The field that each status must carry, by status.def; "content-length" and so on."""
    table = (SOURCES / "src/code/status.def").read_text(encoding="utf-8")
    rows = re.findall(r'^STATUS\((\d+),\s*\w+,\s*"[^"]*",\s*\w+,\s*\w+,\s*(\w+)', table, re.M)
    return {int(code): name.replace("_", "-") for code, name in rows if name != "NOTHING"}


CARRIED = carried()


def seconds_of(text):
    """The time that an IMF-fixdate names, which must be right in every letter."""
    assert DATE.fullmatch(text), f"not an IMF-fixdate: {text!r}"
    parsed = email.utils.parsedate_to_datetime(text)
    assert parsed.strftime("%a") == text[:3], f"wrong name of the day: {text!r}"
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


class Answer:
    """One response. fields are (name in lower case, value) in their order."""

    def __init__(self, status, phrase, fields):
        self.status, self.phrase, self.fields = status, phrase, fields
        self.content = b""
        self.interim = []
        self.until_close = False

    def field(self, name):
        """The value of the field, its lines joined; None if there is none."""
        values = [value for other, value in self.fields if other == name]
        return ", ".join(values) if values else None

    def members(self, name):
        """The members of a list field, in lower case."""
        value = self.field(name) or ""
        return [member.strip().lower() for member in value.split(",") if member.strip()]

    @property
    def closes(self):
        return "close" in self.members("connection")

    def problem(self):
        """The problem details, or None."""
        if self.field("content-type") != "application/problem+json" or not self.content:
            return None
        return json.loads(self.content)

    def __repr__(self):
        lines = [f"{self.status} {self.phrase}", *(f"{n}: {v}" for n, v in self.fields)]
        return "\n".join([*lines, "", repr(self.content[:300])])


class Wire:
    """A connection to the server, as bytes."""

    def __init__(self, port, host="127.0.0.1", source=None):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE_S,
                                               source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends; that the server has hung up already is not wrong, it may have answered."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def end(self):
        """Sends no more."""
        self.socket.shutdown(socket.SHUT_WR)

    def more(self):
        """Reads on. Returns False at the end."""
        if self.ended:
            return False
        data = self.socket.recv(1 << 20)
        self.ended = not data
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            assert self.more(), f"the answer ends within a line: {self.buffer[:200]!r}"
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        assert b"\n" not in line and b"\r" not in line, f"a bare CR or LF in {line!r}"
        return line

    def bytes(self, n):
        parts, have = [self.buffer], len(self.buffer)
        self.buffer = b""
        while have < n:
            assert self.more(), f"the answer ends after {have} bytes of {n}"
            parts.append(self.buffer)
            have += len(self.buffer)
            self.buffer = b""
        data = b"".join(parts)
        self.buffer = data[n:]
        return data[:n]

    def chunks(self):
        content = b""
        while True:
            size = self.line()
            assert CHUNK_LINE.fullmatch(size), f"not a chunk size: {size!r}"
            if int(size, 16) == 0:
                assert self.line() == b"", "a trailer that nobody asked for"
                return content
            content += self.bytes(int(size, 16))
            assert self.line() == b"", "a chunk goes on past its size"

    def head(self):
        line = self.line()
        match = STATUS_LINE.fullmatch(line)
        assert match, f"not a status line: {line!r}"
        fields = []
        while line := self.line():
            field = FIELD_LINE.fullmatch(line)
            assert field, f"not a field line: {line!r}"
            fields.append((field[1].decode().lower(), field[2].decode("latin-1").strip(" \t")))
        names = [name for name, _ in fields]
        for name in SINGLE & set(names):
            assert names.count(name) == 1, f"{name} is there more than once"
        return Answer(int(match[1]), match[2].decode(), fields)

    def answer(self, method, interim=()):
        """The next answer. Interim ones are collected in it, unless interim names their status."""
        passed = []
        answer = self.head()
        while 100 <= answer.status < 200 and answer.status != 101:
            if answer.status in interim:
                return answer
            passed.append(answer)
            answer = self.head()
        answer.interim = passed
        coding, length = answer.field("transfer-encoding"), answer.field("content-length")
        assert not (coding and length), "Content-Length beside Transfer-Encoding"
        assert coding in (None, "chunked"), f"transfer coding {coding}"
        assert length is None or length.isdecimal(), f"Content-Length: {length}"
        if method in ("HEAD", "M-HEAD") or answer.status in (101, 204, 304):
            return answer
        if coding:
            answer.content = self.chunks()
        elif length is not None:
            answer.content = self.bytes(int(length))
        else:
            answer.until_close = True
            while self.more():
                pass
            answer.content, self.buffer = self.buffer, b""
        return answer

    def expect_end(self):
        """The server ends the connection, and says nothing more."""
        while self.more():
            pass
        assert self.buffer == b"", f"more than an answer: {self.buffer[:200]!r}"


def check_laws(answer, method, minor=1):
    """What is true of every answer, whatever caused it. minor is the request's HTTP/1.minor."""
    status, field = answer.status, answer.field
    now = time.time()
    assert field("date"), "no Date (RFC 9110 6.6.1)"
    assert abs(seconds_of(field("date")) - now) <= 3, f"Date is {field('date')}"
    if status in (204, 205, 304) or status < 200:
        assert answer.content == b"", f"{status} with content"
        assert field("transfer-encoding") is None, f"{status} with Transfer-Encoding"
    if status < 200 or status == 204:
        assert field("content-length") is None, "Content-Length in 1xx or 204 (RFC 9110 8.6)"
    if minor == 0:
        assert field("transfer-encoding") is None, "HTTP/1.0 knows no chunks"
        assert answer.closes or "keep-alive" in answer.members("connection")
    if answer.until_close:
        assert answer.closes, "content up to the end of the connection, which is not announced"
    if status in CARRIED:
        assert field(CARRIED[status]) is not None, f"{status} without {CARRIED[status]}"
    if field("etag"):
        assert ETAG.fullmatch(field("etag")), f"ETag: {field('etag')}"
    if field("last-modified"):
        assert seconds_of(field("last-modified")) <= seconds_of(field("date"))
    if field("location"):
        assert re.fullmatch(r"[!#$%&'()*+,\-./:;=?@_~\[\]0-9A-Za-z]*", field("location"))
        assert not field("location").startswith("//"), "a location on another host"
    check_range(answer)
    if status >= 400:
        check_error(answer, method)


def check_range(answer):
    """Do Content-Range and the content fit together?"""
    place = answer.field("content-range")
    if answer.status == 206 and not (answer.field("content-type") or "").startswith("multipart/"):
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", place or "")
        assert match, f"Content-Range: {place}"
        first, last, length = (int(n) for n in match.groups())
        assert first <= last < length
        assert len(answer.content) == last - first + 1
    elif answer.status == 226 and "range" in answer.members("im"):
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", place or "")
        assert match and int(match[1]) <= int(match[2]) < int(match[3]), f"Content-Range: {place}"
    elif answer.status == 416:
        assert re.fullmatch(r"bytes \*/\d+", place or ""), f"Content-Range: {place}"
    else:
        assert place is None, f"Content-Range in {answer.status}"


def check_error(answer, method):
    """An error says what happened, in a form and a language that the client takes."""
    assert answer.field("content-type") in ERROR_TYPES, f"type {answer.field('content-type')}"
    assert answer.field("content-language") in ("en", "bn")
    assert {"accept", "accept-language"} <= set(answer.members("vary"))
    if method in ("HEAD", "M-HEAD"):
        assert answer.content == b""
        return
    assert answer.content, "an error without content"
    answer.content.decode("utf-8")
    problem = answer.problem()
    if problem is not None:
        assert problem["status"] == answer.status
        assert problem["title"] and problem["detail"] and problem["rule"]
    elif answer.field("content-type").startswith("application/xml"):
        assert b'<D:error xmlns:D="DAV:"><D:' in answer.content
    else:
        assert str(answer.status).encode() in answer.content


TAKEN = collections.deque(maxlen=256)  # a socket without a file bears the number of each port given out


def await_port(port, process, log):
    """Waits until a program accepts connections there. log: the file of what it says, which is told if it does
    not."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            Wire(port).__exit__()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.02)


def free_port():
    """A port that nothing uses, and that no other run of the tests is given meanwhile: servers share their
    ports, so two of them at one would answer each other's clients. It is below those that the kernel gives
    to clients: one of these may be taken again between now and then."""
    while True:
        port = random.randrange(12000, 32000)
        mine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mine.bind(f"\0earnest-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("0.0.0.0", port))
        except OSError:
            mine.close()
            continue
        if len(TAKEN) == TAKEN.maxlen:
            TAKEN.popleft().close()
        TAKEN.append(mine)
        return port


SECRETS = set()


def secret(text):
    """What no log may have, of any server that a test starts from now on."""
    SECRETS.add(text.encode() if isinstance(text, str) else text)
    return text


class Server:
    """The program, from start to stop. It must stop when told, with 0, and without a complaint.

    folder   where its configuration, its log and its standard error are kept
    config   lines of earnest.conf; listen, workers and log are added
    listen   options of the listener
    kind     of the listener: listen, portal or forward
    """

    def __init__(self, folder, config, listen="", environment=None, kind="listen"):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.log_path = self.folder / "access.log"
        self.config_path = self.folder / "earnest.conf"
        self.config_path.write_text(
            f'{kind} "127.0.0.1:{self.port}" {{\n{listen}\n}}\nworkers = 1\n'
            f'log {{ format = "combined" file = "{self.log_path}" }}\n{config}\n',
            encoding="utf-8")
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def __enter__(self):
        with open(self.folder / "stderr", "wb") as errors:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [PROGRAM, "serve", "-c", self.config_path], stdin=subprocess.DEVNULL,
                stdout=errors, stderr=errors, env=self.environment)
        deadline = time.monotonic() + PATIENCE_S
        while not self.accepts():
            assert self.process.poll() is None, f"it did not start:\n{self.stderr()}"
            if time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"it does not accept connections:\n{self.stderr()}")
            time.sleep(0.003)
        return self

    def accepts(self):
        try:
            with Wire(self.port) as wire:
                wire.end()
                while wire.more():
                    pass
                return True
        except OSError:
            return False

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "nothing: it did not stop"
        if kind is None:
            self.check_secrets()
            assert code == 0, f"it stopped with {code}:\n{self.stderr()}"
            assert not re.search(r"Sanitizer|runtime error|[Aa]ssertion", self.stderr()), (
                self.stderr())

    def check_secrets(self):
        for path in (*self.folder.glob("*.log"), self.folder / "stderr"):
            if not path.is_fifo() and path.is_file():
                text = path.read_bytes()
                assert not [s for s in SECRETS if s in text], f"a secret is in {path}"

    def connect(self):
        return Wire(self.port)

    def stderr(self):
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace")

    def rules(self):
        """The rules of the access log, one a line; complete once the server has stopped."""
        log = self.log_path.read_text(encoding="utf-8")
        return re.findall(r"^.* rule=(\w+)", log, re.M)
