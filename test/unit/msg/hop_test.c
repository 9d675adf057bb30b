/* SPDX-License-Identifier: Apache-2.0 */
/* hop_test.c - what ends at us, what goes on, and whether it was here before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/hop.h"
#include "msg/target.h"

enum { FIELDS = 8 };

struct message {
    struct ern_field fields[FIELDS];
    struct ern_request request;
};

/* A message with these pairs of names and values, NULL after the last. */
static void
make(struct message *m, const char *const *pairs)
{
    ern_request_init(&m->request, m->fields, FIELDS);
    for (; *pairs; pairs += 2)
        assert_true(ern_request_add(&m->request, slice_text(pairs[0]), slice_text(pairs[1])));
}

#define MAKE(m, ...) make(m, (const char *const[]){__VA_ARGS__, NULL})

static void
test_ends(void **state)
{
    static const char *const end[] = {
        "Connection",
        "keep-alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Transfer-Encoding",
        "Content-Length",
        "HTTP2-Settings",
        "Proxy-Authorization",
        "PROXY-Connection",
        "Proxy-Authenticate",
        "X-Named",
    };
    static const char *const go_on[] = {"Host", "Via", "X-Other", "Keep-Alive-Not", "Cookie", "X"};
    struct message m;

    (void)state;
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        MAKE(&m, "Connection", "close, x-named", end[i], "v");
        assert_true(hop_ends(&m.request, &m.fields[1]));
    }
    for (size_t i = 0; i < sizeof go_on / sizeof *go_on; i++) {
        MAKE(&m, "Connection", "close, x-named", go_on[i], "v");
        assert_false(hop_ends(&m.request, &m.fields[1]));
    }
    MAKE(&m, "Cookie", "a", "Connection", "a", "Connection", "b, cookie");
    assert_true(hop_ends(&m.request, &m.fields[0]));
}

static void
test_disguises(void **state)
{
    (void)state;
    assert_true(hop_is_disguised(ERN_SLICE("Content_Length")));
    assert_true(hop_is_disguised(ERN_SLICE("x_forwarded_for")));
    assert_false(hop_is_disguised(ERN_SLICE("Transfer-_Encoding")));
    assert_false(hop_is_disguised(ERN_SLICE("Content-Length")));
    assert_false(hop_is_disguised(ERN_SLICE("my_own_field")));
    assert_false(hop_is_disguised(ERN_SLICE("")));
    assert_false(hop_is_disguised(ERN_SLICE("a_very_long_name_that_is_longer_than_all_we_know")));
}

static void
test_loops(void **state)
{
    static const struct {
        const char *name, *value;
        bool loops;
    } rows[] = {
        {"Via", "1.1 us", true},
        {"Via", "HTTP/1.1 US", true},
        {"Via", "1.0 them, 1.1 us (a, b)", true},
        {"Via", "1.1 us2", false},
        {"Via", "1.1 them (us)", false},
        {"Via", "us", false},
        {"Via", "", false},
        {"Via", "1.1  us", true},
        {"CDN-Loop", "them, us", true},
        {"CDN-Loop", "us; a=b", true},
        {"CDN-Loop", "them;us", false},
        {"CDN-Loop", "them; a=\"us\"", false},
        {"X-Via", "1.1 us", false},
    };
    struct message m;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        MAKE(&m, rows[i].name, rows[i].value);
        assert_int_equal(hop_loops(&m.request, ERN_SLICE("us")), rows[i].loops);
    }
}

static void
test_upgrade(void **state)
{
    static const struct {
        const char *value, *written;
    } rows[] = {
        {"websocket", "websocket"},
        {"h2c", ""},
        {"h2c, websocket, TLS/1.3, HTTP/2.0, echo/2", "websocket, echo/2"},
    };
    struct message m;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        struct out o = out_init(text, sizeof text);

        MAKE(&m, "Upgrade", rows[i].value);
        assert_int_equal(hop_write_upgrade(&m.request, &o), rows[i].written[0] != '\0');
        assert_true(slice_eq(out_done(&o), slice_text(rows[i].written)));
    }
}

static void
test_plain_paths(void **state)
{
    static const char *const plain[] = {"/",    "/a",  "/a/b/", "/a%2fb",
                                        "/...", "/.a", "/a..",  "/%2e%2e%2e"};
    static const char *const odd[] = {"//", "/a//b", "/.", "/a/..", "/%2e", "/.%2E/x", "/a/%2e./"};

    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(path_is_plain(slice_text(plain[i])));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_false(path_is_plain(slice_text(odd[i])));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),        cmocka_unit_test(test_disguises),
        cmocka_unit_test(test_loops),       cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_plain_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
