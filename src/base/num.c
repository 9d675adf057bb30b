/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

bool
u64_parse(struct ern_slice text, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)text.ptr[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    }
    if (n > max)
        return false;
    *ret = n;
    return true;
}

bool
u64_parse_plain(struct ern_slice text, uint64_t max, uint64_t *ret)
{
    return !(text.len > 1 && text.ptr[0] == '0') && u64_parse(text, max, ret);
}

int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
