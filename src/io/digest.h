/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - what names content, or a secret, without telling it: SHA-256 (FIPS 180-4). */
#ifndef IO_DIGEST_H
#define IO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "earnest/slice.h"

enum { DIGEST_BYTES = 32 };

/* The digest of texts, one after another, each with its length before it: no two lists of texts
 * have the same. */
void digest_texts(const struct ern_slice *texts, size_t n, uint8_t ret_digest[DIGEST_BYTES]);

/* The digest of bytes, as sha256sum has it. */
void digest_bytes(struct ern_slice bytes, uint8_t ret_digest[DIGEST_BYTES]);

/* The digest of the first n bytes of a file. Reads it, so it may block. Returns 0, -EIO if there
 * are fewer, or another negative errno. */
ERN_MUST_USE int digest_file(int fd, uint64_t n, uint8_t ret_digest[DIGEST_BYTES]);

#endif
