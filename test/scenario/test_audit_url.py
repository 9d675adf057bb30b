# SPDX-License-Identifier: Apache-2.0
"""`earnest audit`: Earnest has no wrong row, and each row is able to find one: a server that answers
all of them right but for some, of which each is found."""
import email.utils
import json
import pathlib
import re
import socket
import subprocess
import threading
import xml.etree.ElementTree

import pytest

from earnest_server import PROGRAM, SOURCES, Server, free_port
from tls import make_certificate

ROW = re.compile(r'^PROBE\((\d+), (\w+), (\w+), (\w+), (\w+), .*?, "([0-9a-z* ]*)", '
                 r'"([^"]*(?:\\"[^"]*)*)", "([^"]+)", "([^"]+)"\)$', re.M)
TABLE = (SOURCES / "src/main/audit.def").read_text(encoding="utf-8")
ROWS = [{"code": int(m[1]), "name": m[2], "kind": m[3], "where": m[4], "learns": m[5],
         "others": m[6].split(), "carries": m[7].split("|") if m[7] else []}
        for m in ROW.finditer(TABLE)]
CONTENT = b"What there is.\n"
ETAG = '"one"'
# Codes that a run against one configuration of Earnest earns; the others need more than a client.
EARNED = {100, 104, 200, 201, 202, 204, 206, 207, 208, 301, 304, 400, 403, 404, 405, 406, 408, 409,
          410, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 431, 501, 502, 505, 508, 510}
NOT_OVER_HTTP2 = {408, 505}  # half a head; a version
UNSENT = ("SLOW", "H2")  # without --slow, and without --h2


def audit(*arguments):
    """Its exit code, what it found (absent with exit code 2), and its complaint."""
    done = subprocess.run([PROGRAM, "audit", "--json", *arguments], capture_output=True, text=True,
                          timeout=100, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def rows_of(found):
    """The verdict and the reason of each row, by code, kind and name."""
    return {(code["code"], row["name"], row["kind"]): row
            for code in found["codes"] for row in code["probes"]}


def key(row):
    return row["code"], row["name"], row["kind"].lower()


def wrong_of(found):
    return {name: row["found"] for name, row in rows_of(found).items() if row["verdict"] == "wrong"}


def test_the_table_is_read_here_as_it_is_there():
    assert len(ROWS) == len(re.findall(r"^PROBE\(", TABLE, re.M)) > 100
    assert len({key(row) for row in ROWS}) == len(ROWS), "two rows have one name"


def test_all_of_it_is_said_in_bengali():
    words = (SOURCES / "src/main/audit_words.def").read_text(encoding="utf-8")
    said = dict(re.findall(r'^SAY\("(.*)", "(.*)"\)$', words, re.M))
    sentences = set(re.findall(r', "([^"]+)"\)$', TABLE, re.M))
    assert len(sentences) > 130 and sentences - set(said) == set()
    spoken = (SOURCES / "src/main/verdict.c").read_text(encoding="utf-8") + \
        (SOURCES / "src/main/audit.c").read_text(encoding="utf-8")
    assert set(re.findall(r'audit_say\("([^"]+)"\)', spoken)) - set(said) == set()
    assert all(re.search("[\u0980-\u09ff]", bengali) for bengali in said.values() if bengali)


def test_it_speaks_the_language_that_is_asked_for(tmp_path):
    with earnest(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}/dir/page.txt"
        page = tmp_path / "page.html"
        said = [subprocess.run([PROGRAM, "audit", *options, "--html", str(page), url], text=True, timeout=60,
                               env={"LC_ALL": "bn_BD.UTF-8"}, capture_output=True, check=True).stdout
                for options in (["--lang", "en"], ["--lang", "bn"], [])]
    assert "200 OK " in said[0] and "earned" in said[0] and "অর্জিত" not in said[0]
    assert "অর্জিত" in said[1] and "earned" not in said[1] and "যে রিসোর্স আছে তার GET" in said[1]
    assert said[2] == said[1]
    assert '<html lang="bn">' in page.read_text(encoding="utf-8")


def earnest(folder, listen=""):
    """A server with a folder, one that is written to, and little patience."""
    (folder / "root/dir").mkdir(parents=True)
    (folder / "area").mkdir()
    (folder / "state").mkdir()
    (folder / "root/dir/page.txt").write_text("A line of a page.\n" * 400, encoding="ascii")
    return Server(folder, f'''
        state = "{folder}/state"
        limits {{ header_timeout_ms = 500ms }}
        site "127.0.0.1" {{
            aliases = {{ "localhost" }}
            route "/" {{ files = "{folder}/root" negotiate = "strict" }}
            route "/area/" {{ files = "{folder}/area" write = true infinite = true tombstones = "1d" }}
        }}''', listen="strict = true\n" + listen)


@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_earnest_has_no_wrong_row(tmp_path, secure, h2):
    listen = make_certificate(tmp_path, "127.0.0.1") if secure else ""
    with earnest(tmp_path, listen) as server:
        url = f"http{'s' if secure else ''}://127.0.0.1:{server.port}"
        code, found, complaint = audit(*(["--h2"] if h2 else ["--slow"]), "-k", "--write", url + "/area/", "--junit",
                                       str(tmp_path / "junit.xml"), "--html",
                                       str(tmp_path / "page.html"), url + "/dir/page.txt")
    assert code == 0, (complaint, found and wrong_of(found))
    assert wrong_of(found) == {}
    assert {c["code"] for c in found["codes"] if c["verdict"] == "earned"} == \
        EARNED - (NOT_OVER_HTTP2 if h2 else set())
    version = r"HTTP/2\.0" if h2 else r"HTTP/1\.1"
    assert re.search(rf'"GET /dir/page.txt {version}" 200 ', server.log_path.read_text(encoding="ascii"))
    assert len(found["codes"]) == 63
    assert list((tmp_path / "area").glob("earnest-audit*")) == []
    suite = xml.etree.ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert int(suite.get("tests")) == len(ROWS) == len(suite.findall("testcase"))
    assert suite.get("failures") == "0"
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<tr class=\"code\">") == 63 and url in page


