/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pack/transform.h"

enum { ROOM = 1 << 17 };
enum kind { MINIFIED, LINKED, STYLE };

static const struct ern_slice origins[] = {{"up:9000", 7}};

/* What comes of the page; changed says whether it is another. */
static struct ern_slice
write_page(struct ern_slice page, bool minifies, bool links, bool is_style, char *text,
           bool *ret_changed)
{
    struct markup *m = markup_new(&(struct markup_wanted){minifies, is_style, {origins, links}});
    struct out o = out_init(text, ROOM);
    bool ended = false;

    assert_non_null(m);
    markup_run(m, &page, true, &o, &ended);
    assert_true(ended);
    *ret_changed = markup_changed(m);
    markup_free(m);
    return out_done(&o);
}

static const struct {
    const char *page, *written; /* NULL: it stays as it is */
} minified[] = {
    {"<p>a   b</p>", "<p>a b</p>"},
    {"<p>a \n\t b</p>\n\n<p>", "<p>a b</p>\n<p>"},
    {"a <!-- a remark --> b", "a b"},
    {"<p><!-- a remark --></p>", "<p></p>"},
    {"<p>a b</p> <p>c</p>", NULL},
    {"<pre>a   b</pre><textarea>c   d</textarea>", NULL},
    {"<pre><b>a   b</b>  </pre>  c", "<pre><b>a   b</b>  </pre> c"},
    {"<script>a   b</script><style>c   d</style>", NULL},
    {"<a title='a   b'   href>", NULL},
    {"<!DOCTYPE   html>", NULL},
    /* what steers a program */
    {"<!--[if IE]>  <p> <![endif]-->", NULL},
    {"<!-- ko if: a --><!-- /ko --><!----><!--$--><!-- -->", NULL},
    /* what would become a tag, or a reference */
    {"<<!-- a remark -->b>", NULL},
    {"&am<!-- a remark -->p;", NULL},
    {"<p>a   <b", "<p>a <b"},
};

static const struct {
    const char *page, *written;
} linked[] = {
    {"<a href=\"http://up:9000/a?b#c\">", "<a href=\"/a?b#c\">"},
    {"<a href='HTTPS://UP:9000/a'>", "<a href='/a'>"},
    {"<a href=//up:9000/a>", "<a href=/a>"},
    {"<a href=http://up:9000>", "<a href=/>"},
    {"<a href=\"http://up:9000?a\">", "<a href=\"/?a\">"},
    {"<a href=\"http://up:9000//b/c\">", "<a href=\"/.//b/c\">"},
    {"<form ACTION=http://up:9000/a><button formaction=http://up:9000/b>",
     "<form ACTION=/a><button formaction=/b>"},
    {"<img alt=x src=http://up:9000/a poster=http://up:9000/b z>",
     "<img alt=x src=/a poster=/b z>"},
    {"<a href=http://up:9001/a>", NULL},
    {"<a href=http://up:90001/a>", NULL},
    {"<a href=http://up/a>", NULL},
    {"<a href=http://x@up:9000/a>", NULL},
    {"<a href=/?http://up:9000/a>", NULL},
    {"<a title=http://up:9000/a>http://up:9000/a</a>", NULL},
    {"<script>'<a href=http://up:9000/a>'</script><!--<a href=http://up:9000/a>-->", NULL},
    {"<a href=http://up:9000/a", NULL},
    {"<img srcset=\"http://up:9000/a 1x, //up:9000/b?c,d 2x,http://e/f\">",
     "<img srcset=\"/a 1x, /b?c,d 2x,http://e/f\">"},
    {"<link imagesrcset='http://up:9000/a, http://up:9000/b 10w'>",
     "<link imagesrcset='/a, /b 10w'>"},
    {"<img srcset='http://up:90/a 1x, x(http://up:9000/b, c) 2x'>", NULL},
    {"<p style=\"background:url('http://up:9000/a')\">", "<p style=\"background:url('/a')\">"},
    {"<style>@import \"//up:9000/a\";b{c:url(http://up:9000/d)}</style>url(http://up:9000/e)",
     "<style>@import \"/a\";b{c:url(/d)}</style>url(http://up:9000/e)"},
    {"<style>a{b:url( http://up:9000/c", NULL},
    {"<style>/* </style><a href=http://up:9000/a>", "<style>/* </style><a href=/a>"},
    {"<title>url(http://up:9000/a)</title><script>url(http://up:9000/b)</script>", NULL},
};

