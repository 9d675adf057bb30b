# SPDX-License-Identifier: Apache-2.0
"""A decision is explained: to whom, by what, and what that can cost."""
import html.parser
import json
import re
import statistics
import subprocess
import threading
import time
import xml.etree.ElementTree as xml

import pytest

import tls
from earnest_server import PROGRAM, Wire
from scenario import SANITIZED, Site, files_route, wait_until

LINK = re.compile(r'<(/\.earnest/why/[0-9a-f]+-[0-9a-f]+-[0-9a-f]{8})>; rel="describedby"')
BYTES_MAX = 60000
RENDER_S_MAX = 0.005


def ask(site, path="/a.txt", host="localhost", method="GET", fields="", version="1.1", source=None):
    """One answer, on a connection of its own."""
    with Wire(site.port, source=source) as wire:
        wire.send(f"{method} {path} HTTP/{version}\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n"
                  .encode())
        return wire.answer(method)


def why_of(answer):
    """Where an answer is explained, or None."""
    match = LINK.search(answer.field("link") or "")
    return match and match[1]


def explained(site, *arguments, **more):
    """The explanation of an answer, which comes along."""
    answer = ask(site, *arguments, **more)
    page = ask(site, why_of(answer) + ".json")
    assert page.status == 200 and page.field("content-type") == "application/json"
    return answer, json.loads(page.content)


def earnest(*arguments, **more):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          check=False, **more)


@pytest.fixture(name="site")
def running_site(tmp_path, root):
    with Site(tmp_path, files_route(root)) as site:
        yield site


# Who is told.


@pytest.mark.parametrize("host,fields,version,told", [
    ("localhost", "", "1.1", True),
    ("127.0.0.1:8080", "", "1.1", True),
    ("[::1]", "", "1.1", True),
    ("earnest.localhost", "", "1.1", True),
    ("a.example", "", "1.1", False),
    ("localhost.example", "", "1.1", False),
    ("localhos", "", "1.1", False),
    ("localhost", "Via: 1.1 gateway\r\n", "1.1", False),
    ("localhost", "X-Forwarded-For: 192.0.2.1\r\n", "1.1", False),
    ("localhost", "Forwarded: for=192.0.2.1\r\n", "1.1", False),
    ("localhost", "", "1.0", False), # a gateway that adds no field
])
def test_who_is_told_where_it_is_explained(site, host, fields, version, told):
    answer = ask(site, host=host, fields=fields, version=version)
    assert (why_of(answer) is not None) == told
    seen = ask(site, why_of(ask(site)), host=host, fields=fields, version=version)
    assert seen.status == (200 if told else 404)


def test_who_may_not_see_is_told_what_all_are_told(site):
    """A page that is hidden is like one that is not there (RFC 9110 15.5.4)."""
    page = why_of(ask(site))
    for path in (page, page[:-1] + "f", "/.earnest/why/", "/.earnest/why/x", "/.earnest/metrics",
                 "/.earnest/health", "/.earnest/ready"):
        answer = ask(site, path, host="a.example")
        assert (answer.status, answer.problem()["rule"]) == (404, "missing")


def test_a_page_of_somebody_else_does_not_see(site):
    page = why_of(ask(site))
    assert ask(site, page, fields="Origin: http://evil.example\r\n").status == 404
    assert ask(site, page, fields="Origin: http://localhost\r\n").status == 200


def test_nobody_is_told_where_it_is_off(tmp_path, root):
    with Site(tmp_path, files_route(root) + "\nlive = false") as site:
        assert why_of(ask(site)) is None
        for path in ("/.earnest/why/0-0-00000000", "/.earnest/metrics", "/.earnest/health"):
            assert ask(site, path).status in (403, 404)


def test_networks_are_allowed_by_name(tmp_path, root):
    with Site(tmp_path, files_route(root) + '\nlive_allow = { "127.0.0.7" }') as site:
        told = ask(site, host="a.example", source="127.0.0.7")
        assert why_of(told)
        assert why_of(ask(site, host="a.example", source="127.0.0.8")) is None
        assert ask(site, why_of(told), source="127.0.0.7").status == 200
        assert ask(site, why_of(told), source="127.0.0.7", host="evil.example").status == 404


# What it says.


