# SPDX-License-Identifier: Apache-2.0
"""Our answers under a linter; and the linter under answers that are wrong."""
import gzip
import os
import re
import time

import pytest

from earnest_server import Server
from lint import Request, answer_from, lint, lint_beside

HOST = "Host: a.example"
CONFIG = """
limits { header_timeout_ms = 300 }
route "/" { files = "%s" listing = true trace = true cache_control = "max-age=60, immutable" }
route "/plain/" { files = "%s" }
route "/strict/" { files = "%s" negotiate = "strict" }
route "/old/" { redirect = "https://new.example/x" status = 308 }
route "/301" { redirect = "/a.txt" status = 301 }
route "/302" { redirect = "/a.txt?x=%%22" status = 302 }
route "/303" { redirect = "/a.txt" status = 303 }
route "/307" { redirect = "/a.txt" status = 307 }
route "/305" { use_proxy = "http://proxy.example:3128/" }
route "/gone" { gone = true }
"""


def get(target, *fields, method="GET", version="HTTP/1.1"):
    """A request; content follows an empty field."""
    return "\r\n".join([f"{method} {target} {version}", HOST, *fields]) + "\r\n\r\n"


OLD, NEW = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
TEXT, HTML = "Accept: text/plain", "Accept: text/html"
JSON, BENGALI = "Accept: application/json", "Accept-Language: bn"

# Status, and the request that earns it.
EXCHANGES = [
    (200, get("/a.txt")), (200, get("/a.txt", method="HEAD")), (200, get("/empty")),
    (200, get("/a.txt", version="HTTP/1.0")), (200, get("/plain/a.txt")),
    (200, get("/a.txt", "Connection: close")), (200, get("/big.bin")),
    (200, get("/a.txt", "Connection: keep-alive", version="HTTP/1.0")),
    (200, get("/page.html", "Accept-Encoding: gzip")), (200, get("/page.html")),
    (200, get("/page.html", "Accept-Encoding: gzip", method="HEAD")),
    (200, get("/odd.unknown")), (200, get("/future.txt")), (200, get("/ancient.txt")),
    (200, get("/", HTML)), (200, get("/", JSON)), (200, get("/", TEXT)), (200, get("/", BENGALI)),
    (200, get("/", method="HEAD")), (200, get("/", version="HTTP/1.0")),
    (200, get("/?sort=size&order=down")), (200, get("/", "Range: bytes=0-1")),
    (200, get("/a.txt", "X-One: 1", "Cookie: a=b", method="TRACE")),
    (204, get("*", method="OPTIONS")), (204, get("/a.txt", method="OPTIONS")),
    (206, get("/a.txt", "Range: bytes=0-2")), (206, get("/a.txt", "Range: bytes=-3")),
    (206, get("/big.bin", "Range: bytes=1000000-")),
    (206, get("/big.bin", "Range: bytes=0-9, 100000-100009, -10")),
    (206, get("/page.html", "Range: bytes=5-", "Accept-Encoding: gzip")),
    (206, get("/a.txt", "Range: bytes=2-", "If-Range: $etag")),
    (200, get("/a.txt", "Range: bytes=2-", 'If-Range: "other"')),
    (200, get("/a.txt", "Range: bytes=2-", method="HEAD")),
    (301, get("/301")), (301, get("/folder")), (301, get("/folder?a=b", method="HEAD")),
    (301, get("/%66older%2e%22")), (302, get("/302")), (303, get("/303")), (305, get("/305")),
    (307, get("/307")), (308, get("/old/a%20b?c=d")), (303, get("/303", method="POST")),
    (304, get("/a.txt", "If-None-Match: $etag")), (304, get("/a.txt", "If-None-Match: *")),
    (304, get("/a.txt", f"If-Modified-Since: {NEW}")),
    (304, get("/a.txt", "If-None-Match: *", method="HEAD")),
    (304, get("/page.html", "If-None-Match: $etag", "Accept-Encoding: gzip")),
    (304, get("/a.txt", "If-None-Match: *", "Range: bytes=0-1")),
    (400, "GET /a.txt HTTP/1.1\r\n\r\n"), (400, get("/%zz")), (400, "hello\r\n\r\n"),
    (400, get("/a.txt", "A : b")), (400, get("/a.txt", "Content-Length: x", TEXT)),
    (400, get("/a.txt", "Content-Length: 1", "Content-Length: 2", HTML, BENGALI)),
    (403, get("/.git/config")), (403, get("/out")), (403, get("/../x")),
    (404, get("/no")), (404, get("/no", method="HEAD")), (404, get("/no", HTML)),
    (404, get("/no", TEXT, BENGALI)), (404, get("/plain/")), (404, get("/no", version="HTTP/1.0")),
    (404, get("/no", "Accept: image/png", "Accept-Language: fr")),
    (405, get("/a.txt", "Content-Length: 0", method="PUT")), (405, get("/a.txt", method="DELETE")),
    (405, get("a.example:80", method="CONNECT")), (405, get("/plain/a.txt", method="TRACE")),
    (405, get("/a.txt", "Content-Length: 5", "Expect: 100-continue", method="PUT")),
    (406, get("/strict/a.txt", "Accept: image/png")),
    (408, "GET /a.txt HTTP/1.1\r\nHost: a.exam"),
    (410, get("/gone")), (410, get("/gone", HTML, BENGALI)),
    (412, get("/a.txt", 'If-Match: "other"')), (412, get("/a.txt", f"If-Unmodified-Since: {OLD}")),
    (413, get("/a.txt", "Content-Length: 99999999")),
    (414, get("/" + "a" * 9000)), (416, get("/a.txt", "Range: bytes=100-")),
    (416, get("/empty", "Range: bytes=0-")), (417, get("/a.txt", "Expect: more")),
    (421, get("http://other.example/a.txt").replace(HOST, "Host: other.example")),
    (431, get("/a.txt", "X: " + "a" * 20000)), (431, get("/a.txt", *["X: a"] * 200)),
    (501, get("/a.txt", method="MAKE")), (501, get("/a.txt", "Transfer-Encoding: gzip, chunked")),
    (505, get("/a.txt", version="HTTP/2.0")),
]


