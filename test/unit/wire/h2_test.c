/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_test.c - frames of a client, whole and split at every byte: the events that they make, and the
 * frames of the answers, as lib/h2_server.h tells them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/h2_server.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

#define FRAME(n, type, flags, id) "\0\0" n type flags "\0\0\0" id
#define GET "\x82\x84\x86\1\1a" /* /, http, a; by the static table (RFC 7541 A) */
#define POST "\x83\x84\x86\1\1a"
#define TO(n, path) "\x82\x86\1\1a\4" n path
#define POST_TO(n, path) "\x83\x86\1\1a\4" n path

static const struct row {
    int line;
    struct ern_slice frames;
    const char *story;
} rows[] = {
#define ROW(frames, story)                                                                         \
    {                                                                                              \
        __LINE__, {frames, sizeof frames - 1}, story                                               \
    }
    ROW(FRAME("\6", "\1", "\5", "\1") GET,
        "head:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    ROW(FRAME("\6", "\1", "\1", "\1") GET FRAME("\0", "\x09", "\4", "\1"),
        "head:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    ROW(FRAME("\6", "\1", "\4", "\1")
            POST FRAME("\1", "\0", "\0", "\1") "a" FRAME("\1", "\0", "\1", "\1") "b",
        "head:1 content:1:a content:1:b end:1 answered:1 closed:1 HEADERS:1:200 "
        "DATA:1:y DATA:1:y."),
    /* the answer is there when all of the content is */
    ROW(FRAME("\x0f", "\1", "\4", "\1") POST_TO("\x08", "/content")
            FRAME("\1", "\0", "\1", "\1") "a",
        "head:1 content:1:a end:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    /* trailers are checked and dropped */
    ROW(FRAME("\6", "\1", "\4", "\1") POST FRAME("\5", "\1", "\5", "\1") "\0\1x\1y",
        "head:1 end:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    ROW(FRAME("\6", "\1", "\4", "\1") POST FRAME("\5", "\1", "\5", "\1") "\0\1X\1y",
        "head:1 closed:1 RESET:1=1"),
    /* answers without content (RFC 9110 6.4.1) */
    ROW(FRAME("\x0d", "\1", "\5", "\1") TO("\6", "/empty"),
        "head:1 answered:1 closed:1 HEADERS:1:204."),
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/same"),
        "head:1 answered:1 closed:1 HEADERS:1:304."),
    ROW(FRAME("\x0b", "\1", "\5", "\1") "\2\4HEAD\x84\x86\1\1a",
        "head:1 answered:1 closed:1 HEADERS:1:200."),
    ROW(FRAME("\x0f", "\1", "\5", "\1") TO("\x08", "/interim"),
        "head:1 answered:1 closed:1 HEADERS:1:103,link=</a> HEADERS:1:200 DATA:1:y DATA:1:y."),
    /* an answer that has to wait, or is cut */
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/late"), "head:1 HEADERS:1:200"),
    ROW(FRAME("\x0b", "\1", "\5", "\1") TO("\4", "/cut"),
        "head:1 closed:1 HEADERS:1:200 DATA:1:y RESET:1=2"),
    /* an early answer; then no more is wanted (RFC 9113 8.1), or it is */
    ROW(FRAME("\x0c", "\1", "\4", "\1") POST_TO("\5", "/stop"),
        "head:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y. RESET:1=0"),
    ROW(FRAME("\6", "\1", "\4", "\1") POST, "head:1 answered:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    /* the client resets */
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/kept")
            FRAME("\4", "\3", "\0", "\1") "\0\0\0\x08",
        "head:1 closed:1"),
    /* more streams than there may be */
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/kept") FRAME("\x0c", "\1", "\5", "\3")
            TO("\5", "/kept") FRAME("\x0c", "\1", "\5", "\5") TO("\5", "/kept") FRAME(
                "\x0c", "\1", "\5", "\7") TO("\5", "/kept") FRAME("\6", "\1", "\5", "\x09") GET,
        "head:1 head:3 head:5 head:7 RESET:9=7"),
    /* malformed (RFC 9113 8.1.1): there is no request */
    ROW(FRAME("\x0b", "\1", "\5", "\1") GET "\0\1X\1y", "closed:1 RESET:1=1"),
    ROW(FRAME("\7", "\1", "\5", "\1") GET "\x84", "closed:1 RESET:1=1"),
    ROW(FRAME("\2", "\1", "\5", "\1") "\x82\x84", "closed:1 RESET:1=1"),
    /* streams that are not to be spoken of (RFC 9113 5.1) */
    ROW(FRAME("\6", "\1", "\5", "\3") GET FRAME("\6", "\1", "\5", "\1") GET, "head:3 GOAWAY:3=1"),
    ROW(FRAME("\6", "\1", "\5", "\2") GET, "GOAWAY:0=1"),
    ROW(FRAME("\1", "\0", "\1", "\1") "a", "GOAWAY:0=1"),
    /* PRIORITY (RFC 9113 6.3) */
    ROW(FRAME("\5", "\2", "\0", "\3") "\0\0\0\0\5", ""),
    ROW(FRAME("\5", "\2", "\0", "\0") "\0\0\0\1\5", "GOAWAY:0=1"),
    ROW(FRAME("\5", "\2", "\0", "\3") "\0\0\0\3\5", "GOAWAY:0=1"),
    ROW(FRAME("\x08", "\6", "\0", "\0") "12345678", "PING"),
    ROW(FRAME("\x08", "\6", "\1", "\0") "12345678", ""),
};

