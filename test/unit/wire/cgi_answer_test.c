/* SPDX-License-Identifier: Apache-2.0 */
/* cgi_answer_test.c - heads that scripts write: what they mean, where their content ends, what is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "wire/cgi_answer.h"

enum { FIELDS = 64 };

struct reading {
    struct limits limits;
    struct ern_field fields[FIELDS];
    struct h1_answer answer;
};

/* Feeds the bytes whole, or one more at a time, in memory of just their size. */
static enum parse
feed(struct reading *r, struct ern_slice bytes, enum ern_method method, bool slowly)
{
    char *copy = malloc(bytes.len);
    enum parse parse = PARSE_MORE;
    size_t n = slowly ? 0 : bytes.len - 1;

    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    h1_answer_init(&r->answer, &r->limits, r->fields, FIELDS);
    while (parse == PARSE_MORE && n < bytes.len)
        parse = cgi_answer_feed(&r->answer, slice_from(copy, ++n), method);
    free(copy);
    return parse;
}

static struct limits
small_limits(void)
{
    struct limits limits = limits_standard();

    limits.upstream_field_bytes_max = 256;
    limits.upstream_fields_bytes_max = 1024;
    limits.upstream_fields_max = 8;
    return h1_answer_limits(&limits);
}

static const struct {
    enum ern_method method;
    const char *in;
    uint16_t status; /* 0: a path of this server */
    enum h1_end end;
    int64_t length; /* -1: not said */
} good[] = {
    {ERN_GET, "Content-Type: text/plain\r\n\r\n", 200, H1_END_CLOSE, -1},
    {ERN_GET, "Content-Type: text/plain\n\n", 200, H1_END_CLOSE, -1},
    {ERN_GET, "content-type:text/plain\nContent-Length: 5\r\n\n", 200, H1_END_SAID, 5},
    {ERN_GET, "Content-Type: text/plain\nContent-Length: 0\n\n", 200, H1_END_NONE, 0},
    {ERN_GET, "Status: 404 Not Found\n\n", 404, H1_END_CLOSE, -1},
    {ERN_GET, "STATUS: 404\n\n", 404, H1_END_CLOSE, -1},
    {ERN_GET, "Status: 599 \n\n", 599, H1_END_CLOSE, -1},
    {ERN_GET, "Status: 204 No Content\n\n", 204, H1_END_NONE, -1},
    {ERN_GET, "Status: 304 Not Modified\n\n", 304, H1_END_NONE, -1},
    {ERN_GET, "Status: 103 Early Hints\nLink: </a.css>; rel=preload\n\n", 103, H1_END_NONE, -1},
    {ERN_GET, "Location: https://example.org/\n\n", 302, H1_END_CLOSE, -1},
    {ERN_GET, "Location: //example.org/\n\n", 302, H1_END_CLOSE, -1},
    {ERN_GET, "Location: /a?b\n\n", 0, H1_END_NONE, -1},
    {ERN_GET, "Location: /a?b\nStatus: 301 Moved\n\n", 301, H1_END_CLOSE, -1},
    {ERN_HEAD, "Content-Type: a/b\nContent-Length: 5\n\n", 200, H1_END_NONE, 5},
};

static void
test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (int slowly = 0; slowly < 2; slowly++) {
            struct reading r = {.limits = small_limits()};
            struct ern_slice in = slice_text(good[i].in);

            if (feed(&r, in, good[i].method, slowly) != PARSE_DONE)
                fail_msg("not read: %s (%s)", good[i].in, finding_row(r.answer.head.finding)->name);
            assert_int_equal(r.answer.status, good[i].status);
            assert_int_equal(r.answer.end, good[i].end);
            assert_int_equal(r.answer.message.content_length, good[i].length);
            assert_int_equal(r.answer.head.at, in.len);
            assert_true(r.answer.is_last);
        }
}

