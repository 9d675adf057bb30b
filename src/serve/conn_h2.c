/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_h2.c - HTTP/2 over a connection: many exchanges at once, each on its stream. What comes is
 * gathered by the events of wire/h2.h; advance() makes of it what can be made.
 */
#include "serve/conn_h2.h"

#include <stdlib.h>

#include "serve/account.h"
#include "serve/carrier.h"
#include "serve/content.h"
#include "serve/live.h"
#include "serve/relay.h"
#include "serve/send.h"
#include "serve/stream.h"

enum {
    TURN_BYTES = 1 << 20, /* that go out before other connections have their turn */
    FEED_BYTES = 1024,    /* that are read before what they ask for is answered: few at a time */
};

struct h2_conn {
    struct h2 session;
    struct worker *worker;
    struct conn *conn;
    struct exchange *first; /* all that are in progress, the youngest first */
};

static struct h2 *
session_of(const struct exchange *x)
{
    return &x->conn->h2->session;
}

static struct exchange *
exchange_of(struct h2_stream *stream)
{
    return (struct exchange *)(void *)((char *)stream -
                                       __builtin_offsetof(struct exchange, h2.stream));
}

/* ---- the carrier
 * ------------------------------------------------------------------------------------ */

static struct out *
begin_head(struct exchange *x)
{
    struct out *o = &x->worker->head;

    o->len = 0;
    o->full = false;
    return o;
}

static void
end_head(struct exchange *x, struct out *o)
{
    bool has_content = stream_has_more(x) || x->segments_n || exchange_switches(x);
    char *memory = arena_take(&x->arena, o->len);
    struct out kept = out_init(memory, memory ? o->len : 0);

    out_slice(&kept, out_done(o));
    h2_answer(session_of(x), &x->h2.stream, x->status, memory ? &kept : o, memory != NULL,
              has_content);
}

static void
send_interim(struct exchange *x, uint16_t status, struct ern_slice fields)
{
    struct out *o = begin_head(x);

    out_slice(o, fields);
    if (!o->full)
        h2_interim(session_of(x), &x->h2.stream, status, o);
}

static bool
want_content(struct exchange *x, bool *ret_has_begun)
{
    *ret_has_begun = x->h2.held_n > 0 || x->h2.stream.ended;
    return true;
}

static enum parse
take_content(struct exchange *x, size_t max, struct ern_slice *ret_piece)
{
    struct exchange_h2 *h = &x->h2;
    size_t n = h->held_n < max ? h->held_n : max;

    *ret_piece = slice_from(h->held + h->held_at, n);
    h2_taken(session_of(x), &h->stream, n);
    h->held_n -= n;
    h->held_at = h->held_n ? h->held_at + n : 0; /* the bytes stay until more are held */
    return h->stream.ended && h->held_n == 0 ? PARSE_DONE : PARSE_MORE;
}

static bool
open_relayed(struct exchange *x)
{
    (void)x;
    return true;
}

static void advance(struct exchange *x);

static void
resume(struct exchange *x)
{
    struct conn *c = x->conn;

    x->h2.is_waiting = false;
    if (x->stage == EXCHANGE_SENDING)
        h2_go_on(session_of(x), &x->h2.stream);
    else
        advance(x);
    conn_resume(x->worker, c);
}

const struct carrier h2_carrier = {
    .begin_head = begin_head,
    .end_head = end_head,
    .interim = send_interim,
    .want = want_content,
    .take = take_content,
    .tunnel = open_relayed,
    .resume = resume,
};

/* ---- tunnels: streams that speak WebSocket (RFC 8441) ----------------------------------------
 */

static void
wake(struct worker *w, void *self)
{
    struct exchange *x = self;

    h2_go_on(session_of(x), &x->h2.stream);
    conn_stir(w, x->conn);
}

/* What came in the tunnel of a client. */
static void
feed_tunnel(struct exchange *x, struct ern_slice piece)
{
    ws_session_feed(live_session(x->h2.live), piece, x->worker->now.run_ms);
    h2_taken(session_of(x), &x->h2.stream, piece.len);
    h2_go_on(session_of(x), &x->h2.stream);
}

