/* SPDX-License-Identifier: Apache-2.0 */
/* method_test.c - the methods against the IANA registry, written down again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/chars.h"
#include "base/slice.h"
#include "earnest/message.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

/* The "HTTP Method Registry" without "*", which stands for none, by what it says of each. */
static const char *const safe[] = {"GET",   "HEAD",   "OPTIONS", "PRI",  "PROPFIND",
                                   "QUERY", "REPORT", "SEARCH",  "TRACE"};
static const char *const idempotent[] = {
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "DELETE",
    "LABEL",
    "LINK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "ORDERPATCH",
    "PROPPATCH",
    "PUT",
    "REBIND",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
};
/* And BREW and WHEN (RFC 2324 2.1). */
static const char *const neither[] = {"CONNECT", "LOCK", "PATCH", "POST", "BREW", "WHEN"};

static void
check(const char *name, bool is_safe, bool is_idempotent)
{
    enum ern_method method = ern_method_find(slice_text(name));

    if (method == ERN_METHODS || !slice_eq(ern_method_name(method), slice_text(name)))
        fail_msg("%s is not found", name);
    if (ern_method_is_safe(method) != is_safe || ern_method_is_idempotent(method) != is_idempotent)
        fail_msg("%s", name);
}

static void
has_the_methods_of_the_registry(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(safe); i++)
        check(safe[i], true, true);
    for (size_t i = 0; i < LEN(idempotent); i++)
        check(idempotent[i], false, true);
    for (size_t i = 0; i < LEN(neither); i++)
        check(neither[i], false, false);
    assert_int_equal(ERN_METHODS, LEN(safe) + LEN(idempotent) + LEN(neither));
}

static void
finds_each_by_its_name_and_by_no_other(void **state)
{
    (void)state;
    for (int m = 0; m < ERN_METHODS; m++) {
        struct ern_slice name = ern_method_name((enum ern_method)m);
        char other[32];

        assert_int_equal(ern_method_find(name), m);
        assert_true(name.len < sizeof other);
        memcpy(other, name.ptr, name.len);
        other[name.len] = '\0';
        for (size_t i = 0; i < name.len; i++) {
            assert_true(char_is(name.ptr[i], CHAR_TCHAR));
            other[i] ^= 0x20; /* of a letter, the other case (RFC 9110 9.1) */
            assert_int_equal(ern_method_find(slice_from(other, name.len)), ERN_METHODS);
            other[i] ^= 0x20;
        }
        assert_int_not_equal(ern_method_find(slice_first(name, name.len - 1)), m);
        assert_int_equal(ern_method_find(slice_from(other, name.len + 1)), ERN_METHODS);
    }
    assert_int_equal(ERN_GET, 0);
    assert_int_equal(ern_method_find(ERN_SLICE("")), ERN_METHODS);
    assert_int_equal(ern_method_find(ERN_ABSENT), ERN_METHODS);
    assert_int_equal(ern_method_find(ERN_SLICE("*")), ERN_METHODS);
}

static void
knows_nothing_of_an_unregistered_one(void **state)
{
    (void)state;
    assert_true(slice_eq(ern_method_name(ERN_METHODS), ERN_SLICE("?")));
    assert_false(ern_method_is_safe(ERN_METHODS));
    assert_false(ern_method_is_idempotent(ERN_METHODS));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_methods_of_the_registry),
        cmocka_unit_test(finds_each_by_its_name_and_by_no_other),
        cmocka_unit_test(knows_nothing_of_an_unregistered_one),
    };

    return cmocka_run_group_tests_name("method", tests, NULL, NULL);
}
