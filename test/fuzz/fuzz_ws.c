/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ws.c - frames of a WebSocket client. However the bytes are split, the events are the same;
 * they are those of a naive reader that sees all bytes at once; and the messages, written as we
 * write them and masked, are read as the same messages.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "base/utf8.h"
#include "wire/ws.h"
#include "wire/ws_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16384, STORY_MAX = 4 * INPUT_MAX, MESSAGE_MAX = 300 };

/* An event as text: its kind, the close code, and the payload with its length. */
static void
tell(struct out *o, enum ws_event event, bool is_compressed, unsigned code,
     struct ern_slice payload)
{
    out_char(o, "mtbPpcX"[event]);
    if (event == WS_TEXT || event == WS_BINARY)
        out_char(o, is_compressed ? '~' : '=');
    if (event == WS_CLOSE || event == WS_BAD)
        out_u64(o, code);
    out_char(o, ' ');
    out_u64(o, payload.len);
    out_char(o, ':');
    out_slice(o, payload);
}

struct reading {
    struct ws ws;
    struct out story;
    char *message;
};

static void
begin(struct reading *r, char *memory, bool may_compress)
{
    r->story = out_init(memory, STORY_MAX);
    r->message = malloc(MESSAGE_MAX);
    assert(r->message);
    ws_init(&r->ws, r->message, MESSAGE_MAX, may_compress);
}

/* Feeds bytes, in memory of just their size; between messages the memory for them is another. */
static void
feed(struct reading *r, struct ern_slice bytes)
{
    char *copy = malloc(bytes.len ? bytes.len : 1);
    struct ern_slice in;

    assert(copy);
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    in = slice_from(copy, bytes.len);
    while (in.len && !ws_is_over(&r->ws)) {
        enum ws_event event = ws_feed(&r->ws, &in);

        if (event == WS_MORE)
            assert(in.len == 0);
        else
            tell(&r->story, event, r->ws.is_compressed, r->ws.code, r->ws.payload);
    }
    free(copy);
    if (!ws_is_amid(&r->ws)) {
        free(r->message);
        r->message = malloc(MESSAGE_MAX);
        assert(r->message);
        r->ws.message = r->message;
    }
}

static void
compare(struct reading *r, const struct out *story)
{
    assert(!r->story.full && !story->full);
    assert(slice_eq(out_done(&r->story), out_done(story)));
    free(r->message);
}

/* Is text UTF-8, or the beginning of something that is, if more may follow? */
static bool
could_be_utf8(struct ern_slice text, bool is_whole)
{
    static const char *const ends[] = {"\x80", "\x80\x80", "\x80\x80\x80", "\xa0\x80",
                                       "\x90\x80\x80"};
    char longer[MESSAGE_MAX + 4];

    if (utf8_is(text))
        return true;
    for (size_t i = 0; !is_whole && i < sizeof ends / sizeof *ends; i++) {
        struct out o = out_init(longer, sizeof longer);

        out_slice(&o, text);
        out_text(&o, ends[i]);
        if (utf8_is(out_done(&o)))
            return true;
    }
    return false;
}

struct naive {
    char message[MESSAGE_MAX];
    struct out text;
    unsigned opcode; /* of the message that has begun, or 0 */
    bool may_compress, is_compressed;
    struct out story;
};

static void
tell_bad(struct naive *n, unsigned code)
{
    tell(&n->story, WS_BAD, false, code, ERN_ABSENT);
}

/* The code that the first bytes of a frame earn, 0 if they may stand there (RFC
 * 6455 5.2, 5.4, 5.5).
 */
static unsigned
judge_head(const struct naive *n, const uint8_t *p, size_t len)
{
    static const char defined[] = {1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0};
    unsigned opcode = p[0] & 15U;

    if ((p[0] & 0x30) || ((p[0] & 0x40) && (!n->may_compress || (opcode != 1 && opcode != 2))))
        return 1002;
    if (!defined[opcode] || (opcode >= 8 && p[0] < 0x80))
        return 1002;
    if (opcode < 8 && (opcode == 0) != (n->opcode != 0))
        return 1002;
    if (len > 1 && (p[1] < 0x80 || (opcode >= 8 && (p[1] & 0x7f) > 125)))
        return 1002;
    return len > 2 && p[1] == 0xff && p[2] > 0x7f ? 1002 : 0;
}

static bool
control(struct naive *n, unsigned opcode, struct ern_slice payload)
{
    unsigned code = 1005;

    if (opcode != 8) {
        tell(&n->story, opcode == 9 ? WS_PING : WS_PONG, false, 0, payload);
        return true;
    }
    if (payload.len == 1) {
        tell_bad(n, 1002);
        return false;
    }
    if (payload.len) {
        code = (unsigned)(uint8_t)payload.ptr[0] * 256 + (uint8_t)payload.ptr[1];
        payload = slice_skip(payload, 2);
        if (code < 1000 || code > 4999 || (code > 1014 && code < 3000) ||
            (code > 1003 && code < 1007)) {
            tell_bad(n, 1002);
            return false;
        }
        if (!utf8_is(payload)) {
            tell_bad(n, 1007);
            return false;
        }
    }
    tell(&n->story, WS_CLOSE, false, code, payload);
    return false;
}

