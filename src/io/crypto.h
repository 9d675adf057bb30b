/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.h - the little of cryptography that is not TLS. Takes no memory, and can not fail. */
#ifndef IO_CRYPTO_H
#define IO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "earnest/slice.h"

enum { CRYPTO_BYTES = 32 };

/* Are the n bytes the same? How long it takes does not tell where they differ. */
bool crypto_same(const void *a, const void *b, size_t n);

/* HMAC-SHA-256 (RFC 2104) of text under the key. */
void crypto_mac(const unsigned char key[CRYPTO_BYTES], struct ern_slice text,
                unsigned char ret_mac[CRYPTO_BYTES]);

#endif
