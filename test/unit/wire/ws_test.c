/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws_test.c - frames of a WebSocket client, whole and split at every byte; and ours.
 *
 * Rows have the frames without masks; they are masked on their way in. A row that is refused ends
 * with the byte that shows what is wrong: not one byte before is it known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/out.h"
#include "wire/ws.h"
#include "wire/ws_write.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

enum { MESSAGE_MAX = 400, INPUT_MAX = 4096, STORY_MAX = 2048 };

static bool seen[WS_FAULTS]; /* has a row shown it? */

struct row {
    int line;
    struct ern_slice frames;
    struct ern_slice story; /* what the events say, see tell() */
};

#define ROW(frames, story)                                                                         \
    {                                                                                              \
        __LINE__, {frames, sizeof frames - 1},                                                     \
        {                                                                                          \
            story, sizeof story - 1                                                                \
        }                                                                                          \
    }

static const char *const fault_names[] = {
    "none",
#define WS_FAULT(name, code, source, reason) #name,
#include "wire/ws_fault.def"
#undef WS_FAULT
};

/* One word an event: text:Hello ping: close:1000:bye bad:1002:unmasked, and ~ for compressed. */
static void
tell(struct out *o, const struct ws *ws)
{
    static const char *const names[] = {"more", "text", "binary", "ping", "pong", "close", "bad"};

    if (ws->event == WS_MORE)
        return;
    out_text(o, o->len ? " " : "");
    out_text(o, ws->is_compressed && ws->event <= WS_BINARY ? "~" : "");
    out_text(o, names[ws->event]);
    if (ws_is_over(ws)) {
        out_char(o, ':');
        out_u64(o, ws->code);
    }
    out_char(o, ':');
    if (ws->event == WS_BAD) {
        out_text(o, fault_names[ws->fault]);
        seen[ws->fault] = true;
        assert_true(ws_reason(ws).len > 0);
    } else {
        out_slice(o, ws->payload);
        assert_int_equal(ws_reason(ws).len, 0);
    }
}

/* Masks frames, which may end anywhere, as a client does (RFC 6455 5.3). */
static void
mask_frames(struct out *o, struct ern_slice in, const char mask[4])
{
    while (in.len) {
        unsigned form = in.len > 1 ? (uint8_t)in.ptr[1] & 0x7f : 0;
        size_t head = form == 127 ? 10 : form == 126 ? 4 : 2;
        uint64_t length = form < 126 ? form : 0;

        out_char(o, in.ptr[0]);
        if (in.len > 1)
            out_char(o, (char)(in.ptr[1] | 0x80));
        for (size_t i = 2; i < head && i < in.len; i++) {
            length = length << 8 | (uint8_t)in.ptr[i];
            out_char(o, in.ptr[i]);
        }
        if (in.len < head)
            return;
        in = slice_skip(in, head);
        if (in.len || (length == 0 && form == 0))
            out_slice(o, slice_from(mask, 4));
        for (uint64_t i = 0; i < length && in.len; i++, in = slice_skip(in, 1))
            out_char(o, (char)(in.ptr[0] ^ mask[i % 4]));
    }
    assert_false(o->full);
}

/* Feeds a piece, in memory of just its size. Returns how many bytes were taken. */
static size_t
feed(struct ws *ws, struct ern_slice piece, struct out *story)
{
    char *copy = malloc(piece.len ? piece.len : 1);
    struct ern_slice in;

    assert_non_null(copy);
    if (piece.len)
        memcpy(copy, piece.ptr, piece.len);
    in = slice_from(copy, piece.len);
    while (in.len && !ws_is_over(ws)) {
        (void)ws_feed(ws, &in);
        tell(story, ws);
    }
    free(copy);
    return piece.len - in.len;
}

