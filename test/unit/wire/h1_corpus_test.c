/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1_corpus_test.c - raw requests that other servers test themselves with, in test/data.
 *
 * Each is read here, message after message. Whether it is refused must be what its author says,
 * but for the table of deviations: there RFC 9112 lets a recipient choose and we are strict, or
 * the author tests something that is not the reading of messages. Many have no Host, which has
 * nothing to do with what they test, so one is put in where that is all that is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/slice.h"
#include "wire/h1.h"

enum { FIELDS = 512, BYTES_MAX = 65536 };

enum { IDS_MAX = 16 };

struct deviation {
    const char *reason;
    const char *finding; /* ours; "none" where we take what the author refuses */
    const char *ids[IDS_MAX];
};

/* clang-format off */
static const struct deviation deviations[] = {
    {"HTTP/2.0 in a request line is no version of RFC 9112 (RFC 9110 2.5)",
     "version_unknown",
     {"httpd-strict-13"}},
    {"a reg-name by RFC 3986 3.2.2: what it resolves to is nothing to an origin server",
     "none",
     {"httpd-strict-43", "httpd-strict-44", "httpd-strict-46", "httpd-strict-47"}},
    {"the head is not whole: framing is judged when it is",
     "none",
     {"httpd-strict-49", "llhttp-request/content-length-23", "llhttp-request/content-length-24",
      "llhttp-request/content-length-25", "llhttp-request/content-length-32",
      "llhttp-request/content-length-33", "llhttp-request/content-length-34",
      "llhttp-request/transfer-encoding-135"}},
    {"the bytes end where more may come",
     "none",
     {"llhttp-request/transfer-encoding-146", "gunicorn-invalid-001",
      "gunicorn-invalid-rfc9112_chunked_missing_final_crlf_01"}},
    {"what a path means is judged by path_read()",
     "none",
     {"lighttpd-3"}},
    {"trailer fields are dropped, so what they say does no harm (RFC 9110 6.5.1)",
     "none",
     {"lighttpd-24", "lighttpd-26", "gunicorn-invalid-rfc9110_trailer_forbidden_cl_01",
      "gunicorn-invalid-rfc9110_trailer_forbidden_host_01",
      "gunicorn-invalid-rfc9110_trailer_forbidden_te_01"}},
    {"the content is 4 bytes and ends inside a CRLF: what follows is LF",
     "bare_lf",
     {"lighttpd-17"}},
    {"two Range fields that differ (RFC 9110 5.3)",
     "single_repeated",
     {"lighttpd-45", "lighttpd-46"}},
    {"one empty line before a request is passed over, not two (RFC 9112 2.2)",
     "method_syntax",
     {"lighttpd-47", "llhttp-request/connection-4"}},
    {"bytes from 0x80 on must be percent-encoded (RFC 9112 3.2)",
     "target_syntax",
     {"lighttpd-63", "lighttpd-64", "gunicorn-valid-027"}},
    {"credentials are not read here",
     "none",
     {"lighttpd-107", "lighttpd-117"}},
    {"folding may be refused (RFC 9112 5.2)",
     "field_fold",
     {"lighttpd-115", "lighttpd-119", "lighttpd-120", "gunicorn-valid-compat_obs_fold",
      "gunicorn-valid-compat_obs_fold_huge"}},
    {"the first request is whole; that the connection ends after it is not judged here",
     "none",
     {"llhttp-request/connection-2"}},
    {"a method is any token (RFC 9110 9.1)",
     "none",
     {"llhttp-request/invalid-45", "llhttp-request/invalid-55", "gunicorn-invalid-003c"}},
    {"the request line is not whole: the version is judged when it is",
     "none",
     {"llhttp-request/invalid-60"}},
    {"only OPTIONS takes asterisk-form (RFC 9112 3.2.4)",
     "target_form",
     {"llhttp-request/method-80"}},
    {"a protocol that is not HTTP",
     "version_syntax",
     {"llhttp-request/method-87", "llhttp-request/method-88", "llhttp-request/method-89"}},
    {"HTTP/0.9 is not spoken",
     "version_syntax",
     {"llhttp-request/sample-115"}},
    {"extensions past the limit of one chunk",
     "chunk_extension_large",
     {"llhttp-request/transfer-encoding-133"}},
    {"a fragment is no part of a request target (RFC 9112 3.2)",
     "target_syntax",
     {"llhttp-request/transfer-encoding-143", "llhttp-request/transfer-encoding-144",
      "llhttp-request/uri-162", "gunicorn-valid-005", "gunicorn-valid-009"}},
    {"a quotation mark must be percent-encoded (RFC 3986 2)",
     "target_syntax",
     {"llhttp-request/uri-155", "gunicorn-valid-014"}},
    {"userinfo in an http URI is an error (RFC 9110 4.2.4)",
     "host_syntax",
     {"llhttp-request/uri-164", "gunicorn-valid-rfc9112_target_absolute_userinfo_01"}},
    {"the author has set a larger limit",
     "field_too_large",
     {"gunicorn-valid-024", "gunicorn-valid-026"}},
    {"no coding but chunked is known here (RFC 9112 6.1)",
     "coding_unknown",
     {"gunicorn-valid-025", "gunicorn-valid-025_line", "gunicorn-valid-029",
      "gunicorn-valid-030", "gunicorn-valid-rfc9112_smuggle_gzip_chunked_01",
      "gunicorn-valid-rfc9112_smuggle_te_identity_chunked_01"}},
    {"no white space before the colon (RFC 9112 5.1)",
     "field_name_space",
     {"gunicorn-valid-028"}},
    {"the PROXY protocol is not HTTP",
     "version_syntax",
     {"gunicorn-valid-pp_01", "gunicorn-valid-pp_02"}},
    {"the PROXY protocol is not HTTP",
     "method_syntax",
     {"gunicorn-valid-pp_04", "gunicorn-valid-pp_05"}},
    {"the author has a smaller limit",
     "none",
     {"gunicorn-invalid-006", "gunicorn-invalid-008", "gunicorn-invalid-010",
      "gunicorn-invalid-011", "gunicorn-invalid-012", "gunicorn-invalid-017",
      "gunicorn-invalid-limit_header_default_01"}},
    {"fields of gateways are not read here",
     "none",
     {"gunicorn-invalid-019"}},
    {"an underscore is a token character, and makes another name (RFC 9110 5.6.2)",
     "none",
     {"gunicorn-invalid-040", "gunicorn-invalid-chunked_07"}},
};
/* clang-format on */

