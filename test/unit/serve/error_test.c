/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "earnest/status.h"
#include "serve/error.h"

enum { ARENA_BYTES = 65536, FIELDS = 8 };

static struct worker worker;
static struct limits limits;
static struct exchange exchange;
static const struct site_route route; /* without policies */
static char memory[ARENA_BYTES], content[ARENA_BYTES + 1];
static struct ern_field fields[FIELDS];

/* An exchange that this rule has decided; Accept and Accept-Language unless NULL. */
static void
decided(const char *rule, const char *accept, const char *language)
{
    limits = limits_standard();
    worker.limits = &limits;
    memset(&exchange, 0, sizeof exchange);
    exchange.worker = &worker;
    exchange.route = &route;
    exchange.finding_at = -1;
    exchange.content_max = &limits.content_bytes_max;
    exchange.content_state = PARSE_DONE;
    exchange.rule = ern_rule_find(slice_text(rule));
    if (!exchange.rule)
        fail_msg("there is no rule %s", rule);
    exchange.status = exchange.rule->status;
    exchange.decision.evidence.retry_after_s = -1;
    arena_init(&exchange.arena, memory, sizeof memory);
    ern_request_init(&exchange.request, fields, FIELDS);
    ern_request_method(&exchange.request, ERN_SLICE("GET"));
    exchange.request.target = ERN_SLICE("/<script>target</script>");
    exchange.request.path = exchange.request.target;
    assert_true(ern_request_add(&exchange.request, ERN_SLICE("Host"), ERN_SLICE("example.org")));
    if (accept)
        assert_true(ern_request_add(&exchange.request, ERN_SLICE("Accept"), slice_text(accept)));
    if (language)
        assert_true(
            ern_request_add(&exchange.request, ERN_SLICE("Accept-Language"), slice_text(language)));
}

/* Writes the answer; it is in content, too, ended by NUL. */
static struct error_content
answer(void)
{
    struct error_content c = error_write(&exchange);

    assert_true(slice_is_there(c.text));
    assert_true(utf8_is(c.text));
    memcpy(content, c.text.ptr, c.text.len);
    content[c.text.len] = '\0';
    assert_null(strstr(content, "target</"));
    assert_null(strstr(content, "/<"));
    return c;
}

static json_t *
answer_json(void)
{
    struct error_content c = answer();
    json_error_t error;
    json_t *root = json_loadb(c.text.ptr, c.text.len, JSON_REJECT_DUPLICATES, &error);

    assert_true(slice_eq(c.type, ERN_SLICE("application/problem+json")));
    if (!root)
        fail_msg("%s in %s", error.text, content);
    return root;
}

static void
is_text(const json_t *root, const char *name, const char *text)
{
    const json_t *member = json_object_get(root, name);

    if (!member || !json_is_string(member))
        fail_msg("no %s in %s", name, content);
    assert_string_equal(json_string_value(member), text);
}

static void
has(const char *text)
{
    if (!strstr(content, text))
        fail_msg("no %s in %s", text, content);
}

static void
has_not(const char *text)
{
    if (strstr(content, text))
        fail_msg("%s in %s", text, content);
}

static void
missing_as_json(void **state)
{
    json_t *root, *fact;

    (void)state;
    decided("missing", NULL, NULL);
    root = answer_json();
    is_text(root, "title", "Not Found");
    is_text(root, "detail", "There is nothing here under that name: check the address.");
    is_text(root, "rule", "missing");
    is_text(root, "source", "RFC 9110 15.5.5");
    assert_int_equal(json_integer_value(json_object_get(root, "status")), exchange.rule->status);
    fact = json_object_get(root, "fact");
    is_text(fact, "name", "exists");
    is_text(fact, "question", "Is there a current representation?");
    assert_true(json_is_false(json_object_get(fact, "answer")));
    assert_null(json_object_get(root, "type"));
    assert_null(json_object_get(root, "offset"));
    assert_null(json_object_get(root, "limit"));
    assert_null(json_object_get(root, "instance"));
    json_decref(root);
}

