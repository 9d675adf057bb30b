/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.c - PROPFIND (RFC 4918 9.1), streamed: members are read, looked at and written a few at a
 * time, so that memory does not grow with the collection.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/slice.h"
#include "dav/multistatus.h"
#include "dav/response.h"

enum {
    DEPTH_MAX = 64,
    ARENA_BYTES = 65536,
    SHORT_BYTES = 8192, /* what is told in fewer goes out whole */
    TEXT_BYTES = 32768, /* at first: as much, and the longest path with it */
    TEXT_MAX = 1 << 23,
};

struct level { /* a collection whose members are being told */
    DIR *members;
    size_t asked_len;   /* of its path in find.asked */
    size_t home_len;    /* and in find.home */
    struct names *rows; /* bindings and references in it, still to be told */
};

struct names { /* of rows that are members */
    struct names *next;
    size_t len;
    char text[];
};

struct target { /* of a binding: a collection that is reported once */
    struct target *next;
    bool reported;
    size_t len;
    char text[];
};

struct find {
    struct res_stream stream; /* first */
    struct dav *dav;
    struct response_query query;
    struct live_context context;
    enum dav_depth depth;
    enum { FIND_HEAD, FIND_TARGET, FIND_MEMBERS, FIND_FOOT, FIND_END } state;
    struct level levels[DEPTH_MAX];
    unsigned level_n;
    struct target
        *targets; /* only where bindings matter: Depth infinity, and a client that knows */
    int64_t told_n;
    struct out asked,
        home;           /* the path of the member that is told: as it is asked for, on the disk */
    struct out text;    /* the piece that was written last, and */
    size_t given;       /* bytes of it that were given away */
    struct arena arena; /* of the place of a row */
    void *memory;       /* its; NULL until there is a row */
    char asked_text[PATH_MAX], home_text[PATH_MAX];
};

static struct ern_slice
path_of(const struct out *o)
{
    return o->len ? out_done(o) : ERN_SLICE("/");
}

/* ---- rows and targets --------------------------------------------------------------------------
 */

struct rows {
    struct names *first;
    struct ern_slice of;
    bool no_memory;
};

/* A binding or a reference directly within the collection. */
static int
keep_row(void *self, const struct ghost *ghost)
{
    struct rows *r = self;
    struct names *n;
    size_t at = r->of.len > 1 ? r->of.len + 1 : 1;

    if ((ghost->kind != GHOST_BINDING && ghost->kind != GHOST_REFERENCE) || ghost->path.len <= at ||
        slice_find(slice_skip(ghost->path, at), '/') < ghost->path.len - at)
        return 0;
    n = malloc(sizeof *n + ghost->path.len - at);
    if (!n)
        return -ENOMEM;
    *n = (struct names){.next = r->first, .len = ghost->path.len - at};
    memcpy(n->text, ghost->path.ptr + at, n->len);
    r->first = n;
    return 0;
}

static int
keep_target(void *self, const struct ghost *ghost)
{
    struct find *f = self;
    struct target *t = malloc(sizeof *t + ghost->target.len);

    if (!t)
        return -ENOMEM;
    *t = (struct target){.next = f->targets, .len = ghost->target.len};
    memcpy(t->text, ghost->target.ptr, t->len);
    f->targets = t;
    return 0;
}

/* Was the collection with this home told already? It is from now on. */
static bool
was_reported(struct find *f, struct ern_slice home)
{
    bool was = false;

    for (struct target *t = f->targets; t; t = t->next) {
        if (slice_eq(slice_from(t->text, t->len), home)) {
            was = was || t->reported;
            t->reported = true;
        }
    }
    return was;
}

/* ---- the walk
 * ------------------------------------------------------------------------------------ */

/* Opens a collection, to tell its members next. One that cannot be read has none to tell. */
static int
push(struct find *f)
{
    const struct share *share = f->dav->share;
    struct level *l = &f->levels[f->level_n];
    struct rows rows = {.of = path_of(&f->home)};
    struct file_info info;
    int fd, error;

    if (f->level_n == DEPTH_MAX)
        return 0;
    fd = file_open(share->files.root, f->home.len ? f->home_text + 1 : ".", false, &info);
    if (fd < 0)
        return 0;
    error = ghost_walk(f->context.session, (struct store_place){share->id, rows.of}, GHOST_NONE, 0,
                       keep_row, &rows);
    *l = (struct level){fdopendir(fd), f->asked.len, f->home.len, rows.first};
    if (!l->members) {
        (void)close(fd);
        error = -ENOMEM;
    }
    f->level_n++;
    return error;
}

static void
pop(struct find *f)
{
    struct level *l = &f->levels[--f->level_n];

    if (l->members)
        (void)closedir(l->members);
    while (l->rows) {
        struct names *next = l->rows->next;

        free(l->rows);
        l->rows = next;
    }
}

static bool
is_told(const struct find *f, struct ern_slice name)
{
    if (slice_eq(name, ERN_SLICE(".")) || slice_eq(name, ERN_SLICE("..")) ||
        slice_eq(name, ERN_SLICE(STAGE_FOLDER)))
        return false;
    return name.ptr[0] != '.' || f->dav->share->files.hidden ||
           slice_eq(name, ERN_SLICE(".well-known"));
}

