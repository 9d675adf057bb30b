/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/instance.h"

#include <errno.h>
#include <stdlib.h>

#include "pack/coding.h"
#include "pack/diffe.h"
#include "pack/feed.h"
#include "pack/gdiff.h"
#include "pack/vcdiff.h"

enum { GZIP_LEVEL = 6 };

static const struct {
    struct ern_slice name;
    bool is_delta;
} rows[IMS] = {
    [IM_FEED] = {{"feed", 4}, true},   [IM_VCDIFF] = {{"vcdiff", 6}, true},
    [IM_GDIFF] = {{"gdiff", 5}, true}, [IM_DIFFE] = {{"diffe", 5}, true},
    [IM_GZIP] = {{"gzip", 4}, false},  [IM_RANGE] = {{"range", 5}, false},
};

struct ern_slice
manipulation_name(enum manipulation im)
{
    return rows[im].name;
}

enum manipulation
manipulation_find(struct ern_slice name)
{
    unsigned i = 0;

    while (i < IMS && !slice_eq_nocase(name, rows[i].name))
        i++;
    return (enum manipulation)i;
}

bool
manipulation_is_delta(enum manipulation im)
{
    return rows[im].is_delta;
}

/* What is made so far. */
struct work {
    struct ern_slice base, now;
    char *room[2]; /* now lies in one of them, or in neither */
    size_t cap;
    struct manipulated *ret;
};

static int
write_delta(enum manipulation im, struct ern_slice base, struct ern_slice now, struct out *o)
{
    size_t left;
    int error;

    if (im == IM_VCDIFF)
        return vcdiff_write(base, now, o);
    if (im == IM_GDIFF)
        return gdiff_write(base, now, o);
    error = im == IM_DIFFE ? diffe_write(base, now, o) : feed_write_new(base, now, o, &left);
    return error == -EINVAL || error == -E2BIG ? -ENOSPC : error;
}

/* Puts what the manipulation makes of it in its place, if that is smaller. Returns 0 or -ENOMEM. */
static int
try_smaller(struct work *w, enum manipulation im)
{
    unsigned to = w->now.ptr == w->room[0];
    struct out o;
    int error;

    if (w->now.len < 2)
        return 0;
    if (!w->room[to])
        w->room[to] = malloc(w->cap);
    if (!w->room[to])
        return -ENOMEM;
    o = out_init(w->room[to], w->now.len - 1);
    error = im == IM_GZIP ? coding_write(CODING_GZIP, GZIP_LEVEL, w->now, &o)
                          : write_delta(im, w->base, w->now, &o);
    if (error)
        return error == -ENOSPC ? 0 : error;
    w->now = out_done(&o);
    w->ret->used.im[w->ret->used.n++] = im;
    return 0;
}

static bool
cut(struct ern_slice *s, uint64_t first, uint64_t last)
{
    if (first >= s->len)
        return false;
    *s = slice_from(s->ptr + first, (size_t)((last < s->len ? last + 1 : s->len) - first));
    return true;
}

/* A part of it; of the base the same part, if it comes before a delta. */
static int
take_range(struct work *w, const struct instance *instance)
{
    w->ret->first = instance->first;
    w->ret->whole = w->now.len;
    if (!cut(&w->now, instance->first, instance->last))
        return -ENOENT;
    if (slice_is_there(w->base) && !cut(&w->base, instance->first, instance->last))
        w->base.len = 0;
    w->ret->used.im[w->ret->used.n++] = IM_RANGE;
    return 0;
}

static int
apply(struct work *w, const struct instance *instance, const struct manipulations *wanted,
      enum manipulation delta)
{
    bool awaits_delta = delta < IMS;
    int error = 0;

    for (unsigned i = 0; !error && i < wanted->n; i++) {
        enum manipulation im = wanted->im[i];

        if (im == IM_RANGE) {
            if (instance->ranged)
                error = take_range(w, instance);
        } else if (im == delta) {
            awaits_delta = false;
            error = try_smaller(w, im);
            /* What comes after it was asked for of a delta. */
            if (!error && (w->ret->used.n == 0 || w->ret->used.im[w->ret->used.n - 1] != im))
                error = -ENOENT;
        } else if (im == IM_GZIP && !awaits_delta) {
            error = try_smaller(w, im); /* before a delta it would only hide what is the same */
        }
    }
    return error;
}

int
instance_manipulate(const struct instance *instance, const struct manipulations *wanted,
                    enum manipulation delta, struct manipulated *ret)
{
    struct work w = {
        .base = instance->base,
        .now = instance->target,
        .cap = instance->target.len,
        .ret = ret,
    };
    int error;

    *ret = (struct manipulated){.bytes = NULL};
    error = apply(&w, instance, wanted, delta);
    if (!error && (ret->used.n == 0 || (ret->used.n == 1 && ret->used.im[0] == IM_RANGE)))
        error = -ENOENT; /* a part alone is 206 */
    if (!error) {
        ret->bytes = malloc(w.now.len + 1);
        error = ret->bytes ? 0 : -ENOMEM;
    }
    if (!error) {
        memcpy(ret->bytes, w.now.ptr, w.now.len);
        ret->len = w.now.len;
    }
    free(w.room[0]);
    free(w.room[1]);
    return error;
}
