/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/relay.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "decide/given.h"
#include "earnest/status.h"
#include "msg/language.h"
#include "msg/list.h"
#include "serve/carrier.h"
#include "serve/conn.h"
#include "serve/content.h"
#include "serve/program.h"
#include "serve/relay_parts.h"
#include "serve/upstream_h2.h"

enum { PIECE_MIN = 2048 /* content is taken when there is so much room for it */ };

/* ---- what went wrong ---------------------------------------------------------------------------
 */

/* The fact that each fault makes a no, its type in Proxy-Status (RFC 9209 2.3), and whether it
 * counts against the server. */
static const struct {
    enum ern_fact fact;
    const char *type;
    bool counts; /* not what one of its resources says: else whoever asks for it would shut out all
                  */
} faults[RELAY_FAULTS] = {
    [RELAY_NO_FAULT] = {ERN_FACTS, NULL, false},
    [RELAY_SHUT] = {ERN_FACT_up_free, "destination_unavailable", false},
    [RELAY_FULL] = {ERN_FACT_up_free, "connection_limit_reached", false},
    [RELAY_UNRESOLVED] = {ERN_FACT_up_resolved, "dns_error", true},
    [RELAY_REFUSED] = {ERN_FACT_reached, "connection_refused", true},
    [RELAY_UNREACHABLE] = {ERN_FACT_reached, "destination_ip_unroutable", true},
    [RELAY_SLOW_CONNECT] = {ERN_FACT_up_connects, "connection_timeout", true},
    [RELAY_UNTRUSTED] = {ERN_FACT_reached, "tls_certificate_error", true},
    [RELAY_INSECURE] = {ERN_FACT_reached, "tls_protocol_error", true},
    [RELAY_SLOW_ANSWER] = {ERN_FACT_up_in_time, "http_response_timeout", true},
    [RELAY_CUT] = {ERN_FACT_up_whole, "http_response_incomplete", true},
    [RELAY_TOO_LARGE] = {ERN_FACT_up_modest, "http_response_header_section_size", false},
    [RELAY_GARBLED] = {ERN_FACT_up_sane, "http_protocol_error", false},
    [RELAY_DIED] = {ERN_FACT_acted, NULL, false},
    [RELAY_BABBLED] = {ERN_FACT_acted, NULL, false},
    [RELAY_ELSEWHERE] = {ERN_FACTS, NULL, false},
    [RELAY_PROHIBITED] = {ERN_FACT_act_permitted, "destination_ip_prohibited", false},
    [RELAY_NO_ROOM] = {ERN_FACT_acted, "proxy_internal_error", false},
};

bool
relay_is_known(const struct relay *r)
{
    return r->stage >= RELAY_ANSWERING;
}

/* Says in Proxy-Status what went wrong (RFC 9209 2.1.1), and to people which byte shows it. */
static void
tell_fault(struct relay *r, struct ern_decision *d)
{
    struct exchange *x = r->exchange;
    const struct finding_row *row =
        finding_row(r->fault == RELAY_DIED ? FINDING_script_cut : r->answer.head.finding);
    bool is_head = r->fault == RELAY_GARBLED || r->fault == RELAY_BABBLED || r->fault == RELAY_DIED;
    struct out o = arena_out(&x->arena);

    if (faults[r->fault].type) {
        out_literal(&o, "Proxy-Status: ");
        out_slice(&o, x->worker->pseudonym);
        out_literal(&o, "; error=");
        out_text(&o, faults[r->fault].type);
        out_literal(&o, "\r\n");
        x->res.fields = arena_keep(&x->arena, &o);
    }
    if (is_head && row->english.len)
        d->evidence.detail =
            language_preferred(&x->request) == LANGUAGE_BN ? row->bengali : row->english;
}

static bool
is_connect(const struct ern_request *q)
{
    return q->method == ERN_CONNECT || slice_is_there(q->protocol);
}