@pytest.fixture(name="site", scope="module")
def served(tmp_path_factory):
    """A server with a bit of everything; and how to ask it."""
    folder = tmp_path_factory.mktemp("lint")
    root = folder / "root"
    for name in ("folder", ".git", 'folder."', "plain", "strict"):
        (root / name).mkdir(parents=True)
    (root / "a.txt").write_bytes(b"content\n")
    (root / "empty").touch()
    (root / "odd.unknown").write_bytes(b"\0\xff")
    (root / "big.bin").write_bytes(bytes(range(256)) * 5000)
    (root / "page.html").write_bytes(b"<p>page" * 500)
    (root / "page.html.gz").write_bytes(gzip.compress(b"<p>page" * 500))
    (root / ".git/config").touch()
    (root / "out").symlink_to("/etc/hostname")
    for name, when in (("future.txt", time.time() + 1e6), ("ancient.txt", -1e9)):
        (root / name).write_bytes(b"x")
        os.utime(root / name, (when, when))
    routes = CONFIG % (root, root, root)
    limits, routes = routes.split("}\n", 1)
    config = f'{limits}}}\nsite "a.example" {{\n{routes}\n}}\n'
    with Server(folder, config, listen="strict = true") as server:
        yield server


def ask(server, raw):
    """The request, with $etag filled in, and its answer."""
    if "$etag" in raw:
        plain = re.sub(r"\r\n(If-None-Match|If-Range|Range): [^\r]*", "", raw)
        raw = raw.replace("$etag", ask(server, plain)[1].field("etag"))
    with server.connect() as wire:
        wire.send(raw.encode("latin-1"))
        request = Request(raw.encode("latin-1"))
        return request, wire.answer(request.method)


