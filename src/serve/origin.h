/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - what upstream.c and origin.c know of each other, and nobody else. */
#ifndef SERVE_ORIGIN_H
#define SERVE_ORIGIN_H

#include "serve/upstream.h"

struct worker *upstreams_worker(const struct upstreams *upstreams);

/* Memory of a connection; NULL when there is none. */
struct upstream *upstreams_take(struct upstreams *upstreams);

/* shared_turn() is called in this turn. */
void upstreams_stir_shared(struct upstreams *upstreams, struct shared *shared);

/* So many more names are being looked up. */
void upstreams_resolve(struct upstreams *upstreams, int more);

#endif
