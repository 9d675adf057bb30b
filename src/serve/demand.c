/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/demand.h"

#include "decide/sentence.h"
#include "msg/language.h"
#include "msg/target.h"
#include "res/step.h"
#include "serve/conn.h"
#include "serve/exchange.h"
#include "serve/legal.h"

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
tell_demand(struct exchange *x, const struct conf_demand *demand, struct ern_slice rule)
{
    struct out link = arena_out(&x->arena), detail;

    out_literal(&link, "Link: <");
    out_slice(&link, demand->blocked_by);
    out_literal(&link, ">; rel=\"blocked-by\"\r\n");
    x->res.fields = arena_keep(&x->arena, &link);
    detail = arena_out(&x->arena);
    out_slice(&detail, sentence_of(ern_rule_find(rule), language_preferred(&x->request)));
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

/* The demand about the request, or about its content. */
static const struct conf_demand *
find(const struct exchange *x, const struct legal_content *content)
{
    struct ip client = address_ip(&x->client);
    const struct legal_question question = {
        .path = x->res.path,
        .client = &client,
        .now_s = x->worker->now.unix_s,
        .has_name = is_asked_for,
        .self = x,
        .content = content,
    };

    return legal_find(x->worker->demands, &question);
}

bool
demand_stands(struct exchange *x)
{
    const struct conf_demand *demand = find(x, NULL);

    if (demand)
        tell_demand(x, demand, ERN_SLICE("legal"));
    return demand != NULL;
}

static void
run_digest(struct res_request *res)
{
    struct exchange *x =
        (struct exchange *)(void *)((char *)res - __builtin_offsetof(struct exchange, res));
    const struct res_original *o = &res->representation.original;

    x->content.error = legal_digest(x->worker->legal, o->fd, o->stamp, x->content.digest);
    x->content.is_known = true;
}

enum ern_answer
demand_ask_content(struct ern_decision *d)
{
    struct exchange *x = exchange_of_decision(d);
    const struct res_original *o = &x->res.representation.original;
    struct legal_content content = {0, NULL};
    const struct conf_demand *demand;

    if (!x->res.has_representation || !o->stamp || !legal_names_content(x->worker->demands))
        return ERN_YES;
    content.bytes = o->stamp->bytes;
    if (!find(x, &content))
        return ERN_YES; /* nothing so long is named: there is no need to read it */
    if (!x->content.is_known && !o->bytes)
        return res_step(&x->res, run_digest);
    if (!x->content.is_known)
        digest_bytes(slice_from(o->bytes, (size_t)content.bytes), x->content.digest);
    if (x->content.error)
        return ERN_FAIL;
    content.digest = x->content.digest;
    demand = find(x, &content);
    if (!demand)
        return ERN_YES;
    x->res.has_representation = false;
    tell_demand(x, demand, ERN_SLICE("legal_content"));
    return ERN_NO;
}
