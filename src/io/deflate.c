/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate.c - zlib, flushed after each message. A flush ends with an empty block without
 * compression, the last four bytes of which, 00 00 ff ff, are always the same: they are left out
 * (RFC 7692 7.2.1), and put back before a message is inflated (7.2.2).
 */
#include "io/deflate.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

static const char tail[] = {0, 0, (char)0xff, (char)0xff};

enum { FLUSH_BYTES = 16 }; /* more than a flush writes */

struct deflater {
    z_stream z;
    bool keeps;
};

struct inflater {
    z_stream z;
    bool keeps;
};

static void
give(z_stream *z, struct ern_slice in)
{
    assert(in.len <= UINT32_MAX);
    z->next_in = (const Bytef *)in.ptr;
    z->avail_in = (uInt)in.len;
}

/* Lets z write into n bytes at p. */
static void
let(z_stream *z, char *p, size_t n)
{
    z->next_out = (Bytef *)p;
    z->avail_out = n < UINT32_MAX ? (uInt)n : UINT32_MAX;
}

struct deflater *
deflater_new(unsigned window_bits, bool keeps)
{
    struct deflater *d = calloc(1, sizeof *d);

    assert(window_bits >= DEFLATE_WINDOW_MIN && window_bits <= DEFLATE_WINDOW_MAX);
    if (!d)
        return NULL;
    d->keeps = keeps;
    /* A memory level of 7 less gives a hash table as large as the window, as by default. */
    if (deflateInit2(&d->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -(int)window_bits,
                     (int)window_bits - 7, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(d);
        return NULL;
    }
    return d;
}

struct inflater *
inflater_new(unsigned window_bits, bool keeps)
{
    struct inflater *f = calloc(1, sizeof *f);

    assert(window_bits >= INFLATE_WINDOW_MIN && window_bits <= DEFLATE_WINDOW_MAX);
    if (!f)
        return NULL;
    f->keeps = keeps;
    if (inflateInit2(&f->z, -(int)window_bits) != Z_OK) {
        free(f);
        return NULL;
    }
    return f;
}

void
deflater_free(struct deflater *d)
{
    if (d)
        (void)deflateEnd(&d->z);
    free(d);
}

void
inflater_free(struct inflater *f)
{
    if (f)
        (void)inflateEnd(&f->z);
    free(f);
}

size_t
deflater_bound(struct deflater *d, size_t n)
{
    return deflateBound(&d->z, n) + FLUSH_BYTES;
}

bool
deflater_message(struct deflater *d, struct ern_slice message, struct out *o)
{
    z_stream *z = &d->z;
    size_t room = o->full ? 0 : o->cap - o->len;

    if (message.len == 0) { /* zlib flushes nothing when nothing came (RFC 7692 7.2.3.6) */
        out_char(o, 0);
        return !o->full;
    }
    give(z, message);
    let(z, o->ptr + o->len, room);
    /* With room left over, all is written. */
    if (room == 0 || deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_out == 0) {
        (void)deflateReset(z);
        o->full = true;
        return false;
    }
    o->len = (size_t)((char *)z->next_out - o->ptr) - sizeof tail;
    if (!d->keeps)
        (void)deflateReset(z);
    return true;
}

/* Inflates a part of a message. */
static enum inflated
inflate_part(z_stream *z, struct ern_slice in, struct out *o)
{
    give(z, in);
    for (;;) {
        size_t room = o->cap - o->len;
        char spill; /* is there more when the room is used up? */
        int code;

        let(z, room ? o->ptr + o->len : &spill, room ? room : 1);
        code = inflate(z, Z_SYNC_FLUSH);
        if (room)
            o->len = (size_t)((char *)z->next_out - o->ptr);
        else if (z->avail_out == 0)
            return INFLATE_TOO_BIG;
        /*
         * A block may say that it is the last, and others still follow (RFC 7692 7.2.1). Only this
         * reset keeps the window; to save and to set it would cost a copy for each such block,
         * which may be two bytes long.
         */
        if (code == Z_STREAM_END)
            code = inflateResetKeep(z);
        if (code == Z_MEM_ERROR)
            return INFLATE_BROKE;
        if (code != Z_OK && code != Z_BUF_ERROR)
            return INFLATE_WRONG;
        if (z->avail_in == 0 && z->avail_out > 0)
            return INFLATED;
    }
}

/* Did the message end with a whole block, at the end of a byte? */
static bool
is_whole(const z_stream *z)
{
    enum { BITS_LEFT = 63, BETWEEN_BLOCKS = 128 }; /* see inflate() in zlib.h */

    return (z->data_type & BETWEEN_BLOCKS) && (z->data_type & BITS_LEFT) == 0;
}

enum inflated
inflater_message(struct inflater *f, struct ern_slice compressed, struct out *o)
{
    enum inflated is = inflate_part(&f->z, compressed, o);

    if (is == INFLATED)
        is = inflate_part(&f->z, slice_from(tail, sizeof tail), o);
    if (is == INFLATE_TOO_BIG)
        o->full = true;
    if (is == INFLATED && !is_whole(&f->z))
        is = INFLATE_WRONG;
    if (!f->keeps)
        (void)inflateReset(&f->z);
    return is;
}
