/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_client_test.c - frames of a server, whole and split at every byte: what comes up of them, in
 * the form of HTTP/1.1, and how requests end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/h2_place.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

#define FRAME(n, type, flags, id) "\0\0" n type flags "\0\0\0" id
#define SETTINGS FRAME("\0", "\4", "\0", "\0")
#define OK "\x88" /* :status 200, by the static table (RFC 7541 A) */
#define FIELD(n, name, m, value) "\0" n name m value
#define OUT 65536

struct place {
    struct h2_place at; /* first */
    bool was_ended, was_closed;
};

static struct client {
    struct h2_client h2;
    struct limits limits;
    struct place places[2];
    struct out story, out;
    char story_text[4096], bytes[OUT];
} client;

static bool
came(void *self, struct h2_ask *ask, struct ern_slice bytes, bool is_content)
{
    (void)self;
    (void)ask;
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i] == '\r' || bytes.ptr[i] == '\n')
            out_char(&client.story, bytes.ptr[i] == '\r' ? '|' : '\'');
        else
            out_char(&client.story, bytes.ptr[i]);
    if (is_content)
        h2_client_taken(&client.h2, ask, bytes.len);
    return true;
}

static void
news(void *self, struct h2_ask *ask)
{
    struct place *p = (struct place *)ask;

    (void)self;
    if (ask->ended && !p->was_ended)
        out_literal(&client.story, " ended");
    if (ask->closed && !p->was_closed)
        out_text(&client.story, ask->garbled     ? " garbled"
                                : ask->untouched ? " untouched"
                                                 : " closed");
    p->was_ended = ask->ended;
    p->was_closed = ask->closed;
}

static const struct h2_client_events events = {came, news, h2_place_offer, h2_place_give};

static int
ask(unsigned i, size_t content)
{
    char text[] = "POST /a?b HTTP/1.1\r\nHost: a.example\r\nX-Own: one\r\nConnection: close\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n";
    struct out head = out_init(text, sizeof text - 1);

    head.len = sizeof text - 1;
    client.places[i] = (struct place){.at.left = content};
    return h2_client_ask(&client.h2, &client.places[i].at.ask, &head, true, content > 0);
}

static int
setup(void **state)
{
    (void)state;
    client.limits = limits_standard();
    client.limits.h2_nuisances_max = 8;
    return 0;
}

static void
open_client(void)
{
    client.story = out_init(client.story_text, sizeof client.story_text);
    client.out = out_init(client.bytes, sizeof client.bytes);
    assert_int_equal(h2_client_begin(&client.h2, &client.limits, NULL, &events, NULL, 0), 0);
}

static bool
feed(struct ern_slice bytes, size_t split)
{
    while (bytes.len) {
        size_t n = split < bytes.len ? split : bytes.len;

        if (!h2_client_feed(&client.h2, slice_from(bytes.ptr, n), 0))
            return false;
        bytes = slice_from(bytes.ptr + n, bytes.len - n);
    }
    return true;
}

static const struct row {
    int line;
    struct ern_slice frames;
    const char *story;
} rows[] = {
#define ROW(frames, story)                                                                         \
    {                                                                                              \
        __LINE__, {frames, sizeof frames - 1}, story                                               \
    }
    ROW(SETTINGS FRAME("\1", "\1", "\4", "\1") OK FRAME("\2", "\0", "\1", "\1") "ok",
        "HTTP/1.1 200 |'|'ok ended closed"),
    ROW(SETTINGS FRAME("\6", "\1", "\5", "\1") OK FIELD("\1", "x", "\1", "y"),
        "HTTP/1.1 200 |'x: y|'|' ended closed"),
    /* interim answers (RFC 9110 15.2), and trailers, which are dropped */
    ROW(SETTINGS FRAME("\x0d", "\1", "\4", "\1") FIELD("\7", ":status", "\3", "103") FRAME(
            "\1", "\1", "\4", "\1") OK FRAME("\5", "\1", "\5", "\1") FIELD("\1", "x", "\1", "y"),
        "HTTP/1.1 103 |'|'HTTP/1.1 200 |'|' ended closed"),
    /* what was not acted on (RFC 9113 8.7) */
    ROW(SETTINGS FRAME("\4", "\3", "\0", "\1") "\0\0\0\7", " untouched"),
    ROW(SETTINGS FRAME("\x08", "\7", "\0", "\0") "\0\0\0\0\0\0\0\0", " untouched over"),
    ROW(SETTINGS FRAME("\x08", "\7", "\0", "\0") "\0\0\0\1\0\0\0\0", ""),
    ROW(SETTINGS FRAME("\4", "\3", "\0", "\1") "\0\0\0\2", " closed"),
    /* an answer that has begun was acted on, whatever is said */
    ROW(SETTINGS FRAME("\1", "\1", "\4", "\1") OK FRAME("\4", "\3", "\0", "\1") "\0\0\0\7",
        "HTTP/1.1 200 |'|' closed"),
    /* malformed (RFC 9113 8.1.1, 8.2): it ends when our word of it goes out */
    ROW(SETTINGS FRAME("\6", "\1", "\5", "\1") OK FIELD("\1", "X", "\1", "y"),
        "HTTP/1.1 200 |' garbled"),
    ROW(SETTINGS FRAME("\6", "\1", "\5", "\1") OK FIELD("\1", "x", "\1", "\n"),
        "HTTP/1.1 200 |' garbled"),
};

