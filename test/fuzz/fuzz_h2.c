/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_h2.c - the bytes of an HTTP/2 client. However they are split, the same events come, and the
 * same bytes go out; no more is held than the limits say; a request that is right is one of
 * HTTP/1.1, too; and a client finds nothing wrong with the answers.
 *
 * The first byte of an input has flags, the second says after how many bytes the session sends.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "lib/h2_reader.h"
#include "wire/h1.h"
#include "wire/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FIELDS = 128,
    STREAMS = 8,
    PLACES_FEW = 2,
    INPUT_MAX = 32768,
    TEXT = 32768,
    TEXT_FEW = 600,
    OUT = 1 << 20,
    PREFACE = 24,
    BARE = 1,      /* flags: the input brings its own preface, */
    SMALL = 2,     /* the limits are small, */
    FEW = 4,       /* there is room for fewer requests than the limit says, and for shorter ones, */
    LEAVES = 8,    /* the server says early that it ends, */
    UPGRADED = 16, /* the input begins with the value of HTTP2-Settings, and LF */
};

struct place { /* of a request in progress */
    struct h2_stream stream;
    struct ern_request request;
    struct ern_field fields[FIELDS];
    char text[TEXT];
    bool taken, answered, later;
    size_t held, left; /* content that came, and that is still to go */
    uint64_t sum;      /* of all that came */
};

struct side {
    struct h2 h2;
    struct limits limits;
    struct place places[STREAMS];
    unsigned places_n;
    uint64_t story; /* a sum of all events in their order */
    struct h2_reader reader;
    struct out out;
    char bytes[OUT];
};

static void
add(uint64_t *sum, struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        *sum = (*sum ^ (unsigned char)text.ptr[i]) * 1099511628211u;
}

static void
tell(struct side *side, const struct place *p, char event, struct ern_slice text)
{
    side->story =
        (side->story ^ (uint64_t)p->stream.id << 8 ^ (unsigned char)event) * 1099511628211u;
    add(&side->story, text);
}

static struct place *
place_of(struct h2_stream *stream)
{
    return (struct place *)(void *)stream;
}

/* ---- what a request has to be ------------------------------------------------------------------
 */

static void
check_cookies(const struct ern_request *r)
{
    struct ern_slice value;
    unsigned n = 0;

    for (uint16_t at = 0; ern_request_next(r, ERN_FIELD_cookie, &at, &value);)
        n++;
    assert(n <= 1);
}

/* The same request in the form of HTTP/1.1 is right, too, and within the same limits. */
static void
check_as_h1(const struct side *side, const struct h2_stream *s)
{
    static char memory[2 * TEXT];
    static struct ern_field fields[FIELDS];
    const struct ern_request *r = s->request;
    struct out o = out_init(memory, sizeof memory);
    struct ern_request again;
    struct h1_head head;
    enum parse parse;

    out_slice(&o, s->method);
    out_char(&o, ' ');
    out_slice(&o, r->target);
    out_literal(&o, " HTTP/1.1\r\n");
    if (slice_is_there(s->authority) && !ern_request_has(r, ERN_FIELD_host)) {
        out_literal(&o, "host: ");
        out_slice(&o, s->authority);
        out_literal(&o, "\r\n");
    }
    for (unsigned i = 0; i < r->fields_n; i++) {
        out_slice(&o, r->fields[i].name);
        out_literal(&o, ": ");
        out_slice(&o, r->fields[i].value);
        out_literal(&o, "\r\n");
    }
    out_literal(&o, "\r\n");
    assert(!o.full);
    ern_request_init(&again, fields, FIELDS);
    h1_head_init(&head, &side->limits);
    parse = h1_head_feed(&head, out_done(&o), &again);
    if (head.finding == FINDING_host_missing)
        return; /* HTTP/2 leaves it to those who know the hosts */
    assert(parse == PARSE_DONE && head.at == o.len);
    assert(slice_eq(again.target, r->target));
    assert(again.content_length == r->content_length);
    assert(!slice_is_there(s->authority) || slice_eq_nocase(again.authority, r->authority));
}

static void
check_request(const struct side *side, const struct h2_stream *s)
{
    const struct ern_request *r = s->request;

    assert(s->head_done && s->id % 2);
    assert((int64_t)r->fields_n <= side->limits.fields_max);
    assert((int64_t)s->text.len <= TEXT);
    for (unsigned i = 0; i < r->fields_n; i++)
        assert(r->fields[i].name.len && r->fields[i].name.ptr[0] != ':');
    if (s->finding)
        return;
    assert(!s->text.full);
    assert(r->method_text.len && r->target.len);
    assert(!slice_is_there(s->authority) || slice_eq(r->authority, s->authority));
    check_cookies(r);
    if (!slice_is_there(s->protocol)) /* CONNECT that asks for one is GET with Upgrade there */
        check_as_h1(side, s);
}

