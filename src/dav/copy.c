/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c - COPY and MOVE (RFC 4918 9.8, 9.9). */
#include "dav/dav.h"

#include <errno.h>

#include "base/slice.h"
#include "dav/delete.h"
#include "dav/multistatus.h"
#include "dav/quota.h"
#include "dav/tree.h"
#include "dav/work.h"

struct failures {                   /* members that could not be copied */
    struct stage_progress progress; /* first */
    struct dav *dav;
    struct multistatus report;
    bool any;
};

static int
note_member(struct stage_progress *progress, const char *path, int error)
{
    struct failures *f = (struct failures *)progress;
    struct out o = arena_out(f->dav->request->arena);

    if (error == 0)
        return 0;
    if (!f->any && !multistatus_begin(&f->report, f->dav))
        return -ENOMEM;
    f->any = true;
    out_slice(&o, f->dav->target.asked);
    if (path[0]) {
        out_char(&o, '/');
        out_text(&o, path);
    }
    multistatus_add(&f->report, out_done(&o), false, member_status_of_error(error), NULL);
    return 0;
}

static bool
is_row(const struct place *p)
{
    return p->kind == PLACE_REFERENCE;
}

int
dav_copy_prepare(struct dav *dav)
{
    struct failures *f = arena_take(dav->request->arena, sizeof *f);
    bool shallow = dav->fields.depth == DAV_DEPTH_0, fits = true;
    int error = 0;

    if (!f)
        return -ENOMEM;
    *f = (struct failures){.progress = {note_member}, .dav = dav};
    dav->more = f;
    if (is_row(&dav->target) ||
        (dav->fields.respond_async && dav->target.kind == PLACE_COLLECTION && !shallow))
        return 0;
    if (dav->share->quota_bytes >= 0) {
        int64_t bytes = stage_bytes(&dav->share->stage, dav->target.file);

        error = bytes < 0 ? (int)bytes : quota_fits(dav->share, bytes, &fits);
        if (!error && !fits) {
            dav_condition(dav, ERN_FACT_no_room, "quota-not-exceeded", ERN_ABSENT);
            dav->passes_quota = true;
            error = -EDQUOT;
        }
    }
    if (!error)
        error =
            stage_copy(&dav->share->stage, dav->target.file, shallow, &f->progress, dav->staged);
    return error;
}

/* What a COPY or MOVE that went well ends with. */
static void
conclude(struct dav *dav)
{
    bool replaced =
        dav->destination.kind == PLACE_FILE || dav->destination.kind == PLACE_COLLECTION;

    dav->outcome |= replaced ? DAV_EMPTY : DAV_CREATED;
}

/* A redirect reference is copied as one: it is a row, not a file. */
static int
copy_row(struct dav *dav, struct tree_change *change)
{
    struct store_place to = {dav->share->id, dav->destination.asked};
    struct ghost row = dav->target.ghost;
    int error = tree_clear(change, &dav->destination);

    row.made_s = dav->now.unix_s;
    return error ? error : ghost_put(dav->session, to, &row);
}

int
dav_copy(struct dav *dav)
{
    struct failures *f = dav->more;
    struct tree_change change = {
        .share = dav->share, .session = &dav->session, .now_s = dav->now.unix_s};
    bool reported;
    int error = report_locked(dav, &reported);

    if (error || reported)
        return error;
    if (is_row(&dav->target))
        error = copy_row(dav, &change);
    else if (!dav->staged[0] && !f->any)
        return work_accept(dav);
    else if (dav->staged[0])
        error = tree_copy(&change, &dav->target, &dav->destination, dav->staged);
    if (error)
        return error;
    if (change.old[0] ||
        dav->staged[0]) { /* placed: what was replaced has its name now, or nothing */
        memcpy(dav->old, change.old, sizeof dav->old);
        dav->staged[0] = '\0';
    }
    conclude(dav);
    return f->any && !multistatus_end(&f->report) ? -ENOMEM : 0;
}

int
dav_move(struct dav *dav)
{
    struct tree_change change = {
        .share = dav->share, .session = &dav->session, .now_s = dav->now.unix_s};
    bool reported;
    int error = report_locked(dav, &reported);

    if (error || reported)
        return error;
    if (dav->fields.respond_async && dav->target.kind == PLACE_COLLECTION)
        return work_accept(dav);
    error = tree_move(&change, &dav->target, &dav->destination);
    memcpy(dav->old, change.old, sizeof dav->old);
    if (error == -EXDEV)
        dav->decision->evidence.detail = ERN_SLICE(
            "The folder spans two file systems, and nothing is moved between them at once: "
            "copy it, and delete the original.");
    if (!error)
        conclude(dav);
    return error;
}
