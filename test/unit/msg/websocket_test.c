/* SPDX-License-Identifier: Apache-2.0 */
/* websocket_test.c - the opening handshake: what is asked, the key, and what is agreed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/websocket.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

static struct ern_field fields[8];

static struct ern_request
get(uint8_t minor)
{
    struct ern_request request;

    ern_request_init(&request, fields, LEN(fields));
    ern_request_method(&request, ERN_SLICE("GET"));
    request.version_major = 1;
    request.version_minor = minor;
    return request;
}

static void
add(struct ern_request *request, const char *name, const char *value)
{
    if (value)
        assert_true(ern_request_add(request, slice_text(name), slice_text(value)));
}

static void
knows_when_it_is_asked(void **state)
{
    static const struct {
        int line;
        const char *method;
        uint8_t minor;
        const char *upgrade, *connection;
        bool is;
    } rows[] = {
        {__LINE__, "GET", 1, "websocket", "Upgrade", true},
        {__LINE__, "GET", 1, "WebSocket", "keep-alive, UPGRADE", true},
        {__LINE__, "GET", 1, "h2c, websocket", "upgrade", true},
        {__LINE__, "GET", 0, "websocket", "Upgrade", false}, /* RFC 9110 7.8 */
        {__LINE__, "HEAD", 1, "websocket", "Upgrade", false},
        {__LINE__, "POST", 1, "websocket", "Upgrade", false},
        {__LINE__, "GET", 1, "websockets", "Upgrade", false},
        {__LINE__, "GET", 1, "web socket", "Upgrade", false},
        {__LINE__, "GET", 1, NULL, "Upgrade", false},
        {__LINE__, "GET", 1, "websocket", "keep-alive", false},
        {__LINE__, "GET", 1, "websocket", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ern_request request = get(rows[i].minor);

        ern_request_method(&request, slice_text(rows[i].method));
        add(&request, "Upgrade", rows[i].upgrade);
        add(&request, "Connection", rows[i].connection);
        if (websocket_is_asked(&request) != rows[i].is)
            fail_msg("line %d", rows[i].line);
    }
}

static void
speaks_version_13_alone(void **state)
{
    static const char *const others[] = {NULL, "", "8", "013", "13, 8", "13.0", "25", "+13", "1 3"};
    struct ern_request request = get(1);

    (void)state;
    add(&request, "Sec-WebSocket-Version", "13");
    assert_true(websocket_version_is_ours(&request));
    for (size_t i = 0; i < LEN(others); i++) {
        request = get(1);
        add(&request, "Sec-WebSocket-Version", others[i]);
        if (websocket_version_is_ours(&request))
            fail_msg("\"%s\"", others[i]);
    }
}

