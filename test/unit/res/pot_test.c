/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "res/pot.h"

static const struct pot_settings settings = {
    .brew_ms = 1000, .keep_ms = 500, .refill_ms = 2000, .servings = 2};
static const struct pot_order black = {0, 0, false}, white = {0, 1, true}, tea = {1, 0, false};

static int
open_pots(void **state)
{
    return pots_open((struct pots **)state);
}

static int
close_pots(void **state)
{
    pots_close(*state);
    return 0;
}

static struct pot *
fresh(void **state)
{
    static uint64_t name;

    return pot_of(*state, ++name, &settings);
}

static void
expect(struct pot *pot, enum pot_command command, const struct pot_order *order, int64_t now_ms,
       enum pot_reply reply, enum pot_phase phase)
{
    struct pot_view view;

    assert_int_equal(pot_do(pot, &settings, command, order, now_ms, &view), reply);
    assert_int_equal(view.phase, phase);
}

static void
test_brews_and_serves(void **state)
{
    struct pot *pot = fresh(state);
    struct pot_view view;

    expect(pot, POT_START, &black, 0, POT_BREWS, POT_BREWING);
    expect(pot, POT_START, &black, 999, POT_BREWS, POT_BREWING);
    expect(pot, POT_LOOK, NULL, 1000, POT_EMPTY, POT_READY);
    assert_int_equal(pot_do(pot, &settings, POT_START, &black, 1499, &view), POT_SERVES);
    assert_int_equal(view.phase, POT_IDLE);
    assert_int_equal(view.strength, 100);
    assert_int_equal(view.servings, 1);
}

static void
test_stopped_early_it_is_weak(void **state)
{
    struct pot *pot = fresh(state);
    struct pot_view view;

    expect(pot, POT_STOP, NULL, 0, POT_EMPTY, POT_IDLE);
    expect(pot, POT_START, &tea, 0, POT_BREWS, POT_BREWING);
    assert_int_equal(pot_do(pot, &settings, POT_STOP, NULL, 250, &view), POT_SERVES);
    assert_int_equal(view.strength, 25);
    assert_int_equal(view.order.kind, tea.kind);
}

static void
test_another_order_has_to_wait(void **state)
{
    struct pot *pot = fresh(state);

    expect(pot, POT_START, &tea, 0, POT_BREWS, POT_BREWING);
    expect(pot, POT_START, &black, 10, POT_BUSY, POT_BREWING);
    expect(pot, POT_START, &black, 1499, POT_BUSY, POT_READY);
    expect(pot, POT_START, &black, 1500, POT_BREWS, POT_BREWING); /* it was poured away */
}

static void
test_milk_is_poured_until_when(void **state)
{
    struct pot *pot = fresh(state);

    expect(pot, POT_WHEN, NULL, 0, POT_EMPTY, POT_IDLE);
    expect(pot, POT_START, &white, 0, POT_BREWS, POT_BREWING);
    expect(pot, POT_WHEN, NULL, 10, POT_EMPTY, POT_BREWING);
    expect(pot, POT_START, &white, 1000, POT_SERVES, POT_POURING);
    expect(pot, POT_START, &white, 1001, POT_BUSY, POT_POURING);
    expect(pot, POT_WHEN, NULL, 1002, POT_SERVES, POT_IDLE);
    expect(pot, POT_START, &white, 2000, POT_BREWS, POT_BREWING);
    expect(pot, POT_STOP, NULL, 2500, POT_SERVES, POT_POURING);
    expect(pot, POT_LOOK, NULL, 2500 + 29999, POT_EMPTY, POT_POURING);
    expect(pot, POT_LOOK, NULL, 2500 + 30000, POT_EMPTY, POT_OUT); /* the cup is full */
}

static void
test_runs_out_and_is_filled(void **state)
{
    struct pot *pot = fresh(state);
    struct pot_view view;

    for (int64_t now_ms = 0; now_ms < 20; now_ms += 10) {
        expect(pot, POT_START, &black, now_ms, POT_BREWS, POT_BREWING);
        expect(pot, POT_STOP, NULL, now_ms + 5, POT_SERVES, now_ms ? POT_OUT : POT_IDLE);
    }
    assert_int_equal(pot_do(pot, &settings, POT_START, &black, 1000, &view), POT_EMPTY);
    assert_int_equal(view.left_ms, 2015 - 1000);
    expect(pot, POT_LOOK, NULL, 2014, POT_EMPTY, POT_OUT);
    assert_int_equal(pot_do(pot, &settings, POT_LOOK, NULL, 2015, &view), POT_EMPTY);
    assert_int_equal(view.phase, POT_IDLE);
    assert_int_equal(view.servings, 2);
}

/* All that time does is done, however long nobody looked; and a clock that is behind harms nobody.
 */
static void
test_time_passes_unseen(void **state)
{
    struct pot *pot = fresh(state);
    struct pot_view view;

    expect(pot, POT_START, &black, 1000, POT_BREWS, POT_BREWING);
    assert_int_equal(pot_do(pot, &settings, POT_LOOK, NULL, 990, &view), POT_EMPTY);
    assert_int_equal(view.strength, 0);
    expect(pot, POT_LOOK, NULL, INT64_MAX / 2, POT_EMPTY, POT_IDLE);
    expect(pot, POT_START, &black, INT64_MAX / 2, POT_BREWS, POT_BREWING);
    expect(pot, POT_LOOK, NULL, INT64_MAX / 2 + 10000, POT_EMPTY, POT_IDLE);
}

static void
test_other_processes_have_the_same_pot(void **state)
{
    struct pot *pot = fresh(state);
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct pot_view view;

        _exit((int)pot_do(pot, &settings, POT_START, &tea, 0, &view));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, POT_BREWS);
    expect(pot, POT_START, &black, 10, POT_BUSY, POT_BREWING);
}

static void
test_names(void **state)
{
    struct pot *one = pot_of(*state, 1u << 20, &settings);

    assert_ptr_equal(pot_of(*state, 1u << 20, &settings), one);
    for (uint64_t i = 2u << 20; one; i++)
        one = pot_of(*state, i, &settings);
    assert_non_null(pot_of(*state, 1u << 20, &settings));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brews_and_serves),
        cmocka_unit_test(test_stopped_early_it_is_weak),
        cmocka_unit_test(test_another_order_has_to_wait),
        cmocka_unit_test(test_milk_is_poured_until_when),
        cmocka_unit_test(test_runs_out_and_is_filled),
        cmocka_unit_test(test_time_passes_unseen),
        cmocka_unit_test(test_other_processes_have_the_same_pot),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, open_pots, close_pots);
}
