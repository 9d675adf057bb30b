/* SPDX-License-Identifier: Apache-2.0 */
/* delta.h - what changed, in the place of what is (RFC 3229). */
#ifndef RES_DELTA_H
#define RES_DELTA_H

#include "res/past.h"
#include "res/res.h"

/*
 * Answers the fact `delta`: is the answer an instance manipulation that the client asked for? It
 * makes it then, on the pool, and puts it in the place of the representation, whose entry is
 * pinned. past   of the route path   of the file, below the route
 */
enum ern_answer delta_ask(struct ern_decision *decision, const struct past *past,
                          const struct entry *entry);

#endif
