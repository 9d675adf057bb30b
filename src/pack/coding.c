/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/coding.h"

#include <brotli/decode.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    GZIP = 16, /* what inflateInit2() wants added for a gzip header and trailer */
    WINDOW_BITS = 15,
    /* Memory that a stranger's stream may ask for: RFC 8878 3.1.1.1.2 recommends 8 MiB for decoders
       that are asked over a network, and RFC 9659 makes it the limit of Content-Encoding. */
    ZSTD_WINDOW_BITS = 23,
};

static const struct ern_slice names[CODINGS] = {
    [CODING_BR] = {"br", 2},
    [CODING_ZSTD] = {"zstd", 4},
    [CODING_GZIP] = {"gzip", 4},
};

struct ern_slice
coding_name(enum coding coding)
{
    return names[coding];
}

enum coding
coding_find(struct ern_slice name)
{
    unsigned i = 0;

    if (slice_eq_nocase(name, ERN_SLICE("x-gzip")))
        return CODING_GZIP;
    while (i < CODINGS && !slice_eq_nocase(name, names[i]))
        i++;
    return (enum coding)i;
}

struct decoder {
    enum coding coding;
    union {
        z_stream z;
        BrotliDecoderState *br;
        ZSTD_DCtx *zstd;
    };
};

static const unsigned char *
bytes_of(struct ern_slice s)
{
    return (const unsigned char *)s.ptr;
}

struct decoder *
decoder_new(enum coding coding)
{
    struct decoder *d = calloc(1, sizeof *d);
    bool right = false;

    if (!d)
        return NULL;
    d->coding = coding;
    if (coding == CODING_GZIP) {
        right = inflateInit2(&d->z, WINDOW_BITS + GZIP) == Z_OK;
    } else if (coding == CODING_BR) {
        d->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        right = d->br != NULL;
    } else if (coding == CODING_ZSTD) {
        d->zstd = ZSTD_createDCtx();
        right = d->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax,
                                                                ZSTD_WINDOW_BITS));
    }
    if (right)
        return d;
    decoder_free(d);
    return NULL;
}

void
decoder_free(struct decoder *d)
{
    if (!d)
        return;
    if (d->coding == CODING_GZIP)
        (void)inflateEnd(&d->z);
    else if (d->coding == CODING_BR && d->br)
        BrotliDecoderDestroyInstance(d->br);
    else if (d->coding == CODING_ZSTD)
        (void)ZSTD_freeDCtx(d->zstd);
    free(d);
}

static int
back_gzip(z_stream *z, struct ern_slice *in, struct out *o, bool *ret_end)
{
    int result;

    z->next_in = (unsigned char *)(uintptr_t)in->ptr;
    z->avail_in = in->len < UINT32_MAX ? (unsigned)in->len : UINT32_MAX;
    z->next_out = (unsigned char *)o->ptr + o->len;
    z->avail_out = o->cap - o->len < UINT32_MAX ? (unsigned)(o->cap - o->len) : UINT32_MAX;
    result = inflate(z, Z_NO_FLUSH);
    *in = slice_skip(*in, (size_t)((const char *)z->next_in - in->ptr));
    o->len = (size_t)((char *)z->next_out - o->ptr);
    *ret_end = result == Z_STREAM_END;
    if (result == Z_MEM_ERROR)
        return -ENOMEM;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? 0 : -EINVAL;
}

static int
back_br(BrotliDecoderState *br, struct ern_slice *in, struct out *o, bool *ret_end)
{
    size_t left = in->len, room = o->cap - o->len;
    const uint8_t *from = bytes_of(*in);
    uint8_t *to = (uint8_t *)o->ptr + o->len;
    BrotliDecoderResult result = BrotliDecoderDecompressStream(br, &left, &from, &room, &to, NULL);

    *in = slice_skip(*in, in->len - left);
    o->len = o->cap - room;
    *ret_end = result == BROTLI_DECODER_RESULT_SUCCESS;
    return result == BROTLI_DECODER_RESULT_ERROR ? -EINVAL : 0;
}

static int
back_zstd(ZSTD_DCtx *zstd, struct ern_slice *in, struct out *o, bool *ret_end)
{
    ZSTD_inBuffer from = {in->ptr, in->len, 0};
    ZSTD_outBuffer to = {o->ptr, o->cap, o->len};
    size_t left = ZSTD_decompressStream(zstd, &to, &from);

    *in = slice_skip(*in, from.pos);
    o->len = to.pos;
    *ret_end = left == 0;
    return ZSTD_isError(left) ? -EINVAL : 0;
}

int
decoder_run(struct decoder *d, struct ern_slice *in, struct out *o, bool *ret_end)
{
    *ret_end = false;
    switch (d->coding) {
    case CODING_GZIP:
        return back_gzip(&d->z, in, o, ret_end);
    case CODING_BR:
        return back_br(d->br, in, o, ret_end);
    case CODING_ZSTD:
        return back_zstd(d->zstd, in, o, ret_end);
    case CODINGS:
        break;
    }
    return -EINVAL;
}