static void
every_rule_in_every_form(void **state)
{
    static const char *const accepts[] = {"application/json", "text/html", "text/plain"};

    (void)state;
    for (size_t i = 0; i < ern_rules_n; i++)
        for (size_t a = 0; a < sizeof accepts / sizeof *accepts; a++)
            for (unsigned l = 0; l < LANGUAGES; l++) {
                struct error_content c;

                decided(ern_rules[i].name, accepts[a], l ? "bn" : "en");
                c = answer();
                assert_int_equal(c.language, l);
                assert_true(c.text.len < 4096);
                if (a == 0)
                    json_decref(answer_json());
            }
}

static void
forms(void **state)
{
    static const struct {
        const char *accept, *type;
    } rows[] = {
        {NULL, "application/problem+json"},
        {"", "application/problem+json"},
        {"*/*", "application/problem+json"},
        {"application/json", "application/problem+json"},
        {"application/json, text/html;q=0.9", "application/problem+json"},
        {"application/json;q=0.5, text/html;q=0.9", "text/html; charset=utf-8"},
        {"application/problem+json;q=0, */*", "text/html; charset=utf-8"},
        {"application/problem+json, text/html", "application/problem+json"},
        {"application/*", "application/problem+json"},
        {"text/html", "text/html; charset=utf-8"},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
         "text/html; charset=utf-8"},
        {"text/html, */*", "application/problem+json"},
        {"text/plain", "text/plain; charset=utf-8"},
        {"text/plain, text/html;q=0.9", "text/plain; charset=utf-8"},
        {"text/*", "text/html; charset=utf-8"},
        {"image/png", "application/problem+json"},
        {"image/png, */*;q=0", "application/problem+json"},
        {"nonsense", "application/problem+json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error_content c;

        decided("missing", rows[i].accept, NULL);
        c = answer();
        if (!slice_eq(c.type, slice_text(rows[i].type)))
            fail_msg("Accept: %s gives %.*s", rows[i].accept ? rows[i].accept : "(none)",
                     (int)c.type.len, c.type.ptr);
    }
}

static void
html_page(void **state)
{
    struct error_content c;

    (void)state;
    decided("missing", "text/html", "en");
    c = answer();
    has("<!doctype html>\n<html lang=\"en\">");
    has("<title>404 Not Found</title>");
    has("<meta name=\"viewport\"");
    has("<h1 lang=\"en\"><b>404</b> Not Found</h1>");
    has("<p>There is nothing here under that name: check the address.</p>");
    has("<dd>missing</dd>");
    has("<a href=\"https://www.rfc-editor.org/rfc/rfc9110#section-15.5.5\">RFC 9110 15.5.5</a>");
    has("Is there a current representation?</span> no</dd>");
    has_not("<script");
    assert_true(c.text.len < 3072);
}

static void
header_leads_to_the_site(void **state)
{
    (void)state;
    decided("missing", "text/html", "en");
    exchange.request.authority = ERN_SLICE("www.example.org:8080");
    (void)answer();
    has("<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header><nav "
        "aria-label=\"Site\">"
        "<a href=\"/\">www.example.org</a></nav></header>\n<main id=\"main\">");
    decided("malformed", "text/html", "bn");
    exchange.request.authority = ERN_SLICE("<b>\"");
    (void)answer();
    has("<header><nav aria-label=\"সাইট\"><a href=\"/\">শুরু</a></nav></header>");
    has_not("<b>\"");
}

static void
bengali(void **state)
{
    json_t *root;
    struct error_content c;

    (void)state;
    decided("missing", "text/html", "bn-BD, bn;q=0.9, en;q=0.5");
    c = answer();
    assert_int_equal(c.language, LANGUAGE_BN);
    has("<html lang=\"bn\">");
    has("<p>এই নামে এখানে কিছু নেই: ঠিকানাটি মিলিয়ে দেখুন।</p>");
    has("<dt>নিয়ম</dt>");
    decided("missing", NULL, "bn");
    root = answer_json();
    is_text(root, "detail", "এই নামে এখানে কিছু নেই: ঠিকানাটি মিলিয়ে দেখুন।");
    json_decref(root);
}

