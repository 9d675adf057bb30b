/* SPDX-License-Identifier: Apache-2.0 */
/* h1_test.c - heads of requests: what is read, what is refused, at which byte, under which limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "wire/h1.h"

enum { FIELDS = 512 };

struct reading {
    struct limits limits;
    struct ern_field fields[FIELDS];
    struct ern_request request;
    struct h1_head head;
};

static void
begin(struct reading *r)
{
    ern_request_init(&r->request, r->fields, FIELDS);
    h1_head_init(&r->head, &r->limits);
}

/* The bytes in memory of exactly their size, so that a reader past the end is caught. */
static struct ern_slice
exact(struct ern_slice bytes)
{
    char *copy = malloc(bytes.len ? bytes.len : 1);

    assert_non_null(copy);
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    return slice_from(copy, bytes.len);
}

static enum parse
read_whole(struct reading *r, struct ern_slice bytes)
{
    begin(r);
    return h1_head_feed(&r->head, bytes, &r->request);
}

/* Feeds one more byte at a time; *ret_n is how many there were when it ended. */
static enum parse
read_slowly(struct reading *r, struct ern_slice bytes, size_t *ret_n)
{
    enum parse parse = PARSE_MORE;
    size_t n = 0;

    begin(r);
    while (parse == PARSE_MORE && n < bytes.len)
        parse = h1_head_feed(&r->head, slice_first(bytes, ++n), &r->request);
    *ret_n = n;
    return parse;
}

struct bad_row {
    int line;
    struct ern_slice in;
    enum finding finding;
    size_t at;
    struct ern_slice field; /* to blame; empty if none is */
};

#define BAD(in, finding, at)                                                                       \
    {                                                                                              \
        __LINE__, {in, sizeof in - 1}, FINDING_##finding, at,                                      \
        {                                                                                          \
            "", 0                                                                                  \
        }                                                                                          \
    }
#define BAD_FIELD(in, finding, at, field)                                                          \
    {                                                                                              \
        __LINE__, {in, sizeof in - 1}, FINDING_##finding, at,                                      \
        {                                                                                          \
            field, sizeof field - 1                                                                \
        }                                                                                          \
    }

static void
compare(const struct bad_row *row, const struct reading *r, enum parse parse, const char *how)
{
    if (parse != PARSE_BAD || r->head.finding != row->finding || r->head.finding_at != row->at ||
        !slice_eq(r->head.finding_field, row->field))
        fail_msg("line %d, %s: parse %d, finding %s at %zu of field \"%.*s\"; expected %s at %zu",
                 row->line, how, (int)parse, finding_row(r->head.finding)->name, r->head.finding_at,
                 (int)r->head.finding_field.len,
                 r->head.finding_field.ptr ? r->head.finding_field.ptr : "",
                 finding_row(row->finding)->name, row->at);
}

/*
 * Each row whole, and byte by byte. What needs no more than the bytes up to the offending one is
 * known as soon as that one is there.
 */
static void
check_bad(const struct bad_row *rows, size_t n, bool known_at_once)
{
    struct reading r = {.limits = limits_standard()};

    for (size_t i = 0; i < n; i++) {
        struct ern_slice bytes = exact(rows[i].in);
        size_t taken;

        compare(&rows[i], &r, read_whole(&r, bytes), "whole");
        compare(&rows[i], &r, read_slowly(&r, bytes, &taken), "slowly");
        if (known_at_once && taken != rows[i].at + 1)
            fail_msg("line %d: known after %zu bytes", rows[i].line, taken);
        assert_int_equal(h1_head_feed(&r.head, bytes, &r.request), PARSE_BAD);
        free((void *)(uintptr_t)bytes.ptr);
    }
}

