/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2.h - HTTP/2 (RFC 9113) by nghttp2: bytes in, requests and their content out; answers in, bytes
 * out. No I/O; time is passed in.
 *
 * What comes up is what h1.h gives: a request whose fields are checked, one authority, one framing;
 * pseudo-header fields are gone, Cookie is joined, trailers are dropped. A message that is
 * malformed by RFC 9113 8.1.1 ends with RST_STREAM and does not come up.
 */
#ifndef WIRE_H2_H
#define WIRE_H2_H

#include "code/finding.h"
#include "earnest/message.h"
#include "wire/h2_link.h"

/* A request and its answer. Its owner sets the first part up in begin(). */
struct h2_stream {
    struct ern_request *request;    /* from ern_request_init() */
    struct out text;                /* memory for its names and values, as long as the request */
    int32_t id;                     /* the rest is set by h2.c */
    bool head_done;                 /* the head has come, */
    bool ended;                     /* and the last of the content */
    enum finding finding;           /* what is wrong with it: the answer says so */
    struct ern_slice finding_field; /* name of the field to blame, if one is */
    struct ern_slice method, scheme, authority, path, protocol; /* pseudo-header fields */
    uint64_t fields_bytes;
    char status[sizeof ":status" + 3]; /* of the answer: the name of the field, and its value */
};

struct h2_events { /* self is that of the session; none of them may end it */
    /* A request begins; NULL: it cannot be served now, and may be sent again (REFUSED_STREAM). */
    struct h2_stream *(*begin)(void *self);
    /* The head is there: request is whole, or finding says what is wrong. */
    void (*head)(void *self, struct h2_stream *stream);
    /* Content of the request. It counts as taken when h2_taken() says so. */
    void (*content)(void *self, struct h2_stream *stream, struct ern_slice piece);
    /* There is no more of it. */
    void (*end)(void *self, struct h2_stream *stream);
    /* How much content of the answer is there, at most cap, and whether it is the last; or H2_LATER
     * until h2_go_on(), or H2_CUT: the rest is not to be had. */
    ssize_t (*offer)(void *self, struct h2_stream *stream, size_t cap, bool *ret_end);
    /* Writes the n bytes that were offered; false: they are not to be had after all. */
    bool (*give)(void *self, struct h2_stream *stream, char *bytes, size_t n);
    /* The answer went out to its end. Content that nobody wanted may still come. */
    void (*answered)(void *self, struct h2_stream *stream);
    /* The stream is over and will not be spoken of again. */
    void (*closed)(void *self, struct h2_stream *stream);
};

struct h2 {              /* of a connection */
    struct h2_link link; /* first */
    const struct h2_events *events;
    void *self;
    struct h2_stream *reading; /* whose head comes */
    struct {                   /* where in the peer's frames we are */
        unsigned char head[14];
        uint8_t head_n;   /* bytes of the head of a frame that came, or of a whole PRIORITY */
        uint8_t preface;  /* bytes of the preface that are still to come */
        uint32_t payload; /* and of the payload of the frame */
    } at;
    struct {            /* of the streams that the peer opened */
        int32_t last;   /* the highest number; of the one n before it bit n says: */
        uint64_t used;  /* it was opened, and */
        uint64_t reset; /* we have reset it */
    } ids;
    bool leaving; /* the peer was told that we end */
};

/*
 * Begins the session of a connection, whose preface is still to be read. Returns 0 or -ENOMEM.
 *   memory  NULL: malloc() and the like
 */
ERN_MUST_USE int h2_begin(struct h2 *h2, const struct limits *limits,
                          const struct h2_memory *memory, const struct h2_events *events,
                          void *self, int64_t now_ms);
void h2_end(struct h2 *h2);

/*
 * The connection was HTTP/1.1 until a request asked for h2c: that request is stream 1 now.
 *   settings  the value of HTTP2-Settings
 * Returns false if that is malformed.
 */
ERN_MUST_USE bool h2_upgrade(struct h2 *h2, struct ern_slice settings, bool is_head,
                             struct h2_stream *stream);

/* Reads. Returns false if the session is over, for good: what is to be sent says why. */
ERN_MUST_USE bool h2_feed(struct h2 *h2, struct ern_slice bytes, int64_t now_ms);

/* Appends frames to out, as much as fits. Returns false if the session is over. */
ERN_MUST_USE bool h2_send(struct h2 *h2, struct out *out);
bool h2_has_more(const struct h2 *h2);

/* Nothing more will be read or sent. */
bool h2_is_over(const struct h2 *h2);

/*
 * Answers, or (1xx) says something before the answer.
 *   lines  field lines as HTTP/1.1 has them; its names are changed to lower case. Fields that are
 *          of the connection (RFC 9113 8.2.2) are left out
 *   stays  lines is there until the stream is closed; else it is copied
 */
void h2_answer(struct h2 *h2, struct h2_stream *stream, uint16_t status, struct out *lines,
               bool stays, bool has_content);
void h2_interim(struct h2 *h2, struct h2_stream *stream, uint16_t status, struct out *lines);

/* offer() has more after H2_LATER. */
void h2_go_on(struct h2 *h2, const struct h2_stream *stream);

/* So many bytes of content were taken: as many more may come. */
void h2_taken(struct h2 *h2, const struct h2_stream *stream, size_t n);

/* So many were dropped: as many more may come on other streams. */
void h2_dropped(struct h2 *h2, size_t n);

/* Ends a stream without an answer, or within it; or, after its answer, because no more of the
 * request is wanted (RFC 9113 8.1). */
void h2_reset(struct h2 *h2, const struct h2_stream *stream);
void h2_stop(struct h2 *h2, const struct h2_stream *stream);

/* Tells the peer that no new requests are served: those on their way are (RFC 9113 6.8). */
void h2_leave(struct h2 *h2);

#endif
