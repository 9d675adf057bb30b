/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind.c - BIND, UNBIND, REBIND (RFC 5842). A resource has one home, where its file lies; each
 * other binding is a row that leads to the home.
 */
#include "dav/bind.h"

#include <errno.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "dav/tree.h"

enum { LEVELS_MAX = 32 /* bindings within bindings, before it counts as a loop */ };

/* ---- loops
 * --------------------------------------------------------------------------------------- */

struct loop { /* a walk down the bindings, and the collections it is in */
    struct dav *dav;
    struct ern_slice within[LEVELS_MAX];
    unsigned n;
    bool found;
};

static int walk_bindings(struct loop *l);

/* A binding beneath the collection that is walked: to something above itself? */
static int
follow(void *self, const struct ghost *binding)
{
    struct loop *l = self;
    int error;

    if (l->found)
        return 0;
    for (unsigned i = 0; i < l->n; i++)
        if (path_is_within(l->within[i], binding->target) ||
            path_is_within(binding->path, binding->target))
            l->found = true;
    if (l->found || l->n == LEVELS_MAX) {
        l->found = true;
        return 0;
    }
    l->within[l->n++] = binding->target;
    error = walk_bindings(l);
    l->n--;
    return error;
}

static int
walk_bindings(struct loop *l)
{
    return ghost_walk(l->dav->session, (struct store_place){l->dav->share->id, l->within[l->n - 1]},
                      GHOST_BINDING, 0, follow, l);
}

int
bindings_loop(struct dav *dav, bool *ret_loops)
{
    struct loop l = {.dav = dav, .within = {dav->target.path}, .n = 1};
    int error = walk_bindings(&l);

    *ret_loops = l.found;
    return error;
}

/* ---- the methods
 * ----------------------------------------------------------------------------------- */

static int
refuse(struct dav *dav, const char *condition, enum dav_outcome outcome, struct ern_slice why)
{
    dav_condition(dav, outcome == DAV_FORBIDDEN ? ERN_FACT_act_permitted : ERN_FACT_conflicts,
                  condition, ERN_ABSENT);
    dav->decision->evidence.detail = why;
    dav->outcome = outcome;
    return 0;
}

/* The path of the member that DAV:segment names; absent if it can be no name. */
static struct ern_slice
member_path(struct dav *dav)
{
    struct ern_slice name = dav->body.segment, of = dav->target.path;
    struct out o = arena_out(dav->request->arena);

    if (name.len == 0 || name.len > NAME_MAX || slice_find(name, '/') < name.len ||
        name.ptr[0] == '.' || !utf8_is(name))
        return ERN_ABSENT;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f)
            return ERN_ABSENT;
    out_slice(&o, place_prefix(of));
    out_char(&o, '/');
    out_slice(&o, name);
    out_char(&o, '\0');
    of = arena_keep(dav->request->arena, &o);
    return slice_is_there(of) ? slice_first(of, of.len - 1) : of;
}

/* What DAV:href names, in this share. */
static int
find_source(struct dav *dav, struct place *ret, bool *ret_elsewhere)
{
    bool slashed, wrong;
    struct ern_slice path = dav_resolve(dav, dav->body.href, &slashed, &wrong);

    *ret = (struct place){.kind = PLACE_NOTHING};
    *ret_elsewhere = !slice_is_there(path) && !wrong;
    return slice_is_there(path) && !files_withhold(&dav->share->files, path)
               ? place_find(dav->share, dav->session, dav->request->arena, path, slashed, ret)
               : 0;
}

static bool
is_resource(const struct place *p)
{
    return p->kind == PLACE_FILE || p->kind == PLACE_COLLECTION;
}

/* A binding shows what it leads to: who makes one needs rights at both ends, all the way down. */
static bool
may_bind(const struct dav *dav, const struct place *source, const struct place *member)
{
    unsigned access = dav->method->method == ERN_REBIND ? RES_READ | RES_DELETE : RES_READ;

    return res_may(dav->request, source->path, access | RES_TREE) &&
           res_may(dav->request, source->asked, access) &&
           res_may(dav->request, member->asked, RES_WRITE | RES_TREE);
}

