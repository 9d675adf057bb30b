/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_test.c - headers of the PROXY protocol: what is read, what is refused, and at which byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/proxy.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* Reads a copy of just this size, so that a read past its end is seen. Slices of ret are void. */
static enum parse
read_exactly(struct ern_slice bytes, struct proxy_header *ret)
{
    const struct limits limits = limits_standard();
    char *copy = malloc(bytes.len ? bytes.len : 1);
    enum parse parse;

    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    parse = proxy_header_parse(slice_from(copy, bytes.len), &limits, ret);
    free(copy);
    return parse;
}

static struct ip
ip_of(const char *text)
{
    struct ip ip;

    if (!ip4_parse(slice_text(text), &ip) && !ip6_parse(slice_text(text), &ip))
        fail_msg("%s", text);
    return ip;
}

static void
assert_address(const struct ip_port *address, const char *ip, uint16_t port)
{
    struct ip wanted = ip_of(ip);

    assert_memory_equal(&address->ip, &wanted, sizeof wanted);
    assert_int_equal(address->port, port);
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb" /* 192.0.2.1, 198.51.100.7 */
#define V6                                                                                         \
    "\x20\x01\x0d\xb8\xca\xfe\0\0\0\0\0\0\0\0\0\x17"                                               \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\x01\xbb"
#define ZEROS_27 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define UNIX ZEROS_27 ZEROS_27 ZEROS_27 ZEROS_27 ZEROS_27 ZEROS_27 ZEROS_27 ZEROS_27

static void
reads_whose_connection_it_is(void **state)
{
    static const struct {
        int line;
        struct ern_slice in; /* a byte of the connection follows it */
        const char *source;  /* NULL: not relayed */
        uint16_t source_port;
        const char *destination;
        uint16_t destination_port;
    } rows[] = {
        {__LINE__, TEXT("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nG"), "192.168.0.1", 56324,
         "192.168.0.11", 443},
        {__LINE__, TEXT("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n\r"),
         "255.255.255.255", 65535, "255.255.255.255", 65535},
        {__LINE__, TEXT("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n\n"), "0.0.0.0", 0, "0.0.0.0", 0},
        {__LINE__, TEXT("PROXY TCP6 2001:db8::17 2001:DB8::1 1 443\r\nG"), "2001:db8::17", 1,
         "2001:db8::1", 443},
        {__LINE__, TEXT("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\nG"), "192.0.2.1", 1, "::1", 2},
        {__LINE__, TEXT("PROXY UNKNOWN\r\nG"), NULL, 0, NULL, 0},
        {__LINE__, TEXT("PROXY UNKNOWN  any\0 thing\x80\r\nG"), NULL, 0, NULL, 0},
        {__LINE__,
         TEXT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\nG"),
         NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x21\x11\0\x0c" V4 "G"), "192.0.2.1", 56324, "198.51.100.7",
         443},
        {__LINE__, TEXT(SIGNATURE "\x21\x21\0\x24" V6 "G"), "2001:db8:cafe::17", 4711,
         "2001:db8::1", 443},
        /* LOCAL: all but the length is ignored */
        {__LINE__, TEXT(SIGNATURE "\x20\0\0\0G"), NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x20\x11\0\x0c" V4 "G"), NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x20\xff\0\x01\xff\x47"), NULL, 0, NULL, 0},
        /* no TCP over IP: UNSPEC, UDP, UNIX */
        {__LINE__, TEXT(SIGNATURE "\x21\0\0\0G"), NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x21\0\0\x03\x02\xff\xff\x47"), NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x21\x12\0\x0c" V4 "G"), NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x21\x22\0\x24" V6 "G"), NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x21\x31\0\xd8" UNIX "G"), NULL, 0, NULL, 0},
        {__LINE__, TEXT(SIGNATURE "\x21\x32\0\xd8" UNIX "G"), NULL, 0, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proxy_header header;

        for (size_t n = 0; n + 1 < rows[i].in.len; n++)
            if (read_exactly(slice_first(rows[i].in, n), &header) != PARSE_MORE)
                fail_msg("row of line %d: %zu bytes are enough", rows[i].line, n);
        if (read_exactly(rows[i].in, &header) != PARSE_DONE)
            fail_msg("row of line %d: %s at %zu", rows[i].line, finding_row(header.finding)->name,
                     header.finding_at);
        assert_int_equal(header.bytes, rows[i].in.len - 1);
        assert_int_equal(header.is_relayed, rows[i].source != NULL);
        assert_false(slice_is_there(header.authority) || slice_is_there(header.alpn));
        if (!rows[i].source)
            continue;
        assert_address(&header.source, rows[i].source, rows[i].source_port);
        assert_address(&header.destination, rows[i].destination, rows[i].destination_port);
    }
}