def test_nothing_is_written_unless_it_is_asked_for(tmp_path):
    with earnest(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}/area/"
        (tmp_path / "area/a.txt").write_text("mine", encoding="ascii")
        code, found, _ = audit(url + "a.txt")
    assert code == 0 and found["wrong"] == 0
    assert [path.name for path in (tmp_path / "area").iterdir() if path.name[0] != "."] == ["a.txt"]
    assert (tmp_path / "area/a.txt").read_text(encoding="ascii") == "mine"
    log = server.log_path.read_text(encoding="ascii")
    assert not re.search(r'"(PUT|POST|DELETE|PATCH|MKCOL|COPY|MOVE|LOCK) ', log)


class Liar:
    """A server that answers the rows in their order: right, or as `lie` has it, or not at all.

    lie(row) returns the bytes of an answer, or None for the right one
    """

    def __init__(self, lie):
        self.lie = lie
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/dir/"
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)

    def serve(self):
        for row in ROWS:
            if row["kind"] in UNSENT:
                continue
            try:
                wire, _ = self.socket.accept()
            except OSError:
                return
            with wire:
                wire.settimeout(5)
                head = b""
                while b"\r\n\r\n" not in head.lstrip(b"\r\n"):
                    head += wire.recv(1 << 17)
                answer = self.lie(row) or right(row, head.lstrip().startswith(b"HEAD "))
                wire.sendall(answer)
                wire.shutdown(socket.SHUT_WR)
                while wire.recv(1 << 17):
                    pass


def message(status, content=CONTENT, date=True, fields=None, is_head=False):
    """An answer with all that its status must carry."""
    carried = {101: "Upgrade: websocket", 103: "Link: </x>; rel=preload", 226: "IM: gdiff",
               401: "WWW-Authenticate: Basic realm=x", 405: "Allow: GET",
               407: "Proxy-Authenticate: Basic realm=x", 416: "Content-Range: bytes */15",
               426: "Upgrade: websocket", 206: "Content-Range: bytes 0-0/15"}
    lines = [f"HTTP/1.1 {status} x", f"ETag: {ETAG}", "Connection: close",
             "Last-Modified: Tue, 01 Sep 2026 00:00:00 GMT"]
    lines += [f"Date: {email.utils.formatdate(usegmt=True)}"] if date else []
    lines += [carried[status]] if status in carried else []
    lines += ["Location: /x"] if status // 100 == 3 and status not in (300, 304) else []
    lines += fields or []
    if status // 100 != 1 and status not in (204, 304):
        lines += [f"Content-Length: {len(content)}"]
    else:
        content = b""
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if is_head else content)


def right(row, is_head):
    """What lets later rows go on: a success with all that can be learnt from it."""
    status = row["code"] if row["kind"] == "EARN" else 200
    fields = ["Lock-Token: <urn:x>", "Content-Type: application/xml"]
    content = CONTENT
    if row["learns"] == "LOCK":
        content = b"<activelock/>"
    if row["name"] == "written":
        content = b"two\n"
    if status // 100 == 1:
        status = 200
    return message(status, content, fields=fields, is_head=is_head)


def other(row):
    """A status that is not the row's, and none of those that may stand for it."""
    if row["kind"] == "NEAR":
        return message(row["code"]) if row["code"] != 100 else \
            b"HTTP/1.1 100 Continue\r\n\r\n" + message(200)
    allowed = row["others"]
    for status in (200, 404, 302, 599):
        if status != row["code"] and "*" not in allowed and str(status) not in allowed and \
                f"{status // 100}xx" not in allowed:
            return message(status)
    return message(599)[:-3]  # any status will do: but not one whose content is cut