/* How much goes to it, as offer() says it. */
static ssize_t
offer_tunnel(struct exchange *x, size_t cap, bool *ret_end)
{
    struct ws_session *s = live_session(x->h2.live);
    size_t n = ws_session_unsent(s).len;

    *ret_end = ws_session_is_over(s);
    if (n)
        return (ssize_t)(n < cap ? n : cap);
    return *ret_end ? 0 : H2_LATER;
}

static bool
give_tunnel(struct exchange *x, char *bytes, size_t n)
{
    struct ws_session *s = live_session(x->h2.live);

    assert(n <= ws_session_unsent(s).len);
    if (n)
        memcpy(bytes, ws_session_unsent(s).ptr, n);
    ws_session_sent(s, n);
    return true;
}

/* The answer to an extended CONNECT is written: its stream is WebSocket from now on (RFC 8441 5).
 */
static void
open_tunnel(struct exchange *x)
{
    account(x);
    x->stage = EXCHANGE_ANSWERED;
    x->h2.live = live_open(x, wake, x);
    if (!x->h2.live)
        h2_reset(session_of(x), &x->h2.stream);
    else if (x->h2.held_n)
        feed_tunnel(x, slice_from(x->h2.held, x->h2.held_n));
    x->h2.held_n = 0;
    if (x->h2.live && x->h2.stream.ended)
        ws_session_cut(live_session(x->h2.live), x->worker->now.run_ms);
}

/* Says goodbye in all tunnels: the server ends. */
static void
leave_tunnels(struct conn *c)
{
    for (struct exchange *x = c->h2->first; x; x = x->h2.next)
        if (x->h2.live) {
            ws_session_close(live_session(x->h2.live), WS_GOING_AWAY, ERN_ABSENT,
                             x->worker->now.run_ms);
            h2_go_on(session_of(x), &x->h2.stream);
        }
}

/* ---- exchanges
 * -------------------------------------------------------------------------------------- */

/* Goes on as far as it can: to an answer, to content that it needs, or to a wait. */
static void
advance(struct exchange *x)
{
    bool is_answered = false;
    enum taken taken;

    if (x->h2.is_waiting || x->stage > EXCHANGE_TAKING)
        return;
    if (x->stage == EXCHANGE_TAKING) {
        taken = content_take(x);
        x->h2.is_waiting = taken == TAKEN_BUSY;
        if (taken != TAKEN_ALL)
            return;
        is_answered = exchange_resume(x);
    } else if (x->h2.is_new) {
        x->h2.is_new = false;
        is_answered = exchange_answer(x);
    } else {
        is_answered = exchange_resume(x);
    }
    if (is_answered) {
        if (exchange_switches(x) && !x->tunnels)
            open_tunnel(x);
        return;
    }
    x->h2.is_waiting = x->awaits || !content_is_wanted(x);
    if (x->h2.is_waiting)
        return;
    if (content_begin(x))
        advance(x); /* at most once: it is TAKING now */
    else
        h2_reset(session_of(x), &x->h2.stream);
}

static void
enter(struct h2_conn *h, struct exchange *x)
{
    x->h2.next = h->first;
    x->h2.link = &h->first;
    if (h->first)
        h->first->h2.link = &x->h2.next;
    h->first = x;
}

/* The stream is over: so is the exchange, but for a job that still has it. */
static void
leave_stream(struct exchange *x)
{
    struct buffer *none = NULL;

    *x->h2.link = x->h2.next;
    if (x->h2.next)
        x->h2.next->h2.link = x->h2.link;
    live_close(x->h2.live);
    h2_dropped(session_of(x), x->h2.held_n);
    free(x->h2.held);
    x->h2.held = NULL;
    exchange_leave(x, x->h2.is_waiting, &none);
}

static struct exchange *
new_exchange(struct worker *w, struct conn *c)
{
    struct exchange *x = exchange_take(w, c, &h2_carrier);

    if (!x)
        return NULL;
    x->h2 = (struct exchange_h2){.stream = {.request = &x->request}};
    enter(c->h2, x);
    return x;
}