/* Writes a response; where it does not fit, memory for it grows. */
static int
tell(struct find *f, const struct place *place)
{
    size_t before = f->text.len;
    int error;

    f->context.place = place;
    for (;;) {
        char *more;

        error = response_write(&f->text, &f->query, &f->context);
        if (error || !f->text.full)
            break;
        more = f->text.cap < TEXT_MAX ? realloc(f->text.ptr, f->text.cap * 2) : NULL;
        if (!more)
            return -ENOMEM;
        f->text = (struct out){more, before, f->text.cap * 2, false};
    }
    f->told_n++;
    return error;
}

/* Depth infinity goes no further than its limit, and says so (RFC 4918 11.5). */
static int
stop(struct find *f)
{
    static const enum ern_fact no_room[] = {ERN_FACT_no_room, ERN_FACTS};

    response_write_status(&f->text, f->dav->share, f->dav->target.asked, true,
                          member_status(no_room));
    f->state = FIND_FOOT;
    return 0;
}

/* A collection that was told before, by another of its names: with another status (RFC 5842 7.1).
 */
static int
tell_again(struct find *f, const struct place *place)
{
    static const enum ern_fact again[] = {ERN_FACT_reported, ERN_FACTS};
    uint16_t fine = f->query.fine;
    int error;

    f->query.fine = member_status(again);
    error = tell(f, place);
    f->query.fine = fine;
    return error;
}

/* Tells one resource, and goes into it if it is a collection and the depth says so. */
static int
visit(struct find *f, const struct place *place)
{
    bool enters = place->kind == PLACE_COLLECTION && f->depth != DAV_DEPTH_0 &&
                  (f->depth == DAV_DEPTH_INFINITY || f->level_n == 0);
    int error;

    if (!res_may(f->dav->request, place->asked, RES_READ) ||
        !res_may(f->dav->request, place->path, RES_READ))
        return 0;
    if (f->depth == DAV_DEPTH_INFINITY && f->told_n >= f->dav->share->limits->members_max)
        return stop(f);
    if (enters && f->targets && was_reported(f, place->path))
        return tell_again(f, place);
    error = tell(f, place);
    return error || !enters ? error : push(f);
}

/* Adds the name to both paths. Returns false if they grow too long: it is not told. */
static bool
enter(struct find *f, const struct level *l, struct ern_slice name)
{
    f->asked.len = l->asked_len;
    f->home.len = l->home_len;
    f->asked.full = f->home.full = false;
    out_char(&f->asked, '/');
    out_slice(&f->asked, name);
    out_char(&f->home, '/');
    out_slice(&f->home, name);
    out_char(&f->home, '\0');
    if (f->asked.full || f->home.full)
        return false;
    f->home.len--;
    return true;
}

/* A member that the folder has. */
static int
visit_file(struct find *f, int folder, struct ern_slice name)
{
    struct place place = {.parent = true};
    int error;

    if (!is_told(f, name) || !enter(f, &f->levels[f->level_n - 1], name))
        return 0;
    place.asked = out_done(&f->asked);
    place.path = out_done(&f->home);
    error = file_look_in(folder, name.ptr, &place.info);
    if (!error && place.info.kind == FILE_SPECIAL) /* a link may lead to something, within root */
        error = file_look(f->dav->share->files.root, f->home_text + 1, &place.info);
    if (error)
        return 0; /* it went away, or leads out */
    place.kind = place.info.kind == FILE_REGULAR     ? PLACE_FILE
                 : place.info.kind == FILE_DIRECTORY ? PLACE_COLLECTION
                                                     : PLACE_OTHER;
    return place.kind == PLACE_OTHER ? 0 : visit(f, &place);
}

/* A member that is a row: a binding, which has its home elsewhere, or a reference. */
static int
visit_row(struct find *f, struct names *row)
{
    struct place place;
    int error = 0;

    if (!f->memory)
        f->memory = malloc(ARENA_BYTES);
    arena_init(&f->arena, f->memory, f->memory ? ARENA_BYTES : 0);
    if (enter(f, &f->levels[f->level_n - 1], slice_from(row->text, row->len))) {
        error = place_find(f->dav->share, f->context.session, &f->arena, path_of(&f->home), false,
                           &place);
        place.asked = out_done(&f->asked);
        if (!error && place.kind != PLACE_NOTHING && place.kind != PLACE_OTHER &&
            place.path.len < sizeof f->home_text) {
            f->home.len = 0;
            out_slice(&f->home, place.path);
            f->home_text[f->home.len] = '\0';
            error = visit(f, &place);
        }
    }
    free(row);
    return error;
}

/* The next member of the innermost collection, or its end. */
static int
next_member(struct find *f)
{
    struct level *l = &f->levels[f->level_n - 1];
    const struct dirent *d;
    struct names *row;

    errno = 0;
    d = readdir(l->members);
    if (d)
        return visit_file(f, dirfd(l->members), slice_text(d->d_name));
    row = l->rows;
    if (row) {
        l->rows = row->next;
        return visit_row(f, row);
    }
    pop(f);
    return 0;
}

