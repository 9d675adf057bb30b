/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/css.h"

#include "base/chars.h"
#include "pack/html.h"

/* Each gives where what begins at s ends; SIZE_MAX: not in s. */

static size_t
end_of_comment(struct ern_slice s)
{
    for (size_t at = 2; at + 1 < s.len; at++)
        if (s.ptr[at] == '*' && s.ptr[at + 1] == '/')
            return at + 2;
    return SIZE_MAX;
}

/* A string ends at its line, too, but then it is none (CSS Syntax, 4.3.5). */
static size_t
end_of_string(struct ern_slice s, bool *ret_right)
{
    *ret_right = false;
    for (size_t at = 1; at < s.len; at++) {
        char c = s.ptr[at];

        *ret_right = c == s.ptr[0];
        if (*ret_right)
            return at + 1;
        if (c == '\n' || c == '\f' || c == '\r')
            return at;
        at += c == '\\';
    }
    return SIZE_MAX;
}

/* A URL without quotes ends with its parenthesis (CSS Syntax, 4.3.6). */
static size_t
end_of_url(struct ern_slice s, size_t at, bool *ret_right)
{
    bool is_over = false;

    *ret_right = true;
    for (; at < s.len; at++) {
        char c = s.ptr[at];

        if (c == ')')
            return at + 1;
        if (html_is_space(c))
            is_over = true;
        else if (is_over || c == '"' || c == '\'' || c == '(')
            *ret_right = false;
        at += c == '\\';
    }
    return SIZE_MAX;
}

static bool
is_of_name(char c)
{
    return char_is(c, CHAR_ALPHA | CHAR_DIGIT) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

static size_t
end_of_name(struct ern_slice s)
{
    size_t at = s.ptr[0] == '@' || s.ptr[0] == '#' ? 1 : 0;

    while (at < s.len && (is_of_name(s.ptr[at]) || s.ptr[at] == '\\'))
        at += s.ptr[at] == '\\' ? 2 : 1;
    return at < s.len ? at : SIZE_MAX;
}

/* What begins with a name: a function url(), as far as its string, or with what stands in it. */
static size_t
read_name(struct css *css, struct ern_slice s, struct css_token *t)
{
    size_t n = end_of_name(s), at;
    bool is_right;

    if (n == SIZE_MAX)
        return n;
    css->wants_link = slice_eq_nocase(slice_first(s, n), ERN_SLICE("@import"));
    if (s.ptr[n] != '(' || !slice_eq_nocase(slice_first(s, n), ERN_SLICE("url")))
        return n;
    for (at = n + 1; at < s.len && html_is_space(s.ptr[at]);)
        at++;
    if (at == s.len)
        return SIZE_MAX;
    css->wants_link = s.ptr[at] == '"' || s.ptr[at] == '\'';
    if (css->wants_link)
        return at;
    n = end_of_url(s, at, &is_right);
    if (n != SIZE_MAX && is_right)
        t->url = slice_trim(slice_from(s.ptr + at, n - 1 - at));
    return n;
}

static size_t
read_string(struct css *css, struct ern_slice s, struct css_token *t)
{
    bool is_right;
    size_t n = end_of_string(s, &is_right);

    if (n != SIZE_MAX && is_right && css->wants_link)
        t->url = slice_from(s.ptr + 1, n - 2);
    css->wants_link = false;
    return n;
}

static size_t
read_token(struct css *css, struct ern_slice s, bool last, struct css_token *t)
{
    char c = s.ptr[0];

    if (html_is_space(c))
        return 1;
    if (c == '/' && s.len == 1 && !last)
        return SIZE_MAX;
    if (slice_starts(s, ERN_SLICE("/*")))
        return end_of_comment(s);
    if (c == '"' || c == '\'')
        return read_string(css, s, t);
    if (is_of_name(c) || c == '\\' || c == '@' || c == '#')
        return read_name(css, s, t);
    css->wants_link = false;
    return 1;
}

bool
css_next(struct css *css, struct ern_slice *in, bool last, struct css_token *t)
{
    struct css before = *css;
    size_t n;

    *t = (struct css_token){.url = ERN_ABSENT};
    if (in->len == 0)
        return false;
    n = read_token(css, *in, last, t);
    if (n == SIZE_MAX && !last) {
        *css = before;
        return false;
    }
    t->text = slice_first(*in, n < in->len ? n : in->len);
    *in = slice_skip(*in, t->text.len);
    return true;
}
