/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "earnest/decide.h"

#define NOW_S INT64_C(1795348800) /* 2026-11-22T12:00:00Z */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define DATE2 "Sun, 06 Nov 1994 08:49:38 GMT"
#define SIXTEEN                                                                                    \
    "0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-"

struct row {
    const char *method, *fields; /* "Name: value|Name: value" */
    const char *facts;           /* those that are not as in a plain GET of HTTP/1.1: "+yes -no" */
    int64_t content_length;      /* 0 stands for none in the table */
    bool chunked;
    unsigned version; /* 11 and so on; 0 stands for 11 */
};

static enum ern_fact
fact_find(struct ern_slice name)
{
    for (unsigned f = 0; f < ERN_FACTS; f++)
        if (slice_eq(slice_text(ern_fact_name((enum ern_fact)f)), name))
            return (enum ern_fact)f;
    fail_msg("no fact %.*s", (int)name.len, name.ptr);
    return ERN_FACTS;
}

static void
add_fields(struct ern_request *r, struct ern_slice rest)
{
    while (rest.len) {
        size_t bar = slice_find(rest, '|');
        struct ern_slice line = slice_first(rest, bar);
        size_t colon = slice_find(line, ':');

        assert_true(
            ern_request_add(r, slice_first(line, colon), slice_trim(slice_skip(line, colon + 1))));
        rest = slice_skip(rest, bar < rest.len ? bar + 1 : bar);
    }
}

/* What a plain GET states: the fallbacks, and what its method says. */
static void
state_plain(struct ern_facts *facts)
{
    memset(facts, 0, sizeof *facts);
    for (unsigned f = 0; f < ERN_FACTS; f++)
        if (ern_fact_source((enum ern_fact)f) <= ERN_CONF)
            ern_state(facts, (enum ern_fact)f, ern_fact_fallback((enum ern_fact)f));
    ern_state(facts, ERN_FACT_retrieves, true);
    ern_state(facts, ERN_FACT_safe, true);
    ern_state(facts, ERN_FACT_takes_interim, true);
}

static void
check(const struct row *row)
{
    struct ern_field fields[6];
    struct ern_request r;
    struct ern_facts given, expected;
    struct ern_slice rest = slice_text(row->facts);

    ern_request_init(&r, fields, 6);
    ern_request_method(&r, slice_text(row->method));
    r.version_major = (uint8_t)(row->version ? row->version / 10 : 1);
    r.version_minor = (uint8_t)(row->version ? row->version % 10 : 1);
    r.content_length = row->content_length ? row->content_length : -1;
    r.chunked = row->chunked;
    add_fields(&r, slice_text(row->fields));
    memset(&given, 0xff, sizeof given);
    ern_request_facts(&r, NOW_S, &given);
    state_plain(&expected);
    while (rest.len) {
        size_t space = slice_find(rest, ' ');

        ern_state(&expected, fact_find(slice_skip(slice_first(rest, space), 1)),
                  rest.ptr[0] == '+');
        rest = slice_skip(rest, space < rest.len ? space + 1 : space);
    }
    for (unsigned f = 0; f < ERN_FACTS; f++) {
        enum ern_fact fact = (enum ern_fact)f;

        if (ern_bits_has(&given.known, fact) != ern_bits_has(&expected.known, fact))
            fail_msg("%s %s: %s: known", row->method, row->fields, ern_fact_name(fact));
        if (ern_bits_has(&given.yes, fact) != ern_bits_has(&expected.yes, fact))
            fail_msg("%s %s: %s: yes", row->method, row->fields, ern_fact_name(fact));
    }
    assert_memory_equal(&given, &expected, sizeof given);
}

#define CHECK(rows)                                                                                \
    for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++)                                     \
    check(&(rows)[i])

