/* SPDX-License-Identifier: Apache-2.0 */
/* civil.h - days and dates of the proleptic Gregorian calendar, in UTC, without the C library. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdint.h>

struct civil {
    int64_t year;
    unsigned month;   /* 1 to 12 */
    unsigned day;     /* 1 to 31 */
    unsigned hour;    /* 0 to 23 */
    unsigned minute;  /* 0 to 59 */
    unsigned second;  /* 0 to 60; 60 only where a leap second was written */
    unsigned weekday; /* 0 is Sunday; not read by civil_seconds() */
};

/* Days in the month (1 to 12) of the year. */
unsigned civil_days_in(int64_t year, unsigned month);

/* The date of a time in seconds since 1970-01-01T00:00:00Z. */
struct civil civil_from(int64_t time_s);

/* Seconds since 1970-01-01T00:00:00Z of a valid date. */
int64_t civil_seconds(const struct civil *date);

/* Writes the time of day, as in "08:49:37". */
struct out;
void civil_write_clock(struct out *o, const struct civil *date);

/* Writes a time, as in "2026-11-22T23:30:09Z" (RFC 3339 5.6). */
void civil_write_utc(struct out *o, int64_t time_s);

#endif
