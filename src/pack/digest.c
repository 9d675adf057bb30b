/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/digest.h"

#include <nettle/sha2.h>
#include <stdlib.h>

static_assert(DIGEST_SHA256_BYTES == SHA256_DIGEST_SIZE, "as nettle has it");

struct digester {
    struct sha256_ctx context;
};

static void
take(struct digester *d, struct ern_slice bytes)
{
    sha256_update(&d->context, bytes.len, (const uint8_t *)bytes.ptr);
}

void
digest_sha256(struct ern_slice bytes, char ret_digest[static DIGEST_SHA256_BYTES])
{
    struct digester d;

    sha256_init(&d.context);
    take(&d, bytes);
    sha256_digest(&d.context, DIGEST_SHA256_BYTES, (uint8_t *)ret_digest);
}

struct digester *
digester_new(void)
{
    struct digester *d = malloc(sizeof *d);

    if (d)
        sha256_init(&d->context);
    return d;
}

void
digester_take(struct digester *d, struct ern_slice bytes)
{
    take(d, bytes);
}

void
digester_end(struct digester *d, char ret_digest[static DIGEST_SHA256_BYTES])
{
    sha256_digest(&d->context, DIGEST_SHA256_BYTES, (uint8_t *)ret_digest);
    free(d);
}
