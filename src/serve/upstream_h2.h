/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream_h2.h - a connection to a server that carries many requests at once: HTTP/2. Each is a
 * stream, and a struct upstream like any other: what asks over it writes and reads as it does over
 * HTTP/1.1.
 *
 * What is written goes out at the end of the turn, that of all streams together. An answer is held
 * up to the window of its stream until it is taken: so memory is bounded, and who is slow holds up
 * nobody else.
 */
#ifndef SERVE_UPSTREAM_H2_H
#define SERVE_UPSTREAM_H2_H

#include "serve/upstream.h"

/* The connection is there, and HTTP/2 is spoken from now on. Returns a stream of it; NULL without
 * memory. */
struct upstream *shared_begin(struct upstream *upstream);

/* A stream of one that has room; NULL: none has. */
struct upstream *shared_find(struct origin *origin);

/* Has one not said yet how many requests it takes? Those that wait for it go on when it has. */
bool shared_are_greeting(const struct origin *origin);

/* May there be no more of them? */
bool shared_are_full(const struct origin *origin);

/* Those that wait for a connection of the server go on, but not from here. */
void shared_release(struct origin *origin);

/* From the loop: something happened to its connection; there is something to be sent. */
void shared_event(struct shared *shared);
void shared_turn(struct shared *shared);

/* The link of the list of those that have something to send. */
struct shared **shared_next_stirred(struct shared *shared);

/* Ends it at once. What is asked over it is cut. */
void shared_close(struct shared *shared);

/* ---- streams: as the functions of upstream.h that have the same name ---------------------------
 */

int stream_flush(struct upstream *upstream);
ssize_t stream_receive(struct upstream *upstream);
void stream_end(struct upstream *upstream);
/* is_whole: all of the answer came; else the other side is told that it is not wanted. */
void stream_leave(struct upstream *upstream, bool is_whole);

#endif
