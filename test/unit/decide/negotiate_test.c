/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "earnest/decide.h"

enum { NONE = 99 };

struct row {
    const char *accept, *language, *coding; /* NULL: no such field */
    size_t choice;                          /* NONE: not acceptable */
};

static void
check(const struct ern_variant *variants, size_t n, const struct row *rows, size_t rows_n)
{
    for (size_t i = 0; i < rows_n; i++) {
        struct ern_field fields[3];
        struct ern_request r;
        size_t choice = NONE;

        ern_request_init(&r, fields, 3);
        if (rows[i].accept)
            assert_true(ern_request_add(&r, ERN_SLICE("Accept"), slice_text(rows[i].accept)));
        if (rows[i].language)
            assert_true(
                ern_request_add(&r, ERN_SLICE("Accept-Language"), slice_text(rows[i].language)));
        if (rows[i].coding)
            assert_true(
                ern_request_add(&r, ERN_SLICE("Accept-Encoding"), slice_text(rows[i].coding)));
        if (ern_negotiate(&r, variants, n, &choice) != (choice != NONE))
            fail_msg("row %zu: the choice is written only if there is one", i);
        if (choice != rows[i].choice)
            fail_msg("row %zu: choice %zu, not %zu", i, choice, rows[i].choice);
    }
}

#define CHECK(variants, rows)                                                                      \
    check(variants, sizeof(variants) / sizeof *(variants), rows, sizeof(rows) / sizeof *(rows))

static void
negotiate_weighs_types(void **state)
{
    const struct ern_variant variants[] = {
        {ERN_SLICE("text/html;charset=utf-8"), ERN_ABSENT, ERN_ABSENT, 1000},
        {ERN_SLICE("application/json"), ERN_ABSENT, ERN_ABSENT, 1000},
        {ERN_SLICE("text/plain"), ERN_ABSENT, ERN_ABSENT, 500},
    };
    static const struct row rows[] = {
        {NULL, NULL, NULL, 0},
        {"*/*", NULL, NULL, 0},
        {"application/json", NULL, NULL, 1},
        {"text/html;q=0.5, application/json", NULL, NULL, 1},
        {"text/plain, text/html;q=0.5", NULL, NULL, 0}, /* 500 to 500: the earlier one */
        {"text/plain, text/html;q=0.4", NULL, NULL, 2},
        {"text/plain;q=0.001", NULL, NULL, 2},
        {"image/png", NULL, NULL, NONE},
        {"*/*;q=0", NULL, NULL, NONE},
        {"image/png, */*;q=0.1", NULL, NULL, 0},
        /* of a browser */
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "bn,en;q=0.5",
         "gzip, deflate, br", 0},
    };

    (void)state;
    CHECK(variants, rows);
}

static void
negotiate_weighs_languages(void **state)
{
    const struct ern_variant variants[] = {
        {ERN_SLICE("text/html"), ERN_SLICE("bn"), ERN_ABSENT, 1000},
        {ERN_SLICE("text/html"), ERN_SLICE("en"), ERN_ABSENT, 1000},
        {ERN_SLICE("text/html"), ERN_SLICE("en-GB"), ERN_ABSENT, 900},
    };
    static const struct row rows[] = {
        {NULL, NULL, NULL, 0},
        {NULL, "en", NULL, 1},
        {NULL, "en-gb", NULL, 2},
        {NULL, "en-gb, en;q=0.8", NULL, 2},
        {NULL, "en-us, en;q=0.8, bn;q=0.7", NULL, 1},
        {NULL, "da", NULL, NONE},
        {NULL, "bn-IN", NULL, 0}, /* looked up */
        {NULL, "en-us, bn-IN;q=0.5", NULL, 1},
        {NULL, "da, *;q=0.1", NULL, 0},
        {NULL, "bn;q=0, *", NULL, 1},
        {NULL, "", NULL, 0},
        {"text/html", "en;q=0.2, bn;q=0.3", NULL, 0},
        {"image/png", "en", NULL, NONE},
    };

    (void)state;
    CHECK(variants, rows);
}

