/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"
#include "earnest/decide.h"

#define NOW_S INT64_C(1795348800)    /* 2026-11-22T12:00:00Z */
#define CHANGED_S INT64_C(784111777) /* DATE */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static void
begin(struct ern_decision *d, struct ern_request *r, struct ern_field *fields, uint16_t cap)
{
    ern_request_init(r, fields, cap);
    ern_request_method(r, ERN_SLICE("GET"));
    *d = (struct ern_decision){.request = r, .now_s = NOW_S};
}

struct row {
    const char *value;
    int64_t bytes;
    size_t n; /* 0: unsatisfiable */
    struct ern_range ranges[5];
};

static void
check(const struct row *row)
{
    struct ern_field fields[1];
    struct ern_request r;
    struct ern_decision d;
    enum ern_answer answer;

    begin(&d, &r, fields, 1);
    assert_true(ern_request_add(&r, ERN_SLICE("Range"), slice_text(row->value)));
    d.evidence.content_bytes = row->bytes;
    d.evidence.ranges.n = 9; /* to be overwritten */
    answer = ern_ask_satisfiable(&d, ERN_FACT_satisfiable);
    if ((answer == ERN_YES) != (row->n > 0) || d.evidence.ranges.n != row->n)
        fail_msg("%s of %lld: answer %d, %u ranges", row->value, (long long)row->bytes, (int)answer,
                 d.evidence.ranges.n);
    for (size_t i = 0; i < row->n; i++)
        if (d.evidence.ranges.range[i].first != row->ranges[i].first ||
            d.evidence.ranges.range[i].last != row->ranges[i].last)
            fail_msg("%s of %lld: range %zu is %llu-%llu", row->value, (long long)row->bytes, i,
                     (unsigned long long)d.evidence.ranges.range[i].first,
                     (unsigned long long)d.evidence.ranges.range[i].last);
    d.evidence.ranges.n = 9;
    (void)ern_ask_range_modest(&d, ERN_FACT_range_modest); /* fills them, too */
    assert_int_equal(d.evidence.ranges.n, row->n);
}

