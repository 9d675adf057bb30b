/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - digests of content that the IANA registry of HTTP digests calls active (RFC 9530 5).
 */
#ifndef PACK_DIGEST_H
#define PACK_DIGEST_H

#include "base/slice.h"

enum { DIGEST_SHA256_BYTES = 32 };

/* All at once, */
void digest_sha256(struct ern_slice bytes, char ret_digest[static DIGEST_SHA256_BYTES]);

/* or in pieces: SHA-256, too. NULL without memory; digester_end() frees it. */
struct digester;
struct digester *digester_new(void);
void digester_take(struct digester *digester, struct ern_slice bytes);
void digester_end(struct digester *digester, char ret_digest[static DIGEST_SHA256_BYTES]);

#endif
