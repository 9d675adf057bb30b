/* SPDX-License-Identifier: Apache-2.0 */
#include "main/cause.h"

#include <stdint.h>

#include "base/slice.h"
#include "serve/reach.h"

static const struct {
    uint16_t status;
    enum ern_source stops;
    struct ern_slice name, if_, unless, source;
} interims[] = {
#define LITERAL(literal)                                                                           \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define IF(...) LITERAL("" #__VA_ARGS__)
#define UNLESS(...) LITERAL("" #__VA_ARGS__)
#define INTERIM(status, name, stops, if_, unless, source)                                          \
    {status, ERN_##stops, LITERAL(#name), if_, unless, LITERAL(source)},
#include "interim.def"
#undef INTERIM
#undef UNLESS
#undef IF
#undef LITERAL
};
enum { INTERIMS = sizeof interims / sizeof *interims };

/* The names between commas as a set of facts. */
static struct ern_bits
facts_named(struct ern_slice names)
{
    struct ern_bits bits = {{0, 0}};

    while (names.len) {
        size_t comma = slice_find(names, ',');
        struct ern_slice name = slice_trim(slice_first(names, comma));

        for (unsigned i = 0; i < ERN_FACTS; i++)
            if (slice_eq(name, slice_text(ern_fact_name((enum ern_fact)i))))
                bits.word[i / 64] |= UINT64_C(1) << (i % 64);
        names = slice_skip(names, comma < names.len ? comma + 1 : comma);
    }
    return bits;
}

bool
cause_next(unsigned code, size_t *i, struct cause *ret_cause)
{
    for (; *i < ern_rules_n; (*i)++) {
        const struct ern_rule *rule = &ern_rules[*i];

        if (rule->status != code)
            continue;
        *ret_cause = (struct cause){slice_text(rule->name),
                                    slice_text(rule->source),
                                    false,
                                    ERN_ACT,
                                    rule->if_,
                                    rule->unless};
        (*i)++;
        return true;
    }
    for (; *i - ern_rules_n < INTERIMS; (*i)++) {
        size_t row = *i - ern_rules_n;

        if (interims[row].status != code)
            continue;
        *ret_cause = (struct cause){
            interims[row].name,  interims[row].source,           true,
            interims[row].stops, facts_named(interims[row].if_), facts_named(interims[row].unless)};
        if (slice_ends(ret_cause->name, ERN_SLICE("_"))) /* a keyword of C: continue_ */
            ret_cause->name.len--;
        (*i)++;
        return true;
    }
    return false;
}

bool
cause_can(const struct cause *cause, enum ern_fact *ret_fact)
{
    *ret_fact = ERN_FACTS;
    return reach_can(&cause->if_, &cause->unless, ret_fact) &&
           (!cause->interim || reach_asks(cause->stops));
}