def found_by(lie):
    with Liar(lie) as liar:
        return audit("--write", liar.url, liar.url)


def test_each_row_finds_an_answer_that_is_none_of_its_own():
    rows = [row for row in ROWS if row["learns"] == "NOTHING" and row["kind"] not in UNSENT]
    code, found, complaint = found_by(lambda row: other(row) if row in rows else None)
    assert code == 1, complaint
    assert {key(row) for row in rows} - set(wrong_of(found)) == set()


@pytest.mark.parametrize("row", [row for row in ROWS if row["learns"] != "NOTHING"],
                         ids=lambda row: row["name"])
def test_each_row_that_teaches_finds_it_too(row):
    code, found, complaint = found_by(lambda asked: other(row) if asked == row else None)
    if row["learns"] == "TARGET":
        assert code == 2 and "must give 200" in complaint
        return
    assert code == 1
    assert key(row) in wrong_of(found)


def test_each_row_finds_what_its_answer_lacks():
    """The right status, with all that any answer must have, and nothing of what this one must."""
    rows = [row for row in ROWS if row["carries"] and row["learns"] == "NOTHING"]

    def lie(row):
        if row not in rows:
            return None
        barred = [piece[1:] for piece in row["carries"] if piece.startswith("!")]
        fields = [f"{name}: {'bytes 0-0/15' if name == 'content-range' else 'chunked'}"
                  for name in barred]
        status = row["code"] if row["kind"] == "EARN" else 207 if row["kind"] == "WITHIN" else 200
        if row["kind"] == "EARN" and status in (206, 416, 405, 304):
            return message(status).replace(b"0-0/15", b"7-8/9").replace(b"*/15", b"*/9") \
                .replace(b"Allow: GET\r\n", b"").replace(b'"one"', b'"two"')
        if barred == ["transfer-encoding"]:
            return message(200).replace(b"Content-Length: 15", b"Transfer-Encoding: chunked") \
                .replace(CONTENT, b"0\r\n\r\n")
        answer = message(status, fields=fields)
        return answer.replace(b"ETag: \"one\"\r\n", b"") if row["carries"] == ["etag"] or \
            "etag={etag}" in row["carries"] else answer

    code, found, _ = found_by(lie)
    assert code == 1
    assert {key(row) for row in rows} - set(wrong_of(found)) == set()


@pytest.mark.parametrize("answer, what", [
    (message(404, date=False), "it lacks Date"),
    (message(404).replace(b"HTTP/1.1 404", b"HTTP/1.1 4O4"), "no HTTP"),
    (message(404)[:-4], "ends before"),
    (message(401).replace(b"WWW-", b"XXX-"), "it lacks WWW-Authenticate"),
    (message(404).replace(b"Content-Length", b"Content-Length : 1\r\nContent-Length"), "no HTTP"),
    (b"HTTP/1.1 103 x\r\n\r\n" + message(404), "interim"),
    (message(304) + b"more", "bytes follow"),
    (message(204).replace(b"Date", b"Content-Length: 0\r\nDate"), "Content-Length"),
])
def test_a_message_that_is_wrong_in_itself_is_never_right(answer, what):
    """Whatever may be answered to it."""
    asked = next(row for row in ROWS if row["name"] == "early")
    code, found, _ = found_by(lambda row: answer if row == asked else None)
    assert code == 1
    assert what in wrong_of(found)[key(asked)]


def hostile(data):
    """A server that sends this to whoever comes, over and over."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=flood, args=(wire,), daemon=True).start()

    def flood(wire):
        with wire:
            try:
                wire.sendall(data[0])
                while data[1]:
                    wire.sendall(data[1])
                wire.recv(1 << 20)
                wire.settimeout(10)
                while wire.recv(1 << 20):
                    pass
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.mark.parametrize("begin, again", [
    (b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n", b"x" * 65536),
    (b"HTTP/1.1 200 x\r\n", b"X-A: b\r\n" * 512),
    (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    (b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 50000),
    (b"", b""),
])
def test_a_hostile_server_costs_no_more_than_the_patience_that_there_is(begin, again):
    with hostile((begin, again)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        done = subprocess.run([PROGRAM, "audit", "--timeout", "1", url], capture_output=True,
                              timeout=30, check=False)
    assert done.returncode == 2, done.stderr


def test_nobody_there_and_wrong_usage():
    code, _, complaint = audit(f"http://127.0.0.1:{free_port()}/")
    assert code == 2 and "must give 200" in complaint
    for wrong in (["--write"], [], ["--timeout", "0", "http://x/"], ["-H", "no colon", "http://x/"],
                  ["http://a/", "http://b/"], ["--nothing", "http://a/"]):
        assert audit(*wrong)[0] == 2, wrong
    assert pathlib.Path(PROGRAM).exists()