def test_the_decision_is_replayed_with_who_said_what(tmp_path, root):
    config = f'route "/" {{ files = "{root}"\n allow = {{ "127.0.0.0/8" }} }}'
    with Site(tmp_path, config) as site:
        answer, why = explained(site, "/a.txt?token=secret", method="GET", fields='If-Match: "old"\r\n')
        lines = site.config_path.read_text(encoding="utf-8").splitlines()
    assert answer.status == why["status"] == why["replayed"]["status"] == 412
    assert why["rule"] == why["replayed"]["rule"] == "if_match"
    assert why["request"]["method"] == "GET" and why["request"]["path"] == "/a.txt"
    assert why["request"]["query"] is True and "secret" not in json.dumps(why)
    assert "If-Match" in why["request"]["fields"]
    facts = {fact["name"]: fact for fact in why["facts"]}
    assert facts["etag_in_match"]["answer"] is False and facts["etag_in_match"]["by"] == "files"
    assert facts["if_match"]["by"] == "the request" and not facts["if_match"]["asked"]
    permitted = facts["permitted"]
    assert permitted["by"] == "a policy of the route" and permitted["key"] == "allow"
    assert lines[permitted["line"] - 1].strip().startswith("allow")
    assert lines[why["route"]["line"] - 1].startswith('route "/"')
    assert why["route"]["file"] == site.config_path.name
    groups = [step["group"] for step in why["steps"]]
    assert groups.count("held") == 1 and groups[-1] == "held" and "asked" in groups and "folded" in groups
    good = {(c["fact"], c["answer"]) for c in why["changes"] if c["succeeds"]}
    assert good == {("etag_in_match", True), ("if_match", False)}


def test_what_was_hidden_is_shown_to_who_may_see(tmp_path, root):
    config = files_route(root, 'allow = { "192.0.2.1" } hide = true')
    with Site(tmp_path, config) as site:
        answer, why = explained(site)
    assert answer.problem()["rule"] == "missing" and why["rule"] == "forbidden_hidden"


def test_a_wait_is_timed(tmp_path, root):
    (root / "large").write_bytes(bytes(1 << 20))
    with Site(tmp_path, files_route(root, "write = true") + f'\nstate = "{tmp_path}/state"') as site:
        _, why = explained(site, "/new", method="PUT", fields="Content-Length: 0\r\n")
    assert why["rule"] == "created"
    waited = [fact["waited_us"] for fact in why["facts"] if "waited_us" in fact]
    assert waited and all(0 < us < 5_000_000 for us in waited)


def test_no_secret_is_remembered(site):
    secrets = ("Authorization: Basic c2VjcmV0OnNlY3JldA==\r\nCookie: id=c2VjcmV0\r\n"
               "Proxy-Authorization: c2VjcmV0\r\nReferer: http://localhost/?c2VjcmV0\r\n")
    page = why_of(ask(site, "/a.txt?key=c2VjcmV0", fields=secrets))
    for form in (".json", ".html", ".svg", ".txt"):
        content = ask(site, page + form).content
        assert b"c2VjcmV0" not in content and str(site.folder).encode() not in content


# Its forms.