def name_of(value):
    return value[:60].replace("\r\n", " ") if isinstance(value, str) else None


@pytest.mark.parametrize("status, raw", EXCHANGES, ids=name_of)
def test_answers(site, status, raw):
    request, answer = ask(site, raw)
    assert answer.status == status, answer
    assert lint(request, answer) == [], answer
    if status in (206, 304):
        conditions = r"\r\n(If-[A-Za-z-]+|Range): [^\r]*"
        _, full = ask(site, re.sub(conditions, "", raw))
        assert lint_beside(full, answer) == [], answer


def test_overloaded(tmp_path):
    config = f'route "/" {{ files = "{tmp_path}" }}\nlimits {{ connections_max = 1 }}'
    with Server(tmp_path, config) as server, server.connect():
        request, answer = ask(server, get("/"))
        assert answer.status == 503 and answer.field("retry-after")
        assert lint(request, answer) == [], answer


def test_variants_have_validators_of_their_own(site):
    _, plain = ask(site, get("/page.html"))
    _, coded = ask(site, get("/page.html", "Accept-Encoding: gzip"))
    assert plain.field("etag") != coded.field("etag")
    assert "accept-encoding" in plain.members("vary"), "the other variant is one of this resource"
    assert gzip.decompress(coded.content) == plain.content


