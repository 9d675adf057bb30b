/* SPDX-License-Identifier: Apache-2.0 */
#include "io/crypto.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>

static const struct nettle_hash *const hashes[CRYPTO_HASHES] = {
    [CRYPTO_SHA256] = &nettle_sha256,
    [CRYPTO_SHA512_256] = &nettle_sha512_256,
    [CRYPTO_MD5] = &nettle_md5,
};

union context {
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
    struct md5_ctx md5;
};

bool
crypto_same(const void *a, const void *b, size_t n)
{
    return memeql_sec(a, b, n);
}

void
crypto_mac(struct ern_slice key, struct ern_slice text, unsigned char ret_mac[CRYPTO_BYTES])
{
    struct hmac_sha256_ctx ctx;

    hmac_sha256_set_key(&ctx, key.len, (const uint8_t *)key.ptr);
    hmac_sha256_update(&ctx, text.len, (const uint8_t *)text.ptr);
    hmac_sha256_digest(&ctx, CRYPTO_BYTES, ret_mac);
}

struct ern_slice
crypto_joined(enum crypto_hash hash, const struct ern_slice *texts, size_t n,
              char hex[CRYPTO_HEX_BYTES])
{
    const struct nettle_hash *h = hashes[hash];
    struct out o = out_init(hex, CRYPTO_HEX_BYTES);
    uint8_t digest[CRYPTO_BYTES];
    union context ctx;

    h->init(&ctx);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            h->update(&ctx, 1, (const uint8_t *)":");
        h->update(&ctx, texts[i].len, (const uint8_t *)texts[i].ptr);
    }
    h->digest(&ctx, h->digest_size, digest);
    out_hex_bytes(&o, digest, h->digest_size);
    return out_done(&o);
}
