/* SPDX-License-Identifier: Apache-2.0 */
/*
 * laws_test.c - what holds for every table of rules and every request, tried on random requests
 * against the slow reading of the rules in test/lib/oracle.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "earnest/decide.h"
#include "earnest/status.h"
#include "oracle.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW 1
#endif
#endif
#ifdef SLOW
enum { CASES = 100000, WAIT_ONE_IN = 8, KINDS = 32 };
#else
enum { CASES = 1000000, WAIT_ONE_IN = 8, KINDS = 32 };
#endif

struct run { /* one request, as its resource sees it */
    struct oracle_world world;
    uint64_t random;
    bool waits;                 /* sometimes answers later */
    bool tells;                 /* sometimes answers more than it was asked */
    uint8_t asked[ERN_FACTS];   /* how often */
    const struct ern_rule *act; /* the rule at which the first ACT fact was asked */
};

static bool
knows(const struct ern_facts *f, enum ern_fact fact, bool yes)
{
    return ern_bits_has(&f->known, fact) && ern_bits_has(&f->yes, fact) == yes;
}

/* Does a known fact contradict the rule? */
static bool
refuted(const struct ern_rule *rule, const struct ern_facts *f)
{
    for (unsigned i = 0; i < ERN_FACTS; i++)
        if ((ern_bits_has(&rule->if_, i) && knows(f, i, false)) ||
            (ern_bits_has(&rule->unless, i) && knows(f, i, true)))
            return true;
    return false;
}

static enum ern_answer
answer(struct ern_decision *d, enum ern_fact fact)
{
    struct run *run = d->self;

    run->asked[fact]++;
    if (ern_fact_source(fact) == ERN_ACT && !run->act)
        run->act = &ern_rules[d->rule];
    if (run->waits && oracle_random(&run->random) % WAIT_ONE_IN == 0)
        return ERN_WAIT;
    if (run->tells) {
        enum ern_fact other = (enum ern_fact)(oracle_random(&run->random) % ERN_FACTS);

        if (!ern_bits_has(&d->facts.known, other))
            ern_learn(d, other, run->world.yes[other]);
    }
    return run->world.yes[fact] ? ERN_YES : ERN_NO;
}

/* A kind of resource that answers about seven of eight questions; the first one answers all. */
static void
kind_init(struct ern_resource *kind, uint64_t *random, bool all)
{
    memset(kind, 0, sizeof *kind);
    kind->name = "random";
    for (unsigned f = 0; f < ERN_FACTS; f++)
        if (ern_fact_source(f) >= ERN_ASK && (all || oracle_random(random) >> 61 != 0))
            kind->ask[f] = answer;
    ern_resource_init(kind);
}

/* Begins; what the kind is not asked becomes the fallback in the world, too. */
static void
begin(struct ern_decision *d, const struct ern_resource *kind, struct run *run)
{
    struct ern_facts given = {0};

    for (unsigned f = 0; f < ERN_FACTS; f++) {
        if (ern_fact_source(f) < ERN_ASK)
            ern_state(&given, f, run->world.yes[f]);
        else if (!kind->ask[f])
            run->world.yes[f] = ern_fact_fallback(f);
    }
    ern_begin(d, kind, run, NULL, 0, &given);
}

/* Walks to the end, answering late what the resource answers late. */
static const struct ern_rule *
finish(struct ern_decision *d, struct run *run)
{
    const struct ern_rule *rule;
    uint16_t before = 0;

    for (unsigned rounds = 0; !(rule = ern_decide(d, ERN_ACT)); rounds++) {
        assert_true(rounds < ERN_FACTS);
        assert_true(d->waiting < ERN_FACTS);
        assert_false(ern_bits_has(&d->facts.known, d->waiting));
        assert_true(d->rule >= before);
        before = d->rule;
        ern_learn(d, d->waiting, run->world.yes[d->waiting]);
    }
    assert_true(d->rule >= before);
    return rule;
}

static void
table_ends_with_a_rule_without_conditions(void **state)
{
    const struct ern_rule *last = &ern_rules[ern_rules_n - 1];

    (void)state;
    assert_int_equal(last->if_.word[0] | last->if_.word[1], 0);
    assert_int_equal(last->unless.word[0] | last->unless.word[1], 0);
}

