/* SPDX-License-Identifier: Apache-2.0 */
#include "io/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <unistd.h>

#include "base/num.h"

enum { MAC_BYTES = SHA256_DIGEST_SIZE };

int
seal_read(const char *path, struct seal_secret *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char one_more;
    ssize_t n;
    int error = 0;

    ret->n = 0;
    if (fd < 0)
        return -errno;
    n = read(fd, ret->bytes, sizeof ret->bytes);
    if (n < 0)
        error = -errno;
    else if (n < SEAL_SECRET_LEAST || read(fd, &one_more, 1) != 0)
        error = -EINVAL;
    else
        ret->n = (size_t)n;
    (void)close(fd);
    return error;
}

bool
seal_holds(const struct seal_secret *secret, struct ern_slice text, struct ern_slice seal)
{
    uint8_t right[MAC_BYTES], given[MAC_BYTES];
    struct hmac_sha256_ctx hmac;

    if (secret->n == 0 || seal.len != 2 * sizeof given)
        return false;
    for (size_t i = 0; i < sizeof given; i++) {
        int high = hex_value(seal.ptr[2 * i]), low = hex_value(seal.ptr[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        given[i] = (uint8_t)(high << 4 | low);
    }
    hmac_sha256_set_key(&hmac, secret->n, (const uint8_t *)secret->bytes);
    hmac_sha256_update(&hmac, text.len, (const uint8_t *)text.ptr);
    hmac_sha256_digest(&hmac, sizeof right, right);
    return memeql_sec(right, given, sizeof right) != 0;
}
