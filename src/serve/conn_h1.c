/* SPDX-License-Identifier: Apache-2.0 */
/* conn_h1.c - HTTP/1.1 over a connection: one request after another, answers in their order. */
#include <stdlib.h>

#include "earnest/status.h"
#include "msg/list.h"
#include "msg/websocket.h"
#include "serve/account.h"
#include "serve/carrier.h"
#include "serve/conn_h2.h"
#include "serve/conn_ws.h"
#include "serve/content.h"
#include "serve/relay.h"
#include "serve/send.h"
#include "serve/stream.h"
#include "wire/h1_write.h"

enum { PREFACE_BYTES = 24 };

/* ---- the carrier
 * ------------------------------------------------------------------------------------ */

static struct out *
begin_head(struct exchange *x)
{
    struct out *o = &x->worker->out;

    h1_write_status(o, x->status);
    return o;
}

/* What the connection does after the answer, and what it might do (RFC 9110 7.6.1, 7.8). */
static void
write_connection(struct exchange *x, struct out *o)
{
    bool switches = x->status == ERN_101_SWITCHING_PROTOCOLS;
    struct ern_slice upgrade = switches && x->upgrades ? ERN_SLICE("h2c") : x->res.upgrade;

    if (slice_is_there(upgrade)) {
        h1_write_field(o, ERN_SLICE("Upgrade"), upgrade);
        out_literal(o, "Connection: Upgrade\r\n");
    }
    if (x->close && !switches && !x->tunnels)
        out_literal(o, "Connection: close\r\n");
    else if (x->request.version_minor == 0)
        out_literal(o, "Connection: keep-alive\r\n");
}

static void
end_head(struct exchange *x, struct out *o)
{
    x->chunked = x->unsized && x->request.version_minor > 0;
    if (x->chunked)
        out_literal(o, "Transfer-Encoding: chunked\r\n");
    else if (x->unsized)
        x->close = true; /* its end is the end of the content (RFC 9112 6.3) */
    write_connection(x, o);
    out_literal(o, "\r\n");
}

static void
send_interim(struct exchange *x, uint16_t status, struct ern_slice fields)
{
    struct out *o = &x->worker->out;

    h1_write_status(o, status);
    out_slice(o, fields);
    out_literal(o, "\r\n");
}

/* The fields lie in the connection's buffer: it stays as it is until the answer, and what has
 * arrived after them gets one of its own. */
static bool
keep_head(struct exchange *x)
{
    struct conn *c = x->conn;
    struct buffer *content = worker_buffer(x->worker);
    struct ern_slice arrived = conn_received(c);

    if (!content)
        return false;
    memcpy(content->bytes, arrived.ptr, arrived.len);
    content->len = arrived.len;
    if (c->in)
        c->in->len = c->in->at;
    x->in = c->in;
    c->in = content;
    return true;
}

static bool
want_content(struct exchange *x, bool *ret_has_begun)
{
    if (!x->in && !keep_head(x))
        return false;
    *ret_has_begun = conn_received(x->conn).len > 0;
    return true;
}

static enum parse
take_content(struct exchange *x, size_t max, struct ern_slice *ret_piece)
{
    struct buffer *buffer = x->conn->in;
    struct ern_slice all = conn_received(x->conn);
    size_t n = all.len < max ? all.len : max;
    struct ern_slice in = slice_first(all, n);
    enum parse state = PARSE_MORE;

    *ret_piece = ERN_SLICE("");
    while (state == PARSE_MORE && in.len && ret_piece->len == 0)
        state = h1_content_feed(&x->h1.content, &in, ret_piece);
    if (buffer)
        buffer->at += n - in.len;
    if (state == PARSE_BAD)
        x->finding = x->h1.content.finding;
    return state;
}

static bool
open_tunnel(struct exchange *x)
{
    h1_content_open(&x->h1.content, x->worker->limits);
    return x->in || keep_head(x);
}

static void resume(struct exchange *x);

const struct carrier h1_carrier = {
    .begin_head = begin_head,
    .end_head = end_head,
    .interim = send_interim,
    .want = want_content,
    .take = take_content,
    .tunnel = open_tunnel,
    .resume = resume,
};

/* ---- steps
 * ------------------------------------------------------------------------------------------ */

static struct exchange *
take_exchange(struct worker *w, struct conn *c)
{
    struct exchange *x = exchange_take(w, c, &h1_carrier);

    if (x)
        h1_head_init(&x->h1.head, w->limits);
    return x;
}

