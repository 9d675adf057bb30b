/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/form.h"

#include "base/chars.h"
#include "base/num.h"
#include "msg/list.h"

enum { BOUNDARY_MAX = 70 /* RFC 2046 5.1.1 */ };

static const struct ern_slice line_end = {"\r\n", 2}, dashes = {"--", 2};

/* The byte that two digits behind a percent sign at the front stand for, or -1. */
static int
percent_value(struct ern_slice text)
{
    int high, low;

    if (text.len < 3 || text.ptr[0] != '%')
        return -1;
    high = hex_value(text.ptr[1]);
    low = hex_value(text.ptr[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* ---- application/x-www-form-urlencoded ---------------------------------------------------------
 */

bool
urlencoded_next(struct ern_slice *text, struct ern_slice *ret_name, struct ern_slice *ret_value)
{
    struct ern_slice field;
    size_t n;

    while (text->len && text->ptr[0] == '&')
        *text = slice_skip(*text, 1);
    if (text->len == 0)
        return false;
    field = slice_first(*text, slice_find(*text, '&'));
    *text = slice_skip(*text, field.len);
    n = slice_find(field, '=');
    *ret_name = slice_first(field, n);
    *ret_value = slice_skip(field, n < field.len ? n + 1 : n);
    return true;
}

void
urlencoded_write(struct out *o, struct ern_slice encoded)
{
    while (encoded.len) {
        int byte = percent_value(encoded);

        if (byte >= 0)
            out_char(o, (char)byte);
        else if (encoded.ptr[0] == '+')
            out_char(o, ' ');
        else
            out_char(o, encoded.ptr[0]);
        encoded = slice_skip(encoded, byte >= 0 ? 3 : 1);
    }
}

/* ---- multipart ---------------------------------------------------------------------------------
 */

static bool
is_boundary(struct ern_slice text)
{
    static const struct ern_slice others = {"'()+_,-./:=? ", 13};
    bool good = text.len > 0 && text.len <= BOUNDARY_MAX && !slice_ends(text, ERN_SLICE(" "));

    for (size_t i = 0; i < text.len; i++)
        good &= char_is(text.ptr[i], CHAR_DIGIT | CHAR_ALPHA) ||
                slice_find(others, text.ptr[i]) < others.len;
    return good;
}

bool
multipart_boundary(struct ern_slice type, struct ern_slice *ret)
{
    struct ern_slice parameters = slice_skip(type, slice_find(type, ';')), name, value;

    *ret = ERN_ABSENT;
    while (parameter_next(&parameters, &name, &value)) {
        if (!slice_eq_nocase(name, ERN_SLICE("boundary")))
            continue;
        if (slice_is_there(*ret) || !slice_is_there(value))
            return false;
        *ret = value;
    }
    return parameters.len == 0 && is_boundary(*ret);
}

/* Goes on behind a delimiter whose dashes and boundary were at the front of rest. Returns false if
 * it is none: it is longer, and so a part of the content. */
static bool
pass_delimiter(struct multipart *m, struct ern_slice rest)
{
    bool ended = slice_starts(rest, dashes);

    if (ended)
        rest = slice_skip(rest, dashes.len);
    while (rest.len && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t')) /* transport-padding */
        rest = slice_skip(rest, 1);
    if (!slice_starts(rest, line_end) && (!ended || rest.len > 0))
        return false;
    m->ended = ended;
    m->left = ended ? slice_first(rest, 0) : slice_skip(rest, line_end.len);
    return true;
}

/* Is there a delimiter at the front of text? Then goes on behind it. */
static bool
take_delimiter(struct multipart *m, struct ern_slice text)
{
    if (!slice_starts(text, dashes))
        return false;
    text = slice_skip(text, dashes.len);
    return slice_starts(text, m->boundary) && pass_delimiter(m, slice_skip(text, m->boundary.len));
}

/* Goes on behind the next delimiter that stands on a line of its own; what is before the end of the
 * line before it is *ret. */
static bool
find_delimiter(struct multipart *m, struct ern_slice *ret)
{
    struct ern_slice text = m->left;

    for (size_t at = 0; (at += slice_find(slice_skip(text, at), '\r')) < text.len; at++) {
        struct ern_slice rest = slice_skip(text, at);

        if (!slice_starts(rest, line_end) || !take_delimiter(m, slice_skip(rest, line_end.len)))
            continue;
        *ret = slice_first(text, at);
        return true;
    }
    return false;
}

bool
multipart_begin(struct multipart *m, struct ern_slice content, struct ern_slice boundary)
{
    struct ern_slice preamble;

    *m = (struct multipart){.boundary = boundary, .left = content};
    return take_delimiter(m, content) || find_delimiter(m, &preamble);
}

/* Where the first empty line of the text begins, after the line before it; or its length. */
static size_t
find_empty_line(struct ern_slice text)
{
    for (size_t at = 0; (at += slice_find(slice_skip(text, at), '\r')) < text.len; at++)
        if (slice_starts(slice_skip(text, at), ERN_SLICE("\r\n\r\n")))
            return at;
    return text.len;
}

enum multipart_step
multipart_next(struct multipart *m, struct multipart_part *ret)
{
    struct ern_slice text;
    size_t n;

    if (m->ended)
        return MULTIPART_END;
    if (!find_delimiter(m, &text))
        return MULTIPART_BAD;
    if (slice_starts(text, line_end)) { /* it has no field */
        *ret = (struct multipart_part){slice_first(text, 0), slice_skip(text, line_end.len)};
        return MULTIPART_PART;
    }
    n = find_empty_line(text);
    if (n == text.len)
        return MULTIPART_BAD;
    *ret = (struct multipart_part){slice_first(text, n), slice_skip(text, n + 2 * line_end.len)};
    return MULTIPART_PART;
}

/* ---- form-data ---------------------------------------------------------------------------------
 */

/* Stores what may be said once. */
static bool
store(struct ern_slice *to, struct ern_slice value)
{
    bool fresh = !slice_is_there(*to) && slice_is_there(value);

    *to = value;
    return fresh;
}

/* RFC 7578 4.2 */
static bool
read_disposition(struct ern_slice value, struct form_part *part)
{
    size_t n = slice_find(value, ';');
    struct ern_slice parameters = slice_skip(value, n), name;
    bool good = slice_eq_nocase(slice_trim(slice_first(value, n)), ERN_SLICE("form-data"));

    while (good && parameter_next(&parameters, &name, &value)) {
        if (slice_eq_nocase(name, ERN_SLICE("name")))
            good = store(&part->name, value);
        else if (slice_eq_nocase(name, ERN_SLICE("filename")))
            good = store(&part->filename, value);
    }
    return good && parameters.len == 0;
}

static bool
read_line(struct ern_slice line, struct form_part *part)
{
    size_t n = slice_find(line, ':');
    struct ern_slice name = slice_first(line, n),
                     value = slice_trim(slice_skip(line, n + (n < line.len)));

    if (n == line.len || !token_is(name))
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (!char_is(value.ptr[i], CHAR_FIELD))
            return false;
    if (slice_eq_nocase(name, ERN_SLICE("Content-Disposition")))
        return !slice_is_there(part->name) && read_disposition(value, part);
    if (slice_eq_nocase(name, ERN_SLICE("Content-Type")))
        return store(&part->type, value);
    if (slice_eq_nocase(name, ERN_SLICE("Content-Transfer-Encoding")))
        return store(&part->encoding, value);
    return true; /* RFC 7578 4.8: others are ignored */
}

bool
form_part_read(struct ern_slice head, struct form_part *ret)
{
    *ret = (struct form_part){ERN_ABSENT, ERN_ABSENT, ERN_ABSENT, ERN_ABSENT};
    while (head.len) {
        struct ern_slice line = slice_first(head, slice_find(head, '\r'));

        head = slice_skip(head, line.len);
        if (!read_line(line, ret) || (head.len > 0 && !slice_starts(head, line_end)))
            return false;
        head = slice_skip(head, head.len ? line_end.len : 0);
    }
    return slice_is_there(ret->name);
}

void
form_part_write(struct out *o, struct ern_slice text)
{
    while (text.len) {
        int byte = percent_value(text);

        if (byte == '"' || byte == '\r' || byte == '\n') {
            out_char(o, (char)byte);
            text = slice_skip(text, 3);
            continue;
        }
        if (slice_starts(text, ERN_SLICE("\\\"")))
            text = slice_skip(text, 1);
        out_char(o, text.ptr[0]);
        text = slice_skip(text, 1);
    }
}
