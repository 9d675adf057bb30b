# SPDX-License-Identifier: Apache-2.0
"""How often a client may ask: limit { ... } (RFC 6585 4)."""
import base64
import socket
import subprocess
import time

from earnest_server import PROGRAM
from scenario import Site, files_route, get

LIMIT = 'limit { requests = %d per = "%s" burst = %d }\n'


def statuses(site, n, fields=b"", source="127.0.0.1"):
    """The statuses of n requests that come one after another from an address of this host."""
    found = []
    with site.connect() as first:
        wire = first
        if source != "127.0.0.1":
            wire.socket.close()
            wire.socket = socket.create_connection(("127.0.0.1", site.port), 10, (source, 0))
        for i in range(n):
            wire.send(get(b"/a.txt", fields=fields.replace(b"#", b"%d" % i)))
            found.append(wire.answer("GET").status)
    return found


def test_who_waits_as_told_is_served(tmp_path, root):
    with Site(tmp_path, LIMIT % (1, "1s", 2) + files_route(root)) as site, site.connect() as wire:
        for wanted in (200, 200, 429):
            wire.send(get(b"/a.txt"))
            answer = wire.answer("GET")
            assert answer.status == wanted
        assert answer.field("ratelimit") == '"address";r=0;t=1'
        time.sleep(int(answer.field("retry-after")))
        wire.send(get(b"/a.txt"))
        assert wire.answer("GET").status == 200


def test_each_address_has_its_own(tmp_path, root):
    with Site(tmp_path, LIMIT % (1, "1h", 3) + files_route(root)) as site:
        assert statuses(site, 5) == [200] * 3 + [429] * 2
        assert statuses(site, 5, source="127.0.0.2") == [200] * 3 + [429] * 2


def test_what_a_stranger_says_of_itself_is_not_believed(tmp_path, root):
    """An attacker that gives itself another address with each request still has one bucket, and
    empties nobody else's."""
    spoofed = b"X-Forwarded-For: 10.0.0.#\r\nForwarded: for=127.0.0.3\r\n"
    with Site(tmp_path, LIMIT % (1, "1h", 3) + files_route(root)) as site:
        assert statuses(site, 9, spoofed, "127.0.0.2") == [200] * 3 + [429] * 6
        assert statuses(site, 3, source="127.0.0.3") == [200] * 3


def test_a_gateway_speaks_for_its_clients(tmp_path, root):
    """Whom a trusted gateway names has a bucket of its own; what the client itself wrote further
    to the left is not believed."""
    config = 'trusted = { "127.0.0.2" }\n' + LIMIT % (1, "1h", 3) + files_route(root)
    with Site(tmp_path, config) as site:
        for client in (b"192.0.2.1", b"192.0.2.2"):
            fields = b"X-Forwarded-For: 198.51.100.#, " + client + b"\r\n"
            assert statuses(site, 5, fields, "127.0.0.2") == [200] * 3 + [429] * 2


def test_uploads_are_no_way_around(tmp_path, root):
    """What belongs to a writable folder counts with it."""
    config = (f'state = "{tmp_path}/state"\n'
              + files_route(root, 'write = true limit { requests = 1 per = "1h" burst = 2 }'))
    with Site(tmp_path, config) as site, site.connect() as wire:
        for wanted in (404, 404, 429):
            wire.send(get(b"/.earnest/upload/1/0123456789abcdef"))
            assert wire.answer("GET").status == wanted
        assert site.status(b"/a.txt") == 429


USERS = ('user "ann" { password = "$y$j75$kEpsA1tYkEpsA1tY$JIRHXLKDnnkdsg0dgIi7Fusw8eyyfhh9Owx2LgI8sz4" }\n'
         'user "bob" { password = "$y$j75$kEpsA1tYkEpsA1tZ$8l.X0D/1ez2PajaLC.XPmLaLTr959VYPHdi0Sa154e8" }\n')


def basic(name):
    password = {"ann": "secret", "bob": "secret"}[name]
    return b"Authorization: Basic %s\r\n" % base64.b64encode(f"{name}:{password}".encode())


def test_by_user(tmp_path, root):
    """A user has one share, from whatever addresses; who is nobody uses up nobody's."""
    config = (USERS + 'limit { requests = 3 per = "1h" by = "user" }\n'
              + files_route(root, 'auth = "basic"'))
    with Site(tmp_path, config) as site:
        assert statuses(site, 5) == [401] * 5
        assert statuses(site, 2, basic("ann")) == [200] * 2
        assert statuses(site, 3, basic("ann"), "127.0.0.2") == [200] + [429] * 2
        assert statuses(site, 3, basic("ann")) == [429] * 3


def test_by_user_where_nobody_logs_in_is_by_address(tmp_path, root):
    config = 'limit { requests = 2 per = "1h" by = "user" }\n' + files_route(root)
    with Site(tmp_path, config) as site:
        assert statuses(site, 3) == [200] * 2 + [429]
        assert statuses(site, 3, source="127.0.0.2") == [200] * 2 + [429]


def test_by_key(tmp_path, root):
    """An account has one share, from whatever addresses. A key that nobody has is no other client: who
    makes up keys has the share of an address."""
    config = (f'state = "{tmp_path}/state"\nadmin = "{tmp_path}/admin.sock"\n'
              'limit { requests = 3 per = "1h" by = "key" }\n'
              + files_route(root) + '\nroute "/paid/" { gone = true price = 1 pay = "/pay" }')
    with Site(tmp_path, config) as site:
        for key in ("ann's", "bob's"):
            subprocess.run([PROGRAM, "credit", "--admin", f"{tmp_path}/admin.sock", "add", key, "1"],
                           check=True, capture_output=True, timeout=30)
        assert statuses(site, 2, b"X-API-Key: ann's\r\n") == [200] * 2
        assert statuses(site, 2, b"X-API-Key: ann's\r\n", "127.0.0.2") == [200, 429]
        assert statuses(site, 4, b"X-API-Key: bob's\r\n") == [200] * 3 + [429]
        assert statuses(site, 9, b"X-API-Key: made-up-#\r\n") == [200] * 3 + [429] * 6
        assert statuses(site, 1) == [429]
        site.reload()  # accounts are known from the start
        assert statuses(site, 3, b"X-API-Key: made-up-#\r\n") == [200] * 3
        assert statuses(site, 4, b"X-API-Key: ann's\r\n") == [200] * 3 + [429]
