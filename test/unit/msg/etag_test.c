/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/etag.h"

static void
etag_is_a_quoted_text(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        {"\"xyzzy\"", true},  {"W/\"xyzzy\"", true}, {"\"\"", true},         {"W/\"\"", true},
        {"\"a\\\"", true},    {"\"a,b\"", true},     {"\"\x80\xff\"", true}, {"\"!#~\"", true},
        {"", false},          {"xyzzy", false},      {"\"", false},          {"W/", false},
        {"W/\"", false},      {"w/\"a\"", false},    {"W\"a\"", false},      {"W/ \"a\"", false},
        {"\"a b\"", false},   {"\"a\tb\"", false},   {"\"a\"b\"", false},    {"\"a\" ", false},
        {" \"a\"", false},    {"\"a\x7f\"", false},  {"'a'", false},         {"*", false},
        {"W/W/\"a\"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (etag_is(slice_text(rows[i].text)) != rows[i].is)
            fail_msg("etag_is(%s) is not %d", rows[i].text, rows[i].is);
    assert_false(etag_is(ERN_ABSENT));
}

static void
etag_compares_as_the_table_of_the_rfc(void **state)
{
    static const struct {
        const char *a, *b;
        bool strong, weak;
    } rows[] = {
        {"W/\"1\"", "W/\"1\"", false, true}, /* RFC 9110 8.8.3.2 table 3 */
        {"W/\"1\"", "W/\"2\"", false, false},
        {"W/\"1\"", "\"1\"", false, true},
        {"\"1\"", "\"1\"", true, true},
        {"\"1\"", "\"2\"", false, false},
        {"\"a\"", "\"A\"", false, false},
        {"\"\"", "\"\"", true, true},
        {"1", "1", false, false}, /* no entity-tags */
        {"", "", false, false},
        {"*", "*", false, false},
        {"\"1\"", "1", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice a = slice_text(rows[i].a), b = slice_text(rows[i].b);

        if (etag_same_strong(a, b) != rows[i].strong || etag_same_strong(b, a) != rows[i].strong)
            fail_msg("strong: %s %s", rows[i].a, rows[i].b);
        if (etag_same_weak(a, b) != rows[i].weak || etag_same_weak(b, a) != rows[i].weak)
            fail_msg("weak: %s %s", rows[i].a, rows[i].b);
    }
    assert_false(etag_same_strong(ERN_ABSENT, ERN_ABSENT));
    assert_false(etag_same_weak(ERN_ABSENT, ERN_ABSENT));
}

static void
etag_is_looked_for_in_lists(void **state)
{
    static const struct {
        const char *line1, *line2, *etag;
        bool strong, weak;
    } rows[] = {
        {"\"a\"", NULL, "\"a\"", true, true},
        {"\"a\", \"b\", \"c\"", NULL, "\"c\"", true, true},
        {"\"a\",\"b\"", NULL, "\"b\"", true, true},
        {"\"a\"", "\"b\"", "\"b\"", true, true},
        {"W/\"a\", W/\"b\"", NULL, "\"b\"", false, true},
        {"\"a\"", NULL, "W/\"a\"", false, true},
        {",, \"a\" ,,", NULL, "\"a\"", true, true},
        {"\"a,b\"", NULL, "\"a,b\"", true, true},
        {"\"a,b\"", NULL, "\"a\"", false, false},
        {"\"x,\"a\",\"", NULL, "\"a\"", false, false},
        {"\"a\\\", \"b\"", NULL, "\"b\"", true, true}, /* the backslash is no escape */
        {"\"a\\\", \"b\"", NULL, "\"a\\\"", true, true},
        {"a, \"b\"", NULL, "\"b\"", true, true}, /* what is no tag is passed over */
        {"a", NULL, "\"a\"", false, false},
        {"\"a", NULL, "\"a\"", false, false},
        {"\"a, \"b\"", NULL, "\"b\"", false, false}, /* the quotes are out of step */
        {"\"a\" \"b\"", NULL, "\"b\"", false, false},
        {"", NULL, "\"a\"", false, false},
        {"", "\"a\"", "\"a\"", true, true},
        {"*", NULL, "\"a\"", true, true},
        {"*", NULL, NULL, true, true},
        {"*, \"a\"", NULL, "\"b\"", false, false}, /* RFC 9110 13.1.1: not a list that is allowed */
        {"*, \"a\"", NULL, "\"a\"", true, true},
        {"*", "*", "\"a\"", false, false},
        {"*", "\"a\"", "\"b\"", false, false},
        {"\"a\"", NULL, NULL, false, false},
        {"\"*\"", NULL, "\"a\"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[2];
        struct ern_request r;
        struct ern_slice etag = slice_text(rows[i].etag);

        ern_request_init(&r, fields, 2);
        assert_true(ern_request_add(&r, ERN_SLICE("If-Match"), slice_text(rows[i].line1)));
        if (rows[i].line2)
            assert_true(ern_request_add(&r, ERN_SLICE("If-Match"), slice_text(rows[i].line2)));
        if (etag_in(&r, ERN_FIELD_if_match, etag, true) != rows[i].strong)
            fail_msg("row %zu, strong: %s", i, rows[i].line1);
        if (etag_in(&r, ERN_FIELD_if_match, etag, false) != rows[i].weak)
            fail_msg("row %zu, weak: %s", i, rows[i].line1);
        assert_false(etag_in(&r, ERN_FIELD_if_none_match, etag, false));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(etag_is_a_quoted_text),
        cmocka_unit_test(etag_compares_as_the_table_of_the_rfc),
        cmocka_unit_test(etag_is_looked_for_in_lists),
    };

    return cmocka_run_group_tests_name("etag", tests, NULL, NULL);
}
