/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/etag.h"

#include "base/chars.h"
#include "base/slice.h"

/* The tag without its weakness indicator, which is case-sensitive (RFC 9110 8.8.3). */
static struct ern_slice
opaque(struct ern_slice tag)
{
    return slice_starts(tag, ERN_SLICE("W/")) ? slice_skip(tag, 2) : tag;
}

/* opaque-tag = DQUOTE *etagc DQUOTE: a backslash is a character like any other. */
static bool
opaque_is(struct ern_slice text)
{
    if (text.len < 2 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"')
        return false;
    for (size_t i = 1; i < text.len - 1; i++)
        if (!char_is(text.ptr[i], CHAR_ETAG))
            return false;
    return true;
}

bool
etag_is(struct ern_slice text)
{
    return opaque_is(opaque(text));
}

bool
etag_same_strong(struct ern_slice a, struct ern_slice b)
{
    return opaque_is(a) && slice_eq(a, b);
}

bool
etag_same_weak(struct ern_slice a, struct ern_slice b)
{
    return etag_is(a) && slice_eq(opaque(a), opaque(b));
}

/* As list_next(), but inside the quotes of an entity-tag a backslash escapes nothing. */
static bool
tag_next(struct ern_slice *list, struct ern_slice *ret_member)
{
    bool quoted = false;
    size_t end = 0;

    if (list->len == 0)
        return false;
    while (end < list->len && (quoted || list->ptr[end] != ','))
        quoted ^= list->ptr[end++] == '"';
    *ret_member = slice_trim(slice_first(*list, end));
    *list = slice_skip(*list, end < list->len ? end + 1 : end);
    return true;
}

bool
etag_is_any(const struct ern_request *request, enum ern_field_id list)
{
    struct ern_slice line;
    uint16_t at = 0;

    return ern_request_next(request, list, &at, &line) && slice_eq(line, ERN_SLICE("*")) &&
           !ern_request_next(request, list, &at, &line);
}

bool
etag_in(const struct ern_request *request, enum ern_field_id list, struct ern_slice etag,
        bool strong)
{
    struct ern_slice line, member;

    if (etag_is_any(request, list))
        return true;
    for (uint16_t at = 0; ern_request_next(request, list, &at, &line);)
        while (tag_next(&line, &member))
            if (strong ? etag_same_strong(member, etag) : etag_same_weak(member, etag))
                return true;
    return false;
}
