/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - digests of content that the IANA registry of HTTP digests calls active (RFC 9530 5).
 */
#ifndef PACK_DIGEST_H
#define PACK_DIGEST_H

#include "base/slice.h"

enum { DIGEST_SHA256_BYTES = 32 };

void digest_sha256(struct ern_slice bytes, char ret_digest[static DIGEST_SHA256_BYTES]);

#endif
