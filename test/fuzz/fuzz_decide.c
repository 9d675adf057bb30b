/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_decide.c - any facts, asked in any order, of a resource that waits, fails and tells more
 * than it was asked. The laws of the engine, as assertions.
 *
 * Input: one byte a fact, in the order of facts.def; what is missing reads as zero.
 *   bit 0  the answer differs from the fallback       bit 3  it fails
 *   bit 1  the resource is asked (ASK, BODY, ACT)     bit 4  it tells the fact that bits 5 to 7
 *   bit 2  it answers later                                  count ahead, too
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "earnest/decide.h"
#include "earnest/status.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ODD = 1, ASKED = 2, LATER = 4, FAILS = 8, TELLS = 16 };

struct run {
    uint8_t script[ERN_FACTS];
    uint8_t asked[ERN_FACTS];
    struct oracle_world world;
    bool failed;
};

static enum ern_answer
answer(struct ern_decision *d, enum ern_fact fact)
{
    struct run *run = d->self;
    unsigned script = run->script[fact];
    unsigned other = fact + 1 + (script >> 5);

    assert(!ern_bits_has(&d->facts.known, fact));
    assert(run->asked[fact]++ == 0);
    if (script & FAILS) {
        run->failed = true;
        return ERN_FAIL;
    }
    if ((script & TELLS) && other < ERN_FACTS && !ern_bits_has(&d->facts.known, other))
        ern_learn(d, other, run->world.yes[other]);
    if (script & LATER)
        return ERN_WAIT;
    return run->world.yes[fact] ? ERN_YES : ERN_NO;
}

static void
begin(struct ern_decision *d, struct ern_resource *kind, struct run *run)
{
    struct ern_facts given = {0};

    for (unsigned f = 0; f < ERN_FACTS; f++) {
        bool near = ern_fact_source(f) < ERN_ASK;

        run->world.yes[f] = ern_fact_fallback(f);
        if (near || (run->script[f] & ASKED))
            run->world.yes[f] ^= run->script[f] & ODD;
        if (near)
            ern_state(&given, f, run->world.yes[f]);
        else if (run->script[f] & ASKED)
            kind->ask[f] = answer;
    }
    ern_resource_init(kind);
    ern_begin(d, kind, run, NULL, 0, &given);
}

/* Where the walk stopped, no farther source was asked, and 100 is said only for content. */
static void
check_stop(const struct ern_decision *d, const struct run *run, enum ern_source upto)
{
    for (unsigned f = 0; f < ERN_FACTS; f++)
        assert(ern_fact_source(f) <= upto || run->asked[f] == 0);
    if (ern_interim(d, &(size_t){0}) == ERN_100_CONTINUE) {
        assert(ern_fact_source(d->waiting) == ERN_BODY);
        assert(run->world.yes[ERN_FACT_has_content] && run->world.yes[ERN_FACT_expects]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_resource kind = {.name = "fuzz"};
    struct run run = {.failed = false};
    struct ern_step steps[256];
    struct ern_decision d;
    const struct ern_rule *rule;
    unsigned upto = ERN_ASK, rounds = 0;
    uint16_t before = 0;
    size_t n;

    memcpy(run.script, data, size < ERN_FACTS ? size : ERN_FACTS);
    begin(&d, &kind, &run);
    while (!(rule = ern_decide(&d, (enum ern_source)upto))) {
        assert(rounds++ <= 2 * ERN_FACTS);
        assert(d.rule >= before && d.waiting < ERN_FACTS);
        before = d.rule;
        check_stop(&d, &run, (enum ern_source)upto);
        if (ern_fact_source(d.waiting) > upto)
            upto++;
        else
            ern_learn(&d, d.waiting, run.world.yes[d.waiting]);
    }
    assert(ern_interim(&d, &(size_t){0}) == 0);
    assert(rule == (run.failed ? &ern_rules[0] : &ern_rules[oracle_verdict(&run.world)]));
    n = ern_why(&d.facts, steps, 256);
    assert(n > 0 && steps[n - 1].rule == rule && steps[n - 1].fact == ERN_FACTS);
    return 0;
}
