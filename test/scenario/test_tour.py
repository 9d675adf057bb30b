# SPDX-License-Identifier: Apache-2.0
"""The tour without a browser: every page is served, and every recipe earns its code on the wire."""
import html.parser
import os
import re
import signal
import subprocess
import time

import pytest

from earnest_server import PROGRAM, SOURCES
from scenario import wait_until
from tour import NEVER, RULE, Tour, codes, earned, recipes

BYTES_MAX = 60_000
# A proxy, chunks, another protocol or version, half a head: their recipes are lines of HTTP/1.1.
NOT_OVER_HTTP2 = {101, 400, 407, 408, 411, 505}
FRAME = re.compile(r"^([<>]) ([A-Z_]+|\d+), stream (\d+), .*, (\d+) bytes$", re.M)
BENGALI = re.compile("[\u0980-\u09ff]")
LANGUAGES = ["en", "bn"]
VOID = {"meta", "link", "input", "br"}
UNCLOSED = VOID | {"p", "html", "li", "td", "th", "tr"}


@pytest.fixture(name="tour", scope="module")
def running_tour(tmp_path_factory):
    with Tour(tmp_path_factory.mktemp("tour")) as tour:
        yield tour


class Page(html.parser.HTMLParser):
    """A page: whether its elements are closed, where its links lead, which ids it has."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids, self.scripts = [], [], [], []
        self.feed(text)
        self.close()
        assert [name for name in self.open if name not in UNCLOSED] == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in UNCLOSED:
            self.open.append(tag)
        assert "style" not in attributes and not any(name.startswith("on") for name in attributes)
        if "id" in attributes:
            assert attributes["id"] not in self.ids, "an id is there twice"
            self.ids.append(attributes["id"])
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        if tag == "script":
            self.scripts.append(attributes)

    def handle_endtag(self, tag):
        if tag not in UNCLOSED:
            assert self.open.pop() == tag


def names():
    return ["", "rules", "live", *map(str, codes())]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages(tour, language, figure):
    """Each is there in both languages, small, whole, and allowed to run nothing of its own."""
    sizes, linked, ids = {}, set(), {}
    for name in names():
        fields, text, size = tour.page(f"/tour/{name}", language)
        page = Page(text)
        assert fields["content-language"] == language, name
        policy = fields["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
        assert f'<html lang="{language}">' in text and "\ufffd" not in text
        assert all("src" in script for script in page.scripts)
        assert len(BENGALI.findall(text)) > 60 if language == "bn" else len(BENGALI.findall(text)) < 6
        sizes[name] = size
        ids[f"{name or 'index'}.{language}.html"] = page.ids
        linked |= {link for link in page.links if not link.startswith("https://www.rfc-editor.org/")}
    assert max(sizes.values()) < BYTES_MAX
    figure(f"largest page on the wire, {language}", max(sizes.values()), "bytes")
    for link in linked:
        name, _, place = link.partition("#")
        assert not place or not name or place in ids[name], f"{link} leads to nothing"
        assert not name or tour.ask("GET", f"/tour/{name}")[0] == 200, f"{link} leads to nothing"


def test_every_code_has_a_recipe():
    assert sorted(recipes()) == codes()
    assert {code for code, (answer, _) in recipes().items() if answer is None} <= NEVER


@pytest.mark.parametrize("code", codes())
def test_code_is_earned(tour, code):
    """The page's exchange earns its code; each near miss gets what is foretold, by the rule."""
    answer, nears = recipes()[code]
    if answer is None:
        _, text, _ = tour.page(f"/tour/{code}", "en")
        assert "Nothing in this world earns it." in text and "<form" not in text
        assert tour.ask("POST", f"/tour/play?code={code}", b"", Content_Type="message/http")[0] == 404
        return
    for again in range(2):  # what is done once does not stand in the way
        last = tour.play(code)[-1]
        assert last["status"] == answer[0], (again, last)
        assert (code in earned(last["got"])) == (code not in NEVER), last["got"]
        rule = RULE.search(last["got"])
        assert not rule or rule[1] == answer[1] or answer[1] == "relayed", last["got"]
    for i, (status, rule) in enumerate(nears):
        last = tour.play(code, i)[-1]
        assert last["status"] == status, (i, last)
        said = RULE.search(last["got"])
        assert not said or said[1] == rule or rule == "relayed", last["got"]


