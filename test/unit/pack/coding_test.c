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

static struct encoders *encoders;
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
    struct encoder *e = encoder_new(encoders, coding, 5);
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

/* What an encoder coded before, to the end or not, shows in nothing that it codes next. */
static void
encoders_begin_anew(void **state)
{
    static char first[CODED_BYTES];
    size_t n;

    (void)state;
    fill();
    for (unsigned c = 0; c < CODINGS; c++) {
        struct ern_slice some = slice_from(text + 1000, 5000);
        struct out o = out_init(coded, CODED_BYTES);
        struct encoder *cut, *again;
        bool ended;

        encoders = NULL;
        n = code((enum coding)c, 65536, 16384);
        memcpy(first, coded, n);
        encoders = encoders_new(1, 1 << 24);
        assert_non_null(encoders);
        cut = encoder_new(encoders, (enum coding)c, 1);
        assert_non_null(cut);
        encoder_expect(cut, 10000);
        assert_int_equal(encoder_run(cut, &some, false, &o, &ended), 0);
        encoder_free(cut);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(code((enum coding)c, 65536, 16384), n);
            assert_memory_equal(coded, first, n);
        }
        again = encoder_new(encoders, (enum coding)c, 5);
        assert_ptr_equal(again, cut);
        encoder_free(again);
        encoders_free(encoders);
        encoders = NULL;
    }
}

/* So many wait as may, no larger than they may be, and as long as they are needed. */
static void
encoders_wait_within_bounds(void **state)
{
    struct encoder *e[3];

    (void)state;
    for (unsigned c = 0; c < CODINGS; c++) {
        encoders = encoders_new(2, 1 << 24);
        assert_non_null(encoders);
        for (unsigned i = 0; i < 3; i++)
            assert_non_null((e[i] = encoder_new(encoders, (enum coding)c, 5)));
        for (unsigned i = 0; i < 3; i++)
            encoder_free(e[i]);
        assert_int_equal(encoders_waiting(encoders), 2);
        encoders_trim(encoders);
        assert_int_equal(encoders_waiting(encoders), 2); /* they were needed since it began */
        encoder_free(encoder_new(encoders, (enum coding)c, 5));
        encoders_trim(encoders);
        assert_int_equal(encoders_waiting(encoders), 1);
        encoders_trim(encoders);
        assert_int_equal(encoders_waiting(encoders), 0);
        encoders_free(encoders);
    }
    encoders = encoders_new(2, 1000);
    assert_non_null(encoders);
    fill();
    (void)code(CODING_ZSTD, 65536, 16384);
    assert_int_equal(encoders_waiting(encoders), 0);
    encoders_free(encoders);
    encoders = NULL;
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
        cmocka_unit_test(encoders_begin_anew),
        cmocka_unit_test(encoders_wait_within_bounds),
        cmocka_unit_test(codings_write_what_fits),
        cmocka_unit_test(codings_are_found_by_name),
    };

    return cmocka_run_group_tests_name("coding", tests, NULL, NULL);
}
