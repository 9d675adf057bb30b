# SPDX-License-Identifier: Apache-2.0
"""R-01, R-03, R-04, R-05, R-08: messages that two readers could cut at two places.

Each is followed, on the same connection, by a request for /victim. The message must be refused, the
connection must end, and nothing may ever answer /victim.
"""
import pytest

from scenario import Site, files_route

VICTIM = b"GET /victim HTTP/1.1\r\nHost: a.example\r\n\r\n"
HOST = b"Host: a.example\r\n"
REFUSED = {400, 501, 505}


def post(fields, content=b"", version=b"HTTP/1.1"):
    return b"POST / " + version + b"\r\n" + HOST + fields + b"\r\n" + content


def lengths():
    """Content-Length that is no length, or more than one."""
    bad = [b"", b"+5", b"-5", b"-0", b"5 5", b"5,6", b"5, 5", b"5,5", b",5", b"5,", b"5;", b"0x5", b"5x",
           b"x5", b"5.0", b"5e0", b"0b1", b"1_0", b"'5'", b'"5"', b"5\t5", b"\x0c5", b"\xa05",
           b"\xef\xbc\x95", b"99999999999999999999", b"18446744073709551621",
           b"9223372036854775808", b"5\x0b", b"5\x00", b"five", b"5-", b"(5)5"]
    for value in bad:
        yield f"length {value!r}", post(b"Content-Length: " + value + b"\r\n", b"12345")
    two = b"Content-Length: %s\r\nContent-Length: %s\r\n"
    for a, b in [(b"5", b"6"), (b"0", b"5"), (b"5", b"0"), (b"5", b""), (b"", b"5"), (b"5", b"x"),
                 (b"5", b"5")]:
        yield f"lengths {a!r} {b!r}", post(two % (a, b), b"12345")
    yield "lengths in other case", post(b"Content-Length: 5\r\ncOnTeNt-lEnGtH: 0\r\n", b"12345")


CHUNKED = b"5\r\n12345\r\n0\r\n\r\n"


def codings():
    """Transfer-Encoding that one reader could take for chunked, and another not."""
    bad = [b"", b"xchunked", b"chunkedx", b"chunked-", b"chunked;", b"chunked;q=1", b"chunked, chunked",
           b"chunked,identity", b"identity", b"identity, chunked", b"gzip", b"gzip, chunked",
           b"chunked, gzip", b"chunked, x", b"'chunked'", b'"chunked"', b"chun\tked", b"chu nked",
           b"\x0bchunked", b"\x0cchunked", b"chunked\x0b", b"chunked\x00", b"\xa0chunked",
           b"chunked\xa0", b"\xef\xbb\xbfchunked", b"chunked\x7f", b"x, chunked", b"chunked x",
           b"[chunked]", b"chunked=1", b"(chunked)", b"chunked/1", b"c\xc4\xa7unked", b"{chunked}",
           b"chunked\\", b";chunked", b"0", b"true", b"deflate, chunked", b"trailers, chunked"]
    for value in bad:
        yield f"coding {value!r}", post(b"Transfer-Encoding: " + value + b"\r\n", CHUNKED)
    two = b"Transfer-Encoding: %s\r\nTransfer-Encoding: %s\r\n"
    for a, b in [(b"chunked", b"identity"), (b"identity", b"chunked"), (b"chunked", b"chunked"),
                 (b"chunked", b"x"), (b"x", b"chunked"), (b"gzip", b"chunked"), (b"", b"gzip")]:
        yield f"codings {a!r} {b!r}", post(two % (a, b), CHUNKED)


