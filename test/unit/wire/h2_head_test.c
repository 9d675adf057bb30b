/* SPDX-License-Identifier: Apache-2.0 */
/* h2_head_test.c - heads of requests over HTTP/2: what is read, what is refused, which field is to
 * blame, under which limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "lib/h2_server.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

/* A literal that leaves no trace in the table (RFC 7541 6.2.2). */
static void
add_field(struct out *o, struct ern_slice name, struct ern_slice value)
{
    const struct ern_slice texts[] = {name, value};

    out_char(o, '\0');
    for (unsigned i = 0; i < LEN(texts); i++) {
        size_t n = texts[i].len;

        out_char(o, (char)(n < 127 ? n : 127));
        if (n >= 127) {
            out_char(o, (char)((n - 127) % 128 | 128));
            out_char(o, (char)((n - 127) / 128));
        }
        out_slice(o, texts[i]);
    }
}

static void
feed_head(struct ern_slice block, bool ends)
{
    char flags = NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0);
    char frame[9] = {0, (char)(block.len >> 8), (char)block.len, NGHTTP2_HEADERS, flags, 0, 0, 0,
                     1};

    assert_in_range(block.len, 0, 16384);
    assert_true(h2_server_feed(slice_from(frame, sizeof frame), sizeof frame));
    assert_true(h2_server_feed(block, block.len));
}

/* Begins a session, and reads a head: "name value\n" for each of its fields. */
static const struct ern_request *
read_head(struct ern_slice fields, bool ends)
{
    static char bytes[H2_SERVER_WIRE];
    struct out block = out_init(bytes, sizeof bytes);

    h2_server_open();
    h2_server_greet();
    while (fields.len) {
        struct ern_slice line = slice_first(fields, slice_find(fields, '\n'));
        size_t space = slice_find(line, ' ');

        add_field(&block, slice_first(line, space), slice_skip(line, space + 1));
        fields = slice_skip(fields, line.len + 1);
    }
    assert_false(block.full);
    feed_head(out_done(&block), ends);
    return &h2_server.places[0].request;
}

#define PLAIN ":method GET\n:scheme http\n:path /kept\n"
#define USUAL PLAIN ":authority a.test\n"
#define CONNECT ":method CONNECT\n"
#define MALFORMED "closed:1 RESET:1=1" /* RFC 9113 8.1.1 */
#define EXTENDED CONNECT ":scheme http\n:path /chat\n:authority a.test\n:protocol "

