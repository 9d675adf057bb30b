/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "earnest/decide.h"

#define NOW_S INT64_C(1795348800)    /* 2026-11-22T12:00:00Z */
#define CHANGED_S INT64_C(784111777) /* DATE */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

struct row {
    const char *value, *value2; /* of the field; value2 on a second line */
    const char *etag;           /* NULL: the representation has none */
    int64_t last_modified_s;
    enum ern_answer answer;
};

static void
check(ern_ask *ask, struct ern_slice field, const struct row *row)
{
    struct ern_field fields[2];
    struct ern_request r;
    struct ern_decision d = {.request = &r, .now_s = NOW_S};
    enum ern_answer answer;

    ern_request_init(&r, fields, 2);
    if (row->value)
        assert_true(ern_request_add(&r, field, slice_text(row->value)));
    if (row->value2)
        assert_true(ern_request_add(&r, field, slice_text(row->value2)));
    d.evidence.etag = slice_text(row->etag);
    d.evidence.last_modified_s = row->last_modified_s;
    answer = ask(&d, ERN_FACTS);
    if (answer != row->answer)
        fail_msg("%.*s: %s for %s: %d", (int)field.len, field.ptr, row->value,
                 row->etag ? row->etag : "(none)", (int)answer);
}

static void
if_match_compares_strongly(void **state)
{
    static const struct row rows[] = {
        {"\"xyzzy\"", NULL, "\"xyzzy\"", -1, ERN_YES},
        {"\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", NULL, "\"c3piozzzz\"", -1, ERN_YES},
        {"\"xyzzy\"", "\"r2d2xxxx\"", "\"r2d2xxxx\"", -1, ERN_YES},
        {"W/\"xyzzy\"", NULL, "\"xyzzy\"", -1, ERN_NO},
        {"W/\"xyzzy\"", NULL, "W/\"xyzzy\"", -1, ERN_NO},
        {"\"xyzzy\"", NULL, "W/\"xyzzy\"", -1, ERN_NO},
        {"\"other\"", NULL, "\"xyzzy\"", -1, ERN_NO},
        {"\"xyzzy\"", NULL, NULL, -1, ERN_NO},
        {"*", NULL, "\"xyzzy\"", -1, ERN_YES},
        {"*", NULL, NULL, -1, ERN_YES},
        {"xyzzy", NULL, "\"xyzzy\"", -1, ERN_NO},
        {"", NULL, "\"xyzzy\"", -1, ERN_NO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(ern_ask_etag_in_match, ERN_SLICE("If-Match"), &rows[i]);
}

static void
if_none_match_compares_weakly(void **state)
{
    static const struct row rows[] = {
        {"\"xyzzy\"", NULL, "\"xyzzy\"", -1, ERN_YES},
        {"W/\"xyzzy\"", NULL, "\"xyzzy\"", -1, ERN_YES},
        {"W/\"xyzzy\", W/\"r2d2xxxx\"", "W/\"c3piozzzz\"", "\"c3piozzzz\"", -1, ERN_YES},
        {"\"xyzzy\"", NULL, "W/\"xyzzy\"", -1, ERN_YES},
        {"\"other\"", NULL, "\"xyzzy\"", -1, ERN_NO},
        {"\"xyzzy\"", NULL, NULL, -1, ERN_NO},
        {"*", NULL, NULL, -1, ERN_YES},
        {"xyzzy", NULL, "\"xyzzy\"", -1, ERN_NO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(ern_ask_etag_in_none, ERN_SLICE("If-None-Match"), &rows[i]);
}

static void
if_unmodified_since_compares_dates(void **state)
{
    static const struct row rows[] = {
        {DATE, NULL, NULL, CHANGED_S, ERN_YES},
        {AFTER, NULL, NULL, CHANGED_S, ERN_YES},
        {BEFORE, NULL, NULL, CHANGED_S, ERN_NO},
        {BEFORE, NULL, NULL, -1, ERN_YES}, /* no date to compare */
        {"Sunday, 06-Nov-94 08:49:36 GMT", NULL, NULL, CHANGED_S, ERN_NO},
        {"Sun Nov  6 08:49:36 1994", NULL, NULL, CHANGED_S, ERN_NO},
        {"yesterday", NULL, NULL, CHANGED_S, ERN_YES},
        {BEFORE, DATE, NULL, CHANGED_S, ERN_YES}, /* two values: as if absent */
        {BEFORE, BEFORE, NULL, CHANGED_S, ERN_NO},
        {BEFORE, NULL, NULL, -2, ERN_YES}, /* older than 1970 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(ern_ask_unmodified, ERN_SLICE("If-Unmodified-Since"), &rows[i]);
}

static void
if_modified_since_compares_dates(void **state)
{
    static const struct row rows[] = {
        {DATE, NULL, NULL, CHANGED_S, ERN_YES},
        {AFTER, NULL, NULL, CHANGED_S, ERN_YES},
        {BEFORE, NULL, NULL, CHANGED_S, ERN_NO},
        {AFTER, NULL, NULL, -1, ERN_NO},
        {"Sunday, 06-Nov-94 08:49:38 GMT", NULL, NULL, CHANGED_S, ERN_YES},
        {"Sun Nov  6 08:49:38 1994", NULL, NULL, CHANGED_S, ERN_YES},
        {"tomorrow", NULL, NULL, CHANGED_S, ERN_NO},
        {AFTER, DATE, NULL, CHANGED_S, ERN_NO},
        {AFTER, AFTER, NULL, CHANGED_S, ERN_YES},
        {"Fri, 31 Dec 9999 23:59:59 GMT", NULL, NULL, CHANGED_S, ERN_YES}, /* later than now */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(ern_ask_not_modified, ERN_SLICE("If-Modified-Since"), &rows[i]);
}

static enum ern_answer
exists(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    d->evidence.etag = ERN_SLICE("\"v2\"");
    d->evidence.last_modified_s = CHANGED_S;
    return *(const bool *)d->self ? ERN_YES : ERN_NO;
}

/* All of it together, down the rules: RFC 9110 13.2.2. */
static void
preconditions_are_evaluated_in_order(void **state)
{
    static const struct {
        const char *method, *field1, *value1, *field2, *value2;
        bool exists;
        const char *rule;
    } rows[] = {
        {"GET", "If-None-Match", "\"v2\"", NULL, NULL, true, "if_none_match"},
        {"HEAD", "If-None-Match", "W/\"v2\"", NULL, NULL, true, "if_none_match"},
        {"GET", "If-None-Match", "\"v1\"", NULL, NULL, true, "ok"},
        {"GET", "If-None-Match", "*", NULL, NULL, true, "if_none_match"},
        {"PUT", "If-None-Match", "*", NULL, NULL, true, "if_none_match_unsafe"},
        {"PUT", "If-None-Match", "*", NULL, NULL, false, "ok"},
        {"PUT", "If-Match", "*", NULL, NULL, false, "if_match_missing"},
        {"PUT", "If-Match", "*", NULL, NULL, true, "ok"},
        {"PUT", "If-Match", "\"v2\"", NULL, NULL, true, "ok"},
        {"PUT", "If-Match", "\"v1\"", NULL, NULL, true, "if_match"},
        {"PUT", "If-Match", "W/\"v2\"", NULL, NULL, true, "if_match"},
        {"PUT", "If-Match", "\"v2\"", "If-Unmodified-Since", BEFORE, true, "ok"},
        {"PUT", "If-Unmodified-Since", BEFORE, NULL, NULL, true, "if_unmodified"},
        {"PUT", "If-Unmodified-Since", DATE, NULL, NULL, true, "ok"},
        {"PUT", "If-Unmodified-Since", "soon", NULL, NULL, true, "ok"},
        {"GET", "If-Modified-Since", DATE, NULL, NULL, true, "if_modified"},
        {"GET", "If-Modified-Since", BEFORE, NULL, NULL, true, "ok"},
        {"GET", "If-Modified-Since", "soon", NULL, NULL, true, "ok"},
        {"GET", "If-Modified-Since", DATE, "If-Modified-Since", AFTER, true, "ok"},
        {"GET", "If-Modified-Since", DATE, "If-None-Match", "\"v1\"", true, "ok"},
        {"GET", "If-Modified-Since", BEFORE, "If-None-Match", "\"v2\"", true, "if_none_match"},
        {"POST", "If-Modified-Since", DATE, NULL, NULL, true, "ok"},
        {"GET", "If-Match", "\"v2\"", "If-None-Match", "\"v2\"", true, "if_none_match"},
        {"GET", "If-Match", "\"v1\"", "If-None-Match", "\"v2\"", true, "if_match"},
        {"GET", "If-None-Match", "*", NULL, NULL, false, "missing"},
        {"OPTIONS", "If-Match", "\"v1\"", NULL, NULL, true, "options"},
    };
    struct ern_resource resource = {.name = "test",
                                    .ask = {[ERN_FACT_exists] = exists, ERN_ASKS_CONDITIONAL}};

    (void)state;
    ern_resource_init(&resource);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[2];
        struct ern_request r;
        struct ern_facts given;
        struct ern_decision d;
        bool there = rows[i].exists;
        const struct ern_rule *rule;

        ern_request_init(&r, fields, 2);
        ern_request_method(&r, slice_text(rows[i].method));
        r.version_major = r.version_minor = 1;
        assert_true(ern_request_add(&r, slice_text(rows[i].field1), slice_text(rows[i].value1)));
        if (rows[i].field2)
            assert_true(
                ern_request_add(&r, slice_text(rows[i].field2), slice_text(rows[i].value2)));
        ern_request_facts(&r, NOW_S, &given);
        ern_begin(&d, &resource, &there, &r, NOW_S, &given);
        rule = ern_decide(&d, ERN_ACT);
        assert_non_null(rule);
        if (!slice_eq(slice_text(rule->name), slice_text(rows[i].rule)))
            fail_msg("row %zu: %s %s: %s: rule %s, not %s", i, rows[i].method, rows[i].field1,
                     rows[i].value1, rule->name, rows[i].rule);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(if_match_compares_strongly),
        cmocka_unit_test(if_none_match_compares_weakly),
        cmocka_unit_test(if_unmodified_since_compares_dates),
        cmocka_unit_test(if_modified_since_compares_dates),
        cmocka_unit_test(preconditions_are_evaluated_in_order),
    };

    return cmocka_run_group_tests_name("conditional", tests, NULL, NULL);
}
