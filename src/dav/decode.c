/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c - content that comes coded (Content-Encoding, RFC 9110 8.4) is kept decoded: a file is
 * what its name says. What a little content unfolds to is bounded, whatever it promises.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "dav/dav.h"
#include "dav/quota.h"
#include "res/step.h"

enum { IN_BYTES = 1 << 16, OUT_BYTES = 1 << 17 };

struct unfold {
    struct dav *dav;
    struct decoder *decoder;
    int fd;        /* of the new file */
    uint64_t took; /* coded bytes, and */
    uint64_t made; /* what they became */
    bool ended;
    char in[IN_BYTES], out[OUT_BYTES];
};

enum coding
dav_coding(const struct ern_request *http)
{
    return coding_find(ern_request_field(http, ERN_FIELD_content_encoding));
}

bool
dav_is_coded(const struct dav *dav)
{
    return dav->method && dav->method->takes_file && !dav->transfer &&
           dav_coding(dav->decision->request) < CODINGS;
}

/* Is what was made more than so little content may become? */
static bool
is_bomb(const struct unfold *u)
{
    const struct limits *limits = u->dav->request->limits;

    return u->made > (uint64_t)limits->upload_bytes_max ||
           (u->made > (uint64_t)limits->decoded_bytes_free &&
            u->made / (uint64_t)limits->decoded_ratio_max > u->took);
}

static int
take_some(struct unfold *u, struct ern_slice coded)
{
    int error = 0;
    bool filled = false;

    while (!error && (coded.len || filled) && !u->ended) {
        struct out o = out_init(u->out, OUT_BYTES);
        size_t before = coded.len;

        error = decoder_run(u->decoder, &coded, &o, &u->ended);
        u->took += before - coded.len;
        u->made += o.len;
        filled = o.len == OUT_BYTES;
        if (!error && is_bomb(u))
            error = -EFBIG;
        if (!error && o.len)
            error = stage_write(u->fd, out_done(&o));
    }
    return !error && coded.len ? -EINVAL : error; /* something stands behind its end */
}

static int
take_all(struct unfold *u)
{
    const struct res_sink *sink = &u->dav->request->sink;
    int error = 0;

    if (sink->fd < 0)
        error = take_some(u, slice_from(sink->bytes, sink->len));
    for (uint64_t at = 0; sink->fd >= 0 && !error && at < sink->total;) {
        ssize_t got = file_read(sink->fd, u->in, IN_BYTES, at, false);

        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        error = take_some(u, slice_from(u->in, (size_t)got));
        at += (uint64_t)got;
    }
    return !error && !u->ended ? -EINVAL : error;
}

/* The new file takes the place of the coded one, if it is not more than there is room for. */
static int
put_in_place(struct unfold *u, char name[STAGE_NAME_BYTES])
{
    struct dav *dav = u->dav;
    struct res_sink *sink = &dav->request->sink;
    bool fits = true;
    int error = dav->share->quota_bytes < 0 ? 0 : quota_fits(dav->share, (int64_t)u->made, &fits);

    if (error || !fits)
        return error ? error : -EDQUOT;
    if (sink->fd >= 0) {
        (void)close(sink->fd);
        error = stage_remove(&dav->share->stage, dav->staged);
    }
    sink->fd = u->fd;
    sink->len = 0;
    memcpy(dav->staged, name, STAGE_NAME_BYTES);
    return error == -ENOENT ? 0 : error;
}

static int
unfold(struct dav *dav)
{
    struct unfold *u = malloc(sizeof *u);
    char name[STAGE_NAME_BYTES];
    int error = -ENOMEM;

    if (!u)
        return error;
    u->dav = dav;
    u->took = u->made = 0;
    u->ended = false;
    u->decoder = decoder_new(dav_coding(dav->decision->request));
    u->fd = u->decoder ? stage_create(&dav->share->stage, name) : -1;
    if (u->decoder && u->fd < 0)
        error = u->fd;
    else if (u->decoder) {
        error = take_all(u);
        if (!error)
            error = put_in_place(u, name);
        if (error && dav->request->sink.fd != u->fd) {
            (void)close(u->fd);
            (void)!stage_remove(&dav->share->stage, name);
        }
    }
    decoder_free(u->decoder);
    free(u);
    return error;
}

static void
unfold_run(struct res_request *request)
{
    struct dav *dav = request->state;
    int error = unfold(dav);

    dav->undecodable = error == -EINVAL;
    dav->unbounded = error == -EFBIG;
    if (!error || dav->undecodable || dav->unbounded)
        return;
    request->sink.state = SINK_FAILED;
    request->sink.error = error;
}

enum ern_answer
dav_ask_decoded(struct dav *dav)
{
    if (dav->request->sink.state != SINK_FULL)
        return ERN_YES; /* that it failed is another question */
    if (!dav->decoded) {
        dav->decoded = true;
        return res_step(dav->request, unfold_run);
    }
    return dav->unbounded ? ERN_NO : ERN_YES;
}
