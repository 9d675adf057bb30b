/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/variant.h"

#include "base/chars.h"
#include "base/num.h"
#include "base/slice.h"
#include "msg/list.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct ern_slice
trim(struct ern_slice text)
{
    while (text.len && is_blank(text.ptr[0]))
        text = slice_skip(text, 1);
    while (text.len && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* The length of the quoted-string that text begins with, both quotes included; 0: it has no end. */
static size_t
quoted(struct ern_slice text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] == '"')
            return i + 1;
        if (text.ptr[i] == '\\')
            i++;
    }
    return 0;
}

/* The length of what stands in braces at the beginning of text, both included; 0: it has no end. */
static size_t
braced(struct ern_slice text)
{
    unsigned depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') {
            size_t n = quoted(slice_skip(text, i));

            if (n == 0)
                return 0;
            i += n - 1;
        } else if (text.ptr[i] == '{') {
            depth++;
        } else if (text.ptr[i] == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* source-quality, as a qvalue with up to six digits (RFC 2295 5.3), in millionths. */
static bool
read_quality(struct ern_slice text, unsigned *ret)
{
    unsigned q = 0, unit = VARIANT_QUALITY_FULL / 10;

    if (text.len < 1 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return false;
    q = text.ptr[0] == '1' ? VARIANT_QUALITY_FULL : 0;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (!char_is(text.ptr[i], CHAR_DIGIT) || unit == 0)
            return false;
        q += unit * (unsigned)(text.ptr[i] - '0');
    }
    *ret = q;
    return q <= VARIANT_QUALITY_FULL;
}

static bool
type_is(struct ern_slice text)
{
    struct ern_slice name = slice_trim(slice_first(text, slice_find(text, ';')));
    struct ern_slice rest = slice_skip(text, slice_find(text, ';')), of, value;
    size_t slash = slice_find(name, '/');

    if (slash == name.len || !token_is(slice_first(name, slash)) ||
        !token_is(slice_skip(name, slash + 1)))
        return false;
    while (parameter_next(&rest, &of, &value))
        ;
    return rest.len == 0;
}

/* 1#language-tag, each of letters, digits and hyphens. */
static bool
languages_are(struct ern_slice text)
{
    struct ern_slice tag;
    unsigned n = 0;

    for (; list_next(&text, &tag); n++)
        for (size_t i = 0; i < tag.len; i++)
            if (!char_is(tag.ptr[i], CHAR_ALPHA | CHAR_DIGIT) && tag.ptr[i] != '-')
                return false;
    return n > 0;
}

/* What an attribute may not have: it would end a field line, or an element of a list within one. */
static bool
is_plain(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t')
            return false;
    return true;
}

static bool
read_description(struct ern_slice value, struct variant *v)
{
    size_t n = value.len && value.ptr[0] == '"' ? quoted(value) : 0;

    if (n == 0) /* and after it the language that it is written in */
        return false;
    v->description = slice_from(value.ptr + 1, n - 2);
    return true;
}

/* Reads what stands in the braces of an attribute; one that is not known says nothing to us. */
static bool
read_attribute(struct ern_slice text, struct variant *v)
{
    size_t end = 0;
    struct ern_slice name, value;
    uint64_t length;

    while (end < text.len && !is_blank(text.ptr[end]))
        end++;
    name = slice_first(text, end);
    value = trim(slice_skip(text, end));
    if (!token_is(name) || !is_plain(value))
        return false;
    if (slice_eq_nocase(name, ERN_SLICE("type")))
        v->type = value;
    else if (slice_eq_nocase(name, ERN_SLICE("charset")))
        v->charset = value;
    else if (slice_eq_nocase(name, ERN_SLICE("language")))
        v->language = value;
    else if (slice_eq_nocase(name, ERN_SLICE("encoding")))
        v->coding = value;
    else if (slice_eq_nocase(name, ERN_SLICE("features")))
        v->features = value;
    else if (slice_eq_nocase(name, ERN_SLICE("description")))
        return read_description(value, v);
    else if (slice_eq_nocase(name, ERN_SLICE("length"))) {
        if (!u64_parse(value, INT64_MAX, &length))
            return false;
        v->length = (int64_t)length;
    }
    return true;
}

/* Are the attributes what they should be? */
static bool
is_right(const struct variant *v)
{
    return v->uri.len > 0 && is_plain(v->uri) && (!slice_is_there(v->type) || type_is(v->type)) &&
           (!slice_is_there(v->charset) || token_is(v->charset)) &&
           (!slice_is_there(v->coding) || token_is(v->coding)) &&
           (!slice_is_there(v->language) || languages_are(v->language)) &&
           (!slice_is_there(v->features) || v->features.len > 0);
}

/* Reads what stands in the braces of a variant-description, or of a fallback-variant. */
static bool
read_variant(struct ern_slice text, struct variant *v)
{
    size_t n;

    *v = (struct variant){.quality = VARIANT_QUALITY_FALLBACK, .length = -1};
    text = trim(text);
    n = text.len && text.ptr[0] == '"' ? quoted(text) : 0;
    if (n == 0)
        return false;
    v->uri = slice_from(text.ptr + 1, n - 2);
    text = trim(slice_skip(text, n));
    if (text.len == 0)
        return is_right(v);
    for (n = 0; n < text.len && !is_blank(text.ptr[n]) && text.ptr[n] != '{'; n++)
        ;
    if (!read_quality(slice_first(text, n), &v->quality))
        return false;
    for (text = trim(slice_skip(text, n)); text.len; text = trim(slice_skip(text, n))) {
        n = text.ptr[0] == '{' ? braced(text) : 0;
        if (n == 0 || !read_attribute(trim(slice_from(text.ptr + 1, n - 2)), v))
            return false;
    }
    return is_right(v);
}

/* Passes over what stands between descriptions: separators, comments, directives. */
static void
pass(struct ern_slice *list)
{
    bool begins_line = true;

    while (list->len && list->ptr[0] != '{') {
        char c = list->ptr[0];

        if (c == '#' && begins_line)
            *list = slice_skip(*list, slice_find(*list, '\n'));
        else if (c == '"' && quoted(*list))
            *list = slice_skip(*list, quoted(*list));
        else
            *list = slice_skip(*list, 1);
        begins_line = c == '\n' || (begins_line && is_blank(c));
    }
}

enum variant_read
variant_next(struct ern_slice *list, struct variant *ret_variant)
{
    size_t n;

    pass(list);
    if (list->len == 0)
        return VARIANT_END;
    n = braced(*list);
    if (n == 0 || !read_variant(slice_from(list->ptr + 1, n - 2), ret_variant))
        return VARIANT_WRONG;
    *list = slice_skip(*list, n);
    return VARIANT_READ;
}

static void
write_quality(struct out *o, unsigned quality)
{
    unsigned rest = quality % VARIANT_QUALITY_FULL, digits = 6;

    out_u64(o, quality / VARIANT_QUALITY_FULL);
    out_char(o, '.');
    while (digits > 1 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    out_digits(o, rest, digits);
}

static void
write_attribute(struct out *o, const char *name, struct ern_slice value)
{
    if (!slice_is_there(value))
        return;
    out_literal(o, " {");
    out_text(o, name);
    out_char(o, ' ');
    out_slice(o, value);
    out_char(o, '}');
}

void
variant_write(struct out *o, const struct variant *v)
{
    out_literal(o, "{\"");
    out_slice(o, v->uri);
    out_literal(o, "\" ");
    write_quality(o, v->quality);
    write_attribute(o, "type", v->type);
    write_attribute(o, "charset", v->charset);
    write_attribute(o, "language", v->language);
    write_attribute(o, "encoding", v->coding);
    write_attribute(o, "features", v->features);
    if (slice_is_there(v->description)) {
        out_literal(o, " {description \"");
        out_slice(o, v->description);
        out_literal(o, "\"}");
    }
    if (v->length >= 0) {
        out_literal(o, " {length ");
        out_u64(o, (uint64_t)v->length);
        out_char(o, '}');
    }
    out_char(o, '}');
}
