/* SPDX-License-Identifier: Apache-2.0 */
/* arena_test.c - memory taken piece by piece and given back at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

enum { ALIGN = alignof(max_align_t) };

static alignas(max_align_t) char memory[256];

static void
gives_aligned_pieces_that_do_not_overlap(void **state)
{
    struct arena a;
    char *before = memory;

    (void)state;
    arena_init(&a, memory, sizeof memory);
    for (size_t n = 1; n <= 17; n += 4) {
        char *at = arena_take(&a, n);

        assert_non_null(at);
        assert_int_equal((uintptr_t)at % ALIGN, 0);
        assert_true(at >= before);
        assert_true(at + n <= memory + sizeof memory);
        before = at + n;
    }
    assert_false(a.full);
}

static void
gives_all_of_its_memory_and_no_more(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, memory, sizeof memory);
    assert_ptr_equal(arena_take(&a, sizeof memory), memory);
    assert_non_null(arena_take(&a, 0));
    assert_null(arena_take(&a, 1));
    arena_init(&a, memory, sizeof memory);
    assert_null(arena_take(&a, sizeof memory + 1));
    arena_init(&a, memory, sizeof memory);
    assert_non_null(arena_take(&a, 1));
    assert_null(arena_take(&a, SIZE_MAX));
    arena_init(&a, memory, 1); /* room for a byte, none for the next multiple of the alignment */
    assert_non_null(arena_take(&a, 1));
    assert_null(arena_take(&a, 0));
}

static void
stays_full_until_it_is_reset(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, memory, sizeof memory);
    assert_null(arena_take(&a, sizeof memory + 1));
    assert_true(a.full);
    assert_null(arena_take(&a, 1));
    arena_reset(&a);
    assert_false(a.full);
    assert_ptr_equal(arena_take(&a, 1), memory);
}

static void
keeps_what_was_written(void **state)
{
    struct arena a;
    struct out o;
    struct ern_slice first, second;

    (void)state;
    arena_init(&a, memory, sizeof memory);
    o = arena_out(&a);
    out_literal(&o, "first");
    first = arena_keep(&a, &o);
    o = arena_out(&a);
    out_literal(&o, "dropped, for it was not kept");
    o = arena_out(&a);
    out_literal(&o, "second");
    second = arena_keep(&a, &o);
    assert_true(slice_eq(first, ERN_SLICE("first")));
    assert_true(slice_eq(second, ERN_SLICE("second")));
    assert_int_equal(a.used, 11);
    assert_ptr_equal(arena_take(&a, 1), memory + (11 + ALIGN - 1) / ALIGN * ALIGN);
}

static void
says_that_writing_did_not_fit(void **state)
{
    struct arena a;
    struct out o;

    (void)state;
    arena_init(&a, memory, 4);
    o = arena_out(&a);
    out_literal(&o, "four");
    assert_true(slice_eq(arena_keep(&a, &o), ERN_SLICE("four")));
    o = arena_out(&a);
    out_char(&o, '5');
    assert_false(slice_is_there(arena_keep(&a, &o)));
    assert_true(a.full);
    o = arena_out(&a);
    assert_int_equal(o.cap, 0); /* a full arena has no room, whatever is left */
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_aligned_pieces_that_do_not_overlap),
        cmocka_unit_test(gives_all_of_its_memory_and_no_more),
        cmocka_unit_test(stays_full_until_it_is_reset),
        cmocka_unit_test(keeps_what_was_written),
        cmocka_unit_test(says_that_writing_did_not_fit),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
