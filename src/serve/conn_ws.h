/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_CONN_WS_H
#define SERVE_CONN_WS_H

#include "serve/conn.h"

/* The answer of this exchange, which changes to WebSocket, is written: so it is from now on.
 * Returns false without memory. */
ERN_MUST_USE bool ws_open(struct conn *conn, const struct exchange *exchange);

#endif
