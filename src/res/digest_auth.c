/* SPDX-License-Identifier: Apache-2.0 */
#include "res/digest_auth.h"

#include "base/num.h"

enum { COUNT_DIGITS = 8 };

#define JOIN(algorithm, hex, ...)                                                                  \
    crypto_joined(algorithm, (const struct ern_slice[]){__VA_ARGS__},                              \
                  sizeof((const struct ern_slice[]){__VA_ARGS__}) / sizeof(struct ern_slice),      \
                  (hex)->bytes)

uint32_t
digest_count(struct ern_slice nc)
{
    uint32_t count = 0;

    if (nc.len != COUNT_DIGITS)
        return 0;
    for (size_t i = 0; i < nc.len; i++) {
        int digit = hex_value(nc.ptr[i]);

        if (digit < 0)
            return 0;
        count = count << 4 | (uint32_t)digit;
    }
    return count;
}

struct ern_slice
digest_secret(enum crypto_hash algorithm, struct ern_slice user, struct ern_slice realm,
              struct ern_slice password, struct digest_hex *ret)
{
    return JOIN(algorithm, ret, user, realm, password);
}

struct ern_slice
digest_response(const struct digest *d, enum crypto_hash algorithm, struct ern_slice secret,
                struct ern_slice method, struct ern_slice content, struct digest_hex *ret)
{
    struct digest_hex a2_hex, content_hex;
    struct ern_slice a2;

    if (slice_is_there(content))
        a2 = JOIN(algorithm, &a2_hex, method, d->uri, JOIN(algorithm, &content_hex, content));
    else
        a2 = JOIN(algorithm, &a2_hex, method, d->uri);
    return JOIN(algorithm, ret, secret, d->nonce, d->nc, d->cnonce, d->qop, a2);
}
