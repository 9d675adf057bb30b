/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/digest.h"

#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>
#include <stdlib.h>

static_assert(DIGEST_SHA256_BYTES == SHA256_DIGEST_SIZE, "as nettle has it");
static_assert(DIGEST_BYTES_MAX == SHA512_DIGEST_SIZE, "as nettle has it");

union context {
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
};

struct digester {
    const struct nettle_hash *hash;
    union context context;
};

struct ern_slice
digest_name(enum digest digest)
{
    return digest == DIGEST_SHA512 ? ERN_SLICE("sha-512") : ERN_SLICE("sha-256");
}

static const struct nettle_hash *
hash_of(enum digest digest)
{
    return digest == DIGEST_SHA512 ? &nettle_sha512 : &nettle_sha256;
}

size_t
digest_length(enum digest digest)
{
    return hash_of(digest)->digest_size;
}

static void
begin(struct digester *d, enum digest digest)
{
    d->hash = hash_of(digest);
    d->hash->init(&d->context);
}

static void
end(struct digester *d, char *ret_digest)
{
    d->hash->digest(&d->context, d->hash->digest_size, (uint8_t *)ret_digest);
}

void
digest_write(enum digest digest, struct ern_slice bytes, char ret_digest[static DIGEST_BYTES_MAX])
{
    struct digester d;

    begin(&d, digest);
    digester_take(&d, bytes);
    end(&d, ret_digest);
}

void
digest_sha256(struct ern_slice bytes, char ret_digest[static DIGEST_SHA256_BYTES])
{
    struct digester d;

    begin(&d, DIGEST_SHA256);
    digester_take(&d, bytes);
    end(&d, ret_digest);
}

struct digester *
digester_new(enum digest digest)
{
    struct digester *d = malloc(sizeof *d);

    if (d)
        begin(d, digest);
    return d;
}

void
digester_take(struct digester *d, struct ern_slice bytes)
{
    d->hash->update(&d->context, bytes.len, (const uint8_t *)bytes.ptr);
}

void
digester_end(struct digester *d, char ret_digest[static DIGEST_BYTES_MAX])
{
    end(d, ret_digest);
    free(d);
}
