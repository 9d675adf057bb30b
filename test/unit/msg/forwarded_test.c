/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded_test.c - whom gateways in 10.0.0.0/8 and fd00::/8 name as the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg/forwarded.h"

enum { FIELDS = 4 };

struct row {
    int line;
    const char *fields[FIELDS]; /* "Name: value" */
    enum forwarded_kind kind;
    const char *text; /* of the client; absent if it is not said */
    uint16_t port;
    const char *proto, *host;
    enum finding finding;
};

/* What the gateway at peer says, which speaks what its first field is. */
static struct forwarded
read_from(const char *peer, const char *const *fields, struct out *o)
{
    enum forwarded_form form =
        fields[0] && fields[0][0] == 'F' ? FORWARDED_BY_FORWARDED : FORWARDED_BY_X_FIELDS;
    static struct ern_field memory[FIELDS];
    struct network list[2];
    const struct networks trusted = {list, 2};
    struct ern_request r;
    struct ip ip;

    assert_true(network_parse(ERN_SLICE("10.0.0.0/8"), &list[0]));
    assert_true(network_parse(ERN_SLICE("fd00::/8"), &list[1]));
    assert_true(ip4_parse(slice_text(peer), &ip));
    ern_request_init(&r, memory, FIELDS);
    for (int i = 0; i < FIELDS && fields[i]; i++) {
        struct ern_slice line = slice_text(fields[i]);
        size_t colon = slice_find(line, ':');

        assert_true(
            ern_request_add(&r, slice_first(line, colon), slice_trim(slice_skip(line, colon + 1))));
    }
    return forwarded_read(&r, &ip, &trusted, form, o);
}

static bool
is_text(struct ern_slice text, const char *wanted)
{
    return slice_is_there(text) == (wanted != NULL) && slice_eq(text, slice_text(wanted));
}

static void
check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        char buffer[64];
        struct out o = out_init(buffer, sizeof buffer);
        struct forwarded f = read_from("10.0.0.9", row->fields, &o);
        struct ip ip;

        if (f.client.kind != row->kind || f.finding != row->finding ||
            !is_text(f.client.text, row->text) || f.client.address.port != row->port ||
            !is_text(f.proto, row->proto) || !is_text(f.host, row->host))
            fail_msg("row of line %d: %d %.*s %u %.*s %.*s %s", row->line, (int)f.client.kind,
                     (int)f.client.text.len, f.client.text.ptr, f.client.address.port,
                     (int)f.proto.len, f.proto.ptr, (int)f.host.len, f.host.ptr,
                     finding_row(f.finding)->name);
        if (row->kind == FORWARDED_ADDRESS && ip4_parse(slice_text(row->text), &ip))
            assert_memory_equal(&f.client.address.ip, &ip, sizeof ip);
    }
}

#define IS(kind, text, port, proto, host) FORWARDED_##kind, text, port, proto, host, FINDING_none
#define NOTHING IS(NOT_SAID, NULL, 0, NULL, NULL)
#define IGNORED(finding) FORWARDED_NOT_SAID, NULL, 0, NULL, NULL, FINDING_##finding