/* The story of the input with the first `split` bytes on their own, or one by one (SIZE_MAX). */
static void
check_split(const struct row *row, struct ern_slice in, size_t split, bool may_compress)
{
    char message[MESSAGE_MAX], memory[STORY_MAX];
    struct out story = out_init(memory, sizeof memory);
    struct ws ws;
    size_t taken = 0;

    ws_init(&ws, message, sizeof message, may_compress);
    if (split == SIZE_MAX) {
        while (taken < in.len && !ws_is_over(&ws))
            taken += feed(&ws, slice_first(slice_skip(in, taken), 1), &story);
        if (ws.event == WS_BAD && taken != in.len)
            fail_msg("line %d: known at byte %zu of %zu", row->line, taken, in.len);
    } else {
        taken = feed(&ws, slice_first(in, split), &story);
        taken += feed(&ws, slice_skip(in, split), &story);
    }
    assert_false(story.full);
    if (!slice_eq(out_done(&story), row->story))
        fail_msg("line %d, split at %zu: %.*s", row->line, split, (int)story.len, memory);
    if (ws_is_over(&ws)) { /* it stays as it is */
        enum ws_event event = ws.event;
        struct ern_slice more = ERN_SLICE("\x81");

        assert_int_equal(ws_feed(&ws, &more), event);
        assert_int_equal(more.len, 1);
    }
}

static void
check_all(const struct row *rows, size_t n, bool may_compress)
{
    static const char masks[][4] = {"\x37\xfa\x21\x3d", {0}};

    for (size_t i = 0; i < n; i++)
        for (size_t m = 0; m < LEN(masks); m++) {
            char memory[INPUT_MAX];
            struct out o = out_init(memory, sizeof memory);

            mask_frames(&o, rows[i].frames, masks[m]);
            for (size_t split = 0; split <= o.len; split++)
                check_split(&rows[i], out_done(&o), split, may_compress);
            check_split(&rows[i], out_done(&o), SIZE_MAX, may_compress);
        }
}

#define CHECK_ALL(rows, may_compress) check_all(rows, LEN(rows), may_compress)

/* Payloads of 125 to 128 bytes. */
#define B25 "*************************"
#define B125 B25 B25 B25 B25 B25
#define B126 B125 "*"
#define B127 B126 "*"
#define B128 B127 "*"

static void
reads_messages(void **state)
{
    static const struct row rows[] = {
        ROW("\x81\x00", "text:"),
        ROW("\x81\x05Hello", "text:Hello"),
        ROW("\x81\x7d" B125, "text:" B125),
        ROW("\x81\x7e\x00\x7e" B126, "text:" B126),
        ROW("\x81\x7e\x00\x7f" B127, "text:" B127),
        ROW("\x81\x7e\x00\x80" B128, "text:" B128),
        ROW("\x82\x00", "binary:"),
        ROW("\x82\x05\xfe\xfe\xfe\xfe\xfe", "binary:\xfe\xfe\xfe\xfe\xfe"),
        ROW("\x82\x7e\x00\x80" B128, "binary:" B128),
        ROW("\x81\x01"
            "a\x82\x01"
            "b\x81\x00",
            "text:a binary:b text:"),
        ROW("\x81\x05Hel", ""),
    };

    (void)state;
    CHECK_ALL(rows, false);
    CHECK_ALL(rows, true);
}

static void
reads_pings_and_pongs(void **state)
{
    static const struct row rows[] = {
        ROW("\x89\x00", "ping:"),
        ROW("\x89\x05Hello", "ping:Hello"),
        ROW("\x89\x04\xff\xfe\xfd\xfc", "ping:\xff\xfe\xfd\xfc"),
        ROW("\x89\x7d" B125, "ping:" B125),
        ROW("\x89\x7e", "bad:1002:control_long"),
        ROW("\x89\x7f", "bad:1002:control_long"),
        ROW("\x8a\x00", "pong:"),
        ROW("\x8a\x04late", "pong:late"),
        ROW("\x8a\x04late\x89\x03now", "pong:late ping:now"),
        ROW("\x89\x01"
            "1\x89\x01"
            "2\x89\x01"
            "3\x89\x01"
            "4",
            "ping:1 ping:2 ping:3 ping:4"),
        ROW("\x8a\x7e", "bad:1002:control_long"),
    };

    (void)state;
    CHECK_ALL(rows, false);
}

