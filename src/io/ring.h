/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - records that one thread writes and several read, each all of them, without a lock. What
 * a reader has not read is not written over: when one is too far behind, writing fails, and the
 * writer goes on without.
 */
#ifndef IO_RING_H
#define IO_RING_H

#include <stdbool.h>

#include "earnest/slice.h"

struct ring;

/*
 *   readers_n  readers have numbers below this
 *   bytes      of memory, a power of two up to 2^31; none of it is used before it is written to
 * Returns NULL without memory.
 */
struct ring *ring_new(unsigned readers_n, size_t bytes);
void ring_free(struct ring *ring); /* NULL does nothing */

/* The reader reads from now on, or no more. */
void ring_begin(struct ring *ring, unsigned reader);
void ring_end(struct ring *ring, unsigned reader);

/* Writes a record, not empty, made of these parts. Returns false if there is no room for it. */
ERN_MUST_USE bool ring_write(struct ring *ring, const struct ern_slice *parts, unsigned parts_n);

/* Reads the next record, of at most cap bytes; a longer one is passed over. Returns its length, or
 * 0 if there is none. */
size_t ring_read(struct ring *ring, unsigned reader, char *to, size_t cap);

#endif
