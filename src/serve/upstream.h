/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream.h - servers behind us, as one thread sees them: which are well, which is asked next, and
 * the connections to them. What is asked of them is relay.h's business.
 *
 * All of it lives in the loop of its worker, beside the connections of clients. Nothing here calls
 * up into an exchange but upstreams_event(), upstreams_expire() and upstreams_again(), which the
 * loop calls: so whoever is called from an exchange never finds itself called again.
 */
#ifndef SERVE_UPSTREAM_H
#define SERVE_UPSTREAM_H

#include <sys/types.h>

#include "base/hash.h"
#include "io/dial.h"
#include "io/tls_link.h"
#include "serve/worker.h"

struct relay;
struct probe;
struct program;
struct resolving;
struct shared;
struct speech;
struct stream;
struct upstreams;

enum { ORIGINS_MAX = 64 /* of one group: a bit each */ };

/* A server, as the configuration names it. */
struct origin_name {
    struct ern_slice path;      /* of a socket with a path; absent: host and port say where it is */
    struct ern_slice host;      /* without brackets */
    struct ern_slice authority; /* as Host has it */
    uint16_t port;
    bool is_secure; /* it speaks TLS */
};

enum relay_wanted { /* what is done to content of answers (RFC 9110 7.7) */
                    RELAY_COMPRESS = 1,
                    RELAY_LINKS = 2,  /* those to servers behind us become paths of ours */
                    RELAY_MINIFY = 4, /* what does not show goes */
};

struct origin_names { /* of a route: slices are the configuration's */
    struct origin_name *name;
    const struct ern_slice *authorities; /* of each */
    unsigned n;                          /* 1 to ORIGINS_MAX */
    bool by_hash;    /* a client is always sent to the same one; else the least busy is asked */
    unsigned wanted; /* as bits of enum relay_wanted */
    const struct speech *speech; /* that is spoken with them; NULL: HTTP */
    struct ern_slice
        probe; /* the path that they are asked for to know how they are; absent: none */
    struct tls_trust *trust; /* who signs certificates of those that speak TLS; NULL: none does */
    int64_t requests_max;    /* of each of them at once; 0: upstream_requests_max */
    bool http2;              /* HTTP/2 is spoken, too: by prior knowledge, over TLS by ALPN */
    unsigned number;         /* of the group, from 0 */
};

struct origin {
    struct origin_name name;
    struct upstreams *upstreams;
    struct ip_port address[DIAL_ADDRESSES];
    unsigned addresses_n;
    unsigned preferred; /* of them, the one that answered last */
    int64_t valid_ms;   /* until when they are believed; INT64_MAX: always */
    struct resolving *resolving;
    struct relay *waiting; /* for an address */
    struct upstream *idle; /* connections that wait for a request, the youngest first */
    unsigned idle_n, upstreams_n;
    int64_t requests_max;
    unsigned busy_n;          /* requests that it answers, or is about to */
    unsigned failures_n;      /* in a row */
    int64_t shut_ms;          /* until when it is left alone; 0: it is well */
    struct tls_ticket ticket; /* by which its next connection is resumed */
    bool keeps;               /* connections wait for further requests */
    bool http2;               /* HTTP/2 may be spoken */
    bool shares;              /* one carries many of them: HTTP/2 is spoken, as far as is known */
    struct shared *shared;    /* those that do; */
    unsigned shared_n;        /* so many */
    struct relay *dialler;    /* makes one more; NULL: none does */
    struct relay *queue;      /* relays that wait for it */
    struct probe *probe;      /* by which it is asked how it is; NULL: it is not */
};

struct origins { /* a group, one of which answers */
    struct origin *origin;
    unsigned n, next;
    const struct speech *speech;
    const struct tls_trust *trust;
    bool by_hash;
    unsigned wanted;                     /* likewise */
    const struct ern_slice *authorities; /* of each */
    bool is_guarded; /* clients say which: an address that is not everybody's is not dialled, */
    const struct networks *reachable; /* but for these */
};

struct upstream {       /* a connection, or a stream of one that is shared */
    struct timer timer; /* first: of one that waits for a request */
    struct upstream *next, **link;
    struct origin *origin;
    struct relay *relay;     /* what it is used for; NULL: nothing */
    struct probe *probe;     /* likewise */
    struct buffer *in;       /* what was received and is not done with; NULL if nothing */
    struct buffer *out;      /* what it did not take yet; NULL if nothing */
    struct tls_link *tls;    /* NULL: none is spoken */
    struct program *program; /* whose input and output it is; NULL: of none */
    struct shared *shared;   /* that it carries (upstream_h2.h); NULL: one request at a time */
    struct stream *stream;   /* of one that is shared, which it is; NULL: a connection of its own */
    int fd;                  /* -1: it has none */
    bool connected;
    bool reused;    /* it has answered before */
    bool untouched; /* what it was asked was not acted on, for certain (RFC 9113 8.7) */
    bool hung_up;   /* the loop said so: reading finds the end soon */
    bool drained;   /* nothing is there to be received, until an event tells of more */
    bool ended;     /* it will send no more */
};

