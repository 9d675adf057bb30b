/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.h - the little of cryptography that is not TLS. Takes no memory, and can not fail. */
#ifndef IO_CRYPTO_H
#define IO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/out.h"

enum {
    CRYPTO_BYTES = 32,
    CRYPTO_HEX_BYTES = 64 /* of the longest hash, in hexadecimal digits */
};

enum crypto_hash { CRYPTO_SHA256, CRYPTO_SHA512_256, CRYPTO_MD5, CRYPTO_HASHES };

/* Are the n bytes the same? How long it takes does not tell where they differ. */
bool crypto_same(const void *a, const void *b, size_t n);

/* HMAC-SHA-256 (RFC 2104) of text under the key, of any length. */
void crypto_mac(struct ern_slice key, struct ern_slice text, unsigned char ret_mac[CRYPTO_BYTES]);

/*
 * The hash of texts with a colon between each two, as Digest has it (RFC 7616 3.4.1): in
 * hexadecimal digits, 64 or, of MD5, 32. They are slices of hex.
 */
struct ern_slice crypto_joined(enum crypto_hash hash, const struct ern_slice *texts, size_t n,
                               char hex[CRYPTO_HEX_BYTES]);

#endif
