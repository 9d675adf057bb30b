/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg/date.h"

/* 2026-11-22T12:00:00Z */
enum { NOW_S = 1795348800 };

static void
date_reads_its_three_forms(void **state)
{
    static const struct {
        const char *text;
        int64_t time_s;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777}, /* RFC 9110 5.6.7 */
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Sun Nov 06 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799)},
        {"Sat, 01 Jan 0000 00:00:00 GMT", INT64_C(-62167219200)},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},  /* the wrong day of the week */
        {"Saturday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Mon Nov  6 08:49:37 1994", 784111777},
        /* two-digit years: up to 50 years ahead, to the second */
        {"Sunday, 22-Nov-76 12:00:00 GMT", INT64_C(3373272000)},
        {"Sunday, 22-Nov-76 12:00:01 GMT", 217512001},
        {"Friday, 01-Jan-77 00:00:00 GMT", 220924800},
        {"Friday, 01-Jan-27 00:00:00 GMT", 1798761600},
        {"Tuesday, 29-Feb-00 00:00:00 GMT", 951782400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t time_s = -99;

        if (!date_parse(slice_text(rows[i].text), NOW_S, &time_s))
            fail_msg("refused: %s", rows[i].text);
        if (time_s != rows[i].time_s)
            fail_msg("%s: %lld, not %lld", rows[i].text, (long long)time_s,
                     (long long)rows[i].time_s);
    }
}

static void
date_places_years_around_the_turn_of_a_century(void **state)
{
    int64_t time_s;

    (void)state;
    /* 1999-06-01: 05 is six years ahead, 49 is fifty, 50 is past. */
    assert_true(date_parse(ERN_SLICE("Saturday, 01-Jan-05 00:00:00 GMT"), 928195200, &time_s));
    assert_int_equal(time_s, 1104537600);
    assert_true(date_parse(ERN_SLICE("Friday, 01-Jan-49 00:00:00 GMT"), 928195200, &time_s));
    assert_true(time_s == INT64_C(2493072000));
    assert_true(date_parse(ERN_SLICE("Sunday, 01-Jan-50 00:00:00 GMT"), 928195200, &time_s));
    assert_true(time_s == -631152000);
    /* 2000 had a 29 February, 1900 had none: at the end of 2049 the year 00 is 2000, not 2100. */
    assert_true(
        date_parse(ERN_SLICE("Tuesday, 29-Feb-00 00:00:00 GMT"), INT64_C(2524607999), &time_s));
    assert_int_equal(time_s, 951782400);
    assert_false(date_parse(ERN_SLICE("Monday, 29-Feb-00 00:00:00 GMT"), INT64_C(2556144000),
                            &time_s)); /* in 2051 it is 2100 */
}

static void
date_refuses_what_is_none(void **state)
{
    static const char *const rows[] = {
        "",
        "0",
        "784111777",
        "Sun",
        "Sun,",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "SUN, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun,  06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19944 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT", /* a short day in the long form */
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunda, 06-Nov-94 08:49:37 GMT",
        "Sunday Nov  6 08:49:37 1994",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  0 08:49:37 1994",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Thu, 32 Dec 1994 08:49:37 GMT",
        "Thu, 31 Nov 1994 08:49:37 GMT",
        "Wed, 30 Feb 2000 08:49:37 GMT",
        "Wed, 29 Feb 1900 08:49:37 GMT",
        "Sunday, 30-Feb-94 08:49:37 GMT",
        "Sun Feb 30 08:49:37 1994",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 1994 08:49:3a GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t time_s = -99;

        if (date_parse(slice_text(rows[i]), NOW_S, &time_s))
            fail_msg("taken: %s", rows[i]);
        if (time_s != -99)
            fail_msg("written on failure: %s", rows[i]);
    }
    assert_false(date_parse(ERN_ABSENT, NOW_S, &(int64_t){0}));
}

static void
date_writes_what_it_reads(void **state)
{
    (void)state;
    /* a step of 1 day, 7 hours and some, so that every day of the week, month and hour comes by */
    for (int64_t time_s = 0; time_s < INT64_C(253402300800); time_s += 112573 * 97) {
        char buffer[DATE_BYTES];
        struct out o = out_init(buffer, sizeof buffer);
        int64_t back_s = -1;

        date_write(&o, time_s);
        assert_false(o.full);
        assert_int_equal(o.len, DATE_BYTES);
        assert_true(date_parse(out_done(&o), NOW_S, &back_s));
        assert_true(back_s == time_s);
    }
}

static void
date_writes_the_example_of_the_rfc(void **state)
{
    char buffer[DATE_BYTES];
    struct out o = out_init(buffer, sizeof buffer);

    (void)state;
    date_write(&o, 784111777);
    assert_int_equal(o.len, DATE_BYTES);
    assert_memory_equal(buffer, "Sun, 06 Nov 1994 08:49:37 GMT", DATE_BYTES);
    date_write(&o, 784111777);
    assert_true(o.full);
}

static void
date_field_is_one_date(void **state)
{
    struct ern_field fields[4];
    struct ern_request r;
    const struct ern_slice name = ERN_SLICE("If-Modified-Since");
    const struct ern_slice value = ERN_SLICE("Sun, 06 Nov 1994 08:49:37 GMT");
    int64_t time_s = -99;

    (void)state;
    ern_request_init(&r, fields, 4);
    assert_false(date_field(&r, ERN_FIELD_if_modified_since, NOW_S, &time_s));
    assert_true(ern_request_add(&r, name, value));
    assert_true(date_field(&r, ERN_FIELD_if_modified_since, NOW_S, &time_s));
    assert_int_equal(time_s, 784111777);
    assert_false(date_field(&r, ERN_FIELD_if_unmodified_since, NOW_S, &time_s));
    assert_true(ern_request_add(&r, name, value)); /* the same again says nothing new */
    assert_true(date_field(&r, ERN_FIELD_if_modified_since, NOW_S, &time_s));
    assert_true(ern_request_add(&r, name, ERN_SLICE("Sun, 06 Nov 1994 08:49:38 GMT")));
    assert_false(date_field(&r, ERN_FIELD_if_modified_since, NOW_S, &time_s));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date_reads_its_three_forms),
        cmocka_unit_test(date_places_years_around_the_turn_of_a_century),
        cmocka_unit_test(date_refuses_what_is_none),
        cmocka_unit_test(date_writes_what_it_reads),
        cmocka_unit_test(date_writes_the_example_of_the_rfc),
        cmocka_unit_test(date_field_is_one_date),
    };

    return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
