/* SPDX-License-Identifier: Apache-2.0 */
/* h1_answer_test.c - heads of answers: what is read, where their content ends, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "wire/h1_answer.h"

enum { FIELDS = 64 };

struct reading {
    struct limits limits;
    struct ern_field fields[FIELDS];
    struct h1_answer answer;
};

/* Feeds the bytes whole, or one more at a time, in memory of just their size. Returns how the last
 * call ended; *ret_n is how many bytes it saw. */
static enum parse
feed(struct reading *r, struct ern_slice bytes, enum ern_method method, bool slowly, size_t *ret_n)
{
    char *copy = malloc(bytes.len ? bytes.len : 1);
    enum parse parse = PARSE_MORE;
    size_t n = slowly ? 0 : bytes.len - 1;

    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    h1_answer_init(&r->answer, &r->limits, r->fields, FIELDS);
    while (parse == PARSE_MORE && n < bytes.len)
        parse = h1_answer_feed(&r->answer, slice_from(copy, ++n), method);
    *ret_n = n;
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
    limits.fields_bytes_max = limits.field_bytes_max = 64; /* of requests: they do not count here */
    return h1_answer_limits(&limits);
}

static const struct {
    enum ern_method method;
    const char *in;
    uint16_t status;
    enum h1_end end;
    int64_t length; /* -1: not said */
    bool is_chunked, is_last;
} good[] = {
    {ERN_GET, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, H1_END_SAID, 5, false, false},
    {ERN_GET, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, H1_END_NONE, 0, false, false},
    {ERN_GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, H1_END_SAID, -1, true,
     false},
    {ERN_GET, "HTTP/1.1 200 OK\r\n\r\n", 200, H1_END_CLOSE, -1, false, true},
    {ERN_GET, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, H1_END_SAID, 5, false, true},
    {ERN_GET, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", 200,
     H1_END_SAID, 5, false, false},
    {ERN_GET, "HTTP/1.1 200 OK\r\nConnection: a, Close\r\nContent-Length: 5\r\n\r\n", 200,
     H1_END_SAID, 5, false, true},
    {ERN_HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, H1_END_NONE, 5, false, false},
    {ERN_HEAD, "HTTP/1.1 200 OK\r\n\r\n", 200, H1_END_NONE, -1, false, false},
    {ERN_GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, H1_END_NONE, 5, false,
     false},
    {ERN_GET, "HTTP/1.1 204 No Content\r\n\r\n", 204, H1_END_NONE, -1, false, false},
    /* What says that content follows, and may have none: the connection is not used again. */
    {ERN_GET, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, H1_END_NONE, 5, false,
     true},
    {ERN_GET, "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n", 103, H1_END_NONE,
     -1, true, true},
    {ERN_GET, "HTTP/1.1 100 Continue\r\n\r\n", 100, H1_END_NONE, -1, false, false},
    {ERN_GET, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\n", 101, H1_END_TUNNEL, -1,
     false, true},
    {ERN_CONNECT, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, H1_END_TUNNEL, 5, false,
     true},
    {ERN_CONNECT, "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n", 403, H1_END_SAID, 5, false,
     false},
    /* Unregistered, and of a class. */
    {ERN_GET, "HTTP/1.1 599 Odd\r\nContent-Length: 5\r\n\r\n", 599, H1_END_SAID, 5, false, false},
    {ERN_GET, "HTTP/1.1 299 \x80\xff\t\r\nContent-Length: 5\r\n\r\n", 299, H1_END_SAID, 5, false,
     false},
};

static void
test_good(void **state)
{
    struct reading r = {.limits = small_limits()};

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof good / sizeof *good); i++) {
        size_t row = i / 2, n;
        struct ern_slice in = slice_text(good[row].in);

        assert_int_equal(feed(&r, in, good[row].method, i % 2 != 0, &n), PARSE_DONE);
        assert_int_equal(n, in.len);
        assert_int_equal(r.answer.head.at, in.len);
        assert_int_equal(r.answer.status, good[row].status);
        assert_int_equal(r.answer.end, good[row].end);
        assert_int_equal(r.answer.message.content_length, good[row].length);
        assert_int_equal(r.answer.message.chunked, good[row].is_chunked);
        assert_int_equal(r.answer.is_last, good[row].is_last);
    }
}

