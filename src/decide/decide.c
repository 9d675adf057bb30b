/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c - the walk down the rules: a decision list over three-valued facts. A rule is true,
 * false, or not yet known; take the first that is not false. If it is true it decides; if it is
 * unknown, ask its cheapest unknown fact.
 */
#include "earnest/decide.h"

#include <assert.h>

#include "base/slice.h"

static_assert(ERN_FACTS <= 128, "facts fit struct ern_bits");

/* A list of up to eight facts as the two words of a struct ern_bits. */
#define BIT(fact, w) ((ERN_FACT_##fact) / 64 == (w) ? UINT64_C(1) << (ERN_FACT_##fact % 64) : 0)
#define OR0(w) 0
#define OR1(w, a) BIT(a, w)
#define OR2(w, a, ...) BIT(a, w) | OR1(w, __VA_ARGS__)
#define OR3(w, a, ...) BIT(a, w) | OR2(w, __VA_ARGS__)
#define OR4(w, a, ...) BIT(a, w) | OR3(w, __VA_ARGS__)
#define OR5(w, a, ...) BIT(a, w) | OR4(w, __VA_ARGS__)
#define OR6(w, a, ...) BIT(a, w) | OR5(w, __VA_ARGS__)
#define PICK(_0, _1, _2, _3, _4, _5, _6, or_n, ...) or_n
#define OR(w, ...) (PICK(0, ##__VA_ARGS__, OR6, OR5, OR4, OR3, OR2, OR1, OR0, 0)(w, ##__VA_ARGS__))
#define IF(...)                                                                                    \
    {                                                                                              \
        {                                                                                          \
            OR(0, ##__VA_ARGS__), OR(1, ##__VA_ARGS__)                                             \
        }                                                                                          \
    }
#define UNLESS(...) IF(__VA_ARGS__)

const struct ern_rule ern_rules[] = {
#define RULE(status, name, if_, unless, source) {if_, unless, status, #name, source},
#include "rules.def"
#undef RULE
};
const size_t ern_rules_n = sizeof ern_rules / sizeof *ern_rules;
static_assert(sizeof ern_rules / sizeof *ern_rules <= ERN_RULES_MAX, "ern_resource.skip has all");

static const struct {
    uint16_t status;
    enum ern_source source;
    struct ern_bits if_, unless;
} interims[] = {
#define INTERIM(status, name, source, if_, unless, section) {status, ERN_##source, if_, unless},
#include "interim.def"
#undef INTERIM
};

static const struct {
    const char *name, *question;
    enum ern_source source;
    bool fallback;
} facts[ERN_FACTS] = {
#define NO false
#define YES true
#define FACT(name, source, fallback, question) {#name, question, ERN_##source, fallback},
#include "facts.def"
#undef FACT
#undef NO
#undef YES
};

/* The facts whose fallback is yes. */
#define NO(fact, w) 0
#define YES(fact, w) BIT(fact, w)
static const struct ern_bits fallbacks = {{
#define FACT(name, source, fallback, question) fallback(name, 0) |
#include "facts.def"
#undef FACT
    0,
#define FACT(name, source, fallback, question) fallback(name, 1) |
#include "facts.def"
#undef FACT
    0,
}};

/* The facts that a resource is asked: those after WIRE and CONF. */
static const struct ern_bits later = {{~UINT64_C(0) << ERN_FACT_available, ~UINT64_C(0)}};

static void
add(struct ern_bits *bits, enum ern_fact fact)
{
    bits->word[fact / 64] |= UINT64_C(1) << (fact % 64);
}

static void
drop(struct ern_bits *bits, enum ern_fact fact)
{
    bits->word[fact / 64] &= ~(UINT64_C(1) << (fact % 64));
}

/* Is one of its facts known to be as the rule does not want it? */
static inline bool
is_refuted(const struct ern_rule *r, const struct ern_facts *f)
{
    const uint64_t yes0 = f->yes.word[0], no0 = f->known.word[0] & ~yes0;
    const uint64_t yes1 = f->yes.word[1], no1 = f->known.word[1] & ~yes1;

    return ((r->if_.word[0] & no0) | (r->if_.word[1] & no1) | (r->unless.word[0] & yes0) |
            (r->unless.word[1] & yes1)) != 0;
}

/* The rule, which is not refuted, if it holds; else NULL and the fact that is needed. */
static inline const struct ern_rule *
if_holds(const struct ern_rule *r, const struct ern_facts *f, enum ern_fact *need)
{
    for (unsigned w = 0; w < 2; w++) {
        uint64_t unknown = (r->if_.word[w] | r->unless.word[w]) & ~f->known.word[w];

        if (unknown) {
            *need = (enum ern_fact)(w * 64 + (unsigned)__builtin_ctzll(unknown));
            return NULL;
        }
    }
    return r;
}

const struct ern_rule *
ern_look(const struct ern_facts *f, uint16_t *from, enum ern_fact *need)
{
    while (is_refuted(ern_rules + *from, f))
        (*from)++; /* the last rule cannot be */
    return if_holds(ern_rules + *from, f, need);
}

/* As ern_look(), past the rules that this kind of resource refutes by what it cannot be asked. */
static const struct ern_rule *
look_on(struct ern_decision *d, enum ern_fact *need)
{
    const uint8_t *skip = d->resource->skip;
    const struct ern_facts f = d->facts;
    unsigned i = d->rule;

    if (!d->skips)
        return ern_look(&d->facts, &d->rule, need);
    for (i += skip[i]; is_refuted(ern_rules + i, &f); i += skip[i])
        i++;
    d->rule = (uint16_t)i;
    return if_holds(ern_rules + i, &f, need);
}

void
ern_learn(struct ern_decision *d, enum ern_fact fact, bool yes)
{
    assert(fact < ERN_FACTS);
    assert(!ern_bits_has(&d->facts.known, fact));
    add(&d->facts.known, fact);
    if (yes)
        add(&d->facts.yes, fact);
    d->asked[d->asked_n++] = (uint8_t)fact;
    d->waiting = ERN_FACTS;
}

/* The law's one exception, said aloud: what cannot be answered is 500, whatever else is known. */
static const struct ern_rule *
fail(struct ern_decision *d)
{
    add(&d->facts.yes, ERN_FACT_broke);
    d->rule = 0;
    d->waiting = ERN_FACTS;
    return &ern_rules[0];
}

const struct ern_rule *
ern_decide(struct ern_decision *d, enum ern_source upto)
{
    const struct ern_rule *rule;
    enum ern_fact need;

    while (!(rule = look_on(d, &need))) {
        enum ern_answer answer =
            facts[need].source > upto ? ERN_WAIT : d->resource->ask[need](d, need);

        if (answer == ERN_WAIT) {
            d->waiting = need;
            return NULL;
        }
        if (answer == ERN_FAIL)
            return fail(d);
        if (!ern_bits_has(&d->facts.known, need)) /* the ask may have learned it itself */
            ern_learn(d, need, answer == ERN_YES);
    }
    return rule;
}

void
ern_resource_init(struct ern_resource *r)
{
    struct ern_facts unasked = {{{0, 0}}, {{0, 0}}};

    for (unsigned f = 0; f < ERN_FACTS; f++) {
        if (r->ask[f])
            add(&r->asks, (enum ern_fact)f);
        else if (facts[f].source > ERN_CONF)
            ern_state(&unasked, (enum ern_fact)f, facts[f].fallback);
    }
    for (size_t i = ern_rules_n; i-- > 0;) /* the last rule cannot be refuted */
        r->skip[i] = is_refuted(&ern_rules[i], &unasked) ? (uint8_t)(r->skip[i + 1] + 1) : 0;
}

void
ern_state(struct ern_facts *given, enum ern_fact fact, bool yes)
{
    assert(fact < ERN_FACTS);
    add(&given->known, fact);
    if (yes)
        add(&given->yes, fact);
    else
        drop(&given->yes, fact);
}

void
ern_begin(struct ern_decision *d, const struct ern_resource *r, void *self,
          const struct ern_request *request, int64_t now_s, const struct ern_facts *given)
{
    d->evidence.etag = d->evidence.location = d->evidence.challenge = d->evidence.detail =
        ERN_ABSENT;
    d->evidence.last_modified_s = d->evidence.retry_after_s = d->evidence.content_bytes = -1;
    d->evidence.allow = 0;
    d->evidence.ranges.n = 0;
    d->skips = true;
    for (unsigned w = 0; w < 2; w++) {
        uint64_t unasked = ~(given->known.word[w] | r->asks.word[w]);
        uint64_t odd = given->known.word[w] & (given->yes.word[w] ^ fallbacks.word[w]);

        if (odd & later.word[w] & ~r->asks.word[w])
            d->skips = false; /* more is given than ern_resource_init() went by */
        d->facts.known.word[w] = given->known.word[w] | unasked;
        d->facts.yes.word[w] = given->yes.word[w] | (fallbacks.word[w] & unasked);
    }
    d->resource = r;
    d->self = self;
    d->request = request;
    d->now_s = now_s;
    d->waiting = ERN_FACTS;
    d->rule = d->relayed = 0;
    d->asked_n = 0;
}

/* Are all of if_ known to be yes and all of unless known to be no? */
static bool
holds(const struct ern_facts *f, const struct ern_bits *if_, const struct ern_bits *unless)
{
    uint64_t lacking = 0;

    for (unsigned w = 0; w < 2; w++) {
        lacking |= if_->word[w] & ~f->yes.word[w];
        lacking |= unless->word[w] & ~(f->known.word[w] & ~f->yes.word[w]);
    }
    return lacking == 0;
}

uint16_t
ern_interim(const struct ern_decision *d, size_t *at)
{
    while (d->waiting < ERN_FACTS && *at < sizeof interims / sizeof *interims) {
        size_t i = (*at)++;

        if (interims[i].source == facts[d->waiting].source &&
            holds(&d->facts, &interims[i].if_, &interims[i].unless))
            return interims[i].status;
    }
    return 0;
}

const struct ern_rule *
ern_rule_find(struct ern_slice name)
{
    for (size_t i = 0; i < ern_rules_n; i++)
        if (slice_eq(slice_text(ern_rules[i].name), name))
            return &ern_rules[i];
    return NULL;
}

const char *
ern_fact_name(enum ern_fact fact)
{
    return facts[fact].name;
}

const char *
ern_fact_question(enum ern_fact fact)
{
    return facts[fact].question;
}

enum ern_source
ern_fact_source(enum ern_fact fact)
{
    return facts[fact].source;
}

bool
ern_fact_fallback(enum ern_fact fact)
{
    return facts[fact].fallback;
}
