# SPDX-License-Identifier: Apache-2.0
"""What is wrong with one response, by RFC 9110, 9111 and 9112: lint(request, answer) gives notes.

The notes bear the names that HTTP linters know; a check that no linter has is in lower case. Syntax
below fields (line ends, chunks, a space before a colon) is Wire's, which reads nothing wrong.
"""
import email
import email.message
import re
import time

from earnest_server import DATE, ETAG, Wire, seconds_of

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
MEDIA_TYPE = re.compile(rf"({TOKEN}/{TOKEN})((?:[ \t]*;[ \t]*{TOKEN}=(?:{TOKEN}|{QUOTED}))*)")
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
URI_REFERENCE = re.compile(r"(?:%[0-9A-Fa-f]{2}|[!#$&'()*+,\-./:;=?@_~\[\]0-9A-Za-z])*")
DIRECTIVE = re.compile(rf"({TOKEN})(?:=({TOKEN}|{QUOTED}))?")
LIST = re.compile(rf"[ \t]*{TOKEN}(?:[ \t]*,[ \t]*{TOKEN})*[ \t]*")

ONE = {"age", "content-length", "content-location", "content-range", "content-type", "date", "etag",
       "expires", "last-modified", "location", "retry-after", "server", "transfer-encoding"}
REQUEST_ONLY = {"accept", "accept-charset", "accept-language", "authorization", "cookie", "expect",
                "host", "if-match", "if-modified-since", "if-none-match", "if-range",
                "if-unmodified-since", "max-forwards", "proxy-authorization", "range", "referer",
                "te", "user-agent"}
DEPRECATED = {"pragma", "warning", "content-md5", "p3p", "x-powered-by", "proxy-connection",
              "keep-alive"}
LIST_OF_TOKENS = {"accept-ranges", "allow", "connection", "content-encoding", "transfer-encoding",
                  "upgrade"}
SECONDS = {"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"}
ALONE = {"no-store", "public", "must-revalidate", "proxy-revalidate", "no-transform", "immutable",
         "must-understand"}
RESPONSE_DIRECTIVES = SECONDS | ALONE | {"no-cache", "private"}
IN_304 = {"date", "server", "cache-control", "content-location", "etag", "expires", "vary",
          "last-modified", "connection", "accept-ranges"}
WITH_LOCATION = {201, 301, 302, 303, 305, 307, 308}
CONTENT_FIELDS = {"content-type", "content-language", "content-encoding", "content-range"}


class Request:
    """The request as a linter needs it."""

    def __init__(self, raw):
        lines = raw.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")
        words = (lines[0] + "  ").split(" ")
        self.method, self.target = words[0], words[1]
        self.minor = 0 if lines[0].endswith("HTTP/1.0") else 1
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()


def answer_from(raw, method="GET"):
    """The answer that these bytes are, to a request with the method."""
    wire = Wire.__new__(Wire)
    wire.buffer, wire.ended = raw, True
    return wire.answer(method)


def syntax(_, a):
    """Fields by their grammar, whatever they mean."""
    for name in {name for name, _ in a.fields}:
        values = [value for other, value in a.fields if other == name]
        if name in ONE and len(values) > 1:
            yield f"SINGLE_HEADER_REPEAT {name}"
        if name in REQUEST_ONLY:
            yield f"REQUEST_HDR_IN_RESPONSE {name}"
        if name in DEPRECATED:
            yield f"FIELD_DEPRECATED {name}"
        for value in values:
            if not re.fullmatch(r"[\t\x20-\x7e]*", value):
                yield f"FIELD_VALUE_ENCODING {name}"
            if name in LIST_OF_TOKENS and not LIST.fullmatch(value):
                if not (name == "allow" and value == ""):
                    yield f"BAD_SYNTAX {name}"
            if name in ("date", "last-modified", "expires") and not DATE.fullmatch(value):
                yield f"BAD_DATE_SYNTAX {name}"
            if len(value) > 4096:
                yield f"FIELD_TOO_LARGE {name}"
    if not re.fullmatch(r"[\t\x20-\x7e]+", a.phrase):
        yield "STATUS_PHRASE_ENCODING"


def dates(_, a):
    date, modified = a.field("date"), a.field("last-modified")
    if not date:
        if a.status >= 200:
            yield "NO_DATE_304" if a.status == 304 else "DATE_CLOCKLESS"
        return
    if not DATE.fullmatch(date):
        return
    if not -2 <= time.time() - seconds_of(date) <= 10:
        yield "DATE_INCORRECT"
    if modified and DATE.fullmatch(modified) and seconds_of(modified) > seconds_of(date):
        yield "LM_FUTURE"