static void
frames_make_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t split = 1; split <= rows[i].frames.len; split++) {
            open_client();
            assert_int_equal(ask(0, 0), 0);
            assert_true(h2_client_send(&client.h2, &client.out));
            if (!feed(rows[i].frames, split) || !h2_client_send(&client.h2, &client.out))
                out_literal(&client.story, " over");
            h2_client_end(&client.h2);
            out_char(&client.story, '\0');
            if (strcmp(client.story_text, rows[i].story) != 0)
                fail_msg("line %d, split %zu: \"%s\"", rows[i].line, split, client.story_text);
        }
}

/* There is a DATA frame of so many bytes among those that went out. */
static size_t
content_sent(void)
{
    size_t n = 0, at = 24;

    while (at + 9 <= client.out.len) {
        const unsigned char *head = (const unsigned char *)client.out.ptr + at;
        size_t bytes = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];

        n += head[3] == 0 ? bytes : 0;
        at += 9 + bytes;
    }
    return n;
}

static void
content_waits_for_windows(void **state)
{
    static const char more[] = SETTINGS FRAME("\4", "\x08", "\0", "\0") "\0\0\x10\0" FRAME(
        "\4", "\x08", "\0", "\1") "\0\0\x10\0";
    char *bytes = calloc(4, OUT);

    (void)state;
    open_client();
    client.out = out_init(bytes, (size_t)4 * OUT);
    assert_int_equal(ask(0, 100000), 0);
    assert_true(h2_client_send(&client.h2, &client.out));
    assert_int_equal(content_sent(), 65535);
    assert_true(feed(slice_from(more, sizeof more - 1), sizeof more));
    assert_true(h2_client_send(&client.h2, &client.out));
    assert_int_equal(content_sent(), 65535 + 4096);
    h2_client_end(&client.h2);
    free(bytes);
}

static void
no_more_is_asked_than_is_allowed(void **state)
{
    static const char one[] = FRAME("\6", "\4", "\0", "\0") "\0\3\0\0\0\1";
    static const char over[] = FRAME("\1", "\1", "\5", "\1") OK;

    (void)state;
    open_client();
    assert_false(client.h2.is_greeted);
    assert_true(feed(slice_from(one, sizeof one - 1), 1));
    assert_true(client.h2.is_greeted && h2_client_has_room(&client.h2));
    assert_int_equal(ask(0, 0), 0);
    assert_false(h2_client_has_room(&client.h2));
    assert_true(h2_client_send(&client.h2, &client.out));
    assert_true(feed(slice_from(over, sizeof over - 1), 1));
    assert_true(h2_client_has_room(&client.h2));
    h2_client_end(&client.h2);
}

static void
nuisances_are_counted(void **state)
{
    static const char ping[] = FRAME("\x08", "\6", "\0", "\0") "12345678";
    unsigned n = 0;

    (void)state;
    open_client();
    assert_true(feed(slice_from(SETTINGS, sizeof SETTINGS - 1), 1));
    while (n < 100 && feed(slice_from(ping, sizeof ping - 1), 100))
        n++;
    assert_int_equal(n, client.limits.h2_nuisances_max);
    h2_client_end(&client.h2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_make_answers, setup),
        cmocka_unit_test_setup(content_waits_for_windows, setup),
        cmocka_unit_test_setup(no_more_is_asked_than_is_allowed, setup),
        cmocka_unit_test_setup(nuisances_are_counted, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
