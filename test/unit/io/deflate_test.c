/* SPDX-License-Identifier: Apache-2.0 */
/* deflate_test.c - the examples of RFC 7692 7.2.3, round trips, and what is no message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/deflate.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

enum { MAX = 1 << 20 };

static char packed[2 * MAX], unpacked[MAX];

static enum inflated
inflate_one(struct inflater *f, struct ern_slice compressed, size_t cap, struct ern_slice *ret)
{
    struct out o = out_init(unpacked, cap);
    enum inflated is = inflater_message(f, compressed, &o);

    *ret = out_done(&o);
    return is;
}

static void
inflates_the_examples(void **state)
{
    const struct ern_slice rows[] = {
        ERN_SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"),                         /* 7.2.3.1 */
        ERN_SLICE("\xf2\x00\x11\x00\x00"),                                 /* 7.2.3.2, the second */
        ERN_SLICE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),         /* 7.2.3.3 */
        ERN_SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),                     /* 7.2.3.4 */
        ERN_SLICE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), /* 7.2.3.5 */
    };
    struct inflater *f = inflater_new(DEFLATE_WINDOW_MAX, true);
    struct ern_slice text;

    (void)state;
    assert_non_null(f);
    for (unsigned round = 0; round < 2; round++)
        for (size_t i = 0; i < LEN(rows); i++) {
            assert_int_equal(inflate_one(f, rows[i], MAX, &text), INFLATED);
            assert_true(slice_eq(text, ERN_SLICE("Hello")));
        }
    assert_int_equal(inflate_one(f, ERN_SLICE("\x00"), MAX, &text), INFLATED); /* 7.2.3.6 */
    assert_int_equal(text.len, 0);
    assert_int_equal(inflate_one(f, rows[1], 5, &text), INFLATED); /* the window is still there */
    assert_true(slice_eq(text, ERN_SLICE("Hello")));
    inflater_free(f);
}

static void
takes_no_part_of_a_message_for_one(void **state)
{
    const struct ern_slice rows[] = {
        ERN_SLICE("\xf2\x48\xcd\xc9\xc9"),         /* cut */
        ERN_SLICE("\xf2"),                         /* cut */
        ERN_SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00"), /* without what 7.2.3.4 puts after it */
        ERN_SLICE("\x00\x05\x00\xfa\xff\x48\x65"), /* a block that is cut */
        ERN_SLICE("\x00\x05\x00\xfa\xfe\x48\x65"), /* its length twice, differently */
        ERN_SLICE("\x06\x00"),                     /* a block of type 3 */
        ERN_SLICE("\xf2\x00\x11\x00\x00"),         /* refers to a message that was not */
        ERN_SLICE("\xff\xff\xff\xff"),
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct inflater *f = inflater_new(DEFLATE_WINDOW_MAX, true);
        struct ern_slice text;

        assert_non_null(f);
        if (inflate_one(f, rows[i], MAX, &text) != INFLATE_WRONG)
            fail_msg("row %zu", i);
        inflater_free(f);
    }
}

/* Text that compresses well, or not at all. */
static void
fill(char *text, size_t n, bool random)
{
    uint32_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = random ? (char)(x >> 24) : "{\"status\":412,\"rule\":\"if_match\"}"[i % 32];
    }
}

static void
check_round_trip(unsigned bits, bool keeps, bool random)
{
    static const size_t sizes[] = {5, 0, 1, 126, 65536, 0, 127, 4096, 300000, 3, MAX};
    struct deflater *d = deflater_new(bits, keeps);
    struct inflater *f = inflater_new(bits, keeps);
    char *text = malloc(MAX);

    assert_true(d && f && text);
    fill(text, MAX, random);
    for (size_t i = 0; i < LEN(sizes); i++) {
        struct out o = out_init(packed, deflater_bound(d, sizes[i]));
        struct ern_slice back;

        assert_true(o.cap <= sizeof packed);
        assert_true(deflater_message(d, slice_from(text, sizes[i]), &o));
        assert_int_equal(inflate_one(f, out_done(&o), sizes[i], &back), INFLATED);
        assert_true(slice_eq(back, slice_from(text, sizes[i])));
        if (sizes[i]) { /* one byte less is too little, for this reader at least */
            struct inflater *other = inflater_new(bits, keeps);

            if (other && !keeps)
                assert_int_equal(inflate_one(other, out_done(&o), sizes[i] - 1, &back),
                                 INFLATE_TOO_BIG);
            inflater_free(other);
        }
    }
    free(text);
    deflater_free(d);
    inflater_free(f);
}