def why(tour, got):
    link = re.search(r'<(/\.earnest/why/[^>]+)>; rel="describedby"', got)
    return link and tour.ask("GET", link[1], Accept="image/svg+xml")


@pytest.mark.parametrize("code", [code for code in codes() if code not in NEVER])
def test_code_is_earned_over_http2(tour, code):
    """Frame by frame, each with its bytes; what HTTP/2 has no words for goes over HTTP/1.1."""
    answer, nears = recipes()[code]
    last = tour.play(code, h2=True)[-1]
    assert last["status"] == answer[0] and code in earned(last["got"]), last
    if code in NOT_OVER_HTTP2:
        assert not FRAME.search(last["sent"] + last["got"])
        return
    assert last["sent"].startswith("> PRI * HTTP/2.0, the preface\n>   | 50 52 49 20 ")
    assert re.search(r"^> HEADERS, stream 1, .*END_HEADERS, \d+ bytes\n>   :method: ", last["sent"], re.M)
    for direction, text in (">", last["sent"]), ("<", last["got"]):
        for head, body in zip(FRAME.finditer(text), FRAME.split(text)[1 + FRAME.groups::1 + FRAME.groups]):
            if "…" in body:
                break
            octets = bytes.fromhex(re.findall(r"^[<>]   \|((?: [0-9a-f]{2})+)", body, re.M)[-1])
            assert head[1] == direction and int.from_bytes(octets[:3], "big") == int(head[4])
            assert int.from_bytes(octets[5:9], "big") == int(head[3])
    for i, (status, _) in enumerate(nears):
        assert status in earned(tour.play(code, near=i, h2=True)[-1]["got"]), i


def test_path_is_shown(tour):
    """Also of answers of the other listeners, on the page of the tour."""
    for code in (200, 412, 407, 511):
        status, fields, content = why(tour, tour.play(code)[-1]["got"])
        assert (status, fields["content-type"]) == (200, "image/svg+xml"), code
        assert str(code).encode() in content and b'class="held"' in content


def test_request_is_changed(tour):
    """An edit moves the verdict; names and repetitions in it are filled in, content is counted."""
    edit = b"PUT /team/edited.txt HTTP/1.1\nHost: $host\nContent-Length: $length\n\n{ab*3}\\r\\n\\x00!\n"
    last = tour.play(412, edited=edit)[-1]
    assert last["status"] in (201, 204)
    assert last["sent"].startswith("PUT /team/edited.txt HTTP/1.1\r\n")
    assert "Content-Length: 10\r\n" in last["sent"] and last["sent"].endswith("ababab\r\n\\x00!")
    assert tour.ask("GET", "/team/edited.txt")[2] == b"ababab\r\n\0!"
    assert tour.play(412, edited=b"GET /{")[-1]["status"] in (400, 408)
    assert tour.play(412, edited=b"GET /{x*99999} HTTP/1.1\nHost: $host\n\n")[-1]["status"] in (0, 400, 414)
    assert tour.play(412, edited=b"GET /{{x*9}*9} $ $lock$etag\n\n")[-1]["status"] in (400, 505)


