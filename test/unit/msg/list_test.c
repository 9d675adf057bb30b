/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"
#include "base/slice.h"
#include "msg/list.h"

static void
list_gives_its_members(void **state)
{
    static const struct {
        const char *list, *members[5];
    } rows[] = {
        {"foo,bar", {"foo", "bar"}}, /* RFC 9110 5.6.1.2 */
        {"foo ,bar,", {"foo", "bar"}},
        {"foo , ,bar,charlie", {"foo", "bar", "charlie"}},
        {"", {NULL}},
        {",", {NULL}},
        {",   ,", {NULL}},
        {" \t ", {NULL}},
        {"\ta\t", {"a"}},
        {"a b", {"a b"}},
        {"a=\"b,c\", d", {"a=\"b,c\"", "d"}},
        {"a=\"b\\\",c\", d", {"a=\"b\\\",c\"", "d"}},
        {"a=\"b\\\\\",c", {"a=\"b\\\\\"", "c"}},
        {"a\\,b", {"a\\", "b"}}, /* outside quotes a backslash escapes nothing */
        {"a, \"b, c", {"a", "\"b, c"}},
        {"a, \"b\\", {"a", "\"b\\"}},
        {"\"\",\"\"", {"\"\"", "\"\""}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice list = slice_text(rows[i].list), member;
        size_t n = 0;

        for (; list_next(&list, &member); n++)
            if (n >= 4 || !slice_eq(member, slice_text(rows[i].members[n])))
                fail_msg("%s: member %zu is %.*s", rows[i].list, n, (int)member.len, member.ptr);
        if (rows[i].members[n])
            fail_msg("%s: only %zu members", rows[i].list, n);
    }
    assert_false(list_next(&(struct ern_slice){NULL, 0}, &(struct ern_slice){NULL, 0}));
}

static void
list_has_looks_at_every_line(void **state)
{
    struct ern_field fields[3];
    struct ern_request r;

    (void)state;
    ern_request_init(&r, fields, 3);
    assert_false(list_has(&r, ERN_FIELD_connection, ERN_SLICE("close")));
    assert_true(ern_request_add(&r, ERN_SLICE("Connection"), ERN_SLICE("keep-alive, TE")));
    assert_true(ern_request_add(&r, ERN_SLICE("Via"), ERN_SLICE("x")));
    assert_true(ern_request_add(&r, ERN_SLICE("connection"), ERN_SLICE("Upgrade ,")));
    assert_true(list_has(&r, ERN_FIELD_connection, ERN_SLICE("te")));
    assert_true(list_has(&r, ERN_FIELD_connection, ERN_SLICE("upgrade")));
    assert_false(list_has(&r, ERN_FIELD_connection, ERN_SLICE("up")));
    assert_false(list_has(&r, ERN_FIELD_connection, ERN_SLICE("x")));
    assert_true(list_has(&r, ERN_FIELD_via, ERN_SLICE("X")));
}

static void
parameters_are_read(void **state)
{
    static const struct {
        const char *text, *name, *value; /* value NULL: absent */
        const char *rest;
    } rows[] = {
        {";a=b", "a", "b", ""},
        {" ; a=b ; c", "a", "b", " ; c"},
        {"\t;\ta=b", "a", "b", ""},
        {";;; a=b", "a", "b", ""},
        {"; ;a", "a", NULL, ""},
        {";a=\"b\"", "a", "b", ""},
        {";a=\"\"", "a", "", ""},
        {";a=\"b;c\";d", "a", "b;c", ";d"},
        {";a=\"b\\\"c\"", "a", "b\\\"c", ""},
        {";a=b;c=d", "a", "b", ";c=d"},
        {"", NULL, NULL, ""},
        {"  ", NULL, NULL, ""},
        {" ;", NULL, NULL, ""},
        {"; ;", NULL, NULL, ""},
        {"a=b", NULL, NULL, "a=b"}, /* no semicolon */
        {";=b", NULL, NULL, ";=b"},
        {";a=", NULL, NULL, ";a="},
        {";a= b", NULL, NULL, ";a= b"}, /* no white space around "=" */
        {";a=\"b", NULL, NULL, ";a=\"b"},
        {";a=\"b\\", NULL, NULL, ";a=\"b\\"},
        {";a=\"b\x01\"", NULL, NULL, ";a=\"b\x01\""},
        {";(", NULL, NULL, ";("},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice s = slice_text(rows[i].text), name, value;
        bool found = parameter_next(&s, &name, &value);

        if (found != (rows[i].name != NULL))
            fail_msg("found %d: %s", found, rows[i].text);
        if (found && (!slice_eq(name, slice_text(rows[i].name)) ||
                      slice_is_there(value) != (rows[i].value != NULL) ||
                      !slice_eq(value, slice_text(rows[i].value))))
            fail_msg("%s: %.*s = %.*s", rows[i].text, (int)name.len, name.ptr, (int)value.len,
                     value.ptr);
        if (!slice_eq(s, slice_text(rows[i].rest)))
            fail_msg("%s: rest is %.*s", rows[i].text, (int)s.len, s.ptr);
    }
}

static void
parameters_stop_after_the_first_bad_one(void **state)
{
    struct ern_slice s = ERN_SLICE(";a=b;c=d e=f"), name, value;

    (void)state;
    assert_true(parameter_next(&s, &name, &value));
    assert_true(parameter_next(&s, &name, &value));
    assert_true(slice_eq(value, ERN_SLICE("d")));
    assert_false(parameter_next(&s, &name, &value));
    assert_false(parameter_next(&s, &name, &value));
    assert_true(slice_eq(s, ERN_SLICE(" e=f")));
}

static void
parameter_values_are_compared(void **state)
{
    (void)state;
    assert_true(parameter_same(ERN_SLICE("abc"), ERN_SLICE("a\\bc")));
    assert_true(parameter_same(ERN_SLICE("\\\\"), ERN_SLICE("\\\\")));
    assert_true(parameter_same(ERN_SLICE(""), ERN_ABSENT));
    assert_false(parameter_same(ERN_SLICE("abc"), ERN_SLICE("abC")));
    assert_false(parameter_same(ERN_SLICE("abc"), ERN_SLICE("ab")));
    assert_false(parameter_same(ERN_SLICE("a"), ERN_SLICE("")));
    assert_true(parameter_same_nocase(ERN_SLICE("UTF-8"), ERN_SLICE("ut\\f-8")));
    assert_false(parameter_same_nocase(ERN_SLICE("UTF-8"), ERN_SLICE("UTF-88")));
}

static void
tokens_are_tokens(void **state)
{
    (void)state;
    assert_true(token_is(ERN_SLICE("a")));
    assert_true(token_is(ERN_SLICE("!#$%&'*+-.^_`|~09azAZ")));
    assert_false(token_is(ERN_SLICE("")));
    assert_false(token_is(ERN_ABSENT));
    for (const char *c = "\"(),/:;<=>?@[\\]{} \t\x7f\x80"; *c; c++)
        assert_false(token_is(slice_from(c, 1)));
}

static void
takes_a_parameter_without_its_semicolon(void **state)
{
    static const struct {
        const char *text, *name, *value, *rest; /* value: as it is written */
    } rows[] = {
        {"for=a;b=c", "for", "a", ";b=c"}, {"for=\"a\\;\\\"b\" x", "for", "a;\"b", " x"},
        {"for=\"\"", "for", "", ""},       {"for", "for", NULL, ""},
        {"for =a", "for", NULL, " =a"},    {"", NULL, NULL, ""},
        {";a=b", NULL, NULL, ";a=b"},      {" a=b", NULL, NULL, " a=b"},
        {"=b", NULL, NULL, "=b"},          {"a=", NULL, NULL, "a="},
        {"a=\"b", NULL, NULL, "a=\"b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice text = slice_text(rows[i].text), name = ERN_ABSENT, value = ERN_ABSENT;
        char buffer[16];
        struct out o = out_init(buffer, sizeof buffer);

        if (parameter_take(&text, &name, &value) != (rows[i].name != NULL) ||
            !slice_eq(name, slice_text(rows[i].name)) || !slice_eq(text, slice_text(rows[i].rest)))
            fail_msg("%s", rows[i].text);
        parameter_write(&o, value);
        if (slice_is_there(value) != (rows[i].value != NULL) ||
            !slice_eq(out_done(&o), slice_text(rows[i].value)))
            fail_msg("%s", rows[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_gives_its_members),
        cmocka_unit_test(list_has_looks_at_every_line),
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(parameters_stop_after_the_first_bad_one),
        cmocka_unit_test(parameter_values_are_compared),
        cmocka_unit_test(tokens_are_tokens),
        cmocka_unit_test(takes_a_parameter_without_its_semicolon),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
