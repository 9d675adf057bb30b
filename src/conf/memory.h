/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - memory that lives as long as a configuration: taken piece by piece, freed all at once.
 *
 * As in arena.h, failing is sticky: a take that fails gives NULL and sets `full`. Unlike an arena
 * a memory grows, up to a number of bytes.
 */
#ifndef CONF_MEMORY_H
#define CONF_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "earnest/slice.h"

struct memory_block;

struct memory { /* owns its blocks; may be moved, not copied */
    struct memory_block *first;
    size_t left; /* bytes it may still give */
    bool full;   /* a take failed */
};

static inline struct memory
memory_init(size_t bytes_max)
{
    return (struct memory){NULL, bytes_max, false};
}

/* n elements of size bytes, cleared and aligned for any type, or NULL. */
void *memory_take(struct memory *memory, size_t n, size_t size);

/* A copy of text with a NUL after it, so that its ptr can be given to the system; absent if full.
 */
struct ern_slice memory_copy(struct memory *memory, struct ern_slice text);

/* Gives everything back. */
void memory_free(struct memory *memory);

#endif
