# SPDX-License-Identifier: Apache-2.0
"""What clients of httpbin rely on: its paths, and the shape of its answers."""
import base64
import gzip
import hashlib
import json
import re
import uuid
import zlib

import pytest

from earnest_server import Server
from test_peer import ask


@pytest.fixture(name="peer")
def peer_server(tmp_path):
    with Server(tmp_path, 'route "/" { peer = true }') as server:
        yield server


def said(answer):
    assert answer[0] == 200
    return json.loads(answer[2])


@pytest.mark.parametrize("method, path, members", [
    ("GET", "/get", "args headers origin url"), ("GET", "/ip", "origin"), ("GET", "/user-agent", "user-agent"),
    ("GET", "/headers", "headers"), ("GET", "/cookies", "cookies"),
    ("POST", "/post", "args data files form headers json origin url"),
    ("PUT", "/put", "args data files form headers json origin url"),
    ("PATCH", "/patch", "args data files form headers json origin url"),
    ("DELETE", "/delete", "args data files form headers json origin url"),
    ("GET", "/delay/0", "args data files form headers json origin url"),
    ("GET", "/anything/x", "args cookies data files form headers json method origin url"),
    ("GET", "/gzip", "gzipped headers method origin"), ("GET", "/deflate", "deflated headers method origin"),
    ("GET", "/brotli", "brotli headers method origin"), ("GET", "/uuid", "uuid"),
    ("GET", "/cache", "args headers origin url"), ("GET", "/etag/a", "args headers origin url")])
def test_members(peer, method, path, members):
    _, fields, text = ask(peer, method, path)
    text = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(fields["Content-Encoding"], bytes)(text)
    if path != "/brotli":
        assert sorted(json.loads(text)) == members.split()
    assert fields["Content-Type"] == "application/json"


def test_only_the_method_of_a_path_is_allowed(peer):
    code, fields, _ = ask(peer, "POST", "/get", b"x")
    assert code == 405 and fields["Allow"] == "GET, HEAD, OPTIONS"
    assert ask(peer, "GET", "/post")[0] == ask(peer, "POST", "/put", b"")[0] == 405


def test_the_query(peer):
    found = said(ask(peer, "GET", "/get?a=1&b=%E0%A6%95+x&a=2&c&&=d"))
    assert found["args"] == {"a": ["1", "2"], "b": "\u0995 x", "c": "", "": "d"}
    assert found["url"] == f"http://127.0.0.1:{peer.port}/get?a=1&b=%E0%A6%95+x&a=2&c&&=d"
    assert said(ask(peer, "GET", "/get?a=1&a=2"))["args"] == {"a": ["1", "2"]}
    assert len(said(ask(peer, "GET", "/get?" + "&".join(f"a{n}={n}" for n in range(900))))["args"]) == 200


def test_content(peer):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    found = said(ask(peer, "POST", "/post", b"a=1&a=2&b=%22", **form))
    assert (found["form"], found["data"], found["json"]) == ({"a": ["1", "2"], "b": '"'}, "", None)
    parts = (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
             b'--x\r\nContent-Disposition: form-data; name="f"; filename="g"\r\nContent-Type: image/png\r\n\r\n\xff\r\n'
             b'--x--\r\n')
    found = said(ask(peer, "POST", "/post", parts, Content_Type="multipart/form-data; boundary=x"))
    assert found["form"] == {"a": "1"} and found["files"] == {"f": "data:image/png;base64,/w=="}
    found = said(ask(peer, "POST", "/post", b'{"a": [1, 1e3, "\\u0000"]}', Content_Type="application/json"))
    assert found["json"] == {"a": [1, 1000.0, "\0"]} and found["data"] == '{"a": [1, 1e3, "\\u0000"]}'
    found = said(ask(peer, "POST", "/post", b"\xff\xfe"))
    assert found["data"] == "data:application/octet-stream;base64,//4=" and found["json"] is None
    for text in (b'{"a":', b"[1]x", b"nan", b"[" * 4000):
        assert said(ask(peer, "POST", "/post", text))["json"] is None
    assert said(ask(peer, "POST", "/post", b"a=%zz&" * 256, **form))["form"]["a"] == ["%zz"] * 200
    found = said(ask(peer, "POST", "/post", b"a=b&" * 1300, **form))  # more than a form has
    assert found["form"] == {} and found["data"] == "a=b&" * 1300


def test_large_requests_come_back(peer):
    """Each byte of them becomes six, and stands there more than once."""
    found = said(ask(peer, "POST", "/anything?" + "%01" * 2000, b"\x01" * 8192, A="\\" * 8000, B="\\" * 7000,
                     Cookie="a=" + "\\" * 500))
    assert len(found["data"]) == 8192 and found["headers"]["A"] == "\\" * 8000