static void
refuses_request_lines_at_the_first_bad_byte(void **state)
{
    static const struct bad_row rows[] = {
        BAD("\n", bare_lf, 0),
        BAD("\rG", bare_cr, 1),
        BAD("\r\n\r\n", method_syntax, 2),
        BAD("\r\n\nGET", bare_lf, 2),
        BAD(" GET / HTTP/1.1\r\n", method_syntax, 0),
        BAD("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", method_syntax, 0), /* TLS */
        BAD("\0GET / HTTP/1.1\r\n", method_syntax, 0),
        BAD("G\x80T / HTTP/1.1\r\n", method_syntax, 1),
        BAD("GET\t/ HTTP/1.1\r\n", method_syntax, 3),
        BAD("GET\r\n", method_syntax, 3),
        BAD("GET\n", bare_lf, 3),
        BAD("G(T / HTTP/1.1\r\n", method_syntax, 1),
        BAD("{\"json\": true}", method_syntax, 0),
        BAD("GET  / HTTP/1.1\r\n", target_syntax, 4),
        BAD("GET \r\n", target_syntax, 4),
        BAD("GET \n", bare_lf, 4),
        BAD("GET \t/ HTTP/1.1\r\n", target_syntax, 4),
        BAD("GET /a\tHTTP/1.1\r\n", target_syntax, 6),
        BAD("GET /\x7f HTTP/1.1\r\n", target_syntax, 5),
        BAD("GET /\xc3\xa9 HTTP/1.1\r\n", target_syntax, 5),
        BAD("GET /0123456789abcdef\xff HTTP/1.1\r\n", target_syntax, 21),
        BAD("GET /\0 HTTP/1.1\r\n", target_syntax, 5),
        BAD("GET /\r\n", version_syntax, 5), /* HTTP/0.9 */
        BAD("GET /\n", bare_lf, 5),
        BAD("GET / \r\n", version_syntax, 6),
        BAD("GET /  HTTP/1.1\r\n", version_syntax, 6),
        BAD("GET /a b HTTP/1.1\r\n", version_syntax, 7),
        BAD("GET / http/1.1\r\n", version_syntax, 6),
        BAD("GET / HTTP/1\r\n", version_syntax, 12),
        BAD("GET / HTTP/11.1\r\n", version_syntax, 12),
        BAD("GET / HTTP/1.10\r\n", version_syntax, 14),
        BAD("GET / HTTP/1.1 \r\n", version_syntax, 14),
        BAD("GET / HTTP/1.1\t\r\n", version_syntax, 14),
        BAD("GET / HTTP/1,1\r\n", version_syntax, 12),
        BAD("GET / HTTP/1.x\r\n", version_syntax, 13),
        BAD("GET / HTTP/+1.1\r\n", version_syntax, 11),
        BAD("GET / HTTPS/1.1\r\n", version_syntax, 10),
        BAD("GET / ICE/1.0\r\n", version_syntax, 6),
        BAD("GET / HTTP/1.1\n", bare_lf, 14),
        BAD("GET / HTTP/1.1\rH", bare_cr, 15),
        BAD("GET / HTTP/1.1\r\r\n", bare_cr, 15),
    };

    (void)state;
    check_bad(rows, sizeof rows / sizeof *rows, true);
}

static void
judges_version_and_target_when_the_line_is_whole(void **state)
{
    static const struct bad_row rows[] = {
        BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", version_unknown, 11),
        BAD("GET / HTTP/2.0\r\n", version_unknown, 11),
        BAD("GET / HTTP/0.9\r\n", version_unknown, 11),
        BAD("GET nonsense HTTP/3.0\r\n", version_unknown, 18),
        BAD("\r\nGET / HTTP/9.9\r\n", version_unknown, 13),
        BAD("GET nonsense HTTP/1.1\r\n", target_form, 4),
        BAD("GET /a#b HTTP/1.1\r\n", target_syntax, 6),
        BAD("\r\nGET /a#b HTTP/1.1\r\n", target_syntax, 8),
    };

    (void)state;
    check_bad(rows, sizeof rows / sizeof *rows, false);
}

#define LINE "GET / HTTP/1.1\r\n" /* 16 bytes */

