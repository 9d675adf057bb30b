/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/rate.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/slice.h"
#include "conf/conf.h"

enum {
    WAYS = 8,       /* buckets among which one is looked for: two cache lines */
    WHO_BYTES = 32, /* of a longer name its hash will do */
};

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/*
 * A bucket that is full says nothing that a new one would not: so where all are taken the one that
 * is full soonest is given away, and those who ask most keep theirs. Two threads may do that at
 * once, or take a token of a bucket that another gives away: then one client has a token more, or
 * less, than it should. No lock is worth that.
 */
struct bucket {
    atomic_uint_fast64_t name; /* the hash of its scope and client */
    atomic_int_fast64_t full_ns;
};

struct rates {
    struct hash_key key;
    uint64_t sets_n;
    struct bucket (*sets)[WAYS];
};

struct rates *
rates_new(int64_t buckets_max, struct hash_key key)
{
    struct rates *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->key = key;
    r->sets_n = (uint64_t)buckets_max / WAYS;
    r->sets = calloc(r->sets_n, sizeof *r->sets);
    if (!r->sets) {
        free(r);
        return NULL;
    }
    return r;
}

void
rates_free(struct rates *r)
{
    if (!r)
        return;
    free(r->sets);
    free(r);
}

struct rate_limit
rate_limit_of(const struct conf_limit *conf, const void *route)
{
    int64_t interval_ns;

    if (conf->requests == 0)
        return (struct rate_limit){.scope = NULL};
    interval_ns = conf->per * NS_PER_MS / conf->requests;
    return (struct rate_limit){
        .scope = conf->by == CONF_BY_ROUTE ? route : conf,
        .interval_ns = interval_ns,
        .burst_ns = interval_ns * (conf->burst ? conf->burst : conf->requests),
        .by = (enum rate_by)conf->by,
    };
}

static uint64_t
name_of(const struct rates *r, const struct rate_limit *limit, struct ern_slice who)
{
    char text[sizeof limit->scope + WHO_BYTES];
    uint64_t hash;

    if (who.len > WHO_BYTES) {
        hash = hash_bytes(r->key, who);
        who = slice_from((const char *)&hash, sizeof hash);
    }
    memcpy(text, &limit->scope, sizeof limit->scope);
    if (who.len > 0)
        memcpy(text + sizeof limit->scope, who.ptr, who.len);
    return hash_bytes(r->key, slice_from(text, sizeof limit->scope + who.len));
}

/* The bucket with this name, or one that has it from now on. */
static struct bucket *
find(const struct rates *r, uint64_t name)
{
    struct bucket *set = r->sets[((name >> 32) * r->sets_n) >> 32], *soonest = set;
    uint_fast64_t was;

    for (struct bucket *b = set; b < set + WAYS; b++) {
        if (atomic_load_explicit(&b->name, memory_order_relaxed) == name)
            return b;
        if (atomic_load_explicit(&b->full_ns, memory_order_relaxed) <
            atomic_load_explicit(&soonest->full_ns, memory_order_relaxed))
            soonest = b;
    }
    was = atomic_load_explicit(&soonest->name, memory_order_relaxed);
    if (atomic_compare_exchange_strong_explicit(&soonest->name, &was, name, memory_order_relaxed,
                                                memory_order_relaxed))
        atomic_store_explicit(&soonest->full_ns, 0, memory_order_relaxed);
    return soonest;
}

bool
rate_take(struct rates *r, const struct rate_limit *limit, struct ern_slice who, int64_t now_ms,
          struct rate *ret_rate)
{
    struct bucket *b = find(r, name_of(r, limit, who));
    int64_t now_ns = now_ms * NS_PER_MS, lead_ns;
    int_fast64_t full_ns = atomic_load_explicit(&b->full_ns, memory_order_relaxed);

    ret_rate->limit = limit;
    do {
        lead_ns = full_ns > now_ns ? full_ns - now_ns : 0;
        ret_rate->lead_ns = lead_ns;
        lead_ns += limit->interval_ns;
        if (lead_ns > limit->burst_ns)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&b->full_ns, &full_ns, now_ns + lead_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    ret_rate->lead_ns = lead_ns;
    return true;
}

static int64_t
tokens_left(const struct rate *rate)
{
    return (rate->limit->burst_ns - rate->lead_ns) / rate->limit->interval_ns;
}

static int64_t
seconds_up(int64_t ns)
{
    return (ns + NS_PER_S - 1) / NS_PER_S;
}

int64_t
rate_next_s(const struct rate *rate)
{
    int64_t filled_ns = rate->limit->burst_ns - rate->lead_ns;

    return seconds_up((tokens_left(rate) + 1) * rate->limit->interval_ns - filled_ns);
}

/* The quota is a whole bucket, and its window the time in which one fills: no more can be had of
 * it at once, and no more than that in the long run. */
void
rate_write(struct out *o, const struct rate *rate)
{
    const struct rate_limit *limit = rate->limit;
    static const char *const names[] = {
        [RATE_BY_ADDRESS] = "\"address\"",
        [RATE_BY_ROUTE] = "\"route\"",
        [RATE_BY_USER] = "\"user\"",
        [RATE_BY_KEY] = "\"key\"",
    };
    const char *name = names[limit->by];

    out_literal(o, "RateLimit: ");
    out_text(o, name);
    out_literal(o, ";r=");
    out_u64(o, (uint64_t)tokens_left(rate));
    out_literal(o, ";t=");
    out_u64(o, (uint64_t)rate_next_s(rate));
    out_literal(o, "\r\nRateLimit-Policy: ");
    out_text(o, name);
    out_literal(o, ";q=");
    out_u64(o, (uint64_t)(limit->burst_ns / limit->interval_ns));
    out_literal(o, ";w=");
    out_u64(o, (uint64_t)seconds_up(limit->burst_ns));
    out_literal(o, "\r\n");
}
