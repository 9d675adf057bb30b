/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.h - lists of things that end after the same time, in the order in which they were started.
 *
 * One list a duration, so that starting is appending and the head is always the next to look at.
 * Lists are lazy: activity only writes `active_ms`, and whoever comes to the head though it was
 * active goes to the end again. A busy connection costs nothing; a quiet one ends after at least
 * one and less than two durations (exactly one if it was never active after its start).
 */
#ifndef IO_TIMER_H
#define IO_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    struct timer *next, *previous; /* NULL when in no list */
    uint32_t queued_ms;            /* when it was put where it is */
    uint32_t active_ms;            /* when something last happened; wraps, as all times here */
};

struct timer_list {
    struct timer head; /* next is the oldest, previous the youngest */
    uint32_t after_ms; /* the duration */
};

void timer_list_init(struct timer_list *list, int64_t after_ms);

/* Puts the timer at the end of the list, out of any list it was in. */
void timer_start(struct timer_list *list, struct timer *timer, int64_t now_ms);

/* Takes the timer out of its list; nothing if it is in none. */
void timer_stop(struct timer *timer);

/* The next timer whose time is over, requeueing those that were active; NULL if there is none. */
struct timer *timer_expired(struct timer_list *list, int64_t now_ms);

/* Milliseconds until the head is to be looked at, at least 0; -1 if the list is empty. */
int timer_wait_ms(const struct timer_list *list, int64_t now_ms);

#endif