NOW = "Date: $now"
# The note, and the fields of an answer that earns it; the request is GET /.
WRONG = [
    ("DATE_CLOCKLESS", "200", [], b""),
    ("NO_DATE_304", "304", [], b""),
    ("DATE_INCORRECT", "200", ["Date: Sat, 01 Jan 2000 00:00:00 GMT"], b""),
    ("BAD_DATE_SYNTAX last-modified", "200", [NOW, "Last-Modified: Sat, 1 Jan 2000 00:00:00 GMT"],
     b""),
    ("LM_FUTURE", "200", [NOW, f"Last-Modified: {NEW}"], b""),
    ("BAD_SYNTAX etag", "200", [NOW, "ETag: abc"], b""),
    ("content-type-missing", "200", [NOW], b"x"),
    ("BAD_SYNTAX content-type", "200", [NOW, "Content-Type: text"], b"x"),
    ("PARAM_REPEATS content-type", "200", [NOW, "Content-Type: a/b;c=d;C=e"], b"x"),
    ("CHARSET_UNDECODABLE", "200", [NOW, "Content-Type: text/plain; charset=utf-8"], b"\xff"),
    ("CONTENT_TYPE_MISMATCH", "404", [NOW, "Content-Type: application/problem+json"], b"<p>"),
    ("BAD_SYNTAX content-language", "200", [NOW, "Content-Language: en_GB"], b""),
    ("ENCODING_UNWANTED", "200", [NOW, "Content-Encoding: br", "Vary: Accept-Encoding"], b""),
    ("vary-misses-accept-encoding", "200", [NOW, "Content-Encoding: gzip"], b""),
    ("VARY_ASTERISK", "200", [NOW, "Vary: *"], b""),
    ("VARY_DUPLICATE", "200", [NOW, "Vary: Accept", "Vary: accept"], b""),
    ("VARY_USER_AGENT", "200", [NOW, "Vary: User-Agent"], b""),
    ("BAD_SYNTAX vary", "200", [NOW, "Vary: a b"], b""),
    ("CC_DUP", "200", [NOW, "Cache-Control: no-cache, no-cache"], b""),
    ("CC_BAD_VALUE_TYPE", "200", [NOW, "Cache-Control: max-age=1h"], b""),
    ("CC_SHOULD_NOT_HAVE_VALUE", "200", [NOW, "Cache-Control: no-store=1"], b""),
    ("CC_WRONG_MESSAGE", "200", [NOW, "Cache-Control: only-if-cached"], b""),
    ("CC_MISCAP", "200", [NOW, "Cache-Control: No-Store"], b""),
    ("STORE_PRIVATE_PUBLIC_CONFLICT", "200", [NOW, "Cache-Control: public, private"], b""),
    ("REDIRECT_WITHOUT_LOCATION", "301", [NOW], b""),
    ("BAD_SYNTAX location", "301", [NOW, "Location: //b.example/"], b""),
    ("BAD_SYNTAX location", "301", [NOW, "Location: /a b"], b""),
    ("LOCATION_UNDEFINED", "200", [NOW, "Location: /"], b""),
    ("allow-missing", "405", [NOW], b""),
    ("STATUS_405_METHOD_IN_ALLOW", "405", [NOW, "Allow: GET"], b""),
    ("BAD_SYNTAX allow", "405", [NOW, "Allow: PUT; HEAD"], b""),
    ("challenge-missing", "401", [NOW], b""),
    ("PARTIAL_NOT_REQUESTED", "206",
     [NOW, "Content-Range: bytes 0-0/1", "Content-Type: a/b"], b"x"),
    ("PARTIAL_WITHOUT_RANGE", "206", [NOW, "Content-Type: a/b"], b"x"),
    ("content-range-and-content-differ", "206",
     [NOW, "Content-Range: bytes 0-1/2", "Content-Type: a/b"], b"x"),
    ("RANGE_INVALID", "206", [NOW, "Content-Range: bytes 2-2/2", "Content-Type: a/b"], b"x"),
    ("multipart-syntax", "206",
     [NOW, "Content-Type: multipart/byteranges; boundary=a"], b"--b\r\n"),
    ("CONTENT_RANGE_INVALID_ASTERISK", "416", [NOW], b""),
    ("STATUS_416_WITHOUT_RANGE", "416", [NOW, "Content-Range: bytes */1"], b""),
    ("CONTENT_RANGE_MEANINGLESS", "200", [NOW, "Content-Range: bytes */1"], b""),
    ("UNKNOWN_RANGE", "200", [NOW, "Accept-Ranges: lines"], b""),
    ("HEADER_SHOULD_NOT_BE_IN_304 content-type", "304", [NOW, "Content-Type: a/b"], b""),
    ("content-length-not-allowed", "204", [NOW, "Content-Length: 0"], b""),
    ("transfer-encoding-not-allowed", "304", [NOW, "Transfer-Encoding: chunked"], b""),
    ("REQUEST_HDR_IN_RESPONSE host", "200", [NOW, "Host: a"], b""),
    ("FIELD_DEPRECATED keep-alive", "200", [NOW, "Keep-Alive: timeout=5"], b""),
    ("FIELD_VALUE_ENCODING server", "200", [NOW, "Server: \xfc"], b""),
    ("SINGLE_HEADER_REPEAT server", "200", [NOW, "Server: a", "Server: a"], b""),
    ("STATUS_412_WITHOUT_PRECONDITION", "412", [NOW], b""),
    ("close-not-announced", "408", [NOW], b""),
    ("connection-names date", "200", [NOW, "Connection: date"], b""),
    ("connection-contradicts", "200", [NOW, "Connection: close, keep-alive"], b""),
    ("BAD_SYNTAX retry-after", "503", [NOW, "Retry-After: soon"], b""),
]


@pytest.mark.parametrize("note, status, fields, content", WRONG,
                         ids=[f"{note}-{n}" for n, (note, *_) in enumerate(WRONG)])
def test_linter(note, status, fields, content):
    now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    framed = any(field.startswith(("Content-Length", "Transfer-")) for field in fields)
    if not framed and status not in ("204", "304"):
        fields = [*fields, f"Content-Length: {len(content)}"]
    head = "\r\n".join([f"HTTP/1.1 {status} Phrase", *fields]).replace("$now", now)
    answer = answer_from(head.encode("latin-1") + b"\r\n\r\n" + content)
    assert note in lint(Request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), answer)
