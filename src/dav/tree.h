/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - the changes of trees that a request makes at once and a job makes later: one rename,
 * under an intent. *session is one of journal_begin(), and may be another one or NULL afterwards.
 * Errors are negative errnos; journal_end() then puts right what was done.
 */
#ifndef DAV_TREE_H
#define DAV_TREE_H

#include "dav/dav.h"

struct tree_change {
    struct share *share;
    struct store_session **session;
    int64_t now_s;
    char old[STAGE_NAME_BYTES]; /* what was taken away or replaced, in the staging folder; or "" */
};

/* Takes what is at the place away: a binding, a reference, or a file or tree; a resource that has
 * other bindings lives on at one of them. */
ERN_MUST_USE int tree_delete(struct tree_change *change, const struct place *target);

/* Likewise, whatever is there: a row comes in its place, with the same commit. */
ERN_MUST_USE int tree_clear(struct tree_change *change, const struct place *destination);

/* Moves it; what is at the destination is replaced. */
ERN_MUST_USE int tree_move(struct tree_change *change, const struct place *target,
                           const struct place *destination);

/* Puts the copy of a tree, which is staged, in its place. */
ERN_MUST_USE int tree_copy(struct tree_change *change, const struct place *target,
                           const struct place *destination, const char *staged);

#endif
