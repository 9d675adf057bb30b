/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/exchange.h"

#include <stdlib.h>

#include "decide/given.h"
#include "earnest/status.h"
#include "msg/target.h"
#include "res/redirect.h"
#include "serve/account.h"
#include "serve/admit.h"
#include "serve/cached.h"
#include "serve/carrier.h"
#include "serve/compose.h"
#include "serve/conn.h"
#include "serve/content.h"
#include "serve/cors.h"
#include "serve/forward.h"
#include "serve/handler.h"
#include "serve/portal.h"
#include "serve/rehearse.h"
#include "serve/relay.h"
#include "serve/rights.h"
#include "serve/stream.h"

enum {
    RETRY_AFTER_S = 1, /* connections come and go quickly */
};

static struct exchange *
exchange_new(const struct limits *limits)
{
    size_t fields = (size_t)limits->fields_max * sizeof(struct ern_field);
    struct exchange *x = malloc(sizeof *x + fields + (size_t)limits->request_arena_bytes);

    if (!x)
        return NULL;
    x->fields = (struct ern_field *)(x + 1);
    arena_init(&x->arena, (char *)(x + 1) + fields, (size_t)limits->request_arena_bytes);
    return x;
}

/* What a resource said of an answer that is not sent after all. */
static void
forget_answer(struct exchange *x)
{
    x->res.has_representation = x->res.representation.is_sized = false;
    x->res.fields = x->res.upgrade = x->res.interim = x->res.hints = ERN_ABSENT;
    x->res.conditions_n = 0;
    x->res.choices = NULL;
    x->res.chosen = NULL;
    x->res.limit = ERN_ABSENT;
}

struct exchange *
exchange_take(struct worker *w, struct conn *conn, const struct carrier *carrier)
{
    struct exchange *x = pile_take(&w->exchanges);

    if (!x)
        x = exchange_new(w->limits);
    if (!x)
        return NULL;
    w->exchanges_n++;
    x->worker = w;
    x->conn = conn;
    x->client = conn->peer;
    x->carrier = carrier;
    x->in = NULL;
    x->stage = EXCHANGE_DECIDING;
    x->content_state = PARSE_DONE;
    x->finding = x->ignored = FINDING_none;
    x->finding_at = -1;
    x->finding_field = ERN_ABSENT;
    x->message = NULL;
    x->begun_ms = w->now.run_ms;
    x->rate.limit = NULL;
    x->known.name = ERN_ABSENT;
    x->is_let_in = false;
    x->login = NULL;
    x->retry_after_s = -1;
    x->shed = SHED_CONNECTIONS;
    x->content.is_known = false;
    x->content.error = 0;
    x->extend = (struct extend){false, false};
    charge_init(&x->charge);
    x->waits.since_us = x->waits.n = 0;
    x->incident = x->sent_bytes = x->drained_bytes = x->rate_mark = 0;
    x->writing.busy = x->writing.ends = false;
    x->res.sink = (struct res_sink){.fd = -1};
    x->is_relayed = x->close = x->peer_closes = x->head_only = x->early = x->awaits = x->upgrades =
        x->unsized = x->chunked = x->tunnels = x->aborted = x->told = false;
    x->segments_n = x->segment = 0;
    x->stream = NULL;
    x->relay = NULL;
    x->visit = NULL;
    x->alarm = (struct alarm){NULL, NULL, 0};
    x->rule = NULL;
    x->status = 0;
    x->res.release = NULL;
    x->res.pinned = x->res.state = x->res.held = NULL;
    x->res.error = 0;
    x->res.link = ERN_ABSENT;
    x->res.limits = w->limits;
    x->res.user = ERN_ABSENT;
    x->res.processing_ms = x->res.wait_ms = 0;
    x->res.again = x->res.yields = x->res.at_once = false;
    x->elsewhere = ERN_ABSENT;
    x->redirects_n = 0;
    x->logged_in = NULL;
    forget_answer(x);
    x->res.representation.stream = NULL;
    arena_reset(&x->arena);
    ern_request_init(&x->request, x->fields, (uint16_t)w->limits->fields_max);
    return x;
}

void
exchange_done(struct exchange *x)
{
    struct worker *w = x->worker;

    relay_drop(x->relay);
    cached_leave(x->visit);
    stream_free(x->stream);
    if (x->res.representation.stream)
        x->res.representation.stream->free(x->res.representation.stream);
    if (x->res.release && x->res.pinned) /* after the stream, which may read it */
        x->res.release(&x->res);
    charge_done(x);
    content_done(x);
    free(x->res.held);
    if (x->in)
        worker_buffer_done(w, x->in);
    w->exchanges_n--;
    pile_give(&w->exchanges, &x->piece);
}

