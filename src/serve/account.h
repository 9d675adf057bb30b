/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_ACCOUNT_H
#define SERVE_ACCOUNT_H

#include "serve/exchange.h"

/* One line in the access log for an answer that is sent, or was cut, and one more if it was our
 * fault; and a message to those who listen. */
void account(struct exchange *exchange);

/* Likewise, the line alone, for a request that went on to another server and was left before there
 * was an answer: nothing was decided. */
void account_left(struct exchange *exchange);

/* A line in the errors log for a connection that ended for want of a PROXY header; at most one a
 * second, for strangers can make many. */
void account_unproxied(struct worker *worker, const union address *peer, const char *why);

/*
 * What a script wrote for the log, line by line; a line may go on in the next piece.
 *   who   the script, by its path
 *   told  bytes that it wrote for this request so far, counted on
 */
void account_said(struct worker *worker, struct ern_slice who, struct ern_slice text,
                  uint64_t *told);

#endif
