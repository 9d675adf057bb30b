/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/proxy.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "conf/conf.h"
#include "conf/value.h"
#include "serve/cached.h"
#include "serve/relay.h"

/* ---- the route ---------------------------------------------------------------------------------
 */

int
proxy_open(const struct conf_route *from, unsigned number, struct proxy_route *route)
{
    struct origin_names *names = &route->names;
    struct ern_slice *authorities = calloc(from->proxy.n, sizeof *authorities);
    bool any_secure = false;
    const char *why;

    names->authorities = authorities;
    names->name = calloc(from->proxy.n, sizeof *names->name);
    if (!names->name || !authorities)
        return -ENOMEM; /* proxy_close() frees the other */
    names->wanted = from->transforms;
    names->by_hash = from->balance == CONF_BALANCE_HASH;
    names->number = number;
    names->probe = from->probe;
    names->http2 = from->http2;
    for (names->n = 0; names->n < from->proxy.n; names->n++) {
        struct origin_name *to = &names->name[names->n];

        if (!value_origin(from->proxy.text[names->n], &to->authority, &to->host, &to->port,
                          &to->is_secure))
            return -EINVAL;
        authorities[names->n] = to->authority;
        any_secure |= to->is_secure;
    }
    return any_secure ? tls_trust_open(from->ca.ptr, from->certificate.ptr, from->key.ptr,
                                       &names->trust, &why)
                      : 0;
}

void
proxy_close(struct proxy_route *route)
{
    free(route->names.name);
    free((void *)(uintptr_t)route->names.authorities);
    tls_trust_close(route->names.trust);
}

const int64_t *
proxy_content_max(const struct ern_request *request, const struct limits *limits)
{
    (void)request;
    return &limits->relayed_bytes_max;
}

/* ---- what is known before anything is asked ----------------------------------------------------
 */

/* rfc9110#7.6.2 "If the received value is zero (0), the intermediary MUST NOT forward the request;
 * instead, the intermediary MUST respond as the final recipient." */
static bool
is_final(const struct ern_request *r)
{
    uint64_t n;

    return (r->method == ERN_TRACE || r->method == ERN_OPTIONS) &&
           u64_parse(ern_request_field(r, ERN_FIELD_max_forwards), INT64_MAX, &n) && n == 0;
}

/* Are its servers asked over HTTP/2, which has no Upgrade (RFC 9113 8.6)? */
static bool
shares(const struct site_route *route)
{
    const struct proxy_route *proxy = route->self;

    return (route->kind == &proxy_resource || route->kind == &cached_resource) &&
           proxy->names.http2;
}

void
proxy_state(struct exchange *x)
{
    /* What these ask, upstream is asked: it has the resource. */
    static const enum ern_fact others[] = {
        ERN_FACT_if_match,    ERN_FACT_if_unmodified, ERN_FACT_if_none_match,
        ERN_FACT_if_modified, ERN_FACT_if_states,     ERN_FACT_partial_put,
        ERN_FACT_ranged,      ERN_FACT_wants_delta,   ERN_FACT_asks_upgrade,
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ern_state(&x->given, others[i], false);
    ern_state(&x->given, ERN_FACT_method_known, true); /* RFC 9110 9.1 */
    if (!shares(x->route) && slice_eq_nocase(x->request.protocol, ERN_SLICE("websocket")))
        ern_state(&x->given, ERN_FACT_tunnels, false); /* it can be asked for over HTTP/1.1 */
    ern_state(&x->given, ERN_FACT_proxies, true);
    if (relay_loops(x))
        ern_state(&x->given, ERN_FACT_looping, true);
    if (is_final(&x->request))
        return;
    ern_state(&x->given, ERN_FACT_trace, false);
    ern_state(&x->given, ERN_FACT_options, false);
}

/* ---- what is asked -----------------------------------------------------------------------------
 */

/* All methods but two: TRACE shows what gateways add, and CONNECT leads elsewhere. */
static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    enum ern_answer answer =
        res_allows(d, RES_ALLOW_ALL & ~(RES_ALLOW(TRACE) | RES_ALLOW(CONNECT)));

    (void)fact;
    return d->request->method == ERN_METHODS ? ERN_YES : answer;
}

/* How it went: the first of these asks it. */
static enum ern_answer
ask_upstream(struct ern_decision *d, enum ern_fact fact)
{
    const struct proxy_route *route = exchange_of_decision(d)->route->self;

    return relay_answer_of(route->names.number, d, fact);
}

/* Once the answer has begun, and before it goes on. */
static enum ern_answer
ask_transformed(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);

    (void)fact;
    return x->relay ? relay_transforms(x->relay) : ERN_NO;
}

struct ern_resource proxy_resource = {
    .name = "proxy",
    .ask =
        {
            [ERN_FACT_method_allowed] = ask_method_allowed,
            RELAY_ASKS(ask_upstream),
            [ERN_FACT_transformed] = ask_transformed,
        },
};