static void
negotiate_takes_what_is_in_no_language(void **state)
{
    const struct ern_variant variants[] = {
        {ERN_ABSENT, ERN_SLICE("en"), ERN_ABSENT, 1000},
        {ERN_ABSENT, ERN_ABSENT, ERN_ABSENT, 1000},
    };
    static const struct row rows[] = {
        {NULL, NULL, NULL, 0},
        {NULL, "en", NULL, 0},
        {NULL, "en;q=0.5", NULL, 1},
        {NULL, "da", NULL, 1},
        {NULL, "en;q=0.5, *;q=0.1", NULL, 0}, /* the star speaks of it */
        {NULL, "da, *;q=0", NULL, 1},         /* but cannot exclude it */
        {"image/png", "en", NULL, 0},         /* any type will do */
    };

    (void)state;
    CHECK(variants, rows);
}

static void
negotiate_weighs_codings(void **state)
{
    const struct ern_variant variants[] = {
        {ERN_SLICE("text/css"), ERN_ABSENT, ERN_ABSENT, 1000},
        {ERN_SLICE("text/css"), ERN_ABSENT, ERN_SLICE("br"), 1000},
        {ERN_SLICE("text/css"), ERN_ABSENT, ERN_SLICE("gzip"), 1000},
    };
    static const struct row rows[] = {
        {NULL, NULL, NULL, 0},
        {NULL, NULL, "", 0},
        {NULL, NULL, "gzip", 2},
        {NULL, NULL, "gzip, br", 1},
        {NULL, NULL, "gzip, br;q=0.9", 2},
        {NULL, NULL, "gzip;q=0.2", 2}, /* what is asked for comes before the default */
        {NULL, NULL, "gzip;q=0.2, identity", 0},
        {NULL, NULL, "zstd", 0},
        {NULL, NULL, "zstd, identity;q=0", NONE},
        {NULL, NULL, "*;q=0", NONE},
        {NULL, NULL, "br;q=0, gzip;q=0", 0},
        {NULL, NULL, "identity;q=0, *", 1},
        {NULL, NULL, "x-gzip", 2},
    };

    (void)state;
    CHECK(variants, rows);
}

static void
negotiate_multiplies(void **state)
{
    const struct ern_variant variants[] = {
        {ERN_SLICE("text/html"), ERN_SLICE("en"), ERN_ABSENT, 1000},
        {ERN_SLICE("text/html"), ERN_SLICE("bn"), ERN_SLICE("gzip"), 1000},
        {ERN_SLICE("text/plain"), ERN_SLICE("bn"), ERN_ABSENT, 1000},
    };
    static const struct row rows[] = {
        {"text/html, text/plain;q=0.5", "bn, en;q=0.6", "identity", 0}, /* 0.6 to 0.5 */
        {"text/html, text/plain;q=0.5", "bn, en;q=0.4", "identity", 2}, /* 0.4 to 0.5 */
        {"text/html, text/plain;q=0.5", "bn, en;q=0.4", "gzip;q=0.9, identity", 1},
        {"text/html, text/plain;q=0.5", "bn, en;q=0.95", "gzip;q=0.9, identity", 0},
        {"text/plain;q=0.001", "bn;q=0.001", "identity;q=0.001", 2}, /* not lost in rounding */
    };

    (void)state;
    CHECK(variants, rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(negotiate_weighs_types),
        cmocka_unit_test(negotiate_weighs_languages),
        cmocka_unit_test(negotiate_takes_what_is_in_no_language),
        cmocka_unit_test(negotiate_weighs_codings),
        cmocka_unit_test(negotiate_multiplies),
    };

    return cmocka_run_group_tests_name("negotiate", tests, NULL, NULL);
}