static void
names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < ern_rules_n; i++) {
        struct ern_slice name = {ern_rules[i].name, strlen(ern_rules[i].name)};

        assert_ptr_equal(ern_rule_find(name), &ern_rules[i]);
    }
    for (unsigned a = 0; a < ERN_FACTS; a++)
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(ern_fact_name(a), ern_fact_name(b));
}

static void
facts_stand_nearest_first(void **state)
{
    (void)state;
    for (unsigned f = 1; f < ERN_FACTS; f++)
        if (ern_fact_source(f) < ern_fact_source(f - 1))
            fail_msg("%s is nearer than %s before it", ern_fact_name(f), ern_fact_name(f - 1));
}

/* With nothing known, each rule asks the fact that stands first in facts.def. */
static void
cheapest_fact_of_a_rule_is_asked_first(void **state)
{
    const struct ern_facts nothing = {0};

    (void)state;
    for (size_t i = 0; i + 1 < ern_rules_n; i++) {
        enum ern_fact need = ERN_FACTS;
        uint16_t from = (uint16_t)i;
        unsigned f = 0;

        while (!ern_bits_has(&ern_rules[i].if_, f) && !ern_bits_has(&ern_rules[i].unless, f))
            f++;
        assert_null(ern_look(&nothing, &from, &need));
        assert_int_equal(from, i);
        assert_int_equal(need, f);
    }
}

static void
no_fact_is_unused(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ERN_FACTS; f++)
        if (!oracle_uses(f))
            fail_msg("no rule asks %s", ern_fact_name(f));
}

/* Lazy is eager: the engine that asks as little as it can and the oracle that knows all agree. */
static void
lazy_verdict_is_the_eager_one(void **state)
{
    static struct ern_resource kinds[KINDS];
    uint64_t random = 0x9e3779b97f4a7c15;

    (void)state;
    for (unsigned k = 0; k < KINDS; k++)
        kind_init(&kinds[k], &random, k == 0);
    for (unsigned i = 0; i < CASES; i++) {
        struct run run = {.random = random, .waits = i & 1, .tells = i & 2};
        struct ern_decision d;
        const struct ern_rule *rule;
        size_t expected;

        run.world = oracle_world_random(&random, i % 7);
        begin(&d, &kinds[i % KINDS], &run);
        expected = oracle_verdict(&run.world);
        rule = finish(&d, &run);
        if (rule != &ern_rules[expected])
            fail_msg("case %u: %s, but eagerly %s", i, rule->name, ern_rules[expected].name);
        for (unsigned f = 0; f < ERN_FACTS; f++)
            if (run.asked[f] > 1)
                fail_msg("case %u: %s was asked %d times", i, ern_fact_name(f), run.asked[f]);
    }
}

static void
knowing_all_gives_the_same_verdict_without_asking(void **state)
{
    uint64_t random = 0x51ed270b3f7a1c29;

    (void)state;
    for (unsigned i = 0; i < CASES / 10; i++) {
        struct oracle_world world = oracle_world_random(&random, i % 7);
        struct ern_facts all = {0};
        enum ern_fact need;
        uint16_t from = 0;

        for (unsigned f = 0; f < ERN_FACTS; f++)
            ern_state(&all, f, world.yes[f]);
        assert_ptr_equal(ern_look(&all, &from, &need), &ern_rules[oracle_verdict(&world)]);
    }
}

static void
replay_names_the_same_rule(void **state)
{
    static struct ern_step steps[256];
    struct ern_resource kind;
    uint64_t random = 0x2b992ddfa23249d6;

    (void)state;
    kind_init(&kind, &random, true);
    for (unsigned i = 0; i < CASES / 20; i++) {
        struct run run = {.random = random, .waits = true};
        struct ern_decision d;
        const struct ern_rule *rule;
        size_t n;

        run.world = oracle_world_random(&random, i % 7);
        begin(&d, &kind, &run);
        rule = finish(&d, &run);
        n = ern_why(&d.facts, steps, 256);
        assert_true(n > 0);
        assert_ptr_equal(steps[n - 1].rule, rule);
        assert_int_equal(steps[n - 1].fact, ERN_FACTS);
        for (size_t s = 0; s + 1 < n; s++) {
            assert_true(knows(&d.facts, steps[s].fact, steps[s].yes));
            assert_true(refuted(steps[s].rule, &d.facts));
        }
    }
}

