/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insight.h - what a person wants to know of a decision besides its steps (ern_why() in decide.h):
 * which of them matter, and what would have to be otherwise for a success. Made from the facts
 * alone, when somebody asks.
 */
#ifndef DECIDE_INSIGHT_H
#define DECIDE_INSIGHT_H

#include "earnest/decide.h"

enum insight_group {
    INSIGHT_HELD,   /* the rule that decided */
    INSIGHT_ASKED,  /* did not hold, because of what was asked for this very request */
    INSIGHT_FOLDED, /* did not hold, as for most requests */
};

/* Of which group is a step? asked are the facts that the resource was asked. */
enum insight_group insight_group(const struct ern_step *step, const struct ern_bits *asked);

/* The rule that holds for these facts; whatever it needs that is unknown becomes the fallback. */
const struct ern_rule *insight_settle(struct ern_facts *facts);

struct insight_change { /* were this fact so, this rule would hold */
    enum ern_fact fact;
    bool yes;
    const struct ern_rule *rule;
};

enum {
    INSIGHT_CHANGES_MAX = 16, /* no rule has more facts */
    INSIGHT_WAY_MAX = 4,
};

/* Does a rule that decides so succeed: 2xx, or 101? */
bool insight_succeeds(const struct ern_rule *rule);

/*
 * Each fact of the rule that decided, turned over by itself.
 *   changes  room for INSIGHT_CHANGES_MAX; those that succeed come first
 * Returns how many were written.
 */
size_t insight_changes(const struct ern_facts *facts, struct insight_change *changes);

/*
 * A shortest way to success: facts to be turned over one after the other, each one of the rule that
 * holds by then.
 *   way  room for INSIGHT_WAY_MAX; the rule of the last one succeeds
 * Returns its length: 0 if it succeeds already, or if no way is that short.
 */
size_t insight_way(const struct ern_facts *facts, struct insight_change *way);

#endif