#define LINE_104                                                                                   \
    "PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789"         \
    "01234567890123456789" /* 14 + 90 bytes */

#define BAD(in, finding, at)                                                                       \
    {                                                                                              \
        __LINE__, TEXT(in), FINDING_##finding, at                                                  \
    }

static const struct bad_row {
    int line;
    struct ern_slice in;
    enum finding finding;
    size_t at;
} bad_rows[] = {
    BAD("GET / HTTP/1.1\r\n", proxy_signature, 0),
    BAD("POST / HTTP/1.1\r\n", proxy_signature, 1),
    BAD("\x16\x03\x01", proxy_signature, 0),
    BAD("\r\n\r\nGET", proxy_signature, 4),
    BAD("proxy TCP4", proxy_signature, 0),
    BAD("PROXY\tTCP4", proxy_signature, 5),
    BAD("PROXYUNKNOWN", proxy_signature, 5),
    BAD("PROXY \r\n", proxy_line, 6),
    BAD("PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n", proxy_line, 6),
    BAD("PROXY tcp4 1.1.1.1 1.1.1.1 1 1\r\n", proxy_line, 6),
    BAD("PROXY  TCP4 1.1.1.1 1.1.1.1 1 1\r\n", proxy_line, 6),
    BAD("PROXY UNKNOWNS\r\n", proxy_line, 6),
    BAD("PROXY UNKNOWN\n", proxy_line, 13),
    BAD("PROXY UNKNOWN\r\r\n", proxy_line, 14),
    BAD("PROXY UNKNOWN a\rb\r\n", proxy_line, 16),
    BAD("PROXY TCP4\r\n", proxy_address, 10),
    BAD("PROXY TCP4 \r\n", proxy_address, 11),
    BAD("PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n", proxy_address, 11),
    BAD("PROXY TCP4 ::1 ::1 1 1\r\n", proxy_address, 11),
    BAD("PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n", proxy_address, 11),
    BAD("PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n", proxy_address, 11),
    BAD("PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n", proxy_address, 11),
    BAD("PROXY TCP6 ::1 1.1.1.1 1 1\r\n", proxy_address, 15),
    BAD("PROXY TCP4 1.1.1.1 1.1.1 1 1\r\n", proxy_address, 19),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1\r\n", proxy_address, 26),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", proxy_address, 28),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n", proxy_address, 27),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n", proxy_address, 27),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n", proxy_address, 27),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1 1  1\r\n", proxy_address, 29),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n", proxy_address, 29),
    BAD("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n", proxy_address, 29),
    BAD(LINE_104 "0"
                 "\n",
        proxy_line, 105),
    BAD(LINE_104 "00", proxy_too_long, 105),
    BAD(SIGNATURE "\x11", proxy_version, 12),
    BAD(SIGNATURE "\x31", proxy_version, 12),
    BAD(SIGNATURE "\x22", proxy_command, 12),
    BAD(SIGNATURE "\x2f", proxy_command, 12),
    BAD(SIGNATURE "\x21\x01", proxy_family, 13),
    BAD(SIGNATURE "\x21\x10", proxy_family, 13),
    BAD(SIGNATURE "\x21\x13", proxy_family, 13),
    BAD(SIGNATURE "\x21\x41", proxy_family, 13),
    BAD(SIGNATURE "\x21\x11\0\x0b", proxy_length, 14),
    BAD(SIGNATURE "\x21\x21\0\x23", proxy_length, 14),
    BAD(SIGNATURE "\x21\x31\0\xd7", proxy_length, 14),
    BAD(SIGNATURE "\x21\x11\x03\xf1", proxy_too_long, 14), /* 1025 bytes in all */
    BAD(SIGNATURE "\x20\0\xff\xff", proxy_too_long, 14),
    BAD(SIGNATURE "\x21\x11\0\x0e" V4 "\x04\0", proxy_value, 28),
    BAD(SIGNATURE "\x21\x11\0\x0f" V4 "\x04\0\x01", proxy_value, 28),
    BAD(SIGNATURE "\x21\x11\0\x13" V4 "\x04\0\0\x04\0\x02\0", proxy_value, 31),
    BAD(SIGNATURE "\x21\x11\0\x0f" V4 "\x01\0\0", proxy_value, 28),        /* no protocol */
    BAD(SIGNATURE "\x21\x11\0\x0f" V4 "\x02\0\0", proxy_value, 28),        /* no name */
    BAD(SIGNATURE "\x21\x11\0\x11" V4 "\x02\0\x02\xc3(", proxy_value, 28), /* no UTF-8 */
    BAD(SIGNATURE "\x21\x11\0\x12" V4 "\x03\0\x03"
                  "abc",
        proxy_value, 28),                                                       /* no CRC */
    BAD(SIGNATURE "\x21\x11\0\x13" V4 "\x20\0\x04\x01\0\0\0", proxy_value, 28), /* no TLS */
    BAD(SIGNATURE "\x21\x11\0\x14" V4 "\x02\0\x01"
                  "a\x02\0\x01"
                  "a",
        proxy_value, 32),
    BAD(SIGNATURE "\x21\x11\0\x13" V4 "\x03\0\x04\0\0\0\0", proxy_checksum, 31),
};

