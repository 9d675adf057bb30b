/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"
#include "base/slice.h"
#include "msg/dav.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define TOKEN1 "urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2"
#define TOKEN2 "urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092"

/* The steps of an If field: {tag} ( token [etag] !negated ) and at the end . or ? for wrong. */
static const struct {
    const char *value, *steps;
} fields[] = {
    /* RFC 4918 10.4.6 to 10.4.11 */
    {"(<" TOKEN1 "> [\"I am an ETag\"]) ([\"I am another ETag\"])",
     "( " TOKEN1 " [\"I am an ETag\"] ( [\"I am another ETag\"] ."},
    {"(Not <" TOKEN1 "> <" TOKEN2 ">)", "( !" TOKEN1 " " TOKEN2 " ."},
    {"(<" TOKEN1 ">) (Not <DAV:no-lock>)", "( " TOKEN1 " ( !DAV:no-lock ."},
    {"</resource1> (<" TOKEN1 "> [W/\"A weak ETag\"]) ([\"strong ETag\"])",
     "{/resource1} ( " TOKEN1 " [W/\"A weak ETag\"] ( [\"strong ETag\"] ."},
    {"<http://www.example.com/specs/> (<" TOKEN1 ">)",
     "{http://www.example.com/specs/} ( " TOKEN1 " ."},
    {"</specs/rfc2518.doc> ([\"4217\"])", "{/specs/rfc2518.doc} ( [\"4217\"] ."},
    {"</specs/rfc2518.doc> (Not [\"4217\"])", "{/specs/rfc2518.doc} ( ![\"4217\"] ."},
    /* several resources, and what may be left out or put between */
    {"</a>(<a:b>)</c>(<d:e>)(<f:g>)", "{/a} ( a:b {/c} ( d:e ( f:g ."},
    {" \t( \t<a:b>\t[\"x\"] )\t ", "( a:b [\"x\"] ."},
    {"(not<a:b>)", "( !a:b ."},
    {"(NOT[\"x\"])", "( ![\"x\"] ."},
    {"([\"](<>)\"])", "( [\"](<>)\"] ."},
    {"([\"\"])", "( [\"\"] ."},
    {"([W/\"\"])", "( [W/\"\"] ."},
    {"(<a+b-c.d1:>)", "( a+b-c.d1: ."},
    /* malformed */
    {"", "?"},
    {" ", "?"},
    {"()", "( ?"},
    {"(Not)", "( ?"},
    {"(Not Not <a:b>)", "( ?"},
    {"(<a:b>", "( a:b ?"},
    {"(<a:b", "( ?"},
    {"(", "( ?"},
    {"<a:b>", "{a:b} ?"},
    {"</a> </b> (<a:b>)", "{/a} ?"},
    {"(<a:b>) </a> (<a:b>)", "( a:b ?"}, /* the two productions are not mixed */
    {"(<a:b>), (<a:b>)", "( a:b ?"},
    {"(<a:b>))", "( a:b ?"},
    {"(<>)", "( ?"},
    {"(<ab>)", "( ?"}, /* no URI */
    {"(<:b>)", "( ?"},
    {"(<1a:b>)", "( ?"},
    {"(<a/b:c>)", "( ?"},
    {"(<a: b>)", "( ?"},
    {"(<a:<b>)", "( ?"},
    {"(<a:\xc3\xa9>)", "( ?"}, /* a URI is in ASCII */
    {"</\xc3\xa9> (<a:b>)", "?"},
    {"([x])", "( ?"},
    {"([])", "( ?"},
    {"([\"x])", "( ?"},
    {"([\"x\")", "( ?"},
    {"([w/\"x\"])", "( ?"},
    {"([\"x\"", "( ?"},
    {"(a:b)", "( ?"},
    {"*", "?"},
};

