/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

/*
 * How many bytes a character has that begins with the first byte of text, 0 if none does; and how
 * many of them are there and right.
 */
static size_t
look(struct ern_slice text, size_t *ret_right)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */
    size_t n, i = 1;

    assert(text.len);
    *ret_right = 1;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0;
    if (p[0] == 0xed)
        high = 0x9f;
    if (p[0] == 0xf0)
        low = 0x90;
    if (p[0] == 0xf4)
        high = 0x8f;
    for (; i < n && i < text.len && p[i] >= low && p[i] <= high; i++) {
        low = 0x80;
        high = 0xbf;
    }
    *ret_right = i;
    return n;
}

size_t
utf8_len(struct ern_slice text)
{
    size_t right, n = look(text, &right);

    return right == n ? n : 0;
}

bool
utf8_is_cut(struct ern_slice text)
{
    size_t right, n = look(text, &right);

    return right == text.len && right < n;
}

bool
utf8_is(struct ern_slice text)
{
    while (text.len) {
        size_t n = utf8_len(text);

        if (n == 0)
            return false;
        text = slice_skip(text, n);
    }
    return true;
}