/* Of one worker. Returns NULL without memory. names: of each group, groups_n of them. */
struct upstreams *upstreams_new(struct worker *worker, const struct origin_names *const *names,
                                unsigned groups_n);
void upstreams_free(struct upstreams *upstreams); /* NULL does nothing */

struct origins *upstreams_group(struct upstreams *upstreams, unsigned number);

/* The limits that its answers are read by. */
const struct limits *upstreams_limits(const struct upstreams *upstreams);

/* Whether a pointer that the loop was given is one of a connection to a server; what happened to
 * it. */
bool upstreams_is(const void *what);
void upstreams_event(struct worker *worker, void *what, uint32_t events);

/* What the loop has to look at: times that are over, what has more to do, what was closed. */
void upstreams_expire(struct worker *worker);
void upstreams_again(struct worker *worker);
void upstreams_reuse(struct worker *worker);
/* Milliseconds until then; -1: nothing will happen. */
int upstreams_wait_ms(const struct worker *worker);
/* Are names still being looked up? */
bool upstreams_are_busy(const struct worker *worker);

/* Lists that a relay may put its timer in; each has a time limit. */
enum upstream_time {
    TIME_CONNECT,  /* until there is a connection */
    TIME_ANSWER,   /* until its answer begins */
    TIME_STALL,    /* until it takes or sends more */
    TIME_TUNNEL,   /* likewise, in a tunnel */
    TIME_EXIT,     /* until a program that has said all ends */
    TIME_IDLE,     /* of a connection that is not used */
    TIME_REST,     /* until a server is asked how it is */
    TIME_PROBE,    /* until it has said so */
    TIME_COLLAPSE, /* of a request that waits for the answer to another (cached.h) */
    TIMES
};
void upstreams_time(struct upstreams *upstreams, struct timer *timer, enum upstream_time time);

/* relay_again() is called in this turn. */
void upstreams_stir(struct upstreams *upstreams, struct relay *relay);

/* ---- servers (origin.c) ----------------------------------------------------------------------
 */

void origin_init(struct origin *origin, struct upstreams *upstreams,
                 const struct origin_name *name);
void origin_end(struct origin *origin); /* closes what is idle, and forgets who looks it up */

/*
 * The server to be asked next, and not yet tried.
 *   tried       a bit each
 *   client      by which one is chosen, where that is wanted
 *   ret_wait_s  if there is none: the seconds after which one may be well; 0: all are busy
 */
struct origin *origin_choose(struct origins *origins, uint64_t tried, struct ern_slice client,
                             int64_t *ret_wait_s);

/* It has answered; it has not, or could not be reached. */
void origin_works(struct origin *origin);
void origin_fails(struct origin *origin);

/* It was asked how it is, and did not say that it is well: it is left alone until it does. */
void origin_is_ill(struct origin *origin);

/* Are its addresses known now? If not, *ret_asked says whether they are being looked up, and
 * relay_resolved() will be called of each that waits. */
bool origin_is_resolved(struct origin *origin, bool *ret_asked);

/* ---- connections (upstream.c) ----------------------------------------------------------------
 */

/* Begins to connect. Returns NULL, and why as a negative errno. */
struct upstream *upstream_open(struct origin *origin, const struct ip_port *to, int *ret_error);

/* It is connected: goes on until TLS is spoken, where that is to be. Returns 0; -EAGAIN: an event
 * tells when to go on; or another negative errno. */
ERN_MUST_USE int upstream_secure(struct upstream *upstream, const struct tls_trust *trust);

/* No more is sent to it: says so. */
void upstream_end(struct upstream *upstream);

/* Takes over what a program reads from and writes to. Returns NULL without memory; fd is then
 * closed. */
struct upstream *upstream_adopt(struct origin *origin, int fd, struct program *program);

/* TLS is spoken where that is to be. Where HTTP/2 is, it carries many requests from now on. Returns
 * what one is sent by: itself, or the first of its streams; NULL without memory: it is closed. */
struct upstream *upstream_share(struct upstream *upstream);

/* One that waits for a request, and is alive as far as can be told; NULL: none. */
struct upstream *upstream_idle(struct origin *origin);

/* It waits for a request, or is closed because enough do. */
void upstream_keep(struct upstream *upstream);
void upstream_close(struct upstream *upstream); /* what a program does for it is ended */

/* Room to write to it; NULL without memory. */
struct buffer *upstream_room(struct upstream *upstream);

/* Sends what is in its out. Returns 0: all; -EAGAIN: a part; or another negative errno. */
int upstream_flush(struct upstream *upstream);

/* Receives into its in, after what is there. Returns how many bytes, 0 at the end, -ENOBUFS: there
 * is no room; or another negative errno. */
ssize_t upstream_receive(struct upstream *upstream);

/* What was received and is not done with. */
struct ern_slice upstream_received(const struct upstream *upstream);

#endif
