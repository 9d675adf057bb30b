/* SPDX-License-Identifier: Apache-2.0 */
/* civil_test.c - the calendar, against one that counts day by day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/civil.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

enum { DAY_S = 86400 };

static const struct {
    int line;
    int64_t time_s;
    struct civil date;
} dates[] = {
    {__LINE__, 0, {1970, 1, 1, 0, 0, 0, 4}},
    {__LINE__, -1, {1969, 12, 31, 23, 59, 59, 3}},
    {__LINE__, 784111777, {1994, 11, 6, 8, 49, 37, 0}}, /* RFC 9110 5.6.7 */
    {__LINE__, 951782400, {2000, 2, 29, 0, 0, 0, 2}},
    {__LINE__, 2147483647, {2038, 1, 19, 3, 14, 7, 2}},
    {__LINE__, 4107542399, {2100, 2, 28, 23, 59, 59, 0}},
    {__LINE__, 4107542400, {2100, 3, 1, 0, 0, 0, 1}}, /* no leap year */
    {__LINE__, 253402300799, {9999, 12, 31, 23, 59, 59, 5}},
    {__LINE__, -2208988800, {1900, 1, 1, 0, 0, 0, 1}},
    {__LINE__, -62135596800, {1, 1, 1, 0, 0, 0, 1}},
    {__LINE__, -62167219200, {0, 1, 1, 0, 0, 0, 6}},
};

static bool
same(const struct civil *a, const struct civil *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second && a->weekday == b->weekday;
}

static void
knows_dates_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(dates); i++) {
        struct civil date = civil_from(dates[i].time_s);

        if (!same(&date, &dates[i].date))
            fail_msg("row of line %d: %lld-%u-%u %u:%u:%u, weekday %u", dates[i].line,
                     (long long)date.year, date.month, date.day, date.hour, date.minute,
                     date.second, date.weekday);
        if (civil_seconds(&dates[i].date) != dates[i].time_s)
            fail_msg("row of line %d: %lld", dates[i].line,
                     (long long)civil_seconds(&dates[i].date));
    }
}

/* The day after, by the rule of the calendar alone. */
static void
step(struct civil *date)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date->year % 400 == 0 || (date->year % 4 == 0 && date->year % 100 != 0);
    unsigned last = days[date->month - 1] + (leap && date->month == 2);

    assert_int_equal(civil_days_in(date->year, date->month), last);
    date->weekday = (date->weekday + 1) % 7;
    if (++date->day <= last)
        return;
    date->day = 1;
    if (++date->month <= 12)
        return;
    date->month = 1;
    date->year++;
}

static void
counts_day_by_day_through_the_ages(void **state)
{
    struct civil date = {-800, 1, 1, 23, 59, 59, 6}; /* two cycles of 400 years before year 0 */
    int64_t time_s = civil_seconds(&date);

    (void)state;
    for (; date.year < 2801; step(&date), time_s += DAY_S) {
        struct civil got = civil_from(time_s);

        if (!same(&got, &date) || civil_seconds(&date) != time_s)
            fail_msg("%lld-%02u-%02u", (long long)date.year, date.month, date.day);
    }
    assert_int_equal(date.month, 1);
}

static void
goes_through_every_second_of_a_day(void **state)
{
    (void)state;
    for (int64_t s = -DAY_S; s < DAY_S; s++) {
        struct civil date = civil_from(s);

        assert_int_equal(civil_seconds(&date), s);
        assert_true(date.hour < 24);
        assert_true(date.minute < 60);
        assert_true(date.second < 60);
    }
}

static void
counts_a_leap_second_as_the_next_one(void **state)
{
    struct civil leap = {2016, 12, 31, 23, 59, 60, 6}, next = {2017, 1, 1, 0, 0, 0, 0};

    (void)state;
    assert_int_equal(civil_seconds(&leap), civil_seconds(&next));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_dates_both_ways),
        cmocka_unit_test(counts_day_by_day_through_the_ages),
        cmocka_unit_test(goes_through_every_second_of_a_day),
        cmocka_unit_test(counts_a_leap_second_as_the_next_one),
    };

    return cmocka_run_group_tests_name("civil", tests, NULL, NULL);
}
