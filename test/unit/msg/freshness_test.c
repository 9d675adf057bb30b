/* SPDX-License-Identifier: Apache-2.0 */
/* freshness_test.c - which answers a shared cache keeps, and until when it uses them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/freshness.h"
#include "msg/vary.h"

enum { FIELDS = 12, NOW_S = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

#define NOW "Sun, 06 Nov 1994 08:49:37 GMT"
#define HOUR_AGO "Sun, 06 Nov 1994 07:49:37 GMT"
#define HOUR_ON "Sun, 06 Nov 1994 09:49:37 GMT"

struct message {
    struct ern_field fields[FIELDS];
    struct ern_request request;
};

/* A message with these lines, as in "A: b\nC: d". */
static void
make(struct message *m, const char *text)
{
    struct ern_slice lines = slice_text(text);

    ern_request_init(&m->request, m->fields, FIELDS);
    while (lines.len) {
        struct ern_slice line = slice_first(lines, slice_find(lines, '\n'));
        size_t colon = slice_find(line, ':');

        assert_true(colon < line.len);
        assert_true(ern_request_add(&m->request, slice_first(line, colon),
                                    slice_trim(slice_skip(line, colon + 1))));
        lines = slice_skip(lines, line.len < lines.len ? line.len + 1 : line.len);
    }
}

static struct freshness
read_answer(const char *lines, uint16_t status, struct message *m)
{
    make(m, lines);
    return freshness_read(&m->request, status,
                          &(struct freshness_times){
                              .asked_s = NOW_S - 2, .received_s = NOW_S, .heuristic_s_max = 1000});
}

/* ---- directives --------------------------------------------------------------------------------
 */

static void
directives_are_read(void **state)
{
    struct message m;
    struct cache_control c;

    (void)state;
    make(&m, "Cache-Control: MAX-age=003600, no-CACHE=\"set-cookie, x\", other=\"max-age=1\"\n"
             "Cache-Control: public,,max-age=1 , s-maxage=99999999999999999999");
    c = cache_control_read(&m.request);
    assert_int_equal(c.seconds[CACHE_MAX_AGE], 3600);
    assert_int_equal(c.seconds[CACHE_S_MAXAGE], CACHE_SECONDS_MAX);
    assert_true(cache_control_says(&c, CACHE_PUBLIC));
    assert_false(cache_control_says(&c, CACHE_PRIVATE));
    assert_true(cache_control_says(&c, CACHE_NO_CACHE));
    assert_false(cache_control_says_all(&c, CACHE_NO_CACHE));
    assert_true(cache_control_names(&c, CACHE_NO_CACHE, ERN_SLICE("X")));
    assert_false(cache_control_names(&c, CACHE_NO_CACHE, ERN_SLICE("Y")));
    assert_false(cache_control_names(&c, CACHE_PRIVATE, ERN_SLICE("X")));
}

static void
what_is_no_time_is_none(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Cache-Control: max-age=\"60\"", 60}, {"Cache-Control: max-age=60a", 0},
        {"Cache-Control: max-age=-1", 0},      {"Cache-Control: max-age=1.5", 0},
        {"Cache-Control: max-age", 0},         {"Cache-Control: max-age=", 0},
        {"Cache-Control: max-age=' 60'", 0},   {"Cache-Control: max-age=2147483648", INT32_MAX},
    };
    struct message m;
    struct cache_control c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(&m, cases[i].text);
        assert_int_equal(cache_control_read(&m.request).seconds[CACHE_MAX_AGE], cases[i].seconds);
    }
    make(&m, "Cache-Control: max-stale");
    assert_int_equal(cache_control_read(&m.request).seconds[CACHE_MAX_STALE], CACHE_SECONDS_MAX);
    make(&m, "Cache-Control: max-stale=x");
    assert_int_equal(cache_control_read(&m.request).seconds[CACHE_MAX_STALE], 0);
    make(&m, "Cache-Control: private=\"a\", private=\"b\"");
    c = cache_control_read(&m.request);
    assert_true(cache_control_says_all(&c, CACHE_PRIVATE));
}

/* ---- lifetime and age --------------------------------------------------------------------------
 */

