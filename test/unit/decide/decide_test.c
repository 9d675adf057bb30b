/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide_test.c - single walks: precedence from both sides of each line, what ern_begin() sets up,
 * waiting and resuming, what is asked and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "earnest/decide.h"
#include "earnest/status.h"

/* Facts that differ from their fallback, and the rule that then decides. */
#define CASE(rule, ...)                                                                            \
    {                                                                                              \
        __LINE__, #rule,                                                                           \
        {                                                                                          \
            __VA_ARGS__, ERN_FACTS                                                                 \
        }                                                                                          \
    }
#define F(name) ERN_FACT_##name
static const struct {
    int line;
    const char *rule;
    enum ern_fact odd[10];
} precedence[] = {
    /* the message before the server, the server before the resource */
    CASE(malformed, F(malformed), F(version_known), F(overloaded)),
    CASE(version, F(version_known), F(target_too_long)),
    CASE(request_timeout, F(timed_out), F(malformed)),
    CASE(misdirected, F(misdirected), F(method_known)),
    CASE(overloaded, F(overloaded), F(rate_exceeded), F(authenticated)),
    CASE(unknown_method, F(method_known), F(expects), F(expect_known)),
    CASE(expectation, F(expects), F(expect_known), F(authenticated)),
    CASE(ok, F(expects)),
    CASE(ok, F(expect_known)), /* nothing is expected */

    /* a stranger learns nothing of what exists */
    CASE(unauthenticated, F(authenticated), F(exists)),
    CASE(unauthenticated, F(authenticated), F(method_allowed)),
    CASE(unauthenticated, F(authenticated), F(if_match), F(locked)),
    CASE(forbidden, F(permitted), F(exists)),
    CASE(forbidden_hidden, F(permitted), F(hidden)),
    CASE(ok, F(hidden)),
    CASE(method_not_allowed, F(method_allowed), F(exists)),
    CASE(too_early, F(early), F(replay_safe)),
    CASE(ok, F(early)),
    CASE(ok, F(replay_safe)), /* it did not come early */

    /* OPTIONS and TRACE do not ask for a representation */
    CASE(options, F(options), F(exists), F(if_none_match)),
    CASE(trace_echo, F(trace), F(exists)),

    /* where it is */
    CASE(moved_for_good, F(moved), F(exists)),
    CASE(moved_for_good_get, F(moved), F(keeps_method)),
    CASE(moved_for_now, F(moved), F(for_good)),
    CASE(moved_for_now_get, F(moved), F(for_good), F(keeps_method)),
    CASE(switching, F(asks_upgrade), F(upgrades)),
    CASE(ok, F(upgrades)),
    CASE(teapot, F(brews), F(teapot)),
    CASE(ok, F(retrieves), F(teapot)),

    /* a missing resource: RFC 9110 13.2.1, preconditions only where the answer would be a success
     */
    CASE(missing, F(exists), F(retrieves), F(if_match)),
    CASE(missing, F(exists), F(if_none_match), F(etag_in_none)),
    CASE(gone, F(exists), F(gone)),
    CASE(ok, F(gone)), /* it is there again */
    CASE(missing_post, F(exists), F(posts)),
    CASE(ok, F(exists), F(posts), F(posts_to_missing)),
    CASE(created, F(exists), F(creates), F(created)),
    CASE(if_match_missing, F(exists), F(creates), F(if_match)),

    /* RFC 9110 13.1.3: If-Modified-Since is ignored where there is If-None-Match */
    CASE(if_none_match, F(retrieves), F(if_none_match), F(etag_in_none)),
    CASE(ok, F(retrieves), F(if_none_match), F(if_modified), F(not_modified)),
    CASE(if_modified, F(retrieves), F(if_modified), F(not_modified)),
    CASE(ok, F(if_modified), F(not_modified)), /* only for GET and HEAD */
    CASE(if_none_match_unsafe, F(creates), F(if_none_match), F(etag_in_none)),

    /* RFC 9110 13.1.4: If-Unmodified-Since is ignored where there is If-Match */
    CASE(if_unmodified, F(if_unmodified), F(unmodified)),
    CASE(ok, F(if_match), F(etag_in_match), F(if_unmodified), F(unmodified)),
    CASE(if_match, F(if_match), F(if_none_match), F(etag_in_none), F(retrieves)),
    CASE(ok, F(if_match), F(etag_in_match)),

    /* locks and required preconditions stop only what is not safe */
    CASE(locked, F(locked), F(if_match)),
    CASE(ok, F(locked), F(safe)),
    CASE(precondition_required, F(conditional_only)),
    CASE(ok, F(conditional_only), F(if_match), F(etag_in_match)),

    /* ranges */
    CASE(partial, F(retrieves), F(ranged)),
    CASE(unsatisfiable, F(retrieves), F(ranged), F(satisfiable)),
    CASE(ok, F(retrieves), F(ranged), F(range_current), F(satisfiable)),
    CASE(ok, F(retrieves), F(ranged), F(range_modest), F(satisfiable)),
    CASE(if_none_match, F(retrieves), F(ranged), F(if_none_match), F(etag_in_none)),

    /* content is looked at only where there is some, and after the preconditions */
    CASE(content_too_large, F(has_content), F(content_fits), F(if_match)),
    CASE(ok, F(content_fits)),
    CASE(length_required, F(has_content), F(length_needed), F(length_known)),
    CASE(media_type, F(has_content), F(type_supported)),
    CASE(if_match, F(has_content), F(content_valid), F(if_match)),
    CASE(content_invalid, F(has_content), F(content_valid), F(acted)),
    CASE(ok, F(content_valid)),

    /* members */
    CASE(failed_dependency, F(member), F(dependency_ok)),
    CASE(ok, F(dependency_ok)),
    CASE(already_reported, F(member), F(reported)),

    /* the act */
    CASE(act_failed, F(acted), F(proxies), F(reached)),
    CASE(unreachable, F(proxies), F(reached), F(up_in_time)),
    CASE(upstream_timeout, F(proxies), F(up_in_time), F(up_sane)),
    CASE(upstream_garbled, F(proxies), F(up_sane), F(relays)),
    CASE(ok, F(reached)), /* we are no proxy */
    CASE(not_stored, F(only_stored), F(moved), F(acted), F(proxies), F(up_free)),
    CASE(method_not_allowed, F(only_stored), F(method_allowed)),
    CASE(ok, F(only_stored), F(stored), F(proxies), F(up_free), F(reached), F(up_sane)),
    CASE(relayed, F(stored), F(proxies), F(up_whole), F(relays)),
    CASE(transformed, F(proxies), F(transformed), F(relays)),
    CASE(relayed, F(proxies), F(relays)),
    CASE(mixed, F(mixed), F(created)),
    CASE(created, F(created), F(empty)),
    CASE(delta, F(retrieves), F(wants_delta), F(delta)),
    CASE(empty, F(empty)),
};
#undef F
#undef CASE

