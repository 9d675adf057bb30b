/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - the last decisions, kept for whoever may see them (res/onlooker.h): each worker has a
 * ring of its own, in which the oldest is written over. The answer says under which name its
 * decision is kept, and why.h makes a page of it.
 *
 * A trace is written before its answer is sent, so that whoever has the name finds it. What is kept
 * are facts: all that can be said of a decision follows from them. Of what strangers wrote there
 * are method, authority and path, cut, but no query and no value of a field: there tokens stand.
 *
 * Other threads read a ring while its worker writes: a number before and after tells whether what
 * was read is whole. Nobody waits for anybody.
 */
#ifndef SERVE_TRACE_H
#define SERVE_TRACE_H

#include "code/limits.h"
#include "earnest/decide.h"
#include "io/listen.h"
#include "res/onlooker.h"

struct exchange;
struct site_route;
struct traces;     /* of the process */
struct trace_ring; /* of a worker */

enum {
    TRACE_WAITS = 4,        /* of one decision that are told apart; the last may be several */
    TRACE_TEXT_BYTES = 480, /* of what the client wrote */
    TRACE_ID_BYTES = 40,
    TRACE_LINK_BYTES = 96, /* of the line of a Link field */
};

#define TRACE_PATH "/.earnest/why/"

struct trace_wait { /* an answer that was not there at once */
    uint32_t us;    /* until it was */
    uint8_t fact;
};

struct trace_waits {  /* of an exchange, as it goes on */
    int64_t since_us; /* it waits since then; 0: it does not */
    struct trace_wait wait[TRACE_WAITS];
    uint8_t n;
};

struct trace { /* a decision */
    struct ern_facts facts;
    uint64_t present; /* fields of the request, as in struct ern_request */
    int64_t unix_s;
    union address client;
    const struct site_route *route;
    const struct ern_rule *rule;
    int64_t took_ms; /* from the first byte of the request to the answer */
    uint16_t status;
    uint8_t version_major, version_minor;
    bool secure, has_query;
    uint8_t asked_n, waits_n;
    uint8_t method_len, authority_len;
    uint16_t path_len; /* what follows each other in text */
    struct trace_wait wait[TRACE_WAITS];
    uint8_t asked[ERN_FACTS]; /* in the order they were learned */
    char text[TRACE_TEXT_BYTES];
};

/*
 *   allow  whose decisions are kept, besides those of clients on this host
 * Returns NULL without memory.
 */
struct traces *traces_new(unsigned workers_n, const struct limits *limits,
                          const struct networks *allow);
void traces_free(struct traces *traces); /* NULL does nothing */

/* The ring of a worker, from 0. */
struct trace_ring *trace_ring(struct traces *traces, unsigned worker);

/* What a client with this address is; ring may be NULL. */
enum onlooker trace_onlooker(const struct trace_ring *ring, const struct ip *peer);

/* Writes the path of the page, or the Link field line (RFC 8288 3), of the decision that is kept
 * next. */
void trace_write_path(const struct trace_ring *ring, struct out *o);
void trace_write_link(const struct trace_ring *ring, struct out *o);

/* Keeps a decision; its client may have its name by then. */
void trace_keep(struct trace_ring *ring, const struct exchange *exchange);

/* The trace of an exchange whose answer is being written. */
void trace_fill(struct trace *trace, const struct exchange *exchange);

/* An exchange waits for the answer to a fact; it has it. */
void trace_waits(struct trace_waits *waits, enum ern_fact fact);
void trace_goes_on(struct trace_waits *waits);

/* The trace with this name. Returns false if there is none, or none any more. On any thread. */
bool trace_find(const struct traces *traces, struct ern_slice id, struct trace *ret);

/* What the client wrote. */
struct ern_slice trace_method(const struct trace *trace);
struct ern_slice trace_authority(const struct trace *trace);
struct ern_slice trace_path(const struct trace *trace);

#endif