class Page(html.parser.HTMLParser):
    """Reads a page: elements that are open at its end, and what it must not have."""

    EMPTY = {"meta", "link", "circle", "path", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.language = [], set(), None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.language = self.language or dict(attrs).get("lang")
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


@pytest.mark.parametrize("accept,kind", [
    ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
    ("*/*", "text/plain; charset=utf-8"),
    ("application/json", "application/json"),
    ("image/*", "image/svg+xml"),
])
@pytest.mark.parametrize("language", ["en", "bn"])
def test_forms_and_languages(site, accept, kind, language):
    page = why_of(ask(site, "/%3Cscript%3E'&none", fields=f"Accept-Language: {language}\r\n"))
    answer = ask(site, page, fields=f"Accept: {accept}\r\nAccept-Language: {language}\r\n")
    assert (answer.status, answer.field("content-type")) == (200, kind)
    assert answer.field("content-language") == language
    assert {"accept", "accept-language"} <= set(answer.members("vary"))
    assert answer.field("cache-control") == "no-store"
    text = answer.content.decode("utf-8")
    assert len(answer.content) < BYTES_MAX
    assert ("কনটেন্ট" in text or "উপস্থাপনা" in text) == (language == "bn")
    policy = answer.field("content-security-policy")
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    if kind.startswith("text/html"):
        read = Page(text)
        assert read.open == [] and not read.tags & {"script", "iframe", "object", "none"}
        assert read.language == language
    elif kind == "image/svg+xml":
        tree = xml.fromstring(text)
        assert tree.get("role") == "img"
        ids = {element.get("id") for element in tree}
        assert set(tree.get("aria-labelledby").split()) <= ids
    elif kind == "application/json":
        assert json.loads(text)["rule"] == "missing"


def test_a_form_that_there_is_not(site):
    page = why_of(ask(site))
    assert ask(site, page + ".pdf").status == 404
    assert ask(site, page, fields="Accept: application/pdf\r\n").status == 406
    assert ask(site, page, method="POST", fields="Content-Length: 0\r\n").status == 405
    assert ask(site, page, method="HEAD").content == b""


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's time is not ours")
def test_a_page_is_rendered_in_time(site):
    page = why_of(ask(site, "/none"))
    times = []
    with site.connect() as wire:
        for _ in range(50):
            start = time.perf_counter()
            wire.send(f"GET {page}.html HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert wire.answer("GET").status == 200
            times.append(time.perf_counter() - start)
    assert statistics.median(times) < RENDER_S_MAX


def test_an_error_page_shows_its_own_path(site):
    page = ask(site, "/none", fields="Accept: text/html\r\n")
    assert b"<svg" in page.content and why_of(page).encode() in page.content
    assert Page(page.content.decode()).open == []
    page = ask(site, "/none", host="a.example", fields="Accept: text/html\r\n")
    assert b"<svg" not in page.content and b".earnest" not in page.content


# What it can cost.


def test_what_is_remembered_is_bounded(tmp_path, root):
    with Site(tmp_path, files_route(root) + "\nlimits { traces_max = 16 }") as site:
        pages = [why_of(ask(site, f"/{i}")) for i in range(20)]
        assert [ask(site, page).status for page in pages] == [404] * 4 + [200] * 16


def test_ids_that_are_none(site):
    nonce = why_of(ask(site)).rsplit("/", 1)[1].split("-")[0]
    for id in ("", "-", "--", nonce, f"{nonce}-0", f"{nonce}-9-00000000", f"{nonce}-0-ffffffff",
               f"{nonce}-0-00000000-", f"{nonce}-0-0000000000", f"0{nonce}-0-00000000", f"{nonce}-0-g",
               "x" * 3000, "%20", f"{nonce}-0-00000001"):
        assert ask(site, f"/.earnest/why/{id}").status == 404, id


def test_a_trace_is_whole_or_not_there(tmp_path, root):
    """Threads write as fast as they can; what another reads meanwhile is of one decision."""
    site = Site(tmp_path, files_route(root) + "\nlimits { traces_max = 16 }")
    text = site.config_path.read_text(encoding="utf-8").replace("workers = 1", "workers = 2")
    site.config_path.write_text(text, encoding="utf-8")
    with site:
        stop = threading.Event()

        def flood():
            paths = [f"GET /{c * 200} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for c in "ab"]
            with site.connect() as wire:
                while not stop.is_set():
                    wire.send(b"".join(paths) * 2)
                    for _ in range(4):
                        wire.answer("GET")

        writers = [threading.Thread(target=flood) for _ in range(2)]
        for writer in writers:
            writer.start()
        found, asked, end = 0, 0, time.monotonic() + 20
        try:
            while (asked < 150 or found < 20) and time.monotonic() < end:
                asked += 1
                page = ask(site, why_of(ask(site, "/" + "c" * 200)) + ".json")
                if page.status == 200:
                    path = json.loads(page.content)["request"]["path"]
                    assert len(set(path)) == 2 and len(path) == 201
                    found += 1
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        assert found, f"{asked} were asked for, and none was still there"


def test_any_worker_knows_the_decisions_of_all(tmp_path, root):
    site = Site(tmp_path, files_route(root))
    text = site.config_path.read_text(encoding="utf-8").replace("workers = 1", "workers = 3")
    site.config_path.write_text(text, encoding="utf-8")
    with site:
        pages = [why_of(ask(site, f"/{i}")) for i in range(24)]
        assert len({page.split("-")[1] for page in pages}) > 1
        assert {ask(site, page).status for page in pages} == {200}


# The command line.


@pytest.mark.parametrize("form,begins", [([], "404 Not Found"), (["--json"], "{"), (["--svg"], "<svg"),
                                         (["--html"], "<!doctype html>"),
                                         (["--lang=bn"], "404 Not Found")])
def test_earnest_why(tmp_path, root, form, begins):
    with Site(tmp_path, f'admin = "{tmp_path}/a.sock"\n' + files_route(root)) as site:
        page = why_of(ask(site, "/none"))
        for arguments in (["--admin", f"{tmp_path}/a.sock", page.rsplit("/", 1)[1]],
                          ["--admin", f"{tmp_path}/a.sock", page],
                          [f"http://localhost:{site.port}{page}"]):
            done = earnest("why", *form, *arguments)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.startswith(begins)
            assert ("উপস্থাপনা" in done.stdout) == ("--lang=bn" in form)
        done = earnest("why", "--admin", f"{tmp_path}/a.sock", "0-0-0")
        assert done.returncode == 1 and "not remembered" in done.stderr
        assert earnest("why", f"http://localhost:{site.port}/.earnest/why/x").returncode == 1
    assert earnest("why", "--admin", f"{tmp_path}/a.sock", "x").returncode == 1
    assert earnest("why").returncode == 2


def test_earnest_explain_sends_a_request(tmp_path, root):
    config = files_route(root, "write = true") + f'\nstate = "{tmp_path}/state"'
    with Site(tmp_path, config) as site:
        url = f"http://localhost:{site.port}/new"
        done = earnest("explain", "--", "-X", "PUT", "-H", "Expect: 100-continue", "-d", "hello\n", url)
        assert (done.returncode, done.stderr) == (0, "")
        sent = [line for line in done.stdout.splitlines() if line.startswith("> ")]
        came = [line for line in done.stdout.splitlines() if line.startswith("< HTTP/")]
        assert sent[0] == "> PUT /new HTTP/1.1" and "> Content-Length: 6" in sent
        assert came == ["< HTTP/1.1 100 Continue", "< HTTP/1.1 201 Created"]
        assert "201 Created  (created, RFC 9110 15.3.2)" in done.stdout
        assert (root / "new").read_text(encoding="utf-8") == "hello\n"
        done = earnest("explain", "--json", "--", "-H", 'If-Match: "x"', url)
        said = json.loads(done.stdout)
        assert [answer["status"] for answer in said["answers"]] == [412]
        assert said["why"]["rule"] == "if_match"
        done = earnest("explain", "--svg", "--", url)
        xml.fromstring(done.stdout)
        done = earnest("explain", "--", "-H", "Host: a.example", url)
        assert done.returncode == 0 and "does not show how" in done.stdout
    assert earnest("explain", "--", url).returncode == 1
    for wrong in ([], ["-X"], ["--none", url], [url, url], ["-c"]):
        assert earnest("explain", "--", *wrong).returncode == 2


def test_earnest_explain_over_http2(tmp_path, root):
    """The frames of both sides, and the path; content goes when it was asked for."""
    config = files_route(root, "write = true") + f'\nstate = "{tmp_path}/state"'
    (root / "evil.txt").write_bytes("\x1b[2J\x07ok \u0985\n".encode())
    with Site(tmp_path, config) as site:
        url = f"http://localhost:{site.port}/new"
        done = earnest("explain", "--", "--h2", "-X", "PUT", "-H", "Expect: 100-continue", "-d", "hello\n", url)
        assert (done.returncode, done.stderr) == (0, "")
        heads = re.findall(r"^([<>]) ([A-Z_]+), stream 1, (.*), \d+ bytes$", done.stdout, re.M)
        assert heads == [(">", "HEADERS", "END_HEADERS"), ("<", "HEADERS", "END_HEADERS"),
                         (">", "DATA", "END_STREAM"), ("<", "HEADERS", "END_HEADERS"), ("<", "DATA", "END_STREAM")]
        assert re.findall(r"^<   :status: (\d+)$", done.stdout, re.M) == ["100", "201"]
        assert ">   hello\n>   | 00 00 06 00 01 00 00 00 01 68 65 6c 6c 6f 0a\n" in done.stdout
        assert "201 Created  (created, RFC 9110 15.3.2)" in done.stdout
        assert (root / "new").read_text(encoding="utf-8") == "hello\n"
        said = json.loads(earnest("explain", "--json", "--", "--h2", "-H", 'If-Match: "x"', url).stdout)
        assert said["why"]["rule"] == "if_match" and "\n<   :status: 412\n" in said["frames"]
        done = earnest("explain", "--", "--h2", f"http://localhost:{site.port}/evil.txt")
        assert "<   ^" in done.stdout or "ok \u0985" in done.stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)
        assert earnest("explain", "--", "--h2", "-H", "Upgrade: x", url).returncode == 1
    assert earnest("explain", "-c", str(tmp_path / "x"), "--", "--h2", url).returncode == 2


def test_earnest_explain_over_tls(tmp_path, root):
    with Site(tmp_path, files_route(root), tls.make_certificate(tmp_path)) as site:
        url = f"https://localhost:{site.port}/none"
        done = earnest("explain", "--", "-k", "--h2", url)
        assert done.returncode == 0 and "<   :status: 404\n" in done.stdout and "404 Not Found  (missing" in done.stdout
        assert earnest("explain", "--", url).returncode == 1 # who signed the certificate is not known
        done = earnest("explain", "--", "-k", url)
        assert done.returncode == 0 and "404 Not Found  (missing" in done.stdout


def test_what_an_answer_says_moves_no_terminal(tmp_path, root):
    (root / "evil.txt").write_bytes(b"\x1b[2J\x07ok \xff\xfe\n")
    (root / "words.txt").write_bytes("\x1b[2J\x07ok \u0985\n".encode())
    with Site(tmp_path, files_route(root)) as site:
        for name in ("evil.txt", "words.txt"):
            done = earnest("explain", "--", f"http://localhost:{site.port}/{name}")
            assert done.returncode == 0 and "\x1b" not in done.stdout and "\x07" not in done.stdout


# How the server does.


SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z]+="[^"\\]*",?)+\})? (\d+)')


