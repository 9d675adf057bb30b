/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "serve/spare.h"

enum { MANY = 1000, LARGE = 5000 };

static void *
take(struct spare *spare, size_t n)
{
    return spare->memory.allocate(n, spare->memory.self);
}

static void
give(struct spare *spare, void *memory)
{
    spare->memory.release(memory, spare->memory.self);
}

static void
what_is_given_back_comes_again(void **state)
{
    struct spare spare;
    void *first, *other, *larger;

    (void)state;
    spare_init(&spare);
    first = take(&spare, 100);
    other = take(&spare, 100);
    assert_ptr_not_equal(first, other);
    give(&spare, first);
    assert_ptr_equal(take(&spare, 120), first); /* of the same size, counted in steps */
    give(&spare, other);
    larger = take(&spare, 200);
    assert_ptr_not_equal(larger, other);
    give(&spare, larger);
    give(&spare, first);
    give(&spare, NULL);
    spare_free(&spare);
}

static void
cleared_memory_is_clear_when_it_comes_again(void **state)
{
    struct spare spare;
    unsigned char *memory, *again;

    (void)state;
    spare_init(&spare);
    memory = take(&spare, 60);
    memset(memory, 0xff, 60);
    give(&spare, memory);
    again = spare.memory.allocate_clear(6, 10, spare.memory.self);
    assert_ptr_equal(again, memory);
    for (int i = 0; i < 60; i++)
        assert_int_equal(again[i], 0);
    give(&spare, again);
    assert_null(spare.memory.allocate_clear(SIZE_MAX / 2, 3, spare.memory.self));
    assert_null(take(&spare, SIZE_MAX - 1));
    spare_free(&spare);
}

/* Through every size, from nothing to large and back. */
static void
resized_memory_keeps_its_bytes(void **state)
{
    struct spare spare;
    char *memory = NULL;

    (void)state;
    spare_init(&spare);
    for (size_t n = 1; n <= LARGE; n++) {
        memory = spare.memory.resize(memory, n, spare.memory.self);
        memory[n - 1] = (char)n;
        for (size_t i = n > 100 ? n - 100 : 0; i < n; i++)
            assert_int_equal(memory[i], (char)(i + 1));
    }
    for (size_t n = LARGE; n > 0; n -= 7) {
        memory = spare.memory.resize(memory, n, spare.memory.self);
        assert_int_equal(memory[n - 1], (char)n);
        if (n < 7)
            break;
    }
    give(&spare, memory);
    spare_free(&spare);
}

static void
no_more_waits_than_is_likely_to_be_used(void **state)
{
    struct spare spare;
    static void *memory[MANY];

    (void)state;
    spare_init(&spare);
    for (int i = 0; i < MANY; i++)
        memory[i] = take(&spare, 1);
    for (int i = 0; i < MANY; i++)
        give(&spare, memory[i]);
    assert_in_range(spare.n[0], 1, MANY - 1);
    give(&spare, take(&spare, LARGE));
    for (int i = 1; i < SPARE_SIZES; i++)
        assert_int_equal(spare.n[i], 0);
    spare_free(&spare);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_back_comes_again),
        cmocka_unit_test(cleared_memory_is_clear_when_it_comes_again),
        cmocka_unit_test(resized_memory_keeps_its_bytes),
        cmocka_unit_test(no_more_waits_than_is_likely_to_be_used),
    };

    return cmocka_run_group_tests_name("spare", tests, NULL, NULL);
}
