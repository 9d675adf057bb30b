/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encoder.c - content is coded, and what the libraries need for that is used again: to ask the
 * system for it each time costs as much as coding a page does.
 *
 * zlib and zstd begin anew where they are. Brotli can not, but takes its memory from where we say:
 * from the blocks that the encoder before it gave back.
 */
#include <brotli/encode.h>
#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "pack/coding.h"

enum {
    GZIP = 16, /* what deflateInit2() wants added for a gzip header and trailer */
    GZIP_MEMORY = 8,
    GZIP_WINDOW_BITS = 15,
    GZIP_BYTES = (1 << (GZIP_WINDOW_BITS + 2)) + (1 << (GZIP_MEMORY + 9)), /* zconf.h says so */
    LEAST_WINDOW_BITS = 10,
    ZSTD_WINDOW_BITS = 21,
    BR_WINDOW_BITS = 22,
    BR_WINDOW_GAP = 16, /* so much less than a power of two (RFC 7932 9.1) */
    BR_ROOM_LESS = 2,   /* a block is used for what needs at least so large a part of it */
};

struct block { /* of memory, before what it holds; as long as any type is aligned */
    alignas(max_align_t) struct block *next;
    size_t bytes;
};

struct br {
    BrotliEncoderState *state; /* NULL while it waits */
    struct block *blocks;      /* that it gave back */
    size_t bytes_n, bytes_max; /* of them */
};

struct encoder {
    enum coding coding;
    struct encoders *home; /* where it waits; NULL: it does not */
    struct encoder *next;  /* that waits there */
    union {
        z_stream z;
        struct br br;
        ZSTD_CCtx *zstd;
    };
    char room[ENCODER_ROOM];
};

struct encoders {
    pthread_mutex_t lock;
    unsigned spare_max;
    size_t bytes_max;
    struct waiting {
        struct encoder *top;
        unsigned n, least; /* of n, since they were last trimmed: so many nobody needed */
    } waiting[CODINGS];
};

char *
encoder_room(struct encoder *e)
{
    return e->room;
}

/* ---- memory for brotli ------------------------------------------------------------------------*/

/* The smallest block that is large enough: from run to run the same sizes are asked for. */
static void *
take_block(void *self, size_t bytes)
{
    struct br *br = self;
    struct block **best = NULL, *b;

    for (struct block **at = &br->blocks; (b = *at); at = &b->next)
        if (b->bytes >= bytes && (!best || b->bytes < (*best)->bytes))
            best = at;
    if (best && (*best)->bytes / BR_ROOM_LESS <= bytes) {
        b = *best;
        *best = b->next;
        br->bytes_n -= b->bytes;
        return b + 1;
    }
    b = bytes <= SIZE_MAX - sizeof *b ? malloc(sizeof *b + bytes) : NULL;
    if (!b)
        return NULL;
    b->bytes = bytes;
    return b + 1;
}

static void
give_block(void *self, void *memory)
{
    struct br *br = self;
    struct block *b = memory;

    if (!b)
        return;
    b--;
    if (b->bytes > br->bytes_max - br->bytes_n) {
        free(b);
        return;
    }
    b->next = br->blocks;
    br->blocks = b;
    br->bytes_n += b->bytes;
}

static void
free_blocks(struct br *br)
{
    struct block *b;

    while ((b = br->blocks)) {
        br->blocks = b->next;
        free(b);
    }
    br->bytes_n = 0;
}

/* ---- encoders ---------------------------------------------------------------------------------*/

/* Opens the library's part. Returns false without memory. */
static bool
open_encoder(struct encoder *e)
{
    switch (e->coding) {
    case CODING_GZIP:
        return deflateInit2(&e->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS + GZIP,
                            GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    case CODING_BR:
        e->br.bytes_max = e->home ? e->home->bytes_max : 0;
        return true;
    case CODING_ZSTD:
        e->zstd = ZSTD_createCCtx();
        return e->zstd != NULL;
    case CODINGS:
        break;
    }
    return false;
}

/* Nothing of what it coded before is left. Returns false without memory. */
static bool
begin(struct encoder *e, unsigned level)
{
    switch (e->coding) {
    case CODING_GZIP:
        return deflateReset(&e->z) == Z_OK &&
               deflateParams(&e->z, (int)level, Z_DEFAULT_STRATEGY) == Z_OK;
    case CODING_BR:
        e->br.state = BrotliEncoderCreateInstance(take_block, give_block, &e->br);
        return e->br.state && BrotliEncoderSetParameter(e->br.state, BROTLI_PARAM_QUALITY, level) &&
               BrotliEncoderSetParameter(e->br.state, BROTLI_PARAM_LGWIN, BR_WINDOW_BITS);
    case CODING_ZSTD:
        return !ZSTD_isError(ZSTD_CCtx_reset(e->zstd, ZSTD_reset_session_and_parameters)) &&
               !ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, (int)level));
    case CODINGS:
        break;
    }
    return false;
}

/* What it needs only while it codes goes. Returns the bytes that it has now. */
static size_t
rest(struct encoder *e)
{
    switch (e->coding) {
    case CODING_GZIP:
        return GZIP_BYTES;
    case CODING_BR:
        if (e->br.state)
            BrotliEncoderDestroyInstance(e->br.state);
        e->br.state = NULL;
        return e->br.bytes_n;
    case CODING_ZSTD:
        return ZSTD_sizeof_CCtx(e->zstd);
    case CODINGS:
        break;
    }
    return 0;
}

