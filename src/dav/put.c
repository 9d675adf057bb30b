/* SPDX-License-Identifier: Apache-2.0 */
/* put.c - content becomes a file: PUT, and POST of a new member (RFC 5995). */
#include "dav/dav.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "dav/quota.h"
#include "msg/target.h"

enum {
    NAMES_TRIED = 64, /* for a member whose name is taken */
    NAME_BYTES = 192,
};

int
dav_put_prepare(struct dav *dav)
{
    struct res_sink *sink = &dav->request->sink;
    const struct stage *stage = &dav->share->stage;
    int error = 0;

    if (sink->error)
        return sink->error;
    if (sink->fd < 0) { /* little, or nothing, came: it is in memory */
        int fd = stage_create(stage, dav->staged);

        if (fd < 0)
            return fd;
        sink->fd = fd;
        error = stage_write(fd, slice_from(sink->bytes, sink->len));
    }
    return error ? error : stage_sync(stage, sink->fd);
}

/* What the client is told of what it stored: it is as it was sent (RFC 9110 9.3.4). */
static int
tell_stored(struct dav *dav, int64_t before)
{
    struct file_info info;
    int error = file_look_open(dav->request->sink.fd, &info);

    if (error)
        return error;
    if (!dav_is_coded(dav)) /* "without any transformation applied to the content" (9.3.4) */
        dav_field(dav, "ETag", place_etag(dav->request->arena, &info));
    quota_add(dav->share, (int64_t)info.stamp.bytes - before);
    return 0;
}

int
dav_put(struct dav *dav)
{
    const struct place *t = &dav->target;
    const struct ghost none = {.kind = GHOST_NONE};
    bool replaces = t->kind == PLACE_FILE;
    int error =
        stage_place(&dav->share->stage, dav->staged, t->file,
                    (struct stage_put){.fresh = !replaces, .keep_mode = replaces}, dav->old);

    if (error)
        return error;
    dav->staged[0] = '\0';
    if (t->ghost.kind != GHOST_NONE)
        error = ghost_put(dav->session, (struct store_place){dav->share->id, t->path}, &none);
    if (!error)
        error = tell_stored(dav, replaces ? (int64_t)t->info.stamp.bytes : 0);
    dav->outcome = replaces ? DAV_EMPTY : DAV_CREATED;
    return error;
}

/* A name that Slug proposes (RFC 5023 9.7): percent-decoded, without what no name here has. */
static struct ern_slice
proposed_name(const struct ern_request *http, struct out *o)
{
    struct ern_slice slug = ern_request_field(http, ERN_FIELD_slug);

    for (size_t i = 0; i < slug.len && o->len < NAME_BYTES; i++) {
        unsigned char c = (unsigned char)slug.ptr[i];

        if (c == '%' && i + 2 < slug.len && hex_value(slug.ptr[i + 1]) >= 0 &&
            hex_value(slug.ptr[i + 2]) >= 0) {
            c = (unsigned char)(hex_value(slug.ptr[i + 1]) * 16 + hex_value(slug.ptr[i + 2]));
            i += 2;
        }
        if (c > ' ' && c != 0x7f && c != '/' && c != '\\' && !(c == '.' && o->len == 0))
            out_char(o, (char)c);
        else if (c == ' ' && o->len)
            out_char(o, '-');
    }
    return utf8_is(out_done(o)) ? out_done(o) : ERN_SLICE("");
}

/* "name.txt" as "name-more.txt". */
static void
write_with(struct out *o, struct ern_slice name, struct ern_slice more)
{
    size_t dot = name.len;

    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    dot = dot > 1 ? dot - 1 : name.len;
    out_slice(o, slice_first(name, dot));
    if (more.len) {
        out_char(o, '-');
        out_slice(o, more);
    }
    out_slice(o, slice_skip(name, dot));
}

/* Puts the staged file under a name in the collection that is free. */
static int
place_member(struct dav *dav, struct ern_slice name, struct ern_slice *ret_path)
{
    const struct place *t = &dav->target;
    int error = -EEXIST;

    for (unsigned n = 1; error == -EEXIST && n <= NAMES_TRIED; n++) {
        struct out o = arena_out(dav->request->arena);
        char digits[16];
        struct out number = out_init(digits, sizeof digits);

        if (n > 1)
            out_u64(&number, n);
        out_slice(&o, place_prefix(t->path));
        out_char(&o, '/');
        write_with(&o, name, out_done(&number));
        out_char(&o, '\0');
        *ret_path = arena_keep(dav->request->arena, &o);
        if (!slice_is_there(*ret_path))
            return -ENOMEM;
        ret_path->len--;
        error = stage_place(&dav->share->stage, dav->staged, ret_path->ptr + 1,
                            (struct stage_put){.fresh = true}, dav->old);
    }
    return error;
}

struct ern_slice
dav_member(struct arena *arena, const struct ern_request *http, struct ern_slice folder)
{
    char text[NAME_BYTES], random[STAGE_NAME_BYTES];
    struct out name = out_init(text, sizeof text), o = arena_out(arena);
    struct ern_slice proposed = proposed_name(http, &name);

    stage_name(random);
    out_slice(&o, place_prefix(folder));
    out_char(&o, '/');
    if (proposed.len)
        write_with(&o, proposed, slice_text(random));
    else
        out_text(&o, random);
    return arena_keep(arena, &o);
}

int
dav_post(struct dav *dav)
{
    const struct ghost none = {.kind = GHOST_NONE};
    char text[NAME_BYTES];
    struct out o = out_init(text, sizeof text);
    struct ern_slice name = proposed_name(dav->decision->request, &o), path;
    int error;

    if (name.len == 0)
        name = slice_text(dav->staged); /* random already */
    error = place_member(dav, name, &path);
    if (error)
        return error;
    dav->staged[0] = '\0';
    error = ghost_put(dav->session, (struct store_place){dav->share->id, path}, &none);
    if (!error)
        error = tell_stored(dav, 0);
    o = arena_out(dav->request->arena);
    share_write_path(&o, dav->share, path);
    dav->decision->evidence.location = arena_keep(dav->request->arena, &o);
    dav->outcome = DAV_CREATED;
    return error;
}
