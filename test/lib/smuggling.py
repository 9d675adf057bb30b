# SPDX-License-Identifier: Apache-2.0
"""Messages that two readers could cut at two places, for a gateway and whoever is behind it.

cases(refused) takes the ones that are to be refused (test_r01_framing.py), and adds those that may be
answered, if all agree where they end. The target of each is its own, and so is that of the request
inside it or behind it: so it can be told who saw what.
"""
import re

CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


def inner(target):
    return b"GET " + target + b" HTTP/1.1\r\nHost: a.example\r\n\r\n"


def post(fields, content, method=b"POST", target=b"/"):
    return method + b" " + target + b" HTTP/1.1\r\nHost: a.example\r\n" + fields + b"\r\n" + content


def hidden():
    """Requests within content: who does not read it to its end takes them for requests."""
    evil = inner(b"/evil")
    length = b"Content-Length: %d\r\n" % len(evil)
    chunk = b"%x\r\n%s\r\n" % (len(evil), evil)
    for method in (b"POST", b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"PUT", b"FROB", b"TRACE"):
        yield f"content of {method.decode()}", post(length, evil, method)
        yield f"chunk of {method.decode()}", post(CHUNKED, chunk + END, method)
    yield "expected content", post(length + b"Expect: 100-continue\r\n", evil)
    yield "expected chunk", post(CHUNKED + b"Expect: 100-continue\r\n", chunk + END)
    yield "odd expectation", post(length + b"Expect: 100-Continue, x\r\n", evil)
    yield "HTTP/1.0", post(length, evil).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    yield "chunk extensions", post(CHUNKED, b"%x;a=b;c=\"d;e\"\r\n%s\r\n" % (len(evil), evil) + END)
    yield "an extension that looks like an end", post(CHUNKED, b'%x;a="0"\r\n' % len(evil) + evil + b"\r\n" + END)
    yield "zeros before the size", post(CHUNKED, b"0%x\r\n%s\r\n000\r\n\r\n" % (len(evil), evil))
    yield "a trailer that is a length", post(CHUNKED, chunk + b"0\r\nContent-Length: 100\r\n\r\n")
    yield "a trailer that is a coding", post(CHUNKED, chunk + b"0\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n")
    yield "coding in other case", post(b"transfer-encoding:CHUNKED\r\n", chunk + END)
    yield "no content, chunked", post(CHUNKED, END)
    yield "Content-Length: 0", post(b"Content-Length: 0\r\n", b"")
    yield "upgrade with content", post(b"Upgrade: websocket\r\nConnection: Upgrade\r\n" + length, evil)
    yield "upgrade to h2c with content", post(b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                                              b"HTTP2-Settings: AAMAAABk\r\n" + length, evil)


def names():
    """Fields that some take for the framing, and others do not; and fields that Connection takes away."""
    evil = inner(b"/evil")
    length = b"Content-Length: %d\r\n" % len(evil)
    for name in (b"Content_Length", b"content_length", b"Transfer_Encoding", b"Content-Length-", b"X-Content-Length",
                 b"Transfer-Encoding-", b"Content.Length", b"Content+Length", b"Transfer|Encoding"):
        value = b"chunked" if b"T" in name else b"5"
        yield f"{name.decode()} beside the length", post(length + name + b": " + value + b"\r\n", evil)
        yield f"{name.decode()} alone", post(name + b": " + value + b"\r\n", b"")
    for option in (b"Content-Length", b"Transfer-Encoding", b"Host", b"close, Content-Length", b"keep-alive, TE, host",
                   b"Via", b"X-Forwarded-For, Forwarded", b"Connection", b"Upgrade"):
        yield f"Connection: {option.decode()}", post(length + b"Connection: " + option + b"\r\n", evil)
        yield f"Connection: {option.decode()}, chunked", post(
            CHUNKED + b"Connection: " + option + b"\r\n", b"%x\r\n%s\r\n" % (len(evil), evil) + END)
    yield "TE", post(length + b"TE: trailers, chunked\r\nTrailer: Content-Length\r\n", evil)


def targets():
    """Who and what is meant?"""
    for target in (b"http://b.example/x", b"http://a.example:80/x", b"/x//y/../z", b"/x/%2e%2e/y", b"/x/..%2fy",
                   b"/x%0d%0aX:y", b"/x?a=%20HTTP/1.1%0d%0aEvil:%20y", b"/x;y=1?z", b"/%75%6e", b"/x\\y", b"*",
                   b"/x#y", b"/x%00y", b"https://a.example/x", b"//b.example/x", b"/.//b.example/x"):
        yield f"target {target!r}", post(b"Content-Length: 0\r\n", b"", b"GET", target)
    for method in (b"GET", b"HEAD", b"PRI", b"CONNECT", b"TRACE", b"get", b"G3T"):
        yield f"method {method.decode()}", post(b"", b"", method)


def cases(refused):
    """(name, bytes, targets that the message has): those behind and within it are all different."""
    everything = [*refused, *hidden(), *names(), *targets()]
    for number, (name, message) in enumerate(everything):
        message = re.sub(rb"^(\S*\s*\S+ )/(?= HTTP)", rb"\1/c%d" % number, message, count=1)
        yield name, message.replace(b"/evil", b"/evil%02d" % (number % 100)), b"/victim%d" % number


LOGGED = re.compile(r'"(\S+) (\S+) HTTP/[\d.]+" (\d+) .* rule=(\w+)')


def logged(text):
    """(method, target, rule) of each line of our access log."""
    return [(method, target, rule) for method, target, _, rule in LOGGED.findall(text)]


def path_of(target):
    """The target as a gateway passes it on."""
    path = re.sub(r"^https?://[^/?#]*", "", target) or "/"
    return path
