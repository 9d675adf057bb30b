/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pack/coding.h"

enum { TEXT_BYTES = 300000, CODED_BYTES = TEXT_BYTES + 4096 };

static char text[TEXT_BYTES], coded[CODED_BYTES], made[TEXT_BYTES];

static void
fill(void)
{
    uint64_t seed = 7;

    for (size_t i = 0; i < TEXT_BYTES; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        text[i] = "the quick brown fox "[(seed >> 60) + (i & 3)];
    }
}

/* Codes in pieces, with little room at a time. */
static size_t
code(enum coding coding, size_t piece, size_t room)
{
    struct encoder *e = encoder_new(coding, 5);
    struct ern_slice rest = slice_from(text, TEXT_BYTES);
    struct out o = out_init(coded, 0);
    bool ended = false;

    assert_non_null(e);
    while (!ended) {
        struct ern_slice some = slice_first(rest, rest.len < piece ? rest.len : piece);
        size_t before = some.len;

        o.cap = o.len + room < CODED_BYTES ? o.len + room : CODED_BYTES;
        assert_int_equal(encoder_run(e, &some, before == rest.len, &o, &ended), 0);
        rest = slice_skip(rest, before - some.len);
    }
    encoder_free(e);
    return o.len;
}

static bool
decode(enum coding coding, struct ern_slice from, size_t piece, size_t room, size_t *ret_n)
{
    struct decoder *d = decoder_new(coding);
    struct out o = out_init(made, 0);
    bool ended = false;
    int error = 0;

    assert_non_null(d);
    while (!error && !ended && (from.len || o.len == o.cap)) {
        struct ern_slice some = slice_first(from, from.len < piece ? from.len : piece);
        size_t before = some.len;

        if (o.len == TEXT_BYTES && o.cap == TEXT_BYTES)
            break;
        o.cap = o.len + room < TEXT_BYTES ? o.len + room : TEXT_BYTES;
        error = decoder_run(d, &some, &o, &ended);
        from = slice_skip(from, before - some.len);
    }
    decoder_free(d);
    *ret_n = o.len;
    return !error && ended && from.len == 0;
}

static void
codings_go_round(void **state)
{
    static const size_t pieces[][2] = {{TEXT_BYTES, CODED_BYTES}, {65536, 16384}, {1000, 100}};
    size_t n, made_n;

    (void)state;
    fill();
    for (unsigned c = 0; c < CODINGS; c++) {
        for (unsigned i = 0; i < 3; i++) {
            n = code((enum coding)c, pieces[i][0], pieces[i][1]);
            assert_true(n < TEXT_BYTES * 3 / 4);
            assert_true(
                decode((enum coding)c, slice_from(coded, n), pieces[i][0], pieces[i][1], &made_n));
            assert_int_equal(made_n, TEXT_BYTES);
            assert_memory_equal(made, text, TEXT_BYTES);
            assert_false(
                decode((enum coding)c, slice_from(coded, n - 1), TEXT_BYTES, TEXT_BYTES, &made_n));
            coded[n / 2] = (char)~coded[n / 2];
            coded[n / 3] = (char)~coded[n / 3];
            if (decode((enum coding)c, slice_from(coded, n), TEXT_BYTES, TEXT_BYTES, &made_n))
                assert_int_not_equal(c, CODING_GZIP); /* which has a check sum */
        }
    }
}

static void
codings_write_what_fits(void **state)
{
    struct out o;

    (void)state;
    fill();
    for (unsigned c = 0; c < CODINGS; c++) {
        struct ern_slice some = slice_from(text, 5000);

        o = out_init(coded, 100);
        assert_int_equal(coding_write((enum coding)c, 6, some, &o), -ENOSPC);
        o = out_init(coded, CODED_BYTES);
        assert_int_equal(coding_write((enum coding)c, 6, some, &o), 0);
        assert_true(o.len < 5000);
        o = out_init(coded, CODED_BYTES);
        assert_int_equal(coding_write((enum coding)c, 6, ERN_SLICE(""), &o), 0);
        assert_true(o.len > 0);
    }
}

static void
codings_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(coding_find(ERN_SLICE("GZip")), CODING_GZIP);
    assert_int_equal(coding_find(ERN_SLICE("x-gzip")), CODING_GZIP);
    assert_int_equal(coding_find(ERN_SLICE("br")), CODING_BR);
    assert_int_equal(coding_find(ERN_SLICE("zstd")), CODING_ZSTD);
    assert_int_equal(coding_find(ERN_SLICE("deflate")), CODINGS);
    assert_int_equal(coding_find(ERN_ABSENT), CODINGS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings_go_round),
        cmocka_unit_test(codings_write_what_fits),
        cmocka_unit_test(codings_are_found_by_name),
    };

    return cmocka_run_group_tests_name("coding", tests, NULL, NULL);
}
