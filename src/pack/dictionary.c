/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/dictionary.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    LEVEL = 9,
    WINDOW_BITS = 23, /* 8 MiB, which every client takes (RFC 9842 5) */
};

/* A frame that decoders of zstd pass over, with the digest in it. */
#define MAGIC "\x5e\x2a\x4d\x18\x20\x00\x00\x00"

static int
compress(ZSTD_CCtx *zstd, struct ern_slice dictionary, struct ern_slice content, struct out *o)
{
    size_t n;

    if (ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, WINDOW_BITS)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_enableLongDistanceMatching, 1)) ||
        ZSTD_isError(ZSTD_CCtx_refPrefix(zstd, dictionary.ptr, dictionary.len)))
        return -ENOMEM;
    n = ZSTD_compress2(zstd, o->ptr + o->len, o->cap - o->len, content.ptr, content.len);
    if (ZSTD_isError(n))
        return ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall ? -ENOSPC : -ENOMEM;
    o->len += n;
    return 0;
}

int
dictionary_write(struct ern_slice dictionary, const char digest[static DIGEST_SHA256_BYTES],
                 struct ern_slice content, struct out *o)
{
    ZSTD_CCtx *zstd;
    int error;

    out_literal(o, MAGIC);
    out_slice(o, slice_from(digest, DIGEST_SHA256_BYTES));
    if (o->full)
        return -ENOSPC;
    zstd = ZSTD_createCCtx();
    error = zstd ? compress(zstd, dictionary, content, o) : -ENOMEM;
    (void)ZSTD_freeCCtx(zstd);
    return error;
}
