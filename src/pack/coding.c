/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/coding.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    GZIP = 16, /* what deflateInit2() wants added for a gzip header and trailer */
    GZIP_MEMORY = 8,
    WINDOW_BITS = 15,
    /* Memory that a stranger's stream may ask for: RFC 8878 3.1.1.1.2 recommends 8 MiB for decoders
       that are asked over a network, and RFC 9659 makes it the limit of Content-Encoding. */
    ZSTD_WINDOW_BITS = 23,
    BR_WINDOW_BITS = 22,
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

struct encoder {
    enum coding coding;
    union {
        z_stream z;
        BrotliEncoderState *br;
        ZSTD_CCtx *zstd;
    };
};

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

/* ---- there ------------------------------------------------------------------------------------*/

/* Opens the library's part. Returns false without memory. */
static bool
open_encoder(struct encoder *e, unsigned level)
{
    switch (e->coding) {
    case CODING_GZIP:
        return deflateInit2(&e->z, (int)level, Z_DEFLATED, WINDOW_BITS + GZIP, GZIP_MEMORY,
                            Z_DEFAULT_STRATEGY) == Z_OK;
    case CODING_BR:
        e->br = BrotliEncoderCreateInstance(NULL, NULL, NULL);
        return e->br && BrotliEncoderSetParameter(e->br, BROTLI_PARAM_QUALITY, level) &&
               BrotliEncoderSetParameter(e->br, BROTLI_PARAM_LGWIN, BR_WINDOW_BITS);
    case CODING_ZSTD:
        e->zstd = ZSTD_createCCtx();
        return e->zstd &&
               !ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, (int)level));
    case CODINGS:
        break;
    }
    return false;
}

struct encoder *
encoder_new(enum coding coding, unsigned level)
{
    struct encoder *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->coding = coding;
    if (open_encoder(e, level))
        return e;
    encoder_free(e);
    return NULL;
}

void
encoder_expect(struct encoder *e, uint64_t bytes)
{
    if (e->coding == CODING_BR)
        (void)BrotliEncoderSetParameter(e->br, BROTLI_PARAM_SIZE_HINT,
                                        bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX);
    else if (e->coding == CODING_ZSTD)
        (void)ZSTD_CCtx_setPledgedSrcSize(e->zstd, bytes);
}

void
encoder_free(struct encoder *e)
{
    if (!e)
        return;
    if (e->coding == CODING_GZIP)
        (void)deflateEnd(&e->z);
    else if (e->coding == CODING_BR && e->br)
        BrotliEncoderDestroyInstance(e->br);
    else if (e->coding == CODING_ZSTD)
        (void)ZSTD_freeCCtx(e->zstd);
    free(e);
}

static int
run_gzip(z_stream *z, struct ern_slice *in, bool last, struct out *o, bool *ret_end)
{
    int result;

    z->next_in = (unsigned char *)(uintptr_t)in->ptr;
    z->avail_in = in->len < UINT32_MAX ? (unsigned)in->len : UINT32_MAX;
    z->next_out = (unsigned char *)o->ptr + o->len;
    z->avail_out = o->cap - o->len < UINT32_MAX ? (unsigned)(o->cap - o->len) : UINT32_MAX;
    result = deflate(z, last && z->avail_in == in->len ? Z_FINISH : Z_NO_FLUSH);
    *in = slice_skip(*in, (size_t)((const char *)z->next_in - in->ptr));
    o->len = (size_t)((char *)z->next_out - o->ptr);
    *ret_end = result == Z_STREAM_END;
    return result == Z_STREAM_ERROR ? -ENOMEM : 0;
}

static int
run_br(BrotliEncoderState *br, struct ern_slice *in, bool last, struct out *o, bool *ret_end)
{
    size_t left = in->len, room = o->cap - o->len;
    const uint8_t *from = bytes_of(*in);
    uint8_t *to = (uint8_t *)o->ptr + o->len;

    if (!BrotliEncoderCompressStream(br, last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS,
                                     &left, &from, &room, &to, NULL))
        return -ENOMEM;
    *in = slice_skip(*in, in->len - left);
    o->len = o->cap - room;
    *ret_end = BrotliEncoderIsFinished(br);
    return 0;
}

static int
run_zstd(ZSTD_CCtx *zstd, struct ern_slice *in, bool last, struct out *o, bool *ret_end)
{
    ZSTD_inBuffer from = {in->ptr, in->len, 0};
    ZSTD_outBuffer to = {o->ptr, o->cap, o->len};
    size_t left = ZSTD_compressStream2(zstd, &to, &from, last ? ZSTD_e_end : ZSTD_e_continue);

    if (ZSTD_isError(left))
        return -ENOMEM;
    *in = slice_skip(*in, from.pos);
    o->len = to.pos;
    *ret_end = last && left == 0;
    return 0;
}

int
encoder_run(struct encoder *e, struct ern_slice *in, bool last, struct out *o, bool *ret_end)
{
    *ret_end = false;
    switch (e->coding) {
    case CODING_GZIP:
        return run_gzip(&e->z, in, last, o, ret_end);
    case CODING_BR:
        return run_br(e->br, in, last, o, ret_end);
    case CODING_ZSTD:
        return run_zstd(e->zstd, in, last, o, ret_end);
    case CODINGS:
        break;
    }
    return -EINVAL;
}

int
coding_write(enum coding coding, unsigned level, struct ern_slice content, struct out *o)
{
    struct encoder *e = encoder_new(coding, level);
    bool ended = false;
    int error = e ? 0 : -ENOMEM;

    while (!error && !ended) {
        if (o->len == o->cap)
            error = -ENOSPC;
        else
            error = encoder_run(e, &content, true, o, &ended);
    }
    encoder_free(e);
    return error;
}

/* ---- and back ---------------------------------------------------------------------------------*/

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
