/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi_test.c - records of FastCGI: what is written, and what is read of what comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "wire/fcgi.h"

#define BYTES(literal) ERN_SLICE(literal)
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define END_OK "\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0\0"

static void
test_write(void **state)
{
    static char memory[140000], long_one[70000];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    fcgi_write_begin(&o);
    fcgi_write_pair(&o, BYTES("A"), BYTES("BC"));
    fcgi_write_end(&o, FCGI_PARAMS);
    fcgi_write(&o, FCGI_STDIN, ERN_SLICE(""));
    assert_true(slice_eq(out_done(&o), BYTES("\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"
                                             "\1\4\0\1\0\5\0\0\1\2ABC"
                                             "\1\4\0\1\0\0\0\0")));
    o = out_init(memory, sizeof memory);
    fcgi_write_pair(&o, ERN_SLICE("A"), slice_from(long_one, 127));
    fcgi_write_pair(&o, ERN_SLICE("B"), slice_from(long_one, 128));
    assert_int_equal(o.len, 8 + 2 + 1 + 127 + 8 + 5 + 1 + 128);
    assert_memory_equal(memory, "\1\4\0\1\0\202\0\0\1\177A", 11);
    assert_memory_equal(memory + 138, "\1\4\0\1\0\206\0\0\1\200\0\0\200B", 14);
    assert_false(o.full);
    fcgi_write_pair(&o, ERN_SLICE("A"), slice_from(long_one, 65535)); /* no record holds it */
    assert_true(o.full);
    o = out_init(memory, sizeof memory);
    fcgi_write(&o, FCGI_STDIN, slice_from(long_one, sizeof long_one));
    assert_int_equal(o.len, sizeof long_one + 16);
    assert_memory_equal(memory, "\1\5\0\1\377\370\0\0", 8);
    assert_memory_equal(memory + 8 + 65528, "\1\5\0\1\21\170\0\0", 8);
}

/* Feeds so many bytes at a time; gathers both streams. Returns how it ended. */
static enum fcgi_got
read_all(struct ern_slice bytes, size_t step, struct out *out, struct out *err)
{
    struct fcgi_reader r = {.end = FCGI_MORE};
    enum fcgi_got got = FCGI_MORE;

    for (size_t at = 0; at < bytes.len; at += step) {
        struct ern_slice in =
            slice_skip(slice_first(bytes, at + step < bytes.len ? at + step : bytes.len), at);
        struct ern_slice piece;

        while ((got = fcgi_feed(&r, &in, &piece)) == FCGI_OUT || got == FCGI_ERR) {
            assert_true(piece.len > 0);
            out_slice(got == FCGI_OUT ? out : err, piece);
        }
    }
    return got;
}

static const struct {
    struct ern_slice in;
    enum fcgi_got got;
    const char *out, *err;
} cases[] = {
    {TEXT("\1\6\0\1\0\5\3\0hello\0\0\0" END_OK), FCGI_END, "hello", ""},
    {TEXT("\1\6\0\1\0\2\0\0he\1\7\0\1\0\3\5\0bad.....\1\6\0\1\0\3\0\0llo" END_OK), FCGI_END,
     "hello", "bad"},
    {TEXT("\1\6\0\1\0\2\0\0he\1\6\0\1\0\0\0\0\1\7\0\1\0\0\0\0" END_OK), FCGI_END, "he", ""},
    {TEXT("\1\6\0\1\0\2\0\0he"), FCGI_MORE, "he", ""},
    {TEXT("\1\6\0\1\0\2"), FCGI_MORE, "", ""},
    {TEXT("\1\3\0\1\0\10\0\0\0\0\0\0\2\0\0\0"), FCGI_BUSY, "", ""},
    {TEXT("\1\3\0\1\0\10\0\0\0\0\0\0\3\0\0\0"), FCGI_REJECTED, "", ""},
    {TEXT("\1\3\0\1\0\10\0\0\0\0\0\0\1\0\0\0"), FCGI_REJECTED, "", ""},
    {TEXT(END_OK "\1\6\0\1\0\2\0\0he"), FCGI_END, "", ""},
    {TEXT("\2\6\0\1\0\2\0\0he"), FCGI_BAD, "", ""},
    {TEXT("\1\6\0\2\0\2\0\0he"), FCGI_BAD, "", ""},
    {TEXT("\1\6\0\0\0\2\0\0he"), FCGI_BAD, "", ""},
    {TEXT("\1\5\0\1\0\2\0\0he"), FCGI_BAD, "", ""},
    {TEXT("\1\13\0\0\0\10\0\0\0\0\0\0\0\0\0\0"), FCGI_BAD, "", ""},
    {TEXT("\1\3\0\1\0\7\0\0\0\0\0\0\0\0\0"), FCGI_BAD, "", ""},
    {TEXT("\1\6\0\1\0\0\0\0\1\6\0\1\0\2\0\0he"), FCGI_BAD, "", ""},
    {TEXT("HTTP/1.1 200 OK\r\n"), FCGI_BAD, "", ""},
};

static void
test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step <= cases[i].in.len; step++) {
            char out_text[64], err_text[64];
            struct out out = out_init(out_text, sizeof out_text);
            struct out err = out_init(err_text, sizeof err_text);

            assert_int_equal(read_all(cases[i].in, step, &out, &err), cases[i].got);
            assert_true(slice_eq(out_done(&out), slice_text(cases[i].out)));
            assert_true(slice_eq(out_done(&err), slice_text(cases[i].err)));
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_write), cmocka_unit_test(test_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