/* The request is the first of HTTP/2, or was the last. Returns false if it cannot be done. */
static bool
change_protocol(struct worker *w, struct conn *c, struct exchange *x)
{
    bool is_open;

    if (x->upgrades)
        return h2_open_upgraded(w, c, x);
    is_open = ws_open(c, x);
    c->stage = CONN_READING;
    exchange_done(x);
    return is_open;
}

/* The answer is out, or cut: what of the exchange is left to do? */
static void
finish_answer(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;

    account(x);
    x->stage = EXCHANGE_ANSWERED;
    relay_drop(x->relay);
    if (x->status == ERN_101_SWITCHING_PROTOCOLS && !x->tunnels) {
        c->exchange = NULL;
        if (!change_protocol(w, c, x))
            conn_close(w, c);
        return;
    }
    c->closing = x->close;
    if (x->content_state == PARSE_MORE && !x->close) {
        c->stage = CONN_DRAINING;
        return;
    }
    c->polite = x->peer_closes && x->content_state == PARSE_DONE;
    c->exchange = NULL;
    c->stage = CONN_READING;
    exchange_done(x);
}

/* The rest of the answer is not to be had. What there is of it goes out before the end does: by its
 * framing a client knows that it was cut (RFC 9112 8). */
static void
cut_answer(struct worker *w, struct conn *c)
{
    c->exchange->aborted = true;
    if (send_flush(w, c, false) != SENT_BLOCKED || c->pending == NULL)
        conn_close(w, c);
}

/* One step of an answer on its way. Returns false if it has to wait. */
static bool
step_send(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;
    enum sent sent;

    if (x->aborted || (x->relay && !relay_take(x, c->ended))) {
        cut_answer(w, c);
        return false;
    }
    sent = send_segments(w, c);
    if (sent == SENT && stream_has_more(x)) {
        switch (stream_next(x)) {
        case STREAM_HERE:
            return true;
        case STREAM_LATER:
            c->stage = CONN_WAITING;
            return false;
        case STREAM_CUT:
            cut_answer(w, c);
            return false;
        }
    }
    if (sent == SENT_BROKEN) {
        conn_close(w, c);
        return false;
    }
    if (sent == SENT_BLOCKED)
        return false;
    finish_answer(w, c);
    return c->protocol == &h1_protocol;
}

/* The decision went as far as it could: to an answer, to content that it needs, or to a wait.
 * Returns false if it has to wait. */
static bool
decided(struct worker *w, struct conn *c, bool is_answered)
{
    c->stage = is_answered ? CONN_SENDING : CONN_WAITING;
    if (is_answered || !content_is_wanted(c->exchange))
        return is_answered || c->exchange->relay;
    if (!content_begin(c->exchange)) {
        conn_close(w, c);
        return false;
    }
    c->stage = CONN_TAKING;
    return true;
}

/* Looks at the framing of what content has arrived, so that a malformed message is known as one. */
static void
preview_content(struct exchange *x, struct ern_slice rest)
{
    struct h1_content content;
    struct ern_slice all = rest, piece;
    enum parse state = PARSE_MORE;

    h1_content_init(&x->h1.content, x->worker->limits, &x->request);
    x->content_state = PARSE_MORE;
    for (content = x->h1.content; state == PARSE_MORE && rest.len;)
        state = h1_content_feed(&content, &rest, &piece);
    if (state == PARSE_BAD) {
        x->finding = content.finding;
        x->finding_at = (int64_t)(x->h1.head.at + all.len - rest.len);
    }
}

/* Does the client end the connection after this request (RFC 9112 9.3)? */
static bool
peer_closes(const struct ern_request *r)
{
    if (r->version_minor == 0)
        return !list_has(r, ERN_FIELD_connection, ERN_SLICE("keep-alive"));
    return ern_request_has(r, ERN_FIELD_connection) &&
           list_has(r, ERN_FIELD_connection, ERN_SLICE("close"));
}

/* RFC 7540 3.2: does it ask for h2c, in a way that can be granted? Content would have to be read
 * before the first frame. */
static bool
asks_h2c(const struct conn *c, const struct ern_request *r)
{
    return c->listener->http2 && !c->tls && ern_request_has(r, ERN_FIELD_http2_settings) &&
           r->version_minor > 0 && !r->chunked && r->content_length <= 0 &&
           list_has(r, ERN_FIELD_upgrade, ERN_SLICE("h2c")) && !websocket_is_asked(r) &&
           list_has(r, ERN_FIELD_connection, ERN_SLICE("http2-settings"));
}