static void
refuses_all_else_at_the_byte_that_shows_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
        const struct bad_row *row = &bad_rows[i];
        struct proxy_header header;

        if (read_exactly(row->in, &header) != PARSE_BAD || header.finding != row->finding ||
            header.finding_at != row->at)
            fail_msg("row of line %d: %s at %zu", row->line, finding_row(header.finding)->name,
                     header.finding_at);
        assert_false(header.is_relayed);
        for (size_t n = 0; n < row->in.len; n++) {
            enum parse parse = read_exactly(slice_first(row->in, n), &header);

            if (parse == PARSE_DONE || (parse == PARSE_BAD && header.finding != row->finding))
                fail_msg("row of line %d: %zu bytes say %d", row->line, n, (int)parse);
        }
    }
}

static void
bounds_version_2_by_the_limit(void **state)
{
    static const struct ern_slice in = TEXT(SIGNATURE "\x20\0\x03\xf0");
    struct limits limits = limits_standard();
    struct proxy_header header;

    (void)state;
    assert_int_equal(limits.proxy_bytes_max, 1024);
    assert_int_equal(proxy_header_parse(in, &limits, &header), PARSE_MORE);
    limits.proxy_bytes_max = 1023;
    assert_int_equal(proxy_header_parse(in, &limits, &header), PARSE_BAD);
    assert_int_equal(header.finding, FINDING_proxy_too_long);
}

/* The checksum was made by another program. */
static void
reads_values_under_their_checksum(void **state)
{
    static const char in[] = SIGNATURE
        "\x21\x21\0\x65" V6 "\x01\0\x02h2\x02\0\x0fwww.example.org\x04\0\x02\0\0\x05\0\x04id-1"
        "\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.3\x30\0\x02ns\x03\0\x04\xbb\x33\x38\x05";
    struct limits limits = limits_standard();
    struct ern_slice bytes = slice_from(in, sizeof in - 1);
    struct proxy_header header;

    (void)state;
    if (proxy_header_parse(bytes, &limits, &header) != PARSE_DONE)
        fail_msg("%s at %zu", finding_row(header.finding)->name, header.finding_at);
    assert_int_equal(header.bytes, bytes.len);
    assert_true(slice_eq(header.alpn, ERN_SLICE("h2")));
    assert_true(slice_eq(header.authority, ERN_SLICE("www.example.org")));
    assert_true(header.is_tls);
    assert_address(&header.source, "2001:db8:cafe::17", 4711);
    for (size_t i = 0; i < sizeof in - 1; i++) { /* no byte of it can be another, */
        char wrong[sizeof in - 1];

        if (i == sizeof in - 1 - 7) /* but the one that says that there is a checksum */
            continue;
        memcpy(wrong, in, sizeof wrong);
        wrong[i] = (char)(wrong[i] ^ 0x40);
        if (proxy_header_parse(slice_from(wrong, sizeof wrong), &limits, &header) == PARSE_DONE)
            fail_msg("byte %zu can be another", i);
    }
}

static void
knows_a_client_without_tls(void **state)
{
    static const struct ern_slice in =
        TEXT(SIGNATURE "\x21\x11\0\x14" V4 "\x20\0\x05\x06\0\0\0\x01");
    struct limits limits = limits_standard();
    struct proxy_header header;

    (void)state;
    assert_int_equal(proxy_header_parse(in, &limits, &header), PARSE_DONE);
    assert_false(header.is_tls);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whose_connection_it_is),
        cmocka_unit_test(refuses_all_else_at_the_byte_that_shows_it),
        cmocka_unit_test(bounds_version_2_by_the_limit),
        cmocka_unit_test(reads_values_under_their_checksum),
        cmocka_unit_test(knows_a_client_without_tls),
    };

    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
