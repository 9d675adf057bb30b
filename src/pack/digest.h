/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - digests of content that the IANA registry of HTTP digests calls active (RFC 9530 5).
 */
#ifndef PACK_DIGEST_H
#define PACK_DIGEST_H

#include "base/slice.h"

enum digest { DIGEST_SHA512, DIGEST_SHA256, DIGESTS /* none */ };

enum { DIGEST_SHA256_BYTES = 32, DIGEST_BYTES_MAX = 64 };

/* As in the fields: "sha-256". */
struct ern_slice digest_name(enum digest digest);
size_t digest_length(enum digest digest);

/* All at once, */
void digest_write(enum digest digest, struct ern_slice bytes,
                  char ret_digest[static DIGEST_BYTES_MAX]);
void digest_sha256(struct ern_slice bytes, char ret_digest[static DIGEST_SHA256_BYTES]);

/* or in pieces. NULL without memory; digester_end() frees it. */
struct digester;
struct digester *digester_new(enum digest digest);
void digester_take(struct digester *digester, struct ern_slice bytes);
void digester_end(struct digester *digester, char ret_digest[static DIGEST_BYTES_MAX]);

#endif
