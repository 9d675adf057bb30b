/* SPDX-License-Identifier: Apache-2.0 */
/* look.c - what is there: files, ghosts, locks, room. It answers every ASK fact at once. */
#include "dav/dav.h"

#include <errno.h>

#include "base/slice.h"
#include "dav/bind.h"
#include "dav/quota.h"
#include "dav/upload.h"
#include "dav/work.h"
#include "msg/target.h"
#include "res/entry.h"

enum { BINDINGS_MAX = 32 /* that are followed for one path */ };

struct ern_slice
path_parent(struct ern_slice path)
{
    size_t n = path.len;

    while (n > 1 && path.ptr[n - 1] != '/')
        n--;
    return slice_first(path, n > 1 ? n - 1 : 1);
}

bool
path_is_within(struct ern_slice path, struct ern_slice of)
{
    return of.len == 1 ||
           (slice_starts(path, of) && (path.len == of.len || path.ptr[of.len] == '/'));
}

/* A path of the share as io/file.h wants it. */
static const char *
file_name(struct arena *arena, struct ern_slice path)
{
    struct out o = arena_out(arena);

    out_slice(&o, path.len > 1 ? slice_skip(path, 1) : ERN_SLICE("."));
    out_char(&o, '\0');
    return arena_keep(arena, &o).ptr;
}

/* target, and what path has after the name that it was found by. */
static struct ern_slice
remap(struct arena *arena, struct ern_slice path, const struct ghost *ghost)
{
    struct out o = arena_out(arena);

    out_slice(&o, ghost->target);
    out_slice(&o, slice_skip(path, ghost->path.len));
    return arena_keep(arena, &o);
}

static struct ern_slice
keep(struct arena *arena, struct ern_slice text)
{
    struct out o = arena_out(arena);

    if (!slice_is_there(text))
        return text;
    out_slice(&o, text);
    return arena_keep(arena, &o);
}

/* Is there something on the disk? Fills kind, info and error. */
static bool
look_at_disk(const struct share *share, struct place *p)
{
    int error = file_look(share->files.root, p->file, &p->info);

    p->error = 0;
    if (error == 0) {
        p->kind = p->info.kind == FILE_REGULAR     ? PLACE_FILE
                  : p->info.kind == FILE_DIRECTORY ? PLACE_COLLECTION
                                                   : PLACE_OTHER;
        /* "a.txt/" names nothing, if that is a file. */
        if (p->kind == PLACE_FILE && p->slashed)
            p->kind = PLACE_NOTHING;
        return true;
    }
    p->kind = PLACE_NOTHING;
    if (error != -ENOENT && error != -ENOTDIR && error != -ENAMETOOLONG && error != -ELOOP)
        p->error = error;
    if (error == -EXDEV)
        p->escapes = true;
    return false;
}

/* What is remembered of a name that is no file. MOVED leads to where the member is now. */
static int
look_at_ghost(struct share *share, struct store_session *session, struct arena *arena,
              struct place *p)
{
    struct ghost ghost;
    struct file_info info;
    int error = ghost_nearest(session, (struct store_place){share->id, p->path}, &ghost);
    bool itself = ghost.kind != GHOST_NONE && slice_eq(ghost.path, p->path);

    if (error || ghost.kind == GHOST_NONE)
        return error;
    p->ghost =
        (struct ghost){.kind = ghost.kind, .for_good = ghost.for_good, .made_s = ghost.made_s};
    switch (ghost.kind) {
    case GHOST_MOVED:
        p->ghost.target = remap(arena, p->path, &ghost);
        if (!slice_is_there(p->ghost.target) ||
            file_look(share->files.root, file_name(arena, p->ghost.target), &info) != 0)
            p->ghost.kind = GHOST_GONE; /* it was deleted there, or moved on */
        break;
    case GHOST_REFERENCE:
        p->ghost.target = keep(arena, ghost.target);
        p->kind = itself ? PLACE_REFERENCE : PLACE_NOTHING;
        if (!itself)
            p->ghost.kind = GHOST_NONE;
        break;
    case GHOST_BINDING: /* its home is not there any more */
        p->ghost.kind = GHOST_NONE;
        break;
    case GHOST_GONE:
    case GHOST_NONE:
        break;
    }
    return 0;
}

