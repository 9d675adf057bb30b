/* SPDX-License-Identifier: Apache-2.0 */
/*
 * published_test.c - choices that others have published: the examples of RFC 4647 and RFC 9110, and
 * the rows of test/data/negotiator (made of the tests of jshttp/negotiator 1.1.0, which has its
 * license beside it). Where such a row says otherwise than we do, our choice stands
 * in "ours", and the reason in "why".
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
#include "earnest/decide.h"

enum { VARIANTS_MAX = 16, ROWS_LEAST = 80, DIFFERENCES = 5 };

#define NONE SIZE_MAX

static size_t
choose(const char *name, const char *value, const struct ern_variant *variants, size_t n)
{
    struct ern_field fields[1];
    struct ern_request r;
    size_t choice = NONE;

    ern_request_init(&r, fields, 1);
    if (value)
        assert_true(ern_request_add(&r, slice_text(name), slice_text(value)));
    (void)ern_negotiate(&r, variants, n, &choice);
    return choice;
}

static struct ern_variant
variant_of(const char *field, struct ern_slice what)
{
    struct ern_variant v = {ERN_ABSENT, ERN_ABSENT, ERN_ABSENT, 1000};

    if (strcmp(field, "Accept") == 0)
        v.type = what;
    else if (strcmp(field, "Accept-Language") == 0)
        v.language = what;
    else if (!slice_eq(what, ERN_SLICE("identity")))
        v.coding = what;
    return v;
}

static json_t *
load(const char *file)
{
    const char *data = getenv("ERN_TEST_DATA");
    char path[4096];
    json_error_t error;
    json_t *json;

    assert_non_null(data);
    (void)snprintf(path, sizeof path, "%s/%s", data, file);
    json = json_load_file(path, 0, &error);
    if (!json)
        fail_msg("%s: %s", path, error.text);
    return json;
}

static bool
is_choice(const json_t *there, size_t choice, const json_t *expected)
{
    if (json_is_null(expected))
        return choice == NONE;
    return choice != NONE && json_equal(json_array_get(there, choice), expected);
}

static void
rows_of_negotiator(void **state)
{
    json_t *rows = load("negotiator/choices.json");
    size_t differences = 0;

    (void)state;
    assert_true(json_array_size(rows) >= ROWS_LEAST);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i), *there = json_object_get(row, "there");
        const char *field = json_string_value(json_object_get(row, "field"));
        const json_t *chosen = json_object_get(row, "chosen"), *ours = json_object_get(row, "ours");
        struct ern_variant variants[VARIANTS_MAX];
        size_t n = json_array_size(there), choice;

        assert_in_range(n, 1, VARIANTS_MAX);
        for (size_t k = 0; k < n; k++)
            variants[k] =
                variant_of(field, slice_text(json_string_value(json_array_get(there, k))));
        choice = choose(field, json_string_value(json_object_get(row, "value")), variants, n);
        if (ours)
            assert_non_null(json_object_get(row, "why"));
        differences += ours != NULL;
        if (!is_choice(there, choice, ours ? ours : chosen)) {
            char *text = json_dumps(row, 0);

            fail_msg("row %zu: choice %zd: %s", i, (ssize_t)choice, text);
        }
    }
    assert_int_equal(differences, DIFFERENCES);
    json_decref(rows);
}

/* RFC 9110 12.5.1, 12.5.3, 12.5.4, RFC 4647 3.3.1, 3.4: fields as they stand there. */
static void
examples_of_the_specifications(void **state)
{
    static const struct {
        const char *field, *value;
        const char *there[4];
        size_t choice;
    } rows[] = {
        {"Accept", "audio/*; q=0.2, audio/basic", {"audio/mpeg", "audio/basic"}, 1},
        {"Accept", "audio/*; q=0.2, audio/basic", {"audio/mpeg", "text/plain"}, 0},
        {"Accept",
         "text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c",
         {"text/plain", "text/x-dvi", "text/html"},
         2},
        {"Accept",
         "text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c",
         {"text/plain", "text/x-dvi"},
         1},
        {"Accept",
         "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
         "*/*;q=0.5",
         {"text/plain", "text/plain;format=flowed", "text/html", "image/jpeg"},
         1},
        {"Accept",
         "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
         "*/*;q=0.5",
         {"text/html", "image/jpeg", "text/plain;format=fixed"},
         1},
        {"Accept",
         "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
         "*/*;q=0.5",
         {"text/plain;format=fixed", "text/plain", "image/jpeg"},
         1},
        {"Accept-Encoding", "compress, gzip", {"identity", "gzip"}, 1},
        {"Accept-Encoding", "", {"gzip", "identity"}, 1},
        {"Accept-Encoding", "*", {"compress", "identity"}, 0},
        {"Accept-Encoding", "compress;q=0.5, gzip;q=1.0", {"compress", "gzip", "identity"}, 1},
        {"Accept-Encoding", "gzip;q=1.0, identity; q=0.5, *;q=0", {"compress", "identity"}, 1},
        {"Accept-Encoding", "gzip;q=1.0, identity; q=0.5, *;q=0", {"identity", "gzip"}, 1},
        {"Accept-Encoding", "gzip;q=1.0, identity; q=0.5, *;q=0", {"compress"}, NONE},
        {"Accept-Language", "da, en-gb;q=0.8, en;q=0.7", {"en", "en-gb", "da"}, 2},
        {"Accept-Language", "da, en-gb;q=0.8, en;q=0.7", {"en", "en-gb"}, 1},
        {"Accept-Language", "da, en-gb;q=0.8, en;q=0.7", {"en-US", "fr"}, 0},
        /* filtering: a range is a tag, or what comes before a hyphen of one */
        {"Accept-Language", "de-de", {"de-Deva", "de-DE"}, 1},
        {"Accept-Language", "de-de", {"de-Deva", "de-DE-1996"}, 1},
        {"Accept-Language", "de-de", {"de-Latn-DE", "fr"}, NONE},
        {"Accept-Language", "de-de;q=0.5, fr;q=0.1", {"de-Deva", "fr"}, 1},
        /* lookup: a range is cut short from its end */
        {"Accept-Language", "zh-Hant-CN-x-private1-private2", {"zh", "zh-Hant"}, 1},
        {"Accept-Language", "zh-Hant-CN-x-private1-private2", {"zh-Hant", "zh-Hant-CN"}, 1},
        {"Accept-Language", "zh-Hant-CN-x-private1-private2", {"zh", "zh-Hant-CN-x-private1"}, 1},
        {"Accept-Language", "fr-FR, zh-Hant", {"en", "fr"}, 1},
        {"Accept-Language", "fr-FR, zh-Hant", {"en", "zh-Hant"}, 1},
        {"Accept-Language", "fr-FR, zh-Hant", {"en", "zh"}, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_variant variants[4];
        size_t n = 0, choice;

        for (; n < 4 && rows[i].there[n]; n++)
            variants[n] = variant_of(rows[i].field, slice_text(rows[i].there[n]));
        choice = choose(rows[i].field, rows[i].value, variants, n);
        if (choice != rows[i].choice)
            fail_msg("row %zu: %s: choice %zd, not %zd", i, rows[i].value, (ssize_t)choice,
                     (ssize_t)rows[i].choice);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_negotiator),
        cmocka_unit_test(examples_of_the_specifications),
    };

    return cmocka_run_group_tests_name("published", tests, NULL, NULL);
}
