/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - content that is made piece by piece while it is sent: on the pool, or when its time
 * has come. */
#ifndef SERVE_STREAM_H
#define SERVE_STREAM_H

#include "serve/exchange.h"

struct stream_job;

/* Takes over the stream. Returns NULL without memory; the stream is then freed. */
struct stream_job *stream_new(struct exchange *exchange, struct res_stream *stream);
void stream_free(struct stream_job *job);

/* Is there more of the answer to come, from its stream or from upstream? */
bool stream_has_more(const struct exchange *exchange);

/* Does its next piece come so soon that what goes before it may wait for it? */
bool stream_comes_soon(const struct exchange *exchange);

enum stream_next {
    STREAM_HERE,  /* the exchange's next segments; none, at the end */
    STREAM_LATER, /* the carrier's resume() is called when there is more */
    STREAM_CUT,   /* it can not be had: the answer is to be cut */
};

/* Has the next piece made, or fetched. */
ERN_MUST_USE enum stream_next stream_next(struct exchange *exchange);

#endif
