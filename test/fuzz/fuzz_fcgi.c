/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_fcgi.c - records of FastCGI as an application sends them. However the bytes are split, the
 * streams and the end are the same; no more comes out than went in; after an end nothing does. What
 * we write ourselves is read back as it was.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "wire/fcgi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 8192, HEADER = 8 };

struct reading {
    char bytes[2][INPUT_MAX]; /* of its answer, and for the log */
    size_t n[2];
    struct fcgi_reader reader;
    enum fcgi_got got;
};

static void
feed(struct reading *r, struct ern_slice in)
{
    struct ern_slice piece;

    while ((r->got = fcgi_feed(&r->reader, &in, &piece)) == FCGI_OUT || r->got == FCGI_ERR) {
        unsigned i = r->got == FCGI_ERR;

        assert(piece.len > 0 && r->n[i] + piece.len <= INPUT_MAX);
        memcpy(r->bytes[i] + r->n[i], piece.ptr, piece.len);
        r->n[i] += piece.len;
    }
    assert(piece.len == 0);
    assert(r->got == FCGI_MORE ? in.len == 0 : r->got == r->reader.end);
}

static void
compare(const struct reading *a, const struct reading *b)
{
    assert(a->got == b->got);
    for (unsigned i = 0; i < 2; i++) {
        assert(a->n[i] == b->n[i]);
        assert(memcmp(a->bytes[i], b->bytes[i], a->n[i]) == 0);
    }
}

/* A piece that is written comes back, as records of one stream. */
static void
check_written(struct ern_slice piece)
{
    static char memory[INPUT_MAX + 64];
    struct out o = out_init(memory, sizeof memory);
    size_t at = 0, n = 0;

    fcgi_write(&o, FCGI_STDIN, piece);
    assert(!o.full);
    while (at < o.len) {
        const unsigned char *h = (const unsigned char *)memory + at;
        size_t len = (size_t)h[4] << 8 | h[5];

        assert(h[0] == 1 && h[1] == FCGI_STDIN && h[3] == 1 && len > 0);
        assert(memcmp(memory + at + HEADER, piece.ptr + n, len) == 0);
        n += len;
        at += HEADER + len + h[6];
    }
    assert(n == piece.len && at == o.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, split, slow;
    struct ern_slice bytes = slice_from((const char *)data, size);
    size_t at = size ? data[size - 1] * size / 256 : 0;

    if (size > INPUT_MAX)
        return 0;
    memset(&whole, 0, sizeof whole);
    memset(&split, 0, sizeof split);
    memset(&slow, 0, sizeof slow);
    feed(&whole, bytes);
    feed(&split, slice_first(bytes, at));
    feed(&split, slice_skip(bytes, at));
    compare(&whole, &split);
    for (size_t i = 0; i < size; i++)
        feed(&slow, slice_skip(slice_first(bytes, i + 1), i));
    if (size)
        compare(&whole, &slow);
    assert(whole.n[0] + whole.n[1] <= size);
    check_written(bytes);
    return 0;
}
