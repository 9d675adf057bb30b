/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - one request and its answer: what is known of it from its first byte to its line in
 * the log. Steps 3 to 7 of a request happen here; conn.c moves the bytes.
 */
#ifndef SERVE_EXCHANGE_H
#define SERVE_EXCHANGE_H

#include "io/listen.h"
#include "res/res.h"
#include "serve/charge.h"
#include "serve/demand.h"
#include "serve/extend.h"
#include "serve/rate.h"
#include "serve/trace.h"
#include "serve/worker.h"
#include "wire/h1.h"
#include "wire/h2.h"

struct carrier;
struct conf_route;
struct conf_texts;
struct login;
struct relay;
struct visit;

/* A piece of an answer's content: bytes in memory, or part of a file. */
struct segment {
    const char *bytes; /* NULL: from the file */
    int fd;
    uint64_t at;   /* offset of the next byte, in bytes or in the file */
    uint64_t left; /* bytes still to be sent */
    char *front;   /* as in struct res_representation; NULL, too, where at does not begin */
};

enum { SEGMENTS = 2 * ERN_RANGES_MAX + 1 };

enum shed { SHED_CONNECTIONS, SHED_REQUESTS, SHED_POOL }; /* what there is too much of */

enum exchange_stage {
    EXCHANGE_DECIDING, /* or waiting for an answer of the resource */
    EXCHANGE_TAKING,   /* content, for the resource */
    EXCHANGE_SENDING,
    EXCHANGE_ANSWERED, /* and in the log; content that nobody wanted may still arrive */
};

struct content_job { /* writes content to the file of a sink */
    struct job job;  /* first: the pool gives it back */
    struct exchange *exchange;
    bool busy;                 /* the pool has it */
    bool ends;                 /* after it the sink's state is */
    enum sink_state end_state; /* this */
};

struct known {             /* somebody who has said who he is */
    struct ern_slice name; /* absent: nobody has */
    const struct conf_texts *groups;
};

struct exchange {
    struct pile_piece piece; /* first: of those that are not in use */
    struct worker *worker;
    struct conn *conn; /* NULL: it went away while we waited, and left us */
    const struct carrier *carrier;
    union { /* the carrier's own */
        struct exchange_h1 {
            struct h1_head head;
            struct h1_content content; /* of the request, as far as it was read */
        } h1;
        struct exchange_h2 {
            struct h2_stream stream;
            struct exchange *next, **link;    /* in the list of its connection */
            char *held;                       /* content that was received and is not taken yet: */
            size_t held_at, held_n, held_cap; /* from where, so much of it */
            struct live_client *live;         /* its stream speaks WebSocket now; NULL: HTTP */
            bool is_new;                      /* its head came, and nothing was made of it yet */
            bool is_waiting;                  /* a job has it: resume() comes */
        } h2;
    };
    struct buffer *in; /* a buffer that the request lies in; else NULL */
    enum exchange_stage stage;
    enum parse content_state; /* of the content of the request: is there more to come? */
    uint64_t drained_bytes;
    struct content_job writing;
    const char *interim; /* what a 104 was sent of */
    uint64_t rate_mark;  /* bytes of content that had come when the rate was last looked at */
    const int64_t *content_max;    /* the limit on the content that the resource takes */
    int64_t begun_ms;              /* when it was */
    int64_t processing_ms;         /* when the next 102 is due */
    const struct site *site;       /* that it is for; NULL: none is */
    const struct conf_route *cors; /* whose answers pages of other origins may read; or NULL */
    const struct site_route *route;
    /* Who asks: the connection's peer, or whom that names if it is a gateway. */
    union address client;
    struct rate rate;     /* of its client */
    struct charge charge; /* where the route costs */
    struct demand_content content;
    struct extend extend;     /* what was declared, and is kept */
    struct trace_waits waits; /* for answers of its resource */
    struct ern_request request;
    struct ern_facts given;
    struct ern_decision decision;
    struct res_request res;
    const struct ern_rule *rule;
    uint16_t status;
    enum finding finding; /* what was wrong with the message, and */
    int64_t finding_at;   /* the offset of the byte that shows it; -1: none */
    enum finding ignored; /* what was wrong with what a gateway says of the client */
    const char *message;  /* the first byte of the message, for offsets; NULL: it has none */
    struct ern_slice finding_field;
    struct known known;  /* who asks, once that is known */
    struct login *login; /* how that was found out, in the arena; NULL: it was remembered, or
                            nobody looked */
    /* A path and query of this server, whose answer is this one's (RFC 3875 6.2.2); absent: none.
     */
    struct ern_slice elsewhere;
    unsigned redirects_n;               /* of them, one after another */
    const struct conf_route *logged_in; /* the route that has asked who it is; NULL: none has */
    int64_t retry_after_s;              /* of an answer that given facts decide; -1: none */
    uint64_t incident;                  /* of an answer that is our fault; 0: none */
    enum shed shed;                     /* why it is turned away, if it is overload */
    bool is_let_in;                     /* no policy objects to it (policy_lets_in()) */
    bool is_relayed;                    /* the client is another than the peer */
    bool close;                         /* the connection ends after this answer, and */
    bool peer_closes;                   /* the client said so: it will send no more */
    bool head_only;                     /* no content is sent, whatever the fields say */
    bool early;                         /* it came in early data of TLS, */
    bool awaits;                        /* and waits until the handshake is finished */
    bool upgrades;                      /* it can go on over HTTP/2, as its request asks */
    bool unsized;                       /* how long the content is will be known at its end, and */
    bool chunked;                       /* so it goes out in chunks */
    bool tunnels; /* after the head the connection is not ours: bytes go both ways */
    bool aborted; /* the answer was cut */
    bool told;    /* its answer says where its decision can be seen */
    uint8_t segments_n, segment;
    struct segment segments[SEGMENTS];
    uint64_t sent_bytes;       /* of content */
    struct stream_job *stream; /* content that is made while it is sent */
    struct relay *relay;       /* another server answers it; NULL: we do */
    struct alarm alarm;        /* it waits for a time, which this is set to */
    struct visit *visit;       /* at the cache of its route, in the arena; NULL: there is none */
    struct arena arena;
    struct ern_field *fields;
};

