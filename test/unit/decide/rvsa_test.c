/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/rvsa.h"

enum { LIST = 99, VARIANTS_MAX = 8, FIELDS_MAX = 8 };

/* Fields on lines of their own. */
static struct ern_request
request_with(struct ern_field *fields, const char *text)
{
    struct ern_slice rest = slice_text(text);
    struct ern_request r;

    ern_request_init(&r, fields, FIELDS_MAX);
    while (rest.len) {
        size_t end = slice_find(rest, '\n'), colon = slice_find(rest, ':');

        assert_true(ern_request_add(&r, slice_first(rest, colon),
                                    slice_trim(slice_from(rest.ptr + colon + 1, end - colon - 1))));
        rest = slice_skip(rest, end < rest.len ? end + 1 : end);
    }
    return r;
}

static size_t
read_list(const char *text, struct variant *variants)
{
    struct ern_slice list = slice_text(text);
    size_t n = 0;

    while (n < VARIANTS_MAX && variant_next(&list, &variants[n]) == VARIANT_READ)
        n++;
    assert_int_equal(list.len, 0);
    return n;
}

/* Qualities: RFC 2296 3.3 and 3.4. */
static void
rvsa_weighs_as_rfc2296_3_3(void **state)
{
    /* the example has a colon for the semicolon before q */
#define ACCEPT "Accept: text/html;q=1.0, */*;q=0.8\nAccept-Language: en;q=1.0, fr;q=0.5"
#define BLAH "{\"blah.html\" 1 {language en-gb} {features blebber [x y]}}"
    static const struct {
        const char *variant, *fields;
        unsigned quality;
        bool definite;
    } rows[] = {
        {"{\"paper.html.en\" 0.9 {type text/html} {language en}}", ACCEPT, 90000, true},
        {"{\"paper.html.fr\" 0.7 {type text/html} {language fr}}", ACCEPT, 35000, true},
        {"{\"paper.ps.en\" 1.0 {type application/postscript} {language en}}", ACCEPT, 80000, false},
        {BLAH, "Accept-Language: en-gb, fr\nAccept-Features: blebber, x, !y, *", 100000, true},
        {BLAH, "Accept-Language: en, fr\nAccept-Features: blebber, x, *", 100000, true},
        {BLAH, "Accept-language: en-gb, fr\nAccept-Features: blebber, !y, *", 100000, false},
        {BLAH, "Accept-Language: fr, *\nAccept-Features: blebber, x, !y, *", 100000, false},
        {BLAH, "Accept-Language: fr\nAccept-Features: blebber, x, !y", 0, true},
        {"{\"a\" 1.0}", "", 100000, true}, /* nothing to ask about */
        {"{\"a\" 1.0 {type text/html}}", "", 100000, false},
        {"{\"a\" 1.0 {type text/html}}", "Accept: text/*", 100000, false},
        {"{\"a\" 0.00001}", "", 1, true},
        {"{\"a\" 0.000005}", "", 1, true}, /* rounded */
        {"{\"a\" 0.000004}", "", 0, true},
        {"{\"a\" 1.0 {language en, fr}}", "Accept-Language: fr;q=0.4, en;q=0.2", 40000, true},
        {"{\"a\" 1.0 {charset utf-8}}", "Accept-Charset: UTF-8;q=0.3", 30000, true},
        {"{\"a\" 1.0 {charset utf-8}}", "Accept-Charset: *;q=0.3", 30000, false},
        {"{\"a\" 1.0 {charset utf-8}}", "Accept-Charset: iso-8859-1", 0, true},
        {"{\"a\" 0.5 {features x;+1.5}}", "Accept-Features: x", 75000, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[FIELDS_MAX];
        struct ern_request r = request_with(fields, rows[i].fields);
        struct variant variants[VARIANTS_MAX];
        bool definite;
        uint64_t quality;

        assert_int_equal(read_list(rows[i].variant, variants), 1);
        quality = rvsa_quality(&r, &variants[0], &definite);
        if (quality != rows[i].quality || definite != rows[i].definite)
            fail_msg("%s with %s: %u, %s", rows[i].variant, rows[i].fields, (unsigned)quality,
                     definite ? "definite" : "speculative");
    }
#undef ACCEPT
#undef BLAH
}

/* Choices: RFC 2296 3.3, 3.5, 4.1 and 4.2. */
static void
rvsa_chooses_as_rfc2296(void **state)
{
#define PAPERS                                                                                     \
    "{\"paper.html.en\" 0.9 {type text/html} {language en}},"                                      \
    "{\"paper.html.fr\" 0.7 {type text/html} {language fr}},"                                      \
    "{\"paper.ps.en\" 1.0 {type application/postscript} {language en}}"
#define GREEK                                                                                      \
    "{\"paper.english\" 1.0 {language en} {charset ISO-8859-1}},"                                  \
    "{\"paper.greek\" 1.0 {language el} {charset ISO-8859-7}}"
#define IMAGES "{\"x.gif\" 1.0 {type image/gif}}, {\"x.tiff\" 1.0 {type image/tiff}}"
    static const struct {
        const char *variants, *fields;
        size_t choice;
    } rows[] = {
        {PAPERS, "Accept: text/html;q=1.0, */*;q=0.8\nAccept-Language: en;q=1.0, fr;q=0.5", 0},
        {PAPERS, "Accept: text/html;q=0.8, */*;q=1.0\nAccept-Language: en;q=1.0, fr;q=0.5", LIST},
        {PAPERS, "", LIST},
        /* 4.1, where the text of the fields has "gr" for Greek and the list "el" */
        {GREEK, "Accept-Language: el, en;q=0.8\nAccept-Charset: ISO-8859-1, ISO-8859-7;q=0.6, *",
         0},
        {GREEK, "Accept-Language: el, en;q=0.8\nAccept-Charset: ISO-8859-1, ISO-8859-7;q=0.95, *",
         1},
        {IMAGES, "Accept: image/gif;q=0.9, */*;q=1.0", LIST},
        {IMAGES,
         "Accept: image/gif;q=0.9, image/jpeg;q=0.8, image/png;q=1.0, image/tiff;q=0.5, "
         "image/ief;q=0.5, image/x-xbitmap;q=0.8, application/plugin1;q=1.0, "
         "application/plugin2;q=0.9",
         0},
        {IMAGES, "Accept: image/tiff, image/gif", 0}, /* of equal ones the first */
        {IMAGES, "Accept: image/png", LIST},
        {"{\"a\" 1.0 {language en}}, {\"fallback.html\"}", "Accept-Language: fr", LIST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[FIELDS_MAX];
        struct ern_request r = request_with(fields, rows[i].fields);
        struct variant variants[VARIANTS_MAX];
        size_t n = read_list(rows[i].variants, variants), choice = LIST;

        if (!rvsa_choose(&r, variants, n, &choice))
            choice = LIST;
        if (choice != rows[i].choice)
            fail_msg("%s with %s: choice %zu", rows[i].variants, rows[i].fields, choice);
    }
#undef PAPERS
#undef GREEK
#undef IMAGES
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rvsa_weighs_as_rfc2296_3_3),
        cmocka_unit_test(rvsa_chooses_as_rfc2296),
    };

    return cmocka_run_group_tests_name("rvsa", tests, NULL, NULL);
}
