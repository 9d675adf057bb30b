/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pack/hints.h"

static const struct {
    const char *page, *links; /* NULL: none */
} rows[] = {
    {"<link rel=stylesheet href=/a.css>", "</a.css>; rel=preload; as=style"},
    {"<LINK HREF='/a.css' REL='StyleSheet'>", "</a.css>; rel=preload; as=style"},
    {"<link rel=stylesheet href=\" a.css\n\">", "<a.css>; rel=preload; as=style"},
    {"<script type=module src=/m.js></script>", "</m.js>; rel=modulepreload"},
    {"<script type=module src=/m.js crossorigin=use-credentials></script>",
     "</m.js>; rel=modulepreload; crossorigin=\"use-credentials\""},
    {"<link rel=preload as=font href=/f type='font/woff2' crossorigin>",
     "</f>; rel=preload; as=font; type=\"font/woff2\"; crossorigin"},
    {"<link rel=preload as=image href=/i.png fetchpriority=High>",
     "</i.png>; rel=preload; as=image; fetchpriority=high"},
    {"<link rel=modulepreload href=/m.js>", "</m.js>; rel=modulepreload"},
    {"<link rel='dns-prefetch preconnect' href=//cdn.example crossorigin>",
     "<//cdn.example>; rel=preconnect; crossorigin"},
    {"<link rel=stylesheet href='/a?x=1&amp;y=2&z&#38;w'>",
     "</a?x=1&y=2&z&w>; rel=preload; as=style"},
    {"<link rel=stylesheet href=https://a.example/b>",
     "<https://a.example/b>; rel=preload; as=style"},
    /* in order, each once */
    {"<link rel=stylesheet href=/a><script type=module src=/b></script>"
     "<link rel=preload as=style href=/a>",
     "</a>; rel=preload; as=style, </b>; rel=modulepreload"},
    /* what is not for every client, and what is nothing to fetch */
    {"<link rel='alternate stylesheet' href=/a>", NULL},
    {"<link rel=stylesheet href=/a media=print>", NULL},
    {"<link rel=stylesheet href=/a media=screen>", "</a>; rel=preload; as=style"},
    {"<link rel=stylesheet href=/a disabled>", NULL},
    {"<link rel=stylesheet href=/a integrity=sha256-x>", NULL},
    {"<link rel=stylesheet href=/a type=text/less>", NULL},
    {"<link rel=preload as=font href=/f>", NULL},
    {"<link rel=preload as=document href=/f>", NULL},
    {"<link rel=preload href=/f>", NULL},
    {"<link rel=icon href=/f>", NULL},
    {"<script src=/classic.js></script>", NULL},
    {"<link rel=stylesheet>", NULL},
    {"<link rel=stylesheet href=''>", NULL},
    {"<link rel=stylesheet href='#a'>", NULL},
    {"<link rel=stylesheet href='data:text/css,'>", NULL},
    {"<link rel=stylesheet href='a b'>", NULL},
    {"<link rel=stylesheet href='a>b'>", NULL},
    {"<link rel=stylesheet href='a&lt;b'>", NULL},
    {"<link rel=stylesheet href='a\r\nSet-Cookie: x'>", NULL},
    {"<link rel=stylesheet href='\xc3\xa9'>", NULL},
    /* what is no tag */
    {"<!-- <link rel=stylesheet href=/a> -->", NULL},
    {"<script>'<link rel=stylesheet href=/a>'</script>", NULL},
    {"<script><!--<script></script><link rel=stylesheet href=/a>--></script>", NULL},
    {"<style><link rel=stylesheet href=/a></style>", NULL},
    {"<title><link rel=stylesheet href=/a></title>", NULL},
    {"<a title='<link rel=stylesheet href=/a>'>", NULL},
    {"<template><link rel=stylesheet href=/a></template>", NULL},
    {"<noscript><link rel=stylesheet href=/a></noscript><link rel=stylesheet href=/b>",
     "</b>; rel=preload; as=style"},
    {"<base href=/x/><link rel=stylesheet href=a>", NULL},
    {"<link rel=stylesheet href=/a", NULL},
};

static void
pages_say_what_they_will_ask_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        struct out o = out_init(text, sizeof text - 1);
        unsigned n = hints_write(slice_text(rows[i].page), &o);

        text[o.len] = '\0';
        assert_string_equal(text, rows[i].links ? rows[i].links : "");
        assert_int_equal(n > 0, rows[i].links != NULL);
    }
}

static void
what_does_not_fit_is_left_out(void **state)
{
    char text[40];
    struct out o = out_init(text, sizeof text);

    (void)state;
    assert_int_equal(hints_write(ERN_SLICE("<link rel=stylesheet href=/long-name.css>"
                                           "<script type=module src=/m></script>"
                                           "<link rel=preconnect href=//a>"),
                                 &o),
                     1);
    assert_true(slice_eq(out_done(&o), ERN_SLICE("</long-name.css>; rel=preload; as=style")));
    assert_false(o.full);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_say_what_they_will_ask_for),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
