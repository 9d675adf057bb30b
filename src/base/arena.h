/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory of one request: taken piece by piece, given back all at once.
 *
 * The memory is a block that the caller owns. Overflow is sticky, as in out.h: a failed take gives
 * NULL and sets `full`. An arena never frees one thing; what wants that has another lifetime.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "base/out.h"

struct arena {
    char *ptr;
    size_t used, cap;
    bool full;
};

static inline void
arena_init(struct arena *a, void *ptr, size_t cap)
{
    *a = (struct arena){ptr, 0, cap, false};
}

static inline void
arena_reset(struct arena *a)
{
    a->used = 0;
    a->full = false;
}

/* n bytes, aligned for any type and not cleared, or NULL. */
static inline void *
arena_take(struct arena *a, size_t n)
{
    size_t at = (a->used + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);

    if (a->full || at > a->cap || a->cap - at < n) {
        a->full = true;
        return NULL;
    }
    a->used = at + n;
    return a->ptr + at;
}

/* All that is left, as an out; say arena_keep() with it when done. */
static inline struct out
arena_out(struct arena *a)
{
    return out_init(a->ptr + a->used, a->full ? 0 : a->cap - a->used);
}

/* Keeps what was written to the out that arena_out() gave last. Absent if it did not fit. */
static inline struct ern_slice
arena_keep(struct arena *a, const struct out *o)
{
    if (o->full) {
        a->full = true;
        return ERN_ABSENT;
    }
    a->used += o->len;
    return out_done(o);
}

#endif