static void
precedence_is_as_specified(void **state)
{
    static const struct ern_resource silent = {.name = "silent"};

    (void)state;
    for (size_t i = 0; i < sizeof precedence / sizeof *precedence; i++) {
        struct ern_facts given = {0};
        struct ern_decision d;
        const struct ern_rule *rule;

        for (const enum ern_fact *f = precedence[i].odd; *f != ERN_FACTS; f++)
            ern_state(&given, *f, !ern_fact_fallback(*f));
        ern_begin(&d, &silent, NULL, NULL, 0, &given);
        rule = ern_decide(&d, ERN_ACT);
        if (strcmp(rule->name, precedence[i].rule) != 0)
            fail_msg("line %d: expected %s, got %s", precedence[i].line, precedence[i].rule,
                     rule->name);
    }
}

struct script { /* what a scripted resource answers, and what it was asked */
    enum ern_answer answer[ERN_FACTS];
    enum ern_fact also; /* learned as yes when exists is asked; ERN_FACTS: nothing */
    uint8_t asked[ERN_FACTS];
};

static enum ern_answer
scripted(struct ern_decision *d, enum ern_fact fact)
{
    struct script *script = d->self;

    script->asked[fact]++;
    if (fact == ERN_FACT_exists && script->also != ERN_FACTS)
        ern_learn(d, script->also, true);
    return script->answer[fact];
}

static struct script
script_at_fallbacks(void)
{
    struct script script = {.also = ERN_FACTS};

    for (unsigned f = 0; f < ERN_FACTS; f++)
        script.answer[f] = ern_fact_fallback(f) ? ERN_YES : ERN_NO;
    return script;
}

/* A decision about an existing file whose conditionals and act are asked of the script. */
static struct ern_decision
begin_scripted(struct ern_resource *kind, struct script *script, const enum ern_fact *odd)
{
    struct ern_facts given = {0};
    struct ern_decision d;

    *kind = (struct ern_resource){.name = "scripted",
                                  .ask = {
                                      [ERN_FACT_exists] = scripted,
                                      [ERN_FACT_etag_in_match] = scripted,
                                      [ERN_FACT_etag_in_none] = scripted,
                                      [ERN_FACT_content_valid] = scripted,
                                      [ERN_FACT_acted] = scripted,
                                  }};
    ern_resource_init(kind);
    for (; *odd != ERN_FACTS; odd++)
        ern_state(&given, *odd, !ern_fact_fallback(*odd));
    ern_begin(&d, kind, script, NULL, 1234, &given);
    return d;
}

#define ODD(...) ((const enum ern_fact[]){__VA_ARGS__, ERN_FACTS})
#define PLAIN ((const enum ern_fact[]){ERN_FACTS})