/* The head is read, or found to be wrong: the exchange begins. */
static void
begin_exchange(struct conn *c, struct exchange *x, enum parse state)
{
    struct buffer *in = c->in;

    x->message = x->request.method_text.ptr;
    if (state == PARSE_BAD) {
        x->finding = x->h1.head.finding;
        x->finding_at = (int64_t)x->h1.head.finding_at;
        x->finding_field = x->h1.head.finding_field;
        in->at = in->len;
        return;
    }
    in->at += x->h1.head.at;
    if (x->request.chunked || x->request.content_length > 0)
        preview_content(x, conn_received(c));
    x->peer_closes = !x->finding && peer_closes(&x->request);
    x->upgrades = !x->finding && asks_h2c(c, &x->request);
    x->early = c->early;
}

/* rfc9113#3.4 "In HTTP/2, each endpoint is required to send a connection preface": is what has come
 * that, or the beginning of it? */
static bool
is_preface(struct ern_slice in)
{
    static const struct ern_slice preface = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24};

    return in.len < preface.len ? slice_starts(preface, in) : slice_starts(in, preface);
}

/* Reads the head of the next request. Returns false if it is not all there. */
static bool
step_read(struct worker *w, struct conn *c)
{
    struct ern_slice in = conn_received(c);
    struct exchange *x;
    enum parse state;

    if (in.len == 0)
        return false;
    if (in.ptr[0] == 'P' && !c->begun && c->listener->http2 && !c->tls && is_preface(in)) {
        if (in.len >= PREFACE_BYTES && !h2_open(w, c))
            conn_close(w, c);
        return false;
    }
    x = take_exchange(w, c);
    if (!x) {
        conn_close(w, c);
        return false;
    }
    state = h1_head_feed(&x->h1.head, in, &x->request);
    if (state == PARSE_MORE) {
        exchange_done(x);
        return false;
    }
    begin_exchange(c, x, state);
    c->exchange = x;
    c->head_done = c->begun = true;
    if (x->early && !keep_head(x)) { /* the handshake is read on while the request is answered */
        conn_close(w, c);
        return false;
    }
    return decided(w, c, exchange_answer(x));
}

/* Takes content for the resource. Returns false if it has to wait. */
static bool
step_take(struct worker *w, struct conn *c)
{
    enum taken taken = content_take(c->exchange);

    if (taken == TAKEN_MORE && c->ended)
        taken = content_end(c->exchange, SINK_MALFORMED);
    if (taken == TAKEN_BUSY)
        c->stage = CONN_WAITING;
    return taken == TAKEN_ALL && decided(w, c, exchange_resume(c->exchange));
}

/* Content goes on to upstream while its answer is waited for. Returns false if it has to wait. */
static bool
step_wait(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;

    if (!x->relay || relay_take(x, c->ended))
        return false;
    if (x->stage == EXCHANGE_DECIDING)
        return decided(w, c, exchange_resume(x));
    conn_close(w, c);
    return false;
}

/* Reads and drops content that nobody wanted. Returns false if there is more to come. */
static bool
step_drain(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;
    struct ern_slice piece;

    do {
        x->content_state = take_content(x, SIZE_MAX, &piece);
        x->drained_bytes += piece.len;
    } while (x->content_state == PARSE_MORE && piece.len);
    if (x->content_state == PARSE_BAD || (int64_t)x->drained_bytes > w->limits->drain_bytes_max)
        c->closing = true;
    else if (x->content_state == PARSE_MORE)
        return false;
    c->exchange = NULL;
    c->stage = CONN_READING;
    exchange_done(x);
    return true;
}

/* ---- the protocol
 * ------------------------------------------------------------------------------------ */

static void
proceed(struct worker *w, struct conn *c)
{
    bool goes = true;

    while (goes) {
        if (c->pending || w->out.len > w->out.cap / 2) {
            enum sent sent = send_flush(w, c, false);

            if (sent == SENT_BROKEN)
                conn_close(w, c);
            if (sent != SENT)
                return;
        }
        switch ((enum conn_stage)c->stage) {
        case CONN_READING:
            if (c->closing) {
                conn_end(w, c);
                return;
            }
            goes = step_read(w, c);
            break;
        case CONN_SENDING:
            goes = step_send(w, c);
            break;
        case CONN_DRAINING:
            goes = step_drain(w, c);
            break;
        case CONN_TAKING:
            goes = step_take(w, c);
            break;
        case CONN_WAITING:
            goes = step_wait(w, c);
            break;
        case CONN_LINGERING:
        case CONN_CLOSED:
            return;
        }
    }
    if (c->stage != CONN_CLOSED && c->protocol != &h1_protocol)
        c->protocol->proceed(w, c);
}