def both():
    """Content-Length beside Transfer-Encoding: CL.TE, TE.CL and TE.TE."""
    length, coding = b"Content-Length: %d\r\n", b"Transfer-Encoding: %s\r\n"
    for n in (0, 4, 5, 15, 100):
        yield f"CL.TE {n}", post(length % n + coding % b"chunked", CHUNKED)
        yield f"TE.CL {n}", post(coding % b"chunked" + length % n, CHUNKED)
    for value in (b"x", b"identity", b"", b"chunked, x", b"Chunked", b"CHUNKED", b" chunked",
                  b"\tchunked"):
        yield f"CL.TE {value!r}", post(length % 5 + coding % value, CHUNKED)
    yield "CL.TE in HTTP/1.0", post(length % 5 + coding % b"chunked", CHUNKED, b"HTTP/1.0")
    yield "TE in HTTP/1.0", post(coding % b"chunked", CHUNKED, b"HTTP/1.0")


def names():
    """Field names that one reader could take for the framing ones."""
    chunked = b"chunked\r\n"
    for name in [b"Transfer-Encoding :", b"Transfer-Encoding\t:", b" Transfer-Encoding:",
                 b"\tTransfer-Encoding:", b"Transfer-Encoding\x00:", b"\x00Transfer-Encoding:",
                 b"Transfer\x0bEncoding:", b"Transfer Encoding:", b"Transfer-Encoding\x0c:",
                 b"Transfer-Encoding\xa0:", b"\x0bTransfer-Encoding:", b"Transfer-Encoding\r:",
                 b"Transfer-Encoding\n:", b"Transfer-Encoding=", b"Transfer-Encoding",
                 b"Transfer-Encoding;", b":Transfer-Encoding:", b"(Transfer-Encoding:",
                 b'"Transfer-Encoding":', b"Transfer-Encoding\xc3\xa9:", b"Transfer-Encoding,:",
                 b"@Transfer-Encoding:", b"[Transfer-Encoding]:", b"Transfer/Encoding:",
                 b"Transfer-Encoding\\:", b"{Transfer-Encoding}:"]:
        yield f"name {name!r}", post(name + b" " + chunked, CHUNKED)
    for name in [b"Content-Length :", b"Content-Length\t:", b" Content-Length:",
                 b"Content-Length\x00:", b"Content Length:", b"\x00Content-Length:", b":", b" :",
                 b"\xffContent-Length:", b"Content-Length\r:"]:
        yield f"name {name!r}", post(name + b" 5\r\n", b"12345")


def lines():
    """Lines that end, or do not, in a way of their own."""
    te = b"Transfer-Encoding: chunked"
    yield "LF after the request line", b"POST / HTTP/1.1\n" + HOST + te + b"\r\n\r\n" + CHUNKED
    yield "LF after a field", post(b"X: y\n" + te + b"\r\n", CHUNKED)
    yield "LF after the coding", post(te + b"\n", CHUNKED)
    yield "LF LF", b"POST / HTTP/1.1\nHost: a.example\n\n"
    yield "CR in a value", post(b"X: y\r" + te + b"\r\n", CHUNKED)
    yield "CR CR LF", post(b"X: y\r\r\n" + te + b"\r\n", CHUNKED)
    yield "CR at the end of the head", post(te + b"\r\n\r", CHUNKED)
    yield "LF CR", post(b"X: y\n\r" + te + b"\r\n", CHUNKED)
    yield "a folded value", post(b"X: y\r\n " + te + b"\r\n", CHUNKED)
    yield "a folded coding", post(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKED)
    yield "a folded coding, by tab", post(b"Transfer-Encoding:\r\n\tchunked\r\n", CHUNKED)
    yield "a first line that is folded", b"POST / HTTP/1.1\r\n " + HOST + b"\r\n"
    yield "a field before Host that is folded", b"GET / HTTP/1.1\r\n Host: a\r\nX: y\r\n\r\n"
    yield "an empty name", post(b": y\r\n")
    yield "no colon", post(b"X\r\n")
    yield "NUL in a value", post(b"X: \x00" + te + b"\r\n")
    yield "BS in a value", post(b"X: \x08\r\n")
    yield "DEL in a value", post(b"X: \x7f\r\n")
    yield "ESC in a value", post(b"X: \x1b[2J\r\n")
    yield "VT in a value", post(b"X: \x0b\r\n")


