/* SPDX-License-Identifier: Apache-2.0 */
/* secure.h - TLS between a connection and its socket (io/tls.h). */
#ifndef SERVE_SECURE_H
#define SERVE_SECURE_H

#include <sys/types.h>

#include "serve/send.h"

/* Begins TLS as the listener has it, with what conn->in holds; false without memory. */
ERN_MUST_USE bool secure_begin(struct conn *conn);

/*
 * Receives plaintext; what TLS itself has to say is gathered in worker->cipher.
 *   ret_all  nothing more is there now: an event will tell
 * Returns the number of bytes, 0 when the peer will send no more, or -1: errno is EAGAIN, or EPROTO
 * if the first bytes are no TLS (they are in conn->in then, and TLS is given up), or the connection
 * is at its end.
 */
ssize_t secure_receive(struct worker *worker, struct conn *conn, char *to, size_t room,
                       bool *ret_all);

/*
 * Makes records of worker->out, in worker->cipher. Until the handshake is finished the connection
 * keeps it (an answer to early data): SENT_BLOCKED. SENT_BROKEN: it is at its end.
 */
ERN_MUST_USE enum sent secure_gather(struct worker *worker, struct conn *conn);

/* Says that we will send no more. */
void secure_bye(struct worker *worker, struct conn *conn);

void secure_end(struct worker *worker, struct conn *conn);

#endif