static void
begin_knows_all_but_what_the_resource_is_asked(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, PLAIN);

    (void)state;
    for (unsigned f = 0; f < ERN_FACTS; f++) {
        assert_int_equal(ern_bits_has(&d.facts.known, f), !kind.ask[f]);
        assert_int_equal(ern_bits_has(&d.facts.yes, f), !kind.ask[f] && ern_fact_fallback(f));
    }
    assert_int_equal(d.now_s, 1234);
    assert_int_equal(d.waiting, ERN_FACTS);
    assert_int_equal(d.asked_n, 0);
    assert_int_equal(d.relayed, 0);
}

static void
begin_empties_the_evidence(void **state)
{
    static const struct ern_resource silent = {.name = "silent"};
    const struct ern_facts given = {0};
    struct ern_decision d;

    (void)state;
    memset(&d, 0xa5, sizeof d);
    ern_begin(&d, &silent, NULL, NULL, 0, &given);
    assert_null(d.evidence.etag.ptr);
    assert_null(d.evidence.location.ptr);
    assert_null(d.evidence.challenge.ptr);
    assert_null(d.evidence.detail.ptr);
    assert_int_equal(d.evidence.last_modified_s, -1);
    assert_int_equal(d.evidence.retry_after_s, -1);
    assert_int_equal(d.evidence.content_bytes, -1);
    assert_int_equal(d.evidence.allow, 0);
    assert_int_equal(d.evidence.ranges.n, 0);
}

static void
what_is_given_is_not_asked(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, ODD(ERN_FACT_exists));

    (void)state;
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "missing");
    assert_int_equal(script.asked[ERN_FACT_exists], 0);
}

static void
later_statement_replaces_the_earlier(void **state)
{
    struct ern_facts given = {0};

    (void)state;
    ern_state(&given, ERN_FACT_early, true);
    assert_true(ern_bits_has(&given.yes, ERN_FACT_early));
    ern_state(&given, ERN_FACT_early, false);
    assert_true(ern_bits_has(&given.known, ERN_FACT_early));
    assert_false(ern_bits_has(&given.yes, ERN_FACT_early));
}

static void
plain_get_asks_only_what_it_needs(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, ODD(ERN_FACT_retrieves, ERN_FACT_safe));

    (void)state;
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "ok");
    assert_int_equal(d.asked_n, 2);
    assert_int_equal(d.asked[0], ERN_FACT_exists);
    assert_int_equal(d.asked[1], ERN_FACT_acted);
}

static void
failed_precondition_neither_reads_content_nor_acts(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(
        &kind, &script, ODD(ERN_FACT_if_match, ERN_FACT_has_content, ERN_FACT_expects));

    (void)state;
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "if_match");
    assert_int_equal(script.asked[ERN_FACT_content_valid], 0);
    assert_int_equal(script.asked[ERN_FACT_acted], 0);
    assert_int_equal(ern_interim(&d, &(size_t){0}), 0);
}

static void
walk_stops_before_content_and_says_continue(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d =
        begin_scripted(&kind, &script, ODD(ERN_FACT_has_content, ERN_FACT_expects));

    (void)state;
    assert_null(ern_decide(&d, ERN_ASK));
    assert_int_equal(d.waiting, ERN_FACT_content_valid);
    assert_int_equal(ern_interim(&d, &(size_t){0}), ERN_100_CONTINUE);
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "ok");
    assert_int_equal(ern_interim(&d, &(size_t){0}), 0);
}

static void
walk_that_waits_goes_on_where_it_stopped(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, ODD(ERN_FACT_if_match));

    (void)state;
    script.answer[ERN_FACT_etag_in_match] = ERN_WAIT;
    assert_null(ern_decide(&d, ERN_ACT));
    assert_int_equal(d.waiting, ERN_FACT_etag_in_match);
    ern_learn(&d, ERN_FACT_etag_in_match, false);
    assert_int_equal(d.waiting, ERN_FACTS);
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "if_match");
    assert_int_equal(script.asked[ERN_FACT_exists], 1);
    assert_int_equal(script.asked[ERN_FACT_etag_in_match], 1);
}

static void
copy_of_a_decision_is_a_decision(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, ODD(ERN_FACT_if_match)), copy;

    (void)state;
    script.answer[ERN_FACT_etag_in_match] = ERN_WAIT;
    assert_null(ern_decide(&d, ERN_ACT));
    copy = d;
    ern_learn(&d, ERN_FACT_etag_in_match, false);
    ern_learn(&copy, ERN_FACT_etag_in_match, true);
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "if_match");
    assert_string_equal(ern_decide(&copy, ERN_ACT)->name, "ok");
}

