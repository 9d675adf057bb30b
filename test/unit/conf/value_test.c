/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "conf/value.h"

static void
flags_are_six_words(void **state)
{
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    static const char *const none[] = {"", "True", "1", "0", "tru", "true|yes", "on "};
    bool flag = false;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(value_flag(slice_text(yes[i]), &flag) && flag);
        assert_true(value_flag(slice_text(no[i]), &flag) && !flag);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (value_flag(slice_text(none[i]), &flag))
            fail_msg("\"%s\" is taken", none[i]);
}

static void
quantities_have_the_suffixes_of_their_unit(void **state)
{
    static const struct {
        const char *text, *unit;
        int64_t wanted; /* -1: none */
    } rows[] = {
        {"0", "ms", 0},
        {"15", "ms", 15},
        {"15ms", "ms", 15},
        {"10s", "ms", 10000},
        {"2m", "ms", 120000},
        {"1h", "ms", 3600000},
        {"1K", "ms", -1},
        {"64K", "bytes", 65536},
        {"1M", "bytes", 1048576},
        {"10G", "bytes", 10737418240},
        {"2K", "bytes/s", 2048},
        {"1s", "bytes", -1},
        {"1k", "bytes", -1},
        {"5", "number", 5},
        {"5K", "number", -1},
        {"", "ms", -1},
        {"s", "ms", -1},
        {"-1", "ms", -1},
        {"1.5s", "ms", -1},
        {"1 s", "ms", -1},
        {"9223372036854775807", "bytes", INT64_MAX},
        {"9223372036854775808", "bytes", -1},
        {"8589934591G", "bytes", 9223372035781033984},
        {"8589934592G", "bytes", -1},
        {"99999999999999999999999", "bytes", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t n = -1;
        bool good = value_quantity(slice_text(rows[i].text), slice_text(rows[i].unit), &n);

        if (good != (rows[i].wanted >= 0) || n != rows[i].wanted)
            fail_msg("\"%s\" of %s is %lld", rows[i].text, rows[i].unit, (long long)n);
    }
}

static void
addresses_are_numeric(void **state)
{
    static const struct {
        const char *text, *address; /* NULL: none */
        unsigned port;
    } rows[] = {
        {"0.0.0.0:8080", "0.0.0.0", 8080},
        {"127.0.0.1:0", "127.0.0.1", 0},
        {"[::]:8443", "::", 8443},
        {"[::ffff:1.2.3.4]:65535", "::ffff:1.2.3.4", 65535},
        {":80", "", 80},
        {"80", "", 80},
        {"", NULL, 0},
        {":", NULL, 0},
        {"65536", NULL, 0},
        {"1.2.3:80", NULL, 0},
        {"1.2.3.4.5:80", NULL, 0},
        {"::1:80", NULL, 0},
        {"[]:80", NULL, 0},
        {"[1.2.3.4]:80", NULL, 0},
        {"[::1]80", NULL, 0},
        {"[::1%lo]:80", NULL, 0},
        {"a:80", NULL, 0},
        {"1.2.3.4:", NULL, 0},
        {"1.2.3.4:+1", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice address = ERN_ABSENT;
        uint16_t port = 0;
        bool good = value_address(slice_text(rows[i].text), &address, &port);

        if (good != (rows[i].address != NULL) || port != rows[i].port ||
            !slice_eq(address, slice_text(rows[i].address)))
            fail_msg("\"%s\"", rows[i].text);
    }
}

static void
hosts_and_urls(void **state)
{
    static const struct {
        const char *text;
        bool host, url, reference;
    } rows[] = {
        {"a", true, false, false},
        {"a.example", true, false, false},
        {"xn--a.example", true, false, false},
        {"127.0.0.1", true, false, false},
        {"[::1]", true, false, false},
        {"", false, false, false},
        {".", false, false, false},
        {"a.", false, false, false},
        {".a", false, false, false},
        {"a..b", false, false, false},
        {"[::g]", false, false, false},
        {"a:80", false, false, false},
        {"\xc3\xa9.example", false, false, false},
        {"/", false, false, true},
        {"/a?b=c#d", false, false, true},
        {"/a%20b", false, false, true},
        {"/a%2", false, false, false},
        {"/a b", false, false, false},
        {"/a\r\nb", false, false, false},
        {"//a.example/", false, false, false},
        {"http://a.example", false, true, true},
        {"HTTPS://a.example:443/x?y", false, true, true},
        {"http://a.example:", false, false, false},
        {"http://[::1]:80/", false, true, true},
        {"http://:80/", false, false, false},
        {"http:///a", false, false, false},
        {"http://a:99999/", false, false, false},
        {"http://user@a/", false, false, false},
        {"ftp://a/", false, false, false},
        {"http:/a", false, false, false},
        {"javascript:alert(1)", false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice text = slice_text(rows[i].text);

        if (value_is_host(text) != rows[i].host || value_is_http_url(text) != rows[i].url ||
            value_is_reference(text) != rows[i].reference)
            fail_msg("\"%s\": host %d, URL %d, reference %d", rows[i].text, value_is_host(text),
                     value_is_http_url(text), value_is_reference(text));
    }
}

static void
names_have_the_lengths_of_dns(void **state)
{
    char text[255];

    (void)state;
    memset(text, 'a', sizeof text);
    assert_true(value_is_host(slice_from(text, 63)));
    assert_false(value_is_host(slice_from(text, 64)));
    for (size_t i = 63; i < sizeof text; i += 64)
        text[i] = '.';
    assert_true(value_is_host(slice_from(text, 253)));
    assert_false(value_is_host(slice_from(text, 254)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_six_words),
        cmocka_unit_test(quantities_have_the_suffixes_of_their_unit),
        cmocka_unit_test(addresses_are_numeric),
        cmocka_unit_test(hosts_and_urls),
        cmocka_unit_test(names_have_the_lengths_of_dns),
    };

    return cmocka_run_group_tests_name("conf/value", tests, NULL, NULL);
}