/* Reads the path; what is wrong with it is found here, and its offset is one in the message. */
static void
read_path(struct exchange *x)
{
    struct out o = arena_out(&x->arena);
    struct path path = {ERN_SLICE("/"), false};
    size_t at = 0;

    if (x->request.path.len) {
        x->finding = path_read(x->request.path, &o, &path, &at);
        (void)arena_keep(&x->arena, &o);
    }
    if (x->finding) {
        if (x->message)
            x->finding_at = (int64_t)(at + (size_t)(x->request.path.ptr - x->message));
        return;
    }
    if (path.escapes)
        ern_state(&x->given, ERN_FACT_path_escapes, true);
    x->res.path = path.escapes ? ERN_SLICE("/") : path.text;
}

/* RFC 8555 8.3: who gives a certificate looks for this in the clear. */
static bool
is_challenge(struct ern_slice path)
{
    return slice_starts(path, ERN_SLICE("/.well-known/acme-challenge/"));
}

/* Step 4: from authority and path to a resource. */
static const struct site_route *
find_route(struct exchange *x)
{
    const struct site_table *sites = x->worker->sites;
    const struct portal *portal = x->conn->listener->portal;
    const struct site_route *route;
    const struct site *site;

    x->site = NULL;
    x->cors = NULL;
    x->res.path = ERN_SLICE("/");
    if (x->finding)
        return &sites->none;
    route = portal ? portal_route(x) : NULL;
    if (!route && x->conn->listener->forward)
        route = forward_route(x);
    if (route)
        return route;
    site = site_find(sites, x->request.authority, x->conn->listener->strict);
    if (!site || admit_is_misdirected(x)) {
        ern_state(&x->given, ERN_FACT_misdirected, true);
        return &sites->none;
    }
    if (x->request.form == ERN_ASTERISK_FORM)
        return &sites->server;
    read_path(x);
    if (x->finding)
        return &sites->none;
    if (x->conn->listener->https && !is_challenge(x->res.path))
        return &sites->https;
    x->site = site;
    route = site_route_find(sites, site, x->res.path);
    x->cors = route->policy.cors;
    if (cors_is_preflight(x))
        return &sites->preflight;
    return route->other && handler_yields(route, x->res.path) ? route->other : route;
}

static void
resumed(struct res_request *res)
{
    struct exchange *x =
        (struct exchange *)(void *)((char *)res - __builtin_offsetof(struct exchange, res));

    if (x->conn)
        x->carrier->resume(x);
    else
        exchange_done(x);
}

static void
prepare_resource(struct exchange *x, const struct site_route *route)
{
    struct worker *w = x->worker;
    struct res_request *res = &x->res;
    size_t prefix = route->path.len ? route->path.len - 1 : 0;

    res->route = route->self;
    res->below =
        slice_ends(route->path, ERN_SLICE("/")) ? slice_skip(res->path, prefix) : ERN_SLICE("/");
    res->unslashed = res->below.len == 0;
    if (res->unslashed)
        res->below = ERN_SLICE("/");
    res->query = x->request.query;
    res->peer = x->conn->peer;
    res->is_secure = x->conn->tls != NULL;
    res->arena = &x->arena;
    res->now = w->now;
    res->thread = w->files;
    res->pool = w->pool;
    res->mailbox = &w->mailbox;
    res->resume = resumed;
    res->may = x->site && x->site->is_guarded && route->policy.route ? rights_may : NULL;
}

/* Is what is still to come of the content better not read? */
static bool
leaves_content(const struct exchange *x)
{
    /* Content that was announced by Expect may come or not: only an end tells the client. */
    return x->content_state == PARSE_MORE &&
           (ern_request_has(&x->request, ERN_FIELD_expect) ||
            x->request.content_length > x->worker->limits->drain_bytes_max);
}

static void
begin(struct exchange *x)
{
    ern_begin(&x->decision, x->is_let_in ? x->route->kind : x->route->resource, &x->res,
              &x->request, x->worker->now.unix_s, &x->given);
    x->decision.evidence.retry_after_s = x->retry_after_s;
}

/* What is known before anything is done goes ahead of it (103). */
static const struct ern_rule *
decide(struct exchange *x)
{
    const struct ern_rule *rule = ern_decide(&x->decision, ERN_ASK);

    if (rule || ern_fact_source(x->decision.waiting) <= ERN_ASK)
        return rule;
    content_hint(x);
    return ern_decide(&x->decision, ERN_ACT);
}

static bool enter(struct exchange *x);

