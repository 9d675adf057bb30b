/* SPDX-License-Identifier: Apache-2.0 */
/* refresh.h - a stored answer is validated while it is used stale: a request of our own, for which
 * nobody waits (RFC 5861 3). */
#ifndef SERVE_REFRESH_H
#define SERVE_REFRESH_H

#include "serve/exchange.h"

/* Has what answers this request validated, unless that is done already. Without memory, or where
 * the server behind us can not be asked, it stays as it is. */
void refresh_begin(struct exchange *exchange);

/* The server ends: those that are left are given up. */
void refresh_end_all(struct worker *worker);

#endif