static void
what_an_answer_brings_along_is_not_asked(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, ODD(ERN_FACT_if_match));

    (void)state;
    script.also = ERN_FACT_etag_in_match;
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "ok");
    assert_int_equal(script.asked[ERN_FACT_etag_in_match], 0);
    assert_int_equal(d.asked[0], ERN_FACT_etag_in_match);
}

static void
fact_may_be_learned_by_its_own_ask(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, PLAIN);

    (void)state;
    script.also = ERN_FACT_exists;
    script.answer[ERN_FACT_exists] = ERN_NO; /* what was learned counts */
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "ok");
}

static void
failure_is_broke(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, PLAIN);

    (void)state;
    script.answer[ERN_FACT_exists] = ERN_FAIL;
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "broke");
    assert_int_equal(d.rule, 0);
    assert_int_equal(script.asked[ERN_FACT_acted], 0);
}

/* The content was waited for, and then could not be judged: 500, and no 100 after it. */
static void
failure_after_a_stop_no_longer_waits(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_resource kind;
    struct ern_decision d =
        begin_scripted(&kind, &script, ODD(ERN_FACT_has_content, ERN_FACT_expects));

    (void)state;
    script.answer[ERN_FACT_content_valid] = ERN_FAIL;
    assert_null(ern_decide(&d, ERN_ASK));
    assert_string_equal(ern_decide(&d, ERN_ACT)->name, "broke");
    assert_int_equal(d.waiting, ERN_FACTS);
    assert_int_equal(ern_interim(&d, &(size_t){0}), 0);
}

static void
explanation_lists_the_rules_passed_and_the_fact_each_fell_by(void **state)
{
    struct script script = script_at_fallbacks();
    struct ern_step steps[4];
    struct ern_resource kind;
    struct ern_decision d = begin_scripted(&kind, &script, ODD(ERN_FACT_malformed));

    (void)state;
    (void)ern_decide(&d, ERN_ACT);
    assert_int_equal(ern_why(&d.facts, steps, 4), 3);
    assert_string_equal(steps[0].rule->name, "broke");
    assert_int_equal(steps[0].fact, ERN_FACT_broke);
    assert_false(steps[0].yes);
    assert_string_equal(steps[2].rule->name, "malformed");
    assert_int_equal(steps[2].fact, ERN_FACTS);
    assert_int_equal(ern_why(&d.facts, steps, 2), 2); /* as far as there is room */
    assert_int_equal(ern_why(&d.facts, steps, 0), 0);
}

static void
rules_are_found_by_their_whole_name(void **state)
{
    (void)state;
    assert_int_equal(ern_rule_find(ERN_SLICE("if_match"))->status, ERN_412_PRECONDITION_FAILED);
    assert_null(ern_rule_find(ERN_SLICE("if_matc")));
    assert_null(ern_rule_find(ERN_SLICE("if_match_")));
    assert_null(ern_rule_find(ERN_SLICE("")));
}

static void
facts_can_be_read_about(void **state)
{
    (void)state;
    assert_string_equal(ern_fact_name(ERN_FACT_exists), "exists");
    assert_string_equal(ern_fact_question(ERN_FACT_exists), "Is there a current representation?");
    assert_int_equal(ern_fact_source(ERN_FACT_if_match), ERN_WIRE);
    assert_int_equal(ern_fact_source(ERN_FACT_overloaded), ERN_CONF);
    assert_int_equal(ern_fact_source(ERN_FACT_content_valid), ERN_BODY);
    assert_int_equal(ern_fact_source(ERN_FACT_acted), ERN_ACT);
    assert_true(ern_fact_fallback(ERN_FACT_exists));
    assert_false(ern_fact_fallback(ERN_FACT_locked));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence_is_as_specified),
        cmocka_unit_test(begin_knows_all_but_what_the_resource_is_asked),
        cmocka_unit_test(begin_empties_the_evidence),
        cmocka_unit_test(what_is_given_is_not_asked),
        cmocka_unit_test(later_statement_replaces_the_earlier),
        cmocka_unit_test(plain_get_asks_only_what_it_needs),
        cmocka_unit_test(failed_precondition_neither_reads_content_nor_acts),
        cmocka_unit_test(walk_stops_before_content_and_says_continue),
        cmocka_unit_test(walk_that_waits_goes_on_where_it_stopped),
        cmocka_unit_test(copy_of_a_decision_is_a_decision),
        cmocka_unit_test(what_an_answer_brings_along_is_not_asked),
        cmocka_unit_test(fact_may_be_learned_by_its_own_ask),
        cmocka_unit_test(failure_is_broke),
        cmocka_unit_test(failure_after_a_stop_no_longer_waits),
        cmocka_unit_test(explanation_lists_the_rules_passed_and_the_fact_each_fell_by),
        cmocka_unit_test(rules_are_found_by_their_whole_name),
        cmocka_unit_test(facts_can_be_read_about),
    };

    return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