static void
lifetimes(void **state)
{
    static const struct {
        const char *lines;
        uint16_t status;
        int64_t lifetime_s;
    } cases[] = {
        {"Cache-Control: max-age=60", 200, 60},
        {"Cache-Control: max-age=60, s-maxage=5", 200, 5},
        {"Cache-Control: max-age=60\nExpires: " HOUR_ON, 200, 60},
        {"Date: " NOW "\nExpires: " HOUR_ON, 200, 3600},
        {"Date: " HOUR_AGO "\nExpires: " HOUR_ON, 200, 7200},
        {"Expires: " HOUR_ON, 200, 3600}, /* it was made when it came */
        {"Date: " NOW "\nExpires: " HOUR_AGO, 200, 0},
        {"Date: " NOW "\nExpires: 0", 200, 0},
        {"Date: " NOW "\nExpires: 0\nLast-Modified: " HOUR_AGO, 200, 0},
        {"Date: " NOW "\nLast-Modified: " HOUR_AGO, 200, 360},
        {"Date: " NOW "\nLast-Modified: Sat, 05 Nov 1994 08:49:37 GMT", 200, 1000},
        {"Date: " NOW "\nLast-Modified: " HOUR_ON, 200, 0},
        {"Date: " NOW "\nLast-Modified: " HOUR_AGO, 404, 360},
        {"Date: " NOW "\nLast-Modified: " HOUR_AGO, 302, 0},
        {"Date: " NOW "\nLast-Modified: " HOUR_AGO, 599, 0},
        {"Date: " NOW "\nCache-Control: public\nLast-Modified: " HOUR_AGO, 599, 360},
        {"Date: " NOW, 200, 0},
    };
    struct message m;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(read_answer(cases[i].lines, cases[i].status, &m).lifetime_s,
                         cases[i].lifetime_s);
}

static void
ages(void **state)
{
    static const struct {
        const char *lines;
        int64_t age_s;
    } cases[] = {
        {"Date: " NOW, 2}, /* it took two seconds to come */
        {"Date: " HOUR_ON, 2},
        {"Date: " HOUR_AGO, 3600},
        {"Date: " NOW "\nAge: 30", 32},
        {"Date: " HOUR_AGO "\nAge: 30", 3600},
        {"Date: " NOW "\nAge: 30, 7200", 32},
        {"Date: " NOW "\nAge: 30\nAge: 7200", 32},
        {"Date: " NOW "\nAge: -30", 2},
        {"Date: " NOW "\nAge: 7200.0", 2},
        {"Date: " NOW "\nAge: 99999999999", (int64_t)INT32_MAX + 2},
        {"", 2},
    };
    struct message m;
    struct freshness f;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f = read_answer(cases[i].lines, 200, &m);
        assert_int_equal(freshness_age_s(&f, NOW_S), cases[i].age_s);
        assert_int_equal(freshness_age_s(&f, NOW_S + 10), cases[i].age_s + 10);
        assert_int_equal(freshness_age_s(&f, NOW_S - 10), cases[i].age_s);
    }
}

/* ---- storing -----------------------------------------------------------------------------------
 */

