/* SPDX-License-Identifier: Apache-2.0 */
/* target_test.c - request targets of every form, authorities, and paths read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/target.h"

#define LEN(array) (sizeof(array) / sizeof *(array))
#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define ABSENT                                                                                     \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

static void
check_text(int line, const char *what, struct ern_slice got, struct ern_slice want)
{
    if (slice_is_there(got) != slice_is_there(want))
        fail_msg("row of line %d: %s is %s", line, what, got.ptr ? "there" : "absent");
    if (!slice_eq(got, want))
        fail_msg("row of line %d: %s is \"%.*s\", not \"%.*s\"", line, what, (int)got.len, got.ptr,
                 (int)want.len, want.ptr);
}

static const struct {
    int line;
    enum ern_method method;
    struct ern_slice target;
    enum ern_target_form form;
    struct ern_slice authority, path, query;
} good[] = {
#define GOOD(method, form, target, authority, path, query)                                         \
    {                                                                                              \
        __LINE__, ERN_##method, S(target), ERN_##form##_FORM, authority, S(path), query            \
    }
    GOOD(GET, ORIGIN, "/", ABSENT, "/", ABSENT),
    GOOD(GET, ORIGIN, "/?", ABSENT, "/", S("")),
    GOOD(GET, ORIGIN, "/where?q=now", ABSENT, "/where", S("q=now")),
    GOOD(GET, ORIGIN, "/a?b?c/d", ABSENT, "/a", S("b?c/d")),
    GOOD(GET, ORIGIN, "//a//b/", ABSENT, "//a//b/", ABSENT),
    GOOD(OPTIONS, ORIGIN, "/", ABSENT, "/", ABSENT),
    GOOD(METHODS, ORIGIN, "/x", ABSENT, "/x", ABSENT),
    GOOD(GET, ORIGIN, "/http://a@b:c", ABSENT, "/http://a@b:c", ABSENT),
    GOOD(GET, ORIGIN, "/AZaz09-._~!$&'()*+,;=:@/%41%aF", ABSENT, "/AZaz09-._~!$&'()*+,;=:@/%41%aF",
         ABSENT),
    GOOD(GET, ORIGIN, "/%00%2f", ABSENT, "/%00%2f", ABSENT), /* that is for path_read() to find */
    GOOD(GET, ORIGIN, "/?[]\\^`{|}\"<>", ABSENT, "/", S("[]\\^`{|}\"<>")),
    GOOD(GET, ORIGIN, "/?%&%x=%4&100%", ABSENT, "/", S("%&%x=%4&100%")),
    GOOD(GET, ABSOLUTE, "http://www.example.org/pub/WWW/TheProject.html", S("www.example.org"),
         "/pub/WWW/TheProject.html", ABSENT),
    GOOD(GET, ABSOLUTE, "https://a:1/b?c", S("a:1"), "/b", S("c")),
    GOOD(GET, ABSOLUTE, "hTTp://A/b", S("A"), "/b", ABSENT),
    GOOD(GET, ABSOLUTE, "HTTPS://a:/", S("a:"), "/", ABSENT),
    GOOD(GET, ABSOLUTE, "http://a", S("a"), "/", ABSENT),
    GOOD(GET, ABSOLUTE, "http://a?query", S("a"), "/", S("query")),
    GOOD(GET, ABSOLUTE, "http://[::1]:80/", S("[::1]:80"), "/", ABSENT),
    GOOD(OPTIONS, ABSOLUTE, "http://a/", S("a"), "/", ABSENT),
    GOOD(OPTIONS, ABSOLUTE, "http://a?", S("a"), "/", S("")),
    GOOD(OPTIONS, ASTERISK, "http://www.example.org:8001", S("www.example.org:8001"), "", ABSENT),
    GOOD(OPTIONS, ASTERISK, "*", ABSENT, "", ABSENT),
    GOOD(CONNECT, AUTHORITY, "www.example.com:80", S("www.example.com:80"), "", ABSENT),
    GOOD(CONNECT, AUTHORITY, "[2001:db8::1]:65535", S("[2001:db8::1]:65535"), "", ABSENT),
#undef GOOD
};

static void
reads_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(good); i++) {
        struct ern_request request = {.method = good[i].method, .query = ERN_SLICE("before")};
        size_t at = 0;
        enum finding finding = target_parse(good[i].target, &request, &at);

        if (finding != FINDING_none)
            fail_msg("row of line %d: %s at %zu", good[i].line, finding_row(finding)->name, at);
        if (request.form != good[i].form)
            fail_msg("row of line %d: form %d", good[i].line, (int)request.form);
        check_text(good[i].line, "authority", request.authority, good[i].authority);
        check_text(good[i].line, "path", request.path, good[i].path);
        check_text(good[i].line, "query", request.query, good[i].query);
    }
}

