/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/reference.h"

#include "base/slice.h"

/* Where one of these characters first is, or the end. */
static size_t
find_any(struct ern_slice text, const char *any)
{
    size_t least = text.len;

    for (; *any; any++) {
        size_t at = slice_find(text, *any);

        least = at < least ? at : least;
    }
    return least;
}

/* Takes "scheme:" off the front; false: it is another scheme than that of the base. */
static bool
take_scheme(struct ern_slice *reference, const struct reference_base *base)
{
    size_t end = find_any(*reference, ":/?");

    if (end == reference->len || reference->ptr[end] != ':')
        return true;
    if (!slice_eq_nocase(slice_first(*reference, end), base->scheme))
        return false;
    *reference = slice_skip(*reference, end + 1);
    /* What follows is hierarchical, or no URL of HTTP (RFC 9110 4.2.1). */
    return slice_starts(*reference, ERN_SLICE("//"));
}

/* Takes "//authority" off the front; false: it is another one. */
static bool
take_authority(struct ern_slice *reference, const struct reference_base *base, bool *ret_is_there)
{
    size_t end;

    *ret_is_there = slice_starts(*reference, ERN_SLICE("//"));
    if (!*ret_is_there)
        return true;
    *reference = slice_skip(*reference, 2);
    end = find_any(*reference, "/?");
    if (!slice_eq_nocase(slice_first(*reference, end), base->authority))
        return false;
    *reference = slice_skip(*reference, end);
    return true;
}

/* The path of the base up to its last slash, and this after it (RFC 3986 5.2.3). */
static struct ern_slice
merge(struct ern_slice path, struct ern_slice base, struct out *o)
{
    size_t before = o->len;

    while (base.len && base.ptr[base.len - 1] != '/')
        base.len--;
    out_slice(o, base.len ? base : ERN_SLICE("/"));
    out_slice(o, path);
    return slice_from(o->ptr + before, o->len - before);
}

bool
reference_resolve(struct ern_slice reference, const struct reference_base *base, struct out *o,
                  struct reference_target *ret)
{
    bool is_whole;

    reference = slice_first(reference, slice_find(reference, '#'));
    if (!take_scheme(&reference, base) || !take_authority(&reference, base, &is_whole))
        return false;
    ret->path = slice_first(reference, slice_find(reference, '?'));
    ret->query =
        ret->path.len < reference.len ? slice_skip(reference, ret->path.len + 1) : ERN_ABSENT;
    if (ret->path.len == 0)
        ret->path = is_whole || base->path.len == 0 ? ERN_SLICE("/") : base->path;
    else if (ret->path.ptr[0] != '/')
        ret->path = merge(ret->path, base->path, o);
    return !o->full;
}