static void
what_is_stored(void **state)
{
    static const struct {
        const char *request, *answer;
        uint16_t status;
        enum storable storable;
    } cases[] = {
        {"Host: a", "Cache-Control: max-age=60", 200, STORABLE},
        {"Host: a", "Cache-Control: max-age=60", 500, STORABLE},
        {"Host: a", "Cache-Control: max-age=60", 299, STORABLE},
        {"Host: a", "Expires: " HOUR_ON, 302, STORABLE},
        {"Host: a", "ETag: \"x\"", 200, STORABLE}, /* to be validated each time */
        {"Host: a", "ETag: \"x\"", 302, STORABLE_NOT},
        {"Host: a", "X: y", 200, STORABLE_NOT}, /* it could never be used */
        {"Host: a", "Cache-Control: max-age=0", 200, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=0, stale-if-error=9", 200, STORABLE},
        {"Host: a", "Cache-Control: max-age=60, no-store", 200, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60, NO-Store", 200, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60, private", 200, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60, private=\"x\"", 200, STORABLE},
        {"Host: a", "Cache-Control: max-age=60, no-store, must-understand", 200, STORABLE},
        {"Host: a", "Cache-Control: max-age=60, no-store, must-understand", 599, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60, must-understand", 306, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60", 429, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60", 206, STORABLE_NOT_HERE},
        {"Host: a", "Cache-Control: max-age=60", 304, STORABLE_NOT_HERE},
        {"Host: a", "Cache-Control: max-age=60\nVary: Accept, *", 200, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60\nVary: Accept", 200, STORABLE},
        {"Cache-Control: no-store", "Cache-Control: max-age=60", 200, STORABLE_NOT_HERE},
        {"Authorization: x", "Cache-Control: max-age=60", 200, STORABLE_NOT_HERE},
        {"Authorization: x", "Cache-Control: max-age=60, public", 200, STORABLE},
        {"Authorization: x", "Cache-Control: s-maxage=60", 200, STORABLE},
        {"Authorization: x", "Cache-Control: max-age=60, must-revalidate", 200, STORABLE},
        {"Host: a", "Cache-Control: max-age=60\nSet-Cookie: id=1", 200, STORABLE_NOT},
        {"Host: a", "Cache-Control: max-age=60, public\nSet-Cookie: id=1", 200, STORABLE},
        {"Cookie: id=1", "Cache-Control: max-age=60", 200, STORABLE},
        {"Cookie: id=1", "ETag: \"x\"\nLast-Modified: " HOUR_AGO, 200, STORABLE_NOT_HERE},
    };
    struct message request, answer;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct freshness f = read_answer(cases[i].answer, cases[i].status, &answer);
        struct cache_control wants;

        make(&request, cases[i].request);
        wants = cache_control_read(&request.request);
        if (freshness_storable(&request.request, &wants, &answer.request, &f) != cases[i].storable)
            fail_msg("%s / %s", cases[i].request, cases[i].answer);
    }
}

/* ---- use ---------------------------------------------------------------------------------------
 */

static void
what_is_used(void **state)
{
    static const struct {
        const char *request, *answer;
        int64_t after_s; /* its age is two seconds more */
        enum reuse reuse;
    } cases[] = {
        {"A: b", "Cache-Control: max-age=60", 57, REUSE_FRESH},
        {"A: b", "Cache-Control: max-age=60", 58, REUSE_NOT_FRESH},
        {"A: b", "Cache-Control: max-age=60, no-cache", 0, REUSE_NOT_FRESH},
        {"A: b", "Cache-Control: max-age=60, no-cache=\"x\"", 0, REUSE_FRESH},
        {"Cache-Control: no-cache", "Cache-Control: max-age=60", 0, REUSE_NOT_ASKED},
        {"Cache-Control: max-age=0", "Cache-Control: max-age=60", 0, REUSE_NOT_ASKED},
        {"Cache-Control: max-age=9", "Cache-Control: max-age=60", 7, REUSE_FRESH},
        {"Cache-Control: max-age=9", "Cache-Control: max-age=60", 8, REUSE_NOT_ASKED},
        {"Cache-Control: min-fresh=50", "Cache-Control: max-age=60", 8, REUSE_FRESH},
        {"Cache-Control: min-fresh=50", "Cache-Control: max-age=60", 9, REUSE_NOT_ASKED},
        {"Cache-Control: max-stale=5", "Cache-Control: max-age=60", 63, REUSE_STALE},
        {"Cache-Control: max-stale=5", "Cache-Control: max-age=60", 64, REUSE_NOT_FRESH},
        {"Cache-Control: max-stale", "Cache-Control: max-age=60", 99999, REUSE_STALE},
        {"Cache-Control: max-stale", "Cache-Control: max-age=60, must-revalidate", 99,
         REUSE_NOT_FRESH},
        {"Cache-Control: max-stale", "Cache-Control: max-age=60, proxy-revalidate", 99,
         REUSE_NOT_FRESH},
        {"Cache-Control: max-stale", "Cache-Control: s-maxage=60", 99, REUSE_NOT_FRESH},
        {"A: b", "Cache-Control: max-age=60, stale-while-revalidate=10", 67, REUSE_STALE_MEANWHILE},
        {"A: b", "Cache-Control: max-age=60, stale-while-revalidate=10", 68, REUSE_NOT_FRESH},
        {"A: b", "Cache-Control: s-maxage=60, stale-while-revalidate=10", 60,
         REUSE_STALE_MEANWHILE},
        {"A: b", "Cache-Control: max-age=60, stale-while-revalidate=10, must-revalidate", 60,
         REUSE_NOT_FRESH},
    };
    struct message request, answer;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct freshness f = read_answer(cases[i].answer, 200, &answer);
        struct cache_control wants;

        make(&request, cases[i].request);
        wants = cache_control_read(&request.request);
        if (freshness_reuse(&wants, &f, NOW_S + cases[i].after_s) != cases[i].reuse)
            fail_msg("%s / %s", cases[i].request, cases[i].answer);
    }
}

static void
what_is_used_for_want_of_better(void **state)
{
    static const struct {
        const char *request, *answer;
        int64_t stale_s;
        bool is_cut_off, outlives;
    } cases[] = {
        {"A: b", "Cache-Control: max-age=60", 100, true, true},
        {"A: b", "Cache-Control: max-age=60", 101, true, false},
        {"A: b", "Cache-Control: max-age=60", 1, false, false},
        {"A: b", "Cache-Control: max-age=60", -1, false, false},
        {"A: b", "Cache-Control: max-age=60, must-revalidate", 1, true, false},
        {"A: b", "Cache-Control: max-age=60, proxy-revalidate", 1, true, false},
        {"A: b", "Cache-Control: max-age=60, no-cache", 1, true, false},
        {"A: b", "Cache-Control: s-maxage=60", 1, true, false},
        {"A: b", "Cache-Control: s-maxage=60, stale-if-error=9", 9, false, true},
        {"A: b", "Cache-Control: s-maxage=60, stale-if-error=9", 10, false, false},
        {"A: b", "Cache-Control: max-age=60, stale-if-error=9, must-revalidate", 1, false, false},
        {"Cache-Control: stale-if-error=9", "Cache-Control: max-age=60", 9, false, true},
        {"Cache-Control: stale-if-error=9", "Cache-Control: s-maxage=60", 9, false, false},
        {"Cache-Control: no-cache", "Cache-Control: max-age=60", 1, true, false},
    };
    struct message request, answer;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct freshness f = read_answer(cases[i].answer, 200, &answer);
        struct cache_control wants;

        make(&request, cases[i].request);
        wants = cache_control_read(&request.request);
        if (freshness_outlives(&wants, &f, NOW_S + 58 + cases[i].stale_s, cases[i].is_cut_off,
                               100) != cases[i].outlives)
            fail_msg("%s / %s %d", cases[i].request, cases[i].answer, (int)cases[i].stale_s);
    }
}