/* Follows the nearest binding. Returns 1 if there was one, 0, or a negative errno. */
static int
follow_binding(struct share *share, struct store_session *session, struct arena *arena,
               struct place *p)
{
    struct ghost ghost;
    int error = ghost_nearest(session, (struct store_place){share->id, p->path}, &ghost);

    if (error || ghost.kind != GHOST_BINDING)
        return error;
    p->bound = slice_eq(ghost.path, p->asked);
    p->path = remap(arena, p->path, &ghost);
    p->file = slice_is_there(p->path) ? file_name(arena, p->path) : NULL;
    return p->file ? 1 : -ENOMEM;
}

int
place_find(struct share *share, struct store_session *session, struct arena *arena,
           struct ern_slice asked, bool slashed, struct place *p)
{
    struct file_info info;
    struct ern_slice parent;
    int followed = 1;

    *p = (struct place){.asked = asked, .path = asked, .slashed = slashed, .parent = true};
    p->file = file_name(arena, asked);
    if (!p->file)
        return -ENOMEM;
    for (unsigned i = 0; followed > 0 && i < BINDINGS_MAX; i++) {
        if (look_at_disk(share, p) || p->error)
            break;
        followed = follow_binding(share, session, arena, p);
    }
    if (followed < 0)
        return followed;
    if (p->kind == PLACE_NOTHING && !p->error) {
        int error = look_at_ghost(share, session, arena, p);

        if (error)
            return error;
    }
    if (p->kind == PLACE_FILE)
        p->etag = place_etag(arena, &p->info);
    parent = path_parent(p->bound ? asked : p->path);
    if (p->bound) {
        struct place above;
        int error = place_find(share, session, arena, parent, true, &above);

        p->parent = above.kind == PLACE_COLLECTION;
        return error;
    }
    if (p->kind == PLACE_NOTHING || p->kind == PLACE_REFERENCE)
        p->parent = file_look(share->files.root, file_name(arena, parent), &info) == 0 &&
                    info.kind == FILE_DIRECTORY;
    return 0;
}

struct ern_slice
place_etag(struct arena *arena, const struct file_info *info)
{
    struct out o = arena_out(arena);

    entry_etag(&o, &info->stamp);
    return arena_keep(arena, &o);
}

static void
answer(struct dav *dav, enum ern_fact fact, bool yes)
{
    ern_state(&dav->answers, fact, yes);
}

static bool
is_there(const struct place *p)
{
    return p->kind == PLACE_FILE || p->kind == PLACE_COLLECTION || p->kind == PLACE_REFERENCE;
}

/* May the server change it: does it lie within the root, and is it a file or a folder? */
static bool
is_reachable(const struct place *p)
{
    return p->kind != PLACE_OTHER && !p->error;
}

/* Is it remembered long enough that it counts? */
static bool
is_fresh_ghost(const struct dav *dav, enum ghost_kind kind)
{
    const struct ghost *g = &dav->target.ghost;

    return g->kind == kind && dav->now.unix_s - g->made_s < dav->share->tombstone_s;
}

static bool
dav_has_content(const struct dav *dav)
{
    const struct ern_request *http = dav->decision->request;

    return http->chunked || http->content_length > 0;
}

