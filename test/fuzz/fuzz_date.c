/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four bytes of the current time, then a text. Our reader agrees with a naive one, which compares
 * with templates and counts days one year at a time; what is read is written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "msg/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct parts {
    int day, month, year, hour, minute, second;
};

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

/* Does the text look like the template? d b y h m s stand for digits and letters of that part. */
static bool
looks_like(const char *template, const char *text, size_t len, struct parts *p)
{
    char month[4] = {0};
    size_t month_n = 0;

    memset(p, 0, sizeof *p);
    if (strlen(template) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int *part = template[i] == 'd'   ? &p->day
                    : template[i] == 'y' ? &p->year
                    : template[i] == 'h' ? &p->hour
                    : template[i] == 'm' ? &p->minute
                    : template[i] == 's' ? &p->second
                                         : NULL;

        if (template[i] == 'b') {
            month[month_n++] = text[i];
        } else if (part) {
            if (text[i] < '0' || text[i] > '9')
                return false;
            *part = *part * 10 + text[i] - '0';
        } else if (template[i] != text[i]) {
            return false;
        }
    }
    for (int i = 0; i < 12; i++)
        if (strcmp(month, months[i]) == 0)
            p->month = i + 1;
    return p->month > 0 && p->hour < 24 && p->minute < 60 && p->second < 61;
}

static int
days_in(int year, int month)
{
    if (month == 2)
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static int64_t
seconds(const struct parts *p)
{
    int64_t n = 0;

    for (int y = 1970; y < p->year; y++)
        n += 337 + days_in(y, 2);
    for (int y = p->year; y < 1970; y++)
        n -= 337 + days_in(y, 2);
    for (int m = 1; m < p->month; m++)
        n += days_in(p->year, m);
    return ((n + p->day - 1) * 24 + p->hour) * 3600 + p->minute * 60 + p->second;
}

/* The year that two digits stand for: down from far ahead to one not over 50 years ahead. */
static void
place(struct parts *p, int64_t now_s)
{
    for (p->year += 2200;; p->year -= 100) {
        struct parts earlier = *p;

        earlier.year -= 50;
        if (seconds(&earlier) <= now_s)
            return;
    }
}

static const char *const after_name[] = {
    ", dd bbb yyyy hh:mm:ss GMT",
    ", dd-bbb-yy hh:mm:ss GMT",
    " bbb dd hh:mm:ss yyyy",
    " bbb  d hh:mm:ss yyyy",
};

static bool
naive(const char *text, size_t len, int64_t now_s, int64_t *ret)
{
    struct parts p;

    for (int i = 0; i < 7; i++) {
        for (int form = 0; form < 4; form++) {
            size_t name_len = form == 1 ? strlen(days[i]) : 3;

            if (len < name_len || memcmp(text, days[i], name_len) != 0)
                continue;
            if (!looks_like(after_name[form], text + name_len, len - name_len, &p))
                continue;
            if (form == 1)
                place(&p, now_s);
            if (p.day < 1 || p.day > days_in(p.year, p.month))
                continue;
            *ret = seconds(&p);
            return true;
        }
    }
    return false;
}

static void
check(bool holds)
{
    if (!holds)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t now;
    struct ern_slice text;
    int64_t time_s = 0, naive_s = 0, again_s = 0;
    char buffer[DATE_BYTES];
    struct out o = out_init(buffer, sizeof buffer);

    if (size < sizeof now)
        return 0;
    memcpy(&now, data, sizeof now);
    text = slice_from((const char *)data + sizeof now, size - sizeof now);
    if (!date_parse(text, now, &time_s)) {
        check(!naive(text.ptr, text.len, now, &naive_s));
        return 0;
    }
    check(naive(text.ptr, text.len, now, &naive_s));
    check(time_s == naive_s);
    if (time_s > INT64_C(253402300799)) /* the leap second at the end of the year 9999 */
        return 0;
    date_write(&o, time_s);
    check(!o.full && o.len == DATE_BYTES);
    check(date_parse(out_done(&o), now, &again_s));
    check(again_s == time_s);
    return 0;
}
