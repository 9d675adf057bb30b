/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle.h - a second, slow reading of rules.def to judge the engine by: it reads the rows as text,
 * looks facts up by name, and evaluates every rule with all facts known. It shares no code, and no
 * bit, with src/decide.
 */
#ifndef TEST_LIB_ORACLE_H
#define TEST_LIB_ORACLE_H

#include "earnest/decide.h"

struct oracle_world { /* the truth about one request: one answer a fact */
    bool yes[ERN_FACTS];
};

/* The index of the first rule that holds. */
size_t oracle_verdict(const struct oracle_world *world);

/* Does the fact stand in some row of rules.def or interim.def? */
bool oracle_uses(enum ern_fact fact);

/* Does rule i name only facts of sources upto or nearer? */
bool oracle_needs_only(size_t i, enum ern_source upto);

/* Pseudo-random numbers: the same on every machine. state is never 0. */
static inline uint64_t
oracle_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/*
 * A world at random. Most answers are the fallback, the more so the greater shy is (0 to 6): only
 * then do walks come far down the rules.
 */
struct oracle_world oracle_world_random(uint64_t *state, unsigned shy);

#endif
