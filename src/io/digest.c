/* SPDX-License-Identifier: Apache-2.0 */
#include "io/digest.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <unistd.h>

enum { PIECE_BYTES = 65536 };

void
digest_texts(const struct ern_slice *texts, size_t n, uint8_t ret_digest[DIGEST_BYTES])
{
    struct sha256_ctx sha;

    sha256_init(&sha);
    for (size_t i = 0; i < n; i++) {
        uint64_t len = texts[i].len;

        sha256_update(&sha, sizeof len, (const uint8_t *)&len);
        if (len > 0)
            sha256_update(&sha, texts[i].len, (const uint8_t *)texts[i].ptr);
    }
    sha256_digest(&sha, DIGEST_BYTES, ret_digest);
}

void
digest_bytes(struct ern_slice bytes, uint8_t ret_digest[DIGEST_BYTES])
{
    struct sha256_ctx sha;

    sha256_init(&sha);
    if (bytes.len > 0)
        sha256_update(&sha, bytes.len, (const uint8_t *)bytes.ptr);
    sha256_digest(&sha, DIGEST_BYTES, ret_digest);
}

int
digest_file(int fd, uint64_t n, uint8_t ret_digest[DIGEST_BYTES])
{
    uint8_t piece[PIECE_BYTES];
    struct sha256_ctx sha;
    uint64_t at = 0;

    sha256_init(&sha);
    while (at < n) {
        size_t most = n - at < sizeof piece ? (size_t)(n - at) : sizeof piece;
        ssize_t got = pread(fd, piece, most, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        sha256_update(&sha, (size_t)got, piece);
        at += (uint64_t)got;
    }
    sha256_digest(&sha, DIGEST_BYTES, ret_digest);
    return 0;
}
