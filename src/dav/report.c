/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - the sync-collection report (RFC 6578): what has changed beneath a collection since a
 * token was given. A token is a time, by two clocks. A member has changed when its file has, by the
 * change time that nobody can set, or when a ghost says that it went; both are told again for a
 * second, rather than missed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"
#include "dav/multistatus.h"
#include "dav/response.h"

enum {
    TEXT_BYTES = 1 << 22, /* of the whole answer; what is beyond comes with the next token */
    SPARE_BYTES = 1 << 16,
    DEPTH_MAX = 64,
    OVERLAP_S = 2, /* coarse clocks */
    REMEMBERED_S = 7 * 86400,
};

#define TOKEN "data:,earnest-"

struct sync {
    struct dav *dav;
    struct response_query query;
    struct live_context context;
    struct out text;
    bool all; /* there is no time since */
    struct store_clock since;
    int64_t n;
    unsigned depth;
    bool cut;
    struct out path; /* of the member that is looked at */
    char path_text[PATH_MAX];
};

void
sync_token_write(struct out *o, const struct share *share, struct store_clock now)
{
    out_literal(o, TOKEN);
    out_u64(o, (uint64_t)share->id);
    out_char(o, '-');
    out_u64(o, (uint64_t)now.unix_s);
    out_char(o, '-');
    out_u64(o, (uint64_t)now.wall_s);
}

/* One of the numbers of a token, which a hyphen separates. */
static bool
next_number(struct ern_slice *token, int64_t *ret_n)
{
    size_t at = slice_find(*token, '-');
    uint64_t n;

    if (!u64_parse(slice_first(*token, at), INT64_MAX, &n))
        return false;
    *token = slice_skip(*token, at < token->len ? at + 1 : at);
    *ret_n = (int64_t)n;
    return true;
}

/* How far the clock was set, against the time that ghosts are dated with. */
static int64_t
set_s(struct store_clock now)
{
    return now.wall_s - now.unix_s;
}

/* Reads a token of ours that is not too old to answer. Once the clock was set, the change times of
 * files cannot be compared with it any more. */
static bool
read_token(const struct dav *dav, struct ern_slice token, struct store_clock *ret)
{
    const struct store_clock *now = &dav->now;
    int64_t share;

    if (!slice_starts(token, ERN_SLICE(TOKEN)))
        return false;
    token = slice_skip(token, sizeof TOKEN - 1);
    return next_number(&token, &share) && next_number(&token, &ret->unix_s) &&
           next_number(&token, &ret->wall_s) && token.len == 0 && share == dav->share->id &&
           ret->unix_s <= now->unix_s + OVERLAP_S && now->unix_s - ret->unix_s < REMEMBERED_S &&
           llabs(set_s(*now) - set_s(*ret)) <= OVERLAP_S;
}

/* Is there room for another response? Otherwise the answer is cut, and says so. */
static bool
has_room(struct sync *s)
{
    int64_t limit = s->dav->body.limit;

    if (s->text.cap - s->text.len > SPARE_BYTES && (limit < 0 || s->n < limit))
        return true;
    s->cut = true;
    return false;
}

static int
tell_member(struct sync *s, const struct file_info *info)
{
    struct place place = {.asked = out_done(&s->path), .path = out_done(&s->path), .info = *info};
    size_t before = s->text.len;
    int error;

    place.kind = info->kind == FILE_REGULAR ? PLACE_FILE : PLACE_COLLECTION;
    if (!s->all && info->stamp.changed_s < s->since.wall_s - OVERLAP_S)
        return 0;
    if (!has_room(s))
        return 0;
    s->context.place = &place;
    error = response_write(&s->text, &s->query, &s->context);
    if (s->text.full) { /* one that is larger than all room is left out */
        s->text.full = false;
        s->text.len = before;
        s->cut = true;
    }
    s->n++;
    return error;
}

static int tell_members(struct sync *s);

static int
tell_one(struct sync *s, struct ern_slice name)
{
    size_t before = s->path.len;
    struct file_info info;
    int error = 0;

    if (name.ptr[0] == '.' &&
        (!s->dav->share->files.hidden || slice_eq(name, ERN_SLICE(".")) ||
         slice_eq(name, ERN_SLICE("..")) || slice_eq(name, ERN_SLICE(STAGE_FOLDER))))
        return 0;
    out_char(&s->path, '/');
    out_slice(&s->path, name);
    out_char(&s->path, '\0');
    if (!s->path.full) {
        s->path.len--;
        if (res_may(s->dav->request, out_done(&s->path), RES_READ) &&
            file_look(s->dav->share->files.root, s->path_text + 1, &info) == 0 &&
            info.kind != FILE_SPECIAL) {
            error = tell_member(s, &info);
            if (!error && info.kind == FILE_DIRECTORY &&
                s->dav->body.sync_level == DAV_DEPTH_INFINITY && s->depth < DEPTH_MAX)
                error = tell_members(s);
        }
    }
    s->path.len = before;
    s->path.full = false;
    return error;
}