/* What its resource holds of it so far. */
static void
release(struct exchange *x)
{
    relay_drop(x->relay);
    if (x->res.release && x->res.pinned)
        x->res.release(&x->res);
    x->res.release = NULL;
    x->res.pinned = x->res.state = NULL;
}

/* Decides anew; by the other kind of the route, if it was found to be that one's. */
static void
begin_again(struct exchange *x)
{
    x->res.again = x->res.at_once = false;
    forget_answer(x);
    if (x->res.yields) {
        x->res.yields = false;
        release(x);
        handler_retract(x);
        x->route = x->route->other;
        prepare_resource(x, x->route);
    }
    begin(x);
}

/* Gives back what the relay took, of the arena too: there may be many, one after another. */
static void
release_but_path(struct exchange *x)
{
    size_t mark = x->relay->arena_mark;
    char *to = x->arena.ptr + mark;

    release(x);
    memmove(to, x->elsewhere.ptr, x->elsewhere.len);
    x->elsewhere.ptr = to;
    x->arena.used = mark + x->elsewhere.len;
}

/* Is answered as a request for the path that it was sent to would be. */
static bool
go_elsewhere(struct exchange *x)
{
    struct ern_request *q = &x->request;
    size_t at;

    x->res.again = false;
    forget_answer(x);
    release_but_path(x);
    q->method = q->method == ERN_HEAD ? ERN_HEAD : ERN_GET;
    q->is_mandatory = q->chunked = false;
    q->content_length = -1;
    (void)target_parse(x->elsewhere, q, &at); /* it was read before */
    x->elsewhere = ERN_ABSENT;
    x->message = NULL;
    x->redirects_n++;
    x->logged_in = x->route->policy.login;
    return enter(x);
}

bool
exchange_redirect(struct exchange *x, struct ern_slice location)
{
    struct out o = arena_out(&x->arena); /* not kept */
    struct ern_request to = x->request;
    struct path path;
    size_t at;

    to.method = ERN_GET;
    if (!slice_is_there(location) || target_parse(location, &to, &at) != FINDING_none ||
        to.form != ERN_ORIGIN_FORM || path_read(to.path, &o, &path, &at) != FINDING_none)
        return false;
    x->elsewhere = location;
    x->res.again = true;
    return true;
}

/* Steps 5 to 7, from wherever the decision stands. */
static bool
walk(struct exchange *x)
{
    if (x->res.again && slice_is_there(x->elsewhere))
        return go_elsewhere(x);
    do {
        if (x->res.again) /* what it was decided on has changed meanwhile */
            begin_again(x);
        x->rule = x->worker->rehearses ? rehearse_decide(x) : decide(x);
        /* Whether it is to be decided again, the pool may be finding out just now. */
    } while (!x->rule && x->res.at_once);
    if (!x->rule) {
        if (x->res.wait_ms)
            alarm_set(&x->worker->alarms, &x->alarm, x->worker->now.run_ms + x->res.wait_ms);
        x->res.wait_ms = 0;
        trace_waits(&x->waits, x->decision.waiting);
        return false;
    }
    if (x->res.sink.state != SINK_NONE && x->content_state != PARSE_DONE)
        x->close = true; /* where its content ends is not known, or not worth waiting for */
    x->close = x->close || leaves_content(x);
    compose(x);
    x->stage = EXCHANGE_SENDING;
    return true;
}

/*
 * Who asks, if a gateway says so by an address. What it says of scheme and host has no use here:
 * links and redirects name neither, and a site is found by the Host that came. A head with an error
 * is not believed, for the line that the gateway added may be missing.
 */
static void
find_client(struct exchange *x)
{
    const struct ip peer = address_ip(&x->conn->peer);
    struct out o = arena_out(&x->arena); /* not kept: an address is no text */
    struct forwarded f;

    if (x->finding || x->worker->gateways->n == 0)
        return;
    f = forwarded_read(&x->request, &peer, x->worker->gateways, x->worker->forwarded, &o);
    x->ignored = f.finding;
    x->is_relayed = f.client.kind == FORWARDED_ADDRESS;
    if (x->is_relayed)
        x->client = address_from_ip(&f.client.address);
}

/* What is served at the moment, where the supervisor finds it if it is the last thing we do. */
static void
remember(const struct exchange *x)
{
    struct out o = out_init(x->worker->last_request, WORKER_LAST_BYTES);

    if (!o.ptr)
        return;
    o.cap = WORKER_LAST_BYTES - 1;
    out_slice(&o, x->request.method_text);
    out_char(&o, ' ');
    out_slice(&o, x->request.target.len < o.cap - o.len ? x->request.target
                                                        : ERN_SLICE("(a long target)"));
    o.ptr[o.len] = '\0';
}

