/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/h2_lines.h"

#include "base/slice.h"

bool
h2_is_of_connection(struct ern_slice name)
{
    static const struct ern_slice names[] = {
        {"connection", 10}, {"upgrade", 7}, {"keep-alive", 10}, {"transfer-encoding", 17}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq(names[i], name))
            return true;
    return false;
}

bool
h2_next_line(struct out *lines, size_t *at, nghttp2_nv *ret_nv)
{
    char *line = lines->ptr + *at;
    struct ern_slice rest = slice_from(line, lines->len - *at);
    size_t colon = slice_find(rest, ':'), end = slice_find(rest, '\r');

    if (rest.len == 0 || end == 0)
        return false;
    assert(colon + 2 <= end);
    assert(end + 2 <= rest.len);
    for (size_t i = 0; i < colon; i++)
        if (line[i] >= 'A' && line[i] <= 'Z')
            line[i] = (char)(line[i] | 0x20);
    ret_nv->name = (uint8_t *)line;
    ret_nv->namelen = colon;
    ret_nv->value = (uint8_t *)line + colon + 2;
    ret_nv->valuelen = end - colon - 2;
    *at += end + 2;
    return true;
}