static void
findings_name_what_is_wrong(void **state)
{
    const struct {
        struct ern_slice fields;
        const char *story;
    } cases[] = {
        {ERN_SLICE(USUAL), "head:1"},
        {ERN_SLICE(PLAIN "host a.test\n"), "head:1"},
        {ERN_SLICE(USUAL "host A.test\n"), "head:1"},
        {ERN_SLICE(USUAL "host b.test\n"), "head:1:host_differs"},
        {ERN_SLICE(PLAIN ":authority a/b\n"), MALFORMED},
        {ERN_SLICE(PLAIN ":authority a@b\n"), "head:1:host_syntax"},
        {ERN_SLICE(USUAL "host a.test\nhost a.test\n"), MALFORMED},
        {ERN_SLICE(USUAL "content-length 1x\n"), MALFORMED},
        {ERN_SLICE(USUAL "if-match \"a\"\nif-match \"b\"\n"), "head:1"},
        {ERN_SLICE(USUAL "range bytes=0-1\nrange bytes=2-3\n"), "head:1:single_repeated:range"},
        {ERN_SLICE(":method GET\n:scheme http\n:authority a\n:path /%zz\n"),
         "head:1:target_encoding"},
        {ERN_SLICE(":method GET\n:scheme http\n:authority a\n:path *\n"), MALFORMED},
        {ERN_SLICE(":method OPTIONS\n:scheme http\n:authority a\n:path *\n"), "head:1"},
        {ERN_SLICE(":method GET\n:scheme x\n:authority a\n:path b\n"), "head:1:target_form"},
        {ERN_SLICE(CONNECT ":authority a.test:80\n"), "head:1"},
        {ERN_SLICE(CONNECT ":authority a.test\n"), "head:1:target_form"},
        {ERN_SLICE(CONNECT), MALFORMED},
        {ERN_SLICE(EXTENDED "websocket\n"), "head:1"},
        {ERN_SLICE(USUAL ":protocol websocket\n"), MALFORMED},
        {ERN_SLICE(USUAL "connection close\n"), MALFORMED},
        {ERN_SLICE(USUAL "transfer-encoding chunked\n"), MALFORMED},
        {ERN_SLICE(USUAL "te gzip\n"), MALFORMED},
        {ERN_SLICE(USUAL "te trailers\n"), "head:1"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        (void)read_head(cases[i].fields, true);
        if (h2_server.story.len == 0)
            h2_server_send();
        h2_server_close();
        if (!slice_eq(out_done(&h2_server.story), slice_text(cases[i].story)))
            fail_msg("%.*s%.*s", (int)cases[i].fields.len, cases[i].fields.ptr,
                     (int)h2_server.story.len, h2_server.story_text);
    }
}

/* Reads a head: these fields, n_fields "x: y", and one that ends with n bytes more. Returns its
 * story. */
static struct ern_slice
story_of_size(const char *start, size_t n_fields, const char *last, size_t n)
{
    static char text[H2_SERVER_WIRE];
    struct out o = out_init(text, sizeof text);

    out_text(&o, start);
    while (n_fields--)
        out_literal(&o, "x y\n");
    out_text(&o, last);
    while (n--)
        out_char(&o, 'a');
    out_char(&o, '\n');
    (void)read_head(out_done(&o), true);
    h2_server_close();
    return out_done(&h2_server.story);
}

static void
expect_size(const char *start, size_t n_fields, const char *last, size_t n, const char *finding)
{
    struct ern_slice story = story_of_size(start, n_fields, last, n);

    if (!slice_eq(story, slice_text(finding)))
        fail_msg("%zu fields, %s %zu: %.*s", n_fields, last, n, (int)story.len, story.ptr);
}

/* What is just within a limit, and just beyond. */
static void
limits_are_those_of_http_1(void **state)
{
    enum { TARGET = 64, FIELD = 256, SECTION = 512, MANY = 60, LINE = 4 + 1, X = LINE + 1 };
    static const char no_path[] = ":method GET\n:scheme http\n:authority a\n";
    size_t path = TARGET - 4 - 2, field = FIELD - LINE;
    size_t section = SECTION - 2 - 45 * X - (sizeof "host: a\r\n" - 1) - LINE;

    (void)state;
    h2_server.limits.target_bytes_max = TARGET;
    h2_server.limits.field_bytes_max = FIELD;
    h2_server.limits.fields_bytes_max = SECTION;
    h2_server.limits.fields_max = MANY;
    expect_size(no_path, 0, ":path /", path, "head:1");
    expect_size(no_path, 0, ":path /", path + 1, "head:1:target_too_long");
    expect_size(no_path, 0, ":path /", 2 * TARGET, "head:1:target_too_long");
    expect_size(USUAL, 0, "y ", field, "head:1");
    expect_size(USUAL, 0, "y ", field + 1, "head:1:field_too_large:y");
    expect_size(PLAIN, 0, "host ", field - 3, "head:1");
    expect_size(PLAIN, 0, "host ", field - 2, "head:1:field_too_large:host");
    expect_size(PLAIN "host a\n", 45, "y ", section, "head:1");
    expect_size(PLAIN "host a\n", 45, "y ", section + 1, "head:1:fields_too_large:y");
    expect_size(USUAL, 45, "y ", section - 5, "head:1");
    expect_size(USUAL, 45, "y ", section - 5 + 1, "head:1:fields_too_large:y");
    expect_size(PLAIN "host a\n", MANY - 2, "y ", 1, "head:1");
    expect_size(PLAIN "host a\n", MANY - 1, "y ", 1, "head:1:fields_too_many:y");
    expect_size(USUAL, MANY - 2, "y ", 1, "head:1");
    expect_size(USUAL, MANY - 1, "y ", 1, "head:1:fields_too_many:y");
}

static void
cookies_are_joined(void **state)
{
    const struct ern_request *r =
        read_head(ERN_SLICE(USUAL "cookie a=b\nx y\ncookie c=d\ncookie e\nz 1\n"), true);
    struct ern_slice cookie;
    uint16_t at = 0;

    (void)state;
    assert_true(ern_request_next(r, ERN_FIELD_cookie, &at, &cookie));
    assert_true(slice_eq(cookie, ERN_SLICE("a=b; c=d; e")));
    assert_false(ern_request_next(r, ERN_FIELD_cookie, &at, &cookie));
    assert_int_equal(r->fields_n, 5);
    h2_server_close();
}

/* rfc8441#4 "the :scheme and :path pseudo-header fields of the target URI (see Section 5) MUST also
 * be included" */
static void
an_extended_connect_is_a_get_with_upgrade(void **state)
{
    const struct ern_request *r = read_head(ERN_SLICE(EXTENDED "websocket\n"), false);

    (void)state;
    assert_int_equal(r->method, ERN_GET);
    assert_true(slice_eq(r->protocol, ERN_SLICE("websocket")));
    assert_true(slice_eq(r->path, ERN_SLICE("/chat")));
    assert_true(slice_eq(r->authority, ERN_SLICE("a.test")));
    h2_server_close();
    r = read_head(ERN_SLICE(CONNECT ":authority b.test:443\n"), false);
    assert_int_equal(r->method, ERN_CONNECT);
    assert_false(slice_is_there(r->protocol));
    assert_int_equal(r->form, ERN_AUTHORITY_FORM);
    assert_true(slice_eq(r->authority, ERN_SLICE("b.test:443")));
    h2_server_close();
}

static void
a_request_is_whole(void **state)
{
    const struct ern_request *r =
        read_head(ERN_SLICE(":method PUT\n:scheme https\n:authority a.test:8443\n:path /kept?q\n"
                            "accept */*\n"),
                  false);

    (void)state;
    assert_int_equal(r->method, ERN_PUT);
    assert_true(slice_eq(r->path, ERN_SLICE("/kept")));
    assert_true(slice_eq(r->query, ERN_SLICE("q")));
    assert_true(slice_eq(r->authority, ERN_SLICE("a.test:8443")));
    assert_int_equal(r->version_major * 10 + r->version_minor, 20);
    assert_int_equal(r->content_length, -1);
    assert_true(r->chunked); /* the length is not said */
    assert_int_equal(r->fields_n, 1);
    h2_server_close();
    assert_false(read_head(ERN_SLICE(USUAL), true)->chunked);
    h2_server_close();
    r = read_head(ERN_SLICE(":method PUT\n:scheme http\n:authority a\n:path /kept\n"
                            "content-length 7\n"),
                  false);
    assert_int_equal(r->content_length, 7);
    assert_false(r->chunked);
    h2_server_close();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(findings_name_what_is_wrong, h2_server_setup),
        cmocka_unit_test_setup(limits_are_those_of_http_1, h2_server_setup),
        cmocka_unit_test_setup(cookies_are_joined, h2_server_setup),
        cmocka_unit_test_setup(an_extended_connect_is_a_get_with_upgrade, h2_server_setup),
        cmocka_unit_test_setup(a_request_is_whole, h2_server_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
