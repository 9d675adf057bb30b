/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/credentials.h"

#include "base/base64.h"
#include "msg/list.h"

bool
credentials_read(struct ern_slice value, struct credentials *ret)
{
    ret->scheme = slice_first(value, slice_find(value, ' '));
    ret->rest = slice_trim(slice_skip(value, ret->scheme.len));
    return token_is(ret->scheme);
}

/* rfc7617#2 "The user-id and password MUST NOT contain any control characters" */
static bool
has_control(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

bool
credentials_basic(struct ern_slice rest, struct out *o, struct ern_slice *ret_user,
                  struct ern_slice *ret_password)
{
    size_t begin = o->len, colon;
    struct ern_slice both;

    if (!base64_read(rest, o) || o->full)
        return false;
    both = slice_skip(out_done(o), begin);
    colon = slice_find(both, ':');
    if (colon == both.len || has_control(both))
        return false;
    *ret_user = slice_first(both, colon);
    *ret_password = slice_skip(both, colon + 1);
    return true;
}
