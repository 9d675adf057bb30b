/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_chunk.c - chunked content. However the bytes are split, the outcome and the content are the
 * same; and content that was read to its end is what a naive decoder makes of it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/out.h"
#include "wire/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16384 };

struct reading {
    struct h1_content content;
    enum parse parse;
    size_t at;
    struct out out;
};

static void
begin(struct reading *r, const struct limits *limits, char *memory)
{
    static const struct ern_request request = {.chunked = true, .content_length = -1};

    h1_content_init(&r->content, limits, &request);
    r->parse = PARSE_MORE;
    r->at = 0;
    r->out = out_init(memory, INPUT_MAX);
}

/* Feeds what is new of the bytes, in memory of just its size. */
static void
feed(struct reading *r, struct ern_slice bytes)
{
    struct ern_slice fresh = slice_skip(bytes, r->at < bytes.len ? r->at : bytes.len);
    char *copy = malloc(fresh.len ? fresh.len : 1);
    struct ern_slice in, piece;

    assert(copy);
    if (fresh.len)
        memcpy(copy, fresh.ptr, fresh.len);
    in = slice_from(copy, fresh.len);
    while (r->parse == PARSE_MORE && in.len) {
        r->parse = h1_content_feed(&r->content, &in, &piece);
        out_slice(&r->out, piece);
    }
    r->at += fresh.len - in.len;
    free(copy);
}

static void
compare(const struct reading *a, const struct reading *b)
{
    assert(a->parse == b->parse);
    assert(a->at == b->at);
    assert(a->content.finding == b->content.finding);
    assert(!a->out.full && !b->out.full);
    assert(slice_eq(out_done(&a->out), out_done(&b->out)));
}

/* RFC 9112 7.1.3, of chunks that are known to be well-formed. */
static void
decode(struct ern_slice in, struct out *o)
{
    for (;;) {
        size_t size = 0;

        for (; hex_value(in.ptr[0]) >= 0; in = slice_skip(in, 1))
            size = size * 16 + (size_t)hex_value(in.ptr[0]);
        if (size == 0)
            return;
        in = slice_skip(in, slice_find(in, '\n') + 1);
        out_slice(o, slice_first(in, size));
        in = slice_skip(in, size + 2);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[4][INPUT_MAX];
    struct ern_slice bytes = slice_from((const char *)data, size);
    struct limits limits = limits_standard();
    struct reading whole, split, slow;
    struct out naive = out_init(memory[3], INPUT_MAX);
    uint32_t random = 2166136261;

    if (size > INPUT_MAX)
        return 0;
    for (size_t i = 0; i < size; i++)
        random = (random ^ data[i]) * 16777619;
    if (random & 0x10000) {
        limits.chunk_digits_max = 3;
        limits.chunk_extension_max = 8;
        limits.chunk_extensions_max = 20;
        limits.trailers_bytes_max = 40;
        limits.trailers_max = 3;
    }
    begin(&whole, &limits, memory[0]);
    feed(&whole, bytes);
    begin(&split, &limits, memory[1]);
    feed(&split, slice_first(bytes, (random >> 8) % (size + 1)));
    feed(&split, bytes);
    compare(&whole, &split);
    begin(&slow, &limits, memory[2]);
    for (size_t n = 1; n <= size; n++)
        feed(&slow, slice_first(bytes, n));
    compare(&whole, &slow);
    if (whole.parse == PARSE_DONE) {
        decode(bytes, &naive);
        assert(slice_eq(out_done(&naive), out_done(&whole.out)));
    }
    return 0;
}