static void
refuses_field_lines_at_the_first_bad_byte(void **state)
{
    static const struct bad_row rows[] = {
        BAD(LINE " Host: a\r\n", field_fold, 16),
        BAD(LINE "\tHost: a\r\n", field_fold, 16),
        BAD(LINE "A: b\r\n c\r\n", field_fold, 22),
        BAD(LINE "A: b\r\n \r\n", field_fold, 22),
        BAD(LINE ": b\r\n", field_name_syntax, 16),
        BAD(LINE "\n", bare_lf, 16),
        BAD(LINE "\rA", bare_cr, 17),
        BAD(LINE "\r\r\n", bare_cr, 17),
        BAD(LINE "A: b\r\n\n", bare_lf, 22),
        BAD(LINE "A: b\r\n\rX", bare_cr, 23),
        BAD(LINE "\"A\": a\r\n", field_name_syntax, 16),
        BAD_FIELD(LINE "Host : a\r\n", field_name_space, 20, "Host"),
        BAD_FIELD(LINE "Host\t: a\r\n", field_name_space, 20, "Host"),
        BAD_FIELD(LINE "Host a\r\n", field_name_space, 20, "Host"),
        BAD_FIELD(LINE "Host\r\n", field_name_syntax, 20, "Host"),
        BAD_FIELD(LINE "Host\n", bare_lf, 20, "Host"),
        BAD_FIELD(LINE "Ho\0st: a\r\n", field_name_syntax, 18, "Ho"),
        BAD_FIELD(LINE "Ho\xc3\xb6st: a\r\n", field_name_syntax, 18, "Ho"),
        BAD_FIELD(LINE "Host(x): a\r\n", field_name_syntax, 20, "Host"),
        BAD_FIELD(LINE "A: b\n", bare_lf, 20, "A"),
        BAD_FIELD(LINE "A: b\rc\r\n", bare_cr, 21, "A"),
        BAD_FIELD(LINE "A: b\r\r\n", bare_cr, 21, "A"),
        BAD_FIELD(LINE "A: b\0c\r\n", field_value_syntax, 20, "A"),
        BAD_FIELD(LINE "A: b\x7f\r\n", field_value_syntax, 20, "A"),
        BAD_FIELD(LINE "A:\x1b[2J\r\n", field_value_syntax, 18, "A"),
        BAD_FIELD(LINE "A:\v\r\n", field_value_syntax, 18, "A"),
        BAD_FIELD(LINE "A:0123456789abcdef0123\f\r\n", field_value_syntax, 38, "A"),
        BAD_FIELD(LINE "Transfer-Encoding: chunked\v\r\n", field_value_syntax, 42,
                  "Transfer-Encoding"),
        BAD_FIELD(LINE "Transfer-Encoding\x01: chunked\r\n", field_name_syntax, 33,
                  "Transfer-Encoding"),
    };

    (void)state;
    check_bad(rows, sizeof rows / sizeof *rows, true);
}

static void
judges_framing_when_the_head_is_whole(void **state)
{
    static const struct bad_row rows[] = {
        BAD_FIELD(LINE "\r\n", host_missing, 17, "Host"),
        BAD_FIELD(LINE "Hos: a\r\n\r\n", host_missing, 25, "Host"),
        BAD_FIELD(LINE "host: a\r\nHOST: a\r\n\r\n", host_repeated, 31, "HOST"),
        BAD_FIELD(LINE "Host: a/b\r\n\r\n", host_syntax, 22, "Host"),
        BAD_FIELD(LINE "Host: a\r\ncontent-length: -1\r\n\r\n", length_syntax, 41,
                  "content-length"),
        /* Host comes before framing, framing before fields that stand twice. */
        BAD_FIELD(LINE "Content-Length: x\r\n\r\n", host_missing, 36, "Host"),
        BAD_FIELD(LINE "Host: a\r\nRange: 1\r\nRange: 2\r\nContent-Length: x\r\n\r\n",
                  length_syntax, 61, "Content-Length"),
        BAD_FIELD(LINE "Host: a\r\nRange: 1\r\nrange: 2\r\n\r\n", single_repeated, 42, "range"),
    };

    (void)state;
    check_bad(rows, sizeof rows / sizeof *rows, false);
}

