/* SPDX-License-Identifier: Apache-2.0 */
/*
 * charge.h - what a request to a metered route costs (402): the asks of that policy. Who asks names
 * an account by X-API-Key. The price is taken once a success, and once an Idempotency-Key: a
 * client that was cut off asks again with the same one and pays nothing.
 */
#ifndef SERVE_CHARGE_H
#define SERVE_CHARGE_H

#include "earnest/decide.h"
#include "serve/meter.h"

struct exchange;

enum charge_stage { CHARGE_NONE, CHARGE_HELD, CHARGE_PAID };

struct charge { /* of one request */
    enum charge_stage stage;
    int error; /* what the last step ended with: a negative errno, or 0 */
    struct meter_hold hold;
};

enum ern_answer charge_ask_paid(struct ern_decision *d);
enum ern_answer charge_ask_debited(struct ern_decision *d);

/* Nothing is held, and the rest is written before it is read. */
static inline void
charge_init(struct charge *charge)
{
    charge->stage = CHARGE_NONE;
    charge->error = 0;
    charge->hold.link = NULL;
}

/* Is there an account of the key that the request brings? Then names it. Does not block. */
bool charge_knows(const struct exchange *exchange, uint8_t ret_account[DIGEST_BYTES]);

/* Can credit be looked at? */
bool charge_can(const struct exchange *exchange);

/* The request is over: gives back what it holds. */
void charge_done(struct exchange *exchange);

#endif