/* ---- a server that answers ---------------------------------------------------------------------
 */

static struct h2_stream *
begun(void *self)
{
    struct side *side = self;

    for (unsigned i = 0; i < side->places_n; i++) {
        struct place *p = &side->places[i];

        if (p->taken)
            continue;
        p->taken = true;
        p->answered = p->later = false;
        p->held = p->left = 0;
        p->sum = 0;
        ern_request_init(&p->request, p->fields, FIELDS);
        p->stream.request = &p->request;
        p->stream.text = out_init(p->text, side->places_n < STREAMS ? TEXT_FEW : TEXT);
        return &p->stream;
    }
    assert(side->places_n < STREAMS); /* else there are more than the limit says */
    return NULL;
}

/* An answer of a form that the target chooses; with nothing before it, or a 103. */
static void
answer(struct side *side, struct place *p)
{
    size_t n = p->stream.path.len;
    char text[128];
    struct out lines = out_init(text, sizeof text);

    p->answered = true;
    if (n % 4 == 1) {
        out_literal(&lines, "Link: </a>\r\n");
        h2_interim(&side->h2, &p->stream, 103, &lines);
    }
    lines = out_init(text, sizeof text);
    out_literal(&lines, "Content-Type: text/plain\r\nConnection: close\r\nX: \r\n");
    p->left = p->stream.finding || p->request.method == ERN_HEAD ? 0 : n % 8 * 3000;
    h2_answer(&side->h2, &p->stream,
              p->stream.finding ? 400
              : n % 8           ? 200
                                : 204,
              &lines, false, p->left > 0);
}

static void
head(void *self, struct h2_stream *stream)
{
    struct side *side = self;
    struct place *p = place_of(stream);

    tell(side, p, 'h', p->request.target);
    tell(side, p, (char)stream->finding, stream->finding_field);
    for (unsigned i = 0; i < p->request.fields_n; i++) {
        tell(side, p, (char)p->fields[i].id, p->fields[i].name);
        tell(side, p, 'v', p->fields[i].value);
    }
    check_request(side, stream);
    h2_reader_open(&side->reader, stream->id, p->request.method == ERN_HEAD);
    if (stream->ended ||
        p->request.method_text.len % 2) /* some are answered before their content */
        answer(side, p);
}

static void
content(void *self, struct h2_stream *stream, struct ern_slice piece)
{
    struct side *side = self;
    struct place *p = place_of(stream);
    size_t all = 0;

    add(&p->sum, piece);
    p->held += piece.len;
    assert(!stream->ended);
    assert((int64_t)p->held <= side->limits.h2_stream_window_bytes);
    for (unsigned i = 0; i < side->places_n; i++)
        all += side->places[i].taken ? side->places[i].held : 0;
    assert((int64_t)all <= side->limits.h2_window_bytes);
}

static void
ended(void *self, struct h2_stream *stream)
{
    struct place *p = place_of(stream);

    /* Pieces may differ, and how much came of a content that is cut; all of it may not. */
    tell(self, p, 'e', slice_from((const char *)&p->sum, sizeof p->sum));
    assert(stream->ended);
    if (!p->answered)
        answer(self, p);
}

static ssize_t
offer(void *self, struct h2_stream *stream, size_t cap, bool *ret_end)
{
    struct place *p = place_of(stream);
    size_t n = p->left < cap ? p->left : cap;

    (void)self;
    if (stream->path.len % 16 == 2 && !p->later) { /* has to wait once */
        p->later = true;
        return H2_LATER;
    }
    if (stream->path.len % 16 == 3)
        return H2_CUT;
    *ret_end = n == p->left;
    return (ssize_t)n;
}

static bool
give(void *self, struct h2_stream *stream, char *bytes, size_t n)
{
    struct place *p = place_of(stream);

    (void)self;
    assert(n <= p->left);
    memset(bytes, 'a', n);
    p->left -= n;
    return true;
}

static void
answered(void *self, struct h2_stream *stream)
{
    struct side *side = self;

    assert(place_of(stream)->answered);
    if (!stream->ended && stream->path.len % 32 == 4) /* no more of the request is wanted */
        h2_stop(&side->h2, stream);
}