static void
reads_the_examples_of_the_specification(void **state)
{
    static const struct row rows[] = {
        /* RFC 7239 4 */
        {__LINE__, {"Forwarded: for=\"_gazonk\""}, IS(OBFUSCATED, "_gazonk", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: For=\"[2001:db8:cafe::17]:4711\""},
         IS(ADDRESS, "[2001:db8:cafe::17]:4711", 4711, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43"},
         IS(ADDRESS, "192.0.2.60", 0, "http", NULL)},
        {__LINE__,
         {"Forwarded: for=192.0.2.43, for=198.51.100.17"},
         IS(ADDRESS, "198.51.100.17", 0, NULL, NULL)},
        /* RFC 7239 6, 6.3, 7.1, 7.5 */
        {__LINE__,
         {"Forwarded: for=\"192.0.2.43:47011\""},
         IS(ADDRESS, "192.0.2.43:47011", 47011, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=_hidden, for=_SEVKISEK"},
         IS(OBFUSCATED, "_SEVKISEK", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown"},
         IS(UNKNOWN, "unknown", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=192.0.2.43, "
          "for=198.51.100.17;by=203.0.113.60;proto=http;host=example.com"},
         IS(ADDRESS, "198.51.100.17", 0, "http", "example.com")},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void
believes_from_the_right_for_as_long_as_the_writer_is_trusted(void **state)
{
    static const struct row rows[] = {
        {__LINE__,
         {"Forwarded: for=192.0.2.1;proto=https;host=a.example, for=10.0.0.1;proto=http;host=b"},
         IS(ADDRESS, "192.0.2.1", 0, "https", "a.example")},
        {__LINE__,
         {"Forwarded: for=192.0.2.66;host=forged, for=192.0.2.1, for=10.0.0.1, for=\"[fd00::1]\""},
         IS(ADDRESS, "192.0.2.1", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=192.0.2.66, for=192.0.2.1", "Forwarded: for=10.0.0.1",
          "Forwarded: for=\"10.0.0.2:80\", for=\"[::ffff:10.0.0.3]\""},
         IS(ADDRESS, "192.0.2.1", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=10.0.0.2;proto=https, for=10.0.0.1;proto=http"},
         IS(ADDRESS, "10.0.0.2", 0, "https", NULL)},
        {__LINE__,
         {"Forwarded: for=10.0.0.2, for=unknown, for=10.0.0.1"},
         IS(UNKNOWN, "unknown", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=192.0.2.1, proto=https, for=10.0.0.1"},
         IS(NOT_SAID, NULL, 0, "https", NULL)},
        {__LINE__, {"Forwarded: host=\"a:81\""}, IS(NOT_SAID, NULL, 0, NULL, "a:81")},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void
reads_it_however_it_is_written(void **state)
{
    static const struct row rows[] = {
        {__LINE__,
         {"Forwarded: ;;FOR=192.0.2.1 ; ;\tProto=\"HTTPS\";; , ,"},
         IS(ADDRESS, "192.0.2.1", 0, "HTTPS", NULL)},
        {__LINE__,
         {"Forwarded: for=192.0.2.1;secret=\"a,b;for=c\\\"\";x=1;x=2"},
         IS(ADDRESS, "192.0.2.1", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=\"192\\.0.2\\.1:\\80\";host=\"\\[::1]:80\";proto=\"\\h\\t\\t\\p\""},
         IS(ADDRESS, "192.0.2.1:80", 80, "http", "[::1]:80")},
        {__LINE__,
         {"Forwarded: for=\"unknown:_port.1\""},
         IS(UNKNOWN, "unknown:_port.1", 0, NULL, NULL)},
        {__LINE__, {"Forwarded: for=Unknown"}, IS(UNKNOWN, "Unknown", 0, NULL, NULL)},
        {__LINE__,
         {"Forwarded: for=\"_a.b_c-D:00080\""},
         IS(OBFUSCATED, "_a.b_c-D:00080", 80, NULL, NULL)},
        {__LINE__, {"Forwarded: proto=web+x-1.0"}, IS(NOT_SAID, NULL, 0, "web+x-1.0", NULL)},
        {__LINE__, {"Forwarded:"}, NOTHING},
        {__LINE__, {NULL}, NOTHING},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void
believes_no_part_of_a_malformed_one(void **state)
{
    static const struct row rows[] = {
        {__LINE__, {"Forwarded: for"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for="}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: =192.0.2.1"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for =192.0.2.1"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for= 192.0.2.1"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for=192.0.2.1 proto=http"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for=192.0.2.1:80"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for=[::1]"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for=\"192.0.2.1"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for=\"x, for=192.0.2.1"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: 192.0.2.1"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: ?, for=192.0.2.1"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for=192.0.2.1", "Forwarded: ?"}, IGNORED(forwarded_syntax)},
        {__LINE__, {"Forwarded: for=192.0.2.1;for=192.0.2.2"}, IGNORED(forwarded_repeated)},
        {__LINE__, {"Forwarded: proto=a;PROTO=a"}, IGNORED(forwarded_repeated)},
        {__LINE__, {"Forwarded: by=_a;by=_a"}, IGNORED(forwarded_repeated)},
        {__LINE__, {"Forwarded: host=a;x=y;host=a"}, IGNORED(forwarded_repeated)},
        {__LINE__, {"Forwarded: for=\"\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=a.example"}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"::1\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"[::1\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"[::1]x\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"[192.0.2.1]\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"[]\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=192.0.2.256"}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=192.0.02.1"}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"192.0.2.1:\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"192.0.2.1:65536\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"192.0.2.1:000080\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"192.0.2.1:80:80\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"192.0.2.1 \""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=_"}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=_a+b"}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=\"192.0.2.1:_\""}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: for=192.0.2.1;by=me"}, IGNORED(forwarded_node)},
        {__LINE__, {"Forwarded: host=\"a/b\";for=192.0.2.1"}, IGNORED(forwarded_host)},
        {__LINE__, {"Forwarded: host=\"\""}, IGNORED(forwarded_host)},
        {__LINE__, {"Forwarded: proto=1http"}, IGNORED(forwarded_proto)},
        {__LINE__, {"Forwarded: proto=\"http:\""}, IGNORED(forwarded_proto)},
        {__LINE__, {"Forwarded: proto=\"\""}, IGNORED(forwarded_proto)},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void
reads_what_came_before_it(void **state)
{
    static const struct row rows[] = {
        {__LINE__, {"X-Forwarded-For: 192.0.2.1"}, IS(ADDRESS, "192.0.2.1", 0, NULL, NULL)},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.43, 2001:db8:cafe::17"}, /* RFC 7239 7.4 */
         IS(ADDRESS, "2001:db8:cafe::17", 0, NULL, NULL)},
        {__LINE__,
         {"x-forwarded-for: 192.0.2.66, 192.0.2.1:99, 10.0.0.1", "X-Forwarded-For: fd00::1"},
         IS(ADDRESS, "192.0.2.1:99", 99, NULL, NULL)},
        {__LINE__,
         {"X-Forwarded-For: [2001:db8::1]:8080"},
         IS(ADDRESS, "[2001:db8::1]:8080", 8080, NULL, NULL)},
        {__LINE__, {"X-Forwarded-For: unknown, 10.0.0.1"}, IS(UNKNOWN, "unknown", 0, NULL, NULL)},
        {__LINE__, {"X-Forwarded-For: 10.0.0.1, 10.0.0.2"}, IS(ADDRESS, "10.0.0.1", 0, NULL, NULL)},
        /* one value, from the outermost; or one a gateway, counted from the right */
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.1, 10.0.0.1", "X-Forwarded-Proto: https",
          "X-Forwarded-Host: a.example:8443"},
         IS(ADDRESS, "192.0.2.1", 0, "https", "a.example:8443")},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.66, 192.0.2.1, 10.0.0.1",
          "X-Forwarded-Proto: forged, https, http", "X-Forwarded-Host: forged, a, b"},
         IS(ADDRESS, "192.0.2.1", 0, "https", "a")},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"},
         IS(ADDRESS, "192.0.2.1", 0, "http", NULL)},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.1, 10.0.0.1, 10.0.0.2", "X-Forwarded-Proto: https, http"},
         IS(ADDRESS, "192.0.2.1", 0, "https", NULL)},
        {__LINE__, {"X-Forwarded-Proto: https"}, IS(NOT_SAID, NULL, 0, "https", NULL)},
        {__LINE__, {"X-Forwarded-For: ,", "X-Forwarded-Host:"}, NOTHING},
        {__LINE__, {"X-Forwarded-For: a.example, 192.0.2.1"}, IGNORED(forwarded_node)},
        {__LINE__, {"X-Forwarded-For: \"192.0.2.1\""}, IGNORED(forwarded_node)},
        {__LINE__, {"X-Forwarded-For: 2001:db8::1:80:x"}, IGNORED(forwarded_node)},
        {__LINE__, {"X-Forwarded-For: ::1%lo"}, IGNORED(forwarded_node)},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: ?, https"},
         IGNORED(forwarded_proto)},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: a b"},
         IGNORED(forwarded_host)},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

/* A client can send the field that its gateway does not set. */
static void
believes_one_form(void **state)
{
    static const struct row rows[] = {
        {__LINE__,
         {"Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.66", "X-Forwarded-Proto: forged"},
         IS(ADDRESS, "192.0.2.1", 0, NULL, NULL)},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.66;proto=forged"},
         IS(ADDRESS, "192.0.2.1", 0, NULL, NULL)},
        {__LINE__, {"X-Forwarded-For: ,", "Forwarded: for=192.0.2.66"}, NOTHING},
        {__LINE__, {"Forwarded:", "X-Forwarded-For: 192.0.2.66"}, NOTHING},
        {__LINE__,
         {"X-Forwarded-For: 192.0.2.1", "Forwarded: ?"},
         IS(ADDRESS, "192.0.2.1", 0, NULL, NULL)},
        {__LINE__, {"Forwarded: ?", "X-Forwarded-For: 192.0.2.66"}, IGNORED(forwarded_syntax)},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void
believes_trusted_peers_only(void **state)
{
    static const char *const forwarded[FIELDS] = {"Forwarded: for=192.0.2.1;proto=https"};
    static const char *const older[FIELDS] = {"X-Forwarded-For: 192.0.2.1"};
    static const char *const malformed[FIELDS] = {"Forwarded: ?"};
    static const char *const *const all[] = {forwarded, older, malformed};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct out o = out_init(NULL, 0);
        struct forwarded f = read_from("192.0.2.7", all[i], &o);

        assert_int_equal(f.client.kind, FORWARDED_NOT_SAID);
        assert_int_equal(f.finding, FINDING_none);
        assert_false(slice_is_there(f.proto));
    }
}

static void
believes_nothing_that_has_no_room(void **state)
{
    static const char *const fields[FIELDS] = {"Forwarded: for=192.0.2.1;host=\"\\exampl\\e\""};
    char buffer[7];
    struct out enough = out_init(buffer, sizeof buffer), less = out_init(buffer, 6);
    struct forwarded f = read_from("10.0.0.1", fields, &enough);

    (void)state;
    assert_true(slice_eq(f.host, ERN_SLICE("example")));
    f = read_from("10.0.0.1", fields, &less);
    assert_true(less.full);
    assert_int_equal(f.client.kind, FORWARDED_NOT_SAID);
    assert_false(slice_is_there(f.host));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_examples_of_the_specification),
        cmocka_unit_test(believes_from_the_right_for_as_long_as_the_writer_is_trusted),
        cmocka_unit_test(reads_it_however_it_is_written),
        cmocka_unit_test(believes_no_part_of_a_malformed_one),
        cmocka_unit_test(reads_what_came_before_it),
        cmocka_unit_test(believes_one_form),
        cmocka_unit_test(believes_trusted_peers_only),
        cmocka_unit_test(believes_nothing_that_has_no_room),
    };

    return cmocka_run_group_tests_name("forwarded", tests, NULL, NULL);
}
