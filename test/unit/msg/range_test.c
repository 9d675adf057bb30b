/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg/range.h"

#define MAX UINT64_MAX

static void
range_reads_its_specs(void **state)
{
    static const struct {
        const char *value;
        size_t n;
        struct range_spec specs[4];
    } rows[] = {
        {"bytes=0-499", 1, {{false, 0, 499}}}, /* RFC 9110 14.1.2 */
        {"bytes=9500-", 1, {{false, 9500, MAX}}},
        {"bytes=-500", 1, {{true, 0, 500}}},
        {"bytes=0-0,-1", 2, {{false, 0, 0}, {true, 0, 1}}},
        {"bytes= 0-999, 4500-5499, -1000",
         3,
         {{false, 0, 999}, {false, 4500, 5499}, {true, 0, 1000}}},
        {"bytes=500-600,601-999", 2, {{false, 500, 600}, {false, 601, 999}}},
        {"BYTES=1-2", 1, {{false, 1, 2}}},
        {"Bytes=-0", 1, {{true, 0, 0}}},
        {"bytes=,,1-2 , ,\t3-,", 2, {{false, 1, 2}, {false, 3, MAX}}},
        {"bytes=0007-00008", 1, {{false, 7, 8}}},
        {"bytes=18446744073709551614-18446744073709551615", 1, {{false, MAX - 1, MAX}}},
        {"bytes=18446744073709551616-", 1, {{false, MAX, MAX}}},
        {"bytes=1-99999999999999999999999999", 1, {{false, 1, MAX}}},
        {"bytes=-99999999999999999999999999", 1, {{true, 0, MAX}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice value = slice_text(rows[i].value), set;
        struct range_spec spec;
        size_t n = 0;

        if (!range_is_bytes(value))
            fail_msg("refused: %s", rows[i].value);
        set = range_set(value);
        for (; range_next(&set, &spec); n++)
            if (n >= rows[i].n || spec.is_suffix != rows[i].specs[n].is_suffix ||
                spec.first != rows[i].specs[n].first || spec.last != rows[i].specs[n].last)
                fail_msg("%s: spec %zu", rows[i].value, n);
        assert_int_equal(n, rows[i].n);
    }
}

static void
range_refuses_what_is_malformed(void **state)
{
    static const char *const rows[] = {
        /* from the tables of Go's net/http, where these are errors, too */
        "", "foo", "bytes=", "bytes=7", "bytes= 7 ", "bytes=5-4", "bytes=0-2,5-4", "bytes=2-5,4-3",
        "bytes=--5,4--3", "bytes=A-", "bytes=A- ", "bytes=A-Z", "bytes= -Z", "bytes=5-Z",
        "bytes=Ran-dom, garbage", "bytes=0x01-0x02", "bytes=         ", "bytes= , , ,   ",
        /* Go takes this; RFC 9110 14.1.1 has no white space inside a range-spec */
        "bytes=   1 -2   ,  4- 5, 7 - 8 , ,,",
        /* more of ours */
        "bytes", "bytes:0-1", "bytes =0-1", "byte=0-1", "bytess=0-1", "items=0-1", "bytes=-",
        "bytes=0-1-2", "bytes=+1-2", "bytes=1-+2", "bytes=0-1;2-3", "bytes=\"0-1\"", "=0-1",
        "bytes=0-1, bytes=2-3", "bytes=18446744073709551617-18446744073709551616",
        "bytes=20000000000000000000-3", "bytes=0010-9"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (range_is_bytes(slice_text(rows[i])))
            fail_msg("taken: %s", rows[i]);
    assert_false(range_is_bytes(ERN_ABSENT));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_reads_its_specs),
        cmocka_unit_test(range_refuses_what_is_malformed),
    };

    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
