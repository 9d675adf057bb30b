/* SPDX-License-Identifier: Apache-2.0 */
#include "earnest/decide.h"

/* The fact that refutes rule, or ERN_FACTS; *yes is what we know of it. */
static enum ern_fact
refuter(const struct ern_rule *rule, const struct ern_facts *f, bool *yes)
{
    for (unsigned i = 0; i < ERN_FACTS; i++) {
        enum ern_fact fact = (enum ern_fact)i;

        *yes = ern_bits_has(&f->yes, fact);
        if (ern_bits_has(&f->known, fact) && ern_bits_has(*yes ? &rule->unless : &rule->if_, fact))
            return fact;
    }
    return ERN_FACTS;
}

size_t
ern_why(const struct ern_facts *f, struct ern_step *steps, size_t n)
{
    size_t i = 0;

    for (const struct ern_rule *rule = ern_rules; i < n; rule++, i++) {
        steps[i].rule = rule;
        steps[i].fact = refuter(rule, f, &steps[i].yes);
        if (steps[i].fact == ERN_FACTS)
            return i + 1;
    }
    return n;
}
