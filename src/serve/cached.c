/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/cached.h"

#include "earnest/status.h"
#include "msg/date.h"
#include "serve/conn.h"
#include "serve/filling.h"
#include "serve/origin.h"
#include "serve/proxy.h"
#include "serve/refresh.h"
#include "serve/relay.h"
#include "wire/h1_write.h"

enum {
    ETAG_BYTES = 1024 /* of one that is asked about: a longer one has no room beside a request */
};

/* ---- the look ----------------------------------------------------------------------------------
 */

/* What a stored answer is judged by, as a file would be; else the server behind us judges. */
static const enum ern_fact conditions[] = {
    ERN_FACT_if_none_match,
    ERN_FACT_if_modified,
    ERN_FACT_ranged,
};

/* Is it a request that a stored answer can answer, and whose answer can be stored? RFC 9111 4.3.2:
 * If-Match and If-Unmodified-Since are for the origin. */
static bool
is_for_cache(const struct exchange *x)
{
    const struct ern_request *r = &x->request;

    return (r->method == ERN_GET || r->method == ERN_HEAD) && !r->is_mandatory && !r->chunked &&
           r->content_length <= 0 && !ern_request_has(r, ERN_FIELD_if_match) &&
           !ern_request_has(r, ERN_FIELD_if_unmodified_since) &&
           !ern_request_has(r, ERN_FIELD_upgrade) && !ern_request_has(r, ERN_FIELD_expect) &&
           !ern_request_has(r, ERN_FIELD_a_im);
}

/* What was found is used from now on, and decided by. */
static void
use(struct visit *v)
{
    struct ern_facts *given = &v->exchange->given;
    bool is_judged = v->found->freshness.status == ERN_200_OK; /* RFC 9111 4.3.2 */

    v->uses = true;
    ern_state(given, ERN_FACT_stored, true);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        ern_state(given, conditions[i], is_judged && ern_bits_has(&v->wire.yes, conditions[i]));
}

/* Looks for what is stored. Returns whether it can be used as it is. */
static bool
look(struct visit *v)
{
    struct exchange *x = v->exchange;
    bool is_known;

    shelved_leave(v->found);
    v->found = shelf_find(x->worker->shelf, v->key, v->hash, &x->request, x->worker->now.run_ms,
                          &is_known);
    v->why = is_known ? FORWARD_VARY_MISS : FORWARD_URI_MISS;
    if (!v->found)
        return false;
    switch (freshness_reuse(&v->wants, &v->found->freshness, x->worker->now.unix_s)) {
    case REUSE_STALE_MEANWHILE:
        v->is_meanwhile = true;
        v->why = FORWARD_NOT;
        return true;
    case REUSE_FRESH:
    case REUSE_STALE:
        v->why = FORWARD_NOT;
        return true;
    case REUSE_NOT_ASKED:
        v->why = FORWARD_REQUEST;
        break;
    case REUSE_NOT_FRESH:
        v->why = FORWARD_STALE;
        break;
    }
    return false;
}

void
cached_state(struct exchange *x)
{
    struct visit *v = x->worker->shelf ? arena_take(&x->arena, sizeof *v) : NULL;
    struct ern_facts wire = x->given;
    struct out key;

    cached_leave(x->visit); /* of another path, that led here */
    proxy_state(x);
    if (!v)
        return;
    *v = (struct visit){.exchange = x, .wire = wire, .wants = cache_control_read(&x->request)};
    x->visit = v;
    key = arena_out(&x->arena);
    cached_write_key(x, x->request.path, x->res.path, x->request.query, &key);
    v->key = arena_keep(&x->arena, &key);
    v->hash = shelf_hash(x->worker->shelf, v->key);
    v->is_for_cache = slice_is_there(v->key) && is_for_cache(x);
    v->why = ern_method_is_safe(x->request.method) ? FORWARD_BYPASS : FORWARD_METHOD;
    if (v->is_for_cache && look(v))
        use(v);
    if (v->is_for_cache && cache_control_says(&v->wants, CACHE_ONLY_IF_CACHED))
        ern_state(&x->given, ERN_FACT_only_stored, true);
}

