/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - one thread that serves: its loop, its connections, and the memory they share. Nothing
 * in it is touched by another thread but the mailbox and the port.
 */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include <semaphore.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "code/language.h"
#include "code/limits.h"
#include "earnest/decide.h"
#include "io/alarm.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/pool.h"
#include "io/timer.h"
#include "msg/forwarded.h"
#include "serve/pile.h"
#include "serve/site.h"
#include "serve/spare.h"

enum {
    WORKER_OUT_BYTES = 131072,
    WORKER_HEAD_BYTES = 65536,
    WORKER_CIPHER_BYTES = 262144,
    WORKER_DATE_BYTES = 64
};

struct buffer { /* of a connection, for what it received */
    struct pile_piece piece;
    size_t len; /* bytes received */
    size_t at;  /* of them, bytes done with */
    char bytes[];
};

struct listener { /* one a `listen` of the configuration and a thread */
    int fd;
    bool strict;                   /* an unknown host is misdirected */
    bool http2;                    /* HTTP/2 is spoken, too */
    bool https;                    /* clients are sent on to https */
    bool proxied;                  /* connections begin with a header of the PROXY protocol */
    struct tls *tls;               /* NULL: plain */
    const struct forward *forward; /* clients ask others through it; NULL: it is no proxy */
    const struct portal *portal;   /* clients must sign in first; NULL: they need not */
};

struct conn;
struct exchange;
struct forward;
struct guests;
struct incidents;
struct legal;
struct legal_record;
struct live;
struct live_port;
struct meter;
struct portal;
struct programs;
struct rates;
struct refresh;
struct shelf;
struct logins;
struct remembered;
struct tallies;
struct tally;
struct tls;
struct trace_ring;
struct traces;
struct upstreams;

struct worker {
    const struct site_table *sites; /* the configuration, and */
    const struct limits *limits;
    /* Whom to believe about others, and by which fields. */
    const struct networks *gateways;
    enum forwarded_form forwarded;
    struct guests *guests;              /* shared by all threads: who is connected, and */
    struct rates *rates;                /* how often they ask */
    struct legal *legal;                /* and what they may not have; NULL: there is no record */
    const struct legal_record *demands; /* of this turn */
    struct incidents *incidents;        /* and what was our fault; NULL: nobody asks */
    struct shelf *shelf;                /* answers that are kept; NULL: none are */
    struct meter *meter;                /* what was paid in advance; NULL: nothing can be */
    struct logins *logins;              /* who can log in; NULL: nobody */
    struct pool *pool;                  /* likewise shared */
    struct remembered *remembered;      /* credentials that were right, of this thread */
    struct encoders *encoders;
    struct files *files;
    struct mailbox mailbox;
    struct upstreams *upstreams;   /* servers behind us */
    struct refresh *refreshes;     /* requests of our own to them */
    struct programs *programs;     /* programs that we run */
    struct ern_slice pseudonym;    /* our name among gateways (RFC 9110 7.6.3) */
    struct live_port *live;        /* of the stream of decisions; NULL: there is none */
    const struct tallies *tallies; /* the counters of all workers, and */
    struct ern_slice problems[ERN_RULES_MAX][LANGUAGES]; /* as error.c has written them before */
    struct tally *tally;                                 /* its own; NULL: nothing is counted */
    const struct traces *traces;                         /* the last ones of all workers, and */
    struct trace_ring *trace;                            /* its own; NULL: they are not kept */
    struct log_writer access;
    struct log_writer errors;
    struct log_writer audit;
    /* When a connection without its PROXY header was last logged, and how many were not since. */
    int64_t unproxied_s;
    uint64_t unproxied_n;
    bool json;        /* the form of the access log */
    bool rehearses;   /* what would be answered is asked, and nothing is done (rehearse.h) */
    atomic_int order; /* from another thread: an enum order of worker.c */
    int epoll;
    int reserve;       /* a descriptor to give up when there is no other: EMFILE */
    bool paused;       /* nothing is accepted at the moment, */
    int64_t paused_ms; /* since then */
    struct listener *listeners;
    unsigned listeners_n;
    struct clock_now now;         /* of this turn of the loop */
    char date[WORKER_DATE_BYTES]; /* the Date and Server field lines of this second */
    size_t date_len;
    int64_t date_s;
    int64_t refused_s;                       /* in this second */
    unsigned refused_n;                      /* so many logins were refused */
    uint64_t random;                         /* state of incident ids */
    size_t buffer_bytes;                     /* of a struct buffer: the largest head fits */
    struct pile buffers, exchanges, streams; /* that are not in use now */
    int64_t trimmed_ms;                      /* when those that nobody needs were last given back */
    uint64_t exchanges_n; /* taken and not done, those without a connection too */
    struct conn *spare_conns;
    struct spare spare;        /* small memory of HTTP/2 */
    struct conn *closed_conns; /* closed in this turn: events for them may still come */
    struct conn *again_conns;  /* have more to do, though no event will say so */
    uint64_t conns_n;
    struct timer_list heads, contents, idles, sends, lingers, waits, relays, halves;
    struct alarms alarms;    /* of exchanges that wait for a time */
    atomic_llong *turned_ms; /* shared, too: when the loop last turned; NULL: nobody looks */
    char *last_request;      /* shared with the supervisor: what is served at the moment */
    sem_t *deaf;             /* of the process: posted when nothing is accepted any more */
    bool draining;           /* answer what is there, and take nothing new */
    bool stopping;           /* and do not wait for connections that ask nothing */
    int64_t drain_end_ms;    /* when what is still there is cut */
    struct out out;          /* answers on their way out, of one connection at a time */
    struct out head;         /* field lines of one head, on their way to HTTP/2 */
    struct out cipher;       /* records of TLS, of that one connection */
    char out_bytes[WORKER_OUT_BYTES];
    char cipher_bytes[WORKER_CIPHER_BYTES];
    char head_bytes[WORKER_HEAD_BYTES];
};

