/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha1.h"

enum { BLOCK = 64, WORDS = 5, LENGTH_AT = 56 };

static inline uint32_t
turn(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* f(t) and K(t) of RFC 3174 5. */
static uint32_t
mix(unsigned t, const uint32_t v[static WORDS])
{
    uint32_t b = v[1], c = v[2], d = v[3];

    if (t < 20)
        return ((b & c) | (~b & d)) + 0x5a827999;
    if (t < 40)
        return (b ^ c ^ d) + 0x6ed9eba1;
    if (t < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

/* RFC 3174 6.1 */
static void
take_block(uint32_t h[static WORDS], const char *block)
{
    uint32_t w[80], v[WORDS];

    for (size_t t = 0; t < 80; t++) {
        if (t >= 16) {
            w[t] = turn(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
            continue;
        }
        w[t] = 0;
        for (size_t i = 0; i < 4; i++)
            w[t] = w[t] << 8 | (uint8_t)block[4 * t + i];
    }
    memcpy(v, h, sizeof v);
    for (unsigned t = 0; t < 80; t++) {
        uint32_t a = turn(v[0], 5) + mix(t, v) + v[4] + w[t];

        v[4] = v[3];
        v[3] = v[2];
        v[2] = turn(v[1], 30);
        v[1] = v[0];
        v[0] = a;
    }
    for (size_t i = 0; i < WORDS; i++)
        h[i] += v[i];
}

void
sha1(struct ern_slice text, char ret_digest[static SHA1_BYTES])
{
    uint32_t h[WORDS] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint64_t bits = (uint64_t)text.len * 8;
    char last[2 * BLOCK] = {0};
    size_t n;

    for (; text.len >= BLOCK; text = slice_skip(text, BLOCK))
        take_block(h, text.ptr);
    /* RFC 3174 4: a one, zeros, and the length in bits end the last block. */
    if (text.len)
        memcpy(last, text.ptr, text.len);
    last[text.len] = (char)0x80;
    n = text.len < LENGTH_AT ? BLOCK : 2 * BLOCK;
    for (size_t i = 0; i < 8; i++)
        last[n - 1 - i] = (char)(bits >> 8 * i & 0xff);
    for (size_t at = 0; at < n; at += BLOCK)
        take_block(h, last + at);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        ret_digest[i] = (char)(h[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
}