enum ern_answer
relay_answer(struct relay *r, struct ern_decision *d, enum ern_fact fact)
{
    if (!r)
        return ERN_FAIL;
    if (!relay_is_known(r))
        return ERN_WAIT;
    if (fact == ERN_FACT_relays) {
        d->relayed = r->answer.status;
        /* A tunnel of CONNECT, extended or not, is made by us, with 200 (RFC 9110 9.3.6, RFC 8441
         * 5); one of Upgrade with upstream's 101. */
        return r->answer.end == H1_END_TUNNEL && is_connect(&r->exchange->request) ? ERN_NO
                                                                                   : ERN_YES;
    }
    if (r->stage != RELAY_FAILED || faults[r->fault].fact != fact)
        return ERN_YES;
    tell_fault(r, d);
    return ERN_NO;
}

enum ern_answer
relay_answer_of(unsigned group, struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);
    struct relay *r = x->relay;

    return relay_answer(r ? r : relay_begin(x, upstreams_group(x->worker->upstreams, group)), d,
                        fact);
}

/* ---- connections and their ends ----------------------------------------------------------------
 */

void
relay_enter(struct relay *r, struct relay **list)
{
    if (r->link) {
        *r->link = r->next;
        if (r->next)
            r->next->link = r->link;
    }
    r->next = NULL;
    r->link = list;
    if (!list)
        return;
    r->next = *list;
    if (r->next)
        r->next->link = &r->next;
    *list = r;
}

struct upstreams *
relay_upstreams(const struct relay *r)
{
    return r->exchange->worker->upstreams;
}

void
relay_watch(struct relay *r, enum upstream_time time)
{
    upstreams_time(relay_upstreams(r), &r->timer, time);
}

/* It makes no connection any more: those that waited for it go on, but not from here. */
static void
end_dialling(struct relay *r)
{
    struct origin *o = r->origin;

    if (!o || o->dialler != r)
        return;
    o->dialler = NULL;
    shared_release(o);
}

/* It has nothing to do with its origin any more. */
static void
leave_origin(struct relay *r)
{
    timer_stop(&r->timer);
    relay_enter(r, NULL);
    end_dialling(r);
    if (r->program)
        program_forget(r->program);
    if (r->upstream)
        upstream_close(r->upstream);
    if (r->origin)
        r->origin->busy_n--;
    r->program = NULL;
    r->upstream = NULL;
    r->origin = NULL;
}

void
relay_drop(struct relay *r)
{
    if (!r)
        return;
    leave_origin(r);
    if (r->last)
        worker_buffer_done(r->exchange->worker, r->last);
    r->last = NULL;
    relay_transform_drop(r);
    r->is_over = true;
    r->exchange->relay = NULL;
    if (r->origins->is_guarded) /* it was this request's alone */
        origin_end(r->origins->origin);
}

/* Is the connection good for another request? */
static bool
is_reusable(const struct relay *r)
{
    const struct upstream *u = r->upstream;
    bool asked_all = r->exchange->content_state == PARSE_DONE || r->sends == RELAY_SENDS_NOTHING;

    return !r->answer.is_last && !r->is_deaf && asked_all && !u->out && !u->ended &&
           upstream_received(u).len == 0;
}

