/* SPDX-License-Identifier: Apache-2.0 */
/* relay_answer.c - what comes back from upstream: interim answers, the head, and content. */
#include <errno.h>
#include <sys/epoll.h>

#include "earnest/status.h"
#include "msg/hop.h"
#include "serve/cached.h"
#include "serve/carrier.h"
#include "serve/conn.h"
#include "serve/relay_parts.h"

enum { TURN_BYTES = 1 << 18 /* of an answer, that go on before others have their turn */ };

/* ---- the head ----------------------------------------------------------------------------------
 */

/*
 * Does this client get the interim answer?
 *
 * rfc9110#15.2 "A proxy MUST forward 1xx responses unless the proxy itself requested the generation
 * of the 1xx response."
 */
static bool
passes_interim(const struct exchange *x, uint16_t status)
{
    const struct ern_request *r = &x->request;

    if ((r->version_major == 1 && r->version_minor == 0) || !x->carrier->interim)
        return false;
    return status != ERN_103_EARLY_HINTS || hop_takes_hints(r);
}

/* Passes on an interim answer, whose head was read. */
static void
pass_interim(struct relay *r)
{
    struct exchange *x = r->exchange;
    uint16_t status = r->answer.status;
    struct out fields = arena_out(&x->arena); /* not kept: they are written at once */

    if (status == ERN_100_CONTINUE)
        r->continued = true;
    if (!passes_interim(x, status))
        return;
    relay_write_fields(r, &fields);
    if (!fields.full)
        x->carrier->interim(x, status, out_done(&fields));
}

/* The next head begins where an interim one ended: what came of it moves to the front, for it must
 * stay where it is while it is read. */
static void
begin_next(struct relay *r)
{
    struct buffer *in = r->upstream->in;

    in->len -= in->at;
    memmove(in->bytes, in->bytes + in->at, in->len);
    in->at = 0;
    h1_answer_init(&r->answer, upstreams_limits(relay_upstreams(r)), r->fields,
                   (uint16_t)upstreams_limits(relay_upstreams(r))->fields_max);
}

/* Has upstream changed to a protocol that nobody asked for, or not as it was asked? */
static bool
is_unasked_switch(const struct relay *r)
{
    return r->answer.status == ERN_101_SWITCHING_PROTOCOLS &&
           (!r->is_upgraded || !relay_accepts(r));
}

/* From now on bytes go both ways. */
static void
begin_tunnel(struct relay *r)
{
    r->sends = RELAY_SENDS_ALL;
    r->exchange->content_state = PARSE_MORE;
    if (!r->exchange->carrier->tunnel(r->exchange))
        relay_fail(r, RELAY_NO_ROOM);
}

void
relay_open_tunnel(struct relay *r)
{
    timer_stop(&r->timer);
    r->stage = RELAY_ANSWERING;
    r->answer.end = H1_END_TUNNEL;
    r->answer.is_last = true;
    h1_content_open(&r->content, upstreams_limits(relay_upstreams(r)));
    begin_tunnel(r);
}

/* The head of the answer is known. */
static void
begin_answer(struct relay *r)
{
    timer_stop(&r->timer);
    r->stage = RELAY_ANSWERING;
    origin_works(r->origin);
    h1_answer_content(&r->answer, upstreams_limits(relay_upstreams(r)), &r->content);
    r->upstream->in->at += r->answer.head.at;
    if (r->answer.end == H1_END_NONE)
        relay_finish(r); /* the head stays where it is until it was passed on */
    if (r->answer.end == H1_END_TUNNEL)
        begin_tunnel(r);
}

/*
 * The answer is what a path of this server stands for (RFC 3875 6.2.2): the request is to be
 * answered anew. The path is kept, for the connection goes.
 */
static void
go_elsewhere(struct relay *r)
{
    struct exchange *x = r->exchange;
    uint16_t at = 0;
    struct ern_slice location = ERN_SLICE("");
    struct out o = arena_out(&x->arena);

    (void)ern_request_named(&r->answer.message, ERN_SLICE("Location"), &at, &location);
    out_slice(&o, location);
    r->is_over = true; /* it has said all */
    relay_fail(r, exchange_redirect(x, arena_keep(&x->arena, &o)) ? RELAY_ELSEWHERE
                                                                  : r->speech->garbled);
}

static enum relay_fault
fault_of_head(const struct relay *r)
{
    return finding_row(r->answer.head.finding)->kind == FINDING_TOO_LARGE ? r->speech->large
                                                                          : r->speech->garbled;
}

/* One head, as far as it came: PARSE_DONE if it was an interim one. Anything else is the outcome,
 * or PARSE_MORE. */
