/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h - a connection: bytes in, requests one after another, answers out in their order. */
#ifndef SERVE_CONN_H
#define SERVE_CONN_H

#include "io/listen.h"
#include "serve/worker.h"

enum conn_stage {
    CONN_READING,   /* the next request, or the rest of it */
    CONN_WAITING,   /* for an answer of a resource */
    CONN_TAKING,    /* content, for a resource */
    CONN_SENDING,   /* the peer takes no more at the moment */
    CONN_DRAINING,  /* reads content that nobody wanted */
    CONN_LINGERING, /* we said our last; reads until the peer has it (RFC 9112 9.6) */
    CONN_CLOSED,
};

struct conn {                  /* idle, it holds nothing but this */
    struct timer timer;        /* first: timers give it back */
    struct conn *next;         /* in a list of the worker */
    struct buffer *in;         /* what was received and is not done with; NULL if nothing */
    struct pending *pending;   /* what the peer did not take yet; NULL if nothing */
    struct exchange *exchange; /* the request in progress; NULL if none */
    struct timer_list *list;   /* the list its timer is in; NULL if none */
    int fd;
    uint8_t stage;   /* an enum conn_stage */
    bool strict;     /* its listener serves only hosts that it knows */
    bool registered; /* the loop tells of it */
    bool ended;      /* the peer will send no more */
    bool hung_up;    /* the loop said so: reading finds the end soon */
    bool closing;    /* after what is being sent, and */
    bool polite;     /* the client knows, and sends no more */
    bool head_done;  /* a head was read in this turn: the time for the next begins anew */
    bool again;      /* in worker->again_conns */
    uint32_t guest;  /* its counter in worker->guests */
    union address peer;
};

/* Serves an accepted connection from now on. */
void conn_open(struct worker *worker, int fd, const union address *peer, bool strict);

/* Refuses one that is too many: an answer by rule, and an end. */
void conn_refuse(struct worker *worker, int fd, const union address *peer);

/* The loop says that it can be read, or written, or both. */
void conn_event(struct worker *worker, struct conn *conn, bool readable, bool writable);

/* Its exchange can go on. */
void conn_resume(struct conn *conn);

/* Its timer is over. */
void conn_expired(struct worker *worker, struct conn *conn);

/* There was more to do than one turn allows. */
void conn_again(struct worker *worker, struct conn *conn);

/* Ends it at once. */
void conn_close(struct worker *worker, struct conn *conn);

#endif