void
cached_leave(struct visit *v)
{
    struct shelf *shelf;

    if (!v)
        return;
    shelf = v->exchange->worker->shelf;
    timer_stop(&v->timer);
    filling_abandon(v->filling);
    shelf_land(shelf, v->flight);
    shelved_leave(v->found);
    v->exchange->visit = NULL;
}

/* ---- one for many ------------------------------------------------------------------------------
 */

/* The answer that it has waited for is stored, or can not be. */
static void
landed(struct job *job)
{
    struct visit *v = (struct visit *)(void *)job;
    struct exchange *x = v->exchange;

    timer_stop(&v->timer);
    v->waits = false;
    x->res.resume(&x->res);
}

void
cached_expired(struct timer *timer)
{
    struct visit *v =
        (struct visit *)(void *)((char *)timer - __builtin_offsetof(struct visit, timer));

    if (!shelf_unwait(v->exchange->worker->shelf, &v->waiter))
        return; /* it comes */
    landed(&v->waiter.job);
}

/* May the answer to it be anybody's? Who says who he is asks by himself. */
static bool
may_collapse(const struct visit *v)
{
    const struct ern_request *r = &v->exchange->request;

    return v->is_for_cache && r->method == ERN_GET && !v->collapsed &&
           !cache_control_says(&v->wants, CACHE_NO_STORE) &&
           !cache_control_says(&v->wants, CACHE_NO_CACHE) && v->why != FORWARD_REQUEST &&
           !ern_request_has(r, ERN_FIELD_range) && !ern_request_has(r, ERN_FIELD_if_none_match) &&
           !ern_request_has(r, ERN_FIELD_if_modified_since) &&
           !ern_request_has(r, ERN_FIELD_authorization) && !v->exchange->worker->rehearses;
}

/* Is another one like it on its way, whose answer it waits for? */
static bool
waits(struct visit *v)
{
    struct worker *w = v->exchange->worker;
    bool waits = false;

    if (v->waits)
        return true;
    if (v->collapsed || !may_collapse(v))
        return false;
    v->waiter.job = (struct job){.mailbox = &w->mailbox, .done = landed};
    v->flight = shelf_fly(w->shelf, v->key, v->hash, w->now.run_ms,
                          w->limits->collapse_wait_ms ? &v->waiter : NULL, &waits);
    if (!waits)
        return false;
    v->waits = v->collapsed = true;
    upstreams_time(w->upstreams, &v->timer, TIME_COLLAPSE);
    return true;
}

/* ---- what is asked -----------------------------------------------------------------------------
 */

/* It goes on, and asks about what was found. */
static struct relay *
forward(struct exchange *x)
{
    const struct proxy_route *route = x->route->self;
    struct visit *v = x->visit;

    v->mark = shelf_mark(x->worker->shelf, v->hash);
    v->asked_s = x->worker->now.unix_s;
    v->validates = v->found && x->request.method == ERN_GET && v->found->freshness.has_validator &&
                   v->found->etag.len <= ETAG_BYTES;
    return relay_begin(x, upstreams_group(x->worker->upstreams, route->names.number));
}

/* Upstream says that something is as it was, but not that what was found is (RFC 9111 4.3.4): it is
 * asked for a whole answer. */
static bool
is_misled(const struct exchange *x)
{
    return x->visit->validates && x->relay->stage == RELAY_ANSWERING &&
           x->relay->answer.status == ERN_304_NOT_MODIFIED;
}

static struct relay *
forward_again(struct exchange *x)
{
    struct visit *v = x->visit;

    shelf_remove(x->worker->shelf, v->found);
    shelved_leave(v->found);
    v->found = NULL;
    relay_drop(x->relay);
    return forward(x);
}

