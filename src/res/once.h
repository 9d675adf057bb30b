/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once.h - what was done already, by the key that came with it
 * (draft-ietf-httpapi-idempotency-key-header): who sends the same key again is not served twice.
 * Keys and contents are known by their digests alone. Any thread may call.
 */
#ifndef RES_ONCE_H
#define RES_ONCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/digest.h"

enum { ONCE_KEY_BYTES = 16 };

struct once_claim { /* a request with a key, while it is answered; of the caller's memory */
    struct once_claim *next;
    uint8_t key[ONCE_KEY_BYTES];
    bool held;
};

struct once_done {
    uint8_t key[ONCE_KEY_BYTES];
    uint8_t content[DIGEST_BYTES];
    int64_t at_s; /* Unix time */
};

struct once {
    pthread_mutex_t lock; /* held for a moment, never while something waits */
    struct once_claim *claims;
    struct once_done *done; /* a ring of max, n of them used, the next one written at next */
    size_t max, n, next;
    int64_t keep_s;
};

/*
 *   max     how many keys are remembered; beyond it the oldest are forgotten
 *   keep_s  and for how long
 * Returns false without memory.
 */
ERN_MUST_USE bool once_init(struct once *once, size_t max, int64_t keep_s);
void once_free(struct once *once);

/* Claims the key of the claim. Returns false if another request has it just now. */
ERN_MUST_USE bool once_claim(struct once *once, struct once_claim *claim);

/* Gives it back, if it is held. */
void once_release(struct once *once, struct once_claim *claim);

/* Was something done under the key? Then also for which content. */
bool once_find(struct once *once, const uint8_t key[ONCE_KEY_BYTES], int64_t now_s,
               uint8_t ret_content[DIGEST_BYTES]);

/* Remembers what was done. */
void once_keep(struct once *once, const struct once_done *done);

#endif