def content(q, a):
    """Is there content where it may be, and is it as it says?"""
    none = q.method == "HEAD" or a.status in (204, 304) or a.status < 200
    if none and a.content:
        yield "CONTENT_NOT_ALLOWED"
    if a.field("content-length") and a.field("transfer-encoding"):
        yield "CL_AND_TE_PRESENT"
    if a.field("content-length") is not None:
        if not re.fullmatch(r"\d{1,18}", a.field("content-length")):
            yield "CL_BAD_SYNTAX"
        elif not none and int(a.field("content-length")) != len(a.content):
            yield "CL_INCORRECT"
        if a.status < 200 or a.status == 204:
            yield "content-length-not-allowed"
    if a.field("transfer-encoding") and (a.status < 200 or a.status in (204, 304)):
        yield "transfer-encoding-not-allowed"
    if a.field("transfer-encoding") and q.minor == 0:
        yield "TRANSFER_CODING_UNWANTED"
    if a.status == 205 and a.content:
        yield "CONTENT_NOT_ALLOWED"
    # With If-Range the client has it already: RFC 9110 15.3.7.
    has_it = a.status == 206 and "if-range" in q.fields
    if a.content and not a.field("content-type") and not has_it:
        yield "content-type-missing"
    if a.until_close and "close" not in a.members("connection"):
        yield "close-not-announced"


def types(_, a):
    value = a.field("content-type")
    if value is None:
        return
    match = MEDIA_TYPE.fullmatch(value)
    if not match:
        yield "BAD_SYNTAX content-type"
        return
    names = [name.lower() for name in re.findall(rf";[ \t]*({TOKEN})=", match[2])]
    if len(names) != len(set(names)):
        yield "PARAM_REPEATS content-type"
    charset = re.search(r";[ \t]*charset=\"?([^\";]+)", value, re.I)
    if a.content and not a.field("content-encoding") and a.status != 206:
        if charset and charset[1].lower() == "utf-8" or match[1].endswith("json"):
            try:
                a.content.decode("utf-8")
            except UnicodeDecodeError:
                yield "CHARSET_UNDECODABLE"
        if match[1] == "text/html" and not re.match(rb"\s*<", a.content):
            yield "CONTENT_TYPE_MISMATCH"
        if match[1].endswith("json") and not re.match(rb"\s*[\[{]", a.content):
            yield "CONTENT_TYPE_MISMATCH"
    if (a.field("x-content-type-options") or "nosniff") != "nosniff":
        yield "CONTENT_TYPE_OPTIONS_UNKNOWN"


def language(_, a):
    value = a.field("content-language")
    if value is not None and not all(LANGUAGE.fullmatch(tag.strip()) for tag in value.split(",")):
        yield "BAD_SYNTAX content-language"


def coding(q, a):
    codings = a.members("content-encoding")
    accepted = q.fields.get("accept-encoding", "").lower()
    for name in codings:
        if name == "identity":
            yield "BAD_SYNTAX content-encoding"
        elif name not in accepted and "*" not in accepted:
            yield "ENCODING_UNWANTED"
    if codings and "accept-encoding" not in a.members("vary"):
        yield "vary-misses-accept-encoding"


def etags(_, a):
    value = a.field("etag")
    if value is not None and not ETAG.fullmatch(value):
        yield "BAD_SYNTAX etag"


def vary(_, a):
    members = a.members("vary")
    if a.field("vary") == "*":
        yield "VARY_ASTERISK"
    elif a.field("vary") is not None and not LIST.fullmatch(a.field("vary")):
        yield "BAD_SYNTAX vary"
    if len(members) != len(set(members)):
        yield "VARY_DUPLICATE"
    if len(members) > 3:
        yield "VARY_COMPLEX"
    for name in {"user-agent", "host"} & set(members):
        yield f"VARY_{name.upper().replace('-', '_')}"


def caching(_, a):
    value = a.field("cache-control")
    if value is None:
        return
    found = {}
    for part in re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", value):
        match = DIRECTIVE.fullmatch(part.strip())
        if not match:
            yield f"BAD_SYNTAX cache-control: {part}"
            continue
        name, argument = match[1], match[2]
        if name != name.lower():
            yield "CC_MISCAP"
        if name in found:
            yield "CC_DUP"
        found[name] = argument
        if name in SECONDS and not re.fullmatch(r"\d{1,10}", argument or ""):
            yield "CC_BAD_VALUE_TYPE"
        if name in ALONE and argument is not None:
            yield "CC_SHOULD_NOT_HAVE_VALUE"
        if name not in RESPONSE_DIRECTIVES:
            yield "CC_WRONG_MESSAGE"
    if {"public", "private"} <= found.keys():
        yield "STORE_PRIVATE_PUBLIC_CONFLICT"
    if "no-store" in found and {"max-age", "no-cache"} & found.keys():
        yield "CC_CONFLICTING"


