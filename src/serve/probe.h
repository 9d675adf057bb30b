/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - servers behind us that are asked how they are, each by a request of our own now and
 * then: one that does not say that it is well is left alone until it does. */
#ifndef SERVE_PROBE_H
#define SERVE_PROBE_H

#include "serve/upstream.h"

struct probe;

/* Begins to ask an origin of a group for a path, now and then. Without memory it is not asked. */
void probe_begin(struct origin *origin, const struct origins *origins, struct ern_slice path);

/* It is not asked any more. NULL does nothing. */
void probe_end(struct probe *probe);

/* What happened to its connection; its time is over: to wait for the next one, or for the answer.
 */
void probe_event(struct probe *probe, uint32_t events);
void probe_expired(struct timer *timer, bool was_asking);

#endif
