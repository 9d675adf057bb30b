/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte of the content's length, then a Range. What is read is written and read again; what is
 * resolved are the bytes that a naive reader marks one by one, none twice, in ranges that do not
 * touch.
 */
#include <stdlib.h>

#include "base/out.h"
#include "earnest/decide.h"
#include "msg/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
write_spec(struct out *o, const struct range_spec *spec)
{
    if (o->len > 6)
        out_literal(o, ", ");
    if (!spec->is_suffix)
        out_u64(o, spec->first);
    out_char(o, '-');
    if (spec->is_suffix || spec->last != UINT64_MAX)
        out_u64(o, spec->last);
}

static uint64_t
mark(const struct range_spec *spec, uint64_t bytes)
{
    uint64_t marks = 0;

    for (uint64_t b = 0; b < bytes; b++)
        if (spec->is_suffix ? bytes - b <= spec->last : b >= spec->first && b <= spec->last)
            marks |= UINT64_C(1) << b;
    return marks;
}

static void
check_resolved(struct ern_slice value, uint64_t bytes, uint64_t asked)
{
    struct ern_field field;
    struct ern_request r;
    struct ern_decision d = {.request = &r};
    const struct ern_ranges *ranges = &d.evidence.ranges;
    uint64_t got = 0;

    ern_request_init(&r, &field, 1);
    check(ern_request_add(&r, ERN_SLICE("Range"), value));
    d.evidence.content_bytes = (int64_t)bytes;
    check((ern_ask_satisfiable(&d, ERN_FACT_satisfiable) == ERN_YES) == (asked != 0));
    for (unsigned i = 0; i < ranges->n; i++) {
        check(ranges->range[i].first <= ranges->range[i].last && ranges->range[i].last < bytes);
        for (uint64_t b = ranges->range[i].first; b <= ranges->range[i].last; b++) {
            check((got >> b & 1) == 0);
            got |= UINT64_C(1) << b;
        }
    }
    check(got == asked);
    check(ranges->n == (unsigned)__builtin_popcountll(asked & ~(asked << 1)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char buffer[65536];
    struct out o = out_init(buffer, sizeof buffer);
    struct ern_slice value, set, again;
    struct range_spec spec, other;
    uint64_t bytes, asked = 0;
    unsigned n = 0;

    if (size < 1 || size > 1024)
        return 0;
    bytes = data[0] % 64;
    value = slice_from((const char *)data + 1, size - 1);
    if (!range_is_bytes(value))
        return 0;
    out_literal(&o, "bytes=");
    for (set = range_set(value); range_next(&set, &spec); n++) {
        check(spec.first <= spec.last);
        check(!spec.is_suffix || spec.first == 0);
        write_spec(&o, &spec);
        asked |= mark(&spec, bytes);
    }
    check(n > 0 && set.len == 0 && !o.full);
    check(range_is_bytes(out_done(&o)));
    again = range_set(out_done(&o));
    for (set = range_set(value); range_next(&set, &spec);) {
        check(range_next(&again, &other));
        check(spec.is_suffix == other.is_suffix && spec.first == other.first);
        check(spec.last == other.last);
    }
    check(!range_next(&again, &other));
    if (n <= ERN_RANGES_MAX)
        check_resolved(value, bytes, asked);
    return 0;
}
