/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/insight.h"

#include "earnest/status.h"

enum insight_group
insight_group(const struct ern_step *step, const struct ern_bits *asked)
{
    if (step->fact == ERN_FACTS)
        return INSIGHT_HELD;
    return ern_bits_has(asked, step->fact) ? INSIGHT_ASKED : INSIGHT_FOLDED;
}

const struct ern_rule *
insight_settle(struct ern_facts *facts)
{
    const struct ern_rule *rule;
    uint16_t from = 0;
    enum ern_fact need;

    while (!(rule = ern_look(facts, &from, &need)))
        ern_state(facts, need, ern_fact_fallback(need));
    return rule;
}

bool
insight_succeeds(const struct ern_rule *rule)
{
    return rule->status / 100 == 2 || rule->status == ERN_101_SWITCHING_PROTOCOLS;
}

/* The facts of a rule, those that its resource answers first and the last of them first: these say
 * most of what is asked for. Returns how many. */
static size_t
facts_of(const struct ern_rule *rule, enum ern_fact *facts)
{
    size_t n = 0;

    for (unsigned given = 0; given < 2; given++)
        for (unsigned i = ERN_FACTS; i-- > 0 && n < INSIGHT_CHANGES_MAX;) {
            enum ern_fact fact = (enum ern_fact)i;

            if ((ern_fact_source(fact) < ERN_ASK) == (given == 1) &&
                (ern_bits_has(&rule->if_, fact) || ern_bits_has(&rule->unless, fact)))
                facts[n++] = fact;
        }
    return n;
}

/* Turns a fact of the rule over, and looks which one holds then. */
static struct insight_change
turn(const struct ern_rule *rule, enum ern_fact fact, struct ern_facts *facts)
{
    struct insight_change change = {fact, !ern_bits_has(&rule->if_, fact), NULL};

    ern_state(facts, fact, change.yes);
    change.rule = insight_settle(facts);
    return change;
}

size_t
insight_changes(const struct ern_facts *facts, struct insight_change *changes)
{
    enum ern_fact of_rule[INSIGHT_CHANGES_MAX];
    struct ern_facts settled = *facts;
    const struct ern_rule *rule = insight_settle(&settled);
    size_t n = facts_of(rule, of_rule), at = 0;

    for (unsigned fails = 0; fails < 2; fails++)
        for (size_t i = 0; i < n; i++) {
            struct ern_facts other = settled;
            struct insight_change change = turn(rule, of_rule[i], &other);

            if (insight_succeeds(change.rule) == (fails == 0))
                changes[at++] = change;
        }
    return at;
}

/* Is there a way of left more steps, on from the rule that holds? */
static bool
find_way(const struct ern_rule *rule, const struct ern_facts *facts, unsigned left,
         struct insight_change *way)
{
    enum ern_fact of_rule[INSIGHT_CHANGES_MAX];
    size_t n = facts_of(rule, of_rule);

    for (size_t i = 0; i < n; i++) {
        struct ern_facts other = *facts;

        *way = turn(rule, of_rule[i], &other);
        if (left == 1 ? insight_succeeds(way->rule)
                      : find_way(way->rule, &other, left - 1, way + 1))
            return true;
    }
    return false;
}

size_t
insight_way(const struct ern_facts *facts, struct insight_change *way)
{
    struct ern_facts settled = *facts;
    const struct ern_rule *rule = insight_settle(&settled);

    if (insight_succeeds(rule))
        return 0;
    for (unsigned length = 1; length <= INSIGHT_WAY_MAX; length++)
        if (find_way(rule, &settled, length, way))
            return length;
    return 0;
}
