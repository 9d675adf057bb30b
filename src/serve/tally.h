/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - how many answers there were, by the rule that decided: each worker counts its own, and
 * whoever asks adds them up. */
#ifndef SERVE_TALLY_H
#define SERVE_TALLY_H

#include "base/out.h"
#include "earnest/decide.h"

struct exchange;
struct tally;   /* of a worker */
struct tallies; /* of the process */

/* NULL without memory. */
struct tallies *tallies_new(unsigned workers_n);
void tallies_free(struct tallies *tallies); /* NULL does nothing */

/* The tally of a worker, from 0. */
struct tally *tally_of(struct tallies *tallies, unsigned worker);

/* Counts an answer that is sent, or was cut. tally may be NULL. */
void tally_count(struct tally *tally, const struct exchange *exchange);

/* Writes all counters, as OpenMetrics has them, but for the end of the text. On any thread. */
void tallies_write(const struct tallies *tallies, struct out *o);

#endif
