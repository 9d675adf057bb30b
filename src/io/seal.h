/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h - a text that somebody with the same secret has sealed: HMAC (RFC 2104) with SHA-256. */
#ifndef IO_SEAL_H
#define IO_SEAL_H

#include <stdbool.h>

#include "earnest/slice.h"

enum { SEAL_SECRET_LEAST = 32, SEAL_SECRET_MOST = 4096 }; /* bytes */

struct seal_secret {
    size_t n; /* 0: there is none */
    char bytes[SEAL_SECRET_MOST];
};

/* Reads a secret: all bytes of the file. Returns 0, -EINVAL if they are too few or too many, or
 * another negative errno. */
ERN_MUST_USE int seal_read(const char *path, struct seal_secret *ret);

/* Is seal, 64 hexadecimal digits, that of text? What is compared takes the same time either way. */
ERN_MUST_USE bool seal_holds(const struct seal_secret *secret, struct ern_slice text,
                             struct ern_slice seal);

#endif