static void
write_steps(struct out *o, struct ern_slice value)
{
    static const char *const before[] = {
        [DAV_IF_END] = ".",  [DAV_IF_TAG] = "{",  [DAV_IF_LIST] = "(",
        [DAV_IF_TOKEN] = "", [DAV_IF_ETAG] = "[", [DAV_IF_WRONG] = "?",
    };
    struct dav_if walk = {.rest = value};
    struct dav_if_step step;

    do {
        step = dav_if_next(&walk);
        if (step.is_not)
            out_char(o, '!');
        out_text(o, before[step.kind]);
        out_slice(o, step.text);
        if (step.kind == DAV_IF_TAG)
            out_char(o, '}');
        if (step.kind == DAV_IF_ETAG)
            out_char(o, ']');
        if (step.kind != DAV_IF_END && step.kind != DAV_IF_WRONG)
            out_char(o, ' ');
    } while (step.kind != DAV_IF_END && step.kind != DAV_IF_WRONG);
    assert_int_equal(dav_if_next(&walk).kind, step.kind); /* for ever */
}

static void
if_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++) {
        char text[512];
        struct out o = out_init(text, sizeof text);

        write_steps(&o, slice_text(fields[i].value));
        if (!slice_eq(out_done(&o), slice_text(fields[i].steps)))
            fail_msg("%s: %.*s, not %s", fields[i].value, (int)o.len, text, fields[i].steps);
    }
}

/* A piece so many times. Returns how the walk ends. */
static enum dav_if_kind
walk_many(const char *first, const char *piece, unsigned n, const char *last)
{
    char text[8192];
    struct out o = out_init(text, sizeof text);
    struct dav_if walk;
    struct dav_if_step step;

    out_text(&o, first);
    for (unsigned i = 0; i < n; i++)
        out_text(&o, piece);
    out_text(&o, last);
    assert_false(o.full);
    walk = (struct dav_if){.rest = out_done(&o)};
    do
        step = dav_if_next(&walk);
    while (step.kind != DAV_IF_END && step.kind != DAV_IF_WRONG);
    return step.kind;
}

static void
if_has_limits(void **state)
{
    (void)state;
    assert_int_equal(walk_many("", "(<a:b>)", DAV_IF_LISTS, ""), DAV_IF_END);
    assert_int_equal(walk_many("", "(<a:b>)", DAV_IF_LISTS + 1, ""), DAV_IF_WRONG);
    assert_int_equal(walk_many("(", "<a:b>", DAV_IF_CONDITIONS, ")"), DAV_IF_END);
    assert_int_equal(walk_many("(", "<a:b>", DAV_IF_CONDITIONS + 1, ")"), DAV_IF_WRONG);
}

