/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.c - greedy matching. Of the base the places with the same LONG bytes hang together in
 * chains, the latest first; of the target the latest place with the same SHORT bytes is known. A
 * place is kept as offset + 1.
 */
#include "pack/match.h"

#include <errno.h>
#include <stdlib.h>

enum {
    LONG = 8,  /* the shortest match with the base, and */
    SHORT = 5, /* with the target: what it saves is about what it costs */
    BASE_BITS_MIN = 10,
    BASE_BITS_MAX = 18,
    TARGET_BITS = 16,
    SURE_BYTES = 32,   /* a match so long is taken without looking for a longer one */
    INSERT_MAX = 256,  /* of a longer copy only the end is kept in the table */
    PATIENCE_BITS = 7, /* after 2^7 bytes in vain every second place is tried, and so on */
    /* Links of a chain that are followed from one place; after TARGET / SHARE of them in all, few.
     */
    CHAIN = 32,
    CHAIN_LATER = 1,
    SHARE = 4,
    /* About what an instruction takes, in bytes: with an address near the last one, in the target,
       and anywhere in the base. */
    COST_STRAIGHT = 2,
    COST_TARGET = 3,
    COST_BASE = 4,
};

struct matcher {
    struct ern_slice base, target;
    bool within;
    match_take *take;
    void *self;
    size_t done;     /* of the target: taken */
    size_t at;       /* of the target: looked at */
    ptrdiff_t drift; /* from a place in the target to the one in the base that was copied last */
    unsigned base_bits;
    size_t links;              /* that may still be followed */
    uint32_t *latest, *before; /* of the base: by hash, and by place */
    uint32_t *short_target;
};

struct match {
    size_t from; /* in base and target */
    size_t at;   /* in target */
    size_t n;
    size_t gain; /* bytes that it saves; 0: it is none */
};

static uint64_t
load(const char *at, size_t n)
{
    uint64_t bytes = 0;

    memcpy(&bytes, at, n);
    return bytes;
}

/* The hash of the n bytes that stand there. */
static size_t
hash(const char *at, size_t n, unsigned bits)
{
    return (size_t)(((load(at, n) << (64 - 8 * n)) * 0x9e3779b97f4a7c15) >> (64 - bits));
}

/* How many bytes are the same from a and from b on, at most max. */
static size_t
same_ahead(const char *a, const char *b, size_t max)
{
    size_t n = 0;

    for (; n + 8 <= max; n += 8) {
        uint64_t differ = load(a + n, 8) ^ load(b + n, 8);

        if (differ) /* little-endian: the first byte is the lowest */
            return n + (size_t)__builtin_ctzll(differ) / 8;
    }
    while (n < max && a[n] == b[n])
        n++;
    return n;
}

static size_t
same_behind(const char *a, const char *b, size_t max)
{
    size_t n = 0;

    while (n < max && a[-1 - (ptrdiff_t)n] == b[-1 - (ptrdiff_t)n])
        n++;
    return n;
}

/* The match of the place at in the target with a place in text, which base or target is. */
static struct match
extend(const struct matcher *m, const struct ern_slice *text, size_t from, size_t at, size_t cost)
{
    const char *t = m->target.ptr;
    size_t left = m->target.len - at, there = text->len - from, behind = at - m->done;
    size_t ahead = same_ahead(text->ptr + from, t + at, left < there ? left : there);

    if (ahead < SHORT)
        return (struct match){0, 0, 0, 0};
    behind = same_behind(text->ptr + from, t + at, behind < from ? behind : from);
    return (struct match){
        .from = from - behind + (text == &m->target ? m->base.len : 0),
        .at = at - behind,
        .n = ahead + behind,
        .gain = ahead + behind > cost ? ahead + behind - cost : 0,
    };
}

static void
try(const struct matcher *m, const struct ern_slice *text, uint32_t kept, size_t at, size_t cost,
    struct match *best)
{
    struct match match;

    if (!kept)
        return;
    match = extend(m, text, kept - 1, at, cost);
    if (match.gain > best->gain)
        *best = match;
}