def test_only_pages_of_the_tour_play(tour):
    """A page of another site can not make this one send anything; nor is anything else sent to."""
    path, kind = "/tour/play?code=412", "message/http"
    assert tour.ask("POST", path, b"", Content_Type="text/plain")[0] == 403
    assert tour.ask("POST", path, b"", Content_Type=kind, Sec_Fetch_Site="cross-site")[0] == 403
    assert tour.ask("POST", path, b"", Content_Type=kind, Host="evil.example")[0] == 421
    assert tour.ask("POST", path, b"x" * 9000, Content_Type=kind)[0] == 413
    assert tour.ask("OPTIONS", path, None, Origin="http://evil.example")[1].get(
        "access-control-allow-origin") is None
    for query in ("", "code=999", "code=412&near=6", "code=412&near=x", "code=", "near=0"):
        assert tour.ask("POST", f"/tour/play?{query}", b"", Content_Type=kind)[0] == 404
    assert tour.ask("GET", path)[0] == 404
    login = "Proxy-Authorization: Basic YW5uOnNlY3JldA==\n"
    for target in ("127.0.0.2", "192.0.2.1", "localhost", "127.0.0.1:1", "[::1]"):
        edit = f"GET http://{target}/ HTTP/1.1\nHost: {target}\n{login}\n".encode()
        assert tour.play(407, edited=edit)[-1]["status"] == 403, target


def test_end(tmp_path):
    """Nothing is left of it, whoever says that it is to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        with Tour(tmp_path) as tour:
            assert [path.name[:13] for path in tmp_path.iterdir() if path.is_dir()] == ["earnest-tour."]
            tour.process.send_signal(number)
            assert tour.process.wait(30) == 0, tour.errors()
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_end_of_the_guide(tmp_path):
    """Who stands behind the server is killed: the server ends, too."""
    with Tour(tmp_path) as tour:
        os.kill(tour.process.pid, signal.SIGKILL)
        tour.process.wait(10)

        def is_away():
            try:
                tour.ask("GET", "/tour/")
            except OSError:
                return True
            time.sleep(0.05)
            return False

        wait_until(is_away)


@pytest.mark.parametrize("arguments,code,said", [
    (["-h"], 0, "Usage: earnest tour"), (["--port", "0"], 2, "port"), (["--port", "65536"], 2, "port"),
    (["x"], 2, "no more"), (["--sail"], 2, "option")])
def test_usage(arguments, code, said):
    done = subprocess.run([PROGRAM, "tour", *arguments], capture_output=True, text=True, timeout=10,
                          check=False)
    assert done.returncode == code and said in done.stdout + done.stderr


def test_port_that_is_taken(tmp_path):
    with Tour(tmp_path) as tour:
        done = subprocess.run([PROGRAM, "tour", "--port", str(tour.port)], capture_output=True, text=True,
                              timeout=20, check=False, env={**os.environ, "TMPDIR": str(tmp_path / "x")})
        assert done.returncode == 1 and done.stderr
        (tmp_path / "y").mkdir()
        done = subprocess.run([PROGRAM, "tour", "--port", str(tour.port)], capture_output=True, text=True,
                              timeout=20, check=False, env={**os.environ, "TMPDIR": str(tmp_path / "y")})
        assert done.returncode == 1 and "begins" not in done.stdout
        assert list((tmp_path / "y").iterdir()) == []


def test_words_are_in_both_languages():
    table = (SOURCES / "src/main/tour_words.def").read_text(encoding="utf-8")
    rows = re.findall(r'^WORD\((\w+),\s*"((?:\\.|[^"])*)",\s*"((?:\\.|[^"])*)"\)', table, re.M)
    assert len(rows) == len(re.findall(r"^WORD\(", table, re.M)) > 60
    for name, english, bengali in rows:
        assert bool(BENGALI.search(bengali)) != bool(BENGALI.search(english)), name
    recipes_text = (SOURCES / "src/main/tour/recipes.txt").read_text(encoding="utf-8")
    assert len(re.findall(r"^en \S", recipes_text, re.M)) == len(re.findall(
        r"^bn .*[\u0980-\u09ff]", recipes_text, re.M)) > 120