static int
step(struct find *f)
{
    int error = 0;

    switch (f->state) {
    case FIND_HEAD:
        out_literal(&f->text, MULTISTATUS_HEAD);
        f->state = FIND_TARGET;
        break;
    case FIND_TARGET:
        f->state = FIND_MEMBERS;
        error = visit(f, &f->dav->target);
        break;
    case FIND_MEMBERS:
        if (f->level_n)
            error = next_member(f);
        else
            f->state = FIND_FOOT;
        break;
    case FIND_FOOT:
        out_literal(&f->text, MULTISTATUS_FOOT);
        f->state = FIND_END;
        break;
    case FIND_END:
        break;
    }
    return error;
}

/* ---- the stream
 * ------------------------------------------------------------------------------------ */

static ssize_t
fill_within(struct find *f, char *piece, size_t cap)
{
    size_t len = 0;

    while (f->state != FIND_END || f->given < f->text.len) {
        size_t n = f->text.len - f->given;

        if (n == 0) {
            int error;

            f->text.len = f->given = 0;
            error = step(f);
            if (error)
                return error;
            continue;
        }
        if (len == cap)
            break;
        n = n < cap - len ? n : cap - len;
        memcpy(piece + len, f->text.ptr + f->given, n);
        f->given += n;
        len += n;
    }
    return (ssize_t)len;
}

static ssize_t
fill(struct res_stream *stream, char *piece, size_t cap, bool *ret_end)
{
    struct find *f = (struct find *)(void *)stream;
    ssize_t n = store_begin(f->dav->share->store, STORE_READ, &f->context.session);

    if (n < 0)
        return n;
    n = fill_within(f, piece, cap);
    (void)store_end(f->context.session, false);
    *ret_end = f->state == FIND_END && f->given == f->text.len;
    return n;
}

static void
free_find(struct res_stream *stream)
{
    struct find *f = (struct find *)(void *)stream;

    while (f->level_n)
        pop(f);
    while (f->targets) {
        struct target *next = f->targets->next;

        free(f->targets);
        f->targets = next;
    }
    free(f->query.missing);
    free(f->memory);
    free(f->text.ptr);
    free(f);
}

/* What is the same for all members: is there anything to look for at all? */
static int
prepare(struct find *f)
{
    struct dav *dav = f->dav;
    struct store_place root = {dav->share->id, ERN_SLICE("/")};
    int error = property_any(dav->session, root, &f->query.may_have_dead);

    if (!error)
        error = lock_any(dav->session, dav->share->id, &f->context.may_lock);
    if (!error && dav->fields.binds && f->depth == DAV_DEPTH_INFINITY)
        error = ghost_walk(dav->session, root, GHOST_BINDING, 0, keep_target, f);
    return error;
}

/* What was told whole already is content with a length; else the rest is made while it is sent. */
static int
represent(struct find *f)
{
    struct dav *dav = f->dav;

    if (f->state == FIND_END) {
        char *text = f->text.ptr;

        f->text.ptr = NULL;
        if (!xml_represent(dav, text, f->text.len))
            return -ENOMEM;
        free_find(&f->stream);
        return 0;
    }
    dav->request->representation = (struct res_representation){
        .description = ERN_SLICE("Content-Type: application/xml; charset=utf-8\r\n"),
        .type = ERN_SLICE("application/xml; charset=utf-8"),
        .fd = -1,
        .stream = &f->stream,
    };
    dav->request->has_representation = true;
    return 0;
}

int
dav_propfind(struct dav *dav)
{
    struct find *f = calloc(1, sizeof *f);
    int error;

    if (!f)
        return -ENOMEM;
    f->stream = (struct res_stream){.fill = fill, .free = free_find};
    f->dav = dav;
    f->depth = dav->fields.depth;
    response_query_init(&f->query, &dav->body.find);
    f->query.minimal = dav->fields.wants_minimal;
    f->query.missing = calloc(dav->body.find.names_n + 1U, sizeof *f->query.missing);
    f->context = (struct live_context){
        .share = dav->share, .session = dav->session, .now = dav->now, .request = dav->request};
    f->text = out_init(malloc(TEXT_BYTES), TEXT_BYTES);
    f->asked = out_init(f->asked_text, sizeof f->asked_text);
    f->home = out_init(f->home_text, sizeof f->home_text);
    out_slice(&f->asked, place_prefix(dav->target.asked));
    out_slice(&f->home, place_prefix(dav->target.path));
    error = f->query.missing && f->text.ptr ? prepare(f) : -ENOMEM;
    if (!error && (f->asked.full || f->home.full))
        error = -ENAMETOOLONG;
    while (!error && f->state != FIND_END && f->text.len < SHORT_BYTES)
        error = step(f);
    if (!error)
        error = represent(f);
    if (error) {
        free_find(&f->stream);
        return error;
    }
    if (dav->fields.wants_minimal)
        dav_field(dav, "Preference-Applied", ERN_SLICE("return=minimal"));
    dav->outcome = DAV_MIXED;
    return 0;
}
