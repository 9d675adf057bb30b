/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/passes.h"

static const struct ern_slice one = {":8081", 5}, two = {":8082", 5};

/* The n-th of many addresses, IPv6. */
static struct ip
address(uint32_t n)
{
    struct ip ip = {{0xfd}};

    for (unsigned i = 0; i < 4; i++)
        ip.byte[12 + i] = (uint8_t)(n >> 8 * i);
    return ip;
}

static int
open_table(void **state)
{
    return passes_open((struct passes **)state);
}

static int
close_table(void **state)
{
    passes_close(*state);
    return 0;
}

static void
an_address_passes_until_then_and_no_other(void **state)
{
    struct ip a = address(1), b = address(2);

    assert_int_equal(passes_until(*state, one, &a, 100), 0);
    assert_true(passes_grant(*state, one, &a, 100, 200));
    assert_int_equal(passes_until(*state, one, &a, 100), 200);
    assert_int_equal(passes_until(*state, one, &a, 199), 200);
    assert_int_equal(passes_until(*state, one, &a, 200), 0);
    assert_int_equal(passes_until(*state, one, &b, 100), 0);
    assert_int_equal(passes_until(*state, two, &a, 100), 0);
}

static void
a_pass_grows_and_never_shrinks(void **state)
{
    struct ip a = address(1);

    assert_true(passes_grant(*state, one, &a, 100, 200));
    assert_true(passes_grant(*state, one, &a, 100, 300));
    assert_true(passes_grant(*state, one, &a, 100, 250));
    assert_int_equal(passes_until(*state, one, &a, 100), 300);
    assert_true(passes_grant(*state, one, &a, 300, 400));
    assert_int_equal(passes_until(*state, one, &a, 300), 400);
}

static void
twenty_thousand_find_room_and_the_table_ends(void **state)
{
    enum { MANY = 20000, TOO_MANY = 200000 };
    uint32_t granted = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        struct ip a = address(i);

        assert_true(passes_grant(*state, one, &a, 100, 200));
    }
    for (uint32_t i = 0; i < TOO_MANY; i++) {
        struct ip a = address(i);

        granted += passes_grant(*state, one, &a, 100, 200);
    }
    assert_in_range(granted, MANY, TOO_MANY - 1);
    for (uint32_t i = 0; i < MANY; i++) { /* who has a pass keeps it */
        struct ip a = address(i);

        assert_int_equal(passes_until(*state, one, &a, 100), 200);
    }
    for (uint32_t i = TOO_MANY; i < TOO_MANY + MANY; i++) { /* a time that is over makes room */
        struct ip a = address(i);

        assert_true(passes_grant(*state, one, &a, 200, 300));
    }
}

static void
processes_share_it(void **state)
{
    struct ip a = address(1), b = address(2);
    pid_t child = fork();
    int status;

    if (child == 0) {
        bool granted = passes_grant(*state, one, &a, 100, 200);

        _exit(granted ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(passes_until(*state, one, &a, 100), 200);
    assert_true(passes_grant(*state, one, &b, 100, 200));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_passes_until_then_and_no_other, open_table,
                                        close_table),
        cmocka_unit_test_setup_teardown(a_pass_grows_and_never_shrinks, open_table, close_table),
        cmocka_unit_test_setup_teardown(twenty_thousand_find_room_and_the_table_ends, open_table,
                                        close_table),
        cmocka_unit_test_setup_teardown(processes_share_it, open_table, close_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