static void
takes_a_key_of_16_bytes(void **state)
{
    static const struct {
        const char *key;
        bool is;
    } rows[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", true},
        {"AAAAAAAAAAAAAAAAAAAAAA==", true},
        {"/+9/+9/+9/+9/+9/+9/+9w==", true},
        {NULL, false},
        {"", false},
        {"dGhlIHNhbXBsZSBub25jZR==", false},       /* bits after the 16th byte */
        {"dGhlIHNhbXBsZSBub25jZQ=", false},        /* padding is missing */
        {"dGhlIHNhbXBsZSBub25jZQ", false},         /* all of it */
        {"dGhlIHNhbXBsZSBub25jZWU=", false},       /* 17 bytes */
        {"dGhlIHNhbXBsZSBub25j", false},           /* 15 bytes */
        {"dGhlIHNhbXBsZSBub25jZQ==dGhl", false},   /* more after the end */
        {"dGhlIHNhbXBsZSBu=25jZQ==", false},       /* padding inside */
        {"dGhlIHNhbXBsZSBub25-_Q==", false},       /* the alphabet of URLs */
        {"dGhlIHNhbXBs ZSBub25jZQ=", false},       /* a space */
        {"dGhlIHNhbXBsZSBub25jZQ==, dGhl", false}, /* a list */
        {"dGhlIHNhbXBsZSBub25jZVN0dWZm", false},   /* 21 bytes */
        {"\"dGhlIHNhbXBsZSBub25jZQ==\"", false},   /* quotes */
        {"========================", false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ern_request request = get(1);

        add(&request, "Sec-WebSocket-Key", rows[i].key);
        if (websocket_key_is_right(&request) != rows[i].is)
            fail_msg("\"%s\"", rows[i].key);
    }
}

static void
accepts_a_key(void **state)
{
    static const struct {
        const char *key, *accept;
    } rows[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, /* RFC 6455 1.3 */
        {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
    };
    char memory[32];

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct out o = out_init(memory, sizeof memory);

        websocket_write_accept(&o, slice_text(rows[i].key));
        assert_false(o.full);
        assert_memory_equal(memory, rows[i].accept, o.len);
        assert_int_equal(o.len, 28);
    }
}

static void
chooses_the_protocol_that_the_client_likes_best(void **state)
{
    const struct ern_slice ours[] = {ERN_SLICE("b.example"), ERN_SLICE("a.example")};
    static const struct {
        const char *first, *second, *chosen;
    } rows[] = {
        {"a.example", NULL, "a.example"},
        {"b.example, a.example", NULL, "b.example"},
        {"a.example, b.example", NULL, "a.example"},
        {"other, , a.example", "b.example", "a.example"},
        {"other", "b.example", "b.example"},
        {"A.example", NULL, NULL},
        {"a.example.org", NULL, NULL},
        {"", NULL, NULL},
        {NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct ern_request request = get(1);

        add(&request, "Sec-WebSocket-Protocol", rows[i].first);
        add(&request, "Sec-WebSocket-Protocol", rows[i].second);
        if (!slice_eq(websocket_protocol(&request, ours, LEN(ours)), slice_text(rows[i].chosen)))
            fail_msg("\"%s\"", rows[i].first);
        assert_false(slice_is_there(websocket_protocol(&request, NULL, 0)));
    }
}

struct offer {
    int line;
    const char *offer;
    const char *answer; /* "": plain; NULL: malformed */
};

static void
check_offer(const struct offer *row, const struct websocket_deflate *ours)
{
    struct websocket_deflate agreed;
    struct ern_request request = get(1);
    char memory[160];
    struct out o = out_init(memory, sizeof memory);
    enum websocket_extensions is;

    add(&request, "Sec-WebSocket-Extensions", row->offer);
    is = websocket_extensions(&request, ours, &agreed);
    if (is == WEBSOCKET_DEFLATE)
        websocket_write_extensions(&o, &agreed);
    assert_false(o.full);
    if ((is == WEBSOCKET_MALFORMED) != (row->answer == NULL) ||
        (row->answer && !slice_eq(out_done(&o), slice_text(row->answer))))
        fail_msg("line %d: %d, \"%.*s\"", row->line, (int)is, (int)o.len, memory);
}

#define PMD "permessage-deflate"

static void
meets_offers_of_deflate(void **state)
{
    static const struct websocket_deflate ours = {0};
    static const struct offer rows[] = {
        {__LINE__, NULL, ""},
        {__LINE__, "", ""},
        {__LINE__, PMD, PMD},
        {__LINE__, "x-webkit-deflate-frame, " PMD, PMD},
        {__LINE__, "permessage-bzip2; level=9", ""},
        {__LINE__, "Permessage-Deflate", ""},
        {__LINE__, PMD "; server_no_context_takeover", PMD "; server_no_context_takeover"},
        {__LINE__, PMD ";client_no_context_takeover", PMD "; client_no_context_takeover"},
        {__LINE__, PMD "; server_max_window_bits=10", PMD "; server_max_window_bits=10"},
        {__LINE__, PMD "; server_max_window_bits=15", PMD "; server_max_window_bits=15"},
        {__LINE__, PMD "; server_max_window_bits=\"12\"", PMD "; server_max_window_bits=12"},
        {__LINE__, PMD "; server_max_window_bits=\"\\1\\2\"", PMD "; server_max_window_bits=12"},
        {__LINE__, PMD " ; server_max_window_bits = 12 ", PMD "; server_max_window_bits=12"},
        {__LINE__, PMD "; client_max_window_bits", PMD "; client_max_window_bits=15"},
        {__LINE__, PMD "; client_max_window_bits=8", PMD "; client_max_window_bits=8"},
        /* RFC 7692 7.1.3, and what comes after what we can not do */
        {__LINE__,
         PMD "; client_max_window_bits; server_max_window_bits=10, " PMD "; client_max_window_bits",
         PMD "; server_max_window_bits=10; client_max_window_bits=15"},
        {__LINE__, PMD "; server_max_window_bits=8, " PMD, PMD},
        {__LINE__, PMD "; server_max_window_bits=8", ""},
        /* declined (RFC 7692 7) */
        {__LINE__, PMD "; unknown", ""},
        {__LINE__, PMD "; unknown=1, " PMD "; client_no_context_takeover",
         PMD "; client_no_context_takeover"},
        {__LINE__, PMD "; server_no_context_takeover=1", ""},
        {__LINE__, PMD "; client_no_context_takeover=true", ""},
        {__LINE__, PMD "; server_no_context_takeover; server_no_context_takeover", ""},
        {__LINE__, PMD "; client_max_window_bits; client_max_window_bits=9", ""},
        {__LINE__, PMD "; server_max_window_bits=9; server_max_window_bits=9", ""},
        {__LINE__, PMD "; server_max_window_bits", ""},
        {__LINE__, PMD "; server_max_window_bits=7", ""},
        {__LINE__, PMD "; server_max_window_bits=16", ""},
        {__LINE__, PMD "; server_max_window_bits=010", ""},
        {__LINE__, PMD "; server_max_window_bits=1000000000000000000000", ""},
        {__LINE__, PMD "; client_max_window_bits=x", ""},
        {__LINE__, PMD "; client_max_window_bits=0", ""},
        {__LINE__, PMD "; Server_no_context_takeover", ""},
        /* malformed (RFC 6455 9.1) */
        {__LINE__, PMD ";", NULL},
        {__LINE__, PMD "; ; server_no_context_takeover", NULL},
        {__LINE__, "; server_no_context_takeover", NULL},
        {__LINE__, PMD " server_no_context_takeover", NULL},
        {__LINE__, PMD "; server_max_window_bits=", NULL},
        {__LINE__, PMD "; server_max_window_bits=\"\"", NULL},
        {__LINE__, PMD "; server_max_window_bits=\"1 2\"", NULL},
        {__LINE__, PMD "; server_max_window_bits=\"12", NULL},
        {__LINE__, PMD "; server_max_window_bits=\"12\"3", NULL},
        {__LINE__, PMD "; =1", NULL},
        {__LINE__, PMD ", b@d", NULL},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        check_offer(&rows[i], &ours);
}

static void
asks_for_what_it_would_have_itself(void **state)
{
    static const struct websocket_deflate ours = {true, true, 11, 10};
    static const char both[] = "; server_no_context_takeover; client_no_context_takeover";
    static const struct {
        const char *offer, *windows;
    } rows[] = {
        {PMD, "; server_max_window_bits=11"},
        {PMD "; server_max_window_bits=9", "; server_max_window_bits=9"},
        {PMD "; server_max_window_bits=15", "; server_max_window_bits=11"},
        {PMD "; client_max_window_bits", "; server_max_window_bits=11; client_max_window_bits=10"},
        {PMD "; client_max_window_bits=9", "; server_max_window_bits=11; client_max_window_bits=9"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char answer[200];

        (void)snprintf(answer, sizeof answer, PMD "%s%s", both, rows[i].windows);
        check_offer(&(struct offer){(int)i, rows[i].offer, answer}, &ours);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_when_it_is_asked),
        cmocka_unit_test(speaks_version_13_alone),
        cmocka_unit_test(takes_a_key_of_16_bytes),
        cmocka_unit_test(accepts_a_key),
        cmocka_unit_test(chooses_the_protocol_that_the_client_likes_best),
        cmocka_unit_test(meets_offers_of_deflate),
        cmocka_unit_test(asks_for_what_it_would_have_itself),
    };

    return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
