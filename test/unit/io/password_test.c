/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "io/password.h"

static void
a_hash_matches_its_password_alone(void **state)
{
    char hash[PASSWORD_HASH_BYTES], other[PASSWORD_HASH_BYTES];

    (void)state;
    assert_int_equal(password_hash(ERN_SLICE("secret"), hash), 0);
    assert_int_equal(password_hash(ERN_SLICE("secret"), other), 0);
    assert_true(slice_starts(slice_text(hash), ERN_SLICE("$y$")));
    assert_true(password_is_hash(hash));
    assert_false(slice_eq(slice_text(hash), slice_text(other))); /* fresh salt */
    assert_true(password_matches(ERN_SLICE("secret"), hash));
    assert_false(password_matches(ERN_SLICE("secre"), hash));
    assert_false(password_matches(ERN_SLICE("secret "), hash));
    assert_false(password_matches(ERN_SLICE(""), hash));
}

static void
hashes_of_other_programs_match(void **state)
{
    /* Of "secret": as openssl passwd -6 and htpasswd -B make them. */
    static const char *const rows[] = {
        "$6$kEpsA1tY$Qtf149tvBofvBOfcr1x6aBmLuN.7bOHJuGAeAx"
        "QBZjpNCs0VkIpsYMLC29fqwQLMKWEHihHjhBSxKWn1YgIfd1",
        "$2y$05$kEpsA1tYkEpsA1tYkEpsA.M98jhNw/EJUPoJgXjhZJF98Zw9abCMq",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(password_is_hash(rows[i]));
        assert_true(password_matches(ERN_SLICE("secret"), rows[i]));
        assert_false(password_matches(ERN_SLICE("Secret"), rows[i]));
    }
}

static void
what_is_not_fit_for_passwords_is_no_hash(void **state)
{
    static const char *const rows[] = {
        "",
        "secret",
        "xxJ4WVmNfdD3A",
        "$1$abcdefgh$T1CTs.h3IrRTNRVJYOeSW1",
        "$",
        "$apr1$x$",
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "$y$",
        "*",
        "!",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (password_is_hash(rows[i]))
            fail_msg("%s", rows[i]);
    }
    assert_false(password_matches(ERN_SLICE("*"), "*0"));
}

static void
a_password_that_is_too_long_matches_nothing(void **state)
{
    char hash[PASSWORD_HASH_BYTES], text[PASSWORD_BYTES_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof text);
    assert_int_equal(password_hash(slice_from(text, PASSWORD_BYTES_MAX), hash), 0);
    assert_true(password_matches(slice_from(text, PASSWORD_BYTES_MAX), hash));
    assert_false(password_matches(slice_from(text, PASSWORD_BYTES_MAX + 1), hash));
    assert_true(password_hash(slice_from(text, PASSWORD_BYTES_MAX + 1), hash) < 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_matches_its_password_alone),
        cmocka_unit_test(hashes_of_other_programs_match),
        cmocka_unit_test(what_is_not_fit_for_passwords_is_no_hash),
        cmocka_unit_test(a_password_that_is_too_long_matches_nothing),
    };

    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
