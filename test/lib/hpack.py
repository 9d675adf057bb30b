# SPDX-License-Identifier: Apache-2.0
"""HPACK by the letter of RFC 7541: what compresses the fields of HTTP/2.

The decoder repairs nothing: what it can not read is an AssertionError. The encoder knows every
representation, and builds wrong ones when it is told to.
"""

STATIC = [tuple(part.encode() for part in (line + "|").split("|")[:2]) for line in """\
:authority
:method|GET
:method|POST
:path|/
:path|/index.html
:scheme|http
:scheme|https
:status|200
:status|204
:status|206
:status|304
:status|400
:status|404
:status|500
accept-charset
accept-encoding|gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate""".split("\n")]

# The symbols of each length of code. The code is canonical: sorted so, each is the one before plus one.
LENGTHS = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b"!\"()?",
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: b"\\\xc3\xd0",
    20: b"\x80\x82\x83\xa2\xb8\xc2\xe0\xe2",
    21: b"\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6",
    22: b"\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4"
        b"\xc6\xe4\xe8\xe9",
    23: b"\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4"
        b"\xb6\xb7\xbc\xbf\xc5\xe7\xef",
    24: b"\x09\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed",
    25: b"\xc7\xcf\xea\xeb",
    26: b"\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff",
    27: b"\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe",
    28: b"\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b"
        b"\x1c\x1d\x1e\x1f\x7f\xdc\xf9",
    30: b"\x0a\x0d\x16",
}


def canonical():
    """The code of each symbol, as (length, bits)."""
    codes, bits, before = {}, 0, 0
    for length, symbols in LENGTHS.items():
        for symbol in symbols:
            bits <<= length - before
            before = length
            codes[symbol] = (length, bits)
            bits += 1
    return codes


CODES = canonical()
SYMBOLS = {code: symbol for symbol, code in CODES.items()}


def huffman(text):
    bits = length = 0
    for symbol in text:
        n, code = CODES[symbol]
        bits, length = bits << n | code, length + n
    padding = -length % 8
    return (bits << padding | (1 << padding) - 1).to_bytes((length + padding) // 8, "big")


def huffman_text(data):
    text, length, bits = bytearray(), 0, 0
    for octet in data:
        for i in range(7, -1, -1):
            length, bits = length + 1, bits << 1 | octet >> i & 1
            if (length, bits) in SYMBOLS:
                text.append(SYMBOLS[length, bits])
                length = bits = 0
            assert length < 30, "EOS, or a code that is none (RFC 7541 5.2)"
    assert length < 8 and bits == (1 << length) - 1, "padding that does not begin EOS (RFC 7541 5.2)"
    return bytes(text)


class Table:
    """The static and the dynamic table (RFC 7541 2.3, 4)."""

    def __init__(self):
        self.rows, self.size = [], 0
        self.size_max = 4096

    def resize(self, size_max):
        self.size_max = size_max
        self.evict(0)

    def evict(self, wanted):
        while self.rows and self.size + wanted > self.size_max:
            self.size -= sum(map(len, self.rows.pop())) + 32

    def add(self, name, value):
        size = len(name) + len(value) + 32
        self.evict(size)
        if size <= self.size_max:
            self.rows.insert(0, (name, value))
            self.size += size

    def row(self, index):
        assert 0 < index <= len(STATIC) + len(self.rows), f"no row {index} (RFC 7541 2.3.3)"
        return (STATIC + self.rows)[index - 1]

    def index(self, name, value=None):
        """The row with this name, and this value; 0 if there is none."""
        for i, row in enumerate(STATIC + self.rows, 1):
            if row[0] == name and value in (None, row[1]):
                return i
        return 0


class Decoder:
    """allowed is our SETTINGS_HEADER_TABLE_SIZE; must_shrink: the next block has to begin with a size
    update, as we have made the table smaller (RFC 7541 4.2)."""

    def __init__(self):
        self.table = Table()
        self.allowed = 4096
        self.must_shrink = False
        self.block, self.at = b"", 0

    def allow(self, size):
        self.must_shrink |= size < self.table.size_max
        self.allowed = size

    def octet(self):
        assert self.at < len(self.block), "a field block that is cut"
        self.at += 1
        return self.block[self.at - 1]

    def integer(self, prefix):
        """RFC 7541 5.1; the octet before has its first bits."""
        value = self.block[self.at - 1] & (1 << prefix) - 1
        if value < (1 << prefix) - 1:
            return value
        for shift in range(0, 35, 7):
            octet = self.octet()
            value += (octet & 127) << shift
            if octet < 128:
                return value
        raise AssertionError("an integer of more than five octets")

    def text(self):
        coded = self.octet() & 128
        length = self.integer(7)
        data = self.block[self.at:self.at + length]
        assert len(data) == length, "a text that is longer than its field block"
        self.at += length
        return huffman_text(data) if coded else data

    def literal(self, prefix):
        index = self.integer(prefix)
        name = self.table.row(index)[0] if index else self.text()
        return name, self.text()

    def decode(self, block):
        self.block, self.at = block, 0
        fields = []
        while self.at < len(block):
            first = self.octet()
            if first & 0xe0 == 0x20:
                assert not fields, "a size update behind a field (RFC 7541 4.2)"
                size = self.integer(5)
                assert size <= self.allowed, f"a table of {size} octets (RFC 7541 6.3)"
                self.table.resize(size)
                self.must_shrink = False
                continue
            assert not self.must_shrink, "no size update for a smaller table (RFC 9113 4.3.1)"
            if first & 0x80:
                fields.append(self.table.row(self.integer(7)))
            elif first & 0x40:
                fields.append(self.literal(6))
                self.table.add(*fields[-1])
            else:
                fields.append(self.literal(4))
        return fields


def integer(value, prefix, first=0):
    top = (1 << prefix) - 1
    if value < top:
        return bytes([first | value])
    data, value = bytes([first | top]), value - top
    while value >= 128:
        data, value = data + bytes([value & 127 | 128]), value >> 7
    return data + bytes([value])


def string(data, coded=False):
    if coded:
        data = huffman(data)
    return integer(len(data), 7, 128 if coded else 0) + data


def indexed(index):
    return integer(index, 7, 0x80)


def size_update(size):
    return integer(size, 5, 0x20)


WITHOUT, NEVER, INDEXING = (0x00, 4), (0x10, 4), (0x40, 6)


def literal(name, value, how=WITHOUT, coded=False):
    """name: octets, or the index of a row."""
    first, prefix = how
    if isinstance(name, int):
        return integer(name, prefix, first) + string(value, coded)
    return bytes([first]) + string(name, coded) + string(value, coded)


def plain(fields):
    """A block that leaves no trace in the table."""
    return b"".join(literal(name, value) for name, value in fields)


class Encoder:
    """Encodes as a browser does: rows where there are, and each new field becomes one."""

    def __init__(self):
        self.table = Table()
        self.updates = b""

    def allow(self, size):
        """The decoder's SETTINGS_HEADER_TABLE_SIZE; a larger table than it is now is not used."""
        if size < self.table.size_max:
            self.table.resize(size)
            self.updates = size_update(size)

    def encode(self, fields):
        block, self.updates = self.updates, b""
        for name, value in fields:
            index = self.table.index(name, value)
            if index:
                block += indexed(index)
                continue
            how = NEVER if name in (b"authorization", b"cookie") else INDEXING
            coded = len(huffman(value)) < len(value)
            block += literal(self.table.index(name) or name, value, how, coded)
            if how is INDEXING:
                self.table.add(name, value)
        return block