def request_lines():
    """Request lines that are none."""
    rest = b"\r\n" + HOST + b"\r\n"
    for line in [b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b" GET / HTTP/1.1", b"\tGET / HTTP/1.1",
                 b"GET\t/ HTTP/1.1", b"GET /\tHTTP/1.1", b"GET / HTTP/1.1 ", b"GET / HTTP/1.1\t",
                 b"GET /", b"GET", b"GET / ", b"GET / HTTP", b"GET / HTTP/1", b"GET / HTTP/1.",
                 b"GET / HTTP/.1", b"GET / HTTP/11", b"GET / HTTP/1.10", b"GET / HTTP/01.1",
                 b"GET / HTTP/1,1", b"GET / http/1.1", b"GET / HTTP /1.1", b"GET / HTTP/ 1.1",
                 b"GET / HTTP/1 .1", b"GET / HTTP/1.1x", b"GET / HTTP/+1.1", b"GET / HTTP/1.-1",
                 b"GET / HTTPS/1.1", b"GET / ICY/1.1", b"GET / HTTP/0.9", b"GET / HTTP/2.0",
                 b"GET / HTTP/3.0", b"GET / HTTP/9.9", b"GET a HTTP/1.1", b"GET * HTTP/1.1",
                 b"GET ? HTTP/1.1", b"G\x00T / HTTP/1.1", b"G(T / HTTP/1.1", b"G:T / HTTP/1.1",
                 b"\xffET / HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\x7f HTTP/1.1",
                 b"GET /a b HTTP/1.1", b"GET /%00 HTTP/1.1", b"GET /%zz HTTP/1.1",
                 b"GET /#x HTTP/1.1", b"GET a.example:80 HTTP/1.1", b"CONNECT / HTTP/1.1",
                 b"GET http:// HTTP/1.1", b"GET http:///x HTTP/1.1", b"OPTIONS ** HTTP/1.1"]:
        yield f"line {line!r}", line + rest
    yield "two empty lines before", b"\r\n\r\nGET / HTTP/1.1" + rest
    yield "LF before", b"\nGET / HTTP/1.1" + rest
    yield "nearly the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nMS\r\n\r\n"


def hosts():
    """R-05: who is meant?"""
    for value in [b"a b", b"a/b", b"a?b", b"a#b", b"u@a", b"a:b", b"a:1:2", b"a:99999999", b"[::1",
                  b"::1", b"[::1]x", b"[x]", b"a\\b", b"a\x00", b"a\xff", b'"a"', b"<a>", b"a|b", b"a^b",
                  b"http://a", b"%zz", b"a%", b"a:-1", b"a:+1", b"{a}"]:
        yield f"host {value!r}", b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"
    yield "no host", b"GET / HTTP/1.1\r\n\r\n"
    yield "two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    yield "one host twice", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"
    yield "two hosts, one empty", b"GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n"
    yield "two hosts, absolute form", b"GET http://a/ HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"
    yield "no host, absolute form", b"GET http://a/ HTTP/1.1\r\n\r\n"
    yield "a host with space before its colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"


