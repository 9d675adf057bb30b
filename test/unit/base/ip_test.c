/* SPDX-License-Identifier: Apache-2.0 */
/* ip_test.c - addresses in text: what the system reads, we read the same, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/ip.h"

static const char *const texts[] = {
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.255",
    "1.2.3",
    "1.2.3.",
    "1.2.3.4.",
    "1.2.3.4.5",
    ".1.2.3.4",
    "1..2.3",
    "256.1.1.1",
    "1.1.1.999",
    "01.2.3.4",
    "1.2.3.00",
    "1.2.3.4 ",
    " 1.2.3.4",
    "+1.2.3.4",
    "1.2.3.0x4",
    "1",
    "",
    "::",
    "::1",
    "1::",
    "1::2",
    "2001:db8:cafe::17",
    "2001:DB8::aBcD",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8:",
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4:5:6:1.2.3.4::",
    ":1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    ":::",
    "1:::2",
    ":",
    "1:",
    ":1",
    "12345::",
    "g::",
    "::ffff:1.2.3.4",
    "::1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5::1.2.3.4",
    "1:2:3:4:5:6::1.2.3.4",
    "::1.2.3",
    "::1.2.3.4:5",
    "::1.2.3.4.5",
    "1.2.3.4::",
    "::01.2.3.4",
    "::1%lo",
    "[::1]",
    "::1/64",
};

static void
reads_as_the_system_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ern_slice text = slice_text(texts[i]);
        struct ip ip;
        uint8_t wanted[16];

        if (ip4_parse(text, &ip) != (inet_pton(AF_INET, texts[i], wanted) == 1))
            fail_msg("\"%s\" as IPv4", texts[i]);
        if (ip4_parse(text, &ip))
            assert_memory_equal(ip.byte + 12, wanted, 4);
        if (ip6_parse(text, &ip) != (inet_pton(AF_INET6, texts[i], wanted) == 1))
            fail_msg("\"%s\" as IPv6", texts[i]);
        if (ip6_parse(text, &ip))
            assert_memory_equal(ip.byte, wanted, 16);
    }
}

/* Texts of up to seven of the characters that matter. */
static void
reads_all_short_texts_as_the_system_does(void **state)
{
    static const char digits[] = ":.0f";

    (void)state;
    for (unsigned len = 0; len <= 7; len++)
        for (unsigned n = 0; n < 1u << 2 * len; n++) {
            char text[8] = "";
            struct ip ip;
            uint8_t wanted[16];

            for (unsigned i = 0; i < len; i++)
                text[i] = digits[n >> 2 * i & 3];
            if (ip6_parse(slice_from(text, len), &ip) != (inet_pton(AF_INET6, text, wanted) == 1))
                fail_msg("\"%s\"", text);
            if (ip6_parse(slice_from(text, len), &ip))
                assert_memory_equal(ip.byte, wanted, 16);
            if (ip4_parse(slice_from(text, len), &ip) != (inet_pton(AF_INET, text, wanted) == 1))
                fail_msg("\"%s\"", text);
        }
}

static void
has_one_form_for_an_address(void **state)
{
    static const uint8_t four[] = {192, 0, 2, 1};
    struct ip plain, mapped, bytes = ip_from_v4(four);

    (void)state;
    assert_true(ip4_parse(ERN_SLICE("192.0.2.1"), &plain));
    assert_true(ip6_parse(ERN_SLICE("::ffff:c000:201"), &mapped));
    assert_memory_equal(&plain, &mapped, sizeof plain);
    assert_memory_equal(&plain, &bytes, sizeof plain);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_the_system_does),
        cmocka_unit_test(reads_all_short_texts_as_the_system_does),
        cmocka_unit_test(has_one_form_for_an_address),
    };

    return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