def ranges(q, a):
    place, kind = a.field("content-range"), a.field("content-type") or ""
    units = a.field("accept-ranges")
    if units is not None and not {unit.strip() for unit in units.split(",")} <= {"bytes", "none"}:
        yield "UNKNOWN_RANGE"
    if a.status == 206:
        if "range" not in q.fields or q.method != "GET":
            yield "PARTIAL_NOT_REQUESTED"
        if kind.startswith("multipart/byteranges"):
            yield from parts(a)
        elif place is None:
            yield "PARTIAL_WITHOUT_RANGE"
        else:
            yield from one_range(place, len(a.content))
    elif a.status == 416:
        if "range" not in q.fields:
            yield "STATUS_416_WITHOUT_RANGE"
        if not re.fullmatch(r"bytes \*/\d+", place or ""):
            yield "CONTENT_RANGE_INVALID_ASTERISK"
    elif place is not None:
        yield "CONTENT_RANGE_MEANINGLESS"


def one_range(place, length):
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", place)
    if not match:
        yield "BAD_SYNTAX content-range"
        return
    first, last = int(match[1]), int(match[2])
    if last < first or match[3] != "*" and last >= int(match[3]):
        yield "RANGE_INVALID"
    if last - first + 1 != length:
        yield "content-range-and-content-differ"


def parts(a):
    if a.field("content-range") is not None:
        yield "CONTENT_RANGE_MEANINGLESS"
    head = f"Content-Type: {a.field('content-type')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + a.content)
    if message.defects or not message.is_multipart() or len(message.get_payload()) < 2:
        yield "multipart-syntax"
        return
    for part in message.get_payload():
        if not part["Content-Range"] or not part["Content-Type"]:
            yield "PARTIAL_WITHOUT_RANGE"
        else:
            yield from one_range(part["Content-Range"], len(part.get_payload(decode=True)))


def statuses(q, a):
    location = a.field("location")
    if a.status in WITH_LOCATION - {201} and not location:
        yield "REDIRECT_WITHOUT_LOCATION"
    if a.status == 201 and not location and q.method not in ("PUT", "PATCH"):
        yield "CREATED_WITHOUT_LOCATION"
    if location is not None:
        if not URI_REFERENCE.fullmatch(location) or location.startswith("//"):
            yield "BAD_SYNTAX location"
        if a.status not in WITH_LOCATION:
            yield "LOCATION_UNDEFINED"
    if a.status == 405 and a.field("allow") is None:
        yield "allow-missing"
    if a.status == 405 and q.method.lower() in a.members("allow"):
        yield "STATUS_405_METHOD_IN_ALLOW"
    challenge = {401: "www-authenticate", 407: "proxy-authenticate"}.get(a.status)
    if challenge and not a.field(challenge):
        yield "challenge-missing"
    if a.status in (101, 426) and a.field("upgrade") is None:
        yield "upgrade-missing"
    if a.status == 412 and not any(name.startswith("if-") for name in q.fields):
        yield "STATUS_412_WITHOUT_PRECONDITION"
    if a.status == 417 and "expect" not in q.fields:
        yield "STATUS_417_WITHOUT_EXPECT"
    if a.status == 408 and not a.closes:
        yield "close-not-announced"  # RFC 9110 15.5.9
    if a.status == 304:
        for name in {name for name, _ in a.fields} - IN_304:
            yield f"HEADER_SHOULD_NOT_BE_IN_304 {name}"
    if a.status in (306, 418):
        yield "STATUS_RESERVED"
    retry = a.field("retry-after")
    if retry is not None and not re.fullmatch(r"\d+", retry) and not DATE.fullmatch(retry):
        yield "BAD_SYNTAX retry-after"
    if any(interim.status == 100 for interim in a.interim) and "expect" not in q.fields:
        yield "UNEXPECTED_CONTINUE"
    if a.interim and q.minor == 0:
        yield "UNEXPECTED_CONTINUE"


def connection(_, a):
    members = a.members("connection")
    for name in {"date", "content-length", "content-type", "cache-control", "etag"} & set(members):
        yield f"connection-names {name}"
    if {"close", "keep-alive"} <= set(members):
        yield "connection-contradicts"


CHECKS = [syntax, dates, content, types, language, coding, etags, vary, caching, ranges, statuses,
          connection]


def lint(request, answer):
    """The notes, sorted; none if all is well."""
    return sorted({note for check in CHECKS for note in check(request, answer)})


# What a 206 or 304 must say as the 200 would have: RFC 9110 15.3.7 and 15.4.5.
SAME = ["cache-control", "content-location", "etag", "expires", "vary"]


def lint_beside(full, other):
    """The notes on a 206 or 304 beside the 200 to the same request without its conditions."""
    return [f"differs-from-200 {name}: {full.field(name)} and {other.field(name)}"
            for name in SAME if full.field(name) != other.field(name)]
