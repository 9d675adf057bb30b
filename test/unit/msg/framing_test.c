/* SPDX-License-Identifier: Apache-2.0 */
/* framing_test.c - Host, Content-Length, Transfer-Encoding and fields that stand twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/framing.h"

enum { LINES = 4, NOBODY = -1 };

struct row {
    int line;
    uint8_t minor;
    const char *fields[LINES][2];
    enum finding finding;
    int blame;      /* index of the field line at fault, or NOBODY */
    int64_t length; /* -1: none; -2: chunked; when nothing is found */
};

/* clang-format off */
#define HOST {"Host", "a"}
#define TE(value) {"Transfer-Encoding", value}
#define CL(value) {"Content-Length", value}
#define BAD(minor, finding, blame, ...) {__LINE__, minor, {__VA_ARGS__}, FINDING_##finding, blame, 0}
#define GOOD(minor, length, ...) {__LINE__, minor, {__VA_ARGS__}, FINDING_none, NOBODY, length}

static const struct row rows[] = {
    /* Host */
    GOOD(1, -1, HOST),
    GOOD(1, -1, {"hOsT", "[::1]:80"}),
    GOOD(1, -1, {"Host", ""}),
    GOOD(0, -1, {"A", "b"}),
    GOOD(0, -1, HOST),
    BAD(1, host_missing, NOBODY, {"A", "b"}),
    BAD(9, host_missing, NOBODY, {"A", "b"}),
    BAD(1, host_repeated, 1, HOST, HOST),
    BAD(1, host_repeated, 2, HOST, {"A", "b"}, {"HOST", ""}),
    BAD(0, host_repeated, 1, HOST, {"Host", "b"}),
    BAD(1, host_syntax, 0, {"Host", "a b"}),
    BAD(1, host_syntax, 0, {"Host", "a, b"}),
    BAD(1, host_syntax, 0, {"Host", "http://a"}),
    BAD(1, host_syntax, 0, {"Host", "u@a"}),
    BAD(0, host_syntax, 0, {"Host", "a:b"}),
    /* Content-Length */
    GOOD(1, 0, HOST, CL("0")),
    GOOD(1, 42, HOST, CL("42")),
    GOOD(1, 42, HOST, CL("00000000000000000000000000000042")),
    GOOD(0, 7, CL("7")),
    GOOD(1, INT64_MAX, HOST, CL("9223372036854775807")),
    BAD(1, length_syntax, 1, HOST, CL("9223372036854775808")),
    BAD(1, length_syntax, 1, HOST, CL("18446744073709551616")),
    BAD(1, length_syntax, 1, HOST, CL("")),
    BAD(1, length_syntax, 1, HOST, CL("+1")),
    BAD(1, length_syntax, 1, HOST, CL("-1")),
    BAD(1, length_syntax, 1, HOST, CL("0x1")),
    BAD(1, length_syntax, 1, HOST, CL("1 2")),
    BAD(1, length_syntax, 1, HOST, CL("1.0")),
    BAD(1, length_syntax, 1, HOST, CL("1_0")),
    BAD(1, length_syntax, 1, HOST, CL("1;")),
    BAD(1, length_syntax, 1, HOST, CL("\"1\"")),
    BAD(1, length_syntax, 1, HOST, CL("1,")),
    BAD(1, length_syntax, 1, HOST, CL("5, 5")),
    BAD(1, length_syntax, 1, HOST, CL("5, 05")),
    BAD(1, length_conflict, 1, HOST, CL("5, 6")),
    BAD(1, length_syntax, 1, HOST, CL("5, 6, x")),
    BAD(1, length_syntax, 2, HOST, CL("5"), CL("5")),
    BAD(1, length_conflict, 2, HOST, CL("5"), CL("6")),
    BAD(1, length_conflict, 3, HOST, CL("5"), CL("5"), CL("6")),
    BAD(1, length_conflict, 2, HOST, CL("5"), CL("5, 6")),
    BAD(1, length_syntax, 2, HOST, CL("5"), CL("x")),
    BAD(1, length_syntax, 1, HOST, CL("x"), CL("5")),
    BAD(1, length_syntax, 2, HOST, CL("5"), CL("")),
    /* Transfer-Encoding */
    GOOD(1, -2, HOST, TE("chunked")),
    GOOD(1, -2, HOST, TE("cHuNkEd")),
    GOOD(1, -2, HOST, TE(", chunked,,")), /* RFC 9110 5.6.1.2: empty members are no fault */
    GOOD(1, -2, HOST, TE(""), TE("chunked")),
    BAD(0, coding_in_old_version, 0, TE("chunked")),
    BAD(0, coding_in_old_version, 1, CL("1"), TE("chunked")),
    BAD(1, length_and_coding, 1, HOST, TE("chunked"), CL("1")),
    BAD(1, length_and_coding, 2, HOST, CL("x"), TE("y z")),
    BAD(1, coding_not_chunked, 1, HOST, TE("gzip")),
    BAD(1, coding_not_chunked, 1, HOST, TE("identity")),
    BAD(1, coding_not_chunked, 1, HOST, TE("xchunked")),
    BAD(1, coding_not_chunked, 1, HOST, TE("chunked-x")),
    BAD(1, coding_not_chunked, 1, HOST, TE("chunked, gzip")),
    BAD(1, coding_not_chunked, 2, HOST, TE("chunked"), TE("identity")),
    BAD(1, coding_syntax, 1, HOST, TE("")),
    BAD(1, coding_syntax, 1, HOST, TE(",")),
    BAD(1, coding_syntax, 1, HOST, TE("chunked, chunked")),
    BAD(1, coding_syntax, 2, HOST, TE("chunked"), TE("chunked")),
    BAD(1, coding_syntax, 1, HOST, TE("chunked;q=1")),
    BAD(1, coding_syntax, 1, HOST, TE("chunked;")),
    BAD(1, coding_syntax, 1, HOST, TE("chunked chunked")),
    BAD(1, coding_syntax, 1, HOST, TE("\"chunked\"")),
    BAD(1, coding_syntax, 1, HOST, TE("\"x, chunked")),
    BAD(1, coding_syntax, 1, HOST, TE(";q=1, chunked")),
    BAD(1, coding_syntax, 1, HOST, TE("gzip;q, chunked")),
    BAD(1, coding_syntax, 1, HOST, TE("gz ip, chunked")),
    BAD(1, coding_syntax, 1, HOST, TE("chunk\xc3\xa9" "d")),
    BAD(1, coding_syntax, 1, HOST, TE("(x)"), TE("chunked")),
    BAD(1, coding_unknown, 1, HOST, TE("gzip, chunked")),
    BAD(1, coding_unknown, 2, HOST, TE("gzip"), TE("chunked")),
    BAD(1, coding_unknown, 1, HOST, TE("identity, chunked")),
    BAD(1, coding_unknown, 1, HOST, TE("x;a=b;c=\"d, e\", chunked")),
    /* Fields that may stand only once: twice with the same value is one thing said twice. */
    GOOD(1, -1, HOST, {"Date", "a"}, {"Date", "a"}),
    GOOD(1, -1, HOST, {"Accept", "a"}, {"Accept", "b"}),
    GOOD(1, -1, HOST, {"X", "a"}, {"X", "b"}),
    GOOD(1, -1, HOST, {"Date", "a"}, {"dATE", "b"}),
    GOOD(1, -1, HOST, {"User-Agent", "a"}, {"User-Agent", "b"}),
    BAD(1, single_repeated, 2, HOST, {"Content-Type", "a"}, {"cONTENT-tYPE", "b"}),
    BAD(1, single_repeated, 3, HOST, {"Range", "a"}, {"Range", "a"}, {"Range", "A"}),
    BAD(1, single_repeated, 2, HOST, {"Authorization", "a"}, {"Authorization", ""}),
    /* The order of the checks */
    BAD(1, host_missing, NOBODY, CL("x"), TE("x")),
    BAD(1, host_syntax, 1, CL("x"), {"Host", "/"}),
    BAD(1, length_syntax, 3, {"Date", "a"}, {"Date", "b"}, HOST, CL("x")),
};
/* clang-format on */