static void
reads_a_whole_request(void **state)
{
    static const char in[] =
        "\r\nPOST /a/b?c HTTP/1.1\r\nhost:a.example:80\r\nX-Y:  \t two  words \t \r\n"
        "Empty:\r\nBlank: \t \r\nLatin: \xe9\r\nContent-Length: 5\r\n\r\nhello";
    struct reading r = {.limits = limits_standard()};
    struct ern_slice bytes = exact(slice_text(in));
    size_t taken;

    (void)state;
    assert_int_equal(read_whole(&r, bytes), PARSE_DONE);
    assert_int_equal(r.head.at, bytes.len - 5);
    assert_int_equal(r.head.empty_lines, 1);
    assert_int_equal(r.head.fields_at, 24);
    assert_int_equal(r.request.method, ERN_POST);
    assert_true(slice_eq(r.request.target, ERN_SLICE("/a/b?c")));
    assert_true(slice_eq(r.request.authority, ERN_SLICE("a.example:80")));
    assert_int_equal(r.request.version_major, 1);
    assert_int_equal(r.request.version_minor, 1);
    assert_int_equal(r.request.content_length, 5);
    assert_false(r.request.chunked);
    assert_int_equal(r.request.fields_n, 6);
    assert_true(slice_eq(r.fields[1].name, ERN_SLICE("X-Y")));
    assert_true(slice_eq(r.fields[1].value, ERN_SLICE("two  words")));
    assert_true(slice_is_there(r.fields[2].value));
    assert_int_equal(r.fields[2].value.len, 0);
    assert_int_equal(r.fields[3].value.len, 0);
    assert_true(slice_eq(r.fields[4].value, ERN_SLICE("\xe9")));
    assert_int_equal(read_slowly(&r, bytes, &taken), PARSE_DONE);
    assert_int_equal(taken, bytes.len - 5);
    free((void *)(uintptr_t)bytes.ptr);
}

static void
keeps_the_minor_version_and_the_target_authority(void **state)
{
    struct reading r = {.limits = limits_standard()};

    (void)state;
    assert_int_equal(read_whole(&r, ERN_SLICE("GET / HTTP/1.0\r\n\r\n")), PARSE_DONE);
    assert_int_equal(r.request.version_minor, 0);
    assert_false(slice_is_there(r.request.authority));
    assert_int_equal(read_whole(&r, ERN_SLICE("get /?a=%zz HTTP/1.9\r\nHost:\r\n\r\n")),
                     PARSE_DONE);
    assert_int_equal(r.request.version_minor, 9);
    assert_int_equal(r.request.method, ERN_METHODS);
    assert_true(slice_is_there(r.request.authority));
    assert_int_equal(r.request.authority.len, 0);
    assert_int_equal(
        read_whole(&r, ERN_SLICE("GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n")),
        PARSE_DONE);
    assert_true(slice_eq(r.request.authority, ERN_SLICE("a.example")));
}