/* What a worker is made of; all of it lives longer than the worker. */
struct worker_options {
    const struct site_table *sites;
    const struct limits *limits;
    const struct networks *gateways;
    enum forwarded_form forwarded;
    struct guests *guests;
    struct rates *rates;
    struct legal *legal; /* NULL: there is no record of demands */
    struct logins *logins;
    struct meter *meter; /* NULL: there is no credit */
    struct shelf *shelf; /* NULL: no answers are kept */
    struct incidents *incidents;
    struct pool *pool;
    struct log *access, *errors, *audit; /* NULL: not written */
    struct ern_slice pseudonym;
    struct live *live;       /* NULL: there is no stream of decisions */
    struct tallies *tallies; /* NULL: nothing is counted */
    struct traces *traces;   /* NULL: they are not kept */
    unsigned number;         /* of the worker, from 0 */
    struct listener *listeners;
    unsigned listeners_n;
    bool json;               /* the form of the access log */
    sem_t *deaf;             /* as in struct worker */
    atomic_llong *turned_ms; /* likewise; NULL: nobody wants to know that it turns */
    char *last_request;      /* WORKER_LAST_BYTES that outlive the process, or NULL */
    struct hash_key key;
};

enum { WORKER_LAST_BYTES = 256 };

/* Returns 0 and the worker, or a negative errno. */
ERN_MUST_USE int worker_new(const struct worker_options *options, struct worker **ret_worker);

/* Serves until it was told to end and all connections are done. */
void worker_run(struct worker *worker);

/* Tells it to end, from another thread: after the answers in progress, or (stopping) at once where
 * nothing is asked. */
void worker_end(struct worker *worker, bool stopping);

void worker_free(struct worker *worker);

/* The next of a row of numbers that nobody can foresee well enough to clash with: incident ids. */
uint64_t worker_random(struct worker *worker);

/* Memory for connections; NULL when there is none. */
struct buffer *worker_buffer(struct worker *worker);
void worker_buffer_done(struct worker *worker, struct buffer *buffer);

#endif
