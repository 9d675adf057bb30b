/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/ws_session.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "wire/ws_write.h"

enum {
    CONTROL_BYTES = 2 + WS_CONTROL_MAX,
    CLOSE_ROOM = CONTROL_BYTES,             /* kept for our close frame, */
    PING_ROOM = CLOSE_ROOM + CONTROL_BYTES, /* and a ping, */
    PONG_ROOM = PING_ROOM + CONTROL_BYTES,  /* and a pong */
};

static bool
begin_deflate(struct ws_session *s, const struct websocket_deflate *agreed)
{
    unsigned ours = agreed->server_max_window_bits, theirs = agreed->client_max_window_bits;

    s->deflater =
        deflater_new(ours ? ours : DEFLATE_WINDOW_MAX, !agreed->server_no_context_takeover);
    s->inflater =
        inflater_new(theirs ? theirs : DEFLATE_WINDOW_MAX, !agreed->client_no_context_takeover);
    return s->deflater && s->inflater;
}

bool
ws_session_init(struct ws_session *s, const struct limits *limits,
                const struct websocket_deflate *deflate,
                void (*text)(struct ws_session *, struct ern_slice), int64_t now_ms)
{
    size_t message = (size_t)limits->ws_message_bytes_max;
    size_t out = (size_t)limits->ws_unsent_bytes_max + PONG_ROOM;

    *s = (struct ws_session){
        .limits = limits, .text = text, .now_ms = now_ms, .heard_ms = now_ms, .window_ms = now_ms};
    s->memory = malloc(message + out);
    if (!s->memory || (deflate && !begin_deflate(s, deflate)))
        return false;
    ws_init(&s->ws, s->memory, message, deflate != NULL);
    s->out = out_init(s->memory + message, out);
    return true;
}

void
ws_session_done(struct ws_session *s)
{
    deflater_free(s->deflater);
    inflater_free(s->inflater);
    free(s->memory);
}

/* ---- what goes ------------------------------------------------------------------------------- */

/* Is there room for so many bytes behind what is unsent? */
static bool
has_room(struct ws_session *s, size_t n)
{
    if (s->at && s->out.cap - s->out.len < n) {
        memmove(s->out.ptr, s->out.ptr + s->at, s->out.len - s->at);
        s->out.len -= s->at;
        s->at = 0;
    }
    return s->out.cap - s->out.len >= n;
}

static void
write_pong(struct ws_session *s)
{
    if (!s->pong_due || s->said || !has_room(s, PONG_ROOM))
        return;
    ws_write_pong(&s->out, slice_from(s->pong, s->pong_n));
    s->pong_due = false;
}

/* Compresses a message behind where its head will be, and moves it there. */
static bool
write_compressed(struct ws_session *s, struct ern_slice text)
{
    char *at = s->out.ptr + s->out.len + WS_WRITE_HEAD_MAX;
    struct out packed = out_init(at, deflater_bound(s->deflater, text.len));

    if (!deflater_message(s->deflater, text, &packed))
        return false;
    ws_write_head(&s->out, WS_OP_TEXT, WS_FIN | WS_COMPRESSED, packed.len);
    memmove(s->out.ptr + s->out.len, at, packed.len);
    s->out.len += packed.len;
    return true;
}

bool
ws_session_say(struct ws_session *s, struct ern_slice text)
{
    size_t n = s->deflater ? deflater_bound(s->deflater, text.len) : text.len;

    if (s->said || s->ends || !has_room(s, WS_WRITE_HEAD_MAX + n + PONG_ROOM))
        return false;
    if (s->deflater)
        return write_compressed(s, text);
    ws_write_text(&s->out, text);
    return true;
}

void
ws_session_close(struct ws_session *s, uint16_t code, struct ern_slice reason, int64_t now_ms)
{
    if (s->said || s->ends)
        return;
    (void)has_room(s, CLOSE_ROOM);
    ws_write_close(&s->out, code, reason);
    assert(!s->out.full);
    s->said = true;
    s->said_ms = now_ms;
}

void
ws_session_cut(struct ws_session *s, int64_t now_ms)
{
    if (!s->ends)
        s->said_ms = now_ms;
    s->ends = true;
}

