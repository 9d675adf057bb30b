/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "serve/charge.h"
#include "serve/demand.h"
#include "serve/exchange.h"
#include "serve/login.h"
#include "serve/pause.h"
#include "serve/rights.h"

struct policy
policy_of(const struct conf *conf, const struct conf_route *route)
{
    return (struct policy){
        .allow = route->allowed,
        .pause_allow = conf->pause_allowed,
        .pause_users = &conf->pause_allow_users,
        .legal = slice_is_there(conf->legal),
        .hide = route->hide,
        .price = route->price,
        .pay = route->pay,
        .agree = route->agree,
        .route = route,
        .cors = route->cors.n > 0 ? route : NULL,
        .login = route->auth.n > 0 ? route : NULL,
        .schemes = login_schemes(&route->auth),
    };
}

static bool
has_text(const struct conf_texts *texts, struct ern_slice text)
{
    for (size_t i = 0; i < texts->n; i++)
        if (slice_eq(texts->text[i], text))
            return true;
    return false;
}

/* ---- whether it is in service ------------------------------------------------------------------
 */

static bool
can_be_paused(const struct policy *p)
{
    return p->pause != NULL;
}

/* Is it a user who is served all the same? Others are not told whether their password was right. */
static enum ern_answer
ask_passes(struct exchange *x)
{
    const struct policy *p = &x->route->policy;
    enum ern_answer known;

    if (!p->login || p->pause_users->n == 0 || !login_has_room(x))
        return ERN_NO;
    known = login_ask(x);
    if (known == ERN_YES && !has_text(p->pause_users, x->known.name))
        return ERN_NO;
    return known;
}

static enum ern_answer
ask_available(struct ern_decision *d)
{
    struct exchange *x = exchange_of_decision(d);
    const struct policy *p = &x->route->policy;
    struct ip client = address_ip(&x->client);
    int64_t left_s = pause_left_s(p->pause, x->worker->now.run_ms);
    enum ern_answer passes;

    if (left_s == 0 || networks_have(&p->pause_allow, &client))
        return ERN_YES;
    passes = ask_passes(x);
    if (passes != ERN_NO)
        return passes;
    d->evidence.retry_after_s = left_s;
    return ERN_NO;
}

/* ---- who asks ----------------------------------------------------------------------------------
 */

static bool
asks_who(const struct policy *p)
{
    return p->login != NULL;
}

static bool
asks_at_origin(const struct policy *p)
{
    return p->login && !p->is_proxy;
}

static bool
asks_at_proxy(const struct policy *p)
{
    return p->login && p->is_proxy;
}

/* To find out who asks is a part of the service. */
static enum ern_answer
ask_room(struct ern_decision *d)
{
    if (login_has_room(exchange_of_decision(d)))
        return ERN_YES;
    d->evidence.retry_after_s = 1;
    return ERN_NO;
}

static enum ern_answer
ask_authenticated(struct ern_decision *d)
{
    struct exchange *x = exchange_of_decision(d);
    enum ern_answer answer = login_ask(x);

    return answer == ERN_NO && !login_challenge(x) ? ERN_FAIL : answer;
}

static bool
counts_users(const struct policy *p)
{
    return p->counts_users;
}

/* Counted once they are known to be who they say; who need not say it counts by the address. */
static enum ern_answer
ask_share(struct ern_decision *d)
{
    struct exchange *x = exchange_of_decision(d);
    struct ip client = address_ip(&x->client);
    struct ern_slice user = x->known.name, who = slice_is_there(user) ? user : ip_client(&client);

    if (x->rate.limit ||
        rate_take(x->worker->rates, &x->route->rate, who, x->worker->now.run_ms, &x->rate))
        return ERN_NO;
    d->evidence.retry_after_s = rate_next_s(&x->rate);
    return ERN_YES;
}

/* ---- who may -----------------------------------------------------------------------------------
 */

static bool
is_chosen(const struct conf_route *route, const struct known *known)
{
    if (route->allow_users.n == 0 && route->allow_groups.n == 0)
        return true;
    for (size_t i = 0; i < known->groups->n; i++)
        if (has_text(&route->allow_groups, known->groups->text[i]))
            return true;
    return has_text(&route->allow_users, known->name);
}

static bool
chooses(const struct policy *p)
{
    return p->allow.n > 0 || p->login || (p->route && p->route->rights_n > 0);
}

