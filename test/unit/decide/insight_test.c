/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "decide/insight.h"
#include "oracle.h"

enum { CASES = 20000 };

/* What a GET of something that is there gives, where nobody has an opinion. */
static struct ern_facts
get(void)
{
    struct ern_facts facts = {{{0, 0}}, {{0, 0}}};

    ern_state(&facts, ERN_FACT_retrieves, true);
    ern_state(&facts, ERN_FACT_safe, true);
    return facts;
}

static void
holds(const struct ern_rule *rule, const char *name)
{
    assert_string_equal(rule->name, name);
}

static void
what_is_unknown_becomes_the_fallback(void **state)
{
    struct ern_facts facts = get();

    (void)state;
    holds(insight_settle(&facts), "ok");
    assert_true(ern_bits_has(&facts.yes, ERN_FACT_exists));
    assert_false(ern_bits_has(&facts.yes, ERN_FACT_created));
}

static void
what_is_missing_would_have_to_exist(void **state)
{
    struct insight_change changes[INSIGHT_CHANGES_MAX], way[INSIGHT_WAY_MAX];
    struct ern_facts facts = get();

    (void)state;
    ern_state(&facts, ERN_FACT_exists, false);
    assert_int_equal(insight_changes(&facts, changes), 3);
    assert_int_equal(changes[0].fact, ERN_FACT_exists);
    assert_true(changes[0].yes);
    holds(changes[0].rule, "ok");
    assert_int_equal(changes[1].fact, ERN_FACT_creates);
    holds(changes[1].rule, "ok");
    assert_int_equal(changes[2].fact, ERN_FACT_posts);
    holds(changes[2].rule, "missing_post");
    assert_int_equal(insight_way(&facts, way), 1);
    assert_int_equal(way[0].fact, ERN_FACT_exists);
}

/* Two things stand in the way: the first alone would not do. */
static void
a_way_goes_past_every_rule_that_stands_in_it(void **state)
{
    struct insight_change changes[INSIGHT_CHANGES_MAX], way[INSIGHT_WAY_MAX];
    struct ern_facts facts = get();

    (void)state;
    ern_state(&facts, ERN_FACT_permitted, false);
    ern_state(&facts, ERN_FACT_exists, false);
    assert_int_equal(insight_changes(&facts, changes), 2);
    holds(changes[0].rule, "forbidden_hidden");
    holds(changes[1].rule, "missing");
    assert_int_equal(insight_way(&facts, way), 2);
    assert_int_equal(way[0].fact, ERN_FACT_permitted);
    holds(way[0].rule, "missing");
    assert_int_equal(way[1].fact, ERN_FACT_exists);
    holds(way[1].rule, "ok");
}

static void
a_success_needs_no_way(void **state)
{
    struct insight_change way[INSIGHT_WAY_MAX];
    struct ern_facts facts = get();

    (void)state;
    assert_int_equal(insight_way(&facts, way), 0);
    assert_false(insight_succeeds(ern_rule_find(ERN_SLICE("relayed"))));
    assert_false(insight_succeeds(ern_rule_find(ERN_SLICE("moved_for_now"))));
    assert_true(insight_succeeds(ern_rule_find(ERN_SLICE("switching"))));
}

static void
steps_are_grouped(void **state)
{
    struct ern_bits asked = {{0, 0}};
    struct ern_facts facts = get();
    struct ern_step steps[ERN_RULES_MAX];
    unsigned n[3] = {0, 0, 0};
    size_t steps_n;

    (void)state;
    (void)insight_settle(&facts);
    asked.word[ERN_FACT_exists / 64] |= UINT64_C(1) << (ERN_FACT_exists % 64);
    steps_n = ern_why(&facts, steps, ERN_RULES_MAX);
    for (size_t i = 0; i < steps_n; i++) {
        enum insight_group group = insight_group(&steps[i], &asked);

        n[group]++;
        assert_true(group != INSIGHT_ASKED || steps[i].fact == ERN_FACT_exists);
        assert_true((group == INSIGHT_HELD) == (i + 1 == steps_n));
    }
    assert_int_equal(n[INSIGHT_HELD], 1);
    assert_in_range(n[INSIGHT_ASKED], 1, 10);
    assert_int_equal(n[INSIGHT_FOLDED], steps_n - 1 - n[INSIGHT_ASKED]);
}

/* Whatever is known: what is promised comes true, and no shorter way was missed by one step. */
static void
promises_are_kept(void **state)
{
    uint64_t random = 54;

    (void)state;
    for (unsigned c = 0; c < CASES; c++) {
        struct insight_change changes[INSIGHT_CHANGES_MAX], way[INSIGHT_WAY_MAX];
        struct ern_facts facts = {{{0, 0}}, {{0, 0}}}, after;
        bool one_step = false;
        size_t n;

        for (unsigned i = 0; i < ERN_FACTS; i++) {
            uint64_t r = oracle_random(&random);

            if (r % 16 != 0)
                ern_state(&facts, (enum ern_fact)i,
                          r % 16 < 3 ? (r >> 8) % 2 != 0 : ern_fact_fallback((enum ern_fact)i));
        }
        n = insight_changes(&facts, changes);
        for (size_t i = 0; i < n; i++) {
            after = facts;
            ern_state(&after, changes[i].fact, changes[i].yes);
            assert_ptr_equal(insight_settle(&after), changes[i].rule);
            one_step |= insight_succeeds(changes[i].rule);
        }
        after = facts;
        if (insight_succeeds(insight_settle(&after)))
            continue;
        n = insight_way(&facts, way);
        assert_true(one_step == (n == 1));
        for (size_t i = 0; i < n; i++) {
            ern_state(&after, way[i].fact, way[i].yes);
            assert_ptr_equal(insight_settle(&after), way[i].rule);
            assert_true(insight_succeeds(way[i].rule) == (i + 1 == n));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_unknown_becomes_the_fallback),
        cmocka_unit_test(what_is_missing_would_have_to_exist),
        cmocka_unit_test(a_way_goes_past_every_rule_that_stands_in_it),
        cmocka_unit_test(a_success_needs_no_way),
        cmocka_unit_test(steps_are_grouped),
        cmocka_unit_test(promises_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
