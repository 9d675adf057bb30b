/* SPDX-License-Identifier: Apache-2.0 */
/* status_test.c - the table of status codes against the IANA registry, written down again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "earnest/status.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

/* The "HTTP Status Codes" registry of 2026. */
static const struct {
    unsigned code;
    const char *phrase;
} registry[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {104, "Upload Resumption Supported"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {306, "(Unused)"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "(Unused)"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
};

static bool
among(unsigned code, const unsigned *codes)
{
    while (*codes && *codes != code)
        codes++;
    return *codes != 0;
}

static void
has_the_rows_of_the_registry(void **state)
{
    unsigned i = 0;

    (void)state;
    assert_int_equal(LEN(registry), 64);
    for (; i < LEN(registry); i++) {
        const struct ern_status *status = ern_status_at(i);

        assert_non_null(status);
        assert_int_equal(status->code, registry[i].code);
        if (!slice_eq(status->phrase, slice_text(registry[i].phrase)))
            fail_msg("%u is \"%.*s\"", registry[i].code, (int)status->phrase.len,
                     status->phrase.ptr);
    }
    assert_null(ern_status_at(i));
    assert_null(ern_status_at(UINT32_MAX));
}

static void
finds_the_codes_of_the_registry_and_no_others(void **state)
{
    unsigned i = 0;

    (void)state;
    for (unsigned code = 0; code <= 70000; code++) {
        const struct ern_status *status = ern_status_find(code);

        if (i < LEN(registry) && code == registry[i].code) {
            assert_ptr_equal(status, ern_status_at(i));
            i++;
        } else if (status) {
            fail_msg("%u is found", code);
        }
    }
    assert_int_equal(i, LEN(registry));
    assert_null(ern_status_find(UINT32_MAX));
}

static void
names_its_constants_after_the_codes(void **state)
{
    (void)state;
    assert_int_equal(ERN_100_CONTINUE, 100);
    assert_int_equal(ERN_404_NOT_FOUND, 404);
    assert_int_equal(ERN_511_NETWORK_AUTHENTICATION_REQUIRED, 511);
}

/* 101 is an answer: nothing of HTTP/1.1 follows it (RFC 9110 15.2.2). */
static void
knows_which_are_interim_and_which_are_reserved(void **state)
{
    const struct ern_status *status;

    (void)state;
    for (unsigned i = 0; (status = ern_status_at(i)); i++)
        if (status->kind != (status->code < 200 && status->code != 101 ? ERN_INTERIM
                             : status->code == 306                     ? ERN_RESERVED
                                                                       : ERN_FINAL))
            fail_msg("%u", status->code);
}

/* RFC 9110 15.1, RFC 7725 3; RFC 6585 3, 4, 5 and 6. */
static void
knows_what_may_be_stored(void **state)
{
    static const unsigned heuristic[] = {200, 203, 204, 206, 300, 301, 308,
                                         404, 405, 410, 414, 501, 451, 0};
    static const unsigned never[] = {428, 429, 431, 511, 0};
    const struct ern_status *status;

    (void)state;
    for (unsigned i = 0; (status = ern_status_at(i)); i++)
        if (status->cacheable != (among(status->code, heuristic) ? ERN_HEURISTIC
                                  : among(status->code, never) || status->code < 200
                                      ? ERN_NEVER
                                      : ERN_EXPLICIT))
            fail_msg("%u", status->code);
}

/*
 * rfc9110#6.4.1 "All 1xx (Informational), 204 (No Content), and 304 (Not Modified) responses do not
 * include content." 205 has to say that it has none (RFC 9110 15.3.6).
 */
static void
knows_which_never_have_content(void **state)
{
    static const unsigned none[] = {204, 205, 304, 0};
    const struct ern_status *status;

    (void)state;
    for (unsigned i = 0; (status = ern_status_at(i)); i++)
        if ((status->has_content == 0) != (status->code < 200 || among(status->code, none)))
            fail_msg("%u", status->code);
}

static void
knows_what_must_be_carried(void **state)
{
    static const struct {
        unsigned code;
        const char *field;
    } carried[] = {
        {101, "upgrade"}, {401, "www_authenticate"}, {405, "allow"},    {407, "proxy_authenticate"},
        {426, "upgrade"}, {416, "content_range"},    {301, "location"}, {303, "location"},
        {308, "location"}};
    const struct ern_status *status;

    (void)state;
    for (size_t i = 0; i < LEN(carried); i++) {
        status = ern_status_find(carried[i].code);
        assert_non_null(status);
        assert_non_null(status->carry);
        assert_string_equal(status->carry, carried[i].field);
    }
    assert_null(ern_status_find(200)->carry);
    assert_null(ern_status_find(404)->carry);
    for (unsigned i = 0; (status = ern_status_at(i)); i++)
        for (const char *c = status->carry ? status->carry : ""; *c; c++)
            if ((*c < 'a' || *c > 'z') && *c != '_')
                fail_msg("%u carries \"%s\"", status->code, status->carry);
}

static void
cites_a_section_for_each(void **state)
{
    const struct ern_status *status;

    (void)state;
    for (unsigned i = 0; (status = ern_status_at(i)); i++) {
        struct ern_slice source = slice_text(status->source);

        if (!slice_starts(source, ERN_SLICE("RFC ")) && !slice_starts(source, ERN_SLICE("draft-")))
            fail_msg("%u: %s", status->code, status->source);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_rows_of_the_registry),
        cmocka_unit_test(finds_the_codes_of_the_registry_and_no_others),
        cmocka_unit_test(names_its_constants_after_the_codes),
        cmocka_unit_test(knows_which_are_interim_and_which_are_reserved),
        cmocka_unit_test(knows_what_may_be_stored),
        cmocka_unit_test(knows_which_never_have_content),
        cmocka_unit_test(knows_what_must_be_carried),
        cmocka_unit_test(cites_a_section_for_each),
    };

    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