static const struct {
    const char *in;
    enum finding finding;
} bad[] = {
    {"\n", FINDING_script_head},
    {"X-Powered-By: a\n\n", FINDING_script_head},
    {"HTTP/1.1 200 OK\r\n", FINDING_field_name_syntax},
    {"<html>\n", FINDING_field_name_syntax},
    {"Traceback (most recent call last):\n", FINDING_field_name_space},
    {": a\n", FINDING_field_name_syntax},
    {"Content-Type : a/b\n", FINDING_field_name_space},
    {"Content-Type: a/b\n  folded\n", FINDING_field_fold},
    {"Content-Type: a\rb\n", FINDING_field_value_syntax},
    {"Content-Type: a\x01\n", FINDING_field_value_syntax},
    {"Status: 20\n\n", FINDING_status_unknown},
    {"Status: 2000\n\n", FINDING_status_unknown},
    {"Status: OK\n\n", FINDING_status_unknown},
    {"Status: 099 Low\n\n", FINDING_status_unknown},
    {"Status: 600 High\n\n", FINDING_status_unknown},
    {"Status: 306 Unused\n\n", FINDING_status_unknown},
    {"Status: 101 Switching Protocols\n\n", FINDING_status_unknown},
    {"Status: 200 OK\nStatus: 200 OK\n\n", FINDING_single_repeated},
    {"Location: /a\nLocation: /b\n\n", FINDING_single_repeated},
    {"Content-Type: a/b\nTransfer-Encoding: chunked\n\n", FINDING_coding_unknown},
    {"Content-Type: a/b\nContent-Length: 5x\n\n", FINDING_length_syntax},
    {"Content-Type: a/b\nContent-Length: 5\nContent-Length: 6\n\n", FINDING_length_conflict},
};

static void
test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int slowly = 0; slowly < 2; slowly++) {
            struct reading r = {.limits = small_limits()};

            assert_int_equal(feed(&r, slice_text(bad[i].in), ERN_GET, slowly), PARSE_BAD);
            if (r.answer.head.finding != bad[i].finding)
                fail_msg("%s: %s", bad[i].in, finding_row(r.answer.head.finding)->name);
        }
}

/* What is too large is known as soon as so much has come, and by the same finding however it came.
 */
static void
test_limits(void **state)
{
    static const char *const many[] = {"A: ", "Content-Type: a/b\n"};
    struct reading r = {.limits = small_limits()};
    char bytes[2048];

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes, many[0], 3);
    for (int slowly = 0; slowly < 2; slowly++) {
        assert_int_equal(feed(&r, slice_from(bytes, 255), ERN_GET, slowly), PARSE_MORE);
        assert_int_equal(feed(&r, slice_from(bytes, sizeof bytes), ERN_GET, slowly), PARSE_BAD);
        assert_int_equal(r.answer.head.finding, FINDING_field_too_large);
    }
    for (size_t at = 0; at + 200 < sizeof bytes; at += 200) {
        memcpy(bytes + at, many[0], 3);
        bytes[at + 199] = '\n';
    }
    for (int slowly = 0; slowly < 2; slowly++) {
        assert_int_equal(feed(&r, slice_from(bytes, sizeof bytes), ERN_GET, slowly), PARSE_BAD);
        assert_int_equal(r.answer.head.finding, FINDING_fields_too_large);
        assert_int_equal(r.answer.head.finding_at, 1023);
    }
    for (size_t i = 0; i < 9; i++)
        memcpy(bytes + i * strlen(many[1]), "X-12345678901: b\r\n", strlen(many[1]));
    assert_int_equal(feed(&r, slice_from(bytes, 9 * strlen(many[1])), ERN_GET, false), PARSE_BAD);
    assert_int_equal(r.answer.head.finding, FINDING_fields_too_many);
}

static void
test_status_is_ours(void **state)
{
    const struct ern_field status = {ERN_SLICE("sTatus"), ERN_SLICE("200"), ERN_FIELDS};
    const struct ern_field other = {ERN_SLICE("Statuses"), ERN_SLICE("200"), ERN_FIELDS};

    (void)state;
    assert_true(cgi_answer_is_ours(&status));
    assert_false(cgi_answer_is_ours(&other));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_status_is_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