struct outcome {
    enum finding finding;
    size_t message_at; /* where the last message begins */
    unsigned done_n;
};

/* Reads messages until there are messages_max, or the bytes end, or there is a finding. */
static struct outcome
read_messages(struct ern_slice bytes, unsigned messages_max)
{
    static struct ern_field fields[FIELDS];
    struct limits limits = limits_standard();
    struct outcome outcome = {FINDING_none, 0, 0};

    while (outcome.message_at < bytes.len && outcome.done_n < messages_max) {
        struct ern_slice in = slice_skip(bytes, outcome.message_at), piece;
        struct ern_request request;
        struct h1_head head;
        struct h1_content content;
        enum parse parse;

        ern_request_init(&request, fields, FIELDS);
        h1_head_init(&head, &limits);
        parse = h1_head_feed(&head, in, &request);
        outcome.finding = head.finding;
        if (parse != PARSE_DONE)
            break;
        in = slice_skip(in, head.at);
        h1_content_init(&content, &limits, &request);
        do {
            parse = h1_content_feed(&content, &in, &piece);
        } while (parse == PARSE_MORE && in.len);
        outcome.finding = content.finding;
        if (parse != PARSE_DONE)
            break;
        outcome.done_n++;
        outcome.message_at = bytes.len - in.len;
    }
    return outcome;
}

/* Puts a Host field after the request line of the message at an offset. */
static size_t
add_host(char *memory, size_t len, size_t message_at)
{
    static const char host[] = "Host: a\r\n";
    struct ern_slice rest = slice_from(memory + message_at, len - message_at);
    size_t at;

    if (slice_starts(rest, ERN_SLICE("\r\n")))
        message_at += 2;
    rest = slice_from(memory + message_at, len - message_at);
    at = message_at + slice_find(rest, '\n') + 1;
    memmove(memory + at + sizeof host - 1, memory + at, len - at);
    memcpy(memory + at, host, sizeof host - 1);
    return len + sizeof host - 1;
}

/* The bytes that a JSON string stands for: its characters are U+0000 to U+00FF, one a byte. */
static size_t
bytes_of(const json_t *string, char *memory)
{
    const char *text = json_string_value(string);
    size_t len = json_string_length(string), n = 0;

    assert_true(len < BYTES_MAX / 2);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 0x80) {
            assert_true((c & 0xfc) == 0xc0 && i + 1 < len);
            c = (unsigned char)((c & 3) << 6 | ((unsigned char)text[++i] & 0x3f));
        }
        memory[n++] = (char)c;
    }
    return n;
}

static const struct deviation *
deviation_find(const char *id)
{
    for (size_t i = 0; i < sizeof deviations / sizeof *deviations; i++)
        for (size_t j = 0; j < IDS_MAX && deviations[i].ids[j]; j++)
            if (strcmp(deviations[i].ids[j], id) == 0)
                return &deviations[i];
    return NULL;
}

struct corpus {
    const char *path;
    bool (*author_refuses)(const json_t *vector, bool *ret_skip);
};

struct counts {
    unsigned n, skipped, hosts_added, refused, deviate, wrong;
};

