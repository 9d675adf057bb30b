/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - a connection: bytes in, bytes out, and a timer. What the bytes mean is its protocol's
 * business: conn_proxy.c, conn_h1.c, conn_h2.c, conn_ws.c.
 */
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

struct conn {           /* idle, it holds nothing but this */
    struct timer timer; /* first: timers give it back */
    struct conn *next;  /* in a list of the worker */
    const struct protocol *protocol;
    struct buffer *in;         /* what was received and is not done with; NULL if nothing */
    struct pending *pending;   /* what the peer did not take yet; NULL if nothing */
    struct exchange *exchange; /* HTTP/1.1: the request in progress; NULL if none */
    struct h2_conn *h2;        /* HTTP/2: its streams; NULL in another version */
    struct live_client *live;  /* WebSocket: who listens; NULL in another protocol */
    struct tls_session *tls;   /* NULL: plain */
    struct buffer *cipher;     /* what TLS did not take yet; NULL if nothing */
    struct buffer *plain;      /* answers that wait for the end of the handshake; NULL if none */
    struct timer_list *list;   /* the list its timer is in; NULL if none */
    const struct listener *listener;
    int fd;
    uint32_t guest;   /* its counter in worker->guests */
    uint8_t stage;    /* an enum conn_stage */
    uint8_t onlooker; /* an enum onlooker: whose decisions are kept */
    bool registered;  /* the loop tells of it */
    bool ended;       /* the peer will send no more */
    bool unread;      /* there may be more to receive, of which no event will tell */
    bool hung_up;     /* the loop said so: reading finds the end soon */
    bool lost;        /* and nothing that we send arrives */
    bool closing;     /* after what is being sent, and */
    bool polite;      /* the client knows, and sends no more */
    bool begun;       /* a request was read */
    bool early;       /* what was received came in early data of TLS */
    bool cipher_all;  /* the socket had no more when cipher was received */
    bool head_done;   /* a head was read in this turn: the time for the next begins anew */
    bool again;       /* in worker->again_conns */
    /* Of the socket; or whom its PROXY header names. */
    union address peer;
};

/* What a version of HTTP, or what comes before it, makes of a connection. Each may close it. */
struct protocol {
    /* Goes on as far as it can with what is there. */
    void (*proceed)(struct worker *worker, struct conn *conn);
    /* Does it read on now? */
    bool (*reads)(const struct conn *conn);
    /* The list that watches over what it does now; NULL: nothing has to happen. */
    struct timer_list *(*watch)(struct worker *worker, const struct conn *conn);
    /* Nothing happened for the time of conn->list, where its timer was. */
    void (*expired)(struct worker *worker, struct conn *conn);
    /* The handshake of TLS is finished: what came in early data is its client's. */
    void (*secured)(struct worker *worker, struct conn *conn);
    /* The peer will send no more, and nothing is left to be sent: is there more to do? */
    bool (*outlives_peer)(const struct conn *conn);
    /* The server ends, and the connection is idle: says goodbye; at once, if it stops. */
    void (*leave)(struct worker *worker, struct conn *conn, bool at_once);
    /* The connection is closed: gives back what the protocol holds. */
    void (*closed)(struct worker *worker, struct conn *conn);
};

extern const struct protocol proxy_protocol, h1_protocol, h2_protocol, ws_protocol;

/* Serves an accepted connection from now on. */
void conn_open(struct worker *worker, int fd, const union address *peer,
               const struct listener *listener);

/* Whom it comes from is known: it begins, with what was received already. Returns false if it is
 * refused. */
bool conn_begin(struct worker *worker, struct conn *conn);

/* Refuses one that is too many: an answer by rule, and an end. */
void conn_refuse(struct worker *worker, int fd, const union address *peer,
                 const struct listener *listener);

/* The loop says that it can be read, or written, or both. */
void conn_event(struct worker *worker, struct conn *conn, bool readable, bool writable);

/* Goes on after a wait: with what is there, and with what comes. */
void conn_resume(struct worker *worker, struct conn *conn);

/* Its timer is over. */
void conn_expired(struct worker *worker, struct conn *conn);

/* The server ends: says so; at once, if it stops, and the connection is idle with nothing unread.
 */
void conn_leave(struct worker *worker, struct conn *conn, bool at_once);

/* There was more to do than one turn allows. */
void conn_again(struct worker *worker, struct conn *conn);

/* There is something to be sent, of which no event will tell: proceeds, but not at once. */
void conn_stir(struct worker *worker, struct conn *conn);

/* Our last word was said: ends the connection so that the peer can read it (RFC 9112 9.6). */
void conn_end(struct worker *worker, struct conn *conn);

/* Ends it at once. */
void conn_close(struct worker *worker, struct conn *conn);

/* What was received and is not done with. */
struct ern_slice conn_received(const struct conn *conn);

/* May its peer say whom it comes from? Else it is closed, and false returned (conn_proxy.c). */
bool proxy_begin(struct worker *worker, struct conn *conn);

/* Answers a connection whose request was not read, over HTTP/1.1, and ends it (conn_h1.c). */
void h1_refuse(struct worker *worker, struct conn *conn, enum ern_fact fact);

#endif