/* The story of a session whose client sends these frames. */
static const char *
story_of(struct ern_slice frames, size_t split)
{
    h2_server_open();
    h2_server_greet();
    (void)h2_server_feed(frames, split);
    h2_server_send();
    h2_server_close();
    out_char(&h2_server.story, '\0');
    assert_false(h2_server.story.full);
    return h2_server.story_text;
}

static void
frames_make_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t split = 1; split <= rows[i].frames.len; split++) {
            const char *story = story_of(rows[i].frames, split);

            if (strcmp(story, rows[i].story) != 0)
                fail_msg("line %d in pieces of %zu: %s", rows[i].line, split, story);
        }
}

/* ---- what the server says ----------------------------------------------------------------------
 */

/* Begins a session with a request that is not answered. */
static void
open_with_request(void)
{
    h2_server_open();
    h2_server_greet();
    assert_true(h2_server_feed(ERN_SLICE(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/kept")), 1));
    h2_server.story.len = 0;
}

static void
an_answer_has_no_fields_of_its_connection(void **state)
{
    struct h2_place *p = &h2_server.places[0];

    (void)state;
    open_with_request();
    h2_answer(&h2_server.h2, &p->stream, 101,
              h2_server_lines("Connection: close\r\nKeep-Alive: timeout=1\r\nETag: \"a\"\r\n"
                              "Transfer-Encoding: chunked\r\nUpgrade: h2c\r\nX-Empty: \r\n"),
              false, false);
    h2_server_send();
    h2_server_close();
    assert_true(slice_eq(out_done(&h2_server.story),
                         ERN_SLICE("answered:1 closed:1 HEADERS:1:101,etag=\"a\",x-empty=.")));
}

/* More than the frame of an answer holds in fields: there is no answer. */
static void
an_answer_of_too_many_fields_is_none(void **state)
{
    static char text[2048];
    struct out lines = out_init(text, sizeof text);

    (void)state;
    open_with_request();
    for (unsigned i = 0; i < 200; i++)
        out_literal(&lines, "a: b\r\n");
    h2_answer(&h2_server.h2, &h2_server.places[0].stream, 200, &lines, false, false);
    h2_server_send();
    h2_server_close();
    assert_true(slice_eq(out_done(&h2_server.story), ERN_SLICE("closed:1 RESET:1=2")));
}

static void
what_waited_goes_on(void **state)
{
    (void)state;
    h2_server_open();
    h2_server_greet();
    assert_true(h2_server_feed(ERN_SLICE(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/late")), 1));
    h2_server_send();
    assert_false(h2_has_more(&h2_server.h2));
    h2_server.story.len = 0;
    h2_server.places[0].waits = false;
    h2_go_on(&h2_server.h2, &h2_server.places[0].stream);
    assert_true(h2_has_more(&h2_server.h2));
    h2_server_send();
    h2_server_close();
    assert_true(
        slice_eq(out_done(&h2_server.story), ERN_SLICE("answered:1 closed:1 DATA:1:y DATA:1:y.")));
}

/* RFC 9113 6.8: the last stream is named when the client has seen that there is an end. */
static void
the_server_leaves_in_two_steps(void **state)
{
    (void)state;
    h2_server_open();
    h2_server_greet();
    h2_leave(&h2_server.h2);
    h2_leave(&h2_server.h2);
    h2_server_send();
    assert_true(h2_server_feed(ERN_SLICE(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/kept")
                                             FRAME("\x08", "\6", "\1", "\0") "\0\0\0\0\0\0\0\0"),
                               1));
    h2_server_send();
    assert_false(h2_is_over(&h2_server.h2));
    assert_true(h2_server_feed(ERN_SLICE(FRAME("\4", "\3", "\0", "\1") "\0\0\0\x08"), 1));
    h2_server_send();
    assert_true(h2_is_over(&h2_server.h2));
    h2_server_close();
    assert_true(slice_eq(out_done(&h2_server.story),
                         ERN_SLICE("GOAWAY:2147483647=0 PING head:1 GOAWAY:1=0 closed:1")));
}

/* ---- h2c by Upgrade (RFC 7540 3.2) */

static void
an_upgrade_brings_settings(void **state)
{
    static const struct {
        const char *settings;
        bool good;
    } cases[] = {
        {"", true},         {"AAQAAABk", true},  {"AAQAAABkAAMAAAAB", true}, {"AAQA", false},
        {"AAQAAAB", false}, {"AAQAAAB*", false}, {"AAQA+ABk", false},        {"A", false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        struct h2_place *p = &h2_server.places[0];
        bool good;

        h2_server_open();
        (void)h2_server_begin(NULL);
        ern_request_method(&p->request, ERN_SLICE("GET"));
        good = h2_upgrade(&h2_server.h2, slice_text(cases[i].settings), false, &p->stream);
        if (good != cases[i].good)
            fail_msg("%s is taken for %d", cases[i].settings, good);
        if (good) {
            h2_server_answer(p);
            h2_server_greet(); /* the client sends its preface all the same */
            assert_true(h2_server_feed(ERN_SLICE(FRAME("\6", "\1", "\5", "\1") GET), 1));
            h2_server_send();
            assert_true(slice_eq(out_done(&h2_server.story), ERN_SLICE("GOAWAY:1=5")));
        }
        h2_server_close();
    }
}

/* ---- nuisances (RFC 9113 10.5) */

static void
nuisances_are_counted(void **state)
{
    const struct {
        struct ern_slice once, again;
        unsigned most; /* times h2_nuisances_max, */
        unsigned less; /* without those that came before */
    } cases[] = {
        {ERN_SLICE(""), ERN_SLICE(FRAME("\0", "\4", "\0", "\0")), 1, 1},
        {ERN_SLICE(""), ERN_SLICE(FRAME("\x08", "\6", "\0", "\0") "12345678"), 1, 0},
        {ERN_SLICE(""), ERN_SLICE(FRAME("\5", "\2", "\0", "\3") "\0\0\0\0\5"), 1, 0},
        {ERN_SLICE(""), ERN_SLICE(FRAME("\4", "\x08", "\0", "\0") "\0\0\0\1"), 1, 0},
        {ERN_SLICE(FRAME("\x0c", "\1", "\4", "\1") POST_TO("\5", "/kept")),
         ERN_SLICE(FRAME("\0", "\0", "\0", "\1")), 1, 0},
        {ERN_SLICE(FRAME("\x0c", "\1", "\4", "\1") POST_TO("\5", "/kept")),
         ERN_SLICE(FRAME("\4", "\3", "\0", "\1") "\0\0\0\x08"), 2, 0},
    };

    (void)state;
    h2_server.limits.h2_nuisances_max = 10;
    for (size_t i = 0; i < LEN(cases); i++)
        for (unsigned pause = 0; pause < 2; pause++) {
            unsigned n = 0, most = 10 * cases[i].most - cases[i].less;
            int64_t now_ms = 0;

            h2_server_open();
            h2_server_greet();
            assert_true(h2_server_feed(cases[i].once, 1));
            while (h2_feed(&h2_server.h2, cases[i].again, now_ms) && !h2_is_over(&h2_server.h2) &&
                   n++ < 3 * most) {
                now_ms += pause * (h2_server.limits.h2_nuisance_ms / 5);
                h2_server_send();
            }
            h2_server_close();
            if (!pause && n != most + 1)
                fail_msg("case %zu: %u frames", i, n);
            if (pause && n < 3 * most)
                fail_msg("case %zu, slowly: %u frames", i, n);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_make_events, h2_server_setup),
        cmocka_unit_test_setup(an_answer_has_no_fields_of_its_connection, h2_server_setup),
        cmocka_unit_test_setup(an_answer_of_too_many_fields_is_none, h2_server_setup),
        cmocka_unit_test_setup(what_waited_goes_on, h2_server_setup),
        cmocka_unit_test_setup(the_server_leaves_in_two_steps, h2_server_setup),
        cmocka_unit_test_setup(an_upgrade_brings_settings, h2_server_setup),
        cmocka_unit_test_setup(nuisances_are_counted, h2_server_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
