/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/extension.h"

#include "base/chars.h"
#include "base/slice.h"
#include "msg/list.h"

enum { PREFIX_LEAST = 2 /* digits: RFC 2774 3 */ };

static bool
is_prefix(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len >= PREFIX_LEAST;
}

/* A URI or the name of a field: visible ASCII, without quotes in it. */
static bool
is_id(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == '\\')
            return false;
    return text.len > 0;
}

bool
extension_read(struct ern_slice text, struct extension *ret)
{
    struct extension e = {.prefix = ERN_ABSENT};
    struct ern_slice name, value;

    if (text.len < 2 || text.ptr[0] != '"')
        return false;
    text = slice_skip(text, 1);
    e.id = slice_first(text, slice_find(text, '"'));
    if (e.id.len == text.len || !is_id(e.id))
        return false;
    text = slice_skip(text, e.id.len + 1);
    while (parameter_next(&text, &name, &value)) {
        if (!slice_eq_nocase(name, ERN_SLICE("ns")))
            continue;
        if (slice_is_there(e.prefix) || !slice_is_there(value) || !is_prefix(value))
            return false;
        e.prefix = value;
    }
    if (text.len > 0)
        return false;
    *ret = e;
    return true;
}

static bool
is_named(struct ern_slice field, struct ern_slice prefix, struct ern_slice name)
{
    return field.len == prefix.len + 1 + name.len && slice_starts(field, prefix) &&
           field.ptr[prefix.len] == '-' && slice_eq_nocase(slice_skip(field, prefix.len + 1), name);
}

bool
extension_field(const struct ern_request *r, const struct extension *e, struct ern_slice name,
                struct ern_slice *ret_value)
{
    unsigned n = 0;

    if (!slice_is_there(e->prefix))
        return false;
    for (unsigned i = 0; i < r->fields_n; i++) {
        if (!is_named(r->fields[i].name, e->prefix, name))
            continue;
        *ret_value = r->fields[i].value;
        n++;
    }
    return n == 1;
}
