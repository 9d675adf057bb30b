/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.h - what of a target is in a base already: the pieces that the target is made of, in its
 * order. What is behind every binary delta.
 */
#ifndef PACK_MATCH_H
#define PACK_MATCH_H

#include "base/slice.h"

enum { MATCH_BYTES_MAX = 1 << 30 /* base and target together */ };

struct match_piece {
    bool copies; /* from at in base and then target, as if one stood behind the other; else it is */
    size_t at;   /* new: at in target */
    size_t n;
};

/* Takes the next piece. Returns false to end the walk. */
typedef bool match_take(void *self, struct match_piece piece);

/*
 * Walks the target. Pieces are in order, none is empty, and together they are all of it.
 *   within   may it be copied from the target itself, from before the piece on? Such a copy can
 *            overlap what it makes.
 * Returns 0, -ENOMEM, or -ECANCELED when take() ended it.
 */
ERN_MUST_USE int match_walk(struct ern_slice base, struct ern_slice target, bool within,
                            match_take *take, void *self);

#endif