/* From now on it is decided on what is stored, from the beginning. */
static enum ern_answer
turn(struct exchange *x)
{
    use(x->visit);
    x->res.again = x->res.at_once = true;
    return ERN_WAIT;
}

/* How it went: the first of these asks it. */
static enum ern_answer
ask_upstream(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);
    struct visit *v = x->visit;

    if (!v)
        return proxy_resource.ask[fact](d, fact);
    if (v->uses && fact == ERN_FACT_relays) {
        d->relayed = v->found->freshness.status;
        return d->relayed == ERN_200_OK ? ERN_NO : ERN_YES;
    }
    if (v->uses)
        return ERN_YES;
    if (!x->relay && waits(v))
        return ERN_WAIT;
    if (!x->relay && v->collapsed && look(v))
        return turn(x);
    if (!x->relay && !forward(x))
        return ERN_FAIL;
    if (!relay_is_known(x->relay))
        return ERN_WAIT;
    if (cached_falls_back(x))
        return turn(x);
    if (is_misled(x) && !forward_again(x))
        return ERN_FAIL;
    return relay_answer(x->relay, d, fact);
}

static enum ern_answer
ask_exists(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);

    (void)fact;
    if (x->visit && x->visit->uses)
        cached_represent(x);
    if (x->visit && x->visit->is_meanwhile)
        refresh_begin(x);
    return ERN_YES;
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    return proxy_resource.ask[fact](d, fact);
}

struct ern_resource cached_resource = {
    .name = "cache",
    .ask =
        {
            ERN_ASKS_CONDITIONAL,
            ERN_ASKS_RANGE,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_exists] = ask_exists,
            RELAY_ASKS(ask_upstream),
        },
};

/* ---- the request that goes on ------------------------------------------------------------------
 */

bool
cached_is_keyed(const struct visit *v)
{
    return v && v->is_for_cache;
}

/*
 * Fields by which programs have been made to answer something else than what the URL names. The
 * answer would be stored for the URL all the same, so they do not go on (RFC 9111 7.1).
 */
static bool
is_unkeyed(struct ern_slice name)
{
    static const struct ern_slice names[] = {
        {"X-Forwarded-Server", 18},   {"X-Forwarded-Port", 16}, {"X-Forwarded-Scheme", 18},
        {"X-Forwarded-Prefix", 18},   {"X-Forwarded-Path", 16}, {"X-Forwarded-Ssl", 15},
        {"X-Forwarded-Protocol", 20}, {"X-Forwarded-Uri", 15},  {"X-Original-URL", 14},
        {"X-Original-Host", 15},      {"X-Rewrite-URL", 13},    {"X-Host", 6},
        {"X-HTTP-Host-Override", 20}, {"X-HTTP-Method", 13},    {"X-HTTP-Method-Override", 22},
        {"X-Method-Override", 17},    {"Front-End-Https", 15},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq_nocase(name, names[i]))
            return true;
    return false;
}

bool
cached_omits(const struct visit *v, const struct ern_field *f)
{
    if (!cached_is_keyed(v))
        return false;
    switch (f->id) {
    case ERN_FIELD_if_none_match:
    case ERN_FIELD_if_modified_since:
    case ERN_FIELD_if_range:
    case ERN_FIELD_range:
        return v->validates;
    case ERN_FIELDS:
        return is_unkeyed(f->name);
    default:
        return false;
    }
}

void
cached_write_conditions(const struct visit *v, struct out *o)
{
    const struct freshness *f;

    if (!v || !v->validates)
        return;
    f = &v->found->freshness;
    if (slice_is_there(v->found->etag))
        h1_write_field(o, ERN_SLICE("If-None-Match"), v->found->etag);
    if (f->modified_s >= 0) {
        out_literal(o, "If-Modified-Since: ");
        date_write(o, f->modified_s);
        out_literal(o, "\r\n");
    }
}