static void
close_encoder(struct encoder *e)
{
    (void)rest(e);
    if (e->coding == CODING_GZIP)
        (void)deflateEnd(&e->z);
    else if (e->coding == CODING_BR)
        free_blocks(&e->br);
    else if (e->coding == CODING_ZSTD)
        (void)ZSTD_freeCCtx(e->zstd);
    free(e);
}

static struct encoder *
take_waiting(struct encoders *home, enum coding coding)
{
    struct waiting *w = &home->waiting[coding];
    struct encoder *e;

    pthread_mutex_lock(&home->lock);
    e = w->top;
    if (e) {
        w->top = e->next;
        w->n--;
        w->least = w->n < w->least ? w->n : w->least;
    }
    pthread_mutex_unlock(&home->lock);
    return e;
}

struct encoder *
encoder_new(struct encoders *home, enum coding coding, unsigned level)
{
    struct encoder *e = home ? take_waiting(home, coding) : NULL;

    if (!e) {
        e = malloc(sizeof *e);
        if (!e)
            return NULL;
        memset(e, 0, offsetof(struct encoder, room));
        e->coding = coding;
        e->home = home;
        if (!open_encoder(e)) {
            close_encoder(e);
            return NULL;
        }
    }
    if (begin(e, level))
        return e;
    close_encoder(e);
    return NULL;
}

void
encoder_free(struct encoder *e)
{
    struct waiting *w;
    bool stays;

    if (!e)
        return;
    stays = e->home && rest(e) <= e->home->bytes_max;
    if (stays) {
        w = &e->home->waiting[e->coding];
        pthread_mutex_lock(&e->home->lock);
        stays = w->n < e->home->spare_max;
        if (stays) {
            e->next = w->top;
            w->top = e;
            w->n++;
        }
        pthread_mutex_unlock(&e->home->lock);
    }
    if (!stays)
        close_encoder(e);
}

struct encoders *
encoders_new(int64_t spare_max, int64_t bytes_max)
{
    struct encoders *home = calloc(1, sizeof *home);

    if (!home)
        return NULL;
    pthread_mutex_init(&home->lock, NULL);
    home->spare_max = (unsigned)spare_max;
    home->bytes_max = (size_t)bytes_max;
    return home;
}

void
encoders_trim(struct encoders *home)
{
    for (unsigned c = 0; c < CODINGS; c++) {
        struct waiting *w = &home->waiting[c];
        unsigned idle;

        pthread_mutex_lock(&home->lock);
        idle = w->least;
        pthread_mutex_unlock(&home->lock);
        for (struct encoder *e; idle && (e = take_waiting(home, (enum coding)c)); idle--)
            close_encoder(e);
        pthread_mutex_lock(&home->lock);
        w->least = w->n;
        pthread_mutex_unlock(&home->lock);
    }
}

unsigned
encoders_waiting(struct encoders *home)
{
    unsigned n = 0;

    pthread_mutex_lock(&home->lock);
    for (unsigned c = 0; c < CODINGS; c++)
        n += home->waiting[c].n;
    pthread_mutex_unlock(&home->lock);
    return n;
}

void
encoders_free(struct encoders *home)
{
    if (!home)
        return;
    for (unsigned c = 0; c < CODINGS; c++)
        for (struct encoder *e; (e = take_waiting(home, (enum coding)c));)
            close_encoder(e);
    pthread_mutex_destroy(&home->lock);
    free(home);
}

/* Of the least window that reaches back over all of it: 2^bits, less a gap. */
static uint32_t
window_bits(uint64_t bytes, uint32_t most, uint64_t gap)
{
    uint32_t bits = LEAST_WINDOW_BITS;

    while (bits < most && (UINT64_C(1) << bits) - gap < bytes)
        bits++;
    return bits;
}

void
encoder_expect(struct encoder *e, uint64_t bytes)
{
    uint32_t hint = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;

    if (e->coding == CODING_BR) {
        (void)BrotliEncoderSetParameter(e->br.state, BROTLI_PARAM_SIZE_HINT, hint);
        (void)BrotliEncoderSetParameter(e->br.state, BROTLI_PARAM_LGWIN,
                                        window_bits(bytes, BR_WINDOW_BITS, BR_WINDOW_GAP));
    } else if (e->coding == CODING_ZSTD) {
        /* ZSTD_CCtx_setPledgedSrcSize() would choose other measures of the level, too: for so
           little they are slower, and it becomes no smaller. */
        (void)ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_windowLog,
                                     (int)window_bits(bytes, ZSTD_WINDOW_BITS, 0));
    }
}

/* ---- running ----------------------------------------------------------------------------------*/

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
    const uint8_t *from = (const uint8_t *)in->ptr;
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
    bool ends = last && in->len == 0; /* see encoder_expect(): content that ends in one step has a
                                         length that is known */
    size_t left = ZSTD_compressStream2(zstd, &to, &from, ends ? ZSTD_e_end : ZSTD_e_continue);

    if (ZSTD_isError(left))
        return -ENOMEM;
    *in = slice_skip(*in, from.pos);
    o->len = to.pos;
    *ret_end = ends && left == 0;
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
        return run_br(e->br.state, in, last, o, ret_end);
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
    struct encoder *e = encoder_new(NULL, coding, level);
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
