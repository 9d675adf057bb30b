/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an HTTP/2 connection, as a server may send them, whole and in two pieces: what is
 * written of them is the same, fits, and is text whose every line says which way it went.
 */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "main/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOLD_MAX = 1 << 16 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* Writes what is told of the bytes, which come in two pieces. */
static struct ern_slice
tell(struct ern_slice bytes, size_t cut, char *memory)
{
    static struct frames frames;
    struct out o = out_init(memory, TOLD_MAX);

    if (frames_begin(&frames, &o, &o)) {
        frames_see(&frames, false, slice_first(bytes, cut));
        frames_see(&frames, false, slice_skip(bytes, cut));
    }
    frames_end(&frames);
    return out_done(&o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char whole_bytes[TOLD_MAX], pieces_bytes[TOLD_MAX];
    struct ern_slice bytes = slice_from((const char *)data, size);
    struct ern_slice whole = tell(bytes, size, whole_bytes);
    struct ern_slice pieces = tell(bytes, size ? data[0] % size : 0, pieces_bytes);

    if (whole.len + 64 > TOLD_MAX)
        return 0; /* it was cut */
    check(slice_eq(whole, pieces) && utf8_is(whole));
    while (whole.len) {
        size_t end = slice_find(whole, '\n');

        check(end < whole.len && whole.ptr[0] == '<' && end > 1 && whole.ptr[1] == ' ');
        whole = slice_skip(whole, end + 1);
    }
    return 0;
}