static void
given_by_the_method(void **state)
{
    static const struct row rows[] = {
        {"GET", "Host: a|User-Agent: b|Cookie: c", "", 0, false, 0},
        {"HEAD", "", "", 0, false, 0},
        {"OPTIONS", "", "-retrieves +options", 0, false, 0},
        {"TRACE", "", "-retrieves +trace", 0, false, 0},
        {"POST", "", "-retrieves -safe +posts", 0, false, 0},
        {"PUT", "", "-retrieves -safe +creates", 0, false, 0},
        {"DELETE", "", "-retrieves -safe", 0, false, 0},
        {"PATCH", "", "-retrieves -safe", 0, false, 0},
        {"QUERY", "", "-retrieves", 0, false, 0},
        {"PROPFIND", "", "-retrieves", 0, false, 0},
        {"MKCOL", "", "-retrieves -safe +creates", 0, false, 0},
        {"LOCK", "", "-retrieves -safe +creates", 0, false, 0},
        {"UNLOCK", "", "-retrieves -safe", 0, false, 0},
        {"COPY", "", "-retrieves -safe", 0, false, 0},
        {"MOVE", "", "-retrieves -safe", 0, false, 0},
        {"MKREDIRECTREF", "", "-retrieves -safe +creates", 0, false, 0},
        {"MKCALENDAR", "", "-retrieves -safe +creates", 0, false, 0},
        {"MKWORKSPACE", "", "-retrieves -safe +creates", 0, false, 0},
        {"MKACTIVITY", "", "-retrieves -safe +creates", 0, false, 0},
        {"BREW", "", "-retrieves -safe +brews", 0, false, 0},
        {"WHEN", "", "-retrieves -safe", 0, false, 0},
        {"get", "", "-retrieves -safe -method_known", 0, false, 0},
        {"FROB", "", "-retrieves -safe -method_known", 0, false, 0},
        {"POST", "Content-Type: message/coffeepot", "-retrieves -safe +posts +brews", 0, false, 0},
        {"POST", "Content-Type: Message/CoffeePot ; a=b", "-retrieves -safe +posts +brews", 0,
         false, 0},
        {"POST", "Content-Type: message/coffeepots", "-retrieves -safe +posts", 0, false, 0},
        {"PUT", "Content-Type: message/coffeepot", "-retrieves -safe +creates", 0, false, 0},
    };

    (void)state;
    CHECK(rows);
}

static void
given_by_the_content(void **state)
{
    static const struct row rows[] = {
        {"PUT", "", "-retrieves -safe +creates +has_content", 5, false, 0},
        {"PUT", "", "-retrieves -safe +creates +has_content -length_known", 0, true, 0},
        {"PUT", "Expect: 100-continue", "-retrieves -safe +creates +has_content +expects", 5, false,
         0},
        {"PUT", "Expect: 100-Continue", "-retrieves -safe +creates +has_content +expects", 5, false,
         0},
        {"PUT", "Expect: 100-continue", "-retrieves -safe +creates +has_content +expects", 5, false,
         20},
        {"PUT", "Expect: 100-continue", "-retrieves -safe +creates +has_content -takes_interim", 5,
         false, 10},
        {"GET", "Expect: 100-continue", "+expects", 0, false, 0},
        {"GET", "Expect: , 100-continue ,|Expect: 100-continue", "+expects", 0, false, 0},
        {"GET", "Expect:", "", 0, false, 0},
        {"GET", "Expect: 200-ok", "+expects -expect_known", 0, false, 0},
        {"GET", "Expect: 100-continue, 200-ok", "+expects -expect_known", 0, false, 0},
        {"GET", "Expect: 100-continue|Expect: 200-ok", "+expects -expect_known", 0, false, 0},
        {"GET", "Expect: 100-continue;a=b", "+expects -expect_known", 0, false, 0},
        {"GET", "Expect: 100-continue=1", "+expects -expect_known", 0, false, 0},
        {"GET", "Expect: 200-ok", "+expects -expect_known -takes_interim", 0, false, 10},
    };
    struct ern_field fields[1];
    struct ern_request r;
    struct ern_facts given;

    (void)state;
    CHECK(rows);
    ern_request_init(&r, fields, 1); /* a Content-Length of 0 is known, and no content */
    r.content_length = 0;
    ern_request_facts(&r, NOW_S, &given);
    assert_true(ern_bits_has(&given.yes, ERN_FACT_length_known));
    assert_false(ern_bits_has(&given.yes, ERN_FACT_has_content));
}

