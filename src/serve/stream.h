/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - content that is made on the pool, piece by piece, while it is sent. */
#ifndef SERVE_STREAM_H
#define SERVE_STREAM_H

#include "serve/exchange.h"

struct stream_job;

/* Takes over the stream. Returns NULL without memory; the stream is then freed. */
struct stream_job *stream_new(struct exchange *exchange, struct res_stream *stream);
void stream_free(struct stream_job *job);

/* Is there more to come? */
bool stream_has_more(const struct stream_job *job);

/*
 * Has the next piece made; the carrier's resume() is called when it is the exchange's next segment.
 * Returns false if it cannot be made: the answer is to be cut.
 */
ERN_MUST_USE bool stream_next(struct stream_job *job);

#endif