static int
tell_members(struct sync *s)
{
    struct file_info info;
    int fd =
        file_open(s->dav->share->files.root, s->path.len ? s->path_text + 1 : ".", false, &info);
    DIR *members = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *d;
    int error = 0;

    if (!members) {
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    s->depth++;
    while (!error && !s->cut && (d = readdir(members)) != NULL)
        error = tell_one(s, slice_text(d->d_name));
    s->depth--;
    (void)closedir(members);
    return error;
}

/* What went: a response that says it is not there (RFC 6578 3.5.2). */
static int
tell_gone(void *self, const struct ghost *ghost)
{
    struct sync *s = self;
    struct ern_slice of = s->dav->target.path;
    size_t at = of.len > 1 ? of.len + 1 : 1;
    struct file_info info;

    if ((ghost->kind != GHOST_GONE && ghost->kind != GHOST_MOVED) || ghost->path.len <= at)
        return 0;
    if (s->dav->body.sync_level != DAV_DEPTH_INFINITY &&
        slice_find(slice_skip(ghost->path, at), '/') < ghost->path.len - at)
        return 0;
    if (file_look(s->dav->share->files.root, ghost->path.ptr + 1, &info) == 0 ||
        !res_may(s->dav->request, ghost->path, RES_READ) || !has_room(s))
        return 0;
    response_write_status(&s->text, s->dav->share, ghost->path, false, s->query.not_there);
    s->n++;
    return 0;
}

static int
write_all(struct sync *s)
{
    static const enum ern_fact no_room[] = {ERN_FACT_no_room, ERN_FACTS};
    struct dav *dav = s->dav;
    struct store_place of = {dav->share->id, dav->target.path};
    int error = 0;

    out_literal(&s->text, MULTISTATUS_HEAD);
    if (!s->all)
        error = ghost_walk(dav->session, of, GHOST_NONE, s->since.unix_s - OVERLAP_S, tell_gone, s);
    if (!error)
        error = tell_members(s);
    if (s->cut) /* RFC 6578 3.6: the rest is to be asked for again */
        response_write_status(&s->text, dav->share, dav->target.asked, true,
                              member_status(no_room));
    out_literal(&s->text, "<D:sync-token>");
    sync_token_write(&s->text, dav->share, s->cut && !s->all ? s->since : dav->now);
    out_literal(&s->text, "</D:sync-token>" MULTISTATUS_FOOT);
    return error;
}

/* What this server does not do, or not with this token. */
static int
refuse(struct dav *dav, const char *condition, struct ern_slice why)
{
    dav_condition(dav, ERN_FACT_act_permitted, condition, ERN_ABSENT);
    dav->decision->evidence.detail = why;
    dav->outcome = DAV_FORBIDDEN;
    return 0;
}

int
dav_report(struct dav *dav)
{
    bool all = dav->body.sync_token.len == 0;
    struct store_clock since = {0};
    struct sync *s;
    int error;

    if (!slice_eq(dav->body.report.space, ERN_SLICE(XML_DAV)) ||
        !slice_eq(dav->body.report.name, ERN_SLICE("sync-collection")))
        return refuse(dav, "supported-report",
                      ERN_SLICE("The only report here is sync-collection."));
    if (!all && !read_token(dav, dav->body.sync_token, &since))
        return refuse(
            dav, "valid-sync-token",
            ERN_SLICE("The token is none of this folder, or too old: begin without one."));
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->dav = dav;
    s->all = all;
    s->since = since;
    response_query_init(&s->query, &dav->body.find);
    s->query.may_have_dead = true;
    s->query.missing = calloc(dav->body.find.names_n + 1U, sizeof *s->query.missing);
    s->context = (struct live_context){.share = dav->share,
                                       .session = dav->session,
                                       .now = dav->now,
                                       .may_lock = true,
                                       .request = dav->request};
    s->text = out_init(malloc(TEXT_BYTES), TEXT_BYTES);
    s->path = out_init(s->path_text, sizeof s->path_text);
    out_slice(&s->path, place_prefix(dav->target.path));
    error = s->text.ptr && s->query.missing ? write_all(s) : -ENOMEM;
    if (!error)
        error = xml_represent(dav, s->text.ptr, s->text.len) ? 0 : -ENOMEM;
    else
        free(s->text.ptr);
    dav->outcome = DAV_MIXED;
    free(s->query.missing);
    free(s);
    return error;
}