static bool
reads(const struct conn *c)
{
    return c->stage == CONN_READING || c->stage == CONN_DRAINING || c->stage == CONN_TAKING ||
           (c->exchange && c->exchange->relay && relay_wants(c->exchange->relay));
}

static struct timer_list *
watch(struct worker *w, const struct conn *c)
{
    switch ((enum conn_stage)c->stage) {
    case CONN_READING:
        return conn_received(c).len ? &w->heads : &w->idles;
    case CONN_DRAINING:
    case CONN_TAKING:
        return &w->contents;
    case CONN_SENDING:
        return &w->sends;
    case CONN_WAITING:
        if (!c->exchange->relay)
            return &w->waits;
        if ((c->ended || c->hung_up) && !c->exchange->tunnels)
            return &w->halves;
        return relay_awaits(c->exchange->relay) ? &w->contents : &w->relays;
    case CONN_LINGERING:
    case CONN_CLOSED:
        break;
    }
    return NULL;
}

static void
resume(struct exchange *x)
{
    struct conn *c = x->conn;
    struct worker *w = x->worker;

    assert(c->stage == CONN_WAITING);
    if (x->stage == EXCHANGE_TAKING)
        c->stage = CONN_TAKING;
    else if (x->stage == EXCHANGE_DECIDING)
        (void)decided(w, c, exchange_resume(x));
    else
        c->stage = CONN_SENDING;
    conn_resume(w, c);
}

void
h1_refuse(struct worker *w, struct conn *c, enum ern_fact fact)
{
    struct exchange *x = take_exchange(w, c);

    if (!x) {
        conn_close(w, c);
        return;
    }
    if (c->in)
        (void)h1_head_feed(&x->h1.head, conn_received(c), &x->request);
    c->exchange = x;
    exchange_refuse(x, fact);
    c->stage = CONN_SENDING;
    proceed(w, c);
}

/* Content stopped arriving: the resource decides without the rest. */
static void
end_content(struct worker *w, struct conn *c)
{
    if (content_end(c->exchange, SINK_LATE) == TAKEN_BUSY)
        c->stage = CONN_WAITING;
    proceed(w, c);
}

/* Content that goes on to upstream stopped arriving: the request is decided without it. */
static void
end_relayed(struct worker *w, struct conn *c)
{
    if (!content_is_slow(c->exchange))
        return;
    relay_refuse(c->exchange, FINDING_timed_out);
    (void)decided(w, c, exchange_resume(c->exchange));
    proceed(w, c);
}

static void
expired(struct worker *w, struct conn *c)
{
    struct timer_list *list = c->list;

    c->list = NULL; /* the timer starts anew, where there is something to wait for */
    if (list == &w->heads)
        h1_refuse(w, c, ERN_FACT_timed_out);
    else if (list == &w->waits)
        exchange_tell_progress(c->exchange);
    else if (list == &w->relays) /* upstream has times of its own */
        return;
    else if (list == &w->halves) /* RFC 9112 9.5: a closure is responded to */
        conn_close(w, c);
    else if (c->stage == CONN_WAITING)
        end_relayed(w, c);
    else if (c->stage != CONN_TAKING)
        conn_close(w, c);
    else if (content_is_slow(c->exchange))
        end_content(w, c);
}

static void
secured(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;

    if (!x || !x->awaits)
        return;
    x->early = false;
    (void)decided(w, c, exchange_answer(x));
    proceed(w, c);
}

static bool
outlives_peer(const struct conn *c)
{
    return c->stage != CONN_READING && c->stage != CONN_DRAINING;
}

/* Its client may send a request at any moment: only an answer can say that it was the last. */
static void
leave(struct worker *w, struct conn *c, bool at_once)
{
    if (!at_once)
        return;
    c->polite = true; /* it is idle: no answer is on its way that a reset could destroy */
    conn_end(w, c);
}

static void
closed(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;

    (void)w;
    c->exchange = NULL;
    if (x)
        exchange_leave(x, c->stage == CONN_WAITING, &c->in);
}

const struct protocol h1_protocol = {
    .proceed = proceed,
    .reads = reads,
    .watch = watch,
    .expired = expired,
    .secured = secured,
    .outlives_peer = outlives_peer,
    .leave = leave,
    .closed = closed,
};
