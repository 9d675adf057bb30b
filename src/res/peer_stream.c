/* SPDX-License-Identifier: Apache-2.0 */
/* peer_stream.c - answers that take their time: what is sent comes in pieces, with time between. */
#include <stdlib.h>

#include "base/num.h"
#include "earnest/status.h"
#include "res/peer_parts.h"

enum {
    TICK_MS = 20,        /* between two pieces, where nobody cares how many they are */
    CHUNK_BYTES = 10240, /* as httpbin sends */
    LINE_BYTES = 64,     /* of a line, besides what all have */
};

struct timed {
    struct res_stream stream; /* first */
    enum peer_act act;
    uint64_t at, pieces; /* which is next, of how many */
    uint64_t first;      /* the number of the first, of events */
    uint64_t bytes;      /* of all of them, if they are bytes */
    uint64_t duration_ms, seed;
    struct ern_slice line; /* what each line has, of memory that the answer owns */
    struct ern_slice left; /* of the piece that is sent, if it is a line */
    char *room;            /* that it lies in */
};

/* The part that comes to the i-th of n, of something that is shared evenly. */
static uint64_t
share(uint64_t all, uint64_t i, uint64_t n)
{
    return all * (i + 1) / n - all * i / n;
}

static void
write_line(struct timed *t, struct out *o)
{
    uint64_t number = t->first + t->at;

    if (t->act == PEER_lines) {
        out_slice(o, t->line);
        out_literal(o, ",\"id\":");
        out_u64(o, number);
        out_literal(o, "}\n");
    } else {
        out_literal(o, "id: ");
        out_u64(o, number);
        out_literal(o, "\nevent: ping\ndata: {\"id\":");
        out_u64(o, number);
        out_literal(o, "}\n\n");
    }
}

/* The next piece goes on where a line that was too long for the last one was cut. */
static size_t
fill_line(struct timed *t, char *piece, size_t cap)
{
    struct out o = out_init(t->room, t->line.len + LINE_BYTES);
    size_t n;

    if (t->left.len == 0) {
        write_line(t, &o);
        t->left = out_done(&o);
    }
    n = t->left.len < cap ? t->left.len : cap;
    memcpy(piece, t->left.ptr, n);
    t->left = slice_skip(t->left, n);
    return n;
}

static size_t
fill_bytes(struct timed *t, char *piece, size_t cap)
{
    uint64_t wanted = share(t->bytes, t->at, t->pieces);
    size_t n = wanted < cap ? (size_t)wanted : cap; /* make_bytes() has enough pieces */

    if (t->act == PEER_drip)
        memset(piece, '*', n);
    else
        peer_fill(piece, n, &t->seed);
    return n;
}

static ssize_t
fill(struct res_stream *stream, char *piece, size_t cap, bool *ret_end)
{
    struct timed *t = (struct timed *)stream;
    size_t n = 0;

    if (t->at < t->pieces) /* there may be none */
        n = t->room ? fill_line(t, piece, cap) : fill_bytes(t, piece, cap);
    if (t->left.len)
        return (ssize_t)n;
    t->at++;
    *ret_end = t->at >= t->pieces;
    if (!*ret_end)
        stream->wait_ms = (int64_t)share(t->duration_ms, t->at - 1, t->pieces);
    return (ssize_t)n;
}

static void
free_timed(struct res_stream *stream)
{
    struct timed *t = (struct timed *)stream;

    free(t->room);
    free(t);
}

/* ---- what the query says ----------------------------------------------------------------------*/

static uint64_t
least(uint64_t n, int64_t most)
{
    return n < (uint64_t)most ? n : (uint64_t)most;
}

bool
peer_make_delay(const struct ern_decision *d, struct peer_call *call)
{
    const struct res_request *request = d->self;

    call->wait_ms = (int64_t)least(call->number[0], request->limits->peer_wait_ms);
    return true;
}

/* ?delay= and ?duration=, where they can be. */
static bool
read_times(struct timed *t, struct ern_slice query, struct peer_call *call, const struct limits *l)
{
    uint64_t most = (uint64_t)l->peer_wait_ms, delay_ms = 0;

    if (!peer_time(query, ERN_SLICE("duration"), most, &t->duration_ms) ||
        !peer_time(query, ERN_SLICE("delay"), most, &delay_ms))
        return false;
    call->wait_ms = (int64_t)delay_ms;
    return true;
}