/* Says why, and does not wait for what the client has to say to it (RFC 6455 7.1.7). */
static void
fail(struct ws_session *s, uint16_t code, struct ern_slice reason)
{
    ws_session_close(s, code, reason, s->now_ms);
    ws_session_cut(s, s->now_ms);
}

struct ern_slice
ws_session_unsent(const struct ws_session *s)
{
    return slice_from(s->out.ptr + s->at, s->out.len - s->at);
}

void
ws_session_sent(struct ws_session *s, size_t n)
{
    s->at += n;
    if (s->at == s->out.len)
        s->at = s->out.len = 0;
    write_pong(s);
}

bool
ws_session_is_over(const struct ws_session *s)
{
    return s->ends && s->at == s->out.len;
}

/* ---- what comes ------------------------------------------------------------------------------ */

/* Inflates a message. What comes of it is bounded as one that came without compression is. */
static void
take_compressed(struct ws_session *s)
{
    size_t cap = (size_t)s->limits->ws_message_bytes_max;
    char *memory = malloc(cap);
    struct out o = out_init(memory, cap);
    enum inflated is = memory ? inflater_message(s->inflater, s->ws.payload, &o) : INFLATE_BROKE;

    if (is == INFLATE_TOO_BIG)
        fail(s, WS_TOO_BIG, ERN_SLICE("a message is too big when it is inflated"));
    else if (is == INFLATE_BROKE)
        fail(s, WS_BROKE, ERN_ABSENT);
    else if (is == INFLATE_WRONG)
        fail(s, WS_INCONSISTENT, ERN_SLICE("a message can not be inflated"));
    else if (!utf8_is(out_done(&o)))
        fail(s, WS_INCONSISTENT, ERN_SLICE("a text message is not UTF-8"));
    else
        s->text(s, out_done(&o));
    free(memory);
}

static void
take_text(struct ws_session *s)
{
    if (s->said)
        return;
    if (s->ws.is_compressed)
        take_compressed(s);
    else
        s->text(s, s->ws.payload);
}

static void
take(struct ws_session *s, enum ws_event event)
{
    switch (event) {
    case WS_TEXT:
        take_text(s);
        break;
    case WS_BINARY:
        if (!s->said)
            fail(s, WS_UNACCEPTABLE, ERN_SLICE("a message is not text"));
        break;
    case WS_PING:
        s->pong_n = (uint8_t)s->ws.payload.len;
        memcpy(s->pong, s->ws.payload.ptr, s->pong_n);
        s->pong_due = true;
        write_pong(s);
        break;
    case WS_CLOSE:
    case WS_BAD:
        fail(s, s->ws.code, ws_reason(&s->ws));
        break;
    case WS_MORE:
    case WS_PONG:
        break;
    }
}

/* Has more come than one may send in the time? */
static bool
floods(struct ws_session *s, size_t n)
{
    if (s->now_ms - s->window_ms >= s->limits->ws_ping_ms) {
        s->window_ms = s->now_ms;
        s->window_bytes = 0;
    }
    s->window_bytes += n;
    return s->window_bytes > (uint64_t)s->limits->ws_received_bytes_max;
}

void
ws_session_feed(struct ws_session *s, struct ern_slice in, int64_t now_ms)
{
    s->now_ms = s->heard_ms = now_ms;
    s->asked = false;
    if (floods(s, in.len))
        fail(s, WS_POLICY, ERN_SLICE("too much is sent at once"));
    while (in.len && !s->ends)
        take(s, ws_feed(&s->ws, &in));
}

/* ---- the clock ------------------------------------------------------------------------------- */

void
ws_session_tick(struct ws_session *s, int64_t now_ms)
{
    s->now_ms = now_ms;
    if (s->said || s->ends) { /* the client has had its time to close, or to take what is left */
        if (now_ms - s->said_ms < s->limits->linger_ms)
            return;
        s->ends = true;
        s->at = s->out.len = 0;
    } else if (s->asked && now_ms - s->asked_ms >= s->limits->ws_ping_ms) {
        fail(s, WS_GOING_AWAY, ERN_SLICE("a ping was not answered"));
    } else if (!s->asked && now_ms - s->heard_ms >= s->limits->ws_ping_ms) {
        s->asked = true;
        s->asked_ms = now_ms;
        if (has_room(s, PING_ROOM))
            ws_write_ping(&s->out, ERN_ABSENT);
    }
}
