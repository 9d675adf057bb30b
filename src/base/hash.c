/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void
mix(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

/* Up to 8 bytes, the first one lowest. */
static uint64_t
word(const char *ptr, size_t n)
{
    uint64_t w = 0;

    memcpy(&w, ptr, n);
    return w;
}

uint64_t
hash_bytes(struct hash_key key, struct ern_slice bytes)
{
    struct state s = {key.k0 ^ UINT64_C(0x736f6d6570736575), key.k1 ^ UINT64_C(0x646f72616e646f6d),
                      key.k0 ^ UINT64_C(0x6c7967656e657261), key.k1 ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)bytes.len << 56;

    for (; bytes.len >= 8; bytes = slice_skip(bytes, 8)) {
        uint64_t w = word(bytes.ptr, 8);

        s.v3 ^= w;
        mix(&s);
        s.v0 ^= w;
    }
    if (bytes.len)
        last |= word(bytes.ptr, bytes.len);
    s.v3 ^= last;
    mix(&s);
    s.v0 ^= last;
    s.v2 ^= 0xff;
    for (int i = 0; i < 3; i++)
        mix(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
