/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

int
base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Up to three bytes as four characters. */
static void
write_four(struct out *o, struct ern_slice bytes)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;

    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < bytes.len ? (unsigned char)bytes.ptr[i] : 0);
    for (size_t i = 0; i < 4; i++)
        out_char(o, (char)(i <= bytes.len ? alphabet[bits >> (18 - 6 * i) & 0x3f] : '='));
}

void
base64_write(struct out *o, struct ern_slice bytes)
{
    while (bytes.len) {
        size_t n = bytes.len < 3 ? bytes.len : 3;

        write_four(o, slice_first(bytes, n));
        bytes = slice_skip(bytes, n);
    }
}

/* Reads what is left without the padding. */
static bool
read_digits(struct ern_slice text, int (*digit)(char c), struct out *o)
{
    unsigned bits = 0, n = 0;

    for (size_t i = 0; i < text.len; i++) {
        int value = digit(text.ptr[i]);

        if (value < 0)
            return false;
        bits = (bits << 6 | (unsigned)value) & 0xffff;
        n += 6;
        if (n >= 8) {
            n -= 8;
            out_char(o, (char)(bits >> n & 0xff));
        }
    }
    return n < 6 && (bits & ((1U << n) - 1)) == 0;
}

bool
base64_read(struct ern_slice text, struct out *o)
{
    bool is_whole = text.len % 4 == 0;

    for (int i = 0; i < 2 && is_whole && slice_ends(text, ERN_SLICE("=")); i++)
        text.len--;
    return is_whole && read_digits(text, base64_value, o);
}

static int
url_value(char c)
{
    return c == '-' ? 62 : c == '_' ? 63 : c == '+' || c == '/' ? -1 : base64_value(c);
}

bool
base64url_read(struct ern_slice text, struct out *o)
{
    return read_digits(text, url_value, o);
}
