/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_h2_client.c - the bytes of an HTTP/2 server behind us. However they are split, the same
 * comes up and the same goes out; no more is held than the limits say; heads are such as the reader
 * of HTTP/1.1 takes or refuses; and what is over is told so once, and nothing comes after it.
 *
 * The first byte of an input says how many requests there are, and which bring content.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "lib/h2_place.h"
#include "wire/h1_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ASKS = 4,
    FIELDS = 64,
    INPUT_MAX = 32768,
    TEXT = 1 << 17,
    OUT = 1 << 20,
    CONTENT = 3000,
    PIECE = 7,
};

struct place {
    struct h2_place at; /* first */
    size_t text_n, held;
    bool is_asked, was_closed;
    uint64_t sum;
    char text[TEXT];
};

struct side {
    struct h2_client h2;
    struct limits limits;
    struct place places[ASKS];
    struct out out;
    char bytes[OUT];
};

static bool
came(void *self, struct h2_ask *ask, struct ern_slice bytes, bool is_content)
{
    struct place *p = (struct place *)ask;
    struct side *side = self;

    assert(p->is_asked && !p->was_closed && !ask->ended);
    for (size_t i = 0; i < bytes.len; i++)
        p->sum = (p->sum ^ (unsigned char)bytes.ptr[i] ^ (is_content ? 256 : 0)) * 1099511628211u;
    if (is_content) {
        assert(ask->head_done);
        p->held += bytes.len;
        assert((int64_t)p->held <= side->limits.h2_stream_window_bytes);
        return true;
    }
    assert(!ask->head_done);
    assert(p->text_n + bytes.len <= TEXT);
    memcpy(p->text + p->text_n, bytes.ptr, bytes.len);
    p->text_n += bytes.len;
    return true;
}

static void
news(void *self, struct h2_ask *ask)
{
    struct place *p = (struct place *)ask;

    (void)self;
    assert(p->is_asked && !p->was_closed);
    p->was_closed = ask->closed;
}

static const struct h2_client_events events = {came, news, h2_place_offer, h2_place_give};

/* What came up of heads is for the reader of HTTP/1.1. */
static void
check_heads(const struct side *side, const struct place *p)
{
    static struct ern_field fields[FIELDS];
    struct ern_slice text = slice_from(p->text, p->text_n);

    while (text.len) {
        struct h1_answer answer;
        enum parse parse;

        h1_answer_init(&answer, &side->limits, fields, FIELDS);
        parse = h1_answer_feed(&answer, text, ERN_GET);
        if (parse != PARSE_DONE)
            return;
        assert(answer.status != 101 || answer.end == H1_END_TUNNEL);
        text = slice_skip(text, answer.head.at);
        assert(answer.status < 200 || text.len == 0);
    }
}

static bool
send_all(struct side *side)
{
    for (unsigned i = 0; i < ASKS; i++) {
        struct place *p = &side->places[i];

        if (p->is_asked && !p->at.ask.closed)
            h2_client_taken(&side->h2, &p->at.ask, p->held);
        p->held = 0;
    }
    return h2_client_send(&side->h2, &side->out);
}

static bool
begin(struct side *side, unsigned flags)
{
    side->limits = limits_standard();
    side->limits = h1_answer_limits(&side->limits);
    side->limits.fields_max = FIELDS;
    side->out = out_init(side->bytes, sizeof side->bytes);
    if (h2_client_begin(&side->h2, &side->limits, NULL, &events, side, 0) != 0)
        abort();
    for (unsigned i = 0; i < ASKS; i++) {
        struct place *p = &side->places[i];
        char text[] =
            "GET /a HTTP/1.1\r\nHost: a.example\r\nX-Own: one\r\nConnection: close\r\n\r\n";
        struct out head = out_init(text, sizeof text - 1);
        bool has_content = flags >> (i + 2) & 1;

        p->text_n = p->held = 0;
        p->at.left = has_content ? CONTENT : 0;
        p->was_closed = false;
        p->sum = 14695981039346656037u;
        head.len = sizeof text - 1;
        p->is_asked = i <= (flags & 3) &&
                      h2_client_ask(&side->h2, &p->at.ask, &head, false, has_content) == 0;
    }
    return send_all(side);
}

/* Returns whether it was HTTP/2 to the end. */
static bool
run(struct side *side, unsigned flags, struct ern_slice bytes, size_t split)
{
    bool goes_on = begin(side, flags);

    while (goes_on && bytes.len) {
        struct ern_slice piece = slice_first(bytes, split < bytes.len ? split : bytes.len);

        goes_on = h2_client_feed(&side->h2, piece, 0);
        bytes = slice_skip(bytes, piece.len);
    }
    goes_on = send_all(side) && goes_on;
    for (unsigned i = 0; i < ASKS; i++)
        if (side->places[i].is_asked)
            check_heads(side, &side->places[i]);
    h2_client_end(&side->h2);
    return goes_on;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct side whole, split;
    struct ern_slice bytes = slice_from((const char *)data, size);
    bool goes_on;

    if (size < 1 || size > INPUT_MAX)
        return 0;
    bytes = slice_skip(bytes, 1);
    goes_on = run(&whole, data[0], bytes, size);
    if (!run(&split, data[0], bytes, PIECE) || !goes_on)
        return 0; /* who has ended it is not heard out */
    assert(whole.out.len == split.out.len);
    assert(memcmp(whole.bytes, split.bytes, whole.out.len) == 0);
    for (unsigned i = 0; i < ASKS; i++) {
        assert(whole.places[i].is_asked == split.places[i].is_asked);
        assert(!whole.places[i].is_asked || whole.places[i].sum == split.places[i].sum);
    }
    return 0;
}
