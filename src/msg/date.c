/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/date.h"

#include "base/chars.h"
#include "base/civil.h"

static const struct ern_slice day_names[] = {
    {"Sunday", 6},   {"Monday", 6}, {"Tuesday", 7},  {"Wednesday", 9},
    {"Thursday", 8}, {"Friday", 6}, {"Saturday", 8},
};

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

enum { NAME_BYTES = 3 }; /* of a short day name, and of a month */

/* Takes the text off the front of *s, if it is there. */
static bool
take(struct ern_slice *s, struct ern_slice text)
{
    if (!slice_starts(*s, text))
        return false;
    *s = slice_skip(*s, text.len);
    return true;
}

/* Takes exactly n digits. */
static bool
take_digits(struct ern_slice *s, unsigned n, unsigned *ret)
{
    unsigned value = 0;

    if (s->len < n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!char_is(s->ptr[i], CHAR_DIGIT))
            return false;
        value = value * 10 + (unsigned)(s->ptr[i] - '0');
    }
    *s = slice_skip(*s, n);
    *ret = value;
    return true;
}

/* Takes a day's name; *ret_is_long tells which of the two kinds it is. */
static bool
take_day_name(struct ern_slice *s, bool *ret_is_long)
{
    for (unsigned i = 0; i < sizeof day_names / sizeof *day_names; i++) {
        if (!slice_starts(*s, slice_first(day_names[i], NAME_BYTES)))
            continue;
        *ret_is_long = take(s, day_names[i]);
        return *ret_is_long || take(s, slice_first(day_names[i], NAME_BYTES));
    }
    return false;
}

static bool
take_month(struct ern_slice *s, unsigned *ret)
{
    for (unsigned i = 0; i < 12; i++) {
        if (take(s, slice_from(month_names + (size_t)i * NAME_BYTES, NAME_BYTES))) {
            *ret = i + 1;
            return true;
        }
    }
    return false;
}

/* time-of-day = hour ":" minute ":" second */
static bool
take_time(struct ern_slice *s, struct civil *date)
{
    return take_digits(s, 2, &date->hour) && take(s, ERN_SLICE(":")) &&
           take_digits(s, 2, &date->minute) && take(s, ERN_SLICE(":")) &&
           take_digits(s, 2, &date->second) && date->hour < 24 && date->minute < 60 &&
           date->second <= 60; /* rfc9110#5.6.7 "00:00:00 - 23:59:60 (leap second)" */
}

static bool
take_year(struct ern_slice *s, struct civil *date)
{
    unsigned year;

    if (!take_digits(s, 4, &year))
        return false;
    date->year = year;
    return true;
}

/* IMF-fixdate after its day-name: "," SP day SP month SP year SP time-of-day SP GMT */
static bool
take_fixdate(struct ern_slice *s, struct civil *date)
{
    return take(s, ERN_SLICE(", ")) && take_digits(s, 2, &date->day) && take(s, ERN_SLICE(" ")) &&
           take_month(s, &date->month) && take(s, ERN_SLICE(" ")) && take_year(s, date) &&
           take(s, ERN_SLICE(" ")) && take_time(s, date) && take(s, ERN_SLICE(" GMT"));
}

/* asctime-date after its day-name: SP month SP ( 2DIGIT / ( SP 1DIGIT )) SP time-of-day SP year */
static bool
take_asctime(struct ern_slice *s, struct civil *date)
{
    if (!take(s, ERN_SLICE(" ")) || !take_month(s, &date->month) || !take(s, ERN_SLICE(" ")))
        return false;
    if (!take_digits(s, take(s, ERN_SLICE(" ")) ? 1 : 2, &date->day))
        return false;
    return take(s, ERN_SLICE(" ")) && take_time(s, date) && take(s, ERN_SLICE(" ")) &&
           take_year(s, date);
}

/*
 * Places a two-digit year: the latest one that is not more than 50 years ahead.
 * rfc9110#5.6.7 "a timestamp that appears to be more than 50 years in the future"
 */
static void
place_year(struct civil *date, unsigned digits, int64_t now_s)
{
    struct civil limit = civil_from(now_s);

    limit.year += 50;
    date->year = limit.year - ((limit.year - digits) % 100 + 100) % 100;
    if (date->year == limit.year && civil_seconds(date) > civil_seconds(&limit))
        date->year -= 100;
}

/* rfc850-date after its day-name-l: "," SP day "-" month "-" 2DIGIT SP time-of-day SP GMT */
static bool
take_rfc850(struct ern_slice *s, struct civil *date, int64_t now_s)
{
    unsigned year;

    if (!take(s, ERN_SLICE(", ")) || !take_digits(s, 2, &date->day) || !take(s, ERN_SLICE("-")) ||
        !take_month(s, &date->month) || !take(s, ERN_SLICE("-")) || !take_digits(s, 2, &year) ||
        !take(s, ERN_SLICE(" ")) || !take_time(s, date) || !take(s, ERN_SLICE(" GMT")))
        return false;
    place_year(date, year, now_s);
    return true;
}

bool
date_parse(struct ern_slice text, int64_t now_s, int64_t *ret_time_s)
{
    struct civil date = {0};
    bool is_long, ok;

    if (!take_day_name(&text, &is_long))
        return false;
    if (is_long)
        ok = take_rfc850(&text, &date, now_s);
    else if (slice_starts(text, ERN_SLICE(",")))
        ok = take_fixdate(&text, &date);
    else
        ok = take_asctime(&text, &date);
    if (!ok || text.len || date.day < 1 || date.day > civil_days_in(date.year, date.month))
        return false;
    *ret_time_s = civil_seconds(&date);
    return true;
}

bool
date_field(const struct ern_request *request, enum ern_field_id id, int64_t now_s,
           int64_t *ret_time_s)
{
    struct ern_slice first = ern_request_field(request, id), other;
    uint16_t at = 0;

    while (ern_request_next(request, id, &at, &other))
        if (!slice_eq(first, other))
            return false;
    return slice_is_there(first) && date_parse(first, now_s, ret_time_s);
}

void
date_write(struct out *o, int64_t time_s)
{
    struct civil date = civil_from(time_s);

    out_slice(o, slice_first(day_names[date.weekday], NAME_BYTES));
    out_literal(o, ", ");
    out_digits(o, date.day, 2);
    out_char(o, ' ');
    out_slice(o, slice_from(month_names + (size_t)(date.month - 1) * NAME_BYTES, NAME_BYTES));
    out_char(o, ' ');
    out_digits(o, (uint64_t)date.year, 4);
    out_char(o, ' ');
    civil_write_clock(o, &date);
    out_literal(o, " GMT");
}
