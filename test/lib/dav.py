# SPDX-License-Identifier: Apache-2.0
"""A WebDAV client that says what it means: one connection, one request at a time, no repairs.

    with Dav(server.port) as dav:
        answer = dav("PUT", "/a.txt", content=b"text")
        token = dav.lock("/a.txt")
"""
import re
import xml.etree.ElementTree as ElementTree

from earnest_server import Wire

D = "{DAV:}"
LOCK = (b'<lockinfo xmlns="DAV:"><lockscope><%s/></lockscope><locktype><write/></locktype>'
        b"<owner>%s</owner></lockinfo>")


class Dav:
    def __init__(self, port, prefix=""):
        self.port, self.prefix = port, prefix
        self.wire = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()

    def hang_up(self):
        if self.wire:
            self.wire.__exit__()
        self.wire = None

    def send(self, method, path, content=None, **fields):
        """Sends a request; names of fields have _ for -."""
        if self.wire is None:
            self.wire = Wire(self.port)
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        if content is not None and "Content_Length" not in fields:
            lines.append(f"Content-Length: {len(content)}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.wire.send(head.encode("utf-8") + (content or b""))

    def __call__(self, method, path, content=None, **fields):
        if content is not None and content[:1] == b"<":
            fields.setdefault("Content_Type", "application/xml; charset=utf-8")
        self.send(method, path, content, **fields)
        answer = self.wire.answer(method)
        if answer.closes:
            self.hang_up()
        return answer

    def lock(self, path, scope=b"exclusive", owner=b"ann", **fields):
        """Locks, and returns the token."""
        answer = self("LOCK", path, LOCK % (scope, owner), **fields)
        assert answer.status in (200, 201), answer
        match = re.fullmatch(r"<(urn:uuid:[0-9a-f-]{36})>", answer.field("lock-token") or "")
        assert match, answer
        return match[1]

    def find(self, path, names=(), depth="0", **fields):
        """PROPFIND: {href: {name: (status, element)}}; names as in "{DAV:}getetag"."""
        content = b""
        if names:
            parts = "".join('<x:%s xmlns:x="%s"/>' % (n.split("}")[1], n[1:].split("}")[0])
                            for n in names)
            content = f'<propfind xmlns="DAV:"><prop>{parts}</prop></propfind>'.encode()
        answer = self("PROPFIND", path, content, Depth=depth, **fields)
        assert answer.status == 207, answer
        return multistatus(answer.content)

    def set(self, path, values, **fields):
        """PROPPATCH that sets {name: text} in one request."""
        parts = "".join('<x:%s xmlns:x="%s">%s</x:%s>' % (n.split("}")[1], n[1:].split("}")[0], v,
                                                         n.split("}")[1])
                        for n, v in values.items())
        content = f'<propertyupdate xmlns="DAV:"><set><prop>{parts}</prop></set></propertyupdate>'
        return self("PROPPATCH", path, content.encode(), **fields)


def multistatus(content):
    """{href: {name: (status, element)}}, with the status of a whole response under ""."""
    root = ElementTree.fromstring(content)
    assert root.tag == D + "multistatus"
    found = {}
    for response in root.findall(D + "response"):
        properties = {}
        for propstat in response.findall(D + "propstat"):
            code = int(propstat.find(D + "status").text.split()[1])
            for element in propstat.find(D + "prop"):
                assert element.tag not in properties, f"{element.tag} twice"
                properties[element.tag] = (code, element)
        status = response.find(D + "status")
        if status is not None:
            properties[""] = (int(status.text.split()[1]), response)
        for href in response.findall(D + "href"):
            assert href.text not in found, f"{href.text} twice"
            found[href.text] = properties
    return found
