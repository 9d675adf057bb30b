/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/alarm.h"

static void
they_go_off_in_the_order_of_their_times(void **state)
{
    struct alarms alarms;
    struct alarm late = {0}, early = {0}, same = {0};

    (void)state;
    alarms_init(&alarms);
    assert_int_equal(alarms_wait_ms(&alarms, 5), -1);
    alarm_set(&alarms, &late, 30);
    alarm_set(&alarms, &early, 20);
    alarm_set(&alarms, &same, 20);
    assert_int_equal(alarms_wait_ms(&alarms, 5), 15);
    assert_null(alarm_due(&alarms, 19));
    assert_ptr_equal(alarm_due(&alarms, 40), &early);
    assert_false(alarm_is_set(&early));
    assert_ptr_equal(alarm_due(&alarms, 40), &same);
    assert_ptr_equal(alarm_due(&alarms, 40), &late);
    assert_null(alarm_due(&alarms, 40));
}

static void
one_that_is_stopped_does_not(void **state)
{
    struct alarms alarms;
    struct alarm first = {0}, second = {0};

    (void)state;
    alarms_init(&alarms);
    alarm_stop(&first);
    alarm_set(&alarms, &first, 10);
    alarm_set(&alarms, &second, 20);
    alarm_stop(&first);
    alarm_stop(&first);
    assert_ptr_equal(alarm_due(&alarms, 20), &second);
}

static void
one_that_is_set_anew_has_its_new_time(void **state)
{
    struct alarms alarms;
    struct alarm first = {0}, second = {0};

    (void)state;
    alarms_init(&alarms);
    alarm_set(&alarms, &first, 10);
    alarm_set(&alarms, &second, 20);
    alarm_set(&alarms, &first, INT64_MAX);
    assert_ptr_equal(alarm_due(&alarms, 30), &second);
    assert_null(alarm_due(&alarms, 30));
    assert_int_equal(alarms_wait_ms(&alarms, 0), INT32_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_go_off_in_the_order_of_their_times),
        cmocka_unit_test(one_that_is_stopped_does_not),
        cmocka_unit_test(one_that_is_set_anew_has_its_new_time),
    };

    return cmocka_run_group_tests_name("alarm", tests, NULL, NULL);
}