/* Steps 3 to 7 of a request that was read. */
static bool
enter(struct exchange *x)
{
    struct worker *w = x->worker;
    const struct site_route *route;

    ern_request_facts(&x->request, w->now.unix_s, &x->given);
    if (x->upgrades)
        ern_state(&x->given, ERN_FACT_upgrades, true);
    x->route = route = find_route(x);
    if (x->finding)
        given_finding(&x->given, x->finding); /* step 2 said what is wrong: now it is a fact */
    x->content_max = route->content_max ? route->content_max(&x->request, w->limits)
                                        : &w->limits->content_bytes_max;
    if (x->request.content_length > *x->content_max)
        ern_state(&x->given, ERN_FACT_content_fits, false);
    if (route->state)
        route->state(x);
    if (x->redirects_n > w->limits->local_redirects_max)
        ern_state(&x->given, ERN_FACT_looping, true);
    prepare_resource(x, route);
    x->awaits = !admit(x);
    if (x->awaits)
        return false;
    x->close = x->peer_closes || x->finding || x->worker->draining;
    x->processing_ms = w->now.run_ms;
    begin(x);
    if (x->shed != SHED_CONNECTIONS)
        x->decision.evidence.retry_after_s = RETRY_AFTER_S;
    return walk(x);
}

bool
exchange_answer(struct exchange *x)
{
    remember(x);
    find_client(x);
    return enter(x);
}

void
exchange_leave(struct exchange *x, bool is_waiting, struct buffer **in)
{
    if (x->stage != EXCHANGE_ANSWERED) {
        x->aborted = true;
        /* What went on to another server is told, whatever became of it. */
        if (x->stage == EXCHANGE_SENDING)
            account(x);
        else if (x->relay)
            account_left(x);
    }
    if (x->relay) { /* which is all that it can wait for */
        relay_drop(x->relay);
        is_waiting = false;
    }
    if (alarm_is_set(&x->alarm)) { /* likewise */
        alarm_stop(&x->alarm);
        is_waiting = false;
    }
    if (!is_waiting && !content_abandon(x)) {
        exchange_done(x);
        return;
    }
    x->conn = NULL; /* a job still has it, and reads the request: it ends when that comes back */
    if (!x->in) {
        x->in = *in;
        *in = NULL;
    }
}

void
exchange_tell_progress(struct exchange *x)
{
    int64_t now = x->worker->now.run_ms;

    if (!x->res.processing_ms || now - x->processing_ms < x->res.processing_ms)
        return;
    x->processing_ms = now;
    content_announce(x);
}

bool
exchange_switches(const struct exchange *x)
{
    bool is_tunnel = slice_is_there(x->request.protocol) && x->status / 100 == 2; /* RFC 8441 5 */

    return x->status == ERN_101_SWITCHING_PROTOCOLS || is_tunnel;
}

void
exchange_add(struct exchange *x, struct ern_slice bytes)
{
    assert(x->segments_n < SEGMENTS);
    x->segments[x->segments_n++] = (struct segment){bytes.ptr, -1, 0, bytes.len, NULL};
}

bool
exchange_resume(struct exchange *x)
{
    x->res.now = x->worker->now;
    trace_goes_on(&x->waits);
    x->stage = EXCHANGE_DECIDING;
    return walk(x);
}

void
exchange_wake_all(struct worker *w)
{
    struct alarm *alarm;

    while ((alarm = alarm_due(&w->alarms, w->now.run_ms))) {
        struct exchange *x =
            (struct exchange *)(void *)((char *)alarm - __builtin_offsetof(struct exchange, alarm));

        x->carrier->resume(x);
    }
}

void
exchange_refuse(struct exchange *x, enum ern_fact fact)
{
    struct worker *w = x->worker;

    x->finding = fact == ERN_FACT_timed_out   ? FINDING_timed_out
                 : fact == ERN_FACT_malformed ? FINDING_plain_on_tls
                                              : FINDING_none;
    ern_request_facts(&x->request, w->now.unix_s, &x->given);
    ern_state(&x->given, fact, true);
    x->res.path = ERN_SLICE("/");
    x->route = &w->sites->none;
    x->site = NULL;
    x->cors = NULL;
    x->content_max = &w->limits->content_bytes_max;
    prepare_resource(x, x->route);
    x->close = true;
    if (fact == ERN_FACT_overloaded)
        x->retry_after_s = RETRY_AFTER_S;
    begin(x);
    (void)walk(x);
}