static void
given_by_preconditions(void **state)
{
    static const struct row rows[] = {
        {"GET", "If-Match: \"a\"", "+if_match", 0, false, 0},
        {"GET", "If-Match: *", "+if_match +etag_in_match", 0, false, 0},
        {"GET", "If-Match: *|If-Match: *", "+if_match", 0, false, 0},
        {"GET", "If-Match: *, \"a\"", "+if_match", 0, false, 0},
        {"GET", "If-Match:", "+if_match", 0, false, 0},
        {"GET", "If-None-Match: \"a\"", "+if_none_match", 0, false, 0},
        {"GET", "If-None-Match: *", "+if_none_match +etag_in_none", 0, false, 0},
        {"GET", "If-Modified-Since: " DATE, "+if_modified", 0, false, 0},
        {"GET", "If-Modified-Since: " DATE "|If-Modified-Since: " DATE, "+if_modified", 0, false,
         0},
        {"GET", "If-Modified-Since: " DATE "|If-Modified-Since: " DATE2, "", 0, false, 0},
        {"GET", "If-Modified-Since: now", "", 0, false, 0},
        {"GET", "If-Modified-Since: Sun, 32 Nov 1994 08:49:37 GMT", "", 0, false, 0},
        {"GET", "If-Unmodified-Since: " DATE, "+if_unmodified", 0, false, 0},
        {"GET", "If-Unmodified-Since: 0", "", 0, false, 0},
        {"GET", "If-Unmodified-Since: " DATE "|If-Unmodified-Since: " DATE2, "", 0, false, 0},
        {"PUT", "If-Modified-Since: " DATE, "-retrieves -safe +creates +if_modified", 0, false, 0},
        {"GET", "If-Match: \"a\"|If-None-Match: *|If-Modified-Since: " DATE,
         "+if_match +if_none_match +etag_in_none +if_modified", 0, false, 0},
    };

    (void)state;
    CHECK(rows);
}

static void
given_by_range(void **state)
{
    static const struct row rows[] = {
        {"GET", "Range: bytes=0-9", "+ranged +range_current", 0, false, 0},
        {"GET", "Range: BYTES=-9", "+ranged +range_current", 0, false, 0},
        {"GET", "Range: bytes=0-9|If-Range: \"a\"", "+ranged", 0, false, 0},
        {"GET", "If-Range: \"a\"", "", 0, false, 0},
        {"HEAD", "Range: bytes=0-9", "", 0, false, 0},
        {"POST", "Range: bytes=0-9", "-retrieves -safe +posts", 0, false, 0},
        {"QUERY", "Range: bytes=0-9", "-retrieves", 0, false, 0},
        {"GET", "Range: bytes=9-0", "", 0, false, 0},
        {"GET", "Range: lines=0-9", "", 0, false, 0},
        {"GET", "Range: bytes=0-9|Range: bytes=0-9", "", 0, false, 0},
        {"GET", "Range: bytes=" SIXTEEN, "+ranged +range_current", 0, false, 0},
        {"GET", "Range: bytes=" SIXTEEN ",40-", "", 0, false, 0},
    };

    (void)state;
    CHECK(rows);
}

static void
given_by_other_fields(void **state)
{
    static const struct row rows[] = {
        {"GET", "Accept: */*", "+negotiates", 0, false, 0},
        {"GET", "Accept-Charset: a", "+negotiates", 0, false, 0},
        {"GET", "Accept-Encoding: a", "+negotiates", 0, false, 0},
        {"GET", "Accept-Language: a", "+negotiates", 0, false, 0},
        {"GET", "Negotiate: trans", "+negotiates", 0, false, 0},
        {"GET", "A-IM: vcdiff", "+wants_delta", 0, false, 0},
        {"GET", "Upgrade: h2c|Connection: Upgrade", "+asks_upgrade", 0, false, 0},
        {"GET", "Connection: close, upgrade|Upgrade: h2c", "+asks_upgrade", 0, false, 0},
        {"GET", "Upgrade: h2c", "", 0, false, 0},
        {"GET", "Connection: upgrade", "", 0, false, 0},
        {"GET", "Upgrade: h2c|Connection: Upgrade", "-takes_interim", 0, false, 10},
        {"GET", "Upgrade: h2c|Connection: Upgrade", "", 0, false, 20},
        {"GET", "X-If-Match: *", "", 0, false, 0},
    };

    (void)state;
    CHECK(rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_by_the_method),    cmocka_unit_test(given_by_the_content),
        cmocka_unit_test(given_by_preconditions), cmocka_unit_test(given_by_range),
        cmocka_unit_test(given_by_other_fields),
    };

    return cmocka_run_group_tests_name("given", tests, NULL, NULL);
}
