/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/content.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "earnest/status.h"
#include "io/stage.h"
#include "serve/carrier.h"

enum {
    FIRST_BYTES = 16384,
    WRITE_BYTES = 1 << 18, /* gathered before the pool writes them */
};

bool
content_is_wanted(const struct exchange *x)
{
    return x->stage == EXCHANGE_DECIDING && x->res.sink.state == SINK_OPEN;
}

/* Writes the interim answers that belong to where the decision waits. */
static void
announce(struct exchange *x, bool has_begun)
{
    uint16_t status;

    for (size_t at = 0; (status = ern_interim(&x->decision, &at)) != 0;) {
        /* rfc9110#10.1.1 "A server MAY omit sending a 100 (Continue) response if it has already
         * received some or all of the content for the corresponding request" */
        if (status == ERN_100_CONTINUE && has_begun)
            continue;
        if (status == ERN_103_EARLY_HINTS)
            continue; /* they go ahead of all else: content_hint() */
        if (status == ERN_104_UPLOAD_RESUMPTION_SUPPORTED && !slice_is_there(x->res.interim))
            continue; /* there is nothing to tell yet */
        x->carrier->interim(x, status,
                            status == ERN_104_UPLOAD_RESUMPTION_SUPPORTED ? x->res.interim
                                                                          : ERN_SLICE(""));
        x->interim = x->res.interim.ptr;
    }
}

void
content_hint(struct exchange *x)
{
    uint16_t status;

    if (!slice_is_there(x->res.hints))
        return;
    for (size_t at = 0; (status = ern_interim(&x->decision, &at)) != 0;)
        if (status == ERN_103_EARLY_HINTS)
            x->carrier->interim(x, status, x->res.hints);
    x->res.hints = ERN_ABSENT;
}

void
content_announce(struct exchange *x)
{
    announce(x, true);
}

bool
content_begin(struct exchange *x)
{
    bool has_begun;

    if (!x->carrier->want(x, &has_begun))
        return false;
    x->stage = EXCHANGE_TAKING;
    x->rate_mark = 0;
    announce(x, has_begun);
    return true;
}

static bool
is_to_file(const struct res_sink *sink)
{
    return sink->open || sink->fd >= 0;
}

/* May the sink's memory hold so many bytes more? */
static bool
has_room(struct res_sink *sink, size_t n)
{
    size_t cap = sink->cap ? sink->cap : FIRST_BYTES;
    char *bytes;

    while (cap < sink->len + n)
        cap *= 2;
    if (cap == sink->cap)
        return true;
    bytes = realloc(sink->bytes, cap);
    if (!bytes)
        return false;
    sink->bytes = bytes;
    sink->cap = cap;
    return true;
}

static void
write_run(struct job *job)
{
    struct exchange *x = ((struct content_job *)job)->exchange;
    struct res_sink *sink = &x->res.sink;

    struct ern_slice bytes = slice_from(sink->bytes, sink->len);

    if (sink->fd < 0)
        sink->error = sink->open(sink);
    if (!sink->error)
        sink->error = sink->write ? sink->write(sink, bytes) : stage_write(sink->fd, bytes);
}

static void
write_done(struct job *job)
{
    struct exchange *x = ((struct content_job *)job)->exchange;
    struct res_sink *sink = &x->res.sink;

    x->writing.busy = false;
    sink->len = 0;
    if (x->conn && x->res.interim.ptr != x->interim && !x->writing.ends)
        content_announce(x);
    if (sink->error)
        sink->state = SINK_FAILED;
    else if (x->writing.ends)
        sink->state = x->writing.end_state;
    if (x->conn)
        x->carrier->resume(x);
    else
        exchange_done(x);
}

static enum taken
write_out(struct exchange *x)
{
    struct res_sink *sink = &x->res.sink;

    x->writing.job =
        (struct job){.mailbox = &x->worker->mailbox, .run = write_run, .done = write_done};
    x->writing.exchange = x;
    x->writing.busy = pool_submit(x->worker->pool, &x->writing.job);
    if (x->writing.busy)
        return TAKEN_BUSY;
    sink->error = -EBUSY;
    sink->state = SINK_FAILED;
    return TAKEN_ALL;
}

enum taken
content_end(struct exchange *x, enum sink_state state)
{
    struct res_sink *sink = &x->res.sink;
    bool to_file = is_to_file(sink) && (sink->fd >= 0 || sink->total > sink->memory_max) &&
                   (state == SINK_FULL || sink->memory_max == 0);

    if (state == SINK_MALFORMED && x->content_state == PARSE_MORE && !x->finding)
        x->finding = FINDING_content_cut;
    if (to_file && sink->len > 0) {
        x->writing.ends = true;
        x->writing.end_state = state;
        return write_out(x);
    }
    sink->state = state;
    return TAKEN_ALL;
}

/* One step: a piece of content, or its end. */
static enum taken
take_piece(struct exchange *x, bool *ret_more)
{
    struct res_sink *sink = &x->res.sink;
    struct ern_slice piece;

    x->content_state = x->carrier->take(x, SIZE_MAX, &piece);
    *ret_more = piece.len > 0;
    sink->total += piece.len;
    if (sink->total > sink->max)
        return content_end(x, SINK_GREW);
    if (!has_room(sink, piece.len)) {
        sink->error = -ENOMEM;
        sink->state = SINK_FAILED;
        return TAKEN_ALL;
    }
    if (piece.len)
        memcpy(sink->bytes + sink->len, piece.ptr, piece.len);
    sink->len += piece.len;
    if (x->content_state == PARSE_DONE)
        return content_end(x, SINK_FULL);
    if (x->content_state == PARSE_BAD)
        return content_end(x, SINK_MALFORMED);
    return is_to_file(sink) && sink->len >= WRITE_BYTES ? write_out(x) : TAKEN_MORE;
}

enum taken
content_take(struct exchange *x)
{
    enum taken taken = x->res.sink.state == SINK_OPEN ? TAKEN_MORE : TAKEN_ALL;
    bool more = true;

    while (taken == TAKEN_MORE && more)
        taken = take_piece(x, &more);
    return taken;
}

bool
content_is_slow(struct exchange *x)
{
    const struct limits *limits = x->worker->limits;
    uint64_t came = x->res.sink.total - x->rate_mark;

    x->rate_mark = x->res.sink.total;
    return came < (uint64_t)limits->content_rate_min * (uint64_t)limits->content_grace_ms / 1000;
}

bool
content_abandon(struct exchange *x)
{
    if (x->writing.busy)
        return true;
    /* What came of an upload counts: it is resumed from there. */
    return x->stage == EXCHANGE_TAKING && x->res.sink.state == SINK_OPEN &&
           x->res.sink.memory_max == 0 && content_end(x, SINK_MALFORMED) == TAKEN_BUSY;
}

void
content_done(struct exchange *x)
{
    struct res_sink *sink = &x->res.sink;

    if (sink->fd >= 0)
        (void)close(sink->fd);
    free(sink->bytes);
    *sink = (struct res_sink){.fd = -1};
}
