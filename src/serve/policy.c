/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "serve/exchange.h"

struct policy
policy_of(const struct conf_route *route)
{
    return (struct policy){.allow = route->allowed, .hide = route->hide};
}

static struct exchange *
exchange_of(const struct ern_decision *d)
{
    return (struct exchange *)(void *)((char *)d->self - __builtin_offsetof(struct exchange, res));
}

/* The policy does not object: what does the kind of resource say? */
static enum ern_answer
ask_kind(struct ern_decision *d, enum ern_fact fact)
{
    ern_ask *ask = exchange_of(d)->route->kind->ask[fact];

    if (ask)
        return ask(d, fact);
    return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
}

/* ---- who may -----------------------------------------------------------------------------------
 */

static bool
limits_addresses(const struct policy *p)
{
    return p->allow.n > 0;
}

static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = exchange_of(d);
    struct ip client = address_ip(&x->client);

    return networks_have(&x->route->policy.allow, &client) ? ask_kind(d, fact) : ERN_NO;
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

/* ---- all of them -------------------------------------------------------------------------------
 */

static const struct {
    enum ern_fact fact;
    bool (*applies)(const struct policy *policy);
    ern_ask *ask;
} rows[] = {
    {ERN_FACT_permitted, limits_addresses, ask_permitted},
    {ERN_FACT_hidden, hides, ask_hidden},
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
