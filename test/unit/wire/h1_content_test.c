/* SPDX-License-Identifier: Apache-2.0 */
/* h1_content_test.c - content of requests: what comes out, what is refused, under which limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/out.h"
#include "base/slice.h"
#include "wire/h1.h"

struct reading {
    struct limits limits;
    struct ern_request request;
    enum parse parse;
    enum finding finding;
    size_t at; /* bytes taken */
    char memory[1024];
    struct out content;
};

/* Feeds the bytes, the first `split` of them on their own, or one by one if split is SIZE_MAX. */
static void
read_in(struct reading *r, struct ern_slice bytes, size_t split)
{
    struct h1_content content;
    struct ern_slice in, piece;
    size_t given = 0;

    h1_content_init(&content, &r->limits, &r->request);
    r->content = out_init(r->memory, sizeof r->memory);
    r->at = 0;
    r->parse = PARSE_MORE;
    while (r->parse == PARSE_MORE && given < bytes.len) {
        given = split == SIZE_MAX ? given + 1 : given < split ? split : bytes.len;
        in = slice_skip(slice_first(bytes, given), r->at);
        do {
            r->parse = h1_content_feed(&content, &in, &piece);
            out_slice(&r->content, piece);
        } while (r->parse == PARSE_MORE && in.len);
        r->at = given - in.len;
        if (r->parse == PARSE_MORE)
            assert_int_equal(r->at, given);
    }
    r->finding = content.finding;
    assert_false(r->content.full);
    if (r->parse != PARSE_MORE) { /* it stays as it is */
        in = ERN_SLICE("more");
        assert_int_equal(h1_content_feed(&content, &in, &piece), r->parse);
        assert_int_equal(in.len, 4);
        assert_int_equal(piece.len, 0);
    }
}

struct row {
    int line;
    struct ern_slice in;
    enum finding finding; /* none: it is read to its end */
    size_t at;            /* of the finding, or the end */
    struct ern_slice content;
};

#define BAD(in, finding, at)                                                                       \
    {                                                                                              \
        __LINE__, {in, sizeof in - 1}, FINDING_##finding, at,                                      \
        {                                                                                          \
            NULL, 0                                                                                \
        }                                                                                          \
    }
#define GOOD(in, content)                                                                          \
    {                                                                                              \
        __LINE__, {in, sizeof in - 1}, FINDING_none, sizeof in - 1,                                \
        {                                                                                          \
            content, sizeof content - 1                                                            \
        }                                                                                          \
    }

static void
check(struct reading *r, const struct row *row, size_t split)
{
    enum parse parse = row->finding == FINDING_none ? PARSE_DONE : PARSE_BAD;

    read_in(r, row->in, split);
    if (r->parse != parse || r->finding != row->finding || r->at != row->at ||
        (slice_is_there(row->content) && !slice_eq(out_done(&r->content), row->content)))
        fail_msg("line %d, split at %zu: parse %d, %s at %zu, content \"%.*s\"", row->line, split,
                 (int)r->parse, finding_row(r->finding)->name, r->at, (int)r->content.len,
                 r->content.ptr);
}

static void
check_all(struct reading *r, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t split = 0; split <= rows[i].in.len; split++)
            check(r, &rows[i], split);
        check(r, &rows[i], SIZE_MAX);
    }
}

static struct reading
chunked(void)
{
    return (struct reading){.limits = limits_standard(),
                            .request = {.chunked = true, .content_length = -1}};
}

