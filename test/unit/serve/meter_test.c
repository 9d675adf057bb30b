/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "serve/meter.h"
#include "store/store.h"

enum { THREADS = 12, TIMES = 25 };

struct fixture {
    char folder[64], file[96];
    struct store *store, *other_store; /* of two processes */
    struct meter *meter, *other;
    uint8_t account[DIGEST_BYTES];
};

static struct store *
open_store(const char *folder)
{
    const struct store_options options = {.folder = folder, .busy_ms = 5000, .boot = 1};
    struct store *store;
    const char *why;

    assert_int_equal(store_open(&options, &store, &why), 0);
    return store;
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/earnest-meter-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->store = open_store(f->folder);
    f->other_store = open_store(f->folder);
    f->meter = meter_new(f->store, 3600);
    f->other = meter_new(f->other_store, 3600);
    meter_account(ERN_SLICE("a key"), f->account);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    static const char *const names[] = {"earnest.db", "earnest.db-wal", "earnest.db-shm"};
    struct fixture *f = *state;

    meter_free(f->meter);
    meter_free(f->other);
    store_close(f->store);
    store_close(f->other_store);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(f->file, sizeof f->file, "%s/%s", f->folder, names[i]);
        (void)unlink(f->file);
    }
    assert_int_equal(rmdir(f->folder), 0);
    free(f);
    return 0;
}

static struct meter_hold
hold_of(const struct fixture *f, int64_t price)
{
    struct meter_hold hold = {.price = price};

    memcpy(hold.account, f->account, sizeof hold.account);
    return hold;
}

static int64_t
balance(const struct fixture *f)
{
    int64_t n;

    assert_int_equal(meter_balance(f->meter, f->account, &n), 0);
    return n;
}

static void
add(const struct fixture *f, int64_t n)
{
    int64_t after;

    assert_int_equal(meter_add(f->meter, f->account, n, &after), 0);
}

static void
what_is_held_is_nobody_elses(void **state)
{
    struct fixture *f = *state;
    struct meter_hold a = hold_of(f, 2), b = hold_of(f, 2);

    assert_int_equal(meter_hold(f->meter, &a), -EDQUOT);
    add(f, 3);
    assert_int_equal(meter_hold(f->meter, &a), 0);
    assert_int_equal(meter_hold(f->meter, &b), -EDQUOT);
    assert_int_equal(b.balance, 3);
    meter_release(f->meter, &a);
    meter_release(f->meter, &a); /* it is not held any more: nothing */
    assert_int_equal(meter_hold(f->meter, &b), 0);
    assert_int_equal(meter_pay(f->meter, &b, false), 0);
    assert_int_equal(balance(f), 1);
    assert_int_equal(meter_hold(f->meter, &a), -EDQUOT);
}

/* Two processes know nothing of each other's holds: the account is right all the same. */
static void
two_processes_take_the_last(void **state)
{
    struct fixture *f = *state;
    struct meter_hold a = hold_of(f, 1), b = hold_of(f, 1), c = hold_of(f, 1);

    add(f, 1);
    assert_int_equal(meter_hold(f->meter, &a), 0);
    assert_int_equal(meter_hold(f->other, &b), 0);
    assert_int_equal(meter_hold(f->other, &c), -EDQUOT);
    assert_int_equal(meter_pay(f->meter, &a, false), 0);
    assert_int_equal(meter_pay(f->other, &b, false), -EDQUOT);
    assert_int_equal(balance(f), 0);
    add(f, 1);
    assert_int_equal(meter_hold(f->meter, &a), 0);
    assert_int_equal(meter_hold(f->other, &b), 0);
    assert_int_equal(meter_pay(f->meter, &a, true), 0);
    assert_int_equal(meter_pay(f->other, &b, true), 0); /* what is done is paid for */
    assert_int_equal(balance(f), -1);
}

static void
a_receipt_is_good_once(void **state)
{
    struct fixture *f = *state;
    struct meter_hold a = hold_of(f, 1), b = hold_of(f, 1);

    a.has_receipt = b.has_receipt = true;
    add(f, 1);
    assert_int_equal(meter_hold(f->meter, &a), 0);
    assert_int_equal(meter_hold(f->meter, &b), 0); /* the same request costs once */
    assert_int_equal(meter_pay(f->meter, &a, false), 0);
    assert_int_equal(meter_pay(f->meter, &b, false), 0);
    assert_int_equal(balance(f), 0);
    b.is_paid = false;
    assert_int_equal(meter_hold(f->other, &b), 0);
    assert_true(b.is_paid);
    b.receipt[0] = 1;
    b.is_paid = false;
    assert_int_equal(meter_hold(f->other, &b), -EDQUOT);
}

static void
an_account_has_its_bounds(void **state)
{
    struct fixture *f = *state;
    int64_t after;

    add(f, CREDIT_MAX - 1);
    assert_int_equal(meter_add(f->meter, f->account, 2, &after), -ERANGE);
    assert_int_equal(meter_add(f->meter, f->account, 1, &after), 0);
    assert_int_equal(after, CREDIT_MAX);
    assert_int_equal(meter_add(f->meter, f->account, -CREDIT_MAX - 1, &after), -ERANGE);
    assert_int_equal(balance(f), CREDIT_MAX);
}

static void
an_account_is_known_once_it_is_made(void **state)
{
    struct fixture *f = *state;
    struct meter *later;

    assert_false(meter_knows(f->meter, f->account));
    add(f, 1);
    assert_true(meter_knows(f->meter, f->account));
    assert_false(meter_knows(f->other, f->account));
    later = meter_new(f->other_store, 3600);
    assert_non_null(later);
    assert_true(meter_knows(later, f->account));
    f->account[7] ^= 1;
    assert_false(meter_knows(later, f->account));
    meter_free(later);
}

struct buyer {
    const struct fixture *f;
    struct meter *meter;
    unsigned bought;
};

static void *
buy(void *buyer)
{
    struct buyer *b = buyer;

    for (int i = 0; i < TIMES; i++) {
        struct meter_hold hold = hold_of(b->f, 1);

        if (meter_hold(b->meter, &hold) == 0 && meter_pay(b->meter, &hold, false) == 0)
            b->bought++;
    }
    return NULL;
}

/* Threads of two processes get as many as there are. */
static void
nothing_is_sold_twice(void **state)
{
    enum { CREDITS = THREADS * TIMES / 2 };
    struct fixture *f = *state;
    struct buyer buyers[THREADS];
    pthread_t threads[THREADS];
    unsigned bought = 0;

    add(f, CREDITS);
    for (int i = 0; i < THREADS; i++) {
        buyers[i] = (struct buyer){f, i % 2 ? f->meter : f->other, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, buy, &buyers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        bought += buyers[i].bought;
    }
    assert_int_equal(bought, CREDITS);
    assert_int_equal(balance(f), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_held_is_nobody_elses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_processes_take_the_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_receipt_is_good_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_account_is_known_once_it_is_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_account_has_its_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_sold_twice, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
