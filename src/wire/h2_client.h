/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_client.h - HTTP/2 (RFC 9113) by nghttp2, for the side that asks: requests in, frames out;
 * frames in, answers out. No I/O; time is passed in.
 *
 * Requests and answers have the form that HTTP/1.1 gives them, so that there is one writer of the
 * one and one reader of the other: a head is a start line, field lines and an empty line; content
 * follows as it is, and ends with its stream. Trailers are checked and dropped.
 */
#ifndef WIRE_H2_CLIENT_H
#define WIRE_H2_CLIENT_H

#include "wire/h2.h"

/* A request, and what became of it. */
struct h2_ask {
    int32_t id;
    bool is_final;       /* the head that comes is the last one, */
    bool head_done;      /* and has come, */
    bool ended;          /* and all of the content */
    bool closed;         /* nothing comes any more */
    bool untouched;      /* it was not acted on: it may be sent once more (RFC 9113 8.7) */
    bool garbled;        /* what came is no answer */
    uint16_t interims_n; /* heads that have come before */
    size_t head_bytes;   /* of the one that comes */
};

struct h2_client_events { /* self is that of the session; none of them may end it */
    /* Bytes of the answer: of a head, or of content, which counts as taken when h2_client_taken()
     * says so. false: there is no memory for them. */
    bool (*came)(void *self, struct h2_ask *ask, struct ern_slice bytes, bool is_content);
    /* All of the answer is there, or no more of it comes. */
    void (*news)(void *self, struct h2_ask *ask);
    /* Content of the request, as h2_events has it. */
    ssize_t (*offer)(void *self, struct h2_ask *ask, size_t cap, bool *ret_end);
    void (*give)(void *self, struct h2_ask *ask, char *bytes, size_t n);
};

struct h2_client {       /* of a connection */
    struct h2_link link; /* first */
    const struct h2_client_events *events;
    void *self;
    uint16_t continuations_n; /* of the head that comes */
    unsigned open_n;          /* requests that are not over yet */
    bool is_greeted;          /* the other side has said what it allows (RFC 9113 3.4) */
};

/*
 * Begins the session of a connection, over which nothing was sent yet.
 *   limits  of answers (h1_answer_limits())
 *   memory  NULL: malloc() and the like
 * Returns 0 or -ENOMEM.
 */
ERN_MUST_USE int h2_client_begin(struct h2_client *h2, const struct limits *limits,
                                 const struct h2_memory *memory,
                                 const struct h2_client_events *events, void *self, int64_t now_ms);
void h2_client_end(struct h2_client *h2);

/* May one more be asked now, by what the other side said and by our own limit? */
bool h2_client_has_room(const struct h2_client *h2);

/*
 * Asks.
 *   head  as HTTP/1.1 has it: a request line, Host, other field lines, an empty line. Names are
 *         changed to lower case; what is of the connection (RFC 9113 8.2.2) is left out
 * Returns 0; -ENOBUFS: there are too many fields; or -ECONNRESET: no more may be asked.
 */
ERN_MUST_USE int h2_client_ask(struct h2_client *h2, struct h2_ask *ask, struct out *head,
                               bool is_secure, bool has_content);

/* offer() has more after H2_LATER. */
void h2_client_go_on(struct h2_client *h2, const struct h2_ask *ask);

/* So many bytes of content were taken: as many more may come. */
void h2_client_taken(struct h2_client *h2, const struct h2_ask *ask, size_t n);

/* Its answer does not matter any more. cancels: the other side is told to stop. */
void h2_client_forget(struct h2_client *h2, const struct h2_ask *ask, bool cancels);

/* Reads. Returns false if the session is over, for good. */
ERN_MUST_USE bool h2_client_feed(struct h2_client *h2, struct ern_slice bytes, int64_t now_ms);

/* Appends frames to out, as much as fits. Returns false if the session is over. */
ERN_MUST_USE bool h2_client_send(struct h2_client *h2, struct out *out);
bool h2_client_has_more(const struct h2_client *h2);

#endif