static void
leaves_an_authority_that_the_target_does_not_have(void **state)
{
    struct ern_request request = {.authority = ERN_SLICE("host"), .method = ERN_GET};
    size_t at;

    (void)state;
    assert_int_equal(target_parse(ERN_SLICE("/a"), &request, &at), FINDING_none);
    check_text(__LINE__, "authority", request.authority, ERN_SLICE("host"));
    assert_int_equal(target_parse(ERN_SLICE("http://b/"), &request, &at), FINDING_none);
    check_text(__LINE__, "authority", request.authority, ERN_SLICE("b"));
}

static const struct {
    int line;
    enum ern_method method;
    struct ern_slice target;
    enum finding finding;
    size_t at;
} bad[] = {
#define BAD(method, target, finding, at)                                                           \
    {                                                                                              \
        __LINE__, ERN_##method, S(target), FINDING_##finding, at                                   \
    }
    BAD(GET, "*", target_form, 0),
    BAD(METHODS, "*", target_form, 0),
    BAD(OPTIONS, "**", target_form, 1),
    BAD(OPTIONS, "*/", target_form, 1),
    BAD(GET, "a", target_form, 0),
    BAD(GET, "a/b", target_form, 0),
    BAD(GET, "?q", target_form, 0),
    BAD(GET, "#", target_form, 0),
    BAD(GET, "%2f", target_form, 0),
    BAD(GET, "example.com:80", target_form, 0),
    BAD(GET, "ftp://a/", target_form, 0),
    BAD(GET, "http:/a", target_form, 0),
    BAD(GET, "http:", target_form, 0),
    BAD(GET, "httpss://a/", target_form, 0),
    BAD(GET, " /", target_form, 0),
    BAD(GET, "http://", host_syntax, 7),
    BAD(GET, "http:///a", host_syntax, 7),
    BAD(GET, "http://?a", host_syntax, 7),
    BAD(GET, "https://:80/", host_syntax, 8),
    BAD(GET, "http://user@host/", host_syntax, 11),
    BAD(GET, "http://user:pass@host/", host_syntax, 12),
    BAD(GET, "http://@host/", host_syntax, 7),
    BAD(GET, "http://a\\b/", host_syntax, 8),
    BAD(GET, "http://a b/", host_syntax, 8),
    BAD(GET, "http://a:65536/", host_syntax, 9),
    BAD(GET, "http://a:8x/", host_syntax, 9),
    BAD(GET, "http://a%zz/", host_syntax, 8),
    BAD(GET, "http://[::1", host_syntax, 7),
    BAD(GET, "http://[::1]x/", host_syntax, 12),
    BAD(GET, "http://a#f", target_syntax, 8),
    BAD(OPTIONS, "http://a#f", target_syntax, 8),
    BAD(OPTIONS, "http://:80", host_syntax, 7),
    BAD(GET, "http://a/b#f", target_syntax, 10),
    BAD(GET, "/a#f", target_syntax, 2),
    BAD(GET, "/a?b#f", target_syntax, 4),
    BAD(GET, "/a b", target_syntax, 2),
    BAD(GET, "/?a b", target_syntax, 3),
    BAD(GET, "/?\x7f", target_syntax, 2),
    BAD(GET, "/?\xc3\xa9", target_syntax, 2),
    BAD(GET, "/\xc3\xa9", target_syntax, 1),
    BAD(GET, "/a\0", target_syntax, 2),
    BAD(GET, "/a\r", target_syntax, 2),
    BAD(GET, "/%", target_encoding, 1),
    BAD(GET, "/%4", target_encoding, 1),
    BAD(GET, "/a%4g?", target_encoding, 2),
    BAD(GET, "/%g4", target_encoding, 1),
    BAD(GET, "/%41%?a", target_encoding, 4),
    BAD(GET, "/%?41", target_encoding, 1),
    BAD(GET, "http://a/%", target_encoding, 9),
    BAD(CONNECT, "/", target_form, 0),
    BAD(CONNECT, "*", target_form, 0),
    BAD(CONNECT, "http://a:80", target_form, 0),
    BAD(CONNECT, "a", target_form, 1),
    BAD(CONNECT, "[::1]", target_form, 5),
    BAD(CONNECT, "a:", target_form, 1),
    BAD(CONNECT, "a:0", target_form, 1),
    BAD(CONNECT, "a:000", target_form, 1),
    BAD(CONNECT, "a:65536", host_syntax, 2),
    BAD(CONNECT, ":80", host_syntax, 0),
    BAD(CONNECT, "u@a:80", host_syntax, 1),
    BAD(CONNECT, "a?b:80", host_syntax, 1),
#undef BAD
};