static enum parse
read_head(struct relay *r)
{
    enum ern_method method = r->exchange->request.method;
    enum parse parse = r->speech->feed(&r->answer, upstream_received(r->upstream), method);

    if (parse == PARSE_MORE)
        return parse;
    if (parse == PARSE_BAD) {
        relay_fail(r, fault_of_head(r));
        return PARSE_BAD;
    }
    if (is_unasked_switch(r)) {
        relay_fail(r, r->speech->garbled);
        return PARSE_BAD;
    }
    if (r->answer.status == 0) {
        go_elsewhere(r);
        return PARSE_BAD;
    }
    if (r->answer.status / 100 != 1 || r->answer.end == H1_END_TUNNEL) {
        begin_answer(r);
        return PARSE_BAD;
    }
    if (++r->interims_n > r->exchange->worker->limits->upstream_interims_max) {
        relay_fail(r, r->speech->garbled);
        return PARSE_BAD;
    }
    r->upstream->in->at += r->answer.head.at;
    pass_interim(r);
    begin_next(r);
    return PARSE_DONE;
}

/* No more of a head comes. */
static enum relay_fault
fault_of_end(const struct relay *r, ssize_t n)
{
    switch (n) {
    case -ENOBUFS:
        return r->speech->large;
    case -ENOMEM:
        return RELAY_NO_ROOM;
    case -EBUSY:
        return RELAY_FULL;
    case -EPROTO:
        return r->speech->garbled;
    default:
        return r->speech->cut;
    }
}

/* Reads heads until the outcome is known, or no more is there. Returns whether interim answers were
 * passed on. */
static bool
read_heads(struct relay *r)
{
    bool passed = false;

    while (r->stage == RELAY_ASKING) {
        enum parse parse = upstream_received(r->upstream).len ? read_head(r) : PARSE_MORE;
        ssize_t n;

        passed |= parse == PARSE_DONE;
        if (parse != PARSE_MORE)
            continue;
        n = r->speech->receive(r);
        if (n == -EAGAIN)
            break;
        if (n <= 0)
            relay_fail(r, fault_of_end(r, n));
    }
    return passed;
}

/* ---- content -----------------------------------------------------------------------------------
 */

bool
relay_has_more(const struct relay *r)
{
    if (r->stage != RELAY_ANSWERING)
        return false;
    if (r->transform && relay_is_transformed(r))
        return relay_transform_has_more(r->transform);
    return !r->is_over || (r->transform && relay_transform_has_more(r->transform));
}

void
relay_add_piece(struct relay *r, struct ern_slice piece)
{
    struct exchange *x = r->exchange;
    struct out size = out_init(r->chunk, sizeof r->chunk);

    if (x->chunked && piece.len) {
        out_hex(&size, piece.len);
        out_literal(&size, "\r\n");
        exchange_add(x, out_done(&size));
    }
    if (piece.len)
        exchange_add(x, piece);
    if (x->chunked && piece.len)
        exchange_add(x, ERN_SLICE("\r\n"));
    if (x->chunked && !relay_has_more(r))
        exchange_add(x, ERN_SLICE("0\r\n\r\n"));
    cached_piece(x->visit, piece, r->is_over);
}

/* Is what was received a piece, or the end? PARSE_MORE and no piece: it is neither. */
static enum parse
read_piece(struct relay *r, struct ern_slice *ret_piece)
{
    struct buffer *in = r->upstream->in;
    struct ern_slice bytes = upstream_received(r->upstream);
    enum parse parse = PARSE_MORE;

    *ret_piece = ERN_SLICE("");
    while (parse == PARSE_MORE && bytes.len && ret_piece->len == 0)
        parse = h1_content_feed(&r->content, &bytes, ret_piece);
    if (in)
        in->at = in->len - bytes.len;
    return parse;
}

/* The connection ended: was that the end of the answer (RFC 9112 8)? */
static enum stream_next
end_of_connection(struct relay *r, ssize_t n)
{
    if (n < 0 || r->answer.end < H1_END_CLOSE)
        return STREAM_CUT;
    relay_finish(r);
    return STREAM_HERE;
}

/* Nothing is there at the moment. */
static enum stream_next
later(struct relay *r)
{
    r->waits = true;
    relay_watch(r, r->answer.end == H1_END_TUNNEL ? TIME_TUNNEL
                   : r->upstream->ended           ? TIME_EXIT
                                                  : TIME_STALL);
    return STREAM_LATER;
}

/* A tunnel ends after some time, however busy it is. */
static bool
is_past(const struct relay *r)
{
    const struct worker *w = r->exchange->worker;

    return r->answer.end == H1_END_TUNNEL &&
           w->now.run_ms - r->begun_ms > w->limits->tunnel_seconds_max * 1000;
}

bool
relay_yields(struct relay *r)
{
    if (r->turn < TURN_BYTES)
        return false;
    r->waits = true;
    upstreams_stir(relay_upstreams(r), r);
    return true;
}