/* The methods that a resource takes, by what it is (RFC 9110 10.2.1). */
#define A(method) RES_ALLOW(method)
static const uint64_t allowed[] = {
    [PLACE_NOTHING] = A(OPTIONS) | A(PUT) | A(MKCOL) | A(LOCK) | A(MKREDIRECTREF),
    [PLACE_FILE] = A(GET) | A(HEAD) | A(OPTIONS) | A(PUT) | A(DELETE) | A(PATCH) | A(PROPFIND) |
                   A(PROPPATCH) | A(COPY) | A(MOVE) | A(LOCK) | A(UNLOCK),
    [PLACE_COLLECTION] = A(GET) | A(HEAD) | A(OPTIONS) | A(POST) | A(DELETE) | A(PROPFIND) |
                         A(PROPPATCH) | A(COPY) | A(MOVE) | A(LOCK) | A(UNLOCK) | A(REPORT) |
                         A(BIND) | A(UNBIND) | A(REBIND),
    [PLACE_REFERENCE] = A(GET) | A(HEAD) | A(OPTIONS) | A(DELETE) | A(PROPFIND) | A(PROPPATCH) |
                        A(MOVE) | A(COPY) | A(UPDATEREDIRECTREF),
    [PLACE_OTHER] = A(OPTIONS),
};
/* What makes a file, or a name like one: no URL of these ends with a slash. */
static const uint64_t makes_file = A(PUT) | A(LOCK) | A(MKREDIRECTREF);

static void
answer_method(struct dav *dav)
{
    const struct place *t = &dav->target;
    enum ern_method m = dav->method->method;
    uint64_t allow = allowed[t->kind];
    bool is_folder = t->kind == PLACE_NOTHING && t->slashed, allows;

    /* What they make would be there without the slash alone: not what was asked for. */
    if (is_folder)
        allow &= ~makes_file;
    allow |= dav->share->files.any.allow_more;
    allows = allow >> m & 1;

    dav->evidence->allow = allow;
    /* What is not there is missing, whatever it is asked for; PUT where a collection is has its own
     * answer (RFC 4918 9.7.2), and so has LOCK of a reference's name. */
    if ((t->kind == PLACE_NOTHING && !(is_folder && makes_file >> m & 1)) ||
        (m == ERN_PUT && t->kind == PLACE_COLLECTION))
        allows = true;
    answer(dav, ERN_FACT_method_allowed, allows);
    answer(dav, ERN_FACT_permitted,
           t->asked.len > 1 || (m != ERN_DELETE && m != ERN_MOVE && m != ERN_UNBIND) ||
               t->kind != PLACE_COLLECTION || m == ERN_UNBIND);
}

/* Where it is, if it is not here: moved, or a redirect reference. */
static bool
answer_moved(struct dav *dav)
{
    const struct place *t = &dav->target;
    const struct ern_request *http = dav->decision->request;
    bool itself =
        dav->method->method == ERN_UPDATEREDIRECTREF ||
        slice_eq_nocase(ern_request_field(http, ERN_FIELD_apply_to_redirect_ref), ERN_SLICE("T"));
    bool moved = t->kind == PLACE_NOTHING && is_fresh_ghost(dav, GHOST_MOVED) &&
                 !dav->method->makes && res_may(dav->request, t->ghost.target, RES_READ);
    bool refers = t->kind == PLACE_REFERENCE && !itself;
    struct out o = arena_out(dav->request->arena);

    answer(dav, ERN_FACT_moved, moved || refers);
    answer(dav, ERN_FACT_for_good, moved || t->ghost.for_good);
    answer(dav, ERN_FACT_keeps_method, moved);
    if (moved) {
        share_write_path(&o, dav->share, t->ghost.target);
        if (t->slashed)
            out_char(&o, '/');
        dav->evidence->location = arena_keep(dav->request->arena, &o);
    } else if (refers) {
        out_literal(&o, "Redirect-Ref: ");
        out_slice(&o, t->ghost.target);
        out_literal(&o, "\r\n");
        dav->request->fields = arena_keep(dav->request->arena, &o);
        dav->evidence->location = t->ghost.target;
    }
    return (!moved && !refers) || slice_is_there(dav->evidence->location);
}