/* The exchange whose decision asks; its resource is given a part of it, res. */
static inline struct exchange *
exchange_of_decision(const struct ern_decision *decision)
{
    return (struct exchange *)(void *)((char *)decision->self -
                                       __builtin_offsetof(struct exchange, res));
}

/* A fresh exchange for the connection; NULL without memory. */
struct exchange *exchange_take(struct worker *worker, struct conn *conn,
                               const struct carrier *carrier);

/* Gives back all that it holds. */
void exchange_done(struct exchange *exchange);

/*
 * Its client is gone.
 *   is_waiting  a job has it; it is given back when that is done
 *   in          the buffer that its request may lie in; taken over if it is still needed
 */
void exchange_leave(struct exchange *exchange, bool is_waiting, struct buffer **in);

/* What is done takes long: says so, as often as the route wants (RFC 2518 10.1). */
void exchange_tell_progress(struct exchange *exchange);

/*
 * Takes a request whose head was read, or was found to be wrong, as far as it goes: parse, route,
 * decide, compose. The head of the answer is then with its carrier, its content in the segments.
 * Its carrier has set content_state and peer_closes.
 * Returns false if it waits: its carrier's resume() is called later.
 */
bool exchange_answer(struct exchange *exchange);

/* Is its answer the last word of HTTP, and what follows another protocol's? */
bool exchange_switches(const struct exchange *exchange);

/* Adds bytes in memory, which stay as long as the exchange, to the content of its answer. */
void exchange_add(struct exchange *exchange, struct ern_slice bytes);

/*
 * Its answer is what a path of this server stands for (RFC 3875 6.2.2): goes on from there when it
 * is resumed, with GET and without content. location  path and query; kept as long as the exchange
 * Returns false if it is none.
 */
ERN_MUST_USE bool exchange_redirect(struct exchange *exchange, struct ern_slice location);

/* Goes on after a wait. Returns as exchange_answer(). */
bool exchange_resume(struct exchange *exchange);

/* Those whose time has come go on. */
void exchange_wake_all(struct worker *worker);

/* Answers something that came without a request that could be read: it took too long, there are too
 * many. */
void exchange_refuse(struct exchange *exchange, enum ern_fact fact);

#endif