/* ---- events
 * ----------------------------------------------------------------------------------------- */

static struct h2_stream *
begun(void *self)
{
    struct h2_conn *h = self;
    struct worker *w = h->worker;
    struct exchange *x = new_exchange(w, h->conn);

    if (!x)
        return NULL;
    x->early = h->conn->early;
    x->h2.stream.text = arena_out(&x->arena);
    x->h2.stream.text.cap /= 2; /* the answer wants memory, too */
    return &x->h2.stream;
}

static void
head_came(void *self, struct h2_stream *stream)
{
    struct exchange *x = exchange_of(stream);

    (void)self;
    (void)arena_keep(&x->arena, &stream->text);
    x->finding = stream->finding;
    x->finding_field = stream->finding_field;
    x->content_state = stream->ended ? PARSE_DONE : PARSE_MORE;
    x->h2.is_new = true;
}

/* Room for n bytes more; false without memory. The window bounds it. */
static bool
hold(struct exchange_h2 *h, size_t n)
{
    size_t cap = h->held_n + n;
    char *held;

    if (h->held_at)
        memmove(h->held, h->held + h->held_at, h->held_n);
    h->held_at = 0;

    if (cap <= h->held_cap)
        return true;
    held = realloc(h->held, cap);
    if (!held)
        return false;
    h->held = held;
    h->held_cap = cap;
    return true;
}

/* Does content of the request go on to upstream? */
static bool
is_relayed(const struct exchange *x)
{
    return x->relay && x->relay->upstream;
}

static void
content_came(void *self, struct h2_stream *stream, struct ern_slice piece)
{
    struct exchange *x = exchange_of(stream);
    struct h2_conn *h = self;

    if (x->h2.live) {
        feed_tunnel(x, piece);
        return;
    }
    if (x->stage > EXCHANGE_TAKING &&
        !is_relayed(x)) { /* nobody wants it: there is no more than fits its window */
        h2_dropped(&h->session, piece.len);
        return;
    }
    if (!hold(&x->h2, piece.len)) {
        h2_dropped(&h->session, piece.len);
        h2_reset(&h->session, stream);
        return;
    }
    memcpy(x->h2.held + x->h2.held_n, piece.ptr, piece.len);
    x->h2.held_n += piece.len;
}

static void
content_ended(void *self, struct h2_stream *stream)
{
    struct exchange *x = exchange_of(stream);

    (void)self;
    if (x->stage > EXCHANGE_TAKING && !is_relayed(x))
        x->content_state = PARSE_DONE;
    if (x->h2.live) {
        ws_session_cut(live_session(x->h2.live), x->worker->now.run_ms);
        h2_go_on(session_of(x), &x->h2.stream);
    }
}

static ssize_t
offer(void *self, struct h2_stream *stream, size_t cap, bool *ret_end)
{
    struct exchange *x = exchange_of(stream);
    uint64_t left = 0;
    bool more;

    (void)self;
    if (x->h2.live)
        return offer_tunnel(x, cap, ret_end);
    for (;;) {
        enum stream_next next;

        if (x->aborted)
            return H2_CUT;
        for (unsigned i = x->segment; i < x->segments_n && left <= cap; i++)
            left += x->segments[i].left;
        more = stream_has_more(x);
        *ret_end = left <= cap && !more;
        if (left || *ret_end)
            return (ssize_t)(left < cap ? left : cap);
        next = stream_next(x);
        x->h2.is_waiting = next == STREAM_LATER;
        if (next != STREAM_HERE)
            return next == STREAM_LATER ? H2_LATER : H2_CUT;
    }
}

static bool
give(void *self, struct h2_stream *stream, char *bytes, size_t n)
{
    struct exchange *x = exchange_of(stream);
    struct h2_conn *h = self;

    if (x->h2.live)
        return give_tunnel(x, bytes, n);
    h->conn->timer.active_ms = (uint32_t)h->worker->now.run_ms;
    return send_copy(x, bytes, n) == (ssize_t)n;
}

