/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cached.h - a route whose answers are kept: a shared cache before the servers behind us (RFC
 * 9111). It is the kind of resource that a proxy is, which knows one more fact: `stored`. What is
 * decided on that is decided on the stored answer, and nobody else is asked.
 */
#ifndef SERVE_CACHED_H
#define SERVE_CACHED_H

#include "serve/exchange.h"
#include "serve/shelf.h"

struct filling;

/* Why a request went on (RFC 9211 2.2). */
enum forward_why {
    FORWARD_NOT, /* it did not */
    FORWARD_METHOD,
    FORWARD_BYPASS,
    FORWARD_URI_MISS,
    FORWARD_VARY_MISS,
    FORWARD_REQUEST,
    FORWARD_STALE,
};

struct visit {            /* of a request to such a route */
    struct waiter waiter; /* first: its job is */
    struct timer timer;   /* how long it waits */
    struct exchange *exchange;
    struct cache_control wants;
    struct ern_facts wire; /* what the request says, as far as others would have judged it */
    struct ern_slice key;  /* the URL, and all else by which answers are told apart but Vary */
    uint64_t hash;
    struct shelved *found;   /* the stored answer to it, held; NULL: none */
    struct flight *flight;   /* others may wait for this one; NULL: they do not */
    struct filling *filling; /* its content is kept as it goes by */
    enum forward_why why;
    uint32_t mark;           /* shelf_mark() before it went on, */
    int64_t asked_s;         /* and when that was */
    bool is_for_cache;       /* GET or HEAD of which answers can be stored */
    bool uses;               /* it is answered by what was found */
    bool validates;          /* what was found is asked about */
    bool waits;              /* for another's answer */
    bool collapsed;          /* it has waited */
    bool is_meanwhile;       /* what was found is stale, and is to be validated meanwhile */
    uint16_t forward_status; /* what its origin said, where that was something else; 0: likewise */
};

/* The route's: looks for a stored answer, and states what is known of it. */
void cached_state(struct exchange *exchange);

extern struct ern_resource cached_resource;

/* It is done: gives back what it holds. NULL does nothing. */
void cached_leave(struct visit *visit);

/* It has waited long enough: goes on by itself. */
void cached_expired(struct timer *timer);

/* ---- the request that goes on (relay_head.c) ---------------------------------------------------
 */

/* Is this a field that would change an answer that others get, too, or one that is written anew? */
bool cached_omits(const struct visit *visit, const struct ern_field *field);

/* Is what gateways say of the client, besides its address, left out for the same reason? */
bool cached_is_keyed(const struct visit *visit);

/* Asks only for what is newer than what is stored. */
void cached_write_conditions(const struct visit *visit, struct out *o);

/* ---- the answer (cached_answer.c) --------------------------------------------------------------
 */

/* Writes the URL by which answers are known. */
void cached_write_key(const struct exchange *exchange, struct ern_slice path,
                      struct ern_slice decoded, struct ern_slice query, struct out *o);

/* Is an answer of the server behind us, or that there is none, a reason to use what was found? If
 * so it is used. */
bool cached_falls_back(struct exchange *exchange);

/* The head of an answer goes on: is it kept, and what does it make wrong? Writes Cache-Status. */
void cached_passes(struct exchange *exchange, struct out *o);

/* A piece of its content, and whether that was the last. */
void cached_piece(struct visit *visit, struct ern_slice piece, bool is_over);

/* Is it answered by what is stored, whose fields say when it was made? */
static inline bool
cached_is_answer(const struct exchange *x)
{
    return x->visit && x->visit->uses && x->res.has_representation && x->rule->status / 100 < 4;
}

/* Fills in the representation, and what the cache says of itself. */
void cached_represent(struct exchange *exchange);

#endif
