/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/list.h"

#include "base/chars.h"
#include "base/out.h"
#include "base/slice.h"

/* Where the first member of the list ends: at a comma outside quotes, or at the list's end. */
static size_t
member_end(struct ern_slice list)
{
    bool quoted = false;

    for (size_t i = 0; i < list.len; i++) {
        char c = list.ptr[i];

        if (c == ',' && !quoted)
            return i;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted)
            i++; /* quoted-pair (RFC 9110 5.6.4) */
    }
    return list.len;
}

bool
list_next(struct ern_slice *list, struct ern_slice *ret_member)
{
    while (list->len) {
        size_t end = member_end(*list);
        struct ern_slice member = slice_trim(slice_first(*list, end));

        *list = slice_skip(*list, end < list->len ? end + 1 : end);
        if (member.len) {
            *ret_member = member;
            return true;
        }
    }
    return false;
}

bool
list_has(const struct ern_request *request, enum ern_field_id id, struct ern_slice token)
{
    struct ern_slice line, member;

    for (uint16_t at = 0; ern_request_next(request, id, &at, &line);)
        while (list_next(&line, &member))
            if (slice_eq_nocase(member, token))
                return true;
    return false;
}

/* Takes white space, semicolons and what parameters stand empty between them off the front. */
static bool
take_semicolons(struct ern_slice *s)
{
    bool found = false;

    while (s->len && (s->ptr[0] == ' ' || s->ptr[0] == '\t' || s->ptr[0] == ';')) {
        found |= s->ptr[0] == ';';
        *s = slice_skip(*s, 1);
    }
    return found;
}

/* The length of the token at the front; 0 if there is none. */
static size_t
token_len(struct ern_slice s)
{
    size_t n = 0;

    while (n < s.len && char_is(s.ptr[n], CHAR_TCHAR))
        n++;
    return n;
}

/* Takes a quoted-string (RFC 9110 5.6.4) off the front; *ret is what is inside the quotes. */
static bool
take_quoted(struct ern_slice *s, struct ern_slice *ret)
{
    size_t i = 1;

    while (i < s->len && s->ptr[i] != '"') {
        i += s->ptr[i] == '\\';
        if (i >= s->len || !char_is(s->ptr[i], CHAR_FIELD))
            return false;
        i++;
    }
    if (i >= s->len)
        return false;
    *ret = slice_from(s->ptr + 1, i - 1);
    *s = slice_skip(*s, i + 1);
    return true;
}

/* Takes what stands after the name: "=" and a value, or nothing. */
static bool
take_value(struct ern_slice *s, struct ern_slice *ret)
{
    size_t n;

    *ret = ERN_ABSENT;
    if (s->len == 0 || s->ptr[0] != '=')
        return true;
    *s = slice_skip(*s, 1);
    if (s->len && s->ptr[0] == '"')
        return take_quoted(s, ret);
    n = token_len(*s);
    *ret = slice_first(*s, n);
    *s = slice_skip(*s, n);
    return n > 0;
}

bool
parameter_take(struct ern_slice *text, struct ern_slice *ret_name, struct ern_slice *ret_value)
{
    struct ern_slice name = slice_first(*text, token_len(*text)), value;
    struct ern_slice rest = slice_skip(*text, name.len);

    if (name.len == 0 || !take_value(&rest, &value))
        return false;
    *text = rest;
    *ret_name = name;
    *ret_value = value;
    return true;
}

bool
parameter_next(struct ern_slice *parameters, struct ern_slice *ret_name,
               struct ern_slice *ret_value)
{
    struct ern_slice rest = *parameters;
    bool found = take_semicolons(&rest) && parameter_take(&rest, ret_name, ret_value);

    if (found || rest.len == 0)
        *parameters = rest;
    return found;
}

/* The next character of a value, its backslash resolved; a value's last byte is no lone backslash.
 */
static char
unescape(struct ern_slice s, size_t *at)
{
    *at += s.ptr[*at] == '\\' && *at + 1 < s.len;
    return s.ptr[(*at)++];
}

void
parameter_write(struct out *o, struct ern_slice value)
{
    for (size_t i = 0; i < value.len;)
        out_char(o, unescape(value, &i));
}

bool
parameter_same(struct ern_slice a, struct ern_slice b)
{
    size_t i = 0, j = 0;

    while (i < a.len && j < b.len)
        if (unescape(a, &i) != unescape(b, &j))
            return false;
    return i == a.len && j == b.len;
}

bool
parameter_same_nocase(struct ern_slice a, struct ern_slice b)
{
    size_t i = 0, j = 0;

    while (i < a.len && j < b.len)
        if (lower(unescape(a, &i)) != lower(unescape(b, &j)))
            return false;
    return i == a.len && j == b.len;
}

bool
token_is(struct ern_slice text)
{
    return text.len > 0 && token_len(text) == text.len;
}