static void
answer_target(struct dav *dav)
{
    const struct place *t = &dav->target;
    struct ern_evidence *e = dav->evidence;

    answer(dav, ERN_FACT_readable, is_reachable(t) && is_reachable(&dav->destination));
    answer(dav, ERN_FACT_exists, is_there(t));
    answer(dav, ERN_FACT_gone,
           t->kind == PLACE_NOTHING &&
               (is_fresh_ghost(dav, GHOST_GONE) ||
                (t->ghost.kind == GHOST_MOVED && is_fresh_ghost(dav, GHOST_MOVED))));
    answer(dav, ERN_FACT_parent_exists,
           (t->parent || !dav->method->makes) &&
               (dav->destination.parent || !slice_is_there(dav->fields.destination)));
    answer(dav, ERN_FACT_onto_collection,
           dav->method->method == ERN_PUT && t->kind == PLACE_COLLECTION);
    answer(dav, ERN_FACT_depth_served,
           dav->method->method != ERN_PROPFIND || dav->fields.depth != DAV_DEPTH_INFINITY ||
               t->kind != PLACE_COLLECTION || dav->share->infinite);
    dav_condition(dav, ERN_FACT_depth_served, "propfind-finite-depth", ERN_ABSENT);
    answer(dav, ERN_FACT_conditional_only,
           dav->share->conditional && dav->method->conditional && !dav->fields.has_if);
    answer(dav, ERN_FACT_length_needed, dav->share->quota_bytes >= 0 && dav->method->takes_file);
    answer(dav, ERN_FACT_type_supported, !dav_has_content(dav) || dav_type_supported(dav));
    e->etag = t->etag;
    if (t->kind == PLACE_FILE || t->kind == PLACE_COLLECTION)
        e->last_modified_s = t->info.stamp.modified_s;
    if (t->kind == PLACE_FILE)
        e->content_bytes = (int64_t)t->info.stamp.bytes;
}

static int
look_at_destination(struct dav *dav)
{
    const struct dav_fields *f = &dav->fields;
    struct place *d = &dav->destination;
    bool known = dav->method->has_destination && slice_is_there(f->destination);
    int error = 0;

    if (known)
        error = place_find(dav->share, dav->session, dav->request->arena, f->destination,
                           f->destination_slashed, d);
    if (error)
        return error;
    answer(dav, ERN_FACT_destination_here, f->destination_here);
    answer(dav, ERN_FACT_destination_apart,
           !known ||
               (!path_is_within(d->path, dav->target.path) &&
                !path_is_within(dav->target.path, d->path)) ||
               (dav->target.bound != d->bound && dav->method->method == ERN_MOVE));
    answer(dav, ERN_FACT_destination_exists, known && is_there(d));
    answer(dav, ERN_FACT_overwrites, f->overwrite);
    return 0;
}

/* Will what is declared fit into the quota? What it replaces gives its room. */
static int
look_at_room(struct dav *dav)
{
    const struct ern_request *http = dav->decision->request;
    const struct transfer *t = dav->transfer;
    int64_t more = t && t->row.length >= 0 ? t->row.length : http->content_length;
    bool fits = true;
    int error = 0;

    if (dav->method->takes_file && more > 0 && dav->share->quota_bytes >= 0) {
        if (dav->target.kind == PLACE_FILE)
            more -= (int64_t)dav->target.info.stamp.bytes;
        error = quota_fits(dav->share, more, &fits);
    }
    answer(dav, ERN_FACT_over_quota, !fits);
    if (!fits)
        dav_condition(dav, ERN_FACT_over_quota, "quota-not-exceeded", ERN_ABSENT); /* RFC 4331 6 */
    return error;
}

/* What of the fields depends on what is there: a collection is moved and deleted whole, by whatever
 * name (RFC 4918 9.6.1, 9.9.2). */
