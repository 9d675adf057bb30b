/* SPDX-License-Identifier: Apache-2.0 */
/* chars_test.c - each class of the table, derived again from the rule that defines it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/chars.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

static bool
in(int c, int low, int high)
{
    return c >= low && c <= high;
}

static bool
one_of(int c, const char *set)
{
    return c && strchr(set, c);
}

/* ALPHA = %x41-5A / %x61-7A (RFC 5234 B.1) */
static bool
alpha(int c)
{
    return in(c, 0x41, 0x5a) || in(c, 0x61, 0x7a);
}

/* DIGIT = %x30-39 */
static bool
digit(int c)
{
    return in(c, 0x30, 0x39);
}

/* VCHAR = %x21-7E */
static bool
vchar(int c)
{
    return in(c, 0x21, 0x7e);
}

/* obs-text = %x80-FF (RFC 9110 5.5) */
static bool
obs_text(int c)
{
    return in(c, 0x80, 0xff);
}

/* RFC 9110 5.6.2 */
static bool
tchar(int c)
{
    return one_of(c, "!#$%&'*+-.^_`|~") || digit(c) || alpha(c);
}

/* field-value without its structure: field-vchar / SP / HTAB (RFC 9110 5.5) */
static bool
field(int c)
{
    return vchar(c) || obs_text(c) || c == 0x20 || c == 0x09;
}

/* unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~" (RFC 3986 2.3) */
static bool
unreserved(int c)
{
    return alpha(c) || digit(c) || one_of(c, "-._~");
}

/* pchar = unreserved / pct-encoded / sub-delims / ":" / "@" (RFC 3986 3.3) */
static bool
pchar(int c)
{
    return unreserved(c) || one_of(c, "!$&'()*+,;=") || one_of(c, ":@");
}

/* etagc = %x21 / %x23-7E / obs-text (RFC 9110 8.8.3) */
static bool
etagc(int c)
{
    return c == 0x21 || in(c, 0x23, 0x7e) || obs_text(c);
}

static const struct {
    const char *name;
    unsigned class;
    bool (*has)(int c);
} classes[] = {
    {"tchar", CHAR_TCHAR, tchar},   {"field", CHAR_FIELD, field},
    {"target", CHAR_TARGET, vchar}, {"unreserved", CHAR_UNRESERVED, unreserved},
    {"pchar", CHAR_PCHAR, pchar},   {"etagc", CHAR_ETAG, etagc},
    {"DIGIT", CHAR_DIGIT, digit},   {"ALPHA", CHAR_ALPHA, alpha},
};

static void
follows_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(classes); i++)
        for (int c = 0; c < 256; c++)
            if (char_is((char)c, classes[i].class) != classes[i].has(c))
                fail_msg("byte 0x%02x is %sin %s", (unsigned)c, classes[i].has(c) ? "not " : "",
                         classes[i].name);
}

static void
asks_for_several_classes_at_once(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++)
        assert_int_equal(char_is((char)c, CHAR_DIGIT | CHAR_ALPHA), digit(c) || alpha(c));
    assert_false(char_is('a', 0));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_grammar),
        cmocka_unit_test(asks_for_several_classes_at_once),
    };

    return cmocka_run_group_tests_name("chars", tests, NULL, NULL);
}