enum stream_next
relay_receive(struct relay *r, struct ern_slice *ret_piece)
{
    timer_stop(&r->timer);
    *ret_piece = ERN_SLICE("");
    if (r->is_late || is_past(r))
        return STREAM_CUT;
    if (relay_yields(r))
        return STREAM_LATER;
    for (;;) {
        enum parse parse = read_piece(r, ret_piece);
        ssize_t n;

        if (parse == PARSE_BAD)
            return STREAM_CUT;
        if (parse == PARSE_DONE)
            relay_finish(r);
        r->turn += ret_piece->len;
        if (parse == PARSE_DONE || ret_piece->len)
            return STREAM_HERE;
        if (r->upstream->in) /* nothing of it is needed any more */
            r->upstream->in->at = r->upstream->in->len = 0;
        n = r->speech->receive(r);
        if (n == -EAGAIN)
            return later(r);
        if (n <= 0)
            return end_of_connection(r, n);
    }
}

enum stream_next
relay_next(struct relay *r)
{
    struct exchange *x = r->exchange;
    struct ern_slice piece;
    enum stream_next next;

    x->segments_n = x->segment = 0;
    if (r->transform)
        return relay_transform_next(r);
    next = relay_receive(r, &piece);
    if (next == STREAM_HERE)
        relay_add_piece(r, piece);
    return next;
}

/* ---- from the loop -----------------------------------------------------------------------------
 */

/* It has news for whoever waits: the outcome, or more of the answer; or it takes content again. */
static void
go_on(struct relay *r)
{
    struct exchange *x = r->exchange;
    bool was_asking = r->stage == RELAY_ASKING;
    bool passed = was_asking && read_heads(r);

    r->turn = 0;
    if ((was_asking && relay_is_known(r)) || r->waits)
        relay_notify(r);
    else if ((passed && x->carrier->interim) || (relay_wants(r) && x->content_state == PARSE_MORE))
        conn_resume(x->worker, x->conn);
}

/* There is a connection: TLS is begun where that is to be, and then it is asked. */
static void
secure(struct relay *r)
{
    int error = upstream_secure(r->upstream, r->origins->trust);

    if (error == 0) {
        r->upstream = upstream_share(r->upstream);
        error = r->upstream ? 0 : -ENOMEM;
    }
    if (error == 0) {
        r->upstream->relay = r;
        relay_ask(r);
    } else if (error == -ENOMEM)
        relay_fail(r, RELAY_NO_ROOM);
    else if (error != -EAGAIN)
        relay_fail(r, error == -EACCES ? RELAY_UNTRUSTED : RELAY_INSECURE);
}

/* The first word about a connection: it is there, or another address is tried. */
static void
dialled(struct relay *r)
{
    struct origin *o = r->origin;
    int error = dial_result(r->upstream->fd);

    if (!error) {
        o->preferred = (o->preferred + o->addresses_n - r->addresses_left - 1) % o->addresses_n;
        r->upstream->connected = true;
        return;
    }
    upstream_close(r->upstream);
    r->upstream = NULL;
    if (!relay_dial(r, &error))
        relay_fail(r, relay_fault_of(r, error));
}

static void
connected(struct relay *r, uint32_t events)
{
    bool is_new = !r->upstream->connected;

    if (is_new && !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
        return;
    if (is_new)
        dialled(r);
    if (r->upstream && r->upstream->connected)
        secure(r);
    if (relay_is_known(r))
        relay_notify(r);
    else if (r->stage == RELAY_ASKING)
        go_on(r);
}

void
relay_event(struct relay *r, uint32_t events)
{
    int error;

    if (r->stage == RELAY_CONNECTING) {
        connected(r, events);
        return;
    }
    error = upstream_flush(r->upstream);
    if (error && error != -EAGAIN)
        r->is_deaf = true; /* what it has said is looked at all the same */
    else
        relay_end_sending(r);
    go_on(r);
}

void
relay_again(struct relay *r)
{
    if (r->stage == RELAY_QUEUED) {
        relay_reach(r);
        if (relay_is_known(r))
            relay_notify(r);
    } else {
        go_on(r);
    }
}

void
relay_resolved(struct relay *r)
{
    if (r->origin->addresses_n)
        relay_connect(r);
    else
        relay_fail(r, RELAY_UNRESOLVED);
    if (relay_is_known(r))
        relay_notify(r);
}

void
relay_expired(struct relay *r, enum upstream_time time)
{
    if (r->stage == RELAY_ANSWERING) {
        r->is_late = time != TIME_EXIT;
        r->is_left = time == TIME_EXIT;
        if (r->waits)
            relay_notify(r);
        return;
    }
    relay_fail(r, time == TIME_CONNECT ? RELAY_SLOW_CONNECT : RELAY_SLOW_ANSWER);
    if (relay_is_known(r))
        relay_notify(r);
}
