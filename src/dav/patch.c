/* SPDX-License-Identifier: Apache-2.0 */
/* patch.c - PATCH (RFC 5789) of JSON documents. */
#include "dav/patch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "dav/dav.h"
#include "dav/quota.h"

static bool
is_merge(const struct dav *dav)
{
    return slice_starts(ern_request_field(dav->decision->request, ERN_FIELD_content_type),
                        ERN_SLICE("application/merge-patch+json"));
}

static json_t *
read_json(struct ern_slice text)
{
    return json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

int
dav_patch_check(struct dav *dav)
{
    const struct res_sink *sink = &dav->request->sink;
    json_t *patch = read_json(slice_from(sink->bytes ? sink->bytes : "", sink->len));
    struct out why = arena_out(dav->request->arena);

    dav->wellformed = patch != NULL;
    dav->valid = !patch || is_merge(dav) || json_patch_is_valid(patch, &why);
    if (why.len)
        dav->decision->evidence.detail = arena_keep(dav->request->arena, &why);
    json_decref(patch);
    return 0;
}

/* The document that is there. Returns 0 and it, or NULL if it is not JSON; or a negative errno. */
static int
read_document(struct dav *dav, json_t **ret)
{
    struct file_info info;
    int64_t max = dav->share->limits->patch_bytes_max;
    int fd = file_open(dav->share->files.root, dav->target.file, false, &info);
    char *text;
    ssize_t n;

    *ret = NULL;
    if (fd < 0)
        return fd;
    text = info.stamp.bytes <= (uint64_t)max ? malloc(info.stamp.bytes + 1) : NULL;
    n = text ? file_read(fd, text, info.stamp.bytes, 0, false) : 0;
    if (n > 0)
        *ret = read_json(slice_from(text, (size_t)n));
    free(text);
    (void)close(fd);
    return n < 0 ? (int)n : 0;
}

/* Writes the new document to a staged file; without indentation, which would make a deep one many
 * times larger. */
static int
stage_document(struct dav *dav, const json_t *document)
{
    char *text = json_dumps(document, JSON_ENCODE_ANY | JSON_COMPACT);
    int fd = text ? stage_create(&dav->share->stage, dav->staged) : -ENOMEM, error;

    if (fd < 0) {
        free(text);
        return fd;
    }
    error = stage_write(fd, slice_text(text));
    if (!error)
        error = stage_write(fd, ERN_SLICE("\n"));
    if (!error)
        error = stage_sync(&dav->share->stage, fd);
    (void)close(fd);
    free(text);
    return error;
}

int
dav_patch_prepare(struct dav *dav)
{
    const struct res_sink *sink = &dav->request->sink;
    struct out why = arena_out(dav->request->arena);
    json_t *patch, *document;
    int error = read_document(dav, &document);

    if (error)
        return error;
    patch = document ? read_json(slice_from(sink->bytes ? sink->bytes : "", sink->len)) : NULL;
    if (!document || !patch) {
        out_literal(&why,
                    "What is there is not a JSON document, or is larger than is patched here.");
        dav->outcome = DAV_CONFLICTS;
    } else if (is_merge(dav)) {
        document = json_merge(document, patch);
        error = document ? 0 : -ENOMEM;
    } else if (!json_patch_apply(patch, (size_t)dav->share->limits->patch_bytes_max, &document,
                                 &why)) {
        dav->outcome = DAV_CONFLICTS; /* RFC 5789 2.2: the state it was made for is another */
    }
    if (dav->outcome)
        dav->decision->evidence.detail = arena_keep(dav->request->arena, &why);
    else if (!error)
        error = stage_document(dav, document);
    json_decref(document);
    json_decref(patch);
    return error;
}

/* The new document is the content of the answer, if the client prefers that (RFC 7240 4.2). */
static int
represent(struct dav *dav, const struct file_info *info)
{
    struct res_sink *sink = &dav->request->sink;
    struct file_info again;
    int fd = file_open(dav->share->files.root, dav->target.file, false, &again);

    if (fd < 0)
        return fd;
    if (sink->fd >= 0)
        (void)close(sink->fd);
    sink->fd = fd; /* the server closes it after the answer */
    dav_field(dav, "Preference-Applied", ERN_SLICE("return=representation"));
    dav->request->representation = (struct res_representation){
        .description = ERN_SLICE("Content-Type: application/json\r\n"),
        .type = ERN_SLICE("application/json"),
        .length = info->stamp.bytes,
        .fd = fd,
    };
    dav->request->has_representation = true;
    dav->outcome = 0;
    return 0;
}

int
dav_patch(struct dav *dav)
{
    const struct place *t = &dav->target;
    struct file_info info;
    int error = stage_place(&dav->share->stage, dav->staged, t->file,
                            (struct stage_put){.keep_mode = true}, dav->old);

    if (error)
        return error;
    dav->staged[0] = '\0';
    error = file_look(dav->share->files.root, t->file, &info);
    if (error)
        return error;
    quota_add(dav->share, (int64_t)info.stamp.bytes - (int64_t)t->info.stamp.bytes);
    dav_field(dav, "ETag", place_etag(dav->request->arena, &info));
    dav->outcome = DAV_EMPTY;
    return dav->fields.wants_representation ? represent(dav, &info) : 0;
}
