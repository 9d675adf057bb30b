/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_reference.c - the input is a reference. Where it leads to the origin of its base, its path
 * begins with a slash, and said in full it leads to the same place.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"
#include "msg/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1024 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct reference_base base = {ERN_SLICE("http"), ERN_SLICE("a.example"),
                                        ERN_SLICE("/x/y")};
    char text[INPUT_MAX + 16], full[INPUT_MAX + 64], more[INPUT_MAX + 16];
    struct out o = out_init(text, sizeof text), whole = out_init(full, sizeof full);
    struct reference_target target, again;

    if (size > INPUT_MAX)
        return 0;
    if (!reference_resolve(slice_from((const char *)data, size), &base, &o, &target))
        return 0;
    assert(target.path.len > 0 && target.path.ptr[0] == '/');
    assert(slice_find(target.path, '?') == target.path.len);
    assert(slice_find(target.path, '#') == target.path.len);
    out_literal(&whole, "HTTP://A.example");
    out_slice(&whole, target.path);
    if (slice_is_there(target.query)) {
        out_char(&whole, '?');
        out_slice(&whole, target.query);
    }
    o = out_init(more, sizeof more);
    assert(reference_resolve(out_done(&whole), &base, &o, &again));
    assert(slice_eq(again.path, target.path) && slice_eq(again.query, target.query) && o.len == 0);
    return 0;
}
