/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/html.h"

#include "base/chars.h"

enum {
    AHEAD = 12 /* bytes that say whether an element of raw text ends: the longest name and </ > */
};

static const char *const raw_elements[] = {
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
};

/* Does s begin with this name of an element, and end it there? More than s.len: not there yet. */
static bool
begins_name(struct ern_slice s, const char *name)
{
    struct ern_slice wanted = slice_text(name);
    char after;

    if (s.len <= wanted.len || !slice_eq_nocase(slice_first(s, wanted.len), wanted))
        return false;
    after = s.ptr[wanted.len];
    return html_is_space(after) || after == '/' || after == '>';
}

/* ---- attributes -------------------------------------------------------------------------------*/

enum attribute { ATTRIBUTE_HERE, ATTRIBUTE_NONE /* the tag ends */, ATTRIBUTE_CUT };

static size_t
skip_space(struct ern_slice s, size_t at)
{
    while (at < s.len && html_is_space(s.ptr[at]))
        at++;
    return at;
}

/* The value that begins at *at, after its equals sign. */
static enum attribute
read_value(struct ern_slice s, size_t *at, struct ern_slice *ret_value)
{
    size_t i = skip_space(s, *at), from = i;
    char quote = i < s.len ? s.ptr[i] : '\0';

    if (i == s.len)
        return ATTRIBUTE_CUT;
    if (quote == '"' || quote == '\'') {
        size_t n = slice_find(slice_skip(s, i + 1), quote);

        *ret_value = slice_from(s.ptr + i + 1, n);
        *at = i + 1 + n + 1;
        return *at <= s.len ? ATTRIBUTE_HERE : ATTRIBUTE_CUT;
    }
    while (i < s.len && !html_is_space(s.ptr[i]) && s.ptr[i] != '>')
        i++;
    *ret_value = slice_from(s.ptr + from, i - from);
    *at = i;
    return i < s.len ? ATTRIBUTE_HERE : ATTRIBUTE_CUT;
}

/* The attribute at *at, or where the tag ends (HTML, 13.2.5.32 to 13.2.5.40). */
static enum attribute
read_attribute(struct ern_slice s, size_t *at, struct ern_slice *ret_name,
               struct ern_slice *ret_value)
{
    size_t i = *at, from;

    while (i < s.len && (html_is_space(s.ptr[i]) || s.ptr[i] == '/'))
        i++;
    from = i;
    *at = i;
    if (i < s.len && s.ptr[i] == '>')
        return ATTRIBUTE_NONE;
    /* an equals sign at its beginning is part of the name */
    while (i < s.len && !html_is_space(s.ptr[i]) && s.ptr[i] != '/' && s.ptr[i] != '>' &&
           (s.ptr[i] != '=' || i == from))
        i++;
    *ret_name = slice_from(s.ptr + from, i - from);
    *ret_value = ERN_ABSENT;
    *at = i;
    i = skip_space(s, i);
    if (i == s.len)
        return ATTRIBUTE_CUT;
    if (s.ptr[i] != '=')
        return ATTRIBUTE_HERE;
    *at = i + 1;
    return read_value(s, at, ret_value);
}

bool
html_attribute_next(struct ern_slice *rest, struct ern_slice *ret_name, struct ern_slice *ret_value)
{
    size_t at = 0;

    if (read_attribute(*rest, &at, ret_name, ret_value) != ATTRIBUTE_HERE)
        return false;
    *rest = slice_skip(*rest, at);
    return true;
}

struct ern_slice
html_attribute(const struct html_token *tag, struct ern_slice name)
{
    struct ern_slice rest = tag->attributes, key, value;

    while (html_attribute_next(&rest, &key, &value))
        if (slice_eq_nocase(key, name))
            return slice_is_there(value) ? value : ERN_SLICE("");
    return ERN_ABSENT;
}

/* ---- tokens -----------------------------------------------------------------------------------*/

/* Where the first of these texts ends in s, from at on; SIZE_MAX: nowhere. */
static size_t
end_of(struct ern_slice s, size_t at, struct ern_slice mark)
{
    for (; at + mark.len <= s.len; at++) {
        at += slice_find(slice_skip(s, at), mark.ptr[0]);
        if (at + mark.len <= s.len && slice_starts(slice_skip(s, at), mark))
            return at + mark.len;
    }
    return SIZE_MAX;
}

/* Where the comment ends, which also --!> does, and > at once (HTML, 13.2.5.43 to 13.2.5.52). */
static size_t
end_of_comment(struct ern_slice s)
{
    size_t at = 4;

    if (slice_starts(s, ERN_SLICE("<!-->")))
        return 5;
    if (slice_starts(s, ERN_SLICE("<!--->")))
        return 6;
    for (; (at = end_of(s, at, ERN_SLICE("--"))) != SIZE_MAX; at--) {
        struct ern_slice after = slice_skip(s, at);

        if (slice_starts(after, ERN_SLICE(">")))
            return at + 1;
        if (slice_starts(after, ERN_SLICE("!>")))
            return at + 2;
    }
    return SIZE_MAX;
}

