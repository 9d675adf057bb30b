/* SPDX-License-Identifier: Apache-2.0 */
#include "io/timer.h"

void
timer_list_init(struct timer_list *list, int64_t after_ms)
{
    list->head = (struct timer){&list->head, &list->head, 0, 0};
    list->after_ms = (uint32_t)after_ms;
}

void
timer_stop(struct timer *t)
{
    if (!t->next)
        return;
    t->next->previous = t->previous;
    t->previous->next = t->next;
    t->next = t->previous = NULL;
}

static void
append(struct timer_list *list, struct timer *t, uint32_t now_ms)
{
    timer_stop(t);
    t->queued_ms = now_ms;
    t->next = &list->head;
    t->previous = list->head.previous;
    t->previous->next = t;
    list->head.previous = t;
}

void
timer_start(struct timer_list *list, struct timer *t, int64_t now_ms)
{
    t->active_ms = (uint32_t)now_ms;
    append(list, t, (uint32_t)now_ms);
}

struct timer *
timer_expired(struct timer_list *list, int64_t now_ms)
{
    uint32_t now = (uint32_t)now_ms;

    for (;;) {
        struct timer *t = list->head.next;

        if (t == &list->head || now - t->queued_ms < list->after_ms)
            return NULL;
        if (now - t->active_ms >= list->after_ms)
            return t;
        append(list, t, now);
    }
}

int
timer_wait_ms(const struct timer_list *list, int64_t now_ms)
{
    const struct timer *t = list->head.next;
    uint32_t gone = (uint32_t)now_ms - t->queued_ms;

    if (t == &list->head)
        return -1;
    return gone < list->after_ms ? (int)(list->after_ms - gone) : 0;
}