static void
refuses_what_is_no_target_at_the_byte_that_shows_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(bad); i++) {
        struct ern_request request = {.method = bad[i].method};
        size_t at = SIZE_MAX;
        enum finding finding = target_parse(bad[i].target, &request, &at);

        if (finding != bad[i].finding || at != bad[i].at)
            fail_msg("row of line %d: %s at %zu, not %s at %zu", bad[i].line,
                     finding_row(finding)->name, at, finding_row(bad[i].finding)->name, bad[i].at);
    }
}

/* Each byte in the path and in the query, against the words of RFC 3986 3.3 and 3.4. */
static void
takes_the_characters_of_the_grammar_and_no_others(void **state)
{
    static const char pchar[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~!$&'()*+,;=:@";

    (void)state;
    for (int c = 0; c < 256; c++) {
        char path[] = {'/', (char)c, 'a'}, query[] = {'/', '?', (char)c};
        struct ern_request request = {.method = ERN_GET};
        size_t at;
        bool may = c == '/' || c == '?' || (c && strchr(pchar, c));
        enum finding want = may        ? FINDING_none
                            : c == '%' ? FINDING_target_encoding
                                       : FINDING_target_syntax;

        if (target_parse(slice_from(path, 3), &request, &at) != want)
            fail_msg("byte 0x%02x in a path", (unsigned)c);
        want = c > ' ' && c < 0x7f && c != '#' ? FINDING_none : FINDING_target_syntax;
        if (target_parse(slice_from(query, 3), &request, &at) != want)
            fail_msg("byte 0x%02x in a query", (unsigned)c);
    }
}

static const struct {
    int line;
    bool is;
    struct ern_slice text;
    const char *host; /* if it is one */
} authorities[] = {
#define YES(text, host)                                                                            \
    {                                                                                              \
        __LINE__, true, S(text), host                                                              \
    }
#define NO(text)                                                                                   \
    {                                                                                              \
        __LINE__, false, S(text), NULL                                                             \
    }
    YES("a", "a"),
    YES("www.example.org", "www.example.org"),
    YES("a:", "a"),
    YES("a:0", "a"),
    YES("a:65535", "a"),
    YES("a:00080", "a"),
    YES("127.0.0.1:80", "127.0.0.1"),
    YES("999.1.1.1", "999.1.1.1"), /* a reg-name */
    YES("%41%e0", "%41%e0"),
    YES("a_b~c!$&'()*+,;=", "a_b~c!$&'()*+,;="),
    YES("[::]", "[::]"),
    YES("[::1]:80", "[::1]"),
    YES("[1::]", "[1::]"),
    YES("[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]"),
    YES("[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]"),
    YES("[::2:3:4:5:6:7:8]", "[::2:3:4:5:6:7:8]"),
    YES("[1:2::ABCD:ef01]:", "[1:2::ABCD:ef01]"),
    YES("[::255.249.0.19]", "[::255.249.0.19]"),
    YES("[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]"),
    YES("[1:2:3:4:5::1.2.3.4]", "[1:2:3:4:5::1.2.3.4]"),
    YES("[v1.a:b]", "[v1.a:b]"),
    YES("[VfF.~]:9", "[VfF.~]"),
    NO(":"),
    NO(":80"),
    NO(" a"),
    NO("a "),
    NO("a b"),
    NO("a:b:80"),
    NO("a:-1"),
    NO("a:+1"),
    NO("a:65536"),
    NO("a:18446744073709551617"),
    NO("a@b"),
    NO("@"),
    NO("a/b"),
    NO("a,b\\"),
    NO("%4"),
    NO("%"),
    NO("a\0"),
    NO("\xc3\xa9"),
    NO("::1"),
    NO("["),
    NO("[]"),
    NO("[1]"),
    NO("[:]"),
    NO("[:1]"),
    NO("[1:]"),
    NO("[:::]"),
    NO("[1:::2]"),
    NO("[1::2::3]"),
    NO("[::2::3]"),
    NO("[1:2:3:4:5:6:7]"),
    NO("[1:2:3:4:5:6:7:]"),
    NO("[1:2:3:4:5:6:7:8:9]"),
    NO("[1:2:3:4:5:6:7:8::]"),
    NO("[1::2:3:4:5:6:7:8]"),
    NO("[12345::]"),
    NO("[::g]"),
    NO("[::1.2.3]"),
    NO("[::1.2.3.]"),
    NO("[::1.2.3.4.5]"),
    NO("[::1.2.3.256]"),
    NO("[::1.2.3.04]"),
    NO("[::1.2.3.4:5]"),
    NO("[1:2:3:4:5:6:7:1.2.3.4]"),
    NO("[1:2:3:4:5:6::1.2.3.4]"),
    NO("[1.2.3.4]"),
    NO("[::1%25eth0]"),
    NO("[::1]80"),
    NO("[::1]:x"),
    NO("[::1]]"),
    NO("[v.a]"),
    NO("[v1]"),
    NO("[v1.]"),
    NO("[v1a]"),
    NO("[vg.a]"),
    NO("[v1.a@]"),
    NO("[v1g.a]"),
    NO("[x1.a]"),
#undef YES
#undef NO
};

static void
knows_authorities(void **state)
{
    (void)state;
    assert_true(authority_is(ERN_SLICE(""), true));
    assert_false(authority_is(ERN_SLICE(""), false));
    check_text(__LINE__, "host", authority_host(ERN_SLICE("")), ERN_SLICE(""));
    for (size_t i = 0; i < LEN(authorities); i++) {
        if (authority_is(authorities[i].text, false) != authorities[i].is ||
            authority_is(authorities[i].text, true) != authorities[i].is)
            fail_msg("row of line %d", authorities[i].line);
        if (authorities[i].is)
            check_text(authorities[i].line, "host", authority_host(authorities[i].text),
                       slice_text(authorities[i].host));
    }
}

static const struct {
    int line;
    struct ern_slice path, text;
    bool escapes;
    const char *written; /* by path_write(), where it differs from the path */
} paths[] = {
#define PATH(path, text, written)                                                                  \
    {                                                                                              \
        __LINE__, S(path), S(text), false, written                                                 \
    }
#define ESCAPES(path)                                                                              \
    {                                                                                              \
        __LINE__, S(path), S(""), true, NULL                                                       \
    }
    PATH("/", "/", "/"),
    PATH("/a", "/a", "/a"),
    PATH("/a/", "/a/", "/a/"),
    PATH("/a/b.c", "/a/b.c", "/a/b.c"),
    PATH("/a./b..", "/a./b..", "/a./b.."),
    PATH("//", "/", "/"),
    PATH("///a//b///", "/a/b/", "/a/b/"),
    PATH("/.", "/", "/"),
    PATH("/./", "/", "/"),
    PATH("/./a", "/a", "/a"),
    PATH("/a/.", "/a/", "/a/"),
    PATH("/a/./", "/a/", "/a/"),
    PATH("/a/..", "/", "/"),
    PATH("/a/../", "/", "/"),
    PATH("/a/b/..", "/a/", "/a/"),
    PATH("/a/b/../..", "/", "/"),
    PATH("/a/b/../../c", "/c", "/c"),
    PATH("/a//../b", "/b", "/b"),
    PATH("/a/.//../b", "/b", "/b"),
    PATH("/a/b/c/./../../g", "/a/g", "/a/g"), /* RFC 3986 5.2.4 */
    PATH("/.a/..b/...", "/.a/..b/...", "/.a/..b/..."),
    PATH("/%2e", "/", "/"),
    PATH("/a/%2E%2e/b", "/b", "/b"),
    PATH("/a/.%2e", "/", "/"),
    PATH("/a/%2e./b", "/b", "/b"),
    PATH("/%2e%2e%2e", "/...", "/..."),
    PATH("/%252e%252e/", "/%2e%2e/", "/%252e%252e/"), /* decoded once */
    PATH("/%41%7e", "/A~", "/A~"),
    PATH("/%e0%a6%95", "/\xe0\xa6\x95", "/%E0%A6%95"),
    PATH("/a%20b%3f%23%5c", "/a b?#\\", "/a%20b%3F%23%5C"),
    PATH("/%0d%0a%01%7f", "/\r\n\x01\x7f", "/%0D%0A%01%7F"),
    PATH("/%25", "/%", "/%25"),
    PATH("/%ff", "/\xff", "/%FF"),
    PATH("/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"),
    ESCAPES("/.."),
    ESCAPES("/../"),
    ESCAPES("/../a"),
    ESCAPES("/a/../.."),
    ESCAPES("/a/../../a/b"),
    ESCAPES("//.."),
    ESCAPES("/./.."),
    ESCAPES("/%2e%2e/a"),
    ESCAPES("/..//a"),
#undef PATH
#undef ESCAPES
};

static void
reads_and_writes_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(paths); i++) {
        char memory[64], again[128];
        struct out o = out_init(memory, paths[i].path.len); /* as much as is promised to do */
        struct out w = out_init(again, sizeof again);
        struct path path = {ERN_ABSENT, false};
        size_t at;

        assert_int_equal(path_read(paths[i].path, &o, &path, &at), FINDING_none);
        assert_false(o.full);
        if (path.escapes != paths[i].escapes)
            fail_msg("row of line %d: escapes is %d", paths[i].line, path.escapes);
        check_text(paths[i].line, "text", path.text, paths[i].text);
        if (path.text.ptr != paths[i].path.ptr && o.len != path.text.len)
            fail_msg("row of line %d: %zu bytes taken", paths[i].line, o.len);
        if (path.escapes)
            continue;
        path_write(&w, path.text);
        check_text(paths[i].line, "written", out_done(&w), slice_text(paths[i].written));
    }
}