def chunks():
    """R-03: chunks beyond RFC 9112 7.1."""
    end = b"0\r\n\r\n"
    for name, content in {
            "size 0x": b"0x5\r\n12345\r\n" + end, "size +": b"+5\r\n12345\r\n" + end,
            "size -": b"-5\r\n12345\r\n" + end, "size _": b"1_0\r\n1234567890123456\r\n" + end,
            "size after space": b" 5\r\n12345\r\n" + end, "size after tab": b"\t5\r\n12345\r\n" + end,
            "space after size": b"5 \r\n12345\r\n" + end, "tab after size": b"5\t\r\n12345\r\n" + end,
            "no size": b"\r\n12345\r\n" + end, "only an extension": b";a\r\n12345\r\n" + end,
            "size g": b"g\r\n12345\r\n" + end, "size 5g": b"5g\r\n12345\r\n" + end,
            "size 5h": b"5h\r\n12345\r\n" + end, "size .": b"5.0\r\n12345\r\n" + end,
            "nine digits": b"000000005\r\n12345\r\n" + end,
            "sixteen digits": b"ffffffffffffffff\r\n12345\r\n" + end,
            "a wrap to 5": b"10000000000000005\r\n12345\r\n" + end,
            "size LF": b"5\n12345\r\n" + end, "size CR": b"5\r12345\r\n" + end,
            "size CR X": b"5\rX12345\r\n" + end, "size CR CR LF": b"5\r\r\n12345\r\n" + end,
            "data LF": b"5\r\n12345\n" + end, "data CR": b"5\r\n12345\r" + end,
            "data XX": b"5\r\n12345XX" + end, "no CRLF after data": b"5\r\n12345" + end,
            "data longer": b"5\r\n123456\r\n" + end, "data shorter": b"5\r\n1234\r\n" + end,
            "last LF": b"0\n\r\n", "last LF LF": b"0\n\n", "last CR": b"0\r\r\n",
            "end LF": b"0\r\n\n", "end CR X": b"0\r\n\rX", "NUL in size": b"5\x00\r\n12345\r\n" + end,
            "extension without name": b"5;\r\n12345\r\n" + end,
            "extension without name, =": b"5;=b\r\n12345\r\n" + end,
            "extension LF": b"5;a\n12345\r\n" + end,
            "extension LF in it": b"5;a\nb\r\n12345\r\n" + end,
            "extension CR in it": b"5;a\rb\r\n12345\r\n" + end,
            "extension NUL": b"5;a\x00\r\n12345\r\n" + end,
            "extension not quoted to its end": b'5;a="b\r\n12345\r\n' + end,
            "extension quoted CRLF": b'5;a="\r\n12345"\r\n' + end,
            "extension of 65": b"5;" + b"a" * 64 + b"\r\n12345\r\n" + end,
            "space before extension": b"5 a\r\n12345\r\n" + end,
            "comma": b"5,a\r\n12345\r\n" + end, "quoted size": b'"5"\r\n12345\r\n' + end,
            "wide digit": b"\xef\xbc\x95\r\n12345\r\n" + end,
            "trailer LF": b"0\r\nX: y\n\r\n", "trailer fold": b"0\r\nX: y\r\n z\r\n\r\n",
            "trailer without colon": b"0\r\nX\r\n\r\n", "trailer space": b"0\r\nX : y\r\n\r\n",
            "trailer empty name": b"0\r\n: y\r\n\r\n", "trailer NUL": b"0\r\nX: \x00\r\n\r\n",
            "trailer CR": b"0\r\nX: y\rz\r\n\r\n"}.items():
        yield f"chunk {name}", post(b"Transfer-Encoding: chunked\r\n", content)


R01 = [*lengths(), *codings(), *both(), *names(), *lines(), *request_lines()]
HEAD_FAULTS = [case for case in [*names(), *lines()]]


@pytest.fixture(name="site", scope="module")
def serve(tmp_path_factory):
    folder = tmp_path_factory.mktemp("framing")
    root = folder / "root"
    root.mkdir()
    (root / "victim").write_bytes(b"the answer of somebody else\n")
    with Site(folder, files_route(root)) as site:
        yield site


def refusal(site, message):
    """None if the message is refused as it must be; else what is wrong."""
    with site.connect() as wire:
        wire.send(message + VICTIM)
        answer = wire.answer("POST")
        if answer.status not in REFUSED:
            return f"status {answer.status}"
        if not answer.closes:
            return f"status {answer.status}, and it does not say that it closes"
        try:
            wire.expect_end()
        except ConnectionResetError:
            return "a reset instead of an end"
        return None


def refusals(site, cases):
    wrong = {name: refusal(site, message) for name, message in cases}
    return {name: what for name, what in wrong.items() if what}


def test_r01_smuggling(site, figure):
    assert len(R01) >= 160
    assert refusals(site, R01) == {}
    figure("refused", f"{len(R01)} of {len(R01)}")


