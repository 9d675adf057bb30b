/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content.h - content of a request on its way from its carrier to the sink of its resource:
 * asked for (100, 104), taken as fast as it can be kept and no faster, and ended.
 */
#ifndef SERVE_CONTENT_H
#define SERVE_CONTENT_H

#include "serve/exchange.h"

enum taken {
    TAKEN_MORE, /* more has to be received */
    TAKEN_BUSY, /* the pool writes what there is: the carrier's resume() is called after that */
    TAKEN_ALL,  /* the sink says how it ended */
};

/* Does the decision wait for content that nobody has asked for yet? */
bool content_is_wanted(const struct exchange *exchange);

/* Asks for it. Returns false without memory. */
ERN_MUST_USE bool content_begin(struct exchange *exchange);

/* Takes what was received. */
enum taken content_take(struct exchange *exchange);

/* No more will come: SINK_MALFORMED (it was cut), SINK_LATE. What came is kept where that counts.
 */
enum taken content_end(struct exchange *exchange, enum sink_state state);

/* At the end of content_grace_ms, again and again: did it come too slowly? */
bool content_is_slow(struct exchange *exchange);

/* The connection is gone. Returns true if the pool still writes, and gives the exchange back. */
bool content_abandon(struct exchange *exchange);

/* Gives back what the sink holds. */
void content_done(struct exchange *exchange);

/* Sends, once, what the resource knows that the client will ask for (103). */
void content_hint(struct exchange *exchange);

/* Sends the interim answers that belong to where the decision waits. */
void content_announce(struct exchange *exchange);

#endif
