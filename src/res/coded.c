/* SPDX-License-Identifier: Apache-2.0 */
#include "res/coded.h"

#include <errno.h>
#include <stdlib.h>

#include "msg/accept.h"
#include "msg/list.h"

enum { KEPT_FIRST = 1 << 12 };

/* On a tie the first is taken: that which costs the least for what it saves. */
static const enum coding order[] = {CODING_ZSTD, CODING_BR, CODING_GZIP};

/* The measure of each that takes about as long as the others. */
static const unsigned levels[CODINGS] = {[CODING_BR] = 4, [CODING_ZSTD] = 3, [CODING_GZIP] = 6};

#define RANGES "Accept-Ranges: bytes\r\n" /* as the description of an entry ends (entry.c) */

enum coding
coded_choose(const struct ern_request *request)
{
    enum coding best = CODINGS;
    unsigned most;

    if (!ern_request_has(request, ERN_FIELD_accept_encoding) ||
        list_has(request, ERN_FIELD_cache_control, ERN_SLICE("no-transform")))
        return CODINGS;
    most = accept_coding(request, ERN_SLICE("identity"));
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        unsigned quality = accept_coding(request, coding_name(order[i]));

        /* On a tie with the file as it is the smaller one is taken, as of its siblings. */
        if (quality > most || (quality == most && quality > 0 && best == CODINGS)) {
            most = quality;
            best = order[i];
        }
    }
    return best;
}

/* ---- the stream -------------------------------------------------------------------------------*/

struct coded_stream {
    struct res_stream stream; /* first */
    struct entry *entry;      /* pinned by the request, which frees the stream before */
    struct cache *cache;
    enum coding coding;
    struct encoders *encoders;
    struct encoder *encoder; /* from the first piece to the last */
    uint64_t at;             /* of the file: read so far */
    struct ern_slice in;
    char *kept; /* all that was written, while it is not too much */
    size_t kept_n, kept_cap, kept_max;
    bool ended;
};

/* Reads the next piece of the file. */
static int
read_in(struct coded_stream *s)
{
    const struct entry_variant *v = &s->entry->variants[0];
    size_t n =
        v->stamp.bytes - s->at < ENCODER_ROOM ? (size_t)(v->stamp.bytes - s->at) : ENCODER_ROOM;
    ssize_t got;

    if (s->in.len || n == 0)
        return 0;
    if (v->bytes) {
        s->in = slice_from(v->bytes + s->at, n);
    } else {
        char *room = encoder_room(s->encoder);

        got = file_read(v->fd, room, n, s->at, false);
        if (got <= 0) /* it has shrunk: a cut answer */
            return got < 0 ? (int)got : -EIO;
        s->in = slice_from(room, (size_t)got);
    }
    s->at += s->in.len;
    return 0;
}

/* Adds to what is kept; what becomes too much is kept no more. */
static void
keep(struct coded_stream *s, struct ern_slice bytes)
{
    size_t cap = s->kept_cap ? s->kept_cap : KEPT_FIRST;
    char *more;

    if (s->kept_max == 0)
        return;
    while (cap < s->kept_n + bytes.len)
        cap *= 2;
    more = s->kept_n + bytes.len > s->kept_max ? NULL
           : cap == s->kept_cap                ? s->kept
                                               : realloc(s->kept, cap);
    if (!more) {
        s->kept_max = 0;
        return;
    }
    s->kept = more;
    s->kept_cap = cap;
    if (bytes.len)
        memcpy(s->kept + s->kept_n, bytes.ptr, bytes.len);
    s->kept_n += bytes.len;
}

static ssize_t
fill(struct res_stream *stream, char *piece, size_t cap, bool *ret_end)
{
    struct coded_stream *s = (struct coded_stream *)stream;
    struct out o = out_init(piece, cap);
    int error = 0;

    if (!s->encoder) {
        s->encoder = encoder_new(s->encoders, s->coding, levels[s->coding]);
        if (!s->encoder)
            return -ENOMEM;
        encoder_expect(s->encoder, (uint64_t)s->entry->variants[0].stamp.bytes);
    }
    while (!error && o.len < cap && !s->ended) {
        error = read_in(s);
        if (!error)
            error = encoder_run(s->encoder, &s->in, s->at == s->entry->variants[0].stamp.bytes, &o,
                                &s->ended);
    }
    if (error)
        return error;
    keep(s, out_done(&o));
    if (s->ended) { /* the next one can have it, while it is still in the processor's cache */
        encoder_free(s->encoder);
        s->encoder = NULL;
    }
    *ret_end = s->ended;
    return (ssize_t)o.len;
}

/* On the thread of the request: what was coded whole stays with the entry. */
static void
free_stream(struct res_stream *stream)
{
    struct coded_stream *s = (struct coded_stream *)stream;
    struct entry_coded *coded = &s->entry->coded[s->coding];

    if (s->ended && s->kept_max && s->kept && !coded->bytes) {
        *coded = (struct entry_coded){s->kept, s->kept_n};
        cache_grew(s->cache, s->entry, s->kept_cap);
        s->kept = NULL;
    }
    encoder_free(s->encoder);
    free(s->kept);
    free(s);
}

static struct res_stream *
stream_new(struct entry *e, enum coding coding, struct cache *cache, struct encoders *encoders)
{
    struct coded_stream *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->stream = (struct res_stream){.fill = fill, .free = free_stream, .comes_soon = true};
    s->entry = e;
    s->coding = coding;
    s->cache = cache;
    s->encoders = encoders;
    s->kept_max = (size_t)e->route->limits->coded_bytes_max;
    return &s->stream;
}

/* ---- the representation -----------------------------------------------------------------------*/

/* The entity tag of the file with the coding in it: one for each (RFC 9110 8.8.3.3). */
static bool
write_fields(struct ern_decision *d, const struct entry_variant *v, enum coding coding,
             bool has_length)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;
    size_t at = (size_t)(v->etag.ptr - v->validators.ptr), end = at + v->etag.len - 1;
    struct ern_slice description = v->description;
    struct out o = arena_out(request->arena);

    out_slice(&o, slice_first(v->validators, end));
    out_char(&o, '-');
    out_slice(&o, coding_name(coding));
    d->evidence.etag = slice_from(o.ptr + at, o.len + 1 - at);
    out_slice(&o, slice_skip(v->validators, end));
    r->validators = arena_keep(request->arena, &o);
    o = arena_out(request->arena);
    assert(slice_ends(description, ERN_SLICE(RANGES)));
    if (!has_length)
        description.len -= sizeof RANGES - 1;
    out_slice(&o, description);
    out_literal(&o, "Content-Encoding: ");
    out_slice(&o, coding_name(coding));
    out_literal(&o, "\r\n");
    r->description = arena_keep(request->arena, &o);
    return slice_is_there(r->validators) && slice_is_there(r->description);
}

bool
coded_represent(struct ern_decision *d, struct entry *e, enum coding coding, struct cache *cache,
                struct encoders *encoders)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;
    const struct entry_coded *coded = &e->coded[coding];

    if (!write_fields(d, &e->variants[0], coding, coded->bytes != NULL))
        return false;
    r->bytes = coded->bytes;
    r->length = coded->n;
    r->fd = -1;
    d->evidence.content_bytes = coded->bytes ? (int64_t)coded->n : -1;
    if (coded->bytes)
        return true;
    r->stream = stream_new(e, coding, cache, encoders);
    return r->stream != NULL;
}