static void
check_vector(const struct corpus *corpus, const json_t *vector, struct counts *counts)
{
    static char memory[BYTES_MAX];
    const char *id = json_string_value(json_object_get(vector, "id"));
    const json_t *complete = json_object_get(vector, "messages_complete");
    const char *expect = json_string_value(json_object_get(vector, "expect"));
    const struct deviation *deviation = deviation_find(id);
    bool skip = false, has_host = true;
    bool author = corpus->author_refuses(vector, &skip);
    size_t len = bytes_of(json_object_get(vector, "raw"), memory);
    unsigned max = UINT32_MAX;
    struct outcome ours;
    const char *finding;

    if (skip) {
        counts->skipped++;
        return;
    }
    if (expect && strcmp(expect, "pause") == 0) /* what follows is another protocol */
        max = (unsigned)json_integer_value(complete);
    ours = read_messages(slice_from(memory, len), max);
    while (ours.finding == FINDING_host_missing && len < BYTES_MAX - 16) {
        has_host = false;
        len = add_host(memory, len, ours.message_at);
        ours = read_messages(slice_from(memory, len), max);
    }
    finding = finding_row(ours.finding)->name;
    counts->n++;
    counts->hosts_added += !has_host;
    counts->refused += ours.finding != FINDING_none;
    counts->deviate += deviation != NULL;
    if (author == (ours.finding != FINDING_none)
            ? deviation == NULL
            : deviation && !strcmp(deviation->finding, finding))
        return;
    counts->wrong++;
    print_error("%s: author %s, ours is %s%s\n", id, author ? "refuses" : "takes", finding,
                deviation ? ", and the table of deviations says otherwise" : "");
}

static void
check_corpus(const struct corpus *corpus)
{
    const char *folder = getenv("ERN_TEST_DATA");
    struct counts counts = {0};
    char path[512];
    json_error_t error;
    json_t *vectors;

    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "test/data", corpus->path);
    vectors = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!vectors)
        fail_msg("%s: %s", path, error.text);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        check_vector(corpus, json_array_get(vectors, i), &counts);
    json_decref(vectors);
    print_message("%s: %u read, %u of them refused, %u deviations, Host added to %u; %u skipped\n",
                  corpus->path, counts.n, counts.refused, counts.deviate, counts.hosts_added,
                  counts.skipped);
    assert_true(counts.n > 0);
    assert_int_equal(counts.wrong, 0);
}

static bool
starts(const json_t *string, const char *with)
{
    return string && strncmp(json_string_value(string), with, strlen(with)) == 0;
}

/* "1" and statuses other than 400: it is read. "0" and "drop": no answer of HTTP/1. */
static bool
httpd_refuses(const json_t *vector, bool *ret_skip)
{
    const json_t *expect = json_object_get(vector, "expect");

    (void)ret_skip;
    return starts(expect, "400") || starts(expect, "0") || starts(expect, "drop");
}

static bool
lighttpd_refuses(const json_t *vector, bool *ret_skip)
{
    size_t n = json_array_size(json_object_get(vector, "expect"));

    (void)ret_skip;
    for (size_t i = 0; i < n; i++)
        if (starts(json_object_get(json_array_get(json_object_get(vector, "expect"), i),
                                   "HTTP-Status"),
                   "400"))
            return true;
    return false;
}

/* Responses are not read here; neither are fixtures for a leniency that we do not have. */
static bool
llhttp_refuses(const json_t *vector, bool *ret_skip)
{
    const json_t *type = json_object_get(json_object_get(vector, "meta"), "type");

    *ret_skip = !type || strcmp(json_string_value(type), "request") != 0;
    return starts(json_object_get(vector, "expect"), "error");
}

static bool
gunicorn_refuses(const json_t *vector, bool *ret_skip)
{
    (void)ret_skip;
    return starts(json_object_get(vector, "expect"), "invalid");
}

static void
reads_what_httpd_reads(void **state)
{
    (void)state;
    check_corpus(&(struct corpus){"httpd-strict/http_strict.json", httpd_refuses});
}

static void
reads_what_lighttpd_reads(void **state)
{
    (void)state;
    check_corpus(&(struct corpus){"lighttpd/request_t.json", lighttpd_refuses});
}

static void
reads_what_llhttp_reads(void **state)
{
    (void)state;
    check_corpus(&(struct corpus){"llhttp/fixtures.json", llhttp_refuses});
}

static void
reads_what_gunicorn_reads(void **state)
{
    (void)state;
    check_corpus(&(struct corpus){"gunicorn-requests/requests.json", gunicorn_refuses});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_httpd_reads),
        cmocka_unit_test(reads_what_lighttpd_reads),
        cmocka_unit_test(reads_what_llhttp_reads),
        cmocka_unit_test(reads_what_gunicorn_reads),
    };

    return cmocka_run_group_tests_name("h1_corpus", tests, NULL, NULL);
}