static void
closed(void *self, struct h2_stream *stream)
{
    struct place *p = place_of(stream);

    tell(self, p, 'x', ERN_SLICE(""));
    assert(p->taken);
    p->taken = false;
}

static const struct h2_events events = {begun, head, content, ended, offer, give, answered, closed};

/* ---- a run -------------------------------------------------------------------------------------
 */

/* Takes the content that came, and sends what is to be sent. Returns false if it is over. */
static bool
send_all(struct side *side)
{
    size_t before = side->out.len;
    bool goes_on;

    for (unsigned i = 0; i < side->places_n; i++) {
        struct place *p = &side->places[i];

        if (!p->taken)
            continue;
        h2_taken(&side->h2, &p->stream, p->held);
        p->held = 0;
        if (p->later)
            h2_go_on(&side->h2, &p->stream);
    }
    goes_on = h2_send(&side->h2, &side->out);
    h2_reader_feed(&side->reader, side->h2.ids.last, slice_skip(out_done(&side->out), before));
    return goes_on && !h2_is_over(&side->h2);
}

static bool
feed(struct side *side, struct ern_slice bytes, size_t split)
{
    while (bytes.len) {
        struct ern_slice piece = slice_first(bytes, split < bytes.len ? split : bytes.len);

        if (!h2_feed(&side->h2, piece, 0))
            return false;
        bytes = slice_skip(bytes, piece.len);
    }
    return true;
}

static bool
begin(struct side *side, unsigned flags, struct ern_slice *bytes)
{
    static const char greeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    size_t line = flags & UPGRADED ? slice_find(*bytes, '\n') : bytes->len;

    side->limits = limits_standard();
    side->limits.h2_streams_max = STREAMS;
    if (flags & SMALL) {
        side->limits.target_bytes_max = 64;
        side->limits.field_bytes_max = 256;
        side->limits.fields_bytes_max = 1024;
        side->limits.fields_max = 8;
        side->limits.h2_stream_window_bytes = 1024;
    }
    side->places_n = flags & FEW ? PLACES_FEW : STREAMS;
    for (unsigned i = 0; i < STREAMS; i++)
        side->places[i].taken = false;
    side->story = 14695981039346656037u;
    side->out = out_init(side->bytes, sizeof side->bytes);
    h2_reader_begin(&side->reader);
    if (h2_begin(&side->h2, &side->limits, NULL, &events, side, 0) != 0)
        abort();
    if (line < bytes->len) {
        struct h2_stream *first = begun(side);

        first->request->target = first->path = ERN_SLICE("/upgraded");
        h2_reader_open(&side->reader, 1, false);
        if (!h2_upgrade(&side->h2, slice_first(*bytes, line), false, first))
            return false;
        first->path = ERN_SLICE("/upgraded");
        *bytes = slice_skip(*bytes, line + 1);
        answer(side, place_of(first));
    }
    return flags & BARE || feed(side, slice_from(greeting, sizeof greeting - 1), PREFACE + 9);
}

/* Feeds the bytes in pieces of `split`, and sends after each `turn` of them. */
static void
run(struct side *side, unsigned flags, struct ern_slice bytes, size_t turn, size_t split)
{
    bool goes_on = begin(side, flags, &bytes) && send_all(side);

    if (goes_on && flags & LEAVES)
        h2_leave(&side->h2);
    while (goes_on && bytes.len) {
        struct ern_slice part = slice_first(bytes, turn < bytes.len ? turn : bytes.len);

        goes_on = feed(side, part, split);
        goes_on = send_all(side) && goes_on;
        bytes = slice_skip(bytes, part.len);
    }
    for (unsigned i = 0; i < side->places_n; i++)
        if (side->places[i].taken)
            tell(side, &side->places[i], 'o', ERN_SLICE(""));
    h2_end(&side->h2);
    h2_reader_end(&side->reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct side whole, split;
    struct ern_slice bytes = slice_from((const char *)data, size);
    size_t turn, piece;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    turn = data[1] ? (size_t)data[1] * 4 : size;
    piece = data[0] & 0x80 ? 1 : 1 + (size_t)(data[0] >> 5) * 5;
    bytes = slice_skip(bytes, 2);
    run(&whole, data[0], bytes, turn, turn);
    run(&split, data[0], bytes, turn, piece);
    assert(whole.story == split.story);
    assert(whole.out.len == split.out.len);
    assert(memcmp(whole.bytes, split.bytes, whole.out.len) == 0);
    return 0;
}
