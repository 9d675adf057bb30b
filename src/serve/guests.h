/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guests.h - how many connections there are, in all and of each address: shared by all threads,
 * bounded in memory whatever addresses come.
 */
#ifndef SERVE_GUESTS_H
#define SERVE_GUESTS_H

#include "base/hash.h"
#include "code/limits.h"
#include "io/listen.h"

struct guests;

/* Returns NULL without memory. */
struct guests *guests_new(const struct limits *limits, struct hash_key key);
void guests_free(struct guests *guests);

/*
 * Counts a connection. Returns false, having counted nothing, if there are too many in all or of
 * this address (IPv6: of its /64). Addresses of this host are not counted one by one: a proxy on
 * it speaks for many.
 *   peer       NULL: one that speaks for many elsewhere, or that is not known yet
 *   ret_guest  to be given to guests_leave(); 0 if nothing was counted
 */
bool guests_enter(struct guests *guests, const union address *peer, uint32_t *ret_guest);
void guests_leave(struct guests *guests, uint32_t guest);

/* How many there are. */
int64_t guests_n(const struct guests *guests);

#endif
