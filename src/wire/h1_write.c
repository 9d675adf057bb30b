/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/h1_write.h"

#include "earnest/status.h"

/* A whole status line a code, so that writing one is one copy. */
static struct ern_slice
status_line(uint16_t status)
{
    switch (status) {
#define STATUS(code, id, phrase, kind, content, carry, cacheable, source)                          \
    case code:                                                                                     \
        return ERN_SLICE("HTTP/1.1 " #code " " phrase "\r\n");
#include "status.def"
#undef STATUS
    default:
        return ERN_ABSENT;
    }
}

void
h1_write_status(struct out *o, uint16_t status)
{
    struct ern_slice line = status_line(status);

    if (slice_is_there(line)) {
        out_slice(o, line);
        return;
    }
    out_literal(o, "HTTP/1.1 ");
    out_digits(o, status, 3);
    out_literal(o, " \r\n");
}

void
h1_write_field(struct out *o, struct ern_slice name, struct ern_slice value)
{
    assert(slice_find(value, '\n') == value.len);
    assert(slice_find(value, '\r') == value.len);
    out_slice(o, name);
    out_literal(o, ": ");
    out_slice(o, value);
    out_literal(o, "\r\n");
}

void
h1_write_field_u64(struct out *o, struct ern_slice name, uint64_t value)
{
    out_slice(o, name);
    out_literal(o, ": ");
    out_u64(o, value);
    out_literal(o, "\r\n");
}

struct ern_slice
h1_write_chunk(char *piece, size_t n)
{
    char size[H1_CHUNK_BEFORE];
    struct out o = out_init(size, sizeof size);
    char *start;

    if (n == 0)
        return ERN_SLICE("0\r\n\r\n");
    out_hex(&o, n);
    out_literal(&o, "\r\n");
    assert(!o.full);
    start = piece + H1_CHUNK_BEFORE - o.len;
    memcpy(start, size, o.len);
    memcpy(piece + H1_CHUNK_BEFORE + n, "\r\n", H1_CHUNK_AFTER);
    return slice_from(start, o.len + n + H1_CHUNK_AFTER);
}
