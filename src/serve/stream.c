/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/stream.h"

#include <stdlib.h>

#include "serve/carrier.h"
#include "serve/relay.h"
#include "wire/h1_write.h"

enum { PIECE_BYTES = 65536 };

struct stream_job {
    union {                      /* first */
        struct job job;          /* the pool gives it back */
        struct pile_piece spare; /* waits for the next stream */
    };
    struct exchange *exchange;
    struct res_stream *stream;
    ssize_t got; /* length of the piece, or a negative errno */
    bool end;    /* it is the last */
    char piece[H1_CHUNK_BEFORE + PIECE_BYTES + H1_CHUNK_AFTER];
};

struct stream_job *
stream_new(struct exchange *x, struct res_stream *stream)
{
    struct stream_job *s = pile_take(&x->worker->streams);

    if (!s)
        s = malloc(sizeof *s);
    if (!s) {
        stream->free(stream);
        return NULL;
    }
    s->exchange = x;
    s->stream = stream;
    s->end = false;
    return s;
}

void
stream_free(struct stream_job *s)
{
    if (!s)
        return;
    s->stream->free(s->stream);
    pile_give(&s->exchange->worker->streams, &s->spare);
}

bool
stream_has_more(const struct exchange *x)
{
    if (x->relay)
        return relay_has_more(x->relay);
    return x->stream && !x->stream->end;
}

bool
stream_comes_soon(const struct exchange *x)
{
    return x->stream && !x->stream->end && x->stream->stream->comes_soon;
}

static void
run(struct job *job)
{
    struct stream_job *s = (struct stream_job *)job;

    s->got = s->stream->fill(s->stream, s->piece + H1_CHUNK_BEFORE, PIECE_BYTES, &s->end);
}

/* The piece becomes the next segments of the answer. */
static void
add_piece(struct stream_job *s)
{
    struct exchange *x = s->exchange;

    x->segments_n = x->segment = 0;
    x->aborted = s->got < 0;
    if (s->got > 0 && x->chunked)
        exchange_add(x, h1_write_chunk(s->piece, (size_t)s->got));
    else if (s->got > 0)
        exchange_add(x, slice_from(s->piece + H1_CHUNK_BEFORE, (size_t)s->got));
    if (s->got >= 0 && s->end && x->chunked)
        exchange_add(x, h1_write_chunk(s->piece, 0));
}

static void
done(struct job *job)
{
    struct stream_job *s = (struct stream_job *)job;
    struct exchange *x = s->exchange;

    if (!x->conn) {
        exchange_done(x);
        return;
    }
    add_piece(s);
    x->carrier->resume(x);
}

/* The piece is made here and now, unless its time is still to come. */
static enum stream_next
next_at_once(struct stream_job *s)
{
    struct exchange *x = s->exchange;
    int64_t wait_ms = s->stream->wait_ms;

    if (wait_ms) {
        s->stream->wait_ms = 0;
        alarm_set(&x->worker->alarms, &x->alarm, x->worker->now.run_ms + wait_ms);
        return STREAM_LATER;
    }
    run(&s->job);
    add_piece(s);
    return x->aborted ? STREAM_CUT : STREAM_HERE;
}

enum stream_next
stream_next(struct exchange *x)
{
    struct stream_job *s = x->stream;

    if (x->relay)
        return relay_next(x->relay);
    if (s->stream->on_loop)
        return next_at_once(s);
    s->job = (struct job){.mailbox = &x->worker->mailbox, .run = run, .done = done};
    return pool_submit(x->worker->pool, &s->job) ? STREAM_LATER : STREAM_CUT;
}