static const struct {
    const char *in;
    enum finding finding;
    size_t at;
} bad[] = {
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", FINDING_version_syntax, 0},
    {"http/1.1 200 OK\r\n\r\n", FINDING_version_syntax, 0},
    {"HTTP/11 200 OK\r\n\r\n", FINDING_version_syntax, 6},
    {"HTTP/1.1  200 OK\r\n\r\n", FINDING_status_syntax, 9},
    {"HTTP/1.1\t200 OK\r\n\r\n", FINDING_status_syntax, 8},
    {"HTTP/1.1 20 OK\r\n\r\n", FINDING_status_syntax, 11},
    {"HTTP/1.1 2000 OK\r\n\r\n", FINDING_status_syntax, 12},
    {"HTTP/1.1 200\r\n\r\n", FINDING_status_syntax, 12},
    {"HTTP/1.1 200\n", FINDING_bare_lf, 12},
    {"HTTP/1.1 -20 OK\r\n\r\n", FINDING_status_syntax, 9},
    {"HTTP/2.0 200 OK\r\n\r\n", FINDING_version_unknown, 5},
    {"HTTP/1.1 099 Low\r\n\r\n", FINDING_status_unknown, 11},
    {"HTTP/1.1 000 Low\r\n\r\n", FINDING_status_unknown, 11},
    {"HTTP/1.1 600 High\r\n\r\n", FINDING_status_unknown, 11},
    {"HTTP/1.1 999 High\r\n\r\n", FINDING_status_unknown, 11},
    {"HTTP/1.1 306 Unused\r\n\r\n", FINDING_status_unknown, 11},
    {"HTTP/1.1 200 O\x01K\r\n\r\n", FINDING_reason_syntax, 14},
    {"HTTP/1.1 200 OK\n\r\n", FINDING_bare_lf, 15},
    {"HTTP/1.1 200 OK\rX", FINDING_bare_cr, 16},
    {"HTTP/1.1 200 OK\r\n A: b\r\n\r\n", FINDING_field_fold, 17},
    {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", FINDING_field_name_space, 18},
    {"HTTP/1.1 200 OK\r\nA: b\n\r\n", FINDING_bare_lf, 21},
    {"HTTP/1.1 200 OK\r\nA: \x7f\r\n\r\n", FINDING_field_value_syntax, 20},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", FINDING_length_syntax, 33},
    {"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", FINDING_length_syntax, 33},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", FINDING_length_conflict,
     52},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     FINDING_length_and_coding, 55},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", FINDING_coding_in_old_version, 36},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", FINDING_coding_not_chunked, 36},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", FINDING_coding_unknown, 36},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n", FINDING_coding_not_chunked, 36},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", FINDING_coding_syntax, 36},
};

static void
test_bad(void **state)
{
    struct reading r = {.limits = small_limits()};

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof bad / sizeof *bad); i++) {
        size_t row = i / 2, n;

        assert_int_equal(feed(&r, slice_text(bad[row].in), ERN_GET, i % 2 != 0, &n), PARSE_BAD);
        assert_int_equal(r.answer.head.finding, bad[row].finding);
        assert_int_equal(r.answer.head.finding_at, bad[row].at);
        /* Known at the byte that shows it; a framing only once the head is whole. */
        if (i % 2 && bad[row].finding < FINDING_host_missing)
            assert_int_equal(n, bad[row].at + 1);
    }
}

/* A line of n bytes, and what comes of it. */
static enum finding
try_line(struct reading *r, size_t n)
{
    char bytes[512];
    size_t at = (size_t)snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nA:"), begin = 17, seen;

    memset(bytes + at, 'x', sizeof bytes - at);
    memcpy(bytes + begin + n - 2, "\r\n\r\n", 4);
    (void)feed(r, slice_from(bytes, begin + n + 2), ERN_GET, false, &seen);
    return r->answer.head.finding;
}

static void
test_limits(void **state)
{
    struct reading r = {.limits = small_limits()};
    char many[1024] = "HTTP/1.1 200 OK\r\n", reason[512];
    size_t n;

    (void)state;
    assert_int_equal(try_line(&r, 256), FINDING_none);
    assert_int_equal(try_line(&r, 257), FINDING_field_too_large);
    for (unsigned i = 0; i < 8; i++)
        strcat(many, "A: b\r\n");
    strcat(many, "\r\n");
    assert_int_equal(feed(&r, slice_text(many), ERN_GET, true, &n), PARSE_DONE);
    strcpy(many + strlen(many) - 2, "C: d\r\n\r\n");
    assert_int_equal(feed(&r, slice_text(many), ERN_GET, true, &n), PARSE_BAD);
    assert_int_equal(r.answer.head.finding, FINDING_fields_too_many);
    memset(reason, 'r', sizeof reason);
    memcpy(reason, "HTTP/1.1 200 ", 13);
    assert_int_equal(feed(&r, slice_from(reason, sizeof reason), ERN_GET, true, &n), PARSE_BAD);
    assert_int_equal(r.answer.head.finding, FINDING_field_too_large);
    assert_int_equal(n, 257);
}

/* The content of an answer: of a length, chunked, none, and all that comes. */
static void
test_content(void **state)
{
    static const struct {
        const char *head, *in;
        enum parse parse;
        size_t content;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "abcHTTP", PARSE_DONE, 3},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nab\r\n0\r\n\r\n",
         PARSE_DONE, 2},
        {"HTTP/1.1 304 OK\r\nContent-Length: 3\r\n\r\n", "abc", PARSE_DONE, 0},
        {"HTTP/1.1 200 OK\r\n\r\n", "0\r\n\r\n", PARSE_MORE, 5},
        {"HTTP/1.1 101 OK\r\n\r\n", "\x81\x01x", PARSE_MORE, 3},
    };
    struct reading r = {.limits = small_limits()};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice in = slice_text(rows[i].in), piece;
        struct h1_content content;
        enum parse parse;
        size_t n, got = 0;

        assert_int_equal(feed(&r, slice_text(rows[i].head), ERN_GET, false, &n), PARSE_DONE);
        h1_answer_content(&r.answer, &r.limits, &content);
        do {
            parse = h1_content_feed(&content, &in, &piece);
            got += piece.len;
        } while (parse == PARSE_MORE && in.len);
        assert_int_equal(parse, rows[i].parse);
        assert_int_equal(got, rows[i].content);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