static void
gives_a_plain_path_as_it_is(void **state)
{
    struct ern_slice plain = ERN_SLICE("/a/b.c/d/");
    struct out o = out_init(NULL, 0);
    struct path path;
    size_t at;

    (void)state;
    assert_int_equal(path_read(plain, &o, &path, &at), FINDING_none);
    assert_ptr_equal(path.text.ptr, plain.ptr);
    assert_int_equal(path.text.len, plain.len);
    assert_false(o.full);
}

static void
writes_after_what_is_there_and_tells_when_it_is_full(void **state)
{
    char memory[16];
    struct out o = out_init(memory, sizeof memory);
    struct path path;
    size_t at;

    (void)state;
    out_literal(&o, "before");
    assert_int_equal(path_read(ERN_SLICE("/a/../%62"), &o, &path, &at), FINDING_none);
    check_text(__LINE__, "text", path.text, ERN_SLICE("/b"));
    check_text(__LINE__, "out", out_done(&o), ERN_SLICE("before/b"));
    assert_int_equal(path_read(ERN_SLICE("/%61%62%63"), &o, &path, &at), FINDING_none);
    assert_true(o.full);
    check_text(__LINE__, "text", path.text, ERN_SLICE(""));
}

static const struct {
    int line;
    struct ern_slice path;
    enum finding finding;
    size_t at;
} bad_paths[] = {
    {__LINE__, S("/%00"), FINDING_target_nul, 1},
    {__LINE__, S("/a/%2f"), FINDING_target_slash, 3},
    {__LINE__, S("/a/..%2F"), FINDING_target_slash, 5},
    {__LINE__, S("/../%2f"), FINDING_target_slash, 4}, /* a finding comes before an escape */
    {__LINE__, S("/%41%00%2f"), FINDING_target_nul, 4},
    {__LINE__, S("/%"), FINDING_target_encoding, 1},
    {__LINE__, S("/%4"), FINDING_target_encoding, 1},
    {__LINE__, S("/%4/1"), FINDING_target_encoding, 1},
    {__LINE__, S("//%zz"), FINDING_target_encoding, 2},
};

static void
refuses_escapes_that_mislead(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(bad_paths); i++) {
        char memory[64];
        struct out o = out_init(memory, sizeof memory);
        struct path path;
        size_t at = SIZE_MAX;
        enum finding finding = path_read(bad_paths[i].path, &o, &path, &at);

        if (finding != bad_paths[i].finding || at != bad_paths[i].at)
            fail_msg("row of line %d: %s at %zu", bad_paths[i].line, finding_row(finding)->name,
                     at);
        assert_int_equal(o.len, 0);
        assert_int_equal(path.text.len, 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(leaves_an_authority_that_the_target_does_not_have),
        cmocka_unit_test(refuses_what_is_no_target_at_the_byte_that_shows_it),
        cmocka_unit_test(takes_the_characters_of_the_grammar_and_no_others),
        cmocka_unit_test(knows_authorities),
        cmocka_unit_test(reads_and_writes_paths),
        cmocka_unit_test(gives_a_plain_path_as_it_is),
        cmocka_unit_test(writes_after_what_is_there_and_tells_when_it_is_full),
        cmocka_unit_test(refuses_escapes_that_mislead),
    };

    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