static void
reads_chunks(void **state)
{
    static const struct row rows[] = {
        GOOD("0\r\n\r\n", ""),
        GOOD("00000000\r\n\r\n", ""),
        GOOD("5\r\nhello\r\n0\r\n\r\n", "hello"),
        GOOD("5\r\nhello\r\n00000001\r\n!\r\n0\r\n\r\n", "hello!"),
        GOOD("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        GOOD("a\r\n0\r\n\r\n\r\n\r\n0\r\n0\r\n\r\n", "0\r\n\r\n\r\n\r\n0"),
        GOOD("0\r\nA: b\r\nEmpty:\r\nLatin: \xe9\r\n\r\n", ""),
        GOOD("0\r\nContent-Length: 7\r\nHost: b\r\n\r\n", ""), /* checked and dropped */
    };
    struct reading r = chunked();

    (void)state;
    check_all(&r, rows, sizeof rows / sizeof *rows);
}

static void
refuses_chunks(void **state)
{
    static const struct row rows[] = {
        BAD("\r\n0\r\n\r\n", chunk_size_syntax, 0),
        BAD("x\r\n", chunk_size_syntax, 0),
        BAD(" 5\r\nhello", chunk_size_syntax, 0),
        BAD("-1\r\n", chunk_size_syntax, 0),
        BAD("+1\r\n", chunk_size_syntax, 0),
        BAD(";a=b\r\n", chunk_size_syntax, 0),
        BAD("0x5\r\nhello\r\n", chunk_size_syntax, 1),
        BAD("1_0\r\n", chunk_size_syntax, 1),
        BAD("5h\r\n", chunk_size_syntax, 1),
        BAD("5\0\r\n", chunk_size_syntax, 1),
        BAD("5.0\r\n", chunk_size_syntax, 1),
        BAD("\n", bare_lf, 0),
        BAD("5\nhello\r\n0\r\n\r\n", bare_lf, 1),
        BAD("5\rhello", bare_cr, 2),
        BAD("5\r\r\n", bare_cr, 2),
        BAD("000000005\r\n", chunk_size_too_large, 8),
        BAD("100000000\r\n", chunk_size_too_large, 8),
        BAD("fffffffffffffffff\r\n", chunk_size_too_large, 8),
        BAD("5\r\nhello0\r\n\r\n", chunk_end, 8),
        BAD("5\r\nhello!\r\n0\r\n\r\n", chunk_end, 8),
        BAD("5\r\nhello\n0\r\n\r\n", bare_lf, 8),
        BAD("5\r\nhello\r0\r\n\r\n", bare_cr, 9),
        BAD("5\r\nhello\r\n\r\n", chunk_size_syntax, 10),
        BAD("0\r\n\n", bare_lf, 3),
        BAD("0\r\n\rX", bare_cr, 4),
        BAD("0\r\n A: b\r\n\r\n", field_fold, 3),
        BAD("0\r\nA: b\r\n\tc\r\n\r\n", field_fold, 9),
        BAD("0\r\nA : b\r\n\r\n", field_name_space, 4),
        BAD("0\r\n: b\r\n\r\n", field_name_syntax, 3),
        BAD("0\r\nA\r\n\r\n", field_name_syntax, 4),
        BAD("0\r\nGET / HTTP/1.1\r\n\r\n", field_name_space, 6),
        BAD("0\r\nA\n", bare_lf, 4),
        BAD("0\r\nA: b\n\r\n", bare_lf, 7),
        BAD("0\r\nA: b\rc\r\n", bare_cr, 8),
        BAD("0\r\nA: b\0\r\n", field_value_syntax, 7),
    };
    struct reading r = chunked();

    (void)state;
    check_all(&r, rows, sizeof rows / sizeof *rows);
}

static void
reads_the_grammar_of_extensions(void **state)
{
    static const struct row rows[] = {
        GOOD("1;a\r\nx\r\n0\r\n\r\n", "x"),
        GOOD("1;a=b\r\nx\r\n0;last\r\n\r\n", "x"),
        GOOD("1;a=\"q\\\"\t;=\x80 \";b\r\nx\r\n0\r\n\r\n", "x"),
        GOOD("1;a=\"\"\r\nx\r\n0\r\n\r\n", "x"),
        GOOD("1 \t; a = b ;c\t=\"d\" ; e\r\nx\r\n0\r\n\r\n", "x"), /* BWS */
        BAD("1 \r\nx", chunk_extension_syntax, 2),
        BAD("1 x\r\n", chunk_extension_syntax, 2),
        BAD("1;\r\nx", chunk_extension_syntax, 2),
        BAD("1;;a\r\nx", chunk_extension_syntax, 2),
        BAD("1;=b\r\nx", chunk_extension_syntax, 2),
        BAD("1;a=\r\nx", chunk_extension_syntax, 4),
        BAD("1;a==b\r\nx", chunk_extension_syntax, 4),
        BAD("1;a b\r\nx", chunk_extension_syntax, 4),
        BAD("1;a \r\nx", chunk_extension_syntax, 4),
        BAD("1;a=b \r\nx", chunk_extension_syntax, 6),
        BAD("1;a=b c\r\nx", chunk_extension_syntax, 6),
        BAD("1;a=\"b\" \r\nx", chunk_extension_syntax, 8),
        BAD("1;a=\"b\"c\r\nx", chunk_extension_syntax, 7),
        BAD("1;a=\"b\r\n\"\r\nx", chunk_extension_syntax, 6),
        BAD("1;a=\"b\\\r\n\"\r\nx", chunk_extension_syntax, 7),
        BAD("1;a=\"b\0\"\r\nx", chunk_extension_syntax, 6),
        BAD("1;a\0\r\nx", chunk_extension_syntax, 3),
        BAD("1;(\r\nx", chunk_extension_syntax, 2),
        BAD("1;a\nx", bare_lf, 3),
        BAD("1;a=\"\n\"\r\nx", bare_lf, 5),
        BAD("1;a\rx", bare_cr, 4),
    };
    struct reading r = chunked();

    (void)state;
    check_all(&r, rows, sizeof rows / sizeof *rows);
}

static void
limits_extensions_and_digits(void **state)
{
    static const struct row rows[] = {
        GOOD("001;a\r\nx\r\n0;ab=c\r\n\r\n", "x"),
        BAD("0001\r\n", chunk_size_too_large, 3),
        BAD("1;ab=cd\r\n", chunk_extension_large, 6),
        BAD("1;ab=c\n", chunk_extension_large, 6),
        BAD("1;abcd\r\nx\r\n0;ab\r\n\r\n", chunk_extension_large, 14),
    };
    static const struct row none[] = {
        GOOD("1\r\nx\r\n0\r\n\r\n", "x"),
        BAD("1;a\r\nx", chunk_extension_large, 1),
        BAD("1 ;a\r\nx", chunk_extension_large, 1),
    };
    struct reading r = chunked();

    (void)state;
    r.limits.chunk_digits_max = 3;
    r.limits.chunk_extension_max = 5;
    r.limits.chunk_extensions_max = 7;
    check_all(&r, rows, sizeof rows / sizeof *rows);
    r.limits.chunk_extension_max = 0;
    check_all(&r, none, sizeof none / sizeof *none);
}

static void
limits_trailers(void **state)
{
    static const struct row rows[] = {
        GOOD("0\r\nA:b\r\nB:c\r\n\r\n", ""),
        BAD("0\r\nA:\r\nA:\r\nA:\r\n\r\n", fields_too_many, 11),
        BAD("0\r\nA:\r\nA:\r\n c\r\n\r\n", field_fold, 11),
        BAD("0\r\nA:bb\r\nB:c\r\n\r\n", fields_too_large, 13),
        BAD("0\r\nA:bcdefg\r\n\r\n", field_too_large, 11),
    };
    static const struct row none[] = {
        GOOD("0\r\n\r\n", ""),
        BAD("0\r\nA:\r\n\r\n", fields_too_large, 3),
    };
    struct reading r = chunked();

    (void)state;
    r.limits.field_bytes_max = 8;
    r.limits.trailers_bytes_max = 10;
    r.limits.trailers_max = 2;
    check_all(&r, rows, sizeof rows / sizeof *rows);
    r.limits.trailers_bytes_max = 0;
    check_all(&r, none, sizeof none / sizeof *none);
}

static void
reads_a_known_length(void **state)
{
    struct reading r = {.limits = limits_standard(), .request = {.content_length = 5}};

    (void)state;
    for (size_t split = 0; split <= 8; split++) {
        read_in(&r, ERN_SLICE("helloGET"), split);
        assert_int_equal(r.parse, PARSE_DONE);
        assert_int_equal(r.at, 5);
        assert_true(slice_eq(out_done(&r.content), ERN_SLICE("hello")));
    }
    read_in(&r, ERN_SLICE("hell"), SIZE_MAX);
    assert_int_equal(r.parse, PARSE_MORE);
    assert_int_equal(r.content.len, 4);
}

static void
has_none_without_framing(void **state)
{
    static const int64_t lengths[] = {-1, 0};
    struct limits limits = limits_standard();

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct ern_request request = {.content_length = lengths[i]};
        struct ern_slice in = ERN_ABSENT;
        struct h1_content content;
        struct ern_slice piece;

        h1_content_init(&content, &limits, &request);
        assert_int_equal(h1_content_feed(&content, &in, &piece), PARSE_DONE);
        in = ERN_SLICE("GET");
        assert_int_equal(h1_content_feed(&content, &in, &piece), PARSE_DONE);
        assert_int_equal(in.len, 3);
    }
}

/* A chunk larger than memory: its size is kept, and not a byte too many is taken. */
static void
keeps_a_large_size(void **state)
{
    struct reading r = chunked();
    struct h1_content content;
    struct ern_slice in = ERN_SLICE("fffffffffffffff\r\nabc");
    struct ern_slice piece;

    (void)state;
    r.limits.chunk_digits_max = 15;
    h1_content_init(&content, &r.limits, &r.request);
    assert_int_equal(h1_content_feed(&content, &in, &piece), PARSE_MORE);
    assert_true(slice_eq(piece, ERN_SLICE("abc")));
    assert_true(content.left == 0xfffffffffffffff - 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_chunks),
        cmocka_unit_test(refuses_chunks),
        cmocka_unit_test(reads_the_grammar_of_extensions),
        cmocka_unit_test(limits_extensions_and_digits),
        cmocka_unit_test(limits_trailers),
        cmocka_unit_test(reads_a_known_length),
        cmocka_unit_test(has_none_without_framing),
        cmocka_unit_test(keeps_a_large_size),
    };

    return cmocka_run_group_tests_name("h1_content", tests, NULL, NULL);
}
