/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws_session.h - a WebSocket after its handshake, whatever carries it: bytes in, bytes out, and a
 * clock. It answers pings, asks a silent client whether it is there, and closes with a code that
 * says why (RFC 6455 5.5, 7). All that it holds is bounded.
 */
#ifndef SERVE_WS_SESSION_H
#define SERVE_WS_SESSION_H

#include "code/limits.h"
#include "io/deflate.h"
#include "msg/websocket.h"
#include "wire/ws.h"

struct ws_session {
    struct ws ws;
    const struct limits *limits;
    struct deflater *deflater; /* NULL: permessage-deflate is not agreed */
    struct inflater *inflater;
    /* A text message has come. It may call ws_session_say() and ws_session_close(). */
    void (*text)(struct ws_session *session, struct ern_slice text);
    char *memory;   /* of a message, and of out */
    struct out out; /* frames, from `at` on not taken yet */
    size_t at;
    int64_t now_ms;
    int64_t heard_ms;      /* when the client last sent something, and */
    int64_t asked_ms;      /* it was asked whether it is there, if */
    bool asked;            /* it was, and has sent nothing since */
    bool said;             /* our close frame is written: nothing comes after it */
    bool ends;             /* nothing more is read: what is unsent is the last */
    int64_t said_ms;       /* when it was said, or that it ends */
    int64_t window_ms;     /* from then on */
    uint64_t window_bytes; /* so much has come */
    bool pong_due;         /* of these */
    uint8_t pong_n;        /* so many bytes: of the last ping only (RFC 6455 5.5.3) */
    char pong[WS_CONTROL_MAX];
};

/*
 * Begins.
 *   deflate  what the handshake agreed; NULL: no compression
 *   text     as above
 * Returns false without memory; ws_session_done() is due all the same.
 */
ERN_MUST_USE bool ws_session_init(struct ws_session *session, const struct limits *limits,
                                  const struct websocket_deflate *deflate,
                                  void (*text)(struct ws_session *, struct ern_slice),
                                  int64_t now_ms);
void ws_session_done(struct ws_session *session);

/* What has come of the client; all of it is taken. */
void ws_session_feed(struct ws_session *session, struct ern_slice in, int64_t now_ms);

/* No more will come, though no close frame did. */
void ws_session_cut(struct ws_session *session, int64_t now_ms);

/* Looks at the clock, some times a second. */
void ws_session_tick(struct ws_session *session, int64_t now_ms);

/* Sends a text message. Returns false if there is no room for it: the client takes too little. */
ERN_MUST_USE bool ws_session_say(struct ws_session *session, struct ern_slice text);

/* Begins to close, unless that is begun: the client has linger_ms to do the same. */
void ws_session_close(struct ws_session *session, uint16_t code, struct ern_slice reason,
                      int64_t now_ms);

/* What is to be sent next; so much of it is. */
struct ern_slice ws_session_unsent(const struct ws_session *session);
void ws_session_sent(struct ws_session *session, size_t n);

/* All is said: its carrier ends, from our side first (RFC 6455 7.1.1). */
bool ws_session_is_over(const struct ws_session *session);

#endif