def metrics(site):
    """{name and labels: value}; the text is what OpenMetrics 1.0 allows."""
    answer = ask(site, "/.earnest/metrics")
    assert answer.status == 200
    assert answer.field("content-type") == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8")
    *lines, end, nothing = answer.content.decode("ascii").split("\n")
    assert (end, nothing) == ("# EOF", "")
    kinds, found, family = {}, {}, None
    for line in lines:
        if line.startswith("# "):
            word, family, rest = line[2:].split(" ", 2)
            assert word in ("TYPE", "HELP", "UNIT")
            if word == "TYPE":
                assert family not in kinds
                kinds[family] = rest
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        assert name == family + ("_total" if kinds[family] == "counter" else "")
        found[name + (labels or "")] = int(value)
    return found


def test_metrics_count_by_status_and_rule(site):
    names = {rule: f'earnest_answers_total{{status="{status}",rule="{rule}"}}'
             for status, rule in ((200, "ok"), (404, "missing"), (412, "if_match"), (500, "broke"))}
    before = metrics(site)
    for _ in range(3):
        ask(site, "/none")
    ask(site, fields='If-Match: "x"\r\n', host="a.example")
    wait_until(lambda: metrics(site)[names["missing"]] == before[names["missing"]] + 3)
    after = metrics(site)
    assert after[names["if_match"]] == before[names["if_match"]] + 1
    assert after[names["broke"]] == 0
    assert after["earnest_content_bytes_total"] > before["earnest_content_bytes_total"]
    assert after["earnest_connections"] >= 1
    assert after['earnest_log_lines_dropped_total{log="access"}'] == 0


