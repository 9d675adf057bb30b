/* SPDX-License-Identifier: Apache-2.0 */
#include "base/out.h"

#include "base/utf8.h"

void
out_u64(struct out *o, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    out_slice(o, slice_from(digits + at, sizeof digits - at));
}

void
out_digits(struct out *o, uint64_t n, unsigned digits)
{
    char *at = out_room(o, digits);

    if (!at)
        return;
    while (digits) {
        at[--digits] = (char)('0' + n % 10);
        n /= 10;
    }
}

void
out_hex(struct out *o, uint64_t n)
{
    char digits[16];
    size_t at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[n & 15];
        n >>= 4;
    } while (n);
    out_slice(o, slice_from(digits + at, sizeof digits - at));
}

void
out_hex_bytes(struct out *o, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++) {
        out_char(o, "0123456789abcdef"[b[i] >> 4]);
        out_char(o, "0123456789abcdef"[b[i] & 15]);
    }
}

void
out_uuid(struct out *o, const unsigned char uuid[16])
{
    static const unsigned char groups[] = {4, 2, 2, 2, 6};

    for (size_t i = 0; i < sizeof groups; uuid += groups[i++]) {
        if (i > 0)
            out_char(o, '-');
        out_hex_bytes(o, uuid, groups[i]);
    }
}

static const struct ern_slice replacement = {"\xef\xbf\xbd", 3};

/* Has one of the eight bytes its highest bit, or is it a control character, a quote or a backslash?
 * The lowest that is so is found for sure; one above it may be told by mistake. */
static bool
has_special(uint64_t bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    const uint64_t quote = bytes ^ ones * '"', backslash = bytes ^ ones * '\\',
                   del = bytes ^ ones * 0x7f;

    return ((bytes | (bytes - ones * ' ') | (quote - ones) | (backslash - ones) | (del - ones)) &
            highs) != 0;
}

/* The bytes at the start of text that stand for themselves in a JSON string, ASCII ones. */
static size_t
json_plain(struct ern_slice text)
{
    size_t n = 0;
    uint64_t bytes;

    for (; text.len - n >= sizeof bytes; n += sizeof bytes) {
        memcpy(&bytes, text.ptr + n, sizeof bytes);
        if (has_special(bytes))
            break;
    }
    while (n < text.len && text.ptr[n] >= ' ' && text.ptr[n] <= '~' && text.ptr[n] != '"' &&
           text.ptr[n] != '\\')
        n++;
    return n;
}

void
out_json(struct out *o, struct ern_slice text)
{
    while (text.len) {
        size_t plain = json_plain(text);
        size_t n = plain ? plain : utf8_len(text);
        char c = text.ptr[0];

        if (n == 0) {
            out_slice(o, replacement);
            n = 1;
        } else if (!plain && (c == '"' || c == '\\')) {
            out_char(o, '\\');
            out_char(o, c);
        } else if ((unsigned char)c < 0x20) {
            out_literal(o, "\\u00");
            out_hex_bytes(o, &c, 1);
        } else {
            out_slice(o, slice_first(text, n));
        }
        text = slice_skip(text, n);
    }
}

void
out_quoted(struct out *o, struct ern_slice text)
{
    out_char(o, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            out_char(o, '\\');
        out_char(o, text.ptr[i]);
    }
    out_char(o, '"');
}

void
out_plain(struct out *o, struct ern_slice text)
{
    while (text.len) {
        size_t n = utf8_len(text);

        if (n == 0 || (unsigned char)text.ptr[0] < 0x20 || text.ptr[0] == 0x7f)
            out_slice(o, replacement);
        else
            out_slice(o, slice_first(text, n));
        text = slice_skip(text, n ? n : 1);
    }
}

/* The reference that stands for c in HTML text and attribute values, or absent. */
static struct ern_slice
reference(char c)
{
    switch (c) {
    case '&':
        return ERN_SLICE("&amp;");
    case '<':
        return ERN_SLICE("&lt;");
    case '>':
        return ERN_SLICE("&gt;");
    case '"':
        return ERN_SLICE("&quot;");
    case '\'':
        return ERN_SLICE("&#39;");
    default:
        return (unsigned char)c < 0x20 || c == 0x7f ? replacement : ERN_ABSENT;
    }
}

void
out_html(struct out *o, struct ern_slice text)
{
    while (text.len) {
        size_t n = utf8_len(text);
        struct ern_slice as = n ? reference(text.ptr[0]) : replacement;

        if (n == 0)
            n = 1;
        out_slice(o, slice_is_there(as) ? as : slice_first(text, n));
        text = slice_skip(text, n);
    }
}