/* Every byte in turn stands in the four places; the grammar is written out again here. */
static void
takes_each_byte_only_where_the_grammar_has_it(void **state)
{
    static const char tchars[] = "!#$%&'*+-.^_`|~";
    struct reading r = {.limits = limits_standard()};

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool tchar = alnum || (c && strchr(tchars, (int)c));
        char method[] = "GxT / HTTP/1.0\r\n\r\n";
        char name[] = "GET / HTTP/1.0\r\nAxB: abcdefghijklmnop\r\n\r\n";
        char long_name[] = "GET / HTTP/1.0\r\nAbcdefghijklmnopqrxB: abcdefghijkl\r\n\r\n";
        char value[] = "GET / HTTP/1.0\r\nA: axb\r\nB: abcdefghijklmnop\r\n\r\n";

        method[1] = name[17] = value[20] = long_name[34] = (char)c;
        assert_int_equal(read_whole(&r, slice_text(method)) == PARSE_DONE && c, tchar);
        assert_int_equal(read_whole(&r, slice_from(name, sizeof name - 1)) == PARSE_DONE,
                         tchar || c == ':');
        assert_int_equal(read_whole(&r, slice_from(long_name, sizeof long_name - 1)) == PARSE_DONE,
                         tchar || c == ':');
        assert_int_equal(read_whole(&r, slice_from(value, sizeof value - 1)) == PARSE_DONE,
                         (c >= 0x20 && c != 0x7f) || c == '\t');
        if (c == '%' || c == '#') /* target_parse() has a word on these */
            continue;
        for (size_t at = 5; at < 30; at++) {
            char target[] = "GET /abcdefghijklmnopqrstuvwxyzab HTTP/1.0\r\n\r\n";

            target[at] = (char)c;
            if (read_whole(&r, slice_from(target, sizeof target - 1)) == PARSE_DONE)
                assert_true(c > 0x20 && c < 0x7f);
            else if (c > 0x20 && c < 0x7f)
                assert_int_equal(r.head.finding, FINDING_target_syntax); /* not pchar */
            else
                assert_int_equal(r.head.finding_at, c == ' ' ? at + 1 : at);
        }
    }
}

/* A head with a run of `a` in it, under small limits. */
struct run_row {
    int line;
    const char *before, *after;
    size_t run; /* the longest that is fine */
    enum finding finding;
    size_t at; /* the byte that shows it when the run is one longer, or far longer */
};

static void
check_run(struct reading *r, const struct run_row *row, size_t run)
{
    char in[4096];
    size_t n = strlen(row->before);
    bool fits = run <= row->run;

    memcpy(in, row->before, n);
    memset(in + n, 'a', run);
    memcpy(in + n + run, row->after, strlen(row->after));
    n += run + strlen(row->after);
    for (unsigned slowly = 0; slowly < 2; slowly++) {
        size_t taken = 0;
        enum parse parse =
            slowly ? read_slowly(r, slice_from(in, n), &taken) : read_whole(r, slice_from(in, n));

        if (fits && parse == PARSE_DONE)
            continue;
        if (fits || parse != PARSE_BAD || r->head.finding != row->finding ||
            r->head.finding_at != row->at || (slowly && taken != row->at + 1))
            fail_msg("line %d, run of %zu: parse %d, finding %s at %zu, known after %zu", row->line,
                     run, (int)parse, finding_row(r->head.finding)->name, r->head.finding_at,
                     taken);
    }
}

/* What each limit counts is said at the top of h1.c. */
static void
knows_a_limit_at_the_first_byte_past_it(void **state)
{
    static const struct run_row rows[] = {
        /* target_bytes_max = 64: method, target and two spaces */
        {__LINE__, "GET /", " HTTP/1.0\r\n\r\n", 58, FINDING_target_too_long, 64},
        {__LINE__, "", " / HTTP/1.0\r\n\r\n", 61, FINDING_target_too_long, 64},
        {__LINE__, "\r\nGET /", " HTTP/1.0\r\n\r\n", 58, FINDING_target_too_long, 66},
        /* field_bytes_max = 256: the line with its CRLF */
        {__LINE__, "GET / HTTP/1.0\r\nA:", "\r\n\r\n", 252, FINDING_field_too_large, 272},
        {__LINE__, "GET / HTTP/1.0\r\n", ":\r\n\r\n", 253, FINDING_field_too_large, 272},
        {__LINE__, "GET / HTTP/1.0\r\nB: c\r\nA:", "\r\n\r\n", 252, FINDING_field_too_large, 278},
    };
    struct reading r = {.limits = limits_standard()};

    (void)state;
    r.limits.target_bytes_max = 64;
    r.limits.field_bytes_max = 256;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t run = rows[i].run - 3; run < rows[i].run + 300; run++)
            check_run(&r, &rows[i], run);
}

