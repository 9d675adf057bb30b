/* SPDX-License-Identifier: Apache-2.0 */
/* relay_parts.h - what the files of a relay know of each other: relay.c asks, relay_answer.c hears,
 * relay_head.c writes. */
#ifndef SERVE_RELAY_PARTS_H
#define SERVE_RELAY_PARTS_H

#include "serve/relay.h"

struct upstreams *relay_upstreams(const struct relay *relay);

/* Its time begins anew. */
void relay_watch(struct relay *relay, enum upstream_time time);

/* The addresses of its origin are known: dials the first, or the next one. false: there is none
 * that can be dialled. */
void relay_connect(struct relay *relay);
ERN_MUST_USE bool relay_dial(struct relay *relay, int *ret_error);
enum relay_fault relay_fault_of(int error);

/* There is a connection: the head of the request goes out. */
void relay_ask(struct relay *relay);

/* There is nothing to ask: bytes go both ways from now on (RFC 9110 9.3.6). */
void relay_open_tunnel(struct relay *relay);

/* The origin failed: another one is asked, or the outcome is known. */
void relay_fail(struct relay *relay, enum relay_fault fault);

/* All of the answer is there: its connection is good for another request, or is closed. */
void relay_finish(struct relay *relay);

/* The last was sent: in a tunnel upstream is told so. */
void relay_end_sending(struct relay *relay);

/* The outcome is known, or there is more: whoever waits for that goes on. It is the last thing to
 * do with a relay, which may be gone after it. */
void relay_notify(struct relay *relay);

#endif
