/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/gdiff.h"

#include <errno.h>

#include "pack/match.h"

enum {
    END = 0,
    DATA_MAX = 246, /* data so short has its length for a command; else follows the length: */
    DATA_16 = 247,
    DATA_32 = 248,
    /* copies, by the bits of the position and of the length */
    COPY_16_8 = 249,
    COPY_16_16 = 250,
    COPY_16_32 = 251,
    COPY_32_8 = 252,
    COPY_32_16 = 253,
    COPY_32_32 = 254,
};

struct writer {
    struct ern_slice target;
    struct out *out;
};

static void
put(struct out *o, size_t n, unsigned bytes)
{
    while (bytes-- > 0)
        out_char(o, (char)(n >> (8 * bytes)));
}

static void
put_data(struct out *o, struct ern_slice data)
{
    if (data.len <= DATA_MAX) {
        put(o, data.len, 1);
    } else {
        bool is_long = data.len > UINT16_MAX;

        put(o, is_long ? DATA_32 : DATA_16, 1);
        put(o, data.len, is_long ? 4 : 2);
    }
    out_slice(o, data);
}

static void
put_copy(struct out *o, size_t at, size_t n)
{
    static const unsigned commands[2][3] = {{COPY_16_8, COPY_16_16, COPY_16_32},
                                            {COPY_32_8, COPY_32_16, COPY_32_32}};
    unsigned far = at > UINT16_MAX, size = n > UINT16_MAX ? 2 : n > UINT8_MAX ? 1 : 0;

    put(o, commands[far][size], 1);
    put(o, at, far ? 4 : 2);
    put(o, n, 1U << size);
}

static bool
take(void *self, struct match_piece piece)
{
    struct writer *w = self;

    if (piece.copies)
        put_copy(w->out, piece.at, piece.n);
    else
        put_data(w->out, slice_from(w->target.ptr + piece.at, piece.n));
    return !w->out->full;
}

int
gdiff_write(struct ern_slice base, struct ern_slice target, struct out *o)
{
    struct writer w = {target, o};
    int error;

    out_literal(o, "\xd1\xff\xd1\xff\x04");
    error = match_walk(base, target, false, take, &w);
    if (error)
        return error == -ECANCELED ? -ENOSPC : error;
    put(o, END, 1);
    return o->full ? -ENOSPC : 0;
}