/* Where the tag ends whose name begins at `from`. */
static size_t
end_of_tag(struct ern_slice s, size_t from, struct html_token *t)
{
    struct ern_slice name, value;
    enum attribute attribute = ATTRIBUTE_HERE;
    size_t at = from;

    while (at < s.len && !html_is_space(s.ptr[at]) && s.ptr[at] != '/' && s.ptr[at] != '>')
        at++;
    t->name = slice_from(s.ptr + from, at - from);
    from = at;
    while (attribute == ATTRIBUTE_HERE && at < s.len)
        attribute = read_attribute(s, &at, &name, &value);
    if (attribute != ATTRIBUTE_NONE)
        return SIZE_MAX;
    t->attributes = slice_from(s.ptr + from, at + 1 - from);
    return at + 1;
}

/* What begins with < is a token, or text; SIZE_MAX: its end is not there. */
static size_t
read_markup(struct ern_slice s, struct html_token *t)
{
    static const struct ern_slice comment = {"<!--", 4}, cdata = {"<![CDATA[", 9};
    size_t from = 1;

    if (s.len < 2)
        return SIZE_MAX;
    if (s.ptr[1] == '!' || s.ptr[1] == '?') {
        size_t n = s.len < cdata.len ? s.len : cdata.len;

        t->kind = HTML_OTHER;
        if (s.len < comment.len && slice_starts(comment, s))
            return SIZE_MAX;
        if (slice_starts(s, comment)) {
            t->kind = HTML_COMMENT;
            return end_of_comment(s);
        }
        if (slice_starts(cdata, slice_first(s, n))) /* in SVG and MathML: it is left as it is */
            return end_of(s, 2, ERN_SLICE("]]>"));
        return end_of(s, 2, ERN_SLICE(">"));
    }
    t->kind = s.ptr[1] == '/' ? HTML_END : HTML_START;
    from += t->kind == HTML_END;
    if (from == s.len)
        return SIZE_MAX;
    if (char_is(s.ptr[from], CHAR_ALPHA))
        return end_of_tag(s, from, t);
    if (t->kind == HTML_END) { /* in the place of a comment (HTML, 13.2.5.7) */
        t->kind = HTML_OTHER;
        return end_of(s, 2, ERN_SLICE(">"));
    }
    t->kind = HTML_TEXT;
    return 1 + slice_find(slice_skip(s, 1), '<');
}

/* An element of which all content is text, but for its end tag. */
static void
open_raw(struct html *h, struct ern_slice name)
{
    h->hides = 0;
    for (size_t i = 0; i < sizeof raw_elements / sizeof *raw_elements; i++)
        if (slice_eq_nocase(name, slice_text(raw_elements[i])))
            h->raw = raw_elements[i];
}

/* A < or a dash in raw text: does the element end here? In a script what looks like its end may be
 * hidden (HTML, 13.2.5.18 to 13.2.5.31). */
static bool
ends_raw(struct html *h, struct ern_slice s)
{
    bool is_script = h->raw == raw_elements[0];

    if (slice_starts(s, ERN_SLICE("</")) && begins_name(slice_skip(s, 2), h->raw)) {
        if (h->hides < 2)
            return true;
        h->hides = 1;
    } else if (is_script && h->hides == 0 && slice_starts(s, ERN_SLICE("<!--"))) {
        h->hides = 1;
    } else if (h->hides == 1 && s.ptr[0] == '<' && begins_name(slice_skip(s, 1), h->raw)) {
        h->hides = 2;
    } else if (h->hides && slice_starts(s, ERN_SLICE("-->"))) {
        h->hides = 0;
    }
    return false;
}

/* Raw text, as far as it is known to be that. Returns its length; ret_ends: its end tag follows. */
static size_t
read_raw(struct html *h, struct ern_slice s, bool last, bool *ret_ends)
{
    size_t at = 0;

    *ret_ends = false;
    for (; at < s.len; at++) {
        char c = s.ptr[at];

        if (c != '<' && c != '-')
            continue;
        if (s.len - at < AHEAD && !last)
            return at;
        *ret_ends = ends_raw(h, slice_skip(s, at));
        if (*ret_ends)
            return at;
    }
    return at;
}

bool
html_next(struct html *h, struct ern_slice *in, bool last, struct html_token *t)
{
    bool ends = false;
    size_t n = 0;

    *t = (struct html_token){.kind = h->raw ? HTML_RAW : HTML_TEXT};
    if (in->len == 0)
        return false;
    if (h->raw)
        n = read_raw(h, *in, last, &ends);
    else
        n = slice_find(*in, '<');
    if (n == 0 && h->raw && !ends)
        return false;
    if (n == 0) {
        n = read_markup(*in, t);
        if (n == SIZE_MAX && !last)
            return false;
        if (n == SIZE_MAX) { /* it has no end: whatever it is, it stays as it is */
            *t = (struct html_token){.kind = HTML_OTHER};
            n = in->len;
        }
        h->raw = NULL;
    }
    t->text = slice_first(*in, n);
    *in = slice_skip(*in, n);
    t->is_whole = ends || (last && in->len == 0);
    if (t->kind == HTML_START)
        open_raw(h, t->name);
    return true;
}
