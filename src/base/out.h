/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.h - text on its way out: a cursor over memory that the caller owns.
 *
 * Overflow is sticky: once something did not fit, `full` is set, nothing more is written, and one
 * check at the end tells. What is in the buffer is then a prefix that ends between two writes.
 */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

struct out {
    char *ptr;  /* the caller's memory */
    size_t len; /* bytes written */
    size_t cap; /* bytes of memory */
    bool full;  /* something did not fit */
};

static inline struct out
out_init(char *ptr, size_t cap)
{
    return (struct out){ptr, 0, cap, false};
}

static inline struct ern_slice
out_done(const struct out *o)
{
    return slice_from(o->ptr, o->len);
}

/* Room for n bytes, now counted as written; NULL if it does not fit. */
static inline char *
out_room(struct out *o, size_t n)
{
    char *at;

    if (o->full || o->cap - o->len < n) {
        o->full = true;
        return NULL;
    }
    at = o->ptr + o->len;
    o->len += n;
    return at;
}

static inline void
out_slice(struct out *o, struct ern_slice s)
{
    char *at = out_room(o, s.len);

    if (at && s.len)
        memcpy(at, s.ptr, s.len);
}

#define out_literal(o, literal) out_slice(o, ERN_SLICE(literal))

static inline void
out_text(struct out *o, const char *text)
{
    out_slice(o, slice_text(text));
}

static inline void
out_char(struct out *o, char c)
{
    char *at = out_room(o, 1);

    if (at)
        *at = c;
}

/* The number in decimal, without leading zeros. */
void out_u64(struct out *o, uint64_t n);

/* The number in decimal with exactly `digits` digits, zeros in front; higher digits are dropped. */
void out_digits(struct out *o, uint64_t n, unsigned digits);

/* The number in lower-case hexadecimal, without leading zeros. */
void out_hex(struct out *o, uint64_t n);

/* Bytes, two lower-case hexadecimal digits each; and the 16 of a UUID, as RFC 4122 3 writes it. */
void out_hex_bytes(struct out *o, const void *bytes, size_t n);
void out_uuid(struct out *o, const unsigned char uuid[16]);

/* The text as the inside of a JSON string (RFC 8259 7); bytes that are not UTF-8 become U+FFFD. */
void out_json(struct out *o, struct ern_slice text);

/* The text between quotes, a backslash before each quote and backslash in it: as HTTP (RFC 9110
 * 5.6.4), structured fields and the configuration write strings. It has no control characters. */
void out_quoted(struct out *o, struct ern_slice text);

/* The text on one line, telling a terminal nothing: control characters and bytes that are not UTF-8
 * become U+FFFD. */
void out_plain(struct out *o, struct ern_slice text);

/* The text with & < > " ' as character references; control characters become U+FFFD. */
void out_html(struct out *o, struct ern_slice text);

#endif