static const struct {
    const char *sheet, *written;
} styles[] = {
    {"@import url(http://up:9000/a) print;", "@import url(/a) print;"},
    {"@IMPORT /* c */ '//up:9000/a';", "@IMPORT /* c */ '/a';"},
    {"a{b:URL( \"http://up:9000/c?d\" )}", "a{b:URL( \"/c?d\" )}"},
    {"a{b:url(  http://up:9000  )}", "a{b:url(  /  )}"},
    {"a{b:url(http://up:9000/c),url(http://d/e),url(//up:9000/f)}",
     "a{b:url(/c),url(http://d/e),url(/f)}"},
    {"a{content:\"url(http://up:9000/c)\"}", NULL},
    {"a{content:\"http://up:9000/c\"}", NULL},
    {"@namespace \"http://up:9000/a\";", NULL},
    {"@import a \"http://up:9000/a\";", NULL},
    {"/* url(http://up:9000/a) */", NULL},
    {"a{b:my-url(http://up:9000/c)}", NULL},
    {"a{b:url(http://up:9000/c d)}", NULL},
    {"a{b:url('http://up:9000/c\n')}", NULL},
    {"a{b:url(http://up:9000/c", NULL},
    {"<a href=http://up:9000/a>", NULL},
};

static void
check_page(const char *page, const char *wanted, enum kind kind)
{
    static char text[ROOM];
    bool changed;
    struct ern_slice written = write_page(slice_text(page), kind == MINIFIED, kind != MINIFIED,
                                          kind == STYLE, text, &changed);

    text[written.len] = '\0';
    assert_string_equal(text, wanted ? wanted : page);
    assert_int_equal(changed, wanted != NULL);
}

static void
what_does_not_show_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof minified / sizeof *minified; i++)
        check_page(minified[i].page, minified[i].written, MINIFIED);
}

static void
links_to_origins_become_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof linked / sizeof *linked; i++)
        check_page(linked[i].page, linked[i].written, LINKED);
}

static void
links_of_style_sheets_become_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        check_page(styles[i].sheet, styles[i].written, STYLE);
}

static void
what_is_too_long_to_be_known_stays(void **state)
{
    enum { LONG = 3 * MARKUP_TOKEN_MAX };
    static char page[LONG], text[ROOM];
    bool changed;

    (void)state;
    memset(page, ' ', sizeof page);
    memcpy(page, "<a b=\"", 6);
    assert_true(slice_eq(write_page(slice_from(page, LONG), true, true, false, text, &changed),
                         slice_from(page, LONG)));
    assert_false(changed);
}

static void
a_bomb_ends_at_its_limit(void **state)
{
    static char text[ROOM], coded[ROOM];
    char *zeros = calloc(1, 1 << 22);
    struct out o = out_init(coded, sizeof coded);
    struct transform *t = transform_new(&(struct transform_wanted){
        .from = CODING_GZIP, .to = CODINGS, .is_markup = true, .decoded_max = 1 << 20});
    struct ern_slice in;
    size_t written = 0;
    bool ended = false;
    int error = 0;

    (void)state;
    assert_int_equal(coding_write(CODING_GZIP, 9, slice_from(zeros, 1 << 22), &o), 0);
    in = out_done(&o);
    while (!error && !ended) {
        o = out_init(text, sizeof text);
        error = transform_run(t, &in, true, &o, &ended);
        written += o.len;
    }
    assert_int_equal(error, -E2BIG);
    assert_true(written <= 1 << 20);
    transform_free(t);
    free(zeros);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_show_goes),
        cmocka_unit_test(links_to_origins_become_paths),
        cmocka_unit_test(links_of_style_sheets_become_paths),
        cmocka_unit_test(what_is_too_long_to_be_known_stays),
        cmocka_unit_test(a_bomb_ends_at_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
