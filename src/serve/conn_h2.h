/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_CONN_H2_H
#define SERVE_CONN_H2_H

#include "serve/conn.h"

/* HTTP/2 from now on: its preface is still to be read. Returns false without memory. */
ERN_MUST_USE bool h2_open(struct worker *worker, struct conn *conn);

/*
 * The request of this exchange, which was HTTP/1.1's, asked for h2c and was told that it is: it is
 * stream 1 from now on, and decided again. Returns false if it cannot be done.
 */
ERN_MUST_USE bool h2_open_upgraded(struct worker *worker, struct conn *conn,
                                   struct exchange *exchange);

#endif
