/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/delta_decode.h"
#include "pack/gdiff.h"
#include "pack/vcdiff.h"

enum { LARGE = 9 << 20, TEXT_BYTES = 1 << 12 };

typedef int write_function(struct ern_slice base, struct ern_slice target, struct out *o);
typedef bool decode_function(struct ern_slice base, struct ern_slice delta, struct out *o);

static const struct {
    const char *name;
    write_function *write;
    decode_function *decode;
} formats[] = {{"vcdiff", vcdiff_write, vcdiff_decode}, {"gdiff", gdiff_write, gdiff_decode}};

/* The length of the delta, which gives the target. */
static size_t
check(size_t format, struct ern_slice base, struct ern_slice target)
{
    size_t cap = 2 * target.len + 100;
    char *text = malloc(cap), *again = malloc(target.len + 1);
    struct out delta = out_init(text, cap), made = out_init(again, target.len + 1);

    assert_int_equal(formats[format].write(base, target, &delta), 0);
    if (!formats[format].decode(base, out_done(&delta), &made) ||
        !slice_eq(out_done(&made), target))
        fail_msg("%s: %zu of %zu bytes", formats[format].name, made.len, target.len);
    free(text);
    free(again);
    return delta.len;
}

#define FOX "The quick brown fox jumps over the lazy dog. "

static void
deltas_make_the_target(void **state)
{
    static const struct {
        const char *base, *target;
        size_t vcdiff_max; /* bytes */
    } rows[] = {
        {"", "", 5},
        {FOX, "", 5},
        {"", "a", 20},
        {FOX FOX, FOX FOX, 25},
        {FOX FOX, FOX "and " FOX, 32},
        {FOX FOX, FOX, 25},
        {"abcdefgh", "abcdefgh", 25},
        {"abcdefg", "abcdefg", 25}, /* too short to be found */
        {"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 25},
        {FOX, FOX FOX FOX FOX FOX FOX FOX FOX, 45},
        {"0123456789abcdef", "fedcba98765432100123456789", 60},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice base = slice_text(rows[i].base), target = slice_text(rows[i].target);
        size_t n = check(0, base, target);

        (void)check(1, base, target);
        if (n > rows[i].vcdiff_max)
            fail_msg("row %zu: %zu bytes", i, n);
    }
}

static void
fill(char *text, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        text[i] = (char)(seed >> 56);
    }
}

/* More than one window, and numbers of all lengths. */
static void
large_deltas_make_the_target(void **state)
{
    char *base = malloc(LARGE), *target = malloc(LARGE);

    (void)state;
    fill(base, LARGE, 1);
    memcpy(target, base + LARGE / 2, LARGE / 2);
    memcpy(target + LARGE / 2, base, LARGE / 2);
    for (size_t i = 0; i < LARGE; i += 65537)
        target[i] = (char)~target[i];
    for (size_t format = 0; format < 2; format++) {
        size_t n = check(format, slice_from(base, LARGE), slice_from(target, LARGE));

        assert_true(n < 4096);
        (void)check(format, ERN_SLICE("x"), slice_from(target, LARGE / 8));
    }
    free(base);
    free(target);
}

static void
deltas_without_room_say_so(void **state)
{
    char text[TEXT_BYTES], room[TEXT_BYTES];

    (void)state;
    fill(text, sizeof text, 2);
    for (size_t format = 0; format < 2; format++) {
        for (size_t cap = 0; cap < sizeof text; cap += 97) {
            struct out o = out_init(room, cap);

            assert_int_equal(
                formats[format].write(ERN_SLICE(FOX), slice_from(text, sizeof text), &o), -ENOSPC);
        }
    }
}

/* The example of RFC 3284 3: COPY 4, 0; ADD 4, w x y z; COPY 4, 4; COPY 12, 24; RUN 4, z. */
static void
the_reader_reads_the_example_of_rfc3284_3(void **state)
{
    static const char delta[] = "\xd6\xc3\xc4\x00\x00"
                                "\x01\x10\x00"             /* the source: 16 bytes from 0 */
                                "\x13\x1c\x00\x05\x06\x03" /* 28 bytes, of data, codes, addresses */
                                "wxyzz"
                                "\x14\x05\x14\x1c\x00\x04"
                                "\x00\x04\x18";
    char text[64];
    struct out o = out_init(text, sizeof text);

    (void)state;
    assert_true(
        vcdiff_decode(ERN_SLICE("abcdefghijklmnop"), slice_from(delta, sizeof delta - 1), &o));
    assert_true(slice_eq(out_done(&o), ERN_SLICE("abcdwxyzefghefghefghefghzzzz")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deltas_make_the_target),
        cmocka_unit_test(large_deltas_make_the_target),
        cmocka_unit_test(deltas_without_room_say_so),
        cmocka_unit_test(the_reader_reads_the_example_of_rfc3284_3),
    };

    return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
