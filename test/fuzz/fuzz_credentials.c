/* SPDX-License-Identifier: Apache-2.0 */
/* A value of Authorization. What is read of Basic is written again, and is the same but for the
 * case of the scheme and the spaces after it. */
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
