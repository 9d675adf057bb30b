/* SPDX-License-Identifier: Apache-2.0 */
#include "io/crypto.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>

bool
crypto_same(const void *a, const void *b, size_t n)
{
    return memeql_sec(a, b, n);
}

void
crypto_mac(const unsigned char key[CRYPTO_BYTES], struct ern_slice text,
           unsigned char ret_mac[CRYPTO_BYTES])
{
    struct hmac_sha256_ctx ctx;

    hmac_sha256_set_key(&ctx, CRYPTO_BYTES, key);
    hmac_sha256_update(&ctx, text.len, (const uint8_t *)text.ptr);
    hmac_sha256_digest(&ctx, CRYPTO_BYTES, ret_mac);
}