/* The work is done only when the rules before it are out of the question. */
static void
nothing_is_done_while_an_earlier_rule_may_hold(void **state)
{
    struct ern_resource kind;
    uint64_t random = 0x853c49e6748fea9b;
    unsigned acted = 0;

    (void)state;
    kind_init(&kind, &random, true);
    for (unsigned i = 0; i < CASES / 20; i++) {
        struct run run = {.random = random};
        struct ern_decision d;
        const struct ern_rule *rule;

        run.world = oracle_world_random(&random, 3 + i % 4);
        begin(&d, &kind, &run);
        rule = finish(&d, &run);
        if (!run.act)
            continue;
        acted++;
        assert_true(rule >= run.act);
        for (const struct ern_rule *earlier = ern_rules; earlier < run.act; earlier++)
            assert_true(refuted(earlier, &d.facts));
        for (size_t r = 0; r < (size_t)(run.act - ern_rules); r++)
            if (!oracle_needs_only(r, ERN_BODY))
                fail_msg("%s stands before %s, where the act began", ern_rules[r].name,
                         run.act->name);
    }
    assert_true(acted > 100);
}

struct search { /* an assignment that makes a rule first */
    struct ern_facts facts;
    size_t rule;
};

static void
forget(struct ern_facts *facts, enum ern_fact fact)
{
    uint64_t others = ~(UINT64_C(1) << (fact % 64));

    facts->known.word[fact / 64] &= others;
    facts->yes.word[fact / 64] &= others;
}

/* Refutes the rules from number at on, up to the one that is searched for. */
static bool
search_from(struct search *s, size_t at)
{
    const struct ern_rule *rule = &ern_rules[at];

    if (at == s->rule)
        return true;
    if (refuted(rule, &s->facts))
        return search_from(s, at + 1);
    for (unsigned f = 0; f < ERN_FACTS; f++) {
        bool in_if = ern_bits_has(&rule->if_, f);

        if ((!in_if && !ern_bits_has(&rule->unless, f)) || ern_bits_has(&s->facts.known, f))
            continue;
        ern_state(&s->facts, f, !in_if);
        if (search_from(s, at + 1))
            return true;
        forget(&s->facts, f);
    }
    return false;
}

static void
no_rule_is_dead(void **state)
{
    (void)state;
    for (size_t i = 0; i < ern_rules_n; i++) {
        struct search s = {.rule = i};
        uint16_t from = 0;
        enum ern_fact need;

        for (unsigned w = 0; w < 2; w++) {
            s.facts.yes.word[w] = ern_rules[i].if_.word[w];
            s.facts.known.word[w] = ern_rules[i].if_.word[w] | ern_rules[i].unless.word[w];
        }
        if (!search_from(&s, 0))
            fail_msg("nothing makes %s the first rule that holds", ern_rules[i].name);
        assert_ptr_equal(ern_look(&s.facts, &from, &need), &ern_rules[i]);
    }
}

static bool
contains(const struct ern_bits *big, const struct ern_bits *small)
{
    return (small->word[0] & ~big->word[0]) == 0 && (small->word[1] & ~big->word[1]) == 0;
}

static void
no_rule_contains_an_earlier_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < ern_rules_n; i++)
        for (size_t j = 0; j < i; j++)
            if (contains(&ern_rules[i].if_, &ern_rules[j].if_) &&
                contains(&ern_rules[i].unless, &ern_rules[j].unless))
                fail_msg("%s holds wherever %s does", ern_rules[j].name, ern_rules[i].name);
}

static size_t
rules_with(unsigned status)
{
    size_t n = 0;

    for (size_t i = 0; i < ern_rules_n; i++)
        n += ern_rules[i].status == status;
    return n;
}

static void
every_final_status_has_a_rule_and_no_other(void **state)
{
    const struct ern_status *row;

    (void)state;
    for (unsigned i = 0; (row = ern_status_at(i)); i++)
        if ((rules_with(row->code) > 0) != (row->kind == ERN_FINAL))
            fail_msg("status %u: %zu rules", row->code, rules_with(row->code));
    for (size_t i = 0; i < ern_rules_n; i++)
        if (ern_rules[i].status && !ern_status_find(ern_rules[i].status))
            fail_msg("%s: no status %u", ern_rules[i].name, ern_rules[i].status);
    assert_int_equal(rules_with(0), 1);
}