def test_health_and_readiness(site):
    assert ask(site, "/.earnest/health").content == b"healthy\n"
    with site.connect() as kept:
        question = b"GET /.earnest/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
        kept.send(question)
        assert kept.answer("GET").content == b"ready\n"
        kept.send(question[:-2]) # it has begun to ask when the server is told to end
        time.sleep(0.2)
        old = site.serving
        site.process.send_signal(1)
        wait_until(lambda: "reloaded" in site.stderr() and site.serving != old)
        time.sleep(0.2)
        kept.send(b"\r\n")
        answer = kept.answer("GET")
        assert (answer.status, answer.problem()["rule"]) == (503, "unavailable")
        assert answer.field("retry-after") == "1" and answer.closes
    assert ask(site, "/.earnest/ready").status == 200


def test_a_server_that_is_full_is_not_ready(tmp_path, root):
    with Site(tmp_path, files_route(root) + "\nlimits { connections_max = 2 }") as site:
        with site.connect() as wire, site.connect():
            def ready():
                wire.send(b"GET /.earnest/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return wire.answer("GET").status

            wait_until(lambda: ready() == 503)
            wire.send(b"GET /.earnest/ready HTTP/1.1\r\nHost: a.example\r\n\r\n")
            assert wire.answer("GET").status == 404
