/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/tree.h"

#include <errno.h>

#include "base/slice.h"
#include "dav/journal.h"
#include "dav/quota.h"

static struct store_place
at(const struct tree_change *c, struct ern_slice path)
{
    return (struct store_place){c->share->id, path};
}

/* Bytes of what is there, where a quota counts them. */
static int64_t
bytes_of(const struct tree_change *c, const struct place *p)
{
    int64_t n = 0;

    if (c->share->quota_bytes >= 0 && (p->kind == PLACE_FILE || p->kind == PLACE_COLLECTION))
        n = stage_bytes(&c->share->stage, p->file);
    return n > 0 ? n : 0;
}

/* What follows from a change of the files; journal_end() sees to what fails. */
static int
follow(struct tree_change *c, const struct intent *intent)
{
    return journal_follow(*c->session, intent, c->now_s);
}

static int
put_gone(struct tree_change *c, struct ern_slice path)
{
    const struct ghost gone = {.kind = GHOST_GONE, .made_s = c->now_s};

    return ghost_put(*c->session, at(c, path), &gone);
}

struct heir { /* a binding at which a resource lives on */
    struct ern_slice path;
};

static int
take_heir(void *self, const struct ghost *binding)
{
    struct heir *h = self;

    if (!slice_is_there(h->path))
        h->path = binding->path;
    return 0;
}

/* rfc5842#2.5 "DELETE" takes one binding away; the resource has others, and moves to one of them.
 */
static int
live_on(struct tree_change *c, const struct place *target, struct ern_slice heir)
{
    struct intent intent = {.kind = INTENT_MOVE,
                            .share = c->share->id,
                            .from = target->path,
                            .to = heir,
                            .made_s = c->now_s};
    int error = stage_number(&c->share->stage, target->file, &intent.inode);

    if (!error)
        error = journal_keep(c->share, c->session, &intent);
    if (!error)
        error = stage_move(&c->share->stage, target->file, heir.ptr + 1, c->old);
    if (!error)
        error = follow(c, &intent);
    return error ? error : put_gone(c, target->path);
}

/* A path that outlives the session it was read in. */
struct kept {
    char text[PATH_MAX];
};

static bool
keep_path(struct kept *k, struct ern_slice path)
{
    if (path.len >= sizeof k->text)
        return false;
    memcpy(k->text, path.ptr, path.len);
    k->text[path.len] = '\0';
    return true;
}

int
tree_delete(struct tree_change *c, const struct place *target)
{
    struct intent intent = {
        .kind = INTENT_DELETE, .share = c->share->id, .from = target->path, .made_s = c->now_s};
    struct heir heir = {ERN_ABSENT};
    struct kept kept;
    int64_t bytes;
    int error;

    if (target->bound || target->kind == PLACE_REFERENCE)
        return put_gone(c, target->asked);
    error = binding_walk(*c->session, at(c, target->path), take_heir, &heir);
    if (error)
        return error;
    if (slice_is_there(heir.path) && keep_path(&kept, heir.path))
        return live_on(c, target, slice_from(kept.text, heir.path.len));
    bytes = bytes_of(c, target);
    stage_name(c->old);
    intent.staged = slice_text(c->old);
    error = stage_number(&c->share->stage, target->file, &intent.inode);
    if (!error)
        error = journal_keep(c->share, c->session, &intent);
    if (!error)
        error = stage_take(&c->share->stage, target->file, c->old);
    if (!error)
        error = follow(c, &intent);
    if (!error)
        quota_add(c->share, -bytes);
    return error;
}

int
tree_clear(struct tree_change *c, const struct place *destination)
{
    return destination->kind == PLACE_NOTHING ? 0 : tree_delete(c, destination);
}

/* Keeps an intent that replaces what is at the destination. */
static int
keep_replacing(struct tree_change *c, struct intent *intent, const struct place *destination)
{
    int error = stage_number(&c->share->stage, destination->file, &intent->replaced);

    return error ? error : journal_keep(c->share, c->session, intent);
}

/* A row that moves: a binding or a reference. */
static int
move_row(struct tree_change *c, const struct place *target, const struct place *destination)
{
    struct ghost row = {.kind = GHOST_NONE};
    int error = tree_clear(c, destination);

    if (!error) /* in the session that there is now */
        error = ghost_get(*c->session, at(c, target->asked), &row);
    row.made_s = c->now_s;
    if (!error)
        error = ghost_put(*c->session, at(c, destination->asked), &row);
    return error ? error : put_gone(c, target->asked);
}

int
tree_move(struct tree_change *c, const struct place *target, const struct place *destination)
{
    struct intent intent = {.kind = INTENT_MOVE,
                            .share = c->share->id,
                            .from = target->path,
                            .to = destination->path,
                            .made_s = c->now_s};
    bool fresh = destination->kind == PLACE_NOTHING || destination->kind == PLACE_REFERENCE;
    int64_t bytes;
    int error;

    if (target->bound || target->kind == PLACE_REFERENCE)
        return move_row(c, target, destination);
    if (!fresh) {
        stage_name(c->old);
        intent.staged = slice_text(c->old);
    }
    bytes = bytes_of(c, destination);
    error = stage_number(&c->share->stage, target->file, &intent.inode);
    if (!error)
        error = keep_replacing(c, &intent, destination);
    if (!error)
        error = stage_move(&c->share->stage, target->file, destination->file, c->old);
    if (!error)
        error = follow(c, &intent);
    if (!error)
        quota_add(c->share, -bytes);
    return error;
}

int
tree_copy(struct tree_change *c, const struct place *target, const struct place *destination,
          const char *staged)
{
    const struct stage_put how = {.directory_into = true,
                                  .fresh = destination->kind == PLACE_NOTHING ||
                                           destination->kind == PLACE_REFERENCE};
    struct intent intent = {.kind = INTENT_COPY,
                            .share = c->share->id,
                            .from = target->path,
                            .to = destination->path,
                            .staged = slice_text(staged),
                            .made_s = c->now_s};
    int64_t bytes = bytes_of(c, target) - bytes_of(c, destination);
    int error = stage_number_staged(&c->share->stage, staged, &intent.inode);

    if (!error)
        error = keep_replacing(c, &intent, destination);
    if (!error)
        error = stage_place(&c->share->stage, staged, destination->file, how, c->old);
    if (!error)
        error = follow(c, &intent);
    if (!error)
        quota_add(c->share, bytes);
    return error;
}
