/* SPDX-License-Identifier: Apache-2.0 */
/* utf8_test.c - UTF-8 against a plain decoder, and every character there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

/* Encodes by the table of RFC 3629 3; returns the length. */
static size_t
encode(uint32_t c, unsigned char *to)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        to[i] = (unsigned char)(0x80 | (c & 0x3f));
    to[0] = (unsigned char)(n == 1 ? c : lead[n] | c);
    return n;
}

/* The length of the character at p by its bits, checked afterwards; 0 if it is none. */
static size_t
plain_len(const unsigned char *p, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    uint32_t c = n == 1 ? p[0] : n ? p[0] & (0x7fU >> n) : 0;

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    return c < least[n] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff ? 0 : n;
}

static struct ern_slice
slice(const unsigned char *p, size_t n)
{
    return slice_from((const char *)p, n);
}

static void
knows_every_character(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x1fffff; c++) {
        unsigned char bytes[4];
        size_t n = encode(c, bytes);
        bool is = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);

        if (utf8_len(slice(bytes, n)) != (is ? n : 0))
            fail_msg("U+%04X", (unsigned)c);
        for (size_t cut = 1; cut < n; cut++)
            if (utf8_len(slice(bytes, cut)) != 0)
                fail_msg("U+%04X, %zu bytes of %zu", (unsigned)c, cut, n);
    }
}

static void
agrees_with_a_plain_decoder(void **state)
{
    static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};

    (void)state;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            for (size_t i = 0; i < sizeof edges * sizeof edges; i++) {
                unsigned char bytes[] = {(unsigned char)first, (unsigned char)second,
                                         edges[i / sizeof edges], edges[i % sizeof edges]};

                for (size_t len = 1; len <= 4; len++)
                    if (utf8_len(slice(bytes, len)) != plain_len(bytes, len))
                        fail_msg("%02x %02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2],
                                 bytes[3], len);
            }
}

/* What is cut is what some bytes make a character; nothing else is. */
static void
knows_what_is_cut(void **state)
{
    static bool begins[1 << 16]; /* by the first two bytes of three or four */

    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        unsigned char bytes[4];
        size_t n = encode(c, bytes);

        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        assert_false(utf8_is_cut(slice(bytes, n)));
        for (size_t cut = 1; cut < n; cut++) {
            assert_true(utf8_is_cut(slice(bytes, cut)));
            if (cut == 2)
                begins[(unsigned)bytes[0] << 8 | bytes[1]] = true;
        }
    }
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            unsigned char bytes[] = {(unsigned char)first, (unsigned char)second};

            if (utf8_is_cut(slice(bytes, 2)) != begins[first << 8 | second])
                fail_msg("%02x %02x", first, second);
        }
    assert_false(utf8_is_cut(ERN_SLICE("\x80")));
    assert_false(utf8_is_cut(ERN_SLICE("\xff")));
    assert_false(utf8_is_cut(ERN_SLICE("\xf0\x9f\x8d\x20")));
    assert_false(utf8_is_cut(ERN_SLICE("\xf0\x9f\x20")));
    assert_false(utf8_is_cut(ERN_SLICE("a\xf0")));
}

static void
knows_whole_texts(void **state)
{
    (void)state;
    assert_true(utf8_is(ERN_SLICE("")));
    assert_true(utf8_is(ERN_ABSENT));
    assert_true(utf8_is(ERN_SLICE("a\0\xe0\xa6\x95\xf0\x9f\x8d\xb5\xc3\xa9")));
    assert_false(utf8_is(ERN_SLICE("a\xff")));
    assert_false(utf8_is(ERN_SLICE("\x80")));
    assert_false(utf8_is(ERN_SLICE("\xe0\xa6\x95\xe0\xa6")));
    assert_false(utf8_is(ERN_SLICE("\xc0\xaf"))); /* a slash in disguise */
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_character),
        cmocka_unit_test(agrees_with_a_plain_decoder),
        cmocka_unit_test(knows_what_is_cut),
        cmocka_unit_test(knows_whole_texts),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
