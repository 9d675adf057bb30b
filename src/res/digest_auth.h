/* SPDX-License-Identifier: Apache-2.0 */
/* digest_auth.h - what Digest (RFC 7616) computes, for those who ask for a secret and check it. */
#ifndef RES_DIGEST_AUTH_H
#define RES_DIGEST_AUTH_H

#include "io/crypto.h"
#include "msg/credentials.h"

struct digest_hex { /* a hash in hexadecimal digits */
    char bytes[CRYPTO_HEX_BYTES];
};

/* The count of requests with this nonce: 8LHEX (RFC 7616 3.4). Returns 0 if it is none. */
uint32_t digest_count(struct ern_slice nc);

/* H(A1) of a user whose password is known (RFC 7616 3.4.2). A slice of ret. */
struct ern_slice digest_secret(enum crypto_hash algorithm, struct ern_slice user,
                               struct ern_slice realm, struct ern_slice password,
                               struct digest_hex *ret);

/*
 * What the client has to send: KD(H(A1), nonce:nc:cnonce:qop:H(A2)), RFC 7616 3.4.1. A slice of
 * ret. secret   H(A1) method   empty: what the server says of itself (3.5) content  of the request,
 * where qop is auth-int (3.4.3); absent where it is auth
 */
struct ern_slice digest_response(const struct digest *digest, enum crypto_hash algorithm,
                                 struct ern_slice secret, struct ern_slice method,
                                 struct ern_slice content, struct digest_hex *ret);

#endif
