/* SPDX-License-Identifier: Apache-2.0 */
/* num_test.c - numbers that strangers wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/num.h"

#define LEN(array) (sizeof(array) / sizeof *(array))
#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define BAD(text, max)                                                                             \
    {                                                                                              \
        __LINE__, S(text), max, false, 0                                                           \
    }
#define GOOD(text, max, n)                                                                         \
    {                                                                                              \
        __LINE__, S(text), max, true, n                                                            \
    }

static const struct {
    int line;
    struct ern_slice text;
    uint64_t max;
    bool is;
    uint64_t n;
} numbers[] = {
    GOOD("0", 0, 0),
    GOOD("7", 9, 7),
    GOOD("0000000000000000000000000000000012", UINT64_MAX, 12),
    GOOD("65535", 65535, 65535),
    GOOD("18446744073709551615", UINT64_MAX, UINT64_MAX),
    GOOD("9223372036854775807", INT64_MAX, INT64_MAX),
    BAD("", UINT64_MAX),
    BAD("1", 0),
    BAD("65536", 65535),
    BAD("9223372036854775808", INT64_MAX),
    BAD("18446744073709551616", UINT64_MAX), /* one more than fits: by addition */
    BAD("18446744073709551620", UINT64_MAX), /* by multiplication */
    BAD("99999999999999999999999", UINT64_MAX),
    BAD("184467440737095516150", UINT64_MAX),
    BAD("-1", UINT64_MAX),
    BAD("+1", UINT64_MAX),
    BAD(" 1", UINT64_MAX),
    BAD("1 ", UINT64_MAX),
    BAD("1\0", UINT64_MAX),
    BAD("1,2", UINT64_MAX),
    BAD("1.0", UINT64_MAX),
    BAD("0x1", UINT64_MAX),
    BAD("1e3", UINT64_MAX),
    BAD("/", UINT64_MAX), /* the bytes around the digits */
    BAD(":", UINT64_MAX),
    BAD("\xb1", UINT64_MAX),
    BAD("\xd9\xa1", UINT64_MAX), /* a digit, but of another script */
};

static void
reads_digits_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(numbers); i++) {
        uint64_t n = 99;

        if (u64_parse(numbers[i].text, numbers[i].max, &n) != numbers[i].is)
            fail_msg("row of line %d: %staken", numbers[i].line, numbers[i].is ? "not " : "");
        if (n != (numbers[i].is ? numbers[i].n : 99))
            fail_msg("row of line %d: %llu", numbers[i].line, (unsigned long long)n);
    }
}

static void
reads_plain_numbers_without_zeros_in_front(void **state)
{
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < LEN(numbers); i++) {
        struct ern_slice text = numbers[i].text;
        bool padded = text.len > 1 && text.ptr[0] == '0';

        if (u64_parse_plain(text, numbers[i].max, &n) != (numbers[i].is && !padded))
            fail_msg("row of line %d", numbers[i].line);
    }
    assert_true(u64_parse_plain(ERN_SLICE("65535"), 65535, &n));
    assert_int_equal(n, 65535);
}

static void
knows_hexadecimal_digits(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        int want = c >= '0' && c <= '9'   ? c - '0'
                   : c >= 'a' && c <= 'f' ? c - 'a' + 10
                   : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                          : -1;

        if (hex_value((char)c) != want)
            fail_msg("byte 0x%02x is %d", (unsigned)c, hex_value((char)c));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_digits_and_nothing_else),
        cmocka_unit_test(reads_plain_numbers_without_zeros_in_front),
        cmocka_unit_test(knows_hexadecimal_digits),
    };

    return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
