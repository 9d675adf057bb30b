/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/journal.h"

#include <errno.h>

#include "base/slice.h"

int
journal_keep(struct share *share, struct store_session **session, struct intent *intent)
{
    int error = intent_put(*session, intent), again;

    if (error)
        return error;
    error = store_end(*session, true);
    do /* whoever called has a session to end, in any case */
        again = store_begin(share->store, STORE_WRITE, session);
    while (again == -EBUSY);
    return error ? error : again;
}

/*
 * What each kind does to the rows, once its rename was made:
 *
 *   DELETE  from            forgotten; a GONE ghost in its place
 *   MOVE    from, to        what is remembered moves along; ghosts beneath it, too; a MOVED ghost
 *   COPY    from, to        properties are copied
 *   PLACE   to              a new resource: what was remembered of the old one is forgotten
 */
int
journal_follow(struct store_session *s, const struct intent *i, int64_t now_s)
{
    struct store_place from = {i->share, i->from}, to = {i->share, i->to};
    const struct ghost gone = {.kind = GHOST_GONE, .made_s = now_s};
    const struct ghost moved = {.kind = GHOST_MOVED, .target = i->to, .made_s = now_s};
    int error = 0;

    switch (i->kind) {
    case INTENT_DELETE:
        error = memory_forget(s, from);
        if (!error)
            error = ghost_clear(s, from, GHOST_NONE);
        if (!error)
            error = ghost_put(s, from, &gone);
        break;
    case INTENT_MOVE:
        error = ghost_clear(s, to, GHOST_NONE);
        if (!error)
            error = memory_move(s, from, to);
        if (!error)
            error = ghost_move(s, from, to);
        if (!error)
            error = ghost_put(s, from, &moved);
        break;
    case INTENT_COPY:
        error = ghost_clear(s, to, GHOST_NONE);
        if (!error)
            error = memory_copy_tree(s, from, to);
        break;
    case INTENT_PLACE:
        error = ghost_clear(s, to, GHOST_NONE);
        if (!error)
            error = memory_forget(s, to);
        break;
    }
    return error ? error : intent_remove(s, i->id);
}

/* A path of the share as io/file.h has it. */
static bool
is_on_disk(const struct share *share, struct ern_slice path)
{
    struct file_info info;
    const char *name = path.len > 1 ? path.ptr + 1 : "."; /* the store puts a NUL after it */

    return file_look(share->files.root, name, &info) == 0;
}

static bool
is_staged(const struct share *share, struct ern_slice name)
{
    struct file_info info;

    return slice_is_there(name) && file_look(share->stage.folder, name.ptr, &info) == 0;
}

/*
 * Was the rename made? What a crash can leave, and what it means:
 *
 *   DELETE  from is not there                 made
 *   MOVE    from is not there, and to is      made (with an exchange, from may still be there: what
 *                                             was replaced, and was to be put away)
 *   COPY, PLACE  the staged name is not there made (exchanged, it is what was replaced: to is
 * whole) and to is
 */
static bool
was_made(const struct share *share, const struct intent *i)
{
    switch (i->kind) {
    case INTENT_DELETE:
        return !is_on_disk(share, i->from);
    case INTENT_MOVE:
        return !is_on_disk(share, i->from) && is_on_disk(share, i->to);
    case INTENT_COPY:
    case INTENT_PLACE:
        break;
    }
    return !is_staged(share, i->staged) && is_on_disk(share, i->to);
}

struct recovery {
    struct share *share;
    struct store_session *session;
    int64_t now_s;
};

static int
recover(void *self, const struct intent *i)
{
    const struct recovery *r = self;

    return was_made(r->share, i) ? journal_follow(r->session, i, r->now_s)
                                 : intent_remove(r->session, i->id);
}

int
journal_recover(struct share *share, int64_t now_s)
{
    struct recovery r = {share, NULL, now_s};
    int error = store_begin(share->store, STORE_WRITE, &r.session);

    if (error)
        return error;
    error = intent_walk(r.session, share->id, recover, &r);
    return error ? (void)store_end(r.session, false), error : store_end(r.session, true);
}