static void
hostile_detail_is_escaped(void **state)
{
    struct ern_slice detail = ERN_SLICE("<img src=x onerror='a'>&\"\\\x1b[31m\n\xff");
    json_t *root;

    (void)state;
    decided("not_acceptable", "text/html", NULL);
    exchange.decision.evidence.detail = detail;
    exchange.decision.evidence.location = ERN_SLICE("/\"><b>&");
    (void)answer();
    has("<p>&lt;img src=x "
        "onerror=&#39;a&#39;&gt;&amp;&quot;\\\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd</p>");
    has("<a href=\"/&quot;&gt;&lt;b&gt;&amp;\">/&quot;&gt;&lt;b&gt;&amp;</a>");
    decided("not_acceptable", NULL, NULL);
    exchange.decision.evidence.detail = detail;
    root = answer_json();
    is_text(root, "detail", "<img src=x onerror='a'>&\"\\\x1b[31m\n\xef\xbf\xbd");
    json_decref(root);
    decided("not_acceptable", "text/plain", NULL);
    exchange.decision.evidence.detail = detail;
    (void)answer();
    has("\n\n<img src=x onerror='a'>&\"\\\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd\n\n");
}

static void
findings(void **state)
{
    json_t *root;

    (void)state;
    decided("malformed", NULL, NULL);
    exchange.finding = FINDING_bare_cr;
    exchange.finding_at = 17;
    root = answer_json();
    is_text(root, "detail", "A CR is not followed by LF.");
    is_text(root, "source", "RFC 9112 2.2");
    assert_int_equal(json_integer_value(json_object_get(root, "offset")), 17);
    assert_null(json_object_get(root, "limit"));
    json_decref(root);

    decided("version", NULL, NULL);
    exchange.finding = FINDING_version_unknown;
    root = answer_json();
    is_text(root, "detail",
            "This major version of HTTP is not spoken here. HTTP/1.0, HTTP/1.1 and HTTP/2 are.");
    json_decref(root);
}

static void
the_field_to_blame_is_named(void **state)
{
    char name[200];
    json_t *root;

    (void)state;
    decided("fields_too_large", NULL, NULL);
    exchange.finding = FINDING_field_too_large;
    exchange.finding_field = ERN_SLICE("Cookie");
    root = answer_json();
    is_text(root, "detail",
            "One field line is larger than this server reads. The field is Cookie.");
    json_decref(root);

    memset(name, 'n', sizeof name);
    decided("fields_too_large", "text/plain", "bn");
    exchange.finding = FINDING_field_too_large;
    exchange.finding_field = slice_from(name, sizeof name);
    (void)answer();
    has(" ফিল্ডটির নাম nnn");
    has("nnn...।\n");
}

