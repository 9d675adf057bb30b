/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.h - prepaid credit, for all threads. A request first holds its price, in memory, so that
 * what is in progress can not cost more than there is; when it has succeeded the price is taken
 * from the account, on disk, before a byte of the answer is sent. A hold that is given back, or
 * lost in a crash, costs nothing.
 */
#ifndef SERVE_METER_H
#define SERVE_METER_H

#include <stdbool.h>

#include "earnest/slice.h"
#include "io/digest.h"

struct meter;
struct out;
struct store;

struct meter_hold {                /* of one request */
    uint8_t account[DIGEST_BYTES]; /* the digest of a key */
    uint8_t receipt[DIGEST_BYTES]; /* under which a repetition finds that it was paid; and */
    bool has_receipt;              /* is there one? */
    bool is_paid;                  /* it was paid before */
    int64_t price;
    int64_t balance;                 /* of the account, when it was last looked at */
    struct meter_hold *next, **link; /* among those held; link is NULL outside */
};

/* Returns NULL without memory, or if the accounts cannot be read. Blocks. */
struct meter *meter_new(struct store *store, int64_t receipt_s);
void meter_free(struct meter *meter); /* NULL is fine */

/* The account of a key. */
void meter_account(struct ern_slice key, uint8_t ret_account[DIGEST_BYTES]);

/* Is there such an account? Does not block; one that was made meanwhile by another process, or
 * beyond some thousands since the start, may not be known. */
bool meter_knows(const struct meter *meter, const uint8_t account[DIGEST_BYTES]);

/*
 * Holds the price, if the account has so much that nobody else holds, or the receipt is known.
 * Blocks. Returns 0, -EDQUOT if there is too little, or another negative errno.
 */
ERN_MUST_USE int meter_hold(struct meter *meter, struct meter_hold *hold);

/*
 * Takes the price, once a receipt: it survives a crash when this returns. Blocks; those who call it
 * at the same time share a sync.
 *   done  what is paid for is done and can not be taken back: the account may go below zero, if a
 *         second process has spent what this one held
 * Returns 0, -EDQUOT if there is too little, or another negative errno. The hold is given back.
 */
ERN_MUST_USE int meter_pay(struct meter *meter, struct meter_hold *hold, bool done);

/* Gives the hold back; does not block. Nothing if it is not held. */
void meter_release(struct meter *meter, struct meter_hold *hold);

/* Adds to an account, which is made if it is new. Blocks. Returns 0, -ERANGE, or another negative
 * errno. */
ERN_MUST_USE int meter_add(struct meter *meter, const uint8_t account[DIGEST_BYTES], int64_t n,
                           int64_t *ret_balance);

/* What an account has; -ENOENT. Blocks. */
ERN_MUST_USE int meter_balance(struct meter *meter, const uint8_t account[DIGEST_BYTES],
                               int64_t *ret_balance);

/* Calls each() for every account. Blocks. */
ERN_MUST_USE int meter_walk(struct meter *meter,
                            int (*each)(void *self, struct ern_slice account, int64_t balance),
                            void *self);

#endif
