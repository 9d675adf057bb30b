/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/tries.h"

enum { FAILED_MAX = 3 };

static const struct hash_key key = {1, 2};

static struct try_keys
keys_of(const struct tries *t, const char *address, const char *user)
{
    struct ip client;

    assert_true(ip4_parse(slice_text(address), &client) || ip6_parse(slice_text(address), &client));
    return tries_keys(t, &client, slice_text(user));
}

static void
failures_past_a_number_double_the_wait(void **state)
{
    struct tries *t = tries_new(FAILED_MAX, key);
    struct try_keys ann = keys_of(t, "192.0.2.1", "ann"), bob = keys_of(t, "192.0.2.1", "bob");
    struct try_keys far = keys_of(t, "192.0.2.2", "ann");
    int64_t now = 1000, wait = 1000;

    (void)state;
    for (int i = 1; i < FAILED_MAX; i++) {
        tries_fail(t, ann, now);
        assert_int_equal(tries_wait_ms(t, ann, now), 0);
    }
    for (int i = 0; i < 10; i++) {
        tries_fail(t, ann, now);
        assert_int_equal(tries_wait_ms(t, ann, now), wait);
        assert_int_equal(tries_wait_ms(t, far, now), 0);
        assert_int_equal(tries_wait_ms(t, bob, now), 0);
        assert_int_equal(tries_wait_ms(t, ann, now + wait), 0);
        now += wait;
        wait = wait < 64000 ? 2 * wait : wait;
    }
    tries_succeed(t, ann);
    tries_fail(t, ann, now);
    assert_int_equal(tries_wait_ms(t, ann, now), 0);
    tries_free(t);
}

static void
failures_as_many_users_count_together(void **state)
{
    struct tries *t = tries_new(FAILED_MAX, key);
    char name[] = "user a";

    (void)state;
    for (int i = 0; i < 8 * FAILED_MAX; i++, name[5]++)
        tries_fail(t, keys_of(t, "2001:db8::1", name), 0);
    assert_int_equal(tries_wait_ms(t, keys_of(t, "2001:db8::2", "ann"), 0), 1000);
    assert_int_equal(tries_wait_ms(t, keys_of(t, "2001:db8:0:1::1", "ann"), 0), 0);
    tries_free(t);
}

static void
failures_are_forgotten(void **state)
{
    struct tries *t = tries_new(1, key);
    struct try_keys ann = keys_of(t, "192.0.2.1", "ann");

    (void)state;
    for (int i = 0; i < 4; i++)
        tries_fail(t, ann, 0);
    assert_int_equal(tries_wait_ms(t, ann, 0), 8000);
    tries_fail(t, ann, 8000 + 900001);
    assert_int_equal(tries_wait_ms(t, ann, 8000 + 900001), 1000);
    tries_free(t);
}

static void
strangers_do_not_push_out_who_waits_longest(void **state)
{
    struct tries *t = tries_new(2, key);
    struct try_keys ann = keys_of(t, "192.0.2.1", "ann");

    (void)state;
    for (int i = 0; i < 8; i++)
        tries_fail(t, ann, 0);
    for (uint64_t i = 1; i <= 200000; i++)
        tries_fail(t, (struct try_keys){i * UINT64_C(0x9e3779b97f4a7c15), i << 32}, 1);
    assert_int_equal(tries_wait_ms(t, ann, 1), 63999);
    tries_free(t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_past_a_number_double_the_wait),
        cmocka_unit_test(failures_as_many_users_count_together),
        cmocka_unit_test(failures_are_forgotten),
        cmocka_unit_test(strangers_do_not_push_out_who_waits_longest),
    };

    return cmocka_run_group_tests_name("tries", tests, NULL, NULL);
}
