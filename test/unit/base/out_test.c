/* SPDX-License-Identifier: Apache-2.0 */
/* out_test.c - text written into memory of a fixed size: numbers, escapes, and the end of the room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"

#define LEN(array) (sizeof(array) / sizeof *(array))
#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void
check(int line, const struct out *o, struct ern_slice want)
{
    if (o->full || !slice_eq(out_done(o), want))
        fail_msg("row of line %d: \"%.*s\"%s, not \"%.*s\"", line, (int)o->len, o->ptr,
                 o->full ? " and full" : "", (int)want.len, want.ptr);
}

static const struct {
    int line;
    uint64_t n;
    const char *decimal, *hex;
} numbers[] = {
    {__LINE__, 0, "0", "0"},
    {__LINE__, 7, "7", "7"},
    {__LINE__, 10, "10", "a"},
    {__LINE__, 255, "255", "ff"},
    {__LINE__, 256, "256", "100"},
    {__LINE__, UINT64_C(9999999999999999999), "9999999999999999999", "8ac7230489e7ffff"},
    {__LINE__, UINT64_C(10000000000000000000), "10000000000000000000", "8ac7230489e80000"},
    {__LINE__, UINT64_MAX, "18446744073709551615", "ffffffffffffffff"},
};

static void
writes_numbers_without_leading_zeros(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(numbers); i++) {
        char decimal[20], hex[16];
        struct out d = out_init(decimal, sizeof decimal), h = out_init(hex, sizeof hex);

        out_u64(&d, numbers[i].n);
        out_hex(&h, numbers[i].n);
        check(numbers[i].line, &d, slice_text(numbers[i].decimal));
        check(numbers[i].line, &h, slice_text(numbers[i].hex));
    }
}

static const struct {
    int line;
    uint64_t n;
    unsigned digits;
    const char *text;
} padded[] = {
    {__LINE__, 0, 0, ""},          {__LINE__, 5, 0, ""},
    {__LINE__, 0, 2, "00"},        {__LINE__, 7, 2, "07"},
    {__LINE__, 42, 2, "42"},       {__LINE__, 1994, 2, "94"},
    {__LINE__, 1994, 6, "001994"}, {__LINE__, UINT64_MAX, 20, "18446744073709551615"},
};

static void
writes_a_fixed_number_of_digits(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(padded); i++) {
        char memory[32];
        struct out o = out_init(memory, sizeof memory);

        out_digits(&o, padded[i].n, padded[i].digits);
        check(padded[i].line, &o, slice_text(padded[i].text));
    }
}

static const struct {
    int line;
    struct ern_slice text, json, html;
} escaped[] = {
    {__LINE__, S(""), S(""), S("")},
    {__LINE__, S("plain text/"), S("plain text/"), S("plain text/")},
    {__LINE__, S("\"\\"), S("\\\"\\\\"), S("&quot;\\")},
    {__LINE__, S("<a href='&'>"), S("<a href='&'>"), S("&lt;a href=&#39;&amp;&#39;&gt;")},
    {__LINE__, S("\0\n\x1f"), S("\\u0000\\u000a\\u001f"),
     S("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
    {__LINE__, S("\x10"), S("\\u0010"), S("\xef\xbf\xbd")},
    {__LINE__, S("\x7f"), S("\x7f"), S("\xef\xbf\xbd")},
    {__LINE__, S("\xe0\xa6\x95\xc3\xa9"), S("\xe0\xa6\x95\xc3\xa9"), S("\xe0\xa6\x95\xc3\xa9")},
    {__LINE__, S("a\xff"), S("a\xef\xbf\xbd"), S("a\xef\xbf\xbd")},
    {__LINE__, S("\xe0\xa6"), S("\xef\xbf\xbd\xef\xbf\xbd"), S("\xef\xbf\xbd\xef\xbf\xbd")},
    {__LINE__, S("\xc3\""), S("\xef\xbf\xbd\\\""), S("\xef\xbf\xbd&quot;")},
};

static void
escapes_for_json_and_html(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(escaped); i++) {
        char json[64], html[64];
        struct out j = out_init(json, sizeof json), h = out_init(html, sizeof html);

        out_json(&j, escaped[i].text);
        out_html(&h, escaped[i].text);
        check(escaped[i].line, &j, escaped[i].json);
        check(escaped[i].line, &h, escaped[i].html);
    }
}

static void
writes_bytes_and_strings(void **state)
{
    static const unsigned char uuid[16] = {0,    1,    2,    3,    0x40, 5,    6,    7,
                                           0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    char memory[64];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    out_hex_bytes(&o, "\0\x7f\xff", 3);
    out_char(&o, ' ');
    out_uuid(&o, uuid);
    out_char(&o, ' ');
    out_quoted(&o, ERN_SLICE("a \"b\\"));
    check(__LINE__, &o, ERN_SLICE("007fff 00010203-4005-0607-8899-aabbccddeeff \"a \\\"b\\\\\""));
}

static void
keeps_plain_text_on_its_line(void **state)
{
    char memory[64];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    out_plain(&o, ERN_SLICE("a\n\x1b[31m<\x7f\xff\xe0\xa6\x95"));
    check(__LINE__, &o,
          ERN_SLICE("a\xef\xbf\xbd\xef\xbf\xbd[31m<\xef\xbf\xbd\xef\xbf\xbd\xe0\xa6\x95"));
}

static void
write_some_of_everything(struct out *o)
{
    out_char(o, 'a');
    out_literal(o, "bc");
    out_text(o, "");
    out_slice(o, ERN_ABSENT);
    out_u64(o, 123);
    out_digits(o, 7, 2);
    out_hex(o, 255);
    out_json(o, ERN_SLICE("\x01"));
    out_html(o, ERN_SLICE("<"));
    out_char(o, 'z');
}

static void
stops_at_the_end_of_the_room_and_says_so(void **state)
{
    struct ern_slice whole = ERN_SLICE("abc12307ff\\u0001&lt;z");
    char memory[32];

    (void)state;
    for (size_t cap = 0; cap <= sizeof memory; cap++) {
        struct out o = out_init(memory, cap);

        memset(memory, '#', sizeof memory);
        write_some_of_everything(&o);
        assert_int_equal(o.full, cap < whole.len);
        assert_true(o.len <= cap);
        assert_true(slice_starts(whole, out_done(&o)));
        for (size_t i = o.len; i < sizeof memory; i++)
            assert_int_equal(memory[i], '#');
    }
}

static void
stays_full(void **state)
{
    char memory[4];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    out_literal(&o, "ab");
    out_literal(&o, "cde");
    out_char(&o, 'f'); /* it would fit */
    out_slice(&o, ERN_SLICE(""));
    assert_null(out_room(&o, 0));
    assert_true(o.full);
    assert_true(slice_eq(out_done(&o), ERN_SLICE("ab")));
}

static void
gives_room_that_is_counted(void **state)
{
    char memory[4];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    assert_ptr_equal(out_room(&o, 3), memory);
    assert_ptr_equal(out_room(&o, 0), memory + 3);
    assert_ptr_equal(out_room(&o, 1), memory + 3);
    assert_int_equal(o.len, 4);
    assert_false(o.full);
    assert_null(out_room(&o, SIZE_MAX));
    assert_true(o.full);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_numbers_without_leading_zeros),
        cmocka_unit_test(writes_a_fixed_number_of_digits),
        cmocka_unit_test(escapes_for_json_and_html),
        cmocka_unit_test(writes_bytes_and_strings),
        cmocka_unit_test(keeps_plain_text_on_its_line),
        cmocka_unit_test(stops_at_the_end_of_the_room_and_says_so),
        cmocka_unit_test(stays_full),
        cmocka_unit_test(gives_room_that_is_counted),
    };

    return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}