static void
limits_the_section(void **state)
{
    static const struct run_row rows[] = {
        /* fields_bytes_max = 300, without the empty line */
        {__LINE__, "GET / HTTP/1.0\r\nA:", "\r\n\r\n", 296, FINDING_fields_too_large, 316},
        {__LINE__, "GET / HTTP/1.0\r\nA:", "\r\nB:\r\n\r\n", 292, FINDING_fields_too_large, 316},
        {__LINE__, "GET / HTTP/1.0\r\nA:", "\r\n\r\nbody", 296, FINDING_fields_too_large, 316},
    };
    struct reading r = {.limits = limits_standard()};

    (void)state;
    r.limits.fields_bytes_max = 300;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t run = rows[i].run - 3; run < rows[i].run + 300; run++)
            check_run(&r, &rows[i], run);
}

static void
counts_fields(void **state)
{
    static const char in[] = "GET / HTTP/1.0\r\na:\r\na:\r\na:\r\n\r\n";
    static const char folded[] = "GET / HTTP/1.0\r\na:\r\na:\r\n c\r\n\r\n";
    struct reading r = {.limits = limits_standard()};
    size_t taken;

    (void)state;
    r.limits.fields_max = 3;
    assert_int_equal(read_whole(&r, slice_text(in)), PARSE_DONE);
    r.limits.fields_max = 2;
    assert_int_equal(read_whole(&r, slice_text(in)), PARSE_BAD);
    assert_int_equal(r.head.finding, FINDING_fields_too_many);
    assert_int_equal(r.head.finding_at, 24);
    assert_int_equal(read_slowly(&r, slice_text(in), &taken), PARSE_BAD);
    assert_int_equal(taken, 25);
    assert_int_equal(read_whole(&r, slice_text(folded)), PARSE_BAD);
    assert_int_equal(r.head.finding, FINDING_field_fold);
    /* The caller's memory is a limit too. */
    r.limits = limits_standard();
    begin(&r);
    ern_request_init(&r.request, r.fields, 2);
    assert_int_equal(h1_head_feed(&r.head, slice_text(in), &r.request), PARSE_BAD);
    assert_int_equal(r.head.finding, FINDING_fields_too_many);
    assert_int_equal(r.head.finding_at, 24);
}

static void
wants_more_of_each_beginning(void **state)
{
    static const char in[] = "\r\nGET /a HTTP/1.1\r\nHost: a\r\nLong-Name-Of-A-Field: b\r\n\r\n";
    struct reading r = {.limits = limits_standard()};

    (void)state;
    for (size_t n = 0; n < sizeof in - 1; n++) {
        struct ern_slice bytes = exact(slice_from(in, n));

        assert_int_equal(read_whole(&r, bytes), PARSE_MORE);
        free((void *)(uintptr_t)bytes.ptr);
    }
    assert_int_equal(read_whole(&r, ERN_ABSENT), PARSE_MORE);
    assert_int_equal(read_whole(&r, slice_from(in, sizeof in - 1)), PARSE_DONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_request_lines_at_the_first_bad_byte),
        cmocka_unit_test(judges_version_and_target_when_the_line_is_whole),
        cmocka_unit_test(refuses_field_lines_at_the_first_bad_byte),
        cmocka_unit_test(judges_framing_when_the_head_is_whole),
        cmocka_unit_test(reads_a_whole_request),
        cmocka_unit_test(keeps_the_minor_version_and_the_target_authority),
        cmocka_unit_test(takes_each_byte_only_where_the_grammar_has_it),
        cmocka_unit_test(knows_a_limit_at_the_first_byte_past_it),
        cmocka_unit_test(limits_the_section),
        cmocka_unit_test(counts_fields),
        cmocka_unit_test(wants_more_of_each_beginning),
    };

    return cmocka_run_group_tests_name("h1", tests, NULL, NULL);
}