void
relay_finish(struct relay *r)
{
    struct upstream *u = r->upstream;
    bool is_kept = is_reusable(r);

    r->is_over = true;
    r->last = u->in; /* what was taken last of it is still to be sent */
    u->in = NULL;
    if (is_kept) {
        r->upstream = NULL;
        upstream_keep(u);
    }
    leave_origin(r);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static void seek(struct relay *r);

/* May the request be sent once more? What has begun to act on it can not be told from what has not,
 * unless it does not matter (RFC 9110 9.2.2). */
static bool
may_retry(const struct relay *r, enum relay_fault fault)
{
    const struct exchange *x = r->exchange;
    const struct limits *limits = x->worker->limits;
    bool was_asked = r->stage == RELAY_ASKING;

    if (r->tries_n >= limits->upstream_tries_max || x->res.sink.total > 0)
        return false;
    if (fault > RELAY_CUT)
        return false;
    if (!was_asked)
        return true;
    return fault == RELAY_CUT && r->interims_n == 0 && upstream_received(r->upstream).len == 0 &&
           (ern_method_is_idempotent(x->request.method) || r->upstream->untouched);
}

void
relay_fail(struct relay *r, enum relay_fault fault)
{
    bool retries = may_retry(r, fault);
    /* A connection that was used before may end at any moment: that says nothing. */
    bool is_stale = fault == RELAY_CUT && r->upstream && r->upstream->reused;

    if (is_stale)
        r->tried = 0;
    else if (faults[fault].counts && r->origin)
        origin_fails(r->origin);
    leave_origin(r);
    r->fault = fault;
    r->stage = RELAY_FAILED;
    if (fault == RELAY_FULL)
        r->exchange->decision.evidence.retry_after_s = 1;
    if (retries)
        seek(r);
}

void
relay_notify(struct relay *r)
{
    struct exchange *x = r->exchange;

    r->waits = false;
    x->res.resume(&x->res);
}

/* What watches over a request that is on its way: its server, unless the client is to go on. */
static void
watch_asking(struct relay *r)
{
    if (r->upstream->out)
        relay_watch(r, TIME_STALL);
    else if (r->exchange->content_state == PARSE_DONE || r->sends == RELAY_SENDS_NOTHING ||
             !relay_awaits(r))
        relay_watch(r, TIME_ANSWER);
    else
        timer_stop(&r->timer);
}

void
relay_ask(struct relay *r)
{
    struct worker *w = r->exchange->worker;
    struct upstream *u = r->upstream;
    struct buffer *out;
    struct out o;
    int error;

    if (r->exchange->request.method == ERN_CONNECT) {
        relay_open_tunnel(r);
        return;
    }
    end_dialling(r);
    r->stage = RELAY_ASKING;
    if (r->speech->is_http)
        r->speech = u->stream ? &h2_speech : &h1_speech;
    h1_answer_init(&r->answer, upstreams_limits(relay_upstreams(r)), r->fields,
                   (uint16_t)upstreams_limits(relay_upstreams(r))->fields_max);
    r->records = (struct fcgi_reader){.end = FCGI_MORE};
    r->is_told = false;
    out = upstream_room(u);
    o = out_init(out ? out->bytes : NULL, out ? w->buffer_bytes : 0);
    r->speech->write_request(r, &o);
    if (o.full) {
        relay_fail(r, RELAY_NO_ROOM);
        return;
    }
    out->len = o.len;
    error = upstream_flush(u);
    if (error && error != -EAGAIN) {
        relay_fail(r, r->speech->cut);
        return;
    }
    relay_end_sending(r);
    watch_asking(r);
}

/* A name may stand for any address, and for another one each time it is looked up: so it is the
 * address that is judged, and just before it is dialled. */
static bool
is_guarded(const struct origins *origins, const struct ip *ip)
{
    return origins->is_guarded && ip_is_private(ip) && !networks_have(origins->reachable, ip);
}

bool
relay_dial(struct relay *r, int *ret_error)
{
    struct origin *o = r->origin;

    while (r->addresses_left > 0) {
        unsigned at = (o->preferred + o->addresses_n - r->addresses_left) % o->addresses_n;

        r->addresses_left--;
        *ret_error = -EACCES;
        if (is_guarded(r->origins, &o->address[at].ip))
            continue;
        r->upstream = upstream_open(o, &o->address[at], ret_error);
        if (!r->upstream)
            continue;
        r->upstream->relay = r;
        r->stage = RELAY_CONNECTING;
        return true;
    }
    return false;
}

enum relay_fault
relay_fault_of(const struct relay *r, int error)
{
    if (error == -EAGAIN) /* of a socket with a path: the queue of who listens is full */
        return RELAY_FULL;
    if (error == -ECONNREFUSED)
        return RELAY_REFUSED;
    if (error == -ETIMEDOUT)
        return RELAY_SLOW_CONNECT;
    if (error == -EACCES && r->origins->is_guarded)
        return RELAY_PROHIBITED;
    return error == -ENOMEM || error == -EMFILE || error == -ENFILE ? RELAY_NO_ROOM
                                                                    : RELAY_UNREACHABLE;
}

void
relay_connect(struct relay *r)
{
    int error = 0;

    r->addresses_left = r->origin->addresses_n;
    if (!relay_dial(r, &error))
        relay_fail(r, relay_fault_of(r, error));
}

void
relay_reach(struct relay *r)
{
    struct origin *o = r->origin;
    bool is_asked;

    r->upstream = upstream_idle(o);
    if (r->upstream) {
        r->upstream->relay = r;
        relay_ask(r);
        return;
    }
    if (r->stage != RELAY_QUEUED)
        relay_watch(r, TIME_CONNECT);
    if (o->shares && (o->dialler || shared_are_greeting(o))) {
        r->stage = RELAY_QUEUED;
        relay_enter(r, &o->queue);
        return;
    }
    if (o->shares && shared_are_full(o)) {
        relay_fail(r, RELAY_FULL);
        return;
    }
    if (o->shares)
        o->dialler = r;
    r->stage = RELAY_RESOLVING;
    if (origin_is_resolved(o, &is_asked))
        relay_connect(r);
    else if (is_asked)
        relay_enter(r, &o->waiting);
    else
        relay_fail(r, RELAY_FULL);
}

void
relay_started(struct relay *r, struct upstream *u, int error)
{
    r->program = NULL;
    if (u) {
        r->upstream = u;
        u->relay = r;
        relay_ask(r);
    } else {
        r->exchange->res.error = error;
        relay_fail(r, error == -ENOMEM || error == -EAGAIN ? RELAY_NO_ROOM : r->speech->cut);
    }
    if (relay_is_known(r))
        relay_notify(r);
    else
        relay_again(r);
}

/* Has this origin asked. */
static void
try_origin(struct relay *r, struct origin *o)
{
    r->origin = o;
    r->tries_n++;
    r->stage = RELAY_RESOLVING;
    o->busy_n++;
    r->speech->reach(r);
}

/* Has one of the origins asked that were not asked yet; if there is none, the last fault stays. */
static void
seek(struct relay *r)
{
    struct exchange *x = r->exchange;
    struct ip client = address_ip(&x->client);
    int64_t wait_s;
    struct origin *o = origin_choose(r->origins, r->tried, ip_client(&client), &wait_s);

    if (o) {
        r->tried |= UINT64_C(1) << (o - r->origins->origin);
        try_origin(r, o);
        return;
    }
    r->stage = RELAY_FAILED;
    if (r->fault)
        return;
    r->fault = wait_s ? RELAY_SHUT : RELAY_FULL;
    x->decision.evidence.retry_after_s = wait_s ? wait_s : 1;
}

struct relay *
relay_begin(struct exchange *x, struct origins *origins)
{
    const struct limits *limits = upstreams_limits(x->worker->upstreams);
    size_t mark = x->arena.used;
    struct relay *r = arena_take(&x->arena, sizeof *r);
    struct ern_field *fields =
        arena_take(&x->arena, (size_t)limits->fields_max * sizeof(struct ern_field));
    bool has_begun;

    if (!r || !fields || (x->content_state == PARSE_MORE && !x->carrier->want(x, &has_begun)))
        return NULL;
    *r = (struct relay){
        .exchange = x,
        .speech = origins->speech ? origins->speech : &h1_speech,
        .origins = origins,
        .fields = fields,
        .begun_ms = x->worker->now.run_ms,
        .arena_mark = mark,
    };
    if (!list_has(&x->request, ERN_FIELD_cache_control, ERN_SLICE("no-transform")))
        r->wanted = origins->wanted;
    x->relay = r;
    seek(r);
    return r;
}

/* ---- content of the request --------------------------------------------------------------------
 */

static size_t
room_of(const struct relay *r)
{
    const struct buffer *out = r->upstream->out;

    return r->exchange->worker->buffer_bytes - (out ? out->len : 0);
}

bool
relay_wants(const struct relay *r)
{
    return r->upstream && !r->is_deaf && r->sends && r->exchange->content_state == PARSE_MORE &&
           (r->stage == RELAY_ASKING || r->stage == RELAY_ANSWERING) && room_of(r) >= PIECE_MIN;
}

bool
relay_awaits(const struct relay *r)
{
    bool is_asked = r->continued || r->exchange->res.sink.total > 0 ||
                    !ern_request_has(&r->exchange->request, ERN_FIELD_expect);

    return r->stage == RELAY_ASKING && is_asked && relay_wants(r);
}

/* Adds a piece to what goes out. There is room for it, and for what is around it. */
static bool
put(struct relay *r, struct ern_slice piece, bool is_end)
{
    struct buffer *out = upstream_room(r->upstream);
    struct out o;

    if (!out)
        return false;
    o = out_init(out->bytes, r->exchange->worker->buffer_bytes);
    o.len = out->len;
    r->speech->write_piece(r, piece, is_end, &o);
    assert(!o.full);
    out->len = o.len;
    return true;
}

void
relay_refuse(struct exchange *x, enum finding finding)
{
    x->finding = finding;
    given_finding(&x->given, finding);
    x->close = true;
    x->res.again = true;
    relay_drop(x->relay);
}

/* RFC 9110 9.3.6: what one side of a tunnel has said goes to the other before it is closed.
 * Likewise the content for a program, which is what it reads until there is no more. */
void
relay_end_sending(struct relay *r)
{
    bool is_done = r->exchange->content_state == PARSE_DONE || r->sends == RELAY_SENDS_NOTHING;

    if (r->is_told || !is_done || r->upstream->out ||
        (r->sends != RELAY_SENDS_ALL && !r->speech->ends_by_shutting))
        return;
    r->is_told = true; /* once: the loop may tell of it, each time */
    upstream_end(r->upstream);
}

/* No more comes, and it was not the end: what is to become of it? */
static bool
end_early(struct exchange *x)
{
    struct relay *r = x->relay;

    if (r->sends == RELAY_SENDS_ALL) {
        x->content_state = PARSE_DONE;
        relay_end_sending(r);
        return true;
    }
    relay_refuse(x, FINDING_content_cut);
    return false;
}

/* Takes one piece. */
static bool
take_piece(struct exchange *x, size_t *ret_n)
{
    struct relay *r = x->relay;
    struct ern_slice piece;

    x->content_state = x->carrier->take(x, room_of(r) - PIECE_MIN / 2, &piece);
    *ret_n = piece.len;
    x->res.sink.total += piece.len;
    if (x->content_state == PARSE_BAD) {
        relay_refuse(x, x->finding);
        return false;
    }
    if (r->sends != RELAY_SENDS_ALL && x->res.sink.total > (uint64_t)*x->content_max) {
        ern_state(&x->given, ERN_FACT_content_fits, false);
        relay_refuse(x, FINDING_none);
        return false;
    }
    if (r->sends == RELAY_SENDS_ALL)
        r->timer.active_ms = (uint32_t)x->worker->now.run_ms;
    return put(r, piece, x->content_state == PARSE_DONE);
}

bool
relay_take(struct exchange *x, bool ended)
{
    struct relay *r = x->relay;
    size_t n = 1;

    while (n > 0 && relay_wants(r)) {
        int error;

        if (!take_piece(x, &n))
            return false;
        error = upstream_flush(r->upstream);
        /* Why it takes no more it may have said: that is looked at first, but not from here. */
        if (error && error != -EAGAIN) {
            r->is_deaf = true;
            upstreams_stir(relay_upstreams(r), r);
            return true;
        }
        relay_end_sending(r);
        if (n == 0 && ended && x->content_state == PARSE_MORE)
            return end_early(x);
    }
    if (r->stage == RELAY_ASKING && r->upstream)
        watch_asking(r);
    return true;
}
