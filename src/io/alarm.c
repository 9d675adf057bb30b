/* SPDX-License-Identifier: Apache-2.0 */
#include "io/alarm.h"

void
alarms_init(struct alarms *alarms)
{
    alarms->head = (struct alarm){&alarms->head, &alarms->head, 0};
}

void
alarm_set(struct alarms *alarms, struct alarm *a, int64_t at_ms)
{
    struct alarm *before;

    alarm_stop(a);
    before = alarms->head.previous;
    while (before != &alarms->head && before->at_ms > at_ms)
        before = before->previous;
    *a = (struct alarm){before->next, before, at_ms};
    a->next->previous = a;
    before->next = a;
}

void
alarm_stop(struct alarm *a)
{
    if (!a->next)
        return;
    a->next->previous = a->previous;
    a->previous->next = a->next;
    a->next = a->previous = NULL;
}

struct alarm *
alarm_due(struct alarms *alarms, int64_t now_ms)
{
    struct alarm *first = alarms->head.next;

    if (first == &alarms->head || first->at_ms > now_ms)
        return NULL;
    alarm_stop(first);
    return first;
}

int
alarms_wait_ms(const struct alarms *alarms, int64_t now_ms)
{
    const struct alarm *first = alarms->head.next;

    if (first == &alarms->head)
        return -1;
    if (first->at_ms <= now_ms)
        return 0;
    return first->at_ms - now_ms < INT32_MAX ? (int)(first->at_ms - now_ms) : INT32_MAX;
}
