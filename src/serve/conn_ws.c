/* SPDX-License-Identifier: Apache-2.0 */
/* conn_ws.c - WebSocket over a connection that was HTTP/1.1 until it was agreed to change. */
#include "serve/conn_ws.h"

#include "serve/live.h"
#include "serve/send.h"

static struct ws_session *
session_of(const struct conn *c)
{
    return live_session(c->live);
}

/* Sends what is unsent, as long as the peer takes it. */
static void
pump(struct worker *w, struct conn *c)
{
    struct ws_session *s = session_of(c);
    enum sent sent;

    do {
        struct ern_slice unsent = ws_session_unsent(s);
        size_t room = c->pending ? 0 : w->out.cap - w->out.len;
        size_t n = unsent.len < room ? unsent.len : room;

        out_slice(&w->out, slice_first(unsent, n));
        ws_session_sent(s, n);
        sent = send_flush(w, c, false);
    } while (sent == SENT && ws_session_unsent(s).len);
    if (sent == SENT_BROKEN)
        conn_close(w, c);
}

static void
proceed(struct worker *w, struct conn *c)
{
    struct ws_session *s = session_of(c);
    struct ern_slice in = conn_received(c);

    c->stage = CONN_READING;
    if (w->draining)
        ws_session_close(s, WS_GOING_AWAY, ERN_ABSENT, w->now.run_ms);
    if (in.len) {
        ws_session_feed(s, in, w->now.run_ms);
        c->in->at = c->in->len;
    }
    pump(w, c);
    if (c->stage != CONN_CLOSED && !c->pending && ws_session_is_over(s))
        conn_end(w, c);
}

static bool
reads(const struct conn *c)
{
    return !ws_session_is_over(session_of(c));
}

static struct timer_list *
watch(struct worker *w, const struct conn *c)
{
    (void)c;
    return &w->waits;
}

static void
expired(struct worker *w, struct conn *c)
{
    c->list = NULL; /* the timer starts anew */
    ws_session_tick(session_of(c), w->now.run_ms);
    proceed(w, c);
}

static bool
outlives_peer(const struct conn *c)
{
    (void)c;
    return false;
}

static void
leave(struct worker *w, struct conn *c, bool at_once)
{
    (void)at_once; /* its client is told, and has linger_ms to say goodbye */
    ws_session_close(session_of(c), WS_GOING_AWAY, ERN_ABSENT, w->now.run_ms);
    pump(w, c);
}

static void
closed(struct worker *w, struct conn *c)
{
    (void)w;
    live_close(c->live);
    c->live = NULL;
}

const struct protocol ws_protocol = {
    .proceed = proceed,
    .reads = reads,
    .watch = watch,
    .expired = expired,
    .outlives_peer = outlives_peer,
    .leave = leave,
    .closed = closed,
};

static void
wake(struct worker *w, void *self)
{
    conn_stir(w, self);
}

bool
ws_open(struct conn *c, const struct exchange *x)
{
    c->live = live_open(x, wake, c);
    if (c->live)
        c->protocol = &ws_protocol;
    return c->live != NULL;
}
