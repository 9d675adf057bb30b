/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/ip.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "serve/rate.h"

enum { BUCKETS = 1024, THREADS = 4, NOW_MS = 5000 };

static const struct hash_key key = {1, 2};

/* 10 a second, 3 at once. */
static struct conf_limit
conf(unsigned by)
{
    return (struct conf_limit){.requests = 10, .per = 1000, .burst = 3, .by = by};
}

static struct ip
ip(const char *text)
{
    struct ip ip;

    assert_true(ip4_parse(slice_text(text), &ip) || ip6_parse(slice_text(text), &ip));
    return ip;
}

static bool
take(struct rates *r, const struct rate_limit *limit, const char *client, int64_t now_ms)
{
    const struct ip from = ip(client);
    struct rate rate;

    return rate_take(r, limit, limit->by == RATE_BY_ROUTE ? ERN_SLICE("") : ip_client(&from),
                     now_ms, &rate);
}

static void
a_bucket_empties_and_fills(void **state)
{
    const struct conf_limit c = conf(CONF_BY_ADDRESS);
    const struct rate_limit limit = rate_limit_of(&c, NULL);
    struct rates *r = rates_new(BUCKETS, key);

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(take(r, &limit, "192.0.2.1", NOW_MS));
    assert_false(take(r, &limit, "192.0.2.1", NOW_MS));
    assert_false(take(r, &limit, "192.0.2.1", NOW_MS + 99)); /* who asks in vain loses nothing */
    assert_true(take(r, &limit, "192.0.2.1", NOW_MS + 100));
    assert_false(take(r, &limit, "192.0.2.1", NOW_MS + 199));
    for (int i = 0; i < 3; i++)
        assert_true(take(r, &limit, "192.0.2.1", NOW_MS + 3600000));
    assert_false(take(r, &limit, "192.0.2.1", NOW_MS + 3600000));
    rates_free(r);
}

static void
clients_are_told_apart(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } pairs[] = {
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8::1", "2001:db8::2:0:0:1", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
    };
    const struct conf_limit c = conf(CONF_BY_ADDRESS);
    const struct rate_limit limit = rate_limit_of(&c, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct rates *r = rates_new(BUCKETS, key);

        for (int n = 0; n < 3; n++)
            assert_true(take(r, &limit, pairs[i].one, NOW_MS));
        assert_int_equal(take(r, &limit, pairs[i].other, NOW_MS), !pairs[i].same);
        rates_free(r);
    }
}

static void
a_limit_by_route_has_one_bucket(void **state)
{
    const struct conf_limit c = conf(CONF_BY_ROUTE);
    const struct rate_limit limit = rate_limit_of(&c, "a route");
    const struct rate_limit other = rate_limit_of(&c, "b route");
    struct rates *r = rates_new(BUCKETS, key);

    (void)state;
    assert_true(take(r, &limit, "192.0.2.1", NOW_MS));
    assert_true(take(r, &limit, "192.0.2.2", NOW_MS));
    assert_true(take(r, &limit, "192.0.2.3", NOW_MS));
    assert_false(take(r, &limit, "192.0.2.4", NOW_MS));
    assert_true(take(r, &other, "192.0.2.4", NOW_MS));
    rates_free(r);
}

/* A million addresses in a thousand buckets: who asked too often before is still refused. */
static void
who_asks_most_is_remembered(void **state)
{
    const struct conf_limit c = conf(CONF_BY_ADDRESS);
    const struct rate_limit limit = rate_limit_of(&c, NULL);
    struct rates *r = rates_new(BUCKETS, key);
    struct rate rate;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(take(r, &limit, "192.0.2.1", NOW_MS));
    for (uint32_t i = 0; i < 1000000; i++) {
        const struct ip from = ip_from_v4((const uint8_t *)&i);

        assert_true(rate_take(r, &limit, ip_client(&from), NOW_MS, &rate));
    }
    assert_false(take(r, &limit, "192.0.2.1", NOW_MS));
    rates_free(r);
}

static void
what_is_left_is_said(void **state)
{
    const struct conf_limit c = conf(CONF_BY_ADDRESS);
    const struct rate_limit limit = rate_limit_of(&c, NULL);
    char text[128];
    const struct {
        int64_t lead_ms;
        const char *fields;
    } cases[] = {
        {100, "RateLimit: \"address\";r=2;t=1\r\nRateLimit-Policy: \"address\";q=3;w=1\r\n"},
        {201, "RateLimit: \"address\";r=0;t=1\r\nRateLimit-Policy: \"address\";q=3;w=1\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rate rate = {&limit, cases[i].lead_ms * 1000000};
        struct out o = out_init(text, sizeof text);

        rate_write(&o, &rate);
        assert_true(slice_eq(out_done(&o), slice_text(cases[i].fields)));
    }
}

struct taker {
    struct rates *rates;
    const struct rate_limit *limit;
    unsigned taken;
};

static void *
take_many(void *taker)
{
    struct taker *t = taker;

    for (int i = 0; i < 20000; i++)
        t->taken += take(t->rates, t->limit, "192.0.2.1", NOW_MS);
    return NULL;
}

/* Threads that ask at once get as many tokens as there are. */
static void
no_token_is_taken_twice(void **state)
{
    const struct conf_limit c = {.requests = 1000, .per = 1000, .burst = 10000};
    const struct rate_limit limit = rate_limit_of(&c, NULL);
    struct rates *r = rates_new(BUCKETS, key);
    struct taker takers[THREADS];
    pthread_t threads[THREADS];
    unsigned taken = 0;

    (void)state;
    assert_true(take(r, &limit, "192.0.2.1", NOW_MS)); /* its bucket is there */
    for (int i = 0; i < THREADS; i++) {
        takers[i] = (struct taker){r, &limit, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        taken += takers[i].taken;
    }
    assert_int_equal(taken, 10000 - 1);
    rates_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills),
        cmocka_unit_test(clients_are_told_apart),
        cmocka_unit_test(a_limit_by_route_has_one_bucket),
        cmocka_unit_test(who_asks_most_is_remembered),
        cmocka_unit_test(what_is_left_is_said),
        cmocka_unit_test(no_token_is_taken_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
