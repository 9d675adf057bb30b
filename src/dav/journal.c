/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/journal.h"

#include <errno.h>

#include "base/slice.h"

int
journal_keep(struct share *share, struct store_session **session, struct intent *intent)
{
    int error = intent_put(*session, intent);

    if (error)
        return error;
    error = store_end(*session, true);
    *session = NULL;
    if (error)
        return error;
    share->intent = intent->id;
    return store_begin(share->store, STORE_WRITE, session);
}

/*
 * What each kind does to the rows, once its rename was made:
 *
 *   DELETE  from      forgotten; a GONE ghost in its place
 *   MOVE    from, to  what is remembered moves along; ghosts beneath it, too; a MOVED ghost
 *   COPY    from, to  properties are copied
 *   MAKE    to        its rows are there; no ghost is
 *   UPLOAD  to        the upload is complete; no ghost is
 */
int
journal_follow(struct store_session *s, const struct intent *i, int64_t now_s)
{
    struct store_place from = {i->share, i->from}, to = {i->share, i->to};
    const struct ghost gone = {.kind = GHOST_GONE, .made_s = now_s};
    const struct ghost moved = {.kind = GHOST_MOVED, .target = i->to, .made_s = now_s};
    int error = ghost_clear(s, i->kind == INTENT_DELETE ? from : to, GHOST_NONE);

    if (error)
        return error;
    switch (i->kind) {
    case INTENT_DELETE:
        error = memory_forget(s, from);
        if (!error)
            error = ghost_put(s, from, &gone);
        break;
    case INTENT_MOVE:
        error = memory_move(s, from, to);
        if (!error)
            error = ghost_move(s, from, to);
        if (!error)
            error = ghost_put(s, from, &moved);
        break;
    case INTENT_COPY:
        error = memory_copy_tree(s, from, to);
        break;
    case INTENT_UPLOAD:
        error = upload_complete(s, i->staged, i->replaced == 0);
        break;
    case INTENT_MAKE:
        break;
    }
    return error ? error : intent_remove(s, i->id);
}

static int
number_at(const struct share *share, struct ern_slice path, int64_t *ret_number)
{
    return stage_number(&share->stage, path.ptr + 1,
                        ret_number); /* the store puts a NUL after it */
}

/*
 * Was the rename made? What is moved keeps its number, so an exchange can be told from none:
 *
 *   MOVE, COPY, UPLOAD  it is at `to`
 *   MAKE                something is at `to`, where nothing was
 *   DELETE              never: it is put back, for other rows may have been meant to come with it
 */
static int
was_made(const struct share *share, const struct intent *i, bool *ret_made)
{
    int64_t at;
    int error;

    *ret_made = false;
    if (i->kind == INTENT_DELETE)
        return 0;
    error = number_at(share, i->to, &at);
    *ret_made = i->kind == INTENT_MAKE ? at != 0 : at == i->inode;
    return error;
}

/* Removes what a change that was made has replaced: a MOVE may not have come to put it away. */
static int
put_away(const struct share *share, const struct intent *i)
{
    int64_t at = 0;
    int error = 0;

    if (i->kind == INTENT_MOVE && i->replaced)
        error = number_at(share, i->from, &at);
    if (!error && at && at == i->replaced)
        error = stage_take(&share->stage, i->from.ptr + 1, i->staged.ptr);
    if (!error && slice_is_there(i->staged))
        error = stage_remove(&share->stage, i->staged.ptr);
    return error;
}

/* A DELETE that took it away, and whose rows did not follow. */
static int
put_back(const struct share *share, const struct intent *i)
{
    char old[STAGE_NAME_BYTES];
    int64_t at;
    int error = stage_number_staged(&share->stage, i->staged.ptr, &at);

    if (error || at == 0 || at != i->inode)
        return error;
    return stage_place(&share->stage, i->staged.ptr, i->from.ptr + 1,
                       (struct stage_put){.fresh = true}, old);
}

struct recovery {
    struct share *share;
    struct store_session *session;
    int64_t only; /* this intent; 0: all */
};

static int
recover(void *self, const struct intent *i)
{
    const struct recovery *r = self;
    bool made;
    int error;

    if (r->only && i->id != r->only)
        return 0;
    error = was_made(r->share, i, &made);
    if (!error && made)
        error = put_away(r->share, i);
    if (error)
        return error;
    if (made)
        return journal_follow(r->session, i, share_now(r->share->store).unix_s);
    if (i->kind == INTENT_MAKE)
        error = memory_forget(r->session, (struct store_place){i->share, i->to});
    if (i->kind == INTENT_DELETE)
        error = put_back(r->share, i);
    return error ? error : intent_remove(r->session, i->id);
}

static int
put_right(struct share *share, int64_t only)
{
    struct recovery r = {share, NULL, only};
    int error = store_begin(share->store, STORE_WRITE, &r.session);

    if (error)
        return error;
    error = intent_walk(r.session, share->id, recover, &r);
    return error ? (void)store_end(r.session, false), error : store_end(r.session, true);
}

int
journal_recover(struct share *share)
{
    return put_right(share, 0);
}

/* An intent that was kept, and that nothing followed. */
static int
settle(struct share *share)
{
    int error = share->intent ? put_right(share, share->intent) : 0;

    if (!error)
        share->intent = 0;
    return error;
}

int
journal_begin(struct share *share, struct store_session **ret_session)
{
    int error;

    pthread_mutex_lock(&share->writing);
    error = settle(share);
    if (!error)
        error = store_begin(share->store, STORE_WRITE, ret_session);
    if (error)
        pthread_mutex_unlock(&share->writing);
    return error;
}

int
journal_end(struct share *share, struct store_session *session, bool commit)
{
    int error = session ? store_end(session, commit) : -EIO;

    if (commit && !error)
        share->intent = 0;
    else
        (void)!settle(share); /* if it fails, the next change begins with it */
    pthread_mutex_unlock(&share->writing);
    return error;
}