static void
limits_are_named(void **state)
{
    static const struct {
        const char *rule;
        enum finding finding;
        enum parse content;
        const char *limit;
    } rows[] = {
        {"target_too_long", FINDING_target_too_long, PARSE_DONE, "target_bytes_max"},
        {"fields_too_large", FINDING_field_too_large, PARSE_DONE, "field_bytes_max"},
        {"fields_too_large", FINDING_fields_too_large, PARSE_DONE, "fields_bytes_max"},
        {"fields_too_large", FINDING_fields_too_many, PARSE_DONE, "fields_max"},
        {"fields_too_large", FINDING_fields_too_large, PARSE_MORE, "trailers_bytes_max"},
        {"fields_too_large", FINDING_fields_too_many, PARSE_MORE, "trailers_max"},
        {"malformed", FINDING_chunk_size_too_large, PARSE_MORE, "chunk_digits_max"},
        {"malformed", FINDING_chunk_extension_large, PARSE_MORE, "chunk_extension_max"},
        {"malformed", FINDING_bare_lf, PARSE_DONE, NULL},
        {"content_too_large", FINDING_none, PARSE_DONE, "content_bytes_max"},
        {"overloaded", FINDING_none, PARSE_DONE, "connections_max"},
        {"request_timeout", FINDING_timed_out, PARSE_DONE, "header_timeout_ms"},
        {"missing", FINDING_none, PARSE_DONE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *root, *limit;

        decided(rows[i].rule, NULL, NULL);
        exchange.finding = rows[i].finding;
        exchange.content_state = rows[i].content;
        root = answer_json();
        limit = json_object_get(root, "limit");
        if (!rows[i].limit) {
            assert_null(limit);
        } else {
            unsigned n = 0;

            is_text(limit, "name", rows[i].limit);
            while (!slice_eq(limits_row(n)->name, slice_text(rows[i].limit)))
                n++;
            assert_int_equal(json_integer_value(json_object_get(limit, "value")),
                             limits_row(n)->standard);
        }
        json_decref(root);
    }
}

static void
incidents_have_their_number(void **state)
{
    json_t *root;

    (void)state;
    decided("broke", NULL, NULL);
    exchange.incident = UINT64_C(0xfedcba9876543210);
    root = answer_json();
    is_text(root, "instance", "fedcba9876543210");
    json_decref(root);
    decided("broke", "text/html", NULL);
    exchange.incident = 0xabc;
    (void)answer();
    has("<dt>Incident</dt><dd>abc</dd>");
}

/* RFC 9110 15.5.4: what hides gives nothing away. */
static void
hidden_is_as_missing(void **state)
{
    static const char *const accepts[] = {"application/json", "text/html", "text/plain"};
    static char before[ARENA_BYTES + 1];

    (void)state;
    for (size_t a = 0; a < sizeof accepts / sizeof *accepts; a++) {
        decided("missing", accepts[a], NULL);
        (void)answer();
        memcpy(before, content, sizeof before);
        decided("forbidden_hidden", accepts[a], NULL);
        (void)answer();
        assert_string_equal(content, before);
        decided("missing_post", accepts[a], NULL);
        (void)answer();
        memcpy(before, content, sizeof before);
        decided("forbidden_hidden", accepts[a], NULL);
        ern_learn(&exchange.decision, ERN_FACT_posts, true);
        (void)answer();
        assert_string_equal(content, before);
    }
}

static void
little_memory_is_enough(void **state)
{
    struct error_content c;

    (void)state;
    decided("missing", "text/html", "bn");
    arena_init(&exchange.arena, memory, 100);
    c = answer();
    assert_true(slice_eq(c.type, ERN_SLICE("text/plain; charset=utf-8")));
    assert_true(slice_eq(c.text, ERN_SLICE("Not Found")));
    assert_int_equal(c.language, LANGUAGE_EN);
}

static void
unregistered_status(void **state)
{
    (void)state;
    decided("relayed", "text/plain", NULL);
    exchange.status = 599;
    arena_init(&exchange.arena, memory, 8);
    (void)answer();
    decided("relayed", "text/plain", NULL);
    exchange.status = 599;
    (void)answer();
    has("599");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_as_json),
        cmocka_unit_test(every_rule_in_every_form),
        cmocka_unit_test(forms),
        cmocka_unit_test(html_page),
        cmocka_unit_test(header_leads_to_the_site),
        cmocka_unit_test(bengali),
        cmocka_unit_test(hostile_detail_is_escaped),
        cmocka_unit_test(findings),
        cmocka_unit_test(the_field_to_blame_is_named),
        cmocka_unit_test(limits_are_named),
        cmocka_unit_test(incidents_have_their_number),
        cmocka_unit_test(hidden_is_as_missing),
        cmocka_unit_test(little_memory_is_enough),
        cmocka_unit_test(unregistered_status),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