/* The two ends of a BIND or REBIND, or the reason why it is refused. Returns 1 if they are fine. */
static int
find_ends(struct dav *dav, struct place *source, struct place *member)
{
    struct ern_slice path = member_path(dav);
    bool elsewhere;
    int error;

    if (!slice_is_there(path))
        return refuse(dav, "name-allowed", DAV_FORBIDDEN,
                      ERN_SLICE("DAV:segment is not one name: leave out slashes and a first dot."));
    error = find_source(dav, source, &elsewhere);
    if (!error)
        error = place_find(dav->share, dav->session, dav->request->arena, path, false, member);
    if (error)
        return error;
    if (elsewhere)
        return refuse(dav, "cross-server-binding", DAV_FORBIDDEN,
                      ERN_SLICE("DAV:href is not in this folder, and bindings do not leave it."));
    if (!may_bind(dav, source, member))
        return refuse(dav, "bind-source-exists", DAV_FORBIDDEN,
                      ERN_SLICE("This client has no right to one of the two ends."));
    if (!is_resource(source) || source->path.len == 1)
        return refuse(dav, "bind-source-exists", DAV_CONFLICTS,
                      ERN_SLICE("DAV:href names no resource of this folder."));
    if (member->kind != PLACE_NOTHING && !dav->fields.overwrite) {
        refuse(dav, "can-overwrite", DAV_CONFLICTS,
               ERN_SLICE("There is a member of this name, and Overwrite is F."));
        return 0;
    }
    if (is_resource(member) && slice_eq(member->path, source->path)) /* it is so already */
        return dav->outcome = DAV_EMPTY, 0;
    return 1;
}

/* Takes away what the new binding replaces. */
static int
make_way(struct dav *dav, const struct place *member)
{
    struct tree_change change = {
        .share = dav->share, .session = &dav->session, .now_s = dav->now.unix_s};
    int error = tree_clear(&change, member);

    memcpy(dav->old, change.old, sizeof dav->old);
    dav->outcome = member->kind == PLACE_NOTHING ? DAV_CREATED : DAV_EMPTY;
    return error;
}

int
dav_bind(struct dav *dav)
{
    struct place source, member;
    struct ghost binding = {.kind = GHOST_BINDING, .made_s = dav->now.unix_s};
    int error = find_ends(dav, &source, &member);

    if (error <= 0)
        return error;
    error = make_way(dav, &member);
    binding.target = source.path;
    return error ? error
                 : ghost_put(dav->session, (struct store_place){dav->share->id, member.asked},
                             &binding);
}

int
dav_unbind(struct dav *dav)
{
    struct tree_change change = {
        .share = dav->share, .session = &dav->session, .now_s = dav->now.unix_s};
    struct ern_slice path = member_path(dav);
    struct place member = {.kind = PLACE_NOTHING};
    int error = slice_is_there(path) ? place_find(dav->share, dav->session, dav->request->arena,
                                                  path, false, &member)
                                     : 0;

    if (error)
        return error;
    if (is_resource(&member) && !res_may(dav->request, member.asked, RES_DELETE | RES_TREE))
        return dav->outcome = DAV_FORBIDDEN, 0;
    if (!is_resource(&member))
        return refuse(dav, "unbind-source-exists", DAV_CONFLICTS,
                      ERN_SLICE("There is no member of this name."));
    error = tree_delete(&change, &member);
    memcpy(dav->old, change.old, sizeof dav->old);
    dav->outcome = DAV_EMPTY;
    return error;
}

int
dav_rebind(struct dav *dav)
{
    struct tree_change change = {
        .share = dav->share, .session = &dav->session, .now_s = dav->now.unix_s};
    struct place source, member;
    int error = find_ends(dav, &source, &member);

    if (error <= 0)
        return error;
    if (path_is_within(member.path, source.path) && !source.bound)
        return refuse(dav, "cycle-allowed", DAV_FORBIDDEN,
                      ERN_SLICE("A collection cannot move into itself."));
    dav->outcome = member.kind == PLACE_NOTHING ? DAV_CREATED : DAV_EMPTY;
    error = tree_move(&change, &source, &member);
    memcpy(dav->old, change.old, sizeof dav->old);
    return error;
}
