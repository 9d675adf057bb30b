/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alarm.h - things that go on at a time of their own, earliest first.
 *
 * A list in order, for there are few of them, and most are set for later than the others: where one
 * belongs is looked for from the end. What all end after the same time is in a list of timer.h.
 */
#ifndef IO_ALARM_H
#define IO_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alarm { /* memory of the one who sets it; all zero: it is not set */
    struct alarm *next, *previous;
    int64_t at_ms;
};

struct alarms {
    struct alarm head; /* next is the earliest */
};

void alarms_init(struct alarms *alarms);

/* Sets one, anew if it was set before, behind those of the same time. */
void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at_ms);

/* It does not go off; nothing if it is not set. */
void alarm_stop(struct alarm *alarm);

static inline bool
alarm_is_set(const struct alarm *alarm)
{
    return alarm->next != NULL;
}

/* The earliest whose time has come, which is then not set any more; NULL if there is none. */
struct alarm *alarm_due(struct alarms *alarms, int64_t now_ms);

/* Milliseconds until the earliest, at least 0 and at most INT32_MAX; -1 if none is set. */
int alarms_wait_ms(const struct alarms *alarms, int64_t now_ms);

#endif