static void
depth_and_flags_are_read(void **state)
{
    static const struct {
        const char *value;
        int depth; /* -1: malformed */
    } depths[] = {{"0", DAV_DEPTH_0},
                  {"1", DAV_DEPTH_1},
                  {"infinity", DAV_DEPTH_INFINITY},
                  {"Infinity", DAV_DEPTH_INFINITY},
                  {"", -1},
                  {"2", -1},
                  {"00", -1},
                  {"infinite", -1},
                  {"1,noroot", -1}};
    static const struct {
        const char *value;
        bool right, yes;
    } flags[] = {{"T", true, true},     {"F", true, false}, {"t", true, true},
                 {"f", true, false},    {"", false, false}, {"true", false, false},
                 {"T, F", false, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(depths); i++) {
        enum dav_depth depth = DAV_DEPTH_0;

        assert_int_equal(dav_depth(slice_text(depths[i].value), &depth), depths[i].depth >= 0);
        assert_int_equal(depth, depths[i].depth >= 0 ? depths[i].depth : DAV_DEPTH_0);
    }
    for (size_t i = 0; i < COUNT(flags); i++) {
        bool yes;

        assert_int_equal(dav_flag(slice_text(flags[i].value), &yes), flags[i].right);
        assert_int_equal(yes, flags[i].yes);
    }
}

static void
timeouts_are_read(void **state)
{
    enum { MAX = 86400 };
    static const struct {
        const char *value;
        bool right;
        int64_t seconds;
    } timeouts[] = {
        {"Second-3600", true, 3600},
        {"second-3600", true, 3600},
        {"Infinite", true, MAX},
        {"Infinite, Second-4100000000", true, MAX}, /* RFC 4918 9.10.7 */
        {"Second-4100000000", true, MAX},
        {"Second-86400", true, MAX},
        {"Second-86401", true, MAX},
        {"Second-0", true, 1},
        {"Extend-7, Second-5", true, 5}, /* the first that is understood */
        {" , \tSecond-7 , Infinite", true, 7},
        {"Second-4294967295", true, MAX},
        {"Second-4294967296, Second-9", true, 9}, /* RFC 4918 10.7: at most 2^32-1 */
        {"", false, MAX},
        {"Second-", false, MAX},
        {"Second--1", false, MAX},
        {"Second-1.5", false, MAX},
        {"3600", false, MAX},
        {",", false, MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(timeouts); i++) {
        int64_t seconds = -1;

        if (dav_timeout(slice_text(timeouts[i].value), MAX, &seconds) != timeouts[i].right ||
            seconds != timeouts[i].seconds)
            fail_msg("%s: %lld", timeouts[i].value, (long long)seconds);
    }
}

static void
coded_urls_are_read(void **state)
{
    static const struct {
        const char *value, *url; /* NULL: it is none */
    } urls[] = {{"<" TOKEN1 ">", TOKEN1},
                {"<a:>", "a:"},
                {"<opaquelocktoken:x>", "opaquelocktoken:x"},
                {"", NULL},
                {"<>", NULL},
                {"<", NULL},
                {">", NULL},
                {TOKEN1, NULL},
                {"<" TOKEN1, NULL},
                {"<" TOKEN1 "> ", NULL},
                {"<a:b><c:d>", NULL},
                {"<a b:c>", NULL},
                {"<a:\xff>", NULL},
                {"<a:\x7f>", NULL}};

    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct ern_slice url = dav_coded_url(slice_text(urls[i].value));

        assert_int_equal(slice_is_there(url), urls[i].url != NULL);
        assert_true(slice_eq(url, slice_text(urls[i].url)));
    }
}

static void
references_are_read(void **state)
{
    static const struct {
        const char *value, *scheme, *authority, *path; /* path NULL: it is none */
    } references[] = {
        {"/", NULL, NULL, "/"},
        {"/a/b%20c", NULL, NULL, "/a/b%20c"},
        {"http://example.org", "http", "example.org", "/"},
        {"http://example.org/", "http", "example.org", "/"},
        {"HTTPS://[::1]:8080/a", "HTTPS", "[::1]:8080", "/a"},
        {"a+b-c.1://x/y", "a+b-c.1", "x", "/y"},
        {"", NULL, NULL, NULL},
        {"a", NULL, NULL, NULL},
        {"a/b", NULL, NULL, NULL},
        {"//example.org/a", NULL, NULL, NULL},
        {"http:", NULL, NULL, NULL},
        {"http:/a", NULL, NULL, NULL},
        {"http://", NULL, NULL, NULL},
        {"http:///a", NULL, NULL, NULL},
        {"://example.org/a", NULL, NULL, NULL},
        {"1http://example.org/a", NULL, NULL, NULL},
        {"a/b://example.org/a", NULL, NULL, NULL},
        {"http://user@example.org/a", NULL, NULL, NULL},
        {"http://example.org:99999/", NULL, NULL, NULL},
        {"/a?b", NULL, NULL, NULL},
        {"/a#b", NULL, NULL, NULL},
        {"/a b", NULL, NULL, NULL},
        {"/\xc3\xa9", NULL, NULL, NULL},
        {"/\x7f", NULL, NULL, NULL},
        {"mailto:a@example.org", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(references); i++) {
        struct ern_slice scheme, authority, path = ERN_ABSENT;

        if (dav_reference(slice_text(references[i].value), &scheme, &authority, &path) !=
            (references[i].path != NULL))
            fail_msg("%s", references[i].value);
        assert_true(slice_eq(path, slice_text(references[i].path)));
        if (!references[i].path)
            continue;
        assert_true(slice_eq(scheme, slice_text(references[i].scheme)));
        assert_true(slice_eq(authority, slice_text(references[i].authority)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(if_is_read),
        cmocka_unit_test(if_has_limits),
        cmocka_unit_test(depth_and_flags_are_read),
        cmocka_unit_test(timeouts_are_read),
        cmocka_unit_test(coded_urls_are_read),
        cmocka_unit_test(references_are_read),
    };

    return cmocka_run_group_tests_name("dav", tests, NULL, NULL);
}
