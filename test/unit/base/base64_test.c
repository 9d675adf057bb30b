/* SPDX-License-Identifier: Apache-2.0 */
/* base64_test.c - the vectors of RFC 4648 10, and every character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

static void
writes_the_vectors(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfb\xff", "//77/w=="},
    };
    char memory[16];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct out o = out_init(memory, sizeof memory);

        base64_write(&o, slice_text(rows[i][0]));
        assert_true(slice_eq(out_done(&o), slice_text(rows[i][1])));
    }
}

static void
reads_what_it_writes_and_nothing_else(void **state)
{
    static const struct {
        const char *text, *bytes; /* NULL: it is not base64 */
    } rows[] = {
        {"", ""},           {"Zg==", "f"},        {"Zm8=", "fo"},
        {"Zm9v", "foo"},    {"Zm9vYg==", "foob"}, {"//77/w==", "\xff\xfe\xfb\xff"},
        {"Zg=", NULL},      {"Zg", NULL},         {"Z", NULL},
        {"Zg===", NULL},    {"Zh==", NULL},       {"Zm9=", NULL},
        {"Zg==Zg==", NULL}, {"Z g=", NULL},       {"Zm-v", NULL},
        {"=", NULL},        {"====", NULL},       {"Zm9v\n", NULL},
        {"Z===", NULL},
    };
    char memory[16];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct out o = out_init(memory, sizeof memory);
        bool is_read = base64_read(slice_text(rows[i].text), &o);

        if (is_read != (rows[i].bytes != NULL))
            fail_msg("%s", rows[i].text);
        if (is_read)
            assert_true(slice_eq(out_done(&o), slice_text(rows[i].bytes)));
    }
}

static void
reads_base64url_without_padding_and_nothing_else(void **state)
{
    static const struct {
        const char *text, *bytes; /* bytes NULL: it is none */
    } rows[] = {
        {"", ""},        {"Zg", "f"},    {"Zm8", "fo"}, {"Zm9v", "foo"}, {"-_-_", "\xfb\xff\xbf"},
        {"+/+/", NULL},  {"Zg==", NULL}, {"Zh", NULL},  {"Z", NULL},     {"Zm9vZ", NULL},
        {"Zm 9v", NULL},
    };
    char memory[8];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct out o = out_init(memory, sizeof memory);
        bool is_read = base64url_read(slice_text(rows[i].text), &o);

        if (is_read != (rows[i].bytes != NULL))
            fail_msg("%s", rows[i].text);
        if (is_read)
            assert_true(slice_eq(out_done(&o), slice_text(rows[i].bytes)));
    }
}

static void
knows_the_value_of_each_character(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    (void)state;
    for (int c = 0; c < 256; c++) {
        size_t at = slice_find(slice_from(alphabet, 64), (char)c);

        assert_int_equal(base64_value((char)c), at < 64 ? (int)at : -1);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_vectors),
        cmocka_unit_test(reads_what_it_writes_and_nothing_else),
        cmocka_unit_test(reads_base64url_without_padding_and_nothing_else),
        cmocka_unit_test(knows_the_value_of_each_character),
    };

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
