/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf.h - stored answers of servers behind us, for all threads (RFC 9111): which there are, found
 * by what they answer, and who waits for one that is on its way.
 *
 * An answer does not change once it is on the shelf: a newer one takes its place. Who holds one may
 * read it, however long, whatever becomes of its place.
 */
#ifndef SERVE_SHELF_H
#define SERVE_SHELF_H

#include <stdatomic.h>

#include "base/hash.h"
#include "code/limits.h"
#include "io/pool.h"
#include "msg/freshness.h"

struct shelf;

struct shelved_content { /* of one answer, or of those that were freshened since */
    atomic_uint holders;
    uint64_t length;
    char *bytes; /* NULL: in the file, or there is none */
    int fd;      /* -1: in memory; a file without a name */
};

struct shelved { /* an answer */
    atomic_uint holders;
    struct shelved *next;          /* of the same bucket, the youngest first; and */
    struct shelved *newer, *older; /* by when they were used */
    bool is_there;                 /* on the shelf: these are read with its lock alone */
    int64_t used_ms;
    atomic_bool is_validated; /* somebody does, while it is used stale */
    uint64_t hash;
    struct ern_slice key;            /* the URL that it answers */
    struct ern_slice vary, selected; /* vary_write() of its request */
    struct freshness freshness;      /* names in its directives say only that there are some */
    struct ern_slice validators;     /* field lines that a 304 has, too, and */
    struct ern_slice description;    /* the others; without those of framing, and Age */
    struct ern_slice type, etag;     /* absent: none */
    struct shelved_content *content; /* NULL until it has come */
    size_t bytes;                    /* of memory, content apart */
};

/* What an answer is made of. */
struct shelved_source {
    struct ern_slice key;
    uint64_t hash;
    const struct ern_request *request, *message;
    const struct freshness *freshness;
};

/* folder: for large content; absent: it is not kept. Returns NULL without memory. */
struct shelf *shelf_new(const struct limits *limits, struct ern_slice folder, struct hash_key key);
void shelf_free(struct shelf *shelf); /* NULL does nothing */

uint64_t shelf_hash(const struct shelf *shelf, struct ern_slice key);

/* ---- answers -----------------------------------------------------------------------------------
 */

/* An answer, held once, without content. NULL: without memory, or it is too large to be told from
 * others. */
struct shelved *shelved_new(const struct shelved_source *source);

/* The message of it, fields and all, in memory for cap fields. Returns false if they are more. */
ERN_MUST_USE bool shelved_message(const struct shelved *answer, struct ern_field *fields,
                                  uint16_t cap, struct ern_request *ret_message);

/* Content of which bytes or fd are taken over; held once. NULL without memory. */
struct shelved_content *shelved_content_new(uint64_t length, char *bytes, int fd);
void shelved_share_content(struct shelved *answer, const struct shelved *from);

/* Gives one back. NULL does nothing. */
void shelved_leave(struct shelved *answer);

/*
 * The answer to a request, which is then held; or NULL.
 *   ret_is_known  is there any for its URL?
 */
struct shelved *shelf_find(struct shelf *shelf, struct ern_slice key, uint64_t hash,
                           const struct ern_request *request, int64_t now_ms, bool *ret_is_known);

/* What was fetched before that changed is not put there after it (shelf_drop()). */
uint32_t shelf_mark(const struct shelf *shelf, uint64_t hash);

/* Puts an answer with its content in the place of what answered the same. What does not fit is left
 * out: of all, what was used longest ago. */
void shelf_put(struct shelf *shelf, struct shelved *answer, uint32_t mark, int64_t now_ms);

/* No answer to this URL is used any more (RFC 9111 4.4). */
void shelf_drop(struct shelf *shelf, struct ern_slice key, uint64_t hash);

/* This one is not. */
void shelf_remove(struct shelf *shelf, struct shelved *answer);

struct shelf_sizes { /* of what is there */
    uint64_t answers, bytes, files_bytes;
};
struct shelf_sizes shelf_sizes(struct shelf *shelf);

/* The most content that one answer can have. */
int64_t shelf_content_max(const struct shelf *shelf);

/* Room for content that is still coming, in memory; false: there is none. */
ERN_MUST_USE bool shelf_reserve(struct shelf *shelf, size_t bytes);
void shelf_release(struct shelf *shelf, size_t bytes);

/* A file without a name. On the pool. Returns a descriptor, or a negative errno. */
ERN_MUST_USE int shelf_file(const struct shelf *shelf);

/* ---- answers that are on their way -------------------------------------------------------------
 */

struct flight; /* one request for an answer that others wait for, too */

struct waiter {
    struct job job;        /* first: comes back to its mailbox when the flight has landed */
    struct waiter *next;   /* of the same flight */
    struct flight *flight; /* with the lock of the shelf alone; NULL: it has landed */
};

/*
 * Somebody is about to fetch an answer. Returns the flight that it is from now on, to be landed; or
 * NULL and *ret_waits: whether another one is on its way, for which waiter waits. If neither, it is
 * a URL of which answers are not kept, and nobody is to wait for another.
 */
struct flight *shelf_fly(struct shelf *shelf, struct ern_slice key, uint64_t hash, int64_t now_ms,
                         struct waiter *waiter, bool *ret_waits);

/* It is over. NULL does nothing. */
void shelf_land(struct shelf *shelf, struct flight *flight);

/* It waits no longer. Returns false if its job is on the way already. */
ERN_MUST_USE bool shelf_unwait(struct shelf *shelf, struct waiter *waiter);

/* Answers to this URL can not be kept: for a while nobody waits for one. */
void shelf_barren(struct shelf *shelf, uint64_t hash, int64_t now_ms);

#endif
