/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "io/nonces.h"

enum { SLOTS = 1 << 14, COUNT_MAX = (1 << 20) - 1 };

static struct ern_slice
fresh(struct nonces *n, int64_t now_s, char text[NONCE_BYTES])
{
    struct out o = out_init(text, NONCE_BYTES);

    nonces_write(n, now_s, &o);
    assert_false(o.full);
    return out_done(&o);
}

static void
knows_its_own_and_their_age(void **state)
{
    struct nonces *n = nonces_new(), *other = nonces_new();
    char text[NONCE_BYTES];
    struct ern_slice nonce = fresh(n, 1000, text);
    struct nonce read;

    (void)state;
    assert_int_equal(nonce.len, NONCE_BYTES);
    assert_true(nonces_read(n, nonce, 1007, &read));
    assert_int_equal(read.age_s, 7);
    assert_false(nonces_read(other, nonce, 1007, &read));
    assert_false(nonces_read(n, slice_first(nonce, 47), 1007, &read));
    assert_false(nonces_read(n, ERN_SLICE(""), 1007, &read));
    for (size_t i = 0; i < NONCE_BYTES; i++) { /* none of its digits may be another */
        text[i] ^= 1;
        assert_false(nonces_read(n, nonce, 1007, &read));
        text[i] ^= 1;
    }
    nonces_free(n);
    nonces_free(other);
}

static void
lets_each_count_in_once(void **state)
{
    struct nonces *n = nonces_new();

    (void)state;
    assert_false(nonces_use(n, 7, 0));
    assert_true(nonces_use(n, 7, 1));
    assert_false(nonces_use(n, 7, 1));
    assert_true(nonces_use(n, 7, 5));
    assert_true(nonces_use(n, 7, 3)); /* out of order */
    assert_true(nonces_use(n, 7, 4));
    assert_false(nonces_use(n, 7, 3));
    assert_false(nonces_use(n, 7, 4));
    assert_false(nonces_use(n, 7, 5));
    assert_true(nonces_use(n, 7, 2));
    assert_false(nonces_use(n, 7, 1));
    assert_true(nonces_use(n, 7, 32));
    assert_false(nonces_use(n, 7, 5)); /* too far behind to be told */
    assert_true(nonces_use(n, 7, 6));
    assert_false(nonces_use(n, 7, 6));
    assert_true(nonces_use(n, 7, COUNT_MAX));
    assert_false(nonces_use(n, 7, COUNT_MAX));
    assert_false(nonces_use(n, 7, COUNT_MAX + 1));
    assert_true(nonces_use(n, 7, COUNT_MAX - 1));
    assert_false(nonces_use(n, 7, COUNT_MAX - 1));
    nonces_free(n);
}

/* Every order of a few counts: each is used once, whatever comes before. */
static void
no_order_lets_one_in_twice(void **state)
{
    struct nonces *n = nonces_new();
    uint32_t x = 1;

    (void)state;
    for (uint32_t number = 0; number < 2000; number++) {
        bool used[41] = {false};

        for (int i = 0; i < 200; i++) {
            uint32_t count;

            x = x * 1664525 + 1013904223;
            count = 1 + (x >> 16) % 40;
            if (nonces_use(n, number, count)) {
                assert_false(used[count]);
                used[count] = true;
            }
        }
    }
    nonces_free(n);
}

static void
a_newer_one_takes_the_slot_for_good(void **state)
{
    struct nonces *n = nonces_new();

    (void)state;
    assert_true(nonces_use(n, 3, 1));
    assert_true(nonces_use(n, 3 + SLOTS, 1));
    assert_false(nonces_use(n, 3, 2));
    assert_true(nonces_use(n, 3 + SLOTS, 2));
    assert_true(nonces_use(n, 4, 1)); /* its neighbour has its own */
    assert_true(nonces_use(n, 3 + 100000U * SLOTS, 1));
    assert_true(nonces_use(n, 3 + 200000U * SLOTS, 1));
    assert_true(nonces_use(n, 3, 1)); /* numbers begin again after the last */
    nonces_free(n);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_own_and_their_age),
        cmocka_unit_test(lets_each_count_in_once),
        cmocka_unit_test(no_order_lets_one_in_twice),
        cmocka_unit_test(a_newer_one_takes_the_slot_for_good),
    };

    return cmocka_run_group_tests_name("nonces", tests, NULL, NULL);
}