/* ---- Vary --------------------------------------------------------------------------------------
 */

static bool
same(const char *a, const char *b, const char *names)
{
    char written_a[256], written_b[256];
    struct out out_a = out_init(written_a, sizeof written_a);
    struct out out_b = out_init(written_b, sizeof written_b);
    struct message ma, mb;

    make(&ma, a);
    make(&mb, b);
    vary_write(&ma.request, slice_text(names), &out_a);
    vary_write(&mb.request, slice_text(names), &out_b);
    assert_false(out_a.full || out_b.full);
    return slice_eq(out_done(&out_a), out_done(&out_b));
}

static void
what_says_the_same(void **state)
{
    static const struct {
        const char *a, *b, *names;
        bool same;
    } cases[] = {
        {"Foo: 1", "Foo: 1", "Foo", true},
        {"Foo: 1", "foo: 1\nBar: 2", "Foo", true},
        {"Foo: 1", "Foo: 2", "Foo", false},
        {"Foo: 1", "Bar: 1", "Foo", false},
        {"Foo:", "Bar: 1", "Foo", false},
        {"Foo: 1\nBar: 2", "Bar: 2\nFoo: 1", "Foo, bar", true},
        {"Foo: 1\nBar: 2", "Foo: 2\nBar: 1", "Foo, Bar", false},
        {"Foo: 1, 2", "Foo: 1\nFoo: 2", "Foo", true},
        {"Foo: 1,2", "Foo:  1 ,  2", "Foo", true},
        {"Foo: 1, 2", "Foo: 2, 1", "Foo", false},
        {"Foo: a", "Foo: A", "Foo", false},
        {"Foo: 1,", "Foo: 1\nBar:", "Foo, Bar", false},
        {"Accept-Encoding: gzip, br", "Accept-Encoding: BR,gzip", "Accept-Encoding", true},
        {"Accept-Encoding: gzip", "Accept-Encoding: br", "Accept-Encoding", false},
        {"Accept-Language: en; q=0.5, DE", "Accept-Language: de\nAccept-Language: en;q=0.5",
         "accept-language", true},
        {"Accept-Language: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q",
         "Accept-Language: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,q,p", "accept-language", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (same(cases[i].a, cases[i].b, cases[i].names) != cases[i].same)
            fail_msg("%s / %s", cases[i].a, cases[i].b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directives_are_read),
        cmocka_unit_test(what_is_no_time_is_none),
        cmocka_unit_test(lifetimes),
        cmocka_unit_test(ages),
        cmocka_unit_test(what_is_stored),
        cmocka_unit_test(what_is_used),
        cmocka_unit_test(what_is_used_for_want_of_better),
        cmocka_unit_test(what_says_the_same),
    };

    return cmocka_run_group_tests_name("freshness", tests, NULL, NULL);
}
