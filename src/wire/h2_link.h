/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_link.h - what a connection of HTTP/2 is to both of its sides, h2.c and h2_client.c: a session
 * of nghttp2, where its frames go, and what of the peer's is counted.
 */
#ifndef WIRE_H2_LINK_H
#define WIRE_H2_LINK_H

#include <sys/types.h>

#include "base/out.h"
#include "base/slice.h"
#include "code/limits.h"

struct nghttp2_option;
struct nghttp2_session;
struct nghttp2_session_callbacks;

enum { H2_LATER = -1, H2_CUT = -2 };
enum { H2_FRAME_HEAD_BYTES = 9 };

/* Where the session has its memory from. The functions are what malloc(), free(), calloc() and
 * realloc() are. */
struct h2_memory {
    void *self;
    void *(*allocate)(size_t n, void *self);
    void (*release)(void *memory, void *self);
    void *(*allocate_clear)(size_t n, size_t size, void *self);
    void *(*resize)(void *memory, size_t n, void *self);
};

/* How often something came that costs more to answer than to send; by kind, since since_ms. */
enum h2_nuisance {
    H2_RESETS,
    H2_SETTINGS,
    H2_PINGS,
    H2_EMPTY,
    H2_PRIORITIES,
    H2_WINDOWS,
    H2_KINDS
};

struct h2_link { /* first in what the callbacks of the session are given */
    struct nghttp2_session *session;
    const struct limits *limits;
    struct out *out; /* where frames go while h2_link_send() runs */
    int64_t now_ms, since_ms;
    uint16_t count[H2_KINDS];
};

/* How a side sets its session up. */
struct h2_link_side {
    bool asks;
    void (*set_callbacks)(struct nghttp2_session_callbacks *callbacks);
    void (*set_options)(struct nghttp2_option *options); /* NULL: none but those of both */
    struct h2_setting {
        int32_t id;
        uint32_t value;
    } settings[4]; /* besides those that limits say; an id of 0 is none */
};

/* Begins the session. link: its limits and now_ms are set. memory: NULL for malloc() and the like.
 * Returns 0 or -ENOMEM. */
ERN_MUST_USE int h2_link_begin(struct h2_link *link, const struct h2_link_side *side,
                               const struct h2_memory *memory);
void h2_link_end(struct h2_link *link);

/* Counts one of a kind that may come factor times as often as the rest. Returns false if it comes
 * too often (RFC 9113 10.5). */
ERN_MUST_USE bool h2_link_count(struct h2_link *link, enum h2_nuisance kind, unsigned factor);

/* Appends frames to out, as much as fits. Returns false if nghttp2 can not go on. */
ERN_MUST_USE bool h2_link_send(struct h2_link *link, struct out *out);
bool h2_link_has_more(const struct h2_link *link);

/* What a callback that reads content answers: it offers n bytes, H2_LATER or H2_CUT. */
ssize_t h2_link_offer(ssize_t n, bool end, uint32_t *flags);

/* Where n bytes of content go, behind the head of their frame, which is written; NULL: there is no
 * room yet. They count when h2_link_wrote() says so. */
char *h2_link_room(const struct h2_link *link, size_t n);
void h2_link_wrote(struct h2_link *link, const uint8_t *head, size_t n);

static inline struct ern_slice
h2_slice(const uint8_t *ptr, size_t len)
{
    return slice_from((const char *)ptr, len);
}

#endif
