/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reach.h"

#include "serve/site.h"

/* WIRE and CONF facts that the server never states other than by their fallback, so far. */
static const enum ern_fact unstated[] = {
    ERN_FACT_member,
};

/* Facts of resources that the server states itself, whatever the kind (admit.c, policy.c). */
static const enum ern_fact admitted[] = {
    ERN_FACT_upgrade_required, ERN_FACT_replay_safe,
    ERN_FACT_available,        ERN_FACT_authenticated,
    ERN_FACT_proxy_authed,     ERN_FACT_share_used,
    ERN_FACT_permitted,        ERN_FACT_legal,
    ERN_FACT_hidden,           ERN_FACT_paid,
    ERN_FACT_debited,          ERN_FACT_extended,
    ERN_FACT_content_lawful,   ERN_FACT_state_reachable,
};

static bool
is_stated(enum ern_fact fact)
{
    for (size_t i = 0; i < sizeof unstated / sizeof *unstated; i++)
        if (unstated[i] == fact)
            return false;
    for (size_t i = 0; i < sizeof admitted / sizeof *admitted; i++)
        if (admitted[i] == fact)
            return true;
    return ern_fact_source(fact) <= ERN_CONF;
}

/* The fact that this kind of resource cannot answer as the rule needs it, or ERN_FACTS. */
static enum ern_fact
obstacle(const struct ern_resource *kind, const struct ern_bits *if_, const struct ern_bits *unless)
{
    for (unsigned i = 0; i < ERN_FACTS; i++) {
        enum ern_fact fact = (enum ern_fact)i;
        bool is_needed = ern_bits_has(ern_fact_fallback(fact) ? unless : if_, fact);

        if (is_needed && !is_stated(fact) && !kind->ask[fact])
            return fact;
    }
    return ERN_FACTS;
}

bool
reach_can(const struct ern_bits *if_, const struct ern_bits *unless, enum ern_fact *ret_fact)
{
    for (size_t i = 0; i < site_kinds_n; i++) {
        *ret_fact = obstacle(site_kinds[i], if_, unless);
        if (*ret_fact == ERN_FACTS)
            return true;
    }
    return false;
}

bool
reach_asks(enum ern_source source)
{
    for (size_t i = 0; i < site_kinds_n; i++)
        for (unsigned f = 0; f < ERN_FACTS; f++)
            if (site_kinds[i]->ask[f] && ern_fact_source((enum ern_fact)f) == source)
                return true;
    return false;
}