static void
refuses_reserved_bits(void **state)
{
    static const struct row rows[] = {
        ROW("\x91", "bad:1002:reserved_bit"),
        ROW("\xa1", "bad:1002:reserved_bit"),
        ROW("\xb1", "bad:1002:reserved_bit"),
        ROW("\xd1", "bad:1002:reserved_bit"),
        ROW("\xe2", "bad:1002:reserved_bit"),
        ROW("\xf8", "bad:1002:reserved_bit"),
        ROW("\xc9", "bad:1002:reserved_bit"), /* RSV1 of a ping */
        ROW("\xc8", "bad:1002:reserved_bit"),
        ROW("\x81\x01"
            "a\x99",
            "text:a bad:1002:reserved_bit"),
        ROW("\x01\x01"
            "a\xc0",
            "bad:1002:reserved_bit"), /* RSV1 of a later fragment */
    };
    static const struct row without[] = {
        ROW("\xc1", "bad:1002:reserved_bit"),
        ROW("\x42", "bad:1002:reserved_bit"),
    };

    (void)state;
    CHECK_ALL(rows, false);
    CHECK_ALL(rows, true);
    CHECK_ALL(without, false);
}

static void
refuses_unknown_opcodes(void **state)
{
    static const unsigned opcodes[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};

    (void)state;
    for (size_t i = 0; i < LEN(opcodes); i++)
        for (unsigned fin = 0; fin <= 1; fin++) {
            char frames[] = {(char)0x81, 1, 'a', (char)(fin << 7 | opcodes[i])};
            struct row row = {__LINE__, slice_from(frames, sizeof frames),
                              ERN_SLICE("text:a bad:1002:opcode")};

            check_all(&row, 1, false);
        }
}

static void
refuses_frames_without_masks(void **state)
{
    static const struct row row = ROW("\x81\x05", "bad:1002:unmasked");

    (void)state;
    for (size_t split = 0; split <= row.frames.len; split++)
        check_split(&row, row.frames, split, false);
    check_split(&row, row.frames, SIZE_MAX, false);
}