/* A client that still sends content has time to read the answer before it is stopped, as one of
 * HTTP/1.1 has before the connection ends. */
static void
answered(void *self, struct h2_stream *stream)
{
    struct exchange *x = exchange_of(stream);

    (void)self;
    if (x->h2.live) { /* which is in the log since its head was written */
        live_close(x->h2.live);
        x->h2.live = NULL;
        return;
    }
    account(x);
    relay_drop(x->relay);
    x->stage = EXCHANGE_ANSWERED;
}

static void
stream_closed(void *self, struct h2_stream *stream)
{
    (void)self;
    leave_stream(exchange_of(stream));
}

static const struct h2_events events = {
    .begin = begun,
    .head = head_came,
    .content = content_came,
    .end = content_ended,
    .offer = offer,
    .give = give,
    .answered = answered,
    .closed = stream_closed,
};

/* ---- the protocol
 * ------------------------------------------------------------------------------------ */

/* Writes frames until there are none, the peer takes no more, or others have their turn. */
static void
pump(struct worker *w, struct conn *c)
{
    struct h2 *h2 = &c->h2->session;
    size_t turn = 0;

    c->stage = CONN_READING;
    do {
        enum sent sent = w->out.len > w->out.cap / 2 || c->pending ? send_flush(w, c, false) : SENT;
        size_t before = w->out.len;

        if (sent == SENT_BLOCKED) {
            c->stage = CONN_SENDING;
            return;
        }
        if (sent == SENT_BROKEN || !h2_send(h2, &w->out)) {
            conn_close(w, c);
            return;
        }
        if (w->out.len == before) /* nothing more may be sent: the windows are closed */
            return;
        turn += w->out.len - before;
    } while (turn < TURN_BYTES);
    c->stage = CONN_SENDING;
    conn_again(w, c);
}

/* Content goes on to upstream, for as long as the request is not at fault. */
static void
feed_relay(struct exchange *x)
{
    if (relay_take(x, false))
        return;
    x->h2.is_waiting = false;
    if (x->stage == EXCHANGE_DECIDING)
        advance(x);
    else
        h2_reset(session_of(x), &x->h2.stream);
}

static void
advance_all(struct h2_conn *h)
{
    struct exchange *x, *next;

    for (x = h->first; x; x = next) {
        next = x->h2.next;
        if (!x->relay && (x->h2.is_new || x->stage == EXCHANGE_TAKING))
            advance(x);
        if (x->relay)
            feed_relay(x);
    }
}

static void
proceed(struct worker *w, struct conn *c)
{
    struct h2_conn *h = c->h2;
    struct ern_slice in;

    if (w->draining) {
        h2_leave(&h->session);
        leave_tunnels(c);
    }
    do {
        in = conn_received(c);
        in = slice_first(in, in.len < FEED_BYTES ? in.len : FEED_BYTES);
        if (in.len)
            c->in->at += in.len;
        if (in.len && !h2_feed(&h->session, in, w->now.run_ms))
            c->closing = true;
        advance_all(h);
        pump(w, c);
    } while (c->stage == CONN_READING && !c->closing && !c->pending && conn_received(c).len);
    if (c->stage != CONN_CLOSED && (c->closing || h2_is_over(&h->session)))
        conn_end(w, c);
}

static bool
reads(const struct conn *c)
{
    return !c->closing;
}

static struct timer_list *
watch(struct worker *w, const struct conn *c)
{
    struct timer_list *list = c->h2->first ? NULL : &w->idles;

    for (const struct exchange *x = c->h2->first; x; x = x->h2.next) {
        if (x->stage == EXCHANGE_SENDING && !x->h2.is_waiting)
            return &w->sends; /* the peer's windows are closed */
        if (x->relay) {
            if (relay_awaits(x->relay))
                list = list == &w->heads ? list : &w->contents;
            else
                list = list ? list : &w->relays;
            continue;
        }
        if (x->h2.live)
            list = list ? list : &w->waits;
        else if (!x->h2.stream.head_done)
            list = &w->heads;
        else if (x->stage == EXCHANGE_TAKING && !x->h2.is_waiting)
            list = list == &w->heads ? list : &w->contents;
        else if (x->stage == EXCHANGE_ANSWERED && !list)
            list = &w->lingers;
        else if (!list)
            list = &w->waits;
    }
    return list;
}

