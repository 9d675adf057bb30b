/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/digest.h"

#include <nettle/sha2.h>

static_assert(DIGEST_SHA256_BYTES == SHA256_DIGEST_SIZE, "as nettle has it");

void
digest_sha256(struct ern_slice bytes, char ret_digest[static DIGEST_SHA256_BYTES])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, bytes.len, (const uint8_t *)bytes.ptr);
    sha256_digest(&context, DIGEST_SHA256_BYTES, (uint8_t *)ret_digest);
}
