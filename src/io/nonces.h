/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nonces.h - the nonces of Digest (RFC 7616 3.3). A nonce is its number and its time under a MAC,
 * so that none has to be kept until it is used; what was used of one is kept in a table whose size
 * does not grow. Shared by all threads, without a lock.
 */
#ifndef IO_NONCES_H
#define IO_NONCES_H

#include <stdint.h>

#include "base/out.h"

enum { NONCE_BYTES = 48 /* as text */ };

struct nonces;

struct nonce {
    uint32_t number;
    int64_t age_s;
};

/* Returns NULL without memory, or without a secret. */
struct nonces *nonces_new(void);
void nonces_free(struct nonces *nonces);

/* Writes a fresh one. */
void nonces_write(struct nonces *nonces, int64_t now_s, struct out *o);

/* Is it one of ours? */
ERN_MUST_USE bool nonces_read(const struct nonces *nonces, struct ern_slice text, int64_t now_s,
                              struct nonce *ret);

/*
 * Uses one with a count. Returns false if that was done before, or if it can not be told any more:
 * the count lies far behind the largest, or a newer nonce took its place.
 *   count  from 1; past 1,048,575 it is false
 */
ERN_MUST_USE bool nonces_use(struct nonces *nonces, uint32_t number, uint32_t count);

#endif
