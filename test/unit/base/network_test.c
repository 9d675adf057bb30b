/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/network.h"

static struct ip
ip_of(const char *text)
{
    struct ip ip;

    if (!ip4_parse(slice_text(text), &ip) && !ip6_parse(slice_text(text), &ip))
        fail_msg("%s", text);
    return ip;
}

static void
has_the_addresses_it_says(void **state)
{
    static const struct {
        const char *network, *ip;
        bool has;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.1", "::1", false},
        {"127.0.0.1/32", "127.0.0.1", true},
        {"127.0.0.1", "::ffff:127.0.0.1", true},
        {"10.0.0.0/8", "10.0.0.0", true},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"10.0.0.0/8", "a00::", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.64/31", "192.0.2.65", true},
        {"192.0.2.64/31", "192.0.2.66", false},
        {"128.0.0.0/1", "200.1.2.3", true},
        {"128.0.0.0/1", "100.1.2.3", false},
        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::", false},
        {"::/0", "2001:db8::", true},
        {"::/0", "203.0.113.1", true},
        {"::ffff:0:0/96", "203.0.113.1", true},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1", "::1", true},
        {"::1/128", "::", false},
        {"::/127", "::1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip ip = ip_of(rows[i].ip);
        struct network network;

        if (!network_parse(slice_text(rows[i].network), &network))
            fail_msg("%s is none", rows[i].network);
        if (network_has(&network, &ip) != rows[i].has)
            fail_msg("%s and %s", rows[i].network, rows[i].ip);
    }
}

static void
knows_what_is_not_everybodys(void **state)
{
    static const char *const private[] = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "64:ff9b:1::1",
        "100::1",
    };
    static const char *const open[] = {
        "1.1.1.1",    "9.255.255.255",    "100.63.255.255",  "100.128.0.0",     "172.15.255.255",
        "172.32.0.0", "192.167.255.255",  "223.255.255.255", "2606:4700::1111", "2001:4860::1",
        "2a00::1",    "64:ff9b::101:101", "2002:101:101::",  "3ffe::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
        struct ip ip = ip_of(private[i]);

        if (!ip_is_private(&ip))
            fail_msg("%s is not", private[i]);
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        struct ip ip = ip_of(open[i]);

        if (ip_is_private(&ip))
            fail_msg("%s is", open[i]);
    }
}

static void
takes_nothing_else(void **state)
{
    static const char *const texts[] = {
        "",
        "/",
        "/8",
        "10",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/8/",
        "10.0.0.0/08",
        "10.0.0.0/-1",
        "10.0.0.0/ 8",
        "10.0.0.0 /8",
        "10.0.0.1/8",
        "10.0.0.1/31",
        "0.0.0.1/0",
        "::/129",
        "::1/127",
        "8000::/0",
        "[::1]",
        "[::]/0",
        "fd00::1/8",
        "localhost",
        "10.0.0.0/8x",
        "10.0.0.0/255.0.0.0",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct network network;

        if (network_parse(slice_text(texts[i]), &network))
            fail_msg("\"%s\" is taken", texts[i]);
    }
}

static void
looks_through_all(void **state)
{
    struct network list[2];
    const struct networks none = {NULL, 0}, two = {list, 2};
    struct ip first = ip_of("10.1.2.3"), second = ip_of("fd00::1"), third = ip_of("192.0.2.1");

    (void)state;
    assert_true(network_parse(ERN_SLICE("10.0.0.0/8"), &list[0]));
    assert_true(network_parse(ERN_SLICE("fd00::/8"), &list[1]));
    assert_true(networks_have(&two, &first));
    assert_true(networks_have(&two, &second));
    assert_false(networks_have(&two, &third));
    assert_false(networks_have(&none, &first));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_addresses_it_says),
        cmocka_unit_test(knows_what_is_not_everybodys),
        cmocka_unit_test(takes_nothing_else),
        cmocka_unit_test(looks_through_all),
    };

    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
