/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "decide/sentence.h"
#include "msg/language.h"
#include "msg/target.h"
#include "serve/conn.h"
#include "serve/exchange.h"
#include "serve/legal.h"
#include "serve/login.h"
#include "serve/pause.h"

struct policy
policy_of(const struct conf *conf, const struct conf_route *route)
{
    return (struct policy){
        .allow = route->allowed,
        .hide = route->hide,
        .pause_allow = conf->pause_allowed,
        .legal = slice_is_there(conf->legal),
        .asks_who = route->auth.n > 0,
        .realm = slice_is_there(route->realm) ? route->realm : route->path,
        .users = &route->allow_users,
        .groups = &route->allow_groups,
    };
}

struct policy
policy_of_proxy(const struct conf_listen *listen)
{
    return (struct policy){
        .asks_who = listen->auth.n > 0,
        .is_proxy = true,
        .realm = slice_is_there(listen->realm) ? listen->realm : ERN_SLICE("forward"),
        .users = &listen->allow_users,
        .groups = &listen->allow_groups,
    };
}

/* The policy does not object: what does the kind of resource say? */
static enum ern_answer
ask_kind(struct ern_decision *d, enum ern_fact fact)
{
    ern_ask *ask = exchange_of_decision(d)->route->kind->ask[fact];

    if (ask)
        return ask(d, fact);
    return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
}

/* ---- whether it is in service ------------------------------------------------------------------
 */

static bool
can_be_out(const struct policy *p)
{
    return p->pause || p->asks_who;
}

/* For how many seconds the site is paused for this client, or 0. */
static int64_t
paused_s(const struct exchange *x)
{
    const struct policy *p = &x->route->policy;
    struct ip client = address_ip(&x->client);
    int64_t left_s = p->pause ? pause_left_s(p->pause, x->worker->now.run_ms) : 0;

    return left_s > 0 && !networks_have(&p->pause_allow, &client) ? left_s : 0;
}

/* To find out who asks is a part of the service. */
static enum ern_answer
ask_available(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = exchange_of_decision(d);
    int64_t left_s = paused_s(x);

    if (left_s == 0 && !login_has_room(x))
        left_s = 1;
    if (left_s == 0)
        return ask_kind(d, fact);
    d->evidence.retry_after_s = left_s;
    return ERN_NO;
}

/* ---- who asks ----------------------------------------------------------------------------------
 */

static bool
asks_who(const struct policy *p)
{
    return p->asks_who && !p->is_proxy;
}

static bool
asks_at_proxy(const struct policy *p)
{
    return p->asks_who && p->is_proxy;
}

static enum ern_answer
ask_authenticated(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);
    enum ern_answer answer = login_ask(x);

    if (answer == ERN_YES)
        return ask_kind(d, fact);
    if (answer == ERN_NO) {
        d->evidence.challenge = login_challenge(x);
        if (!slice_is_there(
                d->evidence.challenge)) /* neither 401 nor 407 is without (RFC 9110 15.5.2) */
            return ERN_FAIL;
    }
    return answer;
}

/* ---- who may -----------------------------------------------------------------------------------
 */

static bool
has_text(const struct conf_texts *texts, struct ern_slice text)
{
    for (size_t i = 0; i < texts->n; i++)
        if (slice_eq(texts->text[i], text))
            return true;
    return false;
}

static bool
is_chosen(const struct policy *p, const struct user *user)
{
    if (p->users->n == 0 && p->groups->n == 0)
        return true;
    for (size_t i = 0; i < user->groups->n; i++)
        if (has_text(p->groups, user->groups->text[i]))
            return true;
    return has_text(p->users, user->name);
}

static bool
chooses(const struct policy *p)
{
    return p->allow.n > 0 || (p->asks_who && p->users->n + p->groups->n > 0);
}

/* The rules ask this only of those who are known, if the route wants to know them. */
static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = exchange_of_decision(d);
    const struct policy *p = &x->route->policy;
    struct ip client = address_ip(&x->client);

    if ((p->allow.n > 0 && !networks_have(&p->allow, &client)) ||
        (p->asks_who && !is_chosen(p, x->login->user)))
        return ERN_NO;
    return ask_kind(d, fact);
}

static bool
hides(const struct policy *p)
{
    return p->hide;
}

static enum ern_answer
ask_hidden(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_YES;
}

/* ---- what the law forbids ----------------------------------------------------------------------
 */

static bool
has_demands(const struct policy *p)
{
    return p->legal;
}

/* Is the site that this request is for known by the name? One that answers to any name is known by
 * the one that was asked for. */
static bool
is_asked_for(const void *exchange, struct ern_slice name)
{
    const struct exchange *x = exchange;
    const struct site *site =
        site_find(x->worker->sites, x->request.authority, x->conn->listener->strict);

    if (site && site->names_n > 0)
        return site_has_name(site, name);
    return slice_eq_nocase(authority_host(x->request.authority), name);
}

/* Link says who blocks (RFC 7725 4); who demands it is said in the content (RFC 7725 3). */
static void
tell_demand(struct exchange *x, const struct conf_demand *demand)
{
    struct out link = arena_out(&x->arena), detail;

    out_literal(&link, "Link: <");
    out_slice(&link, demand->blocked_by);
    out_literal(&link, ">; rel=\"blocked-by\"\r\n");
    x->res.fields = arena_keep(&x->arena, &link);
    detail = arena_out(&x->arena);
    out_slice(&detail,
              sentence_of(ern_rule_find(ERN_SLICE("legal")), language_preferred(&x->request)));
    out_literal(&detail, " [");
    out_slice(&detail, demand->reference);
    out_literal(&detail, "; ");
    out_slice(&detail, demand->authority);
    if (slice_is_there(demand->jurisdiction)) {
        out_literal(&detail, "; ");
        out_slice(&detail, demand->jurisdiction);
    }
    out_char(&detail, ']');
    x->decision.evidence.detail = arena_keep(&x->arena, &detail);
}

static enum ern_answer
ask_legal(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);
    struct ip client = address_ip(&x->client);
    const struct conf_demand *demand = legal_find(
        x->worker->demands,
        &(struct legal_question){x->res.path, &client, x->worker->now.unix_s, is_asked_for, x});

    if (!demand)
        return ask_kind(d, fact);
    tell_demand(x, demand);
    return ERN_NO;
}

/* ---- all of them -------------------------------------------------------------------------------
 */

static const struct {
    enum ern_fact fact;
    bool (*applies)(const struct policy *policy);
    ern_ask *ask;
} rows[] = {
    {ERN_FACT_available, can_be_out, ask_available},
    {ERN_FACT_authenticated, asks_who, ask_authenticated},
    {ERN_FACT_proxy_authed, asks_at_proxy, ask_authenticated},
    {ERN_FACT_permitted, chooses, ask_permitted},
    {ERN_FACT_hidden, hides, ask_hidden},
    {ERN_FACT_legal, has_demands, ask_legal},
};

int
policy_apply(const struct policy *policy, struct ern_resource *kind,
             struct ern_resource **ret_resource)
{
    struct ern_resource *r = kind;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].applies(policy))
            continue;
        if (r == kind) {
            r = malloc(sizeof *r);
            if (!r)
                return -ENOMEM;
            *r = *kind;
        }
        r->ask[rows[i].fact] = rows[i].ask;
    }
    if (r != kind)
        ern_resource_init(r);
    *ret_resource = r;
    return 0;
}
