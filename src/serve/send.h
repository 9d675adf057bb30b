/* SPDX-License-Identifier: Apache-2.0 */
/* send.h - step 8: answers out to a connection, gathered where that saves a call. */
#ifndef SERVE_SEND_H
#define SERVE_SEND_H

#include <sys/types.h>

#include "serve/conn.h"

enum sent {
    SENT,
    SENT_BLOCKED, /* the peer takes no more now, or others have their turn: conn_event() comes */
    SENT_BROKEN,  /* the connection, or the content, is not to be had any more */
};

/* Sends what is gathered in worker->out; more says that a file follows at once. */
enum sent send_flush(struct worker *worker, struct conn *conn, bool more);

/*
 * Copies content of an answer from where its segments stand, at most cap bytes. Returns how many, 0
 * when there are none, or -1: the content is not to be had any more.
 */
ssize_t send_copy(struct exchange *exchange, char *to, size_t cap);

/* Sends, or gathers, the segments of conn->exchange from where it stands. SENT: all of them. */
enum sent send_segments(struct worker *worker, struct conn *conn);

#endif