/* One frame at p. Returns its length, or 0 if nothing follows that could be read. */
static size_t
read_frame(struct naive *n, const uint8_t *p, size_t len)
{
    unsigned opcode = p[0] & 15U, code = judge_head(n, p, len), form;
    char payload[MESSAGE_MAX];
    uint64_t length = 0;
    size_t head, have;

    if (code)
        tell_bad(n, code);
    if (code || len < 2)
        return 0;
    form = p[1] & 0x7fU;
    head = form == 127 ? 10 : form == 126 ? 4 : 2;
    if (len < head)
        return 0;
    for (size_t i = head == 2 ? 1 : 2; i < head; i++)
        length = length * 256 + (head == 2 ? form : p[i]);
    if ((head == 4 && length < 126) || (head == 10 && length < 65536)) {
        tell_bad(n, 1002);
        return 0;
    }
    if (opcode < 8 && !n->opcode) {
        n->opcode = opcode;
        n->is_compressed = (p[0] & 0x40) != 0;
        n->text = out_init(n->message, sizeof n->message);
    }
    if (opcode < 8 && length > n->text.cap - n->text.len) {
        tell_bad(n, 1009);
        return 0;
    }
    if (len < head + 4)
        return 0;
    have = len - head - 4 < length ? len - head - 4 : (size_t)length;
    for (size_t i = 0; i < have; i++)
        payload[i] = (char)(p[head + 4 + i] ^ p[head + i % 4]);
    if (opcode >= 8)
        return have == length && control(n, opcode, slice_from(payload, have)) ? head + 4 + have
                                                                               : 0;
    out_slice(&n->text, slice_from(payload, have));
    if (n->opcode == 1 && !n->is_compressed &&
        !could_be_utf8(out_done(&n->text), have == length && p[0] >= 0x80)) {
        tell_bad(n, 1007);
        return 0;
    }
    if (have < length)
        return 0;
    if (p[0] >= 0x80) {
        tell(&n->story, n->opcode == 1 ? WS_TEXT : WS_BINARY, n->is_compressed, 0,
             out_done(&n->text));
        n->opcode = 0;
    }
    return head + 4 + have;
}

/* The messages of a story's memory, as we write them, in fragments of the given size. */
static void
check_writing(struct ern_slice text, bool is_text, size_t fragment)
{
    char memory[4 * MESSAGE_MAX + 64], message[MESSAGE_MAX];
    struct out o = out_init(memory, sizeof memory);
    struct ern_slice rest = text, in;
    enum ws_opcode opcode = is_text ? WS_OP_TEXT : WS_OP_BINARY;
    enum ws_event event = WS_MORE;
    struct ws ws;
    char *frame;
    bool is_last;

    ws_init(&ws, message, sizeof message, false);
    do {
        size_t n = rest.len < fragment ? rest.len : fragment;

        is_last = n == rest.len;
        o.len = 0;
        ws_write_head(&o, opcode, is_last ? WS_FIN : 0, n);
        frame = o.ptr + o.len;
        out_slice(&o, ERN_SLICE("\0\0\0\0")); /* a mask that changes nothing */
        out_slice(&o, slice_first(rest, n));
        assert(!o.full && frame);
        memory[1] = (char)(memory[1] | 0x80);
        in = out_done(&o);
        event = ws_feed(&ws, &in);
        assert(in.len == 0 && event == (!is_last ? WS_MORE : is_text ? WS_TEXT : WS_BINARY));
        rest = slice_skip(rest, n);
        opcode = WS_OP_CONTINUATION;
    } while (!is_last);
    assert(slice_eq(ws.payload, text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[4][STORY_MAX];
    static struct naive naive;
    struct ern_slice bytes = slice_from((const char *)data, size);
    struct reading whole, split, slow;
    uint32_t random = 2166136261;
    bool may_compress;
    size_t cut;

    if (size > INPUT_MAX)
        return 0;
    for (size_t i = 0; i < size; i++)
        random = (random ^ data[i]) * 16777619;
    may_compress = random & 0x10000;
    cut = (random >> 8) % (size + 1);

    naive = (struct naive){.may_compress = may_compress, .story = out_init(memory[0], STORY_MAX)};
    for (size_t at = 0, n; at < size; at += n) {
        n = read_frame(&naive, data + at, size - at);
        if (n == 0)
            break;
    }
    begin(&whole, memory[1], may_compress);
    feed(&whole, bytes);
    compare(&whole, &naive.story);
    begin(&split, memory[2], may_compress);
    feed(&split, slice_first(bytes, cut));
    feed(&split, slice_skip(bytes, cut));
    compare(&split, &naive.story);
    begin(&slow, memory[3], may_compress);
    for (size_t i = 0; i < size; i++)
        feed(&slow, slice_first(slice_skip(bytes, i), 1));
    compare(&slow, &naive.story);
    bytes.len = size < MESSAGE_MAX ? size : MESSAGE_MAX;
    check_writing(bytes, utf8_is(bytes), 1 + (random >> 4) % MESSAGE_MAX);
    return 0;
}