static void
ranges_are_resolved(void **state)
{
    static const struct row rows[] = {
        /* from the tables of Go's net/http, lengths turned into last positions */
        {"bytes=1-", 0, 0, {{0, 0}}},
        {"bytes=0-9", 10, 1, {{0, 9}}},
        {"bytes=0-", 10, 1, {{0, 9}}},
        {"bytes=5-", 10, 1, {{5, 9}}},
        {"bytes=0-20", 10, 1, {{0, 9}}},
        {"bytes=15-,0-5", 10, 1, {{0, 5}}},
        {"bytes=1-2,5-", 10, 2, {{1, 2}, {5, 9}}},
        {"bytes=0-0 ,2-2, 7-", 11, 3, {{0, 0}, {2, 2}, {7, 10}}},
        {"bytes=-5", 10, 1, {{5, 9}}},
        {"bytes=-15", 10, 1, {{0, 9}}},
        {"bytes=0-499", 10000, 1, {{0, 499}}},
        {"bytes=500-999", 10000, 1, {{500, 999}}},
        {"bytes=-500", 10000, 1, {{9500, 9999}}},
        {"bytes=9500-", 10000, 1, {{9500, 9999}}},
        {"bytes=0-0,-1", 10000, 2, {{0, 0}, {9999, 9999}}},
        {"bytes=0-4", 11, 1, {{0, 4}}},
        {"bytes=2-", 11, 1, {{2, 10}}},
        {"bytes=-5", 11, 1, {{6, 10}}},
        {"bytes=3-7", 11, 1, {{3, 7}}},
        {"bytes=0-0,-2", 11, 2, {{0, 0}, {9, 10}}},
        {"bytes=0-1,5-8", 11, 2, {{0, 1}, {5, 8}}},
        {"bytes=0-1,5-", 11, 2, {{0, 1}, {5, 10}}},
        {"bytes=5-1000", 11, 1, {{5, 10}}},
        {"bytes=0-9", 11, 1, {{0, 9}}},
        {"bytes=0-10", 11, 1, {{0, 10}}},
        {"bytes=0-11", 11, 1, {{0, 10}}},
        {"bytes=10-11", 11, 1, {{10, 10}}},
        {"bytes=10-", 11, 1, {{10, 10}}},
        {"bytes=11-", 11, 0, {{0, 0}}},
        {"bytes=11-12", 11, 0, {{0, 0}}},
        {"bytes=12-12", 11, 0, {{0, 0}}},
        {"bytes=11-100", 11, 0, {{0, 0}}},
        {"bytes=12-100", 11, 0, {{0, 0}}},
        {"bytes=100-", 11, 0, {{0, 0}}},
        {"bytes=100-1000", 11, 0, {{0, 0}}},
        /* where Go keeps ranges apart, those that overlap or touch are one here (15.3.7.2) */
        {"bytes=-2 , 7-", 11, 1, {{7, 10}}},
        {"bytes=500-600,601-999", 10000, 1, {{500, 999}}},
        {"bytes=500-700,601-999", 10000, 1, {{500, 999}}},
        /* more of ours */
        {"bytes=0-0", 1, 1, {{0, 0}}},
        {"bytes=-1", 1, 1, {{0, 0}}},
        {"bytes=-0", 10, 0, {{0, 0}}},
        {"bytes=-0,1-1", 10, 1, {{1, 1}}},
        {"bytes=0-", 0, 0, {{0, 0}}},
        {"bytes=8-9,0-1", 10, 2, {{8, 9}, {0, 1}}}, /* in the order asked for */
        {"bytes=8-9,0-1,6-7", 10, 2, {{6, 9}, {0, 1}}},
        {"bytes=8-9,0-1,3-4,2-2", 10, 2, {{8, 9}, {0, 4}}},
        {"bytes=6-7,4-4,0-0,5-5", 10, 2, {{4, 7}, {0, 0}}},
        {"bytes=0-0,4-4,8-8,0-9", 10, 1, {{0, 9}}},
        {"bytes=3-4,3-4", 10, 1, {{3, 4}}},
        {"bytes=0-1,3-4", 10, 2, {{0, 1}, {3, 4}}},
        {"bytes=0-18446744073709551615", 10, 1, {{0, 9}}},
        {"bytes=18446744073709551615-", 10, 0, {{0, 0}}},
        {"bytes=99999999999999999999-", 10, 0, {{0, 0}}},
        {"bytes=-99999999999999999999", 10, 1, {{0, 9}}},
        {"bytes=9223372036854775806-", INT64_MAX, 1, {{INT64_MAX - 1, INT64_MAX - 1}}},
        {"bytes=0-9223372036854775805,9223372036854775806-", INT64_MAX, 1, {{0, INT64_MAX - 1}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(&rows[i]);
}

static void
ranges_are_judged(void **state)
{
    static const struct {
        const char *value;
        int64_t bytes;
        enum ern_answer modest, satisfiable;
    } rows[] = {
        {"bytes=0-1", 100, ERN_YES, ERN_YES},
        {"bytes=200-", 100, ERN_YES, ERN_NO},
        {"bytes=0-5,3-8", 100, ERN_YES, ERN_YES}, /* two that overlap may be */
        {"bytes=0-5,3-8,20-30", 100, ERN_YES, ERN_YES},
        {"bytes=0-5,3-8,7-9", 100, ERN_NO, ERN_YES},
        {"bytes=0-5,3-8,20-30,25-40", 100, ERN_NO, ERN_YES},
        {"bytes=0-0,4-4,8-8,0-9", 100, ERN_NO, ERN_YES},
        {"bytes=0-1,2-3,4-5,6-7", 100, ERN_YES, ERN_YES},     /* to touch is not to overlap */
        {"bytes=200-,200-,200-,0-1", 100, ERN_YES, ERN_YES},  /* only satisfiable ones count */
        {"bytes=8-8,6-6,4-4,2-2,0-0", 100, ERN_YES, ERN_YES}, /* four out of order may be */
        {"bytes=10-10,8-8,6-6,4-4,2-2,0-0", 100, ERN_NO, ERN_YES},
        {"bytes=90-,80-81,82-83,70-71,72-73,60-61,62-63,50-51", 100, ERN_YES, ERN_YES},
        {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
         "30-30",
         100, ERN_YES, ERN_YES},
        {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
         "30-30,32-32",
         100, ERN_NO, ERN_YES},
        {"bytes=0-", 0, ERN_YES, ERN_NO},
        {"bytes=-0", 0, ERN_YES, ERN_NO},
        {"bytes=-5", 0, ERN_NO, ERN_NO},   /* passed over: 14.1.2 calls it satisfiable */
        {"bytes=0-1", -1, ERN_NO, ERN_NO}, /* nobody knows the length */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[1];
        struct ern_request r;
        struct ern_decision d;

        begin(&d, &r, fields, 1);
        assert_true(ern_request_add(&r, ERN_SLICE("Range"), slice_text(rows[i].value)));
        d.evidence.content_bytes = rows[i].bytes;
        if (ern_ask_range_modest(&d, ERN_FACT_range_modest) != rows[i].modest)
            fail_msg("%s: modest", rows[i].value);
        if (ern_ask_satisfiable(&d, ERN_FACT_satisfiable) != rows[i].satisfiable)
            fail_msg("%s: satisfiable", rows[i].value);
    }
}

static void
if_range_holds_for_the_same_representation(void **state)
{
    static const struct {
        const char *value, *value2, *etag;
        int64_t last_modified_s, now_s;
        enum ern_answer answer;
    } rows[] = {
        {NULL, NULL, "\"a\"", CHANGED_S, NOW_S, ERN_YES},
        {"\"a\"", NULL, "\"a\"", CHANGED_S, NOW_S, ERN_YES},
        {"\"a\"", "\"a\"", "\"a\"", CHANGED_S, NOW_S, ERN_YES},
        {"\"a\"", "\"b\"", "\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {"\"b\"", NULL, "\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {"W/\"a\"", NULL, "\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {"W/\"a\"", NULL, "W/\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {"\"a\"", NULL, "W/\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {"\"a\"", NULL, NULL, CHANGED_S, NOW_S, ERN_NO},
        {"\"a\", \"b\"", NULL, "\"a\"", CHANGED_S, NOW_S, ERN_NO}, /* no list */
        {"*", NULL, "\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {"", NULL, "\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {"a", NULL, "\"a\"", CHANGED_S, NOW_S, ERN_NO},
        {DATE, NULL, "\"a\"", CHANGED_S, NOW_S, ERN_YES},
        {"Sunday, 06-Nov-94 08:49:37 GMT", NULL, NULL, CHANGED_S, NOW_S, ERN_YES},
        {"Sun, 06 Nov 1994 08:49:38 GMT", NULL, NULL, CHANGED_S, NOW_S, ERN_NO}, /* exactly */
        {"Sun, 06 Nov 1994 08:49:36 GMT", NULL, NULL, CHANGED_S, NOW_S, ERN_NO},
        {DATE, NULL, NULL, -1, NOW_S, ERN_NO},
        {"Wed, 31 Dec 1969 23:59:59 GMT", NULL, NULL, -1, NOW_S, ERN_NO},
        {DATE, NULL, NULL, CHANGED_S, CHANGED_S,
         ERN_NO}, /* weak: it may change again in its second */
        {DATE, NULL, NULL, CHANGED_S, CHANGED_S + 1, ERN_YES},
        {DATE, NULL, NULL, CHANGED_S, CHANGED_S - 1, ERN_NO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[2];
        struct ern_request r;
        struct ern_decision d;

        begin(&d, &r, fields, 2);
        if (rows[i].value)
            assert_true(ern_request_add(&r, ERN_SLICE("If-Range"), slice_text(rows[i].value)));
        if (rows[i].value2)
            assert_true(ern_request_add(&r, ERN_SLICE("If-Range"), slice_text(rows[i].value2)));
        d.now_s = rows[i].now_s;
        d.evidence.etag = slice_text(rows[i].etag);
        d.evidence.last_modified_s = rows[i].last_modified_s;
        if (ern_ask_range_current(&d, ERN_FACT_range_current) != rows[i].answer)
            fail_msg("row %zu: If-Range: %s", i, rows[i].value);
    }
}

static enum ern_answer
exists(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    d->evidence.etag = ERN_SLICE("\"v2\"");
    d->evidence.content_bytes = 100;
    return ERN_YES;
}

/* All of it together, down the rules. */
static void
ranges_lead_to_their_statuses(void **state)
{
    static const struct {
        const char *method, *range, *if_range, *rule;
    } rows[] = {
        {"GET", "bytes=0-9", NULL, "partial"}, {"GET", "bytes=0-9", "\"v2\"", "partial"},
        {"GET", "bytes=0-9", "\"v1\"", "ok"},  {"GET", "bytes=100-", NULL, "unsatisfiable"},
        {"GET", "bytes=100-", "\"v1\"", "ok"}, {"HEAD", "bytes=0-9", NULL, "ok"},
        {"HEAD", "bytes=100-", NULL, "ok"},    {"GET", "lines=0-9", NULL, "ok"},
        {"GET", "bytes=9-0", NULL, "ok"},      {"GET", "bytes=0-9,0-9,0-9", NULL, "ok"},
    };
    struct ern_resource resource = {.name = "test",
                                    .ask = {[ERN_FACT_exists] = exists, ERN_ASKS_RANGE}};

    (void)state;
    ern_resource_init(&resource);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[2];
        struct ern_request r;
        struct ern_facts given;
        struct ern_decision d;
        const struct ern_rule *rule;

        begin(&d, &r, fields, 2);
        ern_request_method(&r, slice_text(rows[i].method));
        assert_true(ern_request_add(&r, ERN_SLICE("Range"), slice_text(rows[i].range)));
        if (rows[i].if_range)
            assert_true(ern_request_add(&r, ERN_SLICE("If-Range"), slice_text(rows[i].if_range)));
        ern_request_facts(&r, NOW_S, &given);
        ern_begin(&d, &resource, NULL, &r, NOW_S, &given);
        rule = ern_decide(&d, ERN_ACT);
        assert_non_null(rule);
        if (!slice_eq(slice_text(rule->name), slice_text(rows[i].rule)))
            fail_msg("row %zu: %s: rule %s, not %s", i, rows[i].range, rule->name, rows[i].rule);
        if (slice_eq(slice_text(rule->name), ERN_SLICE("partial")))
            assert_int_equal(d.evidence.ranges.range[0].last, 9);
    }
}

/* Against a bitmap: the same bytes, none twice, none that touch. */
static void
ranges_cover_the_bytes_that_were_asked_for(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct ern_field fields[1];
        struct ern_request r;
        struct ern_decision d;
        char text[256];
        int len = snprintf(text, sizeof text, "bytes=");
        unsigned bytes = (seed >> 8) % 40, n = 1 + (seed >> 16) % ERN_RANGES_MAX;
        uint64_t asked = 0, got = 0;

        for (unsigned i = 0; i < n; i++) {
            unsigned first, last;

            seed = seed * 1664525 + 1013904223;
            first = (seed >> 8) % 44;
            last = first + (seed >> 16) % 6;
            if ((seed >> 24) % 8 == 0)
                len += snprintf(text + len, sizeof text - (size_t)len, "-%u,", last);
            else
                len += snprintf(text + len, sizeof text - (size_t)len, "%u-%u,", first, last);
            for (unsigned b = 0; b < bytes; b++)
                if ((seed >> 24) % 8 == 0 ? b + last >= bytes : b >= first && b <= last)
                    asked |= UINT64_C(1) << b;
        }
        begin(&d, &r, fields, 1);
        assert_true(ern_request_add(&r, ERN_SLICE("Range"), slice_from(text, (size_t)len)));
        d.evidence.content_bytes = bytes;
        if ((ern_ask_satisfiable(&d, ERN_FACT_satisfiable) == ERN_YES) != (asked != 0))
            fail_msg("%s of %u: satisfiable", text, bytes);
        for (unsigned i = 0; i < d.evidence.ranges.n; i++)
            for (uint64_t b = d.evidence.ranges.range[i].first;
                 b <= d.evidence.ranges.range[i].last; b++) {
                if (got >> b & 1)
                    fail_msg("%s of %u: byte %u twice", text, bytes, (unsigned)b);
                got |= UINT64_C(1) << b;
            }
        if (got != asked)
            fail_msg("%s of %u: %llx, not %llx", text, bytes, (unsigned long long)got,
                     (unsigned long long)asked);
        /* as many ranges as there are runs of bytes */
        assert_int_equal(d.evidence.ranges.n, __builtin_popcountll(asked & ~(asked << 1)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_resolved),
        cmocka_unit_test(ranges_are_judged),
        cmocka_unit_test(if_range_holds_for_the_same_representation),
        cmocka_unit_test(ranges_lead_to_their_statuses),
        cmocka_unit_test(ranges_cover_the_bytes_that_were_asked_for),
    };

    return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
