/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/extension.h"

static void
a_declaration_is_read(void **state)
{
    static const struct {
        const char *text, *id, *prefix; /* id NULL: it is none */
    } cases[] = {
        {"\"https://a.example/x\"; ns=16", "https://a.example/x", "16"},
        {"\"Range\"", "Range", NULL},
        {"\"u:a\" ;NS=0016;b=\"c;d\";e", "u:a", "0016"},
        {"\"u:a\";ns=\"16\"", "u:a", "16"},
        {"\"u:a\";ns=1", NULL, NULL}, /* at least two digits */
        {"\"u:a\";ns=1a", NULL, NULL},
        {"\"u:a\";ns", NULL, NULL},
        {"\"u:a\";ns=16;ns=17", NULL, NULL},
        {"\"u:a\" x", NULL, NULL},
        {"\"u:a", NULL, NULL},
        {"u:a;ns=16", NULL, NULL},
        {"\"\"", NULL, NULL},
        {"\"u: a\"", NULL, NULL},
        {"\"u:\\\"a\"", NULL, NULL},
        {"", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct extension e = {ERN_ABSENT, ERN_ABSENT};
        bool is_read = extension_read(slice_text(cases[i].text), &e);

        if (is_read != (cases[i].id != NULL))
            fail_msg("%s", cases[i].text);
        if (!is_read)
            continue;
        assert_true(slice_eq(e.id, slice_text(cases[i].id)));
        assert_int_equal(slice_is_there(e.prefix), cases[i].prefix != NULL);
        assert_true(slice_eq(e.prefix, slice_text(cases[i].prefix)));
    }
}

static void
its_field_has_its_prefix(void **state)
{
    const struct extension e = {ERN_SLICE("u:a"), ERN_SLICE("16")},
                           bare = {ERN_SLICE("u:a"), ERN_ABSENT};
    struct ern_field fields[4];
    struct ern_slice value;
    struct ern_request r;

    (void)state;
    ern_request_init(&r, fields, 4);
    assert_true(ern_request_add(&r, ERN_SLICE("116-Max"), ERN_SLICE("1")));
    assert_true(ern_request_add(&r, ERN_SLICE("16-Max"), ERN_SLICE("2")));
    assert_true(ern_request_add(&r, ERN_SLICE("-Max"), ERN_SLICE("3")));
    assert_true(extension_field(&r, &e, ERN_SLICE("max"), &value));
    assert_true(slice_eq(value, ERN_SLICE("2")));
    assert_false(extension_field(&r, &e, ERN_SLICE("min"), &value));
    assert_false(extension_field(&r, &bare, ERN_SLICE("max"), &value));
    assert_true(ern_request_add(&r, ERN_SLICE("16-MAX"), ERN_SLICE("4")));
    assert_false(extension_field(&r, &e, ERN_SLICE("max"), &value)); /* which of the two? */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declaration_is_read),
        cmocka_unit_test(its_field_has_its_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