static void
every_interim_rule_gives_an_interim_status(void **state)
{
    static const uint16_t interims[] = {
#define INTERIM(status, name, source, if_, unless, section) status,
#include "interim.def"
#undef INTERIM
    };

    (void)state;
    for (size_t i = 0; i < sizeof interims / sizeof *interims; i++) {
        assert_non_null(ern_status_find(interims[i]));
        assert_int_equal(ern_status_find(interims[i])->kind, ERN_INTERIM);
    }
}

/* 100 exactly when the walk stops for content that the client holds back. */
static void
continue_is_said_when_content_is_wanted_and_never_else(void **state)
{
    struct ern_resource kind;
    uint64_t random = 0xda3e39cb94b95bdb;
    unsigned stopped = 0, decided = 0;

    (void)state;
    kind_init(&kind, &random, true);
    for (unsigned i = 0; i < CASES / 10; i++) {
        struct run run = {.random = random, .waits = i & 4};
        struct ern_decision d;
        const struct ern_rule *rule;
        bool wants;

        run.world = oracle_world_random(&random, 3 + i % 4);
        run.world.yes[ERN_FACT_has_content] = i & 1;
        run.world.yes[ERN_FACT_expects] = i & 2;
        begin(&d, &kind, &run);
        rule = ern_decide(&d, ERN_ASK);
        wants = !rule && ern_fact_source(d.waiting) == ERN_BODY;
        assert_int_equal(ern_interim(&d, &(size_t){0}) == ERN_100_CONTINUE,
                         wants && run.world.yes[ERN_FACT_has_content] &&
                             run.world.yes[ERN_FACT_expects]);
        stopped += wants;
        decided += rule != NULL;
        if (oracle_needs_only(oracle_verdict(&run.world), ERN_ASK) && !rule)
            assert_false(oracle_verdict(&run.world) < d.rule);
        for (unsigned f = 0; f < ERN_FACTS; f++)
            if (ern_fact_source(f) >= ERN_BODY)
                assert_int_equal(run.asked[f], 0);
        if (rule)
            assert_ptr_equal(rule, &ern_rules[oracle_verdict(&run.world)]);
        else
            assert_ptr_equal(finish(&d, &run), &ern_rules[oracle_verdict(&run.world)]);
    }
    assert_true(stopped > 100 && decided > 100);
}

static enum ern_answer
fails(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_FAIL;
}

static void
what_cannot_be_answered_is_broke_wherever_it_is_asked(void **state)
{
    uint64_t random = 0xc0ffee123456789;
    unsigned broke = 0;

    (void)state;
    for (unsigned f = 0; f < ERN_FACTS; f++) {
        struct ern_resource kind;

        if (ern_fact_source(f) < ERN_ASK)
            continue;
        kind_init(&kind, &random, true);
        kind.ask[f] = fails;
        for (unsigned i = 0; i < 2000; i++) {
            struct run run = {.random = random};
            struct ern_step steps[2];
            struct ern_decision d;
            const struct ern_rule *rule;

            run.world = oracle_world_random(&random, 3 + i % 4);
            begin(&d, &kind, &run);
            rule = finish(&d, &run);
            if (ern_bits_has(&d.facts.known, f) || rule != &ern_rules[0])
                continue;
            broke++;
            assert_string_equal(rule->name, "broke");
            assert_int_equal(ern_why(&d.facts, steps, 2), 1);
            assert_ptr_equal(ern_decide(&d, ERN_ACT), rule);
        }
    }
    assert_true(broke > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_ends_with_a_rule_without_conditions),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(facts_stand_nearest_first),
        cmocka_unit_test(cheapest_fact_of_a_rule_is_asked_first),
        cmocka_unit_test(no_fact_is_unused),
        cmocka_unit_test(lazy_verdict_is_the_eager_one),
        cmocka_unit_test(knowing_all_gives_the_same_verdict_without_asking),
        cmocka_unit_test(replay_names_the_same_rule),
        cmocka_unit_test(nothing_is_done_while_an_earlier_rule_may_hold),
        cmocka_unit_test(no_rule_is_dead),
        cmocka_unit_test(no_rule_contains_an_earlier_one),
        cmocka_unit_test(every_final_status_has_a_rule_and_no_other),
        cmocka_unit_test(every_interim_rule_gives_an_interim_status),
        cmocka_unit_test(continue_is_said_when_content_is_wanted_and_never_else),
        cmocka_unit_test(what_cannot_be_answered_is_broke_wherever_it_is_asked),
    };

    return cmocka_run_group_tests_name("laws", tests, NULL, NULL);
}
