/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg/credentials.h"

static void
cuts_scheme_and_rest(void **state)
{
    static const struct {
        const char *value, *scheme, *rest; /* scheme NULL: it is none */
    } rows[] = {
        {"Basic YTpi", "Basic", "YTpi"},
        {"basic   YTpi ", "basic", "YTpi"},
        {"Digest a=b, c=\"d\"", "Digest", "a=b, c=\"d\""},
        {"Negotiate", "Negotiate", ""},
        {"", NULL, NULL},
        {" Basic YTpi", NULL, NULL},
        {"Ba=ic YTpi", NULL, NULL},
        {"Basic\tYTpi", NULL, NULL},
    };
    struct credentials c;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (credentials_read(slice_text(rows[i].value), &c) != (rows[i].scheme != NULL))
            fail_msg("%s", rows[i].value);
        if (!rows[i].scheme)
            continue;
        assert_true(slice_eq(c.scheme, slice_text(rows[i].scheme)));
        assert_true(slice_eq(c.rest, slice_text(rows[i].rest)));
    }
}

static void
reads_user_and_password(void **state)
{
    static const struct {
        const char *rest, *user, *password; /* user NULL: it is none */
    } rows[] = {
        {"QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"}, /* RFC 7617 2 */
        {"dGVzdDoxMjPCow==", "test", "123\xc2\xa3"},                /* RFC 7617 2.1 */
        {"Og==", "", ""},
        {"YTo=", "a", ""},
        {"OmI6Yw==", "", "b:c"},
        {"YQ==", NULL, NULL}, /* no colon */
        {"", NULL, NULL},
        {"YTpi\x01", NULL, NULL},
        {"YToK", NULL, NULL},     /* a line feed */
        {"YTpiAA==", NULL, NULL}, /* a NUL */
        {"YTp/", NULL, NULL},     /* DEL */
    };
    struct ern_slice user, password;
    char memory[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct out o = out_init(memory, sizeof memory);
        bool is_read = credentials_basic(slice_text(rows[i].rest), &o, &user, &password);

        if (is_read != (rows[i].user != NULL))
            fail_msg("%s", rows[i].rest);
        if (!is_read)
            continue;
        assert_true(slice_eq(user, slice_text(rows[i].user)));
        assert_true(slice_eq(password, slice_text(rows[i].password)));
    }
}

static void
needs_room_for_both(void **state)
{
    struct ern_slice user, password;
    char memory[18];

    (void)state;
    for (size_t cap = 0; cap <= sizeof memory; cap++) {
        struct out o = out_init(memory, cap);

        assert_false(
            credentials_basic(ERN_SLICE("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), &o, &user, &password));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_scheme_and_rest),
        cmocka_unit_test(reads_user_and_password),
        cmocka_unit_test(needs_room_for_both),
    };

    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