def test_cookies(peer):
    code, fields, _ = ask(peer, "GET", "/cookies/set?a=b&c=d%3B%0d%0aX:y")
    assert code == 302 and fields["Location"] == "/cookies"
    assert fields.get_all("Set-Cookie") == ["a=b; Path=/", "c=d%3b%0d%0aX:y; Path=/"]
    assert ask(peer, "GET", "/cookies/set/a/b")[1].get_all("Set-Cookie") == ["a=b; Path=/"]
    assert ask(peer, "GET", "/cookies/delete?a&b")[1].get_all("Set-Cookie") == \
        ["a=; Path=/; Max-Age=0", "b=; Path=/; Max-Age=0"]
    assert ask(peer, "GET", "/cookies/set?" + "a=" + "b" * 600)[0] == 404
    assert said(ask(peer, "GET", "/cookies", Cookie='a=b; c="d"; e; f=g=h'))["cookies"] == \
        {"a": "b", "c": '"d"', "f": "g=h"}


def test_fields_of_the_answer(peer):
    code, fields, text = ask(peer, "GET", "/response-headers?X-A=b&X-A=c&Content-Type=text/plain")
    assert code == 200 and fields.get_all("X-A") == ["b", "c"] and fields["Content-Type"] == "text/plain"
    assert json.loads(text)["args"]["X-A"] == ["b", "c"]
    assert ask(peer, "POST", "/response-headers?X-A=b", b"")[1]["X-A"] == "b"
    for wrong in ("a%20b=c", "a=b%0d%0ac:d", "a=b%00", "=b", "transfer-encoding=chunked", "Content-Length=1",
                  "connection=close", "earnest-status=asked", "Content-Encoding=gzip"):
        assert ask(peer, "GET", f"/response-headers?{wrong}")[0] == 404, wrong


def test_a_redirect_to_somewhere(peer):
    code, fields, _ = ask(peer, "GET", "/redirect-to?url=http%3A%2F%2Fa.example%2F%3Fb")
    assert (code, fields["Location"], fields["Earnest-Status"]) == (302, "http://a.example/?b", "earned")
    for status in (301, 302, 303, 307, 308):
        assert ask(peer, "POST", f"/redirect-to?url=/get&status_code={status}", b"x")[0] == status
    for wrong in ("", "?url=", "?url=a%20b", "?url=%0d%0aA:b", "?url=%C3%A9", "?url=/&status_code=300",
                  "?url=/&status_code=200"):
        code, fields, _ = ask(peer, "GET", "/redirect-to" + wrong)
        assert (code, fields["Location"]) == (404, None), wrong


def test_links(peer):
    assert ask(peer, "GET", "/links/3")[1]["Location"] == "/links/3/0"
    text = ask(peer, "GET", "/links/3/1")[2].decode()
    assert re.findall(r'href="(\d+)"', text) == ["0", "2"]
    assert ask(peer, "GET", "/links/3/3")[0] == ask(peer, "GET", "/links/0/0")[0] == 404
    assert len(re.findall("href", ask(peer, "GET", "/links/100000/0")[2].decode())) == 199


def test_one_of_several_statuses(peer):
    found = {ask(peer, "GET", "/status/201:3,503,404:1")[0] for _ in range(60)}
    assert found == {201, 503, 404}
    for wrong in ("200:0", "200:x", "200,", "200:", ",", "200,100", "200:-1"):
        code = ask(peer, "GET", f"/status/{wrong}")[0]
        assert code == (200 if wrong == "200," else 404), wrong


@pytest.mark.parametrize("accept, kind, magic", [
    (None, "image/png", b"\x89PNG"), ("image/webp", "image/webp", b"RIFF"), ("image/jpeg", "image/jpeg", b"\xff\xd8"),
    ("image/svg+xml", "image/svg+xml", b"<svg"), ("image/*", "image/png", b"\x89PNG"),
    ("image/webp;q=0.5, image/jpeg", "image/jpeg", b"\xff\xd8")])
def test_an_image_that_is_accepted(peer, accept, kind, magic):
    code, fields, content = ask(peer, "GET", "/image", **({"Accept": accept} if accept else {}))
    assert (code, fields["Content-Type"], fields["Vary"]) == (200, kind, "Accept")
    assert content.startswith(magic)
    assert ask(peer, "GET", "/image/" + kind[6:].removesuffix("+xml"))[2] == content


def test_an_image_that_is_not(peer):
    code, fields, _ = ask(peer, "GET", "/image", Accept="text/plain")
    assert (code, fields["Earnest-Status"]) == (406, "earned")