/* As far as address, name and rights go. */
static bool
lets(const struct policy *p, const struct exchange *x)
{
    struct ip client;

    if (p->allow.n > 0) {
        client = address_ip(&x->client);
        if (!networks_have(&p->allow, &client))
            return false;
    }
    return (!p->login || is_chosen(p->login, &x->known)) && (!p->route || rights_permit(x));
}

/* The rules ask this only of those who are known, if the route wants to know them. */
static enum ern_answer
ask_permitted(struct ern_decision *d)
{
    struct exchange *x = exchange_of_decision(d);
    const struct policy *p = &x->route->policy;

    if (!lets(p, x))
        return ERN_NO;
    return p->login ? login_allows(x) : ERN_YES;
}

bool
policy_lets_in(const struct exchange *x)
{
    const struct policy *p = &x->route->policy;

    return p->is_plain && slice_is_there(x->known.name) && lets(p, x);
}

static bool
hides(const struct policy *p)
{
    return p->hide;
}

static enum ern_answer
ask_hidden(struct ern_decision *d)
{
    (void)d;
    return ERN_YES;
}

/* ---- what the law forbids ----------------------------------------------------------------------
 */

static bool
has_demands(const struct policy *p)
{
    return p->legal;
}

static enum ern_answer
ask_legal(struct ern_decision *d)
{
    return demand_stands(exchange_of_decision(d)) ? ERN_NO : ERN_YES;
}

/* ---- what it costs -----------------------------------------------------------------------------
 */

static bool
is_metered(const struct policy *p)
{
    return p->price > 0;
}

static enum ern_answer
ask_state_reachable(struct ern_decision *d)
{
    return charge_can(exchange_of_decision(d)) ? ERN_YES : ERN_NO;
}

/* ---- all of them -------------------------------------------------------------------------------
 */

static const struct {
    enum ern_fact fact;
    bool (*applies)(const struct policy *policy);
    enum ern_answer (*ask)(struct ern_decision *decision);
    bool is_plain; /* all that it asks about is who asks, and what he may */
} rows[] = {
    {ERN_FACT_available, can_be_paused, ask_available, false},
    {ERN_FACT_available, asks_who, ask_room, true},
    {ERN_FACT_state_reachable, is_metered, ask_state_reachable, false},
    {ERN_FACT_authenticated, asks_at_origin, ask_authenticated, true},
    {ERN_FACT_proxy_authed, asks_at_proxy, ask_authenticated, true},
    {ERN_FACT_share_used, counts_users, ask_share, false},
    {ERN_FACT_permitted, chooses, ask_permitted, true},
    {ERN_FACT_hidden, hides, ask_hidden, false},
    {ERN_FACT_legal, has_demands, ask_legal, false},
    {ERN_FACT_content_lawful, has_demands, demand_ask_content, false},
    {ERN_FACT_paid, is_metered, charge_ask_paid, false},
    {ERN_FACT_debited, is_metered, charge_ask_debited, false},
};

enum { ROWS = sizeof rows / sizeof *rows };

static enum ern_answer
ask_kind(struct ern_decision *d, enum ern_fact fact)
{
    ern_ask *ask = exchange_of_decision(d)->route->kind->ask[fact];

    if (ask)
        return ask(d, fact);
    return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
}

/* The first policy that objects decides: that answers other than nobody would. If none does, the
 * kind of resource is asked. */
static enum ern_answer
ask(struct ern_decision *d, enum ern_fact fact)
{
    const struct policy *p = &exchange_of_decision(d)->route->policy;
    enum ern_answer none = ern_fact_fallback(fact) ? ERN_YES : ERN_NO;

    for (unsigned i = 0; i < ROWS; i++) {
        enum ern_answer answer;

        if (rows[i].fact != fact || !rows[i].applies(p))
            continue;
        answer = rows[i].ask(d);
        if (answer != none)
            return answer;
    }
    return ask_kind(d, fact);
}

int
policy_apply(struct policy *policy, struct ern_resource *kind, struct ern_resource **ret_resource)
{
    struct ern_resource *r = kind;

    policy->is_plain = policy->login != NULL;
    for (unsigned i = 0; i < ROWS; i++) {
        if (!rows[i].applies(policy))
            continue;
        policy->is_plain &= rows[i].is_plain;
        if (r == kind) {
            r = malloc(sizeof *r);
            if (!r)
                return -ENOMEM;
            *r = *kind;
        }
        r->ask[rows[i].fact] = ask;
    }
    if (r != kind)
        ern_resource_init(r);
    *ret_resource = r;
    return 0;
}
