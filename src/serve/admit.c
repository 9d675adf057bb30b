/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/admit.h"

#include "base/network.h"
#include "io/tls.h"
#include "msg/target.h"
#include "serve/conn.h"
#include "serve/login.h"

/* rfc9110#7.4 "a request for an "https" resource MUST be rejected unless it has been received over
 * a connection that has been secured via a certificate valid for that target URI's origin". A
 * gateway that we trust may have done so, by HTTP or before the header of the PROXY protocol, which
 * nobody else may send. Other schemes than those of HTTP are none of ours. */
static bool
serves_scheme(const struct exchange *x)
{
    const struct ip peer = address_ip(&x->conn->peer);
    struct ern_slice scheme = x->request.scheme;

    if (!slice_is_there(scheme) || slice_eq_nocase(scheme, ERN_SLICE("http")))
        return true;
    return slice_eq_nocase(scheme, ERN_SLICE("https")) &&
           (x->conn->tls || x->conn->listener->proxied ||
            networks_have(x->worker->gateways, &peer));
}

bool
admit_is_misdirected(const struct exchange *x)
{
    const struct conn *c = x->conn;
    struct ern_slice host = authority_host(x->request.authority), named;

    if (!serves_scheme(x))
        return true;
    /* CONNECT names where a tunnel is to end, not whom it asks (RFC 9110 9.3.6). */
    if (!c->tls || host.len == 0 || x->request.form == ERN_AUTHORITY_FORM)
        return false;
    named = tls_known(c->tls).host;
    if (named.len == 0 || slice_eq_nocase(named, host))
        return false;
    /* rfc9113#9.1.1 "A connection can be reused as long as the origin server is authoritative" */
    return !c->h2 || !tls_covers(c->listener->tls, host);
}

/* A gateway says so with Early-Data, whatever its value; clients have no use for the field (RFC
 * 8470 5.1). */
static bool
was_early_elsewhere(const struct exchange *x)
{
    const struct ip peer = address_ip(&x->conn->peer);

    return ern_request_has(&x->request, ERN_FIELD_early_data) &&
           networks_have(x->worker->gateways, &peer);
}

/* Early data may have been sent again by somebody else (RFC 8470 2). */
static bool
admit_early(struct exchange *x)
{
    enum route_early early = x->route->early;
    bool is_safe = ern_method_is_safe(x->request.method), elsewhere = was_early_elsewhere(x);

    if (!x->early && !elsewhere)
        return true;
    if (early == ROUTE_EARLY_WAIT && !is_safe && !elsewhere)
        return false;
    ern_state(&x->given, ERN_FACT_early, true);
    ern_state(&x->given, ERN_FACT_replay_safe, is_safe && early != ROUTE_EARLY_REFUSE);
    return true;
}

/* rfc9110#15.5.22 "The server MUST send an Upgrade header field in a 426 response to indicate the
 * required protocol(s)" */
static void
admit_protocol(struct exchange *x)
{
    const struct conn *c = x->conn;
    enum route_needs needs = x->route->needs;

    if ((needs != ROUTE_NEEDS_TLS || c->tls) && (needs != ROUTE_NEEDS_HTTP2 || c->h2))
        return;
    ern_state(&x->given, ERN_FACT_upgrade_required, true);
    if (needs == ROUTE_NEEDS_TLS)
        x->res.upgrade = ERN_SLICE("TLS/1.3");
    else
        x->res.upgrade = c->tls ? ERN_SLICE("HTTP/2.0") : ERN_SLICE("h2c");
}

/* rfc6585#4 "the user has sent too many requests in a given amount of time" */
static void
admit_rate(struct exchange *x)
{
    const struct rate_limit *limit = &x->route->rate;
    struct ip client = address_ip(&x->client);
    struct ern_slice who = limit->by == RATE_BY_ROUTE ? ERN_SLICE("") : ip_client(&client);
    struct worker *w = x->worker;
    uint8_t account[DIGEST_BYTES];

    /* A key that nobody has would be another client with each request. */
    if (limit->by == RATE_BY_KEY && charge_knows(x, account))
        who = slice_from((const char *)account, sizeof account);
    if (rate_take(w->rates, limit, who, w->now.run_ms, &x->rate))
        return;
    ern_state(&x->given, ERN_FACT_rate_exceeded, true);
    x->retry_after_s = rate_next_s(&x->rate);
}

/* Who guesses passwords has used up a share of requests, too. */
static void
admit_login(struct exchange *x)
{
    int64_t wait_s;

    if (ern_bits_has(&x->given.yes, ERN_FACT_rate_exceeded)) /* it is not looked at */
        return;
    wait_s = login_begin(x);
    x->is_let_in = policy_lets_in(x);
    if (wait_s < 0)
        return;
    ern_state(&x->given, ERN_FACT_rate_exceeded, true);
    if (wait_s > x->retry_after_s)
        x->retry_after_s = wait_s;
}

/* Turned away while that is cheap: what is in progress needs the rest (RFC 9110 15.6.4). */
static bool
admit_load(struct exchange *x)
{
    const struct worker *w = x->worker;

    if (pool_is_busy(w->pool))
        x->shed = SHED_POOL;
    else if (w->exchanges_n > (uint64_t)w->limits->requests_max)
        x->shed = SHED_REQUESTS;
    else
        return true;
    ern_state(&x->given, ERN_FACT_overloaded, true);
    return false;
}

bool
admit(struct exchange *x)
{
    if (!admit_load(x))
        return true;
    if (!admit_early(x))
        return false;
    if (x->route->needs != ROUTE_NEEDS_NOTHING)
        admit_protocol(x);
    if (x->request.is_mandatory || x->route->policy.agree ||
        ern_request_has(&x->request, ERN_FIELD_man) ||
        ern_request_has(&x->request, ERN_FIELD_c_man))
        extend_admit(x);
    if (x->route->rate.interval_ns > 0 && x->route->rate.by != RATE_BY_USER && !x->redirects_n)
        admit_rate(x);
    /* Who was found out by this very route need not say so twice, which he could not by Digest. */
    if (x->route->policy.login && x->route->policy.login != x->logged_in)
        admit_login(x);
    return true;
}
