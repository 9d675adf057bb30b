/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.h - an exchange that another server answers: its request is written anew, content goes both
 * ways at once and no faster than it is taken, and what went wrong is told apart.
 *
 * It asks for nothing from above but what a resource does: res_request.resume() when its outcome is
 * known, and when there is more of the answer.
 */
#ifndef SERVE_RELAY_H
#define SERVE_RELAY_H

#include "serve/exchange.h"
#include "serve/stream.h"
#include "serve/upstream.h"
#include "wire/fcgi.h"
#include "wire/h1_answer.h"
#include "wire/h1_write.h"

enum relay_stage {
    RELAY_RESOLVING,
    RELAY_QUEUED, /* another one connects to the server, and this can share that */
    RELAY_CONNECTING,
    RELAY_ASKING,    /* the request is on its way, and its answer is waited for */
    RELAY_ANSWERING, /* the head of the answer is known */
    RELAY_FAILED,    /* it will not be: fault says why */
};

/* Why there is no answer: a row of the table in relay.c, which has its fact. */
enum relay_fault {
    RELAY_NO_FAULT,
    RELAY_SHUT,        /* it failed too often lately, */
    RELAY_FULL,        /* or has too much to do: it was not asked */
    RELAY_UNRESOLVED,  /* its name has no address */
    RELAY_REFUSED,     /* it does not take connections */
    RELAY_UNREACHABLE, /* there is no way to it */
    RELAY_SLOW_CONNECT,
    RELAY_UNTRUSTED, /* its certificate is not its, or by nobody whom we trust */
    RELAY_INSECURE,  /* it does not speak TLS as we do */
    RELAY_SLOW_ANSWER,
    RELAY_CUT,        /* the connection ended before the head of the answer did */
    RELAY_TOO_LARGE,  /* that head is larger than we read */
    RELAY_GARBLED,    /* it is no answer */
    RELAY_DIED,       /* what runs for this request ended before the head of its answer did, */
    RELAY_BABBLED,    /* or wrote something else */
    RELAY_ELSEWHERE,  /* its answer is that of another path here: no fault, but no answer either */
    RELAY_PROHIBITED, /* its address is one that this client may not reach */
    RELAY_NO_ROOM,    /* we can not: without memory, or because the request does not fit any more */
    RELAY_FAULTS
};

struct speech;

enum relay_sends { /* how content of the request goes on */
                   RELAY_SENDS_NOTHING,
                   RELAY_SENDS_LENGTH, /* of a known length */
                   RELAY_SENDS_CHUNKS,
                   RELAY_SENDS_ALL, /* in a tunnel */
};

struct relay_transform;

struct relay {
    struct timer timer; /* first: timers give it back */
    struct exchange *exchange;
    struct relay *next, **link;  /* in a list of relays that wait for the same; NULL: in none */
    const struct speech *speech; /* by which it is asked */
    struct origins *origins;     /* of which one is to answer, */
    struct origin *origin;       /* this; NULL: none */
    struct upstream *upstream;   /* by this connection; NULL: by none */
    struct program *program;     /* that is being started; NULL: none is */
    uint64_t tried;              /* which of them were asked, a bit each, */
    unsigned tries_n;            /* how often */
    unsigned addresses_left;     /* of the origin, that were not dialled */
    enum relay_stage stage;
    enum relay_fault fault;
    enum relay_sends sends;
    bool is_deaf;     /* it takes no more */
    bool is_told;     /* that no more comes */
    bool waits;       /* resume() is called when there is more */
    bool is_over;     /* all of the answer is known */
    bool is_late;     /* it has stalled: it is to be cut */
    bool is_left;     /* the program has said all, and goes on */
    bool is_upgraded; /* the request asks for another protocol, and upstream was asked, too */
    bool continued;   /* content was asked for: 100 */
    unsigned interims_n;
    size_t turn; /* bytes that went on since others had their turn */
    int64_t begun_ms;
    size_t arena_mark;       /* how much of the arena was used when it began */
    struct h1_answer answer; /* its slices lie in the connection, until the head was written */
    struct ern_field *fields;
    struct h1_content content;         /* of the answer */
    unsigned wanted;                   /* what is done to it, as bits of enum relay_wanted */
    bool may_change;                   /* GET might have it changed, which HEAD can not know */
    struct relay_transform *transform; /* that it goes through, or went; NULL: it does not */
    struct fcgi_reader records;        /* that it comes in */
    uint64_t told_bytes;               /* of what it wrote for the log */
    char key[24];                      /* Sec-WebSocket-Key, where HTTP/2 has none (RFC 8441 5) */
    struct buffer *last;               /* the end of it, which the connection is done with */
    char chunk[H1_CHUNK_BEFORE];
};

