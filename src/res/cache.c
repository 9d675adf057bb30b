/* SPDX-License-Identifier: Apache-2.0 */
#include "res/cache.h"

#include <stdlib.h>

struct cache {
    struct hash_key key;
    int64_t valid_ms;
    int64_t entries_n, entries_max;
    int64_t bytes_n, bytes_max;
    int64_t fds_n, fds_max;
    struct entry *newest, *oldest;
    uint64_t mask; /* of the hash: buckets less one */
    struct entry **buckets;
};

struct cache *
cache_new(const struct limits *limits, struct hash_key key)
{
    struct cache *c = calloc(1, sizeof *c);
    uint64_t buckets = 16;

    if (!c)
        return NULL;
    while ((int64_t)buckets < limits->cache_entries_max)
        buckets *= 2;
    *c = (struct cache){
        .key = key,
        .valid_ms = limits->cache_valid_ms,
        .entries_max = limits->cache_entries_max,
        .bytes_max = limits->cache_bytes_max,
        .fds_max = limits->cache_files_max,
        .mask = buckets - 1,
        .buckets =
            calloc(buckets, sizeof *c->buckets), /* no page of it is touched before its use */
    };
    if (!c->buckets) {
        free(c);
        return NULL;
    }
    return c;
}

static uint64_t
hash_of(const struct cache *c, const struct files_route *route, struct ern_slice path)
{
    return hash_bytes(c->key, path) ^ (uintptr_t)route;
}

struct entry *
cache_find(struct cache *c, const struct files_route *route, struct ern_slice path)
{
    uint64_t hash = hash_of(c, route, path);
    struct entry *e = c->buckets[hash & c->mask];

    while (e && !(e->hash == hash && e->route == route && slice_eq(e->path, path)))
        e = e->chain;
    if (e)
        e->used = true;
    return e;
}

bool
cache_is_fresh(const struct cache *c, const struct entry *e, int64_t now_ms)
{
    return now_ms - e->checked_ms < c->valid_ms;
}

static void
order_remove(struct cache *c, struct entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void
order_add(struct cache *c, struct entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void
drop(struct cache *c, struct entry *e)
{
    struct entry **at = &c->buckets[e->hash & c->mask];

    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    order_remove(c, e);
    c->entries_n--;
    c->bytes_n -= (int64_t)e->memory;
    c->fds_n -= e->fds_n;
    if (e->pins)
        e->dropped = true;
    else
        entry_free(e);
}

/* Drops the oldest entry that was not used since it last came to the end. */
static void
drop_one(struct cache *c)
{
    struct entry *e = c->oldest;

    while (e->used) {
        e->used = false;
        order_remove(c, e);
        order_add(c, e);
        e = c->oldest;
    }
    drop(c, e);
}

void
cache_put(struct cache *c, struct entry *e, int64_t now_ms)
{
    struct entry *before = cache_find(c, e->route, e->path);

    if (before)
        drop(c, before);
    while (c->oldest && (c->entries_n >= c->entries_max || c->fds_n + e->fds_n > c->fds_max ||
                         c->bytes_n + (int64_t)e->memory > c->bytes_max))
        drop_one(c);
    e->hash = hash_of(c, e->route, e->path);
    e->checked_ms = now_ms;
    e->chain = c->buckets[e->hash & c->mask];
    c->buckets[e->hash & c->mask] = e;
    order_add(c, e);
    c->entries_n++;
    c->bytes_n += (int64_t)e->memory;
    c->fds_n += e->fds_n;
}

void
cache_grew(struct cache *c, struct entry *e, size_t bytes)
{
    assert(e->pins);
    e->memory += bytes;
    if (e->dropped)
        return;
    c->bytes_n += (int64_t)bytes;
    e->used = true;
    while (c->oldest && c->bytes_n > c->bytes_max)
        drop_one(c);
}

void
cache_pin(struct entry *e)
{
    e->pins++;
}

void
cache_unpin(struct entry *e)
{
    assert(e->pins);
    if (--e->pins == 0 && e->dropped)
        entry_free(e);
}

void
cache_free(struct cache *c)
{
    if (!c)
        return;
    while (c->oldest)
        drop(c, c->oldest);
    free(c->buckets);
    free(c);
}