/* ?code=: a status that is asked for. */
static bool
read_status(struct ern_slice query, struct peer_call *call)
{
    uint64_t status = ERN_200_OK;

    if (!peer_number(query, ERN_SLICE("code"), UINT16_MAX, &status) || !peer_can_be_asked(status))
        return false;
    if (status != ERN_200_OK)
        call->status = (uint16_t)status;
    return true;
}

static bool
read_drip(struct timed *t, struct ern_slice query, struct peer_call *call, const struct limits *l)
{
    t->bytes = least(10, l->peer_bytes_max);
    t->duration_ms = least(2000, l->peer_wait_ms);
    if (!peer_number(query, ERN_SLICE("numbytes"), (uint64_t)l->peer_bytes_max, &t->bytes) ||
        !read_times(t, query, call, l) || !read_status(query, call))
        return false;
    t->pieces = least(t->bytes, (int64_t)(t->duration_ms / TICK_MS + t->bytes / CHUNK_BYTES + 1));
    return true;
}

static bool
read_bytes(struct timed *t, struct ern_slice query, const struct peer_call *call,
           const struct limits *l)
{
    uint64_t chunk = CHUNK_BYTES;

    t->bytes = least(call->number[0], l->peer_bytes_max);
    if (!peer_number(query, ERN_SLICE("chunk_size"), CHUNK_BYTES, &chunk) || chunk == 0 ||
        !peer_seed(query, &t->seed))
        return false;
    t->pieces = (t->bytes + chunk - 1) / chunk;
    return true;
}

/* Events go on behind the last one that the client has (HTML 9.2.4). */
static bool
read_events(struct timed *t, const struct ern_decision *d, struct peer_call *call,
            const struct limits *l)
{
    const struct res_request *request = d->self;
    struct ern_slice last;
    uint64_t count = 10, from = 0;
    uint16_t at = 0;

    t->duration_ms = least(5000, l->peer_wait_ms);
    if (!peer_number(request->query, ERN_SLICE("count"), (uint64_t)l->peer_pieces_max, &count) ||
        !read_times(t, request->query, call, l))
        return false;
    if (ern_request_named(d->request, ERN_SLICE("Last-Event-ID"), &at, &last) &&
        u64_parse(last, UINT32_MAX, &from))
        from++;
    t->first = least(from, (int64_t)count);
    t->pieces = count - t->first;
    return true;
}

/* The lines have all but their number in common. */
static bool
read_lines(struct timed *t, struct ern_decision *d, const struct peer_call *call,
           const struct limits *l)
{
    struct ern_slice line = peer_echo(d, call->row->shows, ERN_SLICE(""));

    t->pieces = least(call->number[0], l->peer_pieces_max);
    if (!slice_is_there(line))
        return false;
    t->line = slice_first(line, line.len - 2); /* without what ends it */
    return true;
}

static bool
read_all(struct timed *t, struct ern_decision *d, struct peer_call *call)
{
    const struct res_request *request = d->self;

    if (t->act == PEER_drip)
        return read_drip(t, request->query, call, request->limits);
    if (t->act == PEER_stream)
        return read_bytes(t, request->query, call, request->limits);
    return t->act == PEER_events ? read_events(t, d, call, request->limits)
                                 : read_lines(t, d, call, request->limits);
}

static struct ern_slice
fields_of(enum peer_act act)
{
    if (act == PEER_lines)
        return PEER_JSON;
    return act == PEER_events ? ERN_SLICE("Content-Type: text/event-stream\r\n"
                                          "Cache-Control: no-store\r\n")
                              : ERN_SLICE("Content-Type: application/octet-stream\r\n");
}

bool
peer_make_stream(struct ern_decision *d, struct peer_call *call)
{
    struct res_request *request = d->self;
    struct timed *t = calloc(1, sizeof *t);
    bool lines = call->row->act == PEER_events || call->row->act == PEER_lines, right;

    if (!t)
        return false;
    t->stream = (struct res_stream){.fill = fill, .free = free_timed, .on_loop = true};
    t->act = call->row->act;
    right = read_all(t, d, call);
    if (right && lines)
        t->room = malloc(t->line.len + LINE_BYTES);
    if (!right || (lines && !t->room)) {
        free_timed(&t->stream);
        return false;
    }
    call->is_over = t->act == PEER_events && t->pieces == 0;
    (void)peer_represent(d, ERN_SLICE(""), fields_of(t->act));
    request->representation.bytes = NULL;
    request->representation.stream = &t->stream;
    request->representation.is_sized = t->act == PEER_drip;
    request->representation.length = t->bytes;
    return true;
}
