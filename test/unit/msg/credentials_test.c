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

/* As in RFC 7616 3.9.1. */
#define MUFASA                                                                                     \
    "realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=SHA-256, "                \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, cnonce=\"f2/w\", "       \
    "qop=auth, response=\"7539\", opaque=\"FQhe\""

static void
reads_parameters_of_digest(void **state)
{
    char memory[512];
    struct out o = out_init(memory, sizeof memory);
    struct digest d;

    (void)state;
    assert_true(credentials_digest(ERN_SLICE("username=\"Mu\\\"fa\", " MUFASA), &o, &d));
    assert_true(slice_eq(d.user, ERN_SLICE("Mu\"fa")));
    assert_true(slice_eq(d.realm, ERN_SLICE("http-auth@example.org")));
    assert_true(slice_eq(d.uri, ERN_SLICE("/dir/index.html")));
    assert_true(slice_eq(d.algorithm, ERN_SLICE("SHA-256")));
    assert_true(slice_eq(d.nonce, ERN_SLICE("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v")));
    assert_true(slice_eq(d.nc, ERN_SLICE("00000001")));
    assert_true(slice_eq(d.cnonce, ERN_SLICE("f2/w")));
    assert_true(slice_eq(d.qop, ERN_SLICE("auth")));
    assert_true(slice_eq(d.response, ERN_SLICE("7539")));
    assert_false(d.userhash);
    for (size_t cap = 0; cap < o.len; cap++) {
        struct out less = out_init(memory, cap);

        assert_false(credentials_digest(ERN_SLICE("username=\"Mu\\\"fa\", " MUFASA), &less, &d));
    }
}

static void
reads_users_of_digest(void **state)
{
    static const struct {
        const char *text, *user; /* NULL: it is refused */
        bool userhash;
    } rows[] = {
        {"username=a", "a", false},
        {"USERNAME=\"a b\"", "a b", false},
        {"username=\"\"", "", false},
        {"username=a, userhash=true", "a", true},
        {"username=a, userhash=FALSE", "a", false},
        {"username=a, new=thing", "a", false},
        {"username*=UTF-8''J%C3%A4s%C3%B8n%20Doe", "J\xc3\xa4s\xc3\xb8n Doe", false},
        {"username*=utf-8'en'a", "a", false},
        {"username*=UTF-8''a%0d%0ab", NULL, false},
        {"username*=UTF-8''a%ff", NULL, false},
        {"username*=UTF-8''a%4", NULL, false},
        {"username*=UTF-8''a%zz", NULL, false},
        {"username*=UTF-8'a", NULL, false},
        {"username*=ISO-8859-1''a", NULL, false},
        {"username=a, username=a", NULL, false},
        {"username=a, username*=UTF-8''a", NULL, false},
        {"username=\"a\tb\"", NULL, false},
        {"username=a, realm=b", NULL, false},
        {"username", NULL, false},
        {"username=\"a", NULL, false},
        {"username=a b", NULL, false},
        {"=a", NULL, false},
        {"user=a", NULL, false},
    };
    char text[512], memory[512];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct out all = out_init(text, sizeof text), o = out_init(memory, sizeof memory);
        struct digest d;
        bool is_read;

        out_text(&all, rows[i].text);
        out_literal(&all, ", " MUFASA);
        is_read = credentials_digest(out_done(&all), &o, &d);
        if (is_read != (rows[i].user != NULL))
            fail_msg("%s", rows[i].text);
        if (!is_read)
            continue;
        assert_true(slice_eq(d.user, slice_text(rows[i].user)));
        assert_int_equal(d.userhash, rows[i].userhash);
    }
}

static void
knows_a_token(void **state)
{
    static const char *const good[] = {"a", "mF_9.B5f-4.1JqM", "a+/~==", "YTpi"};
    static const char *const bad[] = {"", "=", "a=b", "a b", "a,b", "\"a\"", "a\x7f"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(credentials_is_token68(slice_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(credentials_is_token68(slice_text(bad[i])));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_scheme_and_rest),  cmocka_unit_test(reads_user_and_password),
        cmocka_unit_test(needs_room_for_both),   cmocka_unit_test(reads_parameters_of_digest),
        cmocka_unit_test(reads_users_of_digest), cmocka_unit_test(knows_a_token),
    };

    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
