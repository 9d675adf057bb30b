/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "res/choices.h"
#include "res/choose.h"
#include "res/variant_name.h"

enum { TEXT_BYTES = 2048, FIELDS_MAX = 4 };

static void
names_say_what_files_are(void **state)
{
    static const struct {
        const char *asked, *name;
        const char *type, *language, *coding; /* NULL: it says nothing of that */
        bool is_variant;
    } rows[] = {
        {"page", "page.html", "text/html", NULL, NULL, true},
        {"page", "page.en.html", "text/html", "en", NULL, true},
        {"page", "page.html.en", NULL, NULL, NULL, false}, /* what would its own type be? */
        {"page", "page.bn.html.br", "text/html", "bn", "br", true},
        {"page.html", "page.bn.html.br", "text/html", "bn", "br", true},
        {"page.html", "page.html.bn", NULL, NULL, NULL, false},
        {"page.en", "page.en.html", "text/html", "en", NULL, true},
        {"page", "page.pt-BR.html", "text/html", "pt-BR", NULL, true},
        {"page", "page.yue-HK.html", "text/html", "yue-HK", NULL, true},
        {"page", "page.en", NULL, NULL, NULL, false},
        {"page", "page.PNG", "image/png", NULL, NULL, true},
        {"v1.2.notes", "v1.2.notes.txt", "text/plain", NULL, NULL, true},
        {"page", "page", NULL, NULL, NULL, false},
        {"page", "page.br", NULL, NULL, NULL, false}, /* the same in a coding */
        {"page", "pages.html", NULL, NULL, NULL, false},
        {"page", "pag.html", NULL, NULL, NULL, false},
        {"page", "page.min.js", NULL, NULL, NULL, false}, /* no language of three letters */
        {"page", "page.yue.js", NULL, NULL, NULL, false},
        {"page", "page.e.html", NULL, NULL, NULL, false},
        {"page", "page.en-.html", NULL, NULL, NULL, false},
        {"page", "page.en-abcdefghi.html", NULL, NULL, NULL, false},
        {"page", "page.html.png", NULL, NULL, NULL, false},
        {"page", "page.en.fr.html", NULL, NULL, NULL, false},
        {"page", "page..html", NULL, NULL, NULL, false},
        {"page", "page.html~", NULL, NULL, NULL, false},
        {"page.html", "page.en.png", NULL, NULL, NULL, false},
        {"page.html.en", "page.en.html", NULL, NULL, NULL, false}, /* not in this order */
        {".htaccess", ".htaccess.en.html", NULL, NULL, NULL, false},
        {"", "page.html", NULL, NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct variant_name v;
        bool is_variant =
            variant_name_read(slice_text(rows[i].asked), slice_text(rows[i].name), &v);

        if (is_variant != rows[i].is_variant)
            fail_msg("%s is%s one of %s", rows[i].name, is_variant ? "" : " not", rows[i].asked);
        if (is_variant && (!slice_eq(v.type, slice_text(rows[i].type)) ||
                           !slice_eq(v.language, slice_text(rows[i].language)) ||
                           !slice_eq(v.coding, slice_text(rows[i].coding))))
            fail_msg("%s: %.*s, %.*s, %.*s", rows[i].name, (int)v.type.len, v.type.ptr,
                     (int)v.language.len, v.language.ptr, (int)v.coding.len, v.coding.ptr);
    }
}

/* What a reference of a type map leads to: only what lies in the same folder, and is not hidden. */
static void
references_stay_in_their_folder(void **state)
{
    static const struct {
        const char *list, *path; /* NULL: it is no neighbour */
    } rows[] = {
        {"{\"a.html\" 1}", "/f/a.html"},
        {"{\"./a:b.html\" 1}", NULL},
        {"{\"./a%3Ab.html\" 1}", "/f/a:b.html"},
        {"{\"a%20b\" 1}", "/f/a b"},
        {"{\"../a\" 1}", NULL},
        {"{\"%2e%2e\" 1}", NULL},
        {"{\"a/b\" 1}", NULL},
        {"{\"a%2Fb\" 1}", NULL},
        {"{\"/a\" 1}", NULL},
        {"{\"http://b.example/\" 1}", NULL},
        {"{\"a?b\" 1}", NULL},
        {"{\"a#b\" 1}", NULL},
        {"{\"a%00b\" 1}", NULL},
        {"{\".htaccess\" 1}", NULL},
        {"{\"%2Ehtaccess\" 1}", NULL},
        {"{\"a%zz\" 1}", "/f/a%zz"},
        {"{\"./.htaccess\" 1}", NULL},
        {"{\"a..b\" 1}", "/f/a..b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct choices *c;
        size_t at;

        assert_int_equal(
            choices_read(slice_text(rows[i].list), ERN_SLICE("/f/"), CHOICES_MAX, &c, &at), 0);
        if (!slice_eq(c->choice[0].path, slice_text(rows[i].path)) ||
            slice_is_there(c->choice[0].path) != (rows[i].path != NULL))
            fail_msg("%s: %.*s", rows[i].list, (int)c->choice[0].path.len, c->choice[0].path.ptr);
        free(c);
    }
}

static void
lists_are_written_for_all(void **state)
{
    static const char list[] = "{\"a.html\" 1 {type text/html} {language en, fr}}\n"
                               "{\"b\" 0.5 {encoding br} {description \"<\\\"B\\\">\"}}";
    char text[TEXT_BYTES];
    struct out o = out_init(text, sizeof text);
    struct choices *c;
    size_t at;

    (void)state;
    assert_int_equal(choices_read(slice_text(list), ERN_SLICE("/"), CHOICES_MAX, &c, &at), 0);
    assert_true(slice_eq(c->vary, ERN_SLICE("Vary: Negotiate, Accept, Accept-Language, "
                                            "Accept-Encoding\r\n")));
    assert_true(slice_eq(c->alternates,
                         ERN_SLICE("Alternates: {\"a.html\" 1.0 {type text/html} {language en, "
                                   "fr}}, {\"b\" 0.5 {encoding br} {description "
                                   "\"<\\\"B\\\">\"}}\r\n")));
    choices_write_html(&o, c);
    assert_true(slice_eq(out_done(&o),
                         ERN_SLICE("<li><a href=\"a.html\">a.html</a> (text/html, en, fr)</li>\n"
                                   "<li><a href=\"b\">&lt;&quot;B&quot;&gt;</a> (br)</li>\n")));
    o.len = 0;
    choices_write_text(&o, c);
    assert_true(slice_eq(out_done(&o), ERN_SLICE("a.html (text/html, en, fr)\nb (br)\n")));
    o.len = 0;
    choices_write_json(&o, c);
    assert_true(slice_eq(
        out_done(&o),
        ERN_SLICE("[{\"uri\":\"a.html\",\"type\":\"text/html\",\"language\":\"en, fr\"},"
                  "{\"uri\":\"b\",\"encoding\":\"br\",\"description\":\"<\\\"B\\\">\"}]")));
    free(c);
}

static void
lists_that_are_wrong_say_where(void **state)
{
    static const char wrong[] = "{\"a\" 1} {\"b\" 2}";
    struct choices *c;
    size_t at = 0;

    (void)state;
    assert_int_equal(choices_read(slice_text(wrong), ERN_SLICE("/"), 8, &c, &at), -EINVAL);
    assert_int_equal(at, 8);
    assert_int_equal(choices_read(ERN_SLICE("# none\n"), ERN_SLICE("/"), 8, &c, &at), -ENOENT);
    assert_int_equal(choices_read(ERN_SLICE("{\"a\" 1} {\"b\" 1}"), ERN_SLICE("/"), 1, &c, &at), 0);
    assert_int_equal(c->n, 1); /* and no more */
    free(c);
}

static void
requests_get_what_they_ask_for(void **state)
{
#define TWO "{\"en\" 1 {language en}} {\"bn\" 1 {language bn}}"
    static const struct {
        const char *list, *name, *value; /* of a field; NULL: none */
        bool strict, lists_ties;
        enum choosing choosing;
        size_t choice;
    } rows[] = {
        {TWO, NULL, NULL, true, false, CHOOSE_ONE, 0},
        {TWO, NULL, NULL, true, true, CHOOSE_LIST, 0},
        {TWO, "Accept-Language", "bn", true, true, CHOOSE_ONE, 1},
        {TWO, "Accept-Language", "fr", true, true, CHOOSE_NONE, 0},
        {TWO, "Accept-Language", "fr", false, true, CHOOSE_ONE, 0},
        {TWO, "Negotiate", "trans", false, false, CHOOSE_LIST, 0},
        {TWO, "Negotiate", "guess-small", false, false, CHOOSE_LIST, 0},
        {TWO, "Negotiate", "1.0", false, false, CHOOSE_LIST, 0}, /* nothing is known */
        {TWO, "Negotiate", "2.5, unknown", false, false, CHOOSE_ONE, 0},
        {"{\"a\" 0.2} {\"b\" 0.7}", "Negotiate", "*", false, false, CHOOSE_ONE, 1},
        {"{\"/a\" 1}", NULL, NULL, false, false, CHOOSE_LIST, 0}, /* no neighbour */
        {"{\"/a\" 1}", "Negotiate", "1.0", false, false, CHOOSE_LIST, 0},
        {"{\"a\" 1 {language en}} {\"b\"}", "Accept-Language", "fr", true, false, CHOOSE_ONE, 1},
        {"{\"a\" 0.4 {language en}} {\"b\" 0.5 {language bn}}", "Accept-Language", "fr", false,
         false, CHOOSE_ONE, 1},
        {"{\"a\" 1 {encoding br}} {\"b\" 0.5}", "Accept-Encoding", "gzip", false, false, CHOOSE_ONE,
         1},
    };
#undef TWO

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field fields[FIELDS_MAX];
        struct ern_request r;
        struct choices *c;
        enum choosing choosing;
        size_t at, choice = 0;

        ern_request_init(&r, fields, FIELDS_MAX);
        if (rows[i].name)
            assert_true(ern_request_add(&r, slice_text(rows[i].name), slice_text(rows[i].value)));
        assert_int_equal(choices_read(slice_text(rows[i].list), ERN_SLICE("/"), 8, &c, &at), 0);
        choosing = choose(&r, c, rows[i].strict, rows[i].lists_ties, &choice);
        if (choosing != rows[i].choosing || (choosing == CHOOSE_ONE && choice != rows[i].choice))
            fail_msg("row %zu: %d, %zu", i, (int)choosing, choice);
        free(c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_what_files_are),
        cmocka_unit_test(references_stay_in_their_folder),
        cmocka_unit_test(lists_are_written_for_all),
        cmocka_unit_test(lists_that_are_wrong_say_where),
        cmocka_unit_test(requests_get_what_they_ask_for),
    };

    return cmocka_run_group_tests_name("choices", tests, NULL, NULL);
}