static void
fill(struct ern_request *request, struct ern_field *fields, const struct row *row)
{
    ern_request_init(request, fields, LINES);
    ern_request_method(request, ERN_SLICE("POST"));
    request->version_major = 1;
    request->version_minor = row->minor;
    for (unsigned i = 0; i < LINES && row->fields[i][0]; i++)
        assert_true(
            ern_request_add(request, slice_text(row->fields[i][0]), slice_text(row->fields[i][1])));
}

static void
finds_the_first_fault_and_the_field_to_blame(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct ern_field fields[LINES];
        struct ern_request request;
        const struct ern_field *blame = NULL;
        enum finding finding;
        int at;

        fill(&request, fields, row);
        finding = framing_check(&request, &blame);
        at = blame ? (int)(blame - fields) : NOBODY;
        if (finding != row->finding || at != row->blame)
            fail_msg("line %d: %s, field %d to blame", row->line, finding_row(finding)->name, at);
        if (finding != FINDING_none)
            continue;
        if (request.chunked != (row->length == -2) ||
            request.content_length != (row->length == -2 ? -1 : row->length))
            fail_msg("line %d: length %lld", row->line, (long long)request.content_length);
    }
}

static void
takes_the_authority_of_the_target_before_host(void **state)
{
    static const struct row row = {.minor = 1, .fields = {{"Host", "b"}}};
    struct ern_field fields[LINES];
    struct ern_request request;
    const struct ern_field *blame = NULL;

    (void)state;
    fill(&request, fields, &row);
    request.authority = ERN_SLICE("a");
    assert_int_equal(framing_check(&request, &blame), FINDING_none);
    assert_true(slice_eq(request.authority, ERN_SLICE("a")));
    fill(&request, fields, &row);
    assert_int_equal(framing_check(&request, &blame), FINDING_none);
    assert_true(slice_eq(request.authority, ERN_SLICE("b")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_first_fault_and_the_field_to_blame),
        cmocka_unit_test(takes_the_authority_of_the_target_before_host),
    };

    return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
