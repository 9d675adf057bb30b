# SPDX-License-Identifier: Apache-2.0
"""The HPACK of the tests against the examples of RFC 7541, and against itself."""
import random

import pytest

import hpack

REQUESTS = [  # RFC 7541 C.4
    ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", [
        (b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com")]),
    ("8286 84be 5886 a8eb 1064 9cbf", [
        (b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com"),
        (b"cache-control", b"no-cache")]),
    ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", [
        (b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/index.html"),
        (b":authority", b"www.example.com"), (b"custom-key", b"custom-value")]),
]
DATE = b"Mon, 21 Oct 2013 20:13:%02d GMT"
PLACE = (b"location", b"https://www.example.com")
ANSWERS = [  # RFC 7541 C.6: a table of 256 octets, which evicts
    ("4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad"
     "1718 63c7 8f0b 97c8 e9ae 82ae 43d3", [
         (b":status", b"302"), (b"cache-control", b"private"), (b"date", DATE % 21), PLACE]),
    ("4883 640e ffc1 c0bf", [
        (b":status", b"307"), (b"cache-control", b"private"), (b"date", DATE % 21), PLACE]),
    ("88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2"
     "e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07", [
         (b":status", b"200"), (b"cache-control", b"private"), (b"date", DATE % 22), PLACE,
         (b"content-encoding", b"gzip"),
         (b"set-cookie", b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1")]),
]


@pytest.mark.parametrize("size, examples, left", [(4096, REQUESTS, 164), (256, ANSWERS, 215)],
                         ids=["requests", "answers"])
def test_examples_of_rfc_7541(size, examples, left):
    decoder = hpack.Decoder()
    decoder.table.resize(size)
    for block, fields in examples:
        assert decoder.decode(bytes.fromhex(block)) == fields
    assert decoder.table.size == left


def test_what_is_encoded_is_decoded():
    chance = random.Random(7541)
    encoder, decoder = hpack.Encoder(), hpack.Decoder()
    names = [b":path", b"accept", b"cookie", b"x-any", b"x" * 200]
    for _ in range(300):
        if chance.random() < 0.1:
            size = chance.choice([0, 50, 1000, 4096])
            encoder.allow(size)
            decoder.allow(size)
        fields = [(chance.choice(names), chance.randbytes(chance.randint(0, 60))) for _ in range(5)]
        assert decoder.decode(encoder.encode(fields)) == fields
        assert decoder.table.rows == encoder.table.rows


@pytest.mark.parametrize("block", [
    pytest.param(b"\x80", id="row 0"), pytest.param(hpack.indexed(62), id="no such row"),
    pytest.param(b"\x00\x05a", id="a text that is cut"), pytest.param(b"\xff" + b"\x80" * 9, id="an integer without end"),
    pytest.param(b"\x00\x84\xff\xff\xff\xff\x00", id="EOS"), pytest.param(b"\x00\x82\x07\xff\x00", id="long padding"),
    pytest.param(b"\x00\x81\x00\x00", id="padding of zeros"), pytest.param(hpack.size_update(4097), id="a large table"),
    pytest.param(hpack.indexed(2) + hpack.size_update(0), id="a size update behind a field")])
def test_what_is_wrong_is_refused(block):
    with pytest.raises(AssertionError):
        hpack.Decoder().decode(block)
