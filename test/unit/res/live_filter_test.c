/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "res/live_filter.h"

static void
queries_are_read(void **state)
{
    static const struct {
        const char *query;
        const char *path;
        const char *statuses; /* NULL: it is no such query */
    } rows[] = {
        {"", "", "1xx,2xx,3xx,4xx,5xx"},
        {"status=4xx,201", "", "201,4xx"},
        {"status=404,4xx,%20500", "", "4xx,500"},
        {"path=/dav/", "/dav/", "1xx,2xx,3xx,4xx,5xx"},
        {"path=%2Fa+b%2b&status=599", "/a b+", "599"},
        {"path=/a&path=/b", "/b", "1xx,2xx,3xx,4xx,5xx"},
        {"path=/a&", "/a", "1xx,2xx,3xx,4xx,5xx"},
        {"&path=/a", NULL, NULL},
        {"path", NULL, NULL},
        {"path=", NULL, NULL},
        {"path=a", NULL, NULL},
        {"path=/%", NULL, NULL},
        {"path=/%2", NULL, NULL},
        {"path=/%g0", NULL, NULL},
        {"status=", NULL, NULL},
        {"status=4xx,", NULL, NULL},
        {"status=4x", NULL, NULL},
        {"status=40x", NULL, NULL},
        {"status=xxx", NULL, NULL},
        {"status=4x5", NULL, NULL},
        {"status=0xx", NULL, NULL},
        {"status=6xx", NULL, NULL},
        {"status=099", NULL, NULL},
        {"status=600", NULL, NULL},
        {"status=4044", NULL, NULL},
        {"Status=404", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct live_filter filter;
        char text[256];
        struct out o = out_init(text, sizeof text);
        bool is_read = live_filter_query(&filter, slice_text(rows[i].query));

        if (is_read != (rows[i].statuses != NULL))
            fail_msg("%s", rows[i].query);
        if (!is_read)
            continue;
        live_filter_write_statuses(&o, &filter);
        if (!slice_eq(out_done(&o), slice_text(rows[i].statuses)) ||
            !slice_eq(slice_from(filter.path, filter.path_len), slice_text(rows[i].path)))
            fail_msg("%s: %.*s", rows[i].query, (int)o.len, text);
    }
}

static void
decisions_are_wanted(void **state)
{
    struct live_filter filter;

    (void)state;
    assert_true(live_filter_query(&filter, ERN_SLICE("path=/dav/&status=4xx,201")));
    assert_true(live_filter_wants(&filter, ERN_SLICE("/dav/"), 404));
    assert_true(live_filter_wants(&filter, ERN_SLICE("/dav/a"), 201));
    assert_false(live_filter_wants(&filter, ERN_SLICE("/dav"), 404));
    assert_false(live_filter_wants(&filter, ERN_SLICE("/dav/a"), 200));
    assert_false(live_filter_wants(&filter, ERN_SLICE("/dav/a"), 500));
    assert_false(live_filter_wants(&filter, ERN_SLICE("/dav/a"), 99));
    live_filter_init(&filter);
    assert_true(live_filter_wants(&filter, ERN_SLICE("/"), 100));
    assert_true(live_filter_wants(&filter, ERN_SLICE("/"), 599));
    assert_false(live_filter_wants(&filter, ERN_SLICE("/"), 600));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_are_read),
        cmocka_unit_test(decisions_are_wanted),
    };

    return cmocka_run_group_tests_name("live_filter", tests, NULL, NULL);
}
