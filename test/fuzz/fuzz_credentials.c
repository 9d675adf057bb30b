/* SPDX-License-Identifier: Apache-2.0 */
/* A value of Authorization. What is read of Basic is written again, and is the same but for the
 * case of the scheme and the spaces after it. What is read of Digest has no control characters and
 * is all there; with a parameter again it is refused. */
#include <stdlib.h>

#include "base/base64.h"
#include "msg/credentials.h"
#include "msg/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 4096 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_clean(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        check((unsigned char)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f);
}

static void
check_digest(struct ern_slice rest)
{
    char memory[2 * TEXT_BYTES], twice[2 * TEXT_BYTES];
    struct out o = out_init(memory, sizeof memory), w = out_init(twice, sizeof twice);
    struct digest d;

    if (!credentials_digest(rest, &o, &d))
        return;
    check(slice_is_there(d.user) && slice_is_there(d.realm) && slice_is_there(d.nonce) &&
          slice_is_there(d.uri) && slice_is_there(d.response) && slice_is_there(d.cnonce) &&
          slice_is_there(d.qop) && slice_is_there(d.nc));
    check_clean(out_done(&o));
    out_slice(&w, rest);
    out_literal(&w, ",nc=00000001");
    o.len = 0;
    check(w.full || !credentials_digest(out_done(&w), &o, &d));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice value = slice_from((const char *)data, size), user, password;
    char memory[TEXT_BYTES], again[2 * TEXT_BYTES];
    struct out o = out_init(memory, sizeof memory), w = out_init(again, sizeof again);
    struct credentials c;

    if (!credentials_read(value, &c))
        return 0;
    check(token_is(c.scheme) && slice_starts(value, c.scheme));
    check(slice_trim(c.rest).len == c.rest.len);
    check_digest(c.rest);
    check(!credentials_is_token68(c.rest) || slice_find(c.rest, ' ') == c.rest.len);
    if (!credentials_basic(c.rest, &o, &user, &password))
        return 0;
    check(slice_find(user, ':') == user.len);
    check(user.len + 1 + password.len == o.len && password.ptr == user.ptr + user.len + 1);
    for (size_t i = 0; i < o.len; i++)
        check((unsigned char)o.ptr[i] >= 0x20 && o.ptr[i] != 0x7f);
    base64_write(&w, out_done(&o));
    check(!w.full && slice_eq(out_done(&w), c.rest));
    return 0;
}
