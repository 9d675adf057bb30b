/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"

#include <assert.h>
#include <stdbool.h>

#include "base/out.h"

enum { DAY_S = 86400, DAYS_400_YEARS = 146097 };

static bool
is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

unsigned
civil_days_in(int64_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    assert(month >= 1);
    assert(month <= 12);
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Floor of a / b, for b > 0. */
static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/*
 * Both ways count years from 1 March, so that the leap day is the last of its year and the days
 * before a month follow one line: (153 * month + 2) / 5, with March as month 0.
 */
static int64_t
days_from(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400); /* not a status */
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (int64_t)((month + 9) % 12) + 2) / 5 + day - 1;

    return era * DAYS_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct civil
civil_from(int64_t time_s)
{
    int64_t days = floor_div(time_s, DAY_S);
    unsigned second = (unsigned)(time_s - days * DAY_S);
    int64_t z = days + 719468;
    int64_t era = floor_div(z, DAYS_400_YEARS);
    int64_t of_era = z - era * DAYS_400_YEARS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    return (struct civil){
        .year = year + era * 400 + (month >= 10),
        .month = (unsigned)(month < 10 ? month + 3 : month - 9),
        .day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
        .hour = second / 3600,
        .minute = second / 60 % 60,
        .second = second % 60,
        .weekday = (unsigned)(((days + 4) % 7 + 7) % 7),
    };
}

int64_t
civil_seconds(const struct civil *date)
{
    return days_from(date->year, date->month, date->day) * DAY_S + (int64_t)date->hour * 3600 +
           (int64_t)date->minute * 60 + date->second;
}

void
civil_write_clock(struct out *o, const struct civil *date)
{
    out_digits(o, date->hour, 2);
    out_char(o, ':');
    out_digits(o, date->minute, 2);
    out_char(o, ':');
    out_digits(o, date->second, 2);
}

void
civil_write_utc(struct out *o, int64_t time_s)
{
    struct civil t = civil_from(time_s);

    out_digits(o, (uint64_t)t.year, 4);
    out_char(o, '-');
    out_digits(o, t.month, 2);
    out_char(o, '-');
    out_digits(o, t.day, 2);
    out_char(o, 'T');
    civil_write_clock(o, &t);
    out_char(o, 'Z');
}
