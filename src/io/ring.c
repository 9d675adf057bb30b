/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - places count up for ever, and wrap in memory alone. The writer publishes a record with
 * its head, a reader gives the room back with its own place: acquire and release order the bytes
 * between them. Whether somebody reads is ordered with the head by seq_cst: either the writer sees
 * the new reader, or the reader begins behind all that was written without regard to it.
 */
#include "io/ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64 /* of the processor's cache: each reader has one of its own */ };

struct reader {
    alignas(LINE_BYTES) atomic_size_t at; /* where it reads */
    atomic_bool reads;
};

struct ring {
    alignas(LINE_BYTES) atomic_size_t head; /* behind the last record */
    size_t cap;
    char *bytes;
    unsigned readers_n;
    struct reader readers[];
};

struct ring *
ring_new(unsigned readers_n, size_t bytes)
{
    size_t size = sizeof(struct ring) + readers_n * sizeof(struct reader);
    struct ring *r = aligned_alloc(LINE_BYTES, size);

    assert(bytes && (bytes & (bytes - 1)) == 0);
    if (!r)
        return NULL;
    memset(r, 0, size);
    r->cap = bytes;
    r->bytes = malloc(bytes);
    r->readers_n = readers_n;
    if (!r->bytes) {
        free(r);
        return NULL;
    }
    return r;
}

void
ring_free(struct ring *r)
{
    if (r)
        free(r->bytes);
    free(r);
}

void
ring_begin(struct ring *r, unsigned reader)
{
    /* Before it reads, so that a place of long ago does not count as one where it stands. */
    atomic_store(&r->readers[reader].at, atomic_load(&r->head));
    atomic_store(&r->readers[reader].reads, true);
    atomic_store(&r->readers[reader].at, atomic_load(&r->head));
}

void
ring_end(struct ring *r, unsigned reader)
{
    atomic_store(&r->readers[reader].reads, false);
}

static void
copy_in(struct ring *r, size_t at, const char *from, size_t n)
{
    size_t start = at & (r->cap - 1), first = r->cap - start < n ? r->cap - start : n;

    memcpy(r->bytes + start, from, first);
    memcpy(r->bytes, from + first, n - first);
}

static void
copy_out(const struct ring *r, size_t at, char *to, size_t n)
{
    size_t start = at & (r->cap - 1), first = r->cap - start < n ? r->cap - start : n;

    memcpy(to, r->bytes + start, first);
    memcpy(to + first, r->bytes, n - first);
}

static bool
has_room(struct ring *r, size_t head, size_t n)
{
    if (n > r->cap)
        return false;
    for (unsigned i = 0; i < r->readers_n; i++) {
        struct reader *reader = &r->readers[i];

        if (atomic_load(&reader->reads) && head + n - atomic_load(&reader->at) > r->cap)
            return false;
    }
    return true;
}

bool
ring_write(struct ring *r, const struct ern_slice *parts, unsigned parts_n)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed), at = head;
    uint32_t n = 0;

    for (unsigned i = 0; i < parts_n; i++)
        n += (uint32_t)parts[i].len;
    assert(n);
    if (!has_room(r, head, sizeof n + n))
        return false;
    copy_in(r, at, (const char *)&n, sizeof n);
    at += sizeof n;
    for (unsigned i = 0; i < parts_n; i++) {
        copy_in(r, at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    atomic_store(&r->head, at);
    return true;
}

size_t
ring_read(struct ring *r, unsigned number, char *to, size_t cap)
{
    struct reader *reader = &r->readers[number];
    size_t at = atomic_load_explicit(&reader->at, memory_order_relaxed);
    uint32_t n = 0;

    while (n == 0 && at != atomic_load(&r->head)) {
        copy_out(r, at, (char *)&n, sizeof n);
        at += sizeof n + n;
        if (n <= cap)
            copy_out(r, at - n, to, n);
        else
            n = 0;
        atomic_store(&reader->at, at);
    }
    return n;
}
