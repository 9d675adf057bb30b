# SPDX-License-Identifier: Apache-2.0
"""The HTTP Extension Framework over one connection (RFC 2774): what is for this hop alone, old proxies,
and a price that is agreed to."""
import json
import subprocess

import pytest

from earnest_server import PROGRAM
from scenario import Site, files_route

PRICE = b'"urn:uuid:1c615cb3-9e49-4770-a82f-04292b9dc7b1"'


def ask(wire, fields, method=b"M-GET", version=b"1.1"):
    wire.send(b"%s /a.txt HTTP/%s\r\nHost: a.example\r\n%s\r\n" % (method, version, fields))
    return wire.answer("GET")


@pytest.mark.parametrize("fields, version, status", [
    (b"C-Man: %s; ns=14\r\n14-Price-Max: 0\r\nConnection: C-Man, 14-Price-Max\r\n", b"1.1", 200),
    (b"C-Man: %s; ns=14\r\n14-Price-Max: 0\r\nConnection: C-Man\r\n", b"1.1", 510),
    (b"C-Man: %s; ns=14\r\n14-Price-Max: 0\r\n", b"1.1", 510),  # passed on by who does not know it
    (b"C-Man: %s; ns=14\r\n14-Price-Max: 0\r\nConnection: C-Man, 14-Price-Max\r\n", b"1.0", 510),
    (b"C-Man: %s; ns=14\r\n14-Price-Max: 0\r\nMan: %s; ns=15\r\n15-Price-Max: 0\r\n"
     b"Connection: C-Man, 14-Price-Max\r\n", b"1.1", 510),  # which of the two?
])
def test_hop_by_hop(tmp_path, root, fields, version, status):
    with Site(tmp_path, files_route(root)) as site, site.connect() as wire:
        answer = ask(wire, fields.replace(b"%s", PRICE), version=version)
        assert answer.status == status
        if status == 200:
            assert answer.field("c-ext") == "" and answer.field("ext") is None
            assert "C-Ext" in answer.field("connection")


def test_for_another_hop(tmp_path, root):
    """What an HTTP/1.0 message protects was meant for the one before (RFC 2774 5)."""
    with Site(tmp_path, files_route(root)) as site, site.connect() as wire:
        answer = ask(wire, b'C-Man: "u:x"; ns=14\r\nConnection: C-Man\r\n', b"GET", b"1.0")
        assert answer.status == 200 and answer.field("c-ext") is None


@pytest.mark.parametrize("via, expires", [(b"", False), (b"Via: 1.1 a\r\n", False),
                                          (b"Via: 1.1 a, 1.0 b\r\n", True)])
def test_old_proxies_keep_nothing(tmp_path, root, via, expires):
    with Site(tmp_path, files_route(root)) as site, site.connect() as wire:
        answer = ask(wire, b"Man: %s; ns=16\r\n16-Price-Max: 0\r\n%s" % (PRICE, via))
        assert answer.status == 200 and answer.field("ext") == ""
        assert (answer.field("expires") is not None) == expires
        if expires:
            assert answer.field("expires") == answer.field("date")


def test_what_is_agreed_to_is_paid(tmp_path, root):
    admin = tmp_path / "admin.sock"
    config = (f'state = "{tmp_path}/state"\nadmin = "{admin}"\n'
              + files_route(root, 'price = 2 pay = "/pay" agree = true'))

    def credit(*words):
        done = subprocess.run([PROGRAM, "credit", "--admin", str(admin), *words],
                              capture_output=True, text=True, check=True, timeout=30)
        return json.loads(done.stdout)["balance"]

    with Site(tmp_path, config) as site, site.connect() as wire:
        credit("add", "k", "5")
        assert ask(wire, b"X-API-Key: k\r\n", b"GET").status == 510
        for most, status, balance in ((1, 510, 5), (2, 200, 3), (9, 200, 1), (9, 402, 1)):
            declared = b"X-API-Key: k\r\nMan: %s; ns=16\r\n16-Price-Max: %d\r\n" % (PRICE, most)
            answer = ask(wire, declared)
            assert (answer.status, credit("k")) == (status, balance)
            assert (answer.field("ext") is not None) == (status == 200)