static void
expired(struct worker *w, struct conn *c)
{
    struct timer_list *list = c->list;
    struct exchange *x, *next;

    c->list = NULL; /* the timer starts anew, where there is something to wait for */
    for (x = c->h2->first; x; x = next) {
        next = x->h2.next;
        if (x->h2.live) {
            ws_session_tick(live_session(x->h2.live), w->now.run_ms);
            h2_go_on(&c->h2->session, &x->h2.stream);
        } else if (list == &w->heads && !x->h2.stream.head_done) {
            h2_reset(&c->h2->session, &x->h2.stream);
        } else if (x->stage == EXCHANGE_ANSWERED) {
            h2_stop(&c->h2->session, &x->h2.stream);
        } else if (x->relay) {
            if (list == &w->contents && relay_awaits(x->relay) && content_is_slow(x)) {
                relay_refuse(x, FINDING_timed_out);
                x->h2.is_waiting = false;
                advance(x);
            }
        } else if (list == &w->waits) {
            exchange_tell_progress(x);
        } else if (list == &w->contents && x->stage == EXCHANGE_TAKING && !x->h2.is_waiting &&
                   content_is_slow(x)) {
            x->h2.is_waiting = content_end(x, SINK_LATE) == TAKEN_BUSY;
            advance(x);
        }
    }
    proceed(w, c);
}

static void
secured(struct worker *w, struct conn *c)
{
    for (struct exchange *x = c->h2->first; x; x = x->h2.next) {
        if (!x->awaits)
            continue;
        x->early = x->h2.is_waiting = false;
        x->h2.is_new = true;
    }
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
    h2_leave(&c->h2->session);
    leave_tunnels(c);
    pump(w, c);
    if (c->stage == CONN_CLOSED)
        return;
    if (at_once)
        conn_end(w, c);
    else if (send_flush(w, c, false) == SENT_BROKEN)
        conn_close(w, c);
}

static void
closed(struct worker *w, struct conn *c)
{
    (void)w;
    while (c->h2->first)
        leave_stream(c->h2->first);
    h2_end(&c->h2->session);
    free(c->h2);
    c->h2 = NULL;
}

const struct protocol h2_protocol = {
    .proceed = proceed,
    .reads = reads,
    .watch = watch,
    .expired = expired,
    .secured = secured,
    .outlives_peer = outlives_peer,
    .leave = leave,
    .closed = closed,
};

bool
h2_open(struct worker *w, struct conn *c)
{
    struct h2_conn *h = malloc(sizeof *h);

    if (!h)
        return false;
    h->worker = w;
    h->conn = c;
    h->first = NULL;
    if (h2_begin(&h->session, w->limits, &w->spare.memory, &events, h, w->now.run_ms) != 0) {
        free(h);
        return false;
    }
    c->h2 = h;
    c->protocol = &h2_protocol;
    return true;
}

bool
h2_open_upgraded(struct worker *w, struct conn *c, struct exchange *x)
{
    struct ern_slice settings = ern_request_field(&x->request, ERN_FIELD_http2_settings);
    bool has_begun, is_head = x->request.method == ERN_HEAD;

    if (!x->carrier->want(x, &has_begun) || !h2_open(w, c)) {
        exchange_done(x);
        return false;
    }
    x->carrier = &h2_carrier;
    x->h2 = (struct exchange_h2){.stream = {.request = &x->request}};
    enter(c->h2, x);
    if (!h2_upgrade(&c->h2->session, settings, is_head, &x->h2.stream))
        return false;
    x->upgrades = false;
    ern_state(&x->given, ERN_FACT_upgrades, false);
    x->res.again = true;
    x->stage = EXCHANGE_DECIDING;
    advance(x);
    return true;
}