static void
refuses_lengths_that_could_be_shorter(void **state)
{
    static const struct row rows[] = {
        ROW("\x81\x7e\x00\x00", "bad:1002:length_form"),
        ROW("\x81\x7e\x00\x7d", "bad:1002:length_form"),
        ROW("\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x01", "bad:1002:length_form"),
        ROW("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "bad:1002:length_form"),
        ROW("\x82\x7f\x80", "bad:1002:length_form"),
        ROW("\x82\x7f\xff", "bad:1002:length_form"),
    };

    (void)state;
    CHECK_ALL(rows, false);
}

static void
joins_fragments(void **state)
{
    static const struct row rows[] = {
        ROW("\x01\x03"
            "Hel\x80\x02lo",
            "text:Hello"), /* RFC 6455 5.7 */
        ROW("\x02\x01"
            "a\x00\x01"
            "b\x80\x01"
            "c",
            "binary:abc"),
        ROW("\x01\x00\x00\x00\x80\x00", "text:"),
        ROW("\x01\x00\x00\x01"
            "x\x80\x00",
            "text:x"),
        ROW("\x01\x01"
            "a\x89\x01p\x80\x01"
            "b",
            "ping:p text:ab"),
        ROW("\x01\x01"
            "a\x89\x01p\x00\x01"
            "b\x8a\x01q\x80\x01"
            "c\x81\x01z",
            "ping:p pong:q text:abc text:z"),
        ROW("\x01\x01"
            "a\x88\x02\x03\xe8",
            "close:1000:"),
        ROW("\x09", "bad:1002:control_fragmented"),
        ROW("\x0a", "bad:1002:control_fragmented"),
        ROW("\x08", "bad:1002:control_fragmented"),
        ROW("\x80", "bad:1002:continuation"),
        ROW("\x00", "bad:1002:continuation"),
        ROW("\x81\x01"
            "a\x80",
            "text:a bad:1002:continuation"),
        ROW("\x01\x01"
            "a\x80\x01"
            "b\x00",
            "text:ab bad:1002:continuation"),
        ROW("\x01\x01"
            "a\x81",
            "bad:1002:interleaved"),
        ROW("\x01\x01"
            "a\x00\x01"
            "b\x02",
            "bad:1002:interleaved"),
        ROW("\x01\x01"
            "a\x89\x00\x01",
            "ping: bad:1002:interleaved"),
    };

    (void)state;
    CHECK_ALL(rows, false);
}

#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5" /* five characters, 11 bytes */

static void
looks_at_text_as_it_comes(void **state)
{
    static const struct row rows[] = {
        ROW("\x81\x0b" KOSME, "text:" KOSME),
        ROW("\x01\x01\xce\x00\x01\xba\x80\x00", "text:\xce\xba"),
        ROW("\x01\x02\xf0\x9f\x89\x01p\x80\x02\x8d\xb5", "ping:p text:\xf0\x9f\x8d\xb5"),
        ROW("\x81\x04\xf4\x8f\xbf\xbf", "text:\xf4\x8f\xbf\xbf"),
        ROW("\x81\x03\xef\xbf\xbf", "text:\xef\xbf\xbf"), /* a noncharacter is a character */
        ROW("\x81\x03\xed\x9f\xbf", "text:\xed\x9f\xbf"),
        ROW("\x81\x03\xee\x80\x80", "text:\xee\x80\x80"),
        ROW("\x81\x01\x00", "text:\0"),
        /* the byte that no character has there */
        ROW("\x81\x14" KOSME "\xed\xa0", "bad:1007:text"), /* a surrogate */
        ROW("\x01\x0b" KOSME "\x00\x09\xf4\x90", "bad:1007:text"),
        ROW("\x81\x0b\x80", "bad:1007:text"),
        ROW("\x81\x0b\xbf", "bad:1007:text"),
        ROW("\x81\x0b\xc0", "bad:1007:text"), /* overlong */
        ROW("\x81\x0b\xc1", "bad:1007:text"),
        ROW("\x81\x0b\xe0\x9f", "bad:1007:text"),
        ROW("\x81\x0b\xf0\x8f", "bad:1007:text"),
        ROW("\x81\x0b\xf5", "bad:1007:text"),
        ROW("\x81\x0b\xf8", "bad:1007:text"), /* five bytes */
        ROW("\x81\x0b\xfe", "bad:1007:text"),
        ROW("\x81\x0b\xff", "bad:1007:text"),
        ROW("\x81\x0b\xc3(", "bad:1007:text"),
        ROW("\x81\x0b\xe2\x82(", "bad:1007:text"),
        ROW("\x81\x0b\xf0\x9f\x8d ", "bad:1007:text"),
        ROW("\x01\x01\xce\x00\x00\x80\x01 ", "bad:1007:text"),
        /* the end of a text that is cut */
        ROW("\x81\x01\xce", "bad:1007:text"),
        ROW("\x81\x03\xf0\x9f\x8d", "bad:1007:text"),
        ROW("\x01\x01\xce\x80\x00", "bad:1007:text"),
        /* a message that begins anew owes nothing */
        ROW("\x81\x02\xce\xba\x82\x01\xce\x81\x02\xce\xba",
            "text:\xce\xba binary:\xce text:\xce\xba"),
    };

    (void)state;
    CHECK_ALL(rows, false);
    CHECK_ALL(rows, true);
}

#define B123 B25 B25 B25 B25 "***********************"

static void
reads_close_frames(void **state)
{
    static const struct row rows[] = {
        ROW("\x88\x00", "close:1005:"),
        ROW("\x88\x02\x03\xe8", "close:1000:"),
        ROW("\x88\x05\x03\xe8"
            "bye",
            "close:1000:bye"),
        ROW("\x88\x7d\x03\xe8" B123, "close:1000:" B123),
        ROW("\x88\x04\x03\xe9\xce\xba", "close:1001:\xce\xba"),
        ROW("\x88\x02\x03\xe8\x81\x01"
            "a\x89\x00",
            "close:1000:"), /* nothing counts after it */
        ROW("\x88\x00\x88\x00", "close:1005:"),
        ROW("\x81\x01"
            "a\x88\x00",
            "text:a close:1005:"),
        ROW("\x88\x7e", "bad:1002:control_long"),
        ROW("\x88\x01\x03", "bad:1002:close_length"),
        ROW("\x88\x05\x03\xe8\xce\xba\xce", "bad:1007:close_reason"),
        ROW("\x88\x04\x03\xe8\xed\xa0", "bad:1007:close_reason"),
    };

    (void)state;
    CHECK_ALL(rows, false);
}

static void
takes_the_close_codes_that_may_be_sent(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        bool may = (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                   (code >= 3000 && code <= 4999);
        char frame[] = {(char)0x88, (char)0x82, 0, 0, 0, 0, (char)(code >> 8), (char)code};
        struct ern_slice in = slice_from(frame, sizeof frame);
        struct ws ws;

        ws_init(&ws, NULL, 0, false);
        assert_int_equal(ws_feed(&ws, &in), may ? WS_CLOSE : WS_BAD);
        assert_int_equal(ws.code, may ? code : 1002);
        assert_int_equal(ws.fault, may ? WS_FAULT_none : WS_FAULT_close_code);
        seen[ws.fault] = true;
    }
}

static void
bounds_a_message(void **state)
{
    static const struct row rows[] = {
        ROW("\x82\x7e\x01\x91", "bad:1009:too_big"), /* MESSAGE_MAX is 400 */
        ROW("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", "bad:1009:too_big"),
        ROW("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "bad:1009:too_big"),
        ROW("\x02\x7e\x00\x80" B128 "\x00\x7e\x00\x80" B128 "\x00\x7e\x00\x80" B128 "\x80\x11",
            "bad:1009:too_big"),
        ROW("\x02\x7e\x00\x80" B128 "\x00\x7e\x00\x80" B128 "\x00\x7e\x00\x80" B128
            "\x80\x10****************",
            "binary:" B128 B128 B128 "****************"),
    };

    (void)state;
    CHECK_ALL(rows, false);
}

static void
passes_compressed_messages_on(void **state)
{
    static const struct row rows[] = {
        /* RFC 7692 7.2.3.1, in one frame and in two */
        ROW("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "~text:\xf2\x48\xcd\xc9\xc9\x07\x00"),
        ROW("\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", "~text:\xf2\x48\xcd\xc9\xc9\x07\x00"),
        ROW("\x41\x01\xff\x89\x01p\x80\x01\xff", "ping:p ~text:\xff\xff"),
        ROW("\xc2\x01\xff\x81\x01"
            "a",
            "~binary:\xff text:a"),
        ROW("\xc1\x01\xff\x81\x01\xff", "~text:\xff bad:1007:text"),
    };

    (void)state;
    CHECK_ALL(rows, true);
}

/* A message of ours, read in pieces; every buffer has just its size. */
static void
check_size(size_t size, size_t piece)
{
    char *payload = malloc(size + 1), *message = malloc(size + 1);
    char *frame = malloc(size + WS_WRITE_HEAD_MAX), *masked = malloc(size + WS_HEAD_MAX);
    struct out plain = out_init(frame, size + WS_WRITE_HEAD_MAX);
    struct out o = out_init(masked, size + WS_HEAD_MAX);
    struct ern_slice rest;
    struct ws ws;

    assert_true(payload && message && frame && masked);
    for (size_t i = 0; i < size; i++)
        payload[i] = (char)('a' + i % 23);
    ws_write_text(&plain, slice_from(payload, size));
    mask_frames(&o, out_done(&plain), "\x01\x82\x03\xf4");
    ws_init(&ws, message, size, false);
    for (rest = out_done(&o); rest.len;) {
        struct ern_slice in = slice_first(rest, rest.len < piece ? rest.len : piece);
        size_t n = in.len;

        assert_int_equal(ws_feed(&ws, &in), n < rest.len ? WS_MORE : WS_TEXT);
        assert_int_equal(in.len, 0);
        rest = slice_skip(rest, n);
    }
    assert_true(slice_eq(ws.payload, slice_from(payload, size)));
    free(payload);
    free(message);
    free(frame);
    free(masked);
}

/* Sizes where the form of the length changes, and large ones. */
static void
reads_messages_of_any_size(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1000000, 4194304};
    static const size_t pieces[] = {1, 64, 997, 1048576, SIZE_MAX};

    (void)state;
    for (size_t s = 0; s < LEN(sizes); s++)
        for (size_t p = 0; p < LEN(pieces); p++)
            check_size(sizes[s], pieces[p]);
}

/* Between messages the memory for them may be exchanged. */
static void
holds_nothing_between_messages(void **state)
{
    char first[8], second[8];
    struct ern_slice in = ERN_SLICE("\x81\x81\0\0\0\0a");
    struct ws ws;

    (void)state;
    ws_init(&ws, first, sizeof first, false);
    assert_false(ws_is_amid(&ws));
    assert_int_equal(ws_feed(&ws, &in), WS_TEXT);
    assert_false(ws_is_amid(&ws));
    ws.message = second;
    in = ERN_SLICE("\x01\x81\0\0\0\0b");
    assert_int_equal(ws_feed(&ws, &in), WS_MORE);
    assert_true(ws_is_amid(&ws));
    in = ERN_SLICE("\x89\x80\0\0\0\0");
    assert_int_equal(ws_feed(&ws, &in), WS_PING);
    assert_true(ws_is_amid(&ws));
    in = ERN_SLICE("\x80\x80\0\0\0\0");
    assert_int_equal(ws_feed(&ws, &in), WS_TEXT);
    assert_ptr_equal(ws.payload.ptr, second);
}

static void
check_written(struct out *o, struct ern_slice wanted)
{
    assert_false(o->full);
    assert_true(slice_eq(out_done(o), wanted));
    o->len = 0;
}

#define IS(o, text) check_written(o, ERN_SLICE(text))

static void
writes_frames(void **state)
{
    char memory[256];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    ws_write_text(&o, ERN_SLICE("Hello"));
    IS(&o, "\x81\x05Hello"); /* RFC 6455 5.7, and below */
    ws_write_head(&o, WS_OP_TEXT, 0, 3);
    out_literal(&o, "Hel");
    ws_write_head(&o, WS_OP_CONTINUATION, WS_FIN, 2);
    out_literal(&o, "lo");
    IS(&o, "\x01\x03Hel\x80\x02lo");
    ws_write_ping(&o, ERN_SLICE("Hello"));
    IS(&o, "\x89\x05Hello");
    ws_write_pong(&o, ERN_SLICE(""));
    IS(&o, "\x8a\x00");
    ws_write_head(&o, WS_OP_BINARY, WS_FIN, 256);
    IS(&o, "\x82\x7e\x01\x00");
    ws_write_head(&o, WS_OP_BINARY, WS_FIN, 65536);
    IS(&o, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
    ws_write_head(&o, WS_OP_TEXT, WS_FIN | WS_COMPRESSED, 7);
    IS(&o, "\xc1\x07");
    ws_write_text(&o, ERN_SLICE(B125));
    IS(&o, "\x81\x7d" B125);
    ws_write_text(&o, ERN_SLICE(B126));
    IS(&o, "\x81\x7e\x00\x7e" B126);
}

static void
writes_close_frames(void **state)
{
    char memory[256];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    ws_write_close(&o, WS_NO_CODE, ERN_SLICE("not said"));
    IS(&o, "\x88\x00");
    ws_write_close(&o, WS_NORMAL, ERN_ABSENT);
    IS(&o, "\x88\x02\x03\xe8");
    ws_write_close(&o, 4999, ERN_SLICE("bye"));
    IS(&o, "\x88\x05\x13\x87"
           "bye");
    ws_write_close(&o, WS_GOING_AWAY, ERN_SLICE(B125)); /* cut at its end, or before */
    IS(&o, "\x88\x7d\x03\xe9" B123);
    ws_write_close(&o, WS_GOING_AWAY,
                   ERN_SLICE(B25 B25 B25 B25 "*********************\xe0\xa6\x95"));
    IS(&o, "\x88\x7b\x03\xe9" B25 B25 B25 B25 "*********************");
    ws_write_close(&o, WS_BROKE,
                   ERN_SLICE("a\xff"
                             "b"));
    IS(&o, "\x88\x03\x03\xf3"
           "a");
}

static void
has_shown_every_fault(void **state)
{
    (void)state;
    for (int fault = 1; fault < WS_FAULTS; fault++)
        if (!seen[fault])
            fail_msg("no row shows %s", fault_names[fault]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_messages),
        cmocka_unit_test(reads_pings_and_pongs),
        cmocka_unit_test(refuses_reserved_bits),
        cmocka_unit_test(refuses_unknown_opcodes),
        cmocka_unit_test(refuses_frames_without_masks),
        cmocka_unit_test(refuses_lengths_that_could_be_shorter),
        cmocka_unit_test(joins_fragments),
        cmocka_unit_test(looks_at_text_as_it_comes),
        cmocka_unit_test(reads_close_frames),
        cmocka_unit_test(takes_the_close_codes_that_may_be_sent),
        cmocka_unit_test(bounds_a_message),
        cmocka_unit_test(passes_compressed_messages_on),
        cmocka_unit_test(reads_messages_of_any_size),
        cmocka_unit_test(holds_nothing_between_messages),
        cmocka_unit_test(writes_frames),
        cmocka_unit_test(writes_close_frames),
        cmocka_unit_test(has_shown_every_fault),
    };

    return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
