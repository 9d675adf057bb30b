/* SPDX-License-Identifier: Apache-2.0 */
#include "res/past.h"

#include <errno.h>
#include <stdlib.h>

#include "pack/digest.h"

int
past_read(const struct entry_variant *v, char **ret_bytes)
{
    size_t n = (size_t)v->stamp.bytes;
    char *bytes = malloc(n + 1);
    struct file_info info;
    ssize_t got;
    int error = 0;

    if (!bytes)
        return -ENOMEM;
    if (v->bytes) {
        memcpy(bytes, v->bytes, n);
    } else {
        got = file_read(v->fd, bytes, n, 0, false);
        error = got < 0 ? (int)got : file_look_open(v->fd, &info);
        if (!error && ((size_t)got < n || !file_stamp_same(&info.stamp, &v->stamp)))
            error = -ESTALE;
    }
    if (error) {
        free(bytes);
        return error;
    }
    *ret_bytes = bytes;
    return 0;
}

static struct store_place
place_of(const struct past *past, struct ern_slice path)
{
    return (struct store_place){past->share, path};
}

static bool
is_kept(const struct past *past, struct ern_slice path, struct ern_slice etag)
{
    struct store_session *session;
    int error = store_begin(past->store, STORE_READ, &session);

    if (error)
        return true; /* it cannot be kept now */
    error = instance_has(session, place_of(past, path), etag);
    (void)store_end(session, false);
    return error != -ENOENT;
}

void
past_keep(const struct past *past, const struct entry *e)
{
    const struct entry_variant *v = &e->variants[0];
    struct store_session *session;
    char digest[DIGEST_SHA256_BYTES], *bytes;

    if (e->kind != ENTRY_FILE || slice_is_there(v->coding) ||
        v->stamp.bytes > (uint64_t)past->delta_max || v->stamp.bytes == 0 ||
        is_kept(past, e->path, v->etag) || past_read(v, &bytes) != 0)
        return;
    digest_sha256(slice_from(bytes, (size_t)v->stamp.bytes), digest);
    if (store_begin(past->store, STORE_WRITE, &session) == 0) {
        const struct instance_row row = {
            .place = place_of(past, e->path),
            .etag = v->etag,
            .digest = slice_from(digest, sizeof digest),
            .bytes = slice_from(bytes, (size_t)v->stamp.bytes),
        };
        int error = instance_put(session, &row, past->keep, past->bytes_max);

        (void)store_end(session, error == 0);
    }
    free(bytes);
}

/* As past_find(), by one of the two ways in which the store finds it. */
static int
find_by(const struct past *past, struct ern_slice path, struct ern_slice name,
        int (*get)(struct store_session *, struct store_place, struct ern_slice,
                   struct ern_slice *),
        char **ret_bytes, size_t *ret_len)
{
    struct store_session *session;
    struct ern_slice bytes;
    int error = store_begin(past->store, STORE_READ, &session);

    if (error)
        return error;
    error = get(session, place_of(past, path), name, &bytes);
    if (!error) {
        *ret_bytes = malloc(bytes.len + 1);
        error = *ret_bytes ? 0 : -ENOMEM;
    }
    if (!error) {
        memcpy(*ret_bytes, bytes.ptr, bytes.len);
        *ret_len = bytes.len;
    }
    (void)store_end(session, false);
    return error;
}

int
past_find(const struct past *past, struct ern_slice path, struct ern_slice etag, char **ret_bytes,
          size_t *ret_len)
{
    return find_by(past, path, etag, instance_get, ret_bytes, ret_len);
}

int
past_find_content(const struct past *past, struct ern_slice path, struct ern_slice digest,
                  char **ret_bytes, size_t *ret_len)
{
    return find_by(past, path, digest, instance_find, ret_bytes, ret_len);
}
