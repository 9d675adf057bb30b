/* SPDX-License-Identifier: Apache-2.0 */
#include "main/tour_fill.h"

#include "base/num.h"
#include "base/slice.h"
#include "base/utf8.h"

enum { REPEAT_MAX = 1 << 16 };

static const struct {
    const char *name;
    const char *field; /* of the answer that it is taken from */
} kepts[TOUR_KEPTS] = {
    [TOUR_ETAG] = {"etag", "etag"},
    [TOUR_FIRST] = {"first", "etag"},
    [TOUR_LOCATION] = {"location", "location"},
    [TOUR_LOCK] = {"lock", "lock-token"},
};

struct ern_slice
tour_kept_field(enum tour_kept kept)
{
    return slice_text(kepts[kept].field);
}

void
tour_keep(struct tour_names *names, enum tour_kept kept, struct ern_slice value)
{
    struct out o = out_init(names->kept[kept], TOUR_VALUE_BYTES);

    if (kept == TOUR_FIRST && names->len[kept])
        return;
    out_slice(&o, value);
    names->len[kept] = o.len;
}

/* Writes the value of the name at the front of text. Returns its length there, 0 if it is none. */
static size_t
write_named(const struct tour_names *names, struct ern_slice text, size_t length, struct out *o)
{
    const struct {
        struct ern_slice name;
        uint64_t number;
    } numbers[] = {
        {ERN_SLICE("$port"), names->port},
        {ERN_SLICE("$site"), names->site},
        {ERN_SLICE("$length"), length},
    };

    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (slice_starts(text, numbers[i].name)) {
            out_u64(o, numbers[i].number);
            return numbers[i].name.len;
        }
    if (slice_starts(text, ERN_SLICE("$host"))) {
        out_literal(o, "127.0.0.1:");
        out_u64(o, names->port);
        return sizeof "$host" - 1;
    }
    for (unsigned i = 0; i < TOUR_KEPTS; i++) {
        struct ern_slice name = slice_text(kepts[i].name);

        if (slice_starts(slice_skip(text, 1), name)) {
            out_slice(o, slice_from(names->kept[i], names->len[i]));
            return name.len + 1;
        }
    }
    return 0;
}

/* Writes what {x*9000} at the front of text stands for, all on one line. Returns its length there,
 * 0 if it is none. */
static size_t
write_repeated(struct ern_slice text, struct out *o)
{
    size_t star = slice_find(text, '*'), end = slice_find(text, '}');
    uint64_t n;

    if (star < 2 || end == text.len || star > end || slice_find(text, '\n') < end ||
        !u64_parse(slice_first(slice_skip(text, star + 1), end - star - 1), REPEAT_MAX, &n))
        return 0;
    for (; n && !o->full; n--)
        out_slice(o, slice_first(slice_skip(text, 1), star - 1));
    return end + 1;
}

/* Writes what an escape of content stands for. Returns its length, 0 if it is none. */
static size_t
write_escaped(struct ern_slice text, struct out *o)
{
    char c = text.len > 1 ? text.ptr[1] : '\0';

    if (c == 'r' || c == 'n') {
        out_char(o, c == 'r' ? '\r' : '\n');
        return 2;
    }
    if (c == 'x' && text.len > 3 && hex_value(text.ptr[2]) >= 0 && hex_value(text.ptr[3]) >= 0) {
        out_char(o, (char)(hex_value(text.ptr[2]) * 16 + hex_value(text.ptr[3])));
        return 4;
    }
    return 0;
}

/* Writes a text with all that stands for something else replaced; in a head, LF becomes CRLF. */
static void
fill(const struct tour_names *names, struct ern_slice text, bool is_head, size_t length,
     struct out *o)
{
    while (text.len) {
        char c = text.ptr[0];
        size_t n = c == '$'                ? write_named(names, text, length, o)
                   : c == '{'              ? write_repeated(text, o)
                   : c == '\\' && !is_head ? write_escaped(text, o)
                                           : 0;

        if (n == 0 && c == '\n' && is_head)
            out_char(o, '\r');
        if (n == 0)
            out_char(o, c);
        text = slice_skip(text, n ? n : 1);
    }
}

/* Where the content of a request begins: after the first empty line. */
static size_t
content_at(struct ern_slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.ptr[i] == '\n' && text.ptr[i + 1] == '\n')
            return i + 2;
    return text.len;
}

void
tour_told(struct out *o, struct ern_slice bytes)
{
    bool cut = bytes.len > TOUR_TOLD_BYTES;

    if (cut)
        bytes.len = TOUR_TOLD_BYTES;
    while (bytes.len) {
        size_t n = utf8_len(bytes);
        unsigned char c = (unsigned char)bytes.ptr[0];
        bool is_text = n > 1 || (n == 1 && (c >= ' ' || c == '\r' || c == '\n' || c == '\t'));

        if (is_text) {
            out_json(o, slice_first(bytes, n));
        } else {
            out_literal(o, "\\\\x");
            out_hex_bytes(o, &c, 1);
        }
        bytes = slice_skip(bytes, is_text ? n : 1);
    }
    if (cut)
        out_literal(o, "\\n…");
}

void
tour_fill(const struct tour_names *names, struct ern_slice text, struct out *head,
          struct out *content)
{
    size_t at = content_at(text);
    struct ern_slice rest = slice_skip(text, at);

    if (slice_ends(rest, ERN_SLICE("\n"))) /* people end a line so */
        rest.len--;
    fill(names, rest, false, 0, content);
    fill(names, slice_first(text, at), true, content->len, head);
}
