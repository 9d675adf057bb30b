/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A length (two bytes), a base of that length, a target. A delta of each format, read by a reader
 * of its own, gives the target; one that has too little room says so, and one from the target to
 * itself is short.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/delta_decode.h"
#include "pack/gdiff.h"
#include "pack/vcdiff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 16, DELTA_MAX = 4 * INPUT_MAX, SHORT = 40 };

typedef int write_function(struct ern_slice base, struct ern_slice target, struct out *o);
typedef bool decode_function(struct ern_slice base, struct ern_slice delta, struct out *o);

static const struct {
    write_function *write;
    decode_function *decode;
} formats[] = {{vcdiff_write, vcdiff_decode}, {gdiff_write, gdiff_decode}};

static char delta_text[DELTA_MAX], target_text[INPUT_MAX];

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static size_t
go_round(size_t format, struct ern_slice base, struct ern_slice target)
{
    struct out delta = out_init(delta_text, sizeof delta_text), shorter, made;

    check(formats[format].write(base, target, &delta) == 0);
    made = out_init(target_text, target.len);
    check(formats[format].decode(base, out_done(&delta), &made));
    check(slice_eq(out_done(&made), target));
    shorter = out_init(delta_text, delta.len - 1);
    check(formats[format].write(base, target, &shorter) == -ENOSPC);
    return delta.len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice base, target;
    size_t n;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    n = (size_t)data[0] << 8 | data[1];
    target = slice_from((const char *)data + 2, size - 2);
    base = slice_first(target, n < target.len ? n : target.len);
    target = slice_skip(target, base.len);
    for (size_t format = 0; format < sizeof formats / sizeof *formats; format++) {
        (void)go_round(format, base, target);
        check(go_round(format, base, base) <= SHORT);
    }
    return 0;
}