/* The best match of a place in the target. */
static struct match
find(struct matcher *m, size_t at)
{
    const char *here = m->target.ptr + at;
    struct match best = {0, 0, 0, 0};
    size_t left = m->target.len - at;
    unsigned chain = m->links ? CHAIN : CHAIN_LATER;
    ptrdiff_t straight = (ptrdiff_t)at + m->drift;

    if (straight >= 0 && (size_t)straight < m->base.len)
        best = extend(m, &m->base, (size_t)straight, at, COST_STRAIGHT);
    if (best.n >= SURE_BYTES || left < LONG)
        return best;
    for (uint32_t kept = m->latest[hash(here, LONG, m->base_bits)];
         kept && chain && best.n < SURE_BYTES; kept = m->before[kept - 1], chain--) {
        try(m, &m->base, kept, at, COST_BASE, &best);
        m->links -= m->links > 0;
    }
    if (m->within && best.n < SURE_BYTES)
        try(m, &m->target, m->short_target[hash(here, SHORT, TARGET_BITS)], at, COST_TARGET, &best);
    return best;
}

/* Keeps a place of the target. */
static void
insert(struct matcher *m, size_t at)
{
    if (m->within && m->target.len - at >= SHORT)
        m->short_target[hash(m->target.ptr + at, SHORT, TARGET_BITS)] = (uint32_t)at + 1;
}

static bool
use(struct matcher *m, const struct match *match)
{
    size_t end = match->at + match->n, from = m->at;

    if (match->at > m->done &&
        !m->take(m->self, (struct match_piece){false, m->done, match->at - m->done}))
        return false;
    if (!m->take(m->self, (struct match_piece){true, match->from, match->n}))
        return false;
    if (match->from < m->base.len)
        m->drift = (ptrdiff_t)match->from - (ptrdiff_t)match->at;
    if (end - from > INSERT_MAX)
        from = end - INSERT_MAX;
    for (; from < end; from++)
        insert(m, from);
    m->done = m->at = end;
    return true;
}

static void
insert_base(struct matcher *m)
{
    for (size_t i = 0; i + LONG <= m->base.len; i++) {
        uint32_t *latest = &m->latest[hash(m->base.ptr + i, LONG, m->base_bits)];

        m->before[i] = *latest;
        *latest = (uint32_t)i + 1;
    }
}

static int
walk(struct matcher *m)
{
    insert_base(m);
    while (m->at + SHORT <= m->target.len) {
        struct match match = find(m, m->at);

        insert(m, m->at);
        if (match.gain && match.n < SURE_BYTES) { /* is the next place a better one to begin at? */
            struct match next = find(m, m->at + 1);

            if (next.gain > match.gain + 1)
                match = next;
        }
        if (match.gain && !use(m, &match))
            return -ECANCELED;
        if (!match.gain)
            m->at += 1 + ((m->at - m->done) >> PATIENCE_BITS);
    }
    if (m->done < m->target.len &&
        !m->take(m->self, (struct match_piece){false, m->done, m->target.len - m->done}))
        return -ECANCELED;
    return 0;
}

int
match_walk(struct ern_slice base, struct ern_slice target, bool within, match_take *take,
           void *self)
{
    struct matcher m = {
        .base = base,
        .target = target,
        .within = within,
        .take = take,
        .self = self,
        .base_bits = BASE_BITS_MIN,
    };
    int error = -ENOMEM;

    assert(base.len + target.len <= MATCH_BYTES_MAX);
    while (m.base_bits < BASE_BITS_MAX && (size_t)1 << m.base_bits < base.len)
        m.base_bits++;
    m.links = target.len / SHARE;
    m.latest = calloc((size_t)1 << m.base_bits, sizeof *m.latest);
    m.before = malloc((base.len + 1) * sizeof *m.before);
    m.short_target = calloc((size_t)1 << TARGET_BITS, sizeof *m.short_target);
    if (m.latest && m.before && m.short_target)
        error = walk(&m);
    free(m.latest);
    free(m.before);
    free(m.short_target);
    return error;
}
