/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/slice.h"

/* A secret of this process, so that strangers cannot choose names that collide. */
struct hash_key {
    uint64_t k0, k1;
};

/* SipHash-1-3 of the bytes under the key. */
uint64_t hash_bytes(struct hash_key key, struct ern_slice bytes);

#endif
