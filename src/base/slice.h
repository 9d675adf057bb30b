/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h - what is done with slices everywhere: compare, cut, trim. ASCII rules, never a locale's.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "earnest/slice.h"

static inline struct ern_slice
slice_from(const char *ptr, size_t len)
{
    return (struct ern_slice){ptr, len};
}

/* The NUL-terminated text as a slice; absent for NULL. */
static inline struct ern_slice
slice_text(const char *text)
{
    size_t len = 0;

    if (!text)
        return ERN_ABSENT;
    while (text[len])
        len++;
    return slice_from(text, len);
}

/* Is it there at all, even if empty? */
static inline bool
slice_is_there(struct ern_slice s)
{
    return s.ptr != NULL;
}

static inline bool
slice_eq(struct ern_slice a, struct ern_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The ASCII letter in lower case; every other byte as it is. */
static inline char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static inline bool
slice_eq_nocase(struct ern_slice a, struct ern_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static inline bool
slice_starts(struct ern_slice s, struct ern_slice with)
{
    return s.len >= with.len && (with.len == 0 || memcmp(s.ptr, with.ptr, with.len) == 0);
}

static inline bool
slice_ends(struct ern_slice s, struct ern_slice with)
{
    return s.len >= with.len &&
           (with.len == 0 || memcmp(s.ptr + s.len - with.len, with.ptr, with.len) == 0);
}

/* s without its first n bytes; n is at most s.len. */
static inline struct ern_slice
slice_skip(struct ern_slice s, size_t n)
{
    assert(n <= s.len);
    return slice_from(s.ptr + n, s.len - n);
}

/* The first n bytes of s; n is at most s.len. */
static inline struct ern_slice
slice_first(struct ern_slice s, size_t n)
{
    assert(n <= s.len);
    return slice_from(s.ptr, n);
}

/* Where c first is, or s.len. */
static inline size_t
slice_find(struct ern_slice s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return at ? (size_t)(at - s.ptr) : s.len;
}

/* s without optional white space (SP and HTAB, RFC 9110 5.6.3) at both ends. */
static inline struct ern_slice
slice_trim(struct ern_slice s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = slice_skip(s, 1);
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

#endif