def test_r03_chunks(site, figure):
    cases = list(chunks())
    assert refusals(site, cases) == {}
    figure("refused", f"{len(cases)} of {len(cases)}")


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8, 13])
def test_r03_chunks_in_pieces_never_let_a_request_through(site, cut):
    """Content that turns out to be wrong after its answer has gone: the connection ends."""
    for name, message in chunks():
        if "of 65" in name:
            continue
        with site.connect() as wire:
            head = message.index(b"\r\n\r\n") + 4
            wire.send(message[:head])
            answer = wire.answer("POST")
            assert answer.status == 405, name
            rest = message[head:] + VICTIM
            for at in range(0, len(rest), cut):
                wire.send(rest[at:at + cut])
            wire.end()
            try:
                while wire.more():
                    pass
            except ConnectionResetError:
                pass
            assert b"somebody else" not in wire.buffer, name
            assert b" 200 " not in wire.buffer, name


def test_r03_right_chunks_are_taken(site):
    """The control: what the grammar has is read, and the connection goes on."""
    for content in [CHUNKED, b"0\r\n\r\n", b"00000005\r\n12345\r\n000\r\n\r\n",
                    b"5;a\r\n12345\r\n0\r\n\r\n", b'5;a=b;c="d\\"e";f\r\n12345\r\n0;g\r\n\r\n',
                    b"5 ; a = b\r\n12345\r\n0\r\n\r\n", b"a\r\n1234567890\r\nA\r\n1234567890\r\n0\r\n\r\n",
                    b"0\r\nX: y\r\nZ: a b\r\n\r\n"]:
        with site.connect() as wire:
            wire.send(post(b"Transfer-Encoding: chunked\r\n", content) + VICTIM)
            assert wire.answer("POST").status == 405, content
            assert wire.answer("GET").content == b"the answer of somebody else\n", content


def test_r04_field_syntax(site, figure):
    bytes_in_name = [c for c in range(256) if chr(c) not in
                     "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:"]
    cases = [(f"name with {c:#x}", post(b"a" + bytes([c]) + b"b: c\r\n")) for c in bytes_in_name]
    cases += [(f"name that begins with {c:#x}", post(bytes([c]) + b"b: c\r\n"))
              for c in bytes_in_name if c != 0x0d]
    cases += [(f"value with {c:#x}", post(b"a: b" + bytes([c]) + b"c\r\n"))
              for c in [*range(9), 0x0a, 0x0b, 0x0c, 0x0d, *range(0x0e, 0x20), 0x7f]]
    cases += HEAD_FAULTS
    assert refusals(site, cases) == {}
    figure("refused", f"{len(cases)} of {len(cases)}")


def test_r05_hosts(site, figure):
    cases = list(hosts())
    assert refusals(site, cases) == {}
    figure("refused", f"{len(cases)} of {len(cases)}")


def test_r05_absolute_form_decides_alone(tmp_path, root):
    """Two names in one request: the target's counts, and only that is routed by."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.txt").write_bytes(b"b\n")
    config = (f'site "a.example" {{ {files_route(root)} }}\n'
              f'site "b.example" {{ {files_route(tmp_path / "b")} }}\n')
    with Site(tmp_path, config, "strict = true") as site, site.connect() as wire:
        wire.send(b"GET http://b.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert wire.answer("GET").content == b"b\n"
        wire.send(b"GET http://c.example/a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert wire.answer("GET").status == 421


def test_r08_trailers_are_never_merged(site):
    """What a trailer says is of no effect: neither on this request nor on the next one."""
    for trailer in [b"Content-Length: 50", b"Transfer-Encoding: chunked", b"Host: b.example",
                    b"Connection: close", b"Range: bytes=0-1", b"If-None-Match: *",
                    b"Expect: 100-continue", b"Authorization: x", b"Trailer: x"]:
        with site.connect() as wire:
            wire.send(b"GET /victim HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" +
                      b"5\r\n12345\r\n0\r\n" + trailer + b"\r\n\r\n" + VICTIM)
            for _ in range(2):
                answer = wire.answer("GET")
                assert answer.status == 200, trailer
                assert answer.content == b"the answer of somebody else\n", trailer
                assert not answer.closes, trailer