def test_a_uuid(peer):
    first, second = (uuid.UUID(said(ask(peer, "GET", "/uuid"))["uuid"]) for _ in range(2))
    assert first.version == 4 and first.variant == uuid.RFC_4122 and first != second


def test_what_may_be_kept(peer):
    _, fields, _ = ask(peer, "GET", "/cache")
    assert ask(peer, "GET", "/cache", If_Modified_Since=fields["Last-Modified"])[0] == 304
    assert ask(peer, "GET", "/cache", If_None_Match=fields["ETag"])[0] == 304
    assert ask(peer, "GET", "/cache", If_Modified_Since="Thu, 01 Jan 2015 00:00:00 GMT")[0] == 200


# ---- credentials --------------------------------------------------------------------------------

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def digest(peer, path, user="ann", password="pw", nc="00000001", challenge=None, **changes):
    """Answers the challenge of a path. Returns the fields that were sent, and the challenge."""
    if challenge is None:
        challenge = dict(re.findall(r'(\w+)="?([^",]+(?:, auth-int)?)"?', ask(peer, "GET", path)[1]["WWW-Authenticate"]))
    said_of = {"qop": challenge["qop"].split(", ", maxsplit=1)[0], "uri": path, "cnonce": "c", **changes}

    def h(*texts):
        return hashlib.new(HASHES[challenge["algorithm"]], ":".join(texts).encode()).hexdigest()
    a2 = ["GET", said_of["uri"]] + ([h("")] if said_of["qop"] == "auth-int" else [])
    response = h(h(user, "peer", password), challenge["nonce"], nc, said_of["cnonce"], said_of["qop"], h(*a2))
    return {"Authorization": f'Digest username="{user}", realm="peer", nonce="{challenge["nonce"]}", '
            f'uri="{said_of["uri"]}", response="{response}", algorithm={challenge["algorithm"]}, cnonce="c", '
            f'qop={said_of["qop"]}, nc={nc}'}, challenge


@pytest.mark.parametrize("qop", ["auth", "auth-int", "either"])
@pytest.mark.parametrize("algorithm", [None, *HASHES])
def test_digest(peer, qop, algorithm):
    if algorithm and HASHES[algorithm] not in hashlib.algorithms_available:
        pytest.skip("this hash is not to be had")
    path = f"/digest-auth/{qop}/ann/pw" + (f"/{algorithm}" if algorithm else "")
    fields, challenge = digest(peer, path)
    assert challenge["qop"] == {"either": "auth, auth-int"}.get(qop, qop)
    assert challenge["algorithm"] == (algorithm or "MD5")
    assert said(ask(peer, "GET", path, **fields)) == {"authenticated": True, "user": "ann"}
    code, again, _ = ask(peer, "GET", path, **fields)
    assert code == 401 and "stale=true" in again["WWW-Authenticate"], "a count counts once"
    assert ask(peer, "GET", path, **digest(peer, path, nc="00000002", challenge=challenge)[0])[0] == 200
    for wrong in ({"password": "p"}, {"user": "bob"}, {"uri": "/get"}):
        code, refused, _ = ask(peer, "GET", path, **digest(peer, path, **wrong)[0])
        assert code == 401 and "stale" not in refused["WWW-Authenticate"]


def test_a_nonce_that_becomes_stale(peer):
    path = "/digest-auth/auth/ann/pw/MD5/1"
    fields, challenge = digest(peer, path)
    assert ask(peer, "GET", path, **fields)[0] == 200
    code, again, _ = ask(peer, "GET", path, **digest(peer, path, nc="00000002", challenge=challenge)[0])
    assert code == 401 and "stale=true" in again["WWW-Authenticate"]
    assert ask(peer, "GET", "/digest-auth/auth/ann/pw/MD5/never")[0] == 401
    assert ask(peer, "GET", "/digest-auth/auth/ann/pw/MD4")[0] == 404
    assert ask(peer, "GET", "/digest-auth/auth/ann/pw/MD5/often")[0] == 404


def test_who_is_known_is_told_so(peer):
    basic = "Basic " + base64.b64encode(b"ann:pw").decode()
    for path in ("/basic-auth/ann/pw", "/hidden-basic-auth/ann/pw"):
        assert said(ask(peer, "GET", path, Authorization=basic)) == {"authenticated": True, "user": "ann"}
    assert said(ask(peer, "GET", "/bearer", Authorization="Bearer abc")) == {"authenticated": True, "token": "abc"}


def test_the_list(peer):
    code, fields, text = ask(peer, "GET", "/")
    assert code == 200 and fields["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in fields["Content-Security-Policy"]
    for path in re.findall(r'<a href="\.(/[^"{]*)"', text.decode()):
        assert ask(peer, "GET", path)[0] in (200, 302, 401, 404, 405), path