static void
brings_back_what_it_compressed(void **state)
{
    (void)state;
    for (unsigned bits = DEFLATE_WINDOW_MIN; bits <= DEFLATE_WINDOW_MAX; bits++)
        for (unsigned i = 0; i < 4; i++)
            check_round_trip(bits, i & 1, i & 2);
}

static void
refers_to_messages_before_if_it_may(void **state)
{
    const struct ern_slice text = ERN_SLICE("a message that says nothing twice");
    size_t sizes[2][2];

    (void)state;
    for (unsigned keeps = 0; keeps <= 1; keeps++) {
        struct deflater *d = deflater_new(DEFLATE_WINDOW_MAX, keeps);

        assert_non_null(d);
        for (unsigned i = 0; i < 2; i++) {
            struct out o = out_init(packed, sizeof packed);

            assert_true(deflater_message(d, text, &o));
            sizes[keeps][i] = o.len;
        }
        deflater_free(d);
    }
    assert_int_equal(sizes[0][0], sizes[0][1]);
    assert_true(sizes[1][1] < sizes[0][1] / 2);
}

static void
starts_anew_after_a_message_that_did_not_fit(void **state)
{
    const struct ern_slice text = ERN_SLICE("a message that says nothing twice");
    struct deflater *d = deflater_new(DEFLATE_WINDOW_MAX, true);
    struct inflater *f = inflater_new(DEFLATE_WINDOW_MAX, true);
    struct ern_slice back;
    struct out o;

    (void)state;
    assert_true(d && f);
    for (size_t cap = 0; cap < 24; cap++) {
        o = out_init(packed, cap);
        assert_false(deflater_message(d, text, &o));
        assert_true(o.full);
        assert_int_equal(o.len, 0);
    }
    o = out_init(packed, sizeof packed);
    assert_true(deflater_message(d, text, &o));
    assert_int_equal(inflate_one(f, out_done(&o), MAX, &back), INFLATED);
    assert_true(slice_eq(back, text));
    deflater_free(d);
    inflater_free(f);
}

/* A few bytes may stand for a thousand times as many: they are not written. */
static void
stops_a_bomb_at_the_limit(void **state)
{
    struct deflater *d = deflater_new(DEFLATE_WINDOW_MAX, true);
    struct inflater *f = inflater_new(DEFLATE_WINDOW_MAX, true);
    struct out o = out_init(packed, sizeof packed);
    char *zeros = calloc(1, MAX);
    struct ern_slice back;

    (void)state;
    assert_true(d && f && zeros);
    assert_true(deflater_message(d, slice_from(zeros, MAX), &o));
    assert_true(o.len < MAX / 900);
    assert_int_equal(inflate_one(f, out_done(&o), 65536, &back), INFLATE_TOO_BIG);
    assert_int_equal(back.len, 65536);
    free(zeros);
    deflater_free(d);
    inflater_free(f);
}

static void
frees_nothing(void **state)
{
    (void)state;
    deflater_free(NULL);
    inflater_free(NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(inflates_the_examples),
        cmocka_unit_test(takes_no_part_of_a_message_for_one),
        cmocka_unit_test(brings_back_what_it_compressed),
        cmocka_unit_test(refers_to_messages_before_if_it_may),
        cmocka_unit_test(starts_anew_after_a_message_that_did_not_fit),
        cmocka_unit_test(stops_a_bomb_at_the_limit),
        cmocka_unit_test(frees_nothing),
    };

    return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
