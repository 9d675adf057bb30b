/* SPDX-License-Identifier: Apache-2.0 */
/* send.h - step 8: answers out to a connection, gathered where that saves a call. */
#ifndef SERVE_SEND_H
#define SERVE_SEND_H

#include "serve/conn.h"

enum sent {
    SENT,
    SENT_BLOCKED, /* the peer takes no more now, or others have their turn: conn_event() comes */
    SENT_BROKEN,  /* the connection, or the content, is not to be had any more */
};

/* Sends what is gathered in worker->out; more says that a file follows at once. */
enum sent send_flush(struct worker *worker, struct conn *conn, bool more);

/* Sends, or gathers, the segments of conn->exchange from where it stands. SENT: all of them. */
enum sent send_segments(struct worker *worker, struct conn *conn);

#endif
