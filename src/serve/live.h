/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h - the stream of decisions: each is told once by the thread that made it, and reaches all
 * clients that listen, on whatever thread they are, as they want it (res/live_filter.h). Nobody is
 * waited for: what a client does not take is dropped, counted, and the number told. While nobody
 * listens, it costs a request one look at a number.
 */
#ifndef SERVE_LIVE_H
#define SERVE_LIVE_H

#include "serve/exchange.h"
#include "serve/ws_session.h"

struct live;        /* of the process */
struct live_port;   /* of a worker */
struct live_client; /* one who listens */

/* NULL without memory. */
struct live *live_new(unsigned workers_n, const struct limits *limits);
void live_free(struct live *live); /* NULL does nothing */

/* The port of a worker, from 0, which is woken by its mailbox. */
struct live_port *live_port(struct live *live, unsigned worker, const struct mailbox *mailbox);

/* Tells an answer that is sent, or was cut. */
void live_tell(const struct exchange *exchange);

/* The mailbox was woken: hands out what was told. port may be NULL. */
void live_deliver(struct live_port *port);

/*
 * Listens from now on, as the request of this exchange wants it.
 *   wake  its session has something unsent; not to be acted on at once
 * Returns NULL without memory.
 */
struct live_client *live_open(const struct exchange *exchange,
                              void (*wake)(struct worker *worker, void *self), void *self);
void live_close(struct live_client *client); /* NULL does nothing */

struct ws_session *live_session(struct live_client *client);

#endif
