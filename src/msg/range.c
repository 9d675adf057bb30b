/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/range.h"

#include "base/chars.h"
#include "msg/list.h"

static struct ern_slice
take_digits(struct ern_slice *s)
{
    struct ern_slice digits = *s;
    size_t n = 0;

    while (n < s->len && char_is(s->ptr[n], CHAR_DIGIT))
        n++;
    digits.len = n;
    *s = slice_skip(*s, n);
    return digits;
}

static struct ern_slice
without_zeros(struct ern_slice digits)
{
    while (digits.len && digits.ptr[0] == '0')
        digits = slice_skip(digits, 1);
    return digits;
}

/* Compares as numbers of any length, so that what is past UINT64_MAX is still told apart. */
static bool
is_less(struct ern_slice a, struct ern_slice b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    if (a.len != b.len)
        return a.len < b.len;
    return a.len > 0 && memcmp(a.ptr, b.ptr, a.len) < 0;
}

/* rfc9110#14.1.2 "recipients MUST anticipate potentially large decimal numerals" */
static uint64_t
number(struct ern_slice digits)
{
    uint64_t n = 0;

    for (size_t i = 0; i < digits.len; i++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (unsigned)(digits.ptr[i] - '0'), &n))
            return UINT64_MAX;
    return n;
}

/* range-spec = first-pos "-" [ last-pos ] / "-" suffix-length */
static bool
spec_read(struct ern_slice text, struct range_spec *ret)
{
    struct ern_slice first = take_digits(&text), last;

    if (text.len == 0 || text.ptr[0] != '-')
        return false;
    text = slice_skip(text, 1);
    last = take_digits(&text);
    if (text.len || first.len + last.len == 0)
        return false;
    /* rfc9110#14.1.1 "if the last-pos value is present and less than the first-pos" */
    if (first.len && last.len && is_less(last, first))
        return false;
    *ret = (struct range_spec){
        .is_suffix = first.len == 0,
        .first = number(first),
        .last = last.len ? number(last) : UINT64_MAX,
    };
    return true;
}

bool
range_is_bytes(struct ern_slice value)
{
    const struct ern_slice unit = ERN_SLICE("bytes=");
    struct ern_slice set, member;
    struct range_spec spec;
    bool any = false;

    /* rfc9110#14.1 "All range unit names are case-insensitive" */
    if (value.len < unit.len || !slice_eq_nocase(slice_first(value, unit.len), unit))
        return false;
    set = range_set(value);
    while (list_next(&set, &member)) {
        if (!spec_read(member, &spec))
            return false;
        any = true;
    }
    return any;
}

bool
range_next(struct ern_slice *set, struct range_spec *ret_spec)
{
    struct ern_slice member;

    return list_next(set, &member) && spec_read(member, ret_spec);
}
