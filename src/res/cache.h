/* SPDX-License-Identifier: Apache-2.0 */
/* cache.h - what one thread remembers of files: a bounded table of entries (PERFORMANCE 8.3). */
#ifndef RES_CACHE_H
#define RES_CACHE_H

#include "res/entry.h"

struct cache;

struct cache *cache_new(const struct limits *limits, struct hash_key key);
void cache_free(struct cache *cache);

/* The entry of a path, right or out of date; NULL if there is none. */
struct entry *cache_find(struct cache *cache, const struct files_route *route,
                         struct ern_slice path);

/* Was it seen to be right so short a time ago that it counts as right? */
bool cache_is_fresh(const struct cache *cache, const struct entry *entry, int64_t now_ms);

/* Takes over a new entry, instead of an older one of its path, and drops what is over the limits.
 */
void cache_put(struct cache *cache, struct entry *entry, int64_t now_ms);

/* Says that an entry takes so many bytes more; others go if that is too much. It is pinned. */
void cache_grew(struct cache *cache, struct entry *entry, size_t bytes);

/* Says that an entry is used by an answer, and used no more. */
void cache_pin(struct entry *entry);
void cache_unpin(struct entry *entry);

#endif