/*
 * Begins to have it answered by one of the origins. Its outcome may be known at once. Returns NULL
 * without memory.
 */
struct relay *relay_begin(struct exchange *exchange, struct origins *origins);

/* Its client is gone, or it is over: gives back all. NULL does nothing. */
void relay_drop(struct relay *relay);

/* Is it known how it went? */
bool relay_is_known(const struct relay *relay);

/* Answers the facts about how it went (RELAY_ASKS): ERN_WAIT as long as that is not known, and
 * ERN_FAIL for NULL. */
enum ern_answer relay_answer(struct relay *relay, struct ern_decision *decision,
                             enum ern_fact fact);

/* The same, and begins it if nobody was asked: one of the group of servers with this number. */
enum ern_answer relay_answer_of(unsigned group, struct ern_decision *decision, enum ern_fact fact);

/* What a kind of resource that relays asks, whichever it is: how it went. */
#define RELAY_ASKS(ask)                                                                            \
    [ERN_FACT_acted] = (ask), [ERN_FACT_up_free] = (ask), [ERN_FACT_up_resolved] = (ask),          \
    [ERN_FACT_reached] = (ask), [ERN_FACT_up_connects] = (ask), [ERN_FACT_up_in_time] = (ask),     \
    [ERN_FACT_up_whole] = (ask), [ERN_FACT_up_modest] = (ask), [ERN_FACT_up_sane] = (ask),         \
    [ERN_FACT_relays] = (ask)

/* ---- content of the request --------------------------------------------------------------------
 */

/* Does it take content now? */
bool relay_wants(const struct relay *relay);

/* Is it the client's turn, who has to send some? */
bool relay_awaits(const struct relay *relay);

/*
 * Takes what was received.
 *   ended  no more will come from the client
 * Returns false if the request is at fault: it is to be decided anew, by exchange_resume(), or if
 * its answer has begun to be cut.
 */
ERN_MUST_USE bool relay_take(struct exchange *exchange, bool ended);

/* Content comes too slowly: likewise. */
void relay_refuse(struct exchange *exchange, enum finding finding);

/* ---- the answer --------------------------------------------------------------------------------
 */

/*
 * Is its content changed on the way? Answers the fact `transformed`, once it is known how it went:
 * ERN_WAIT while that has to be seen from content that is still to come.
 */
enum ern_answer relay_transforms(struct relay *relay);

/* It was found to be so. */
bool relay_is_transformed(const struct relay *relay);

/* Is it the answer of this exchange, and not one of our own about it? */
static inline bool
relay_is_answer(const struct exchange *x)
{
    return x->relay && x->rule && x->relay->stage == RELAY_ANSWERING &&
           (x->rule->status == 0 || x->relay->answer.end == H1_END_TUNNEL ||
            relay_is_transformed(x->relay));
}

bool relay_has_more(const struct relay *relay);

/* The next piece of its content, as stream_next() says it. */
enum stream_next relay_next(struct relay *relay);

/* ---- from the loop -----------------------------------------------------------------------------
 */

void relay_event(struct relay *relay, uint32_t events);
void relay_expired(struct relay *relay, enum upstream_time time);
void relay_resolved(struct relay *relay);
void relay_again(struct relay *relay);

/* The program that it waits for runs, and is talked to by upstream; NULL: error says why it does
 * not.
 */
void relay_started(struct relay *relay, struct upstream *upstream, int error);

/* Puts it in a list, out of any other; NULL: in none. */
void relay_enter(struct relay *relay, struct relay **list);

/* ---- heads (relay_head.c) ----------------------------------------------------------------------
 */

extern const struct speech h1_speech, h2_speech;

/* Writes the field lines of an answer, or an interim one, that go on; of an answer those of its own
 * framing too. */
void relay_write_fields(const struct relay *relay, struct out *o);

/* Which of its content will come; sets what the exchange says of it. */
void relay_write_answer(struct exchange *exchange, struct out *o);

/* Does the answer take up the WebSocket that was asked for on behalf of a client of HTTP/2? Clients
 * of HTTP/1.1 see to it themselves. */
bool relay_accepts(const struct relay *relay);

/* Has this request been here (RFC 9110 7.6.3, RFC 8586)? */
bool relay_loops(const struct exchange *exchange);

#endif