static bool
fields_are_valid(struct dav *dav)
{
    enum ern_method m = dav->method->method;

    if ((m == ERN_MOVE || m == ERN_DELETE) && dav->target.kind == PLACE_COLLECTION &&
        dav->fields.depth != DAV_DEPTH_INFINITY && !dav->fields.wrong) {
        dav->fields.wrong = true;
        dav->fields.why = "A collection is moved and deleted whole: Depth infinity, or no Depth.";
    }
    return !dav->fields.wrong;
}

int
dav_look(struct dav *dav)
{
    struct res_request *r = dav->request;
    bool loops = false;
    int error;

    dav->answers = (struct ern_facts){{{0, 0}}, {{0, 0}}};
    dav->now = share_now(dav->share->store);
    dav->generation = store_generation(dav->share->store);
    error = place_find(dav->share, dav->session, r->arena, dav->asked, dav->target.slashed,
                       &dav->target);
    if (!error)
        error = look_at_destination(dav);
    if (!error)
        error = dav_look_at_locks(dav);
    if (!error && dav->method->method == ERN_PROPFIND && !dav->fields.binds &&
        dav->fields.depth == DAV_DEPTH_INFINITY && dav->target.kind == PLACE_COLLECTION)
        error = bindings_loop(dav, &loops);
    if (!error)
        error = look_at_room(dav);
    if (!error && dav->fields.respond_async)
        error = work_has_room(dav, &dav->fields.respond_async);
    if (error)
        return error;
    answer_method(dav);
    if (!answer_moved(dav))
        return -ENOMEM;
    answer_target(dav);
    answer(dav, ERN_FACT_state_reachable, true);
    answer(dav, ERN_FACT_fields_valid, fields_are_valid(dav));
    answer(dav, ERN_FACT_binding_loops, loops);
    answer(dav, ERN_FACT_locked, dav->locked);
    answer(dav, ERN_FACT_states_match, dav->states_match);
    /* Of a LOCK without content the lock in If is not one of the target (RFC 4918 9.10.6). */
    if (dav->method->method == ERN_LOCK && !dav_has_content(dav))
        dav_condition(dav, ERN_FACT_states_match, "lock-token-matches-request-uri", ERN_ABSENT);
    answer(dav, ERN_FACT_posts_to_missing,
           dav->decision->request->method == ERN_POST && dav->transfer);
    answer(dav, ERN_FACT_offset_matches, true);
    if (dav->fields.wrong)
        dav->evidence->detail = slice_text(dav->fields.why);
    return 0;
}

/* What a method does to its target, as rights have it. */
static unsigned
access_of(const struct dav *dav)
{
    const struct dav_method *m = dav->method;
    bool is_new = dav->target.kind == PLACE_NOTHING;

    if (m->tree)
        return RES_DELETE;
    if (m->reads || m->has_destination)
        return RES_READ;
    if (m->method == ERN_LOCK) /* which makes a file of a name that nothing has (RFC 4918 7.3) */
        return is_new ? RES_LOCK | RES_WRITE : RES_LOCK;
    return m->method == ERN_UNLOCK ? RES_LOCK : RES_WRITE;
}

/* Does it concern all that is beneath a collection, too? */
static bool
is_deep(const struct dav *dav)
{
    enum ern_method method = dav->method->method;

    return dav->method->tree ||
           ((method == ERN_COPY || method == ERN_LOCK) && dav->fields.depth == DAV_DEPTH_INFINITY);
}

bool
dav_may(const struct dav *dav)
{
    const struct place *t = &dav->target, *d = &dav->destination;
    unsigned access = access_of(dav);

    if (t->kind == PLACE_COLLECTION && is_deep(dav))
        access |= RES_TREE;
    if (!res_may(dav->request, t->path, access))
        return false;
    return !dav->method->has_destination || !slice_is_there(d->asked) ||
           (res_may(dav->request, d->asked, RES_WRITE) &&
            res_may(dav->request, d->path, RES_WRITE | RES_TREE));
}
