/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pack/feed.h"

#define RSS(items)                                                                                 \
    "<?xml version=\"1.0\"?>\n<rss><channel><title>t</title>\n" items "</channel></rss>"
#define ATOM(entries)                                                                              \
    "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>t</title>" entries "</feed>"
#define RDF(items)                                                                                 \
    "<r:RDF xmlns:r=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "                              \
    "xmlns=\"http://purl.org/rss/1.0/\"><channel/>" items "</r:RDF>"
#define ITEM(x) " <item><title>" x "</title></item>\n"
#define ENTRY(x) "<entry><id>" x "</id></entry>"

static void
feeds_have_what_is_new(void **state)
{
    static const struct {
        const char *base, *feed, *written; /* NULL: it is no feed */
        size_t left;
    } rows[] = {
        {RSS(ITEM("a") ITEM("b")), RSS(ITEM("c") ITEM("a") ITEM("b")),
         RSS(" <item><title>c"
             "</title></item>\n"),
         1},
        {RSS(ITEM("a")), RSS(ITEM("a")),
         "<?xml version=\"1.0\"?>\n<rss><channel><title>t</title>\n"
         "</channel></rss>",
         0},
        {RSS(""), RSS(ITEM("a")), RSS(ITEM("a")), 1},
        {RSS(ITEM("a")), RSS(ITEM("A") ITEM("b")), RSS(ITEM("A") ITEM("b")), 2}, /* changed: new */
        {ATOM(ENTRY("a") ENTRY("b")), ATOM(ENTRY("b") ENTRY("c")), ATOM(ENTRY("c")), 1},
        {ATOM("<entry/>"), ATOM("<entry/><entry />"), ATOM("<entry />"), 1},
        {RDF("<item r:about='a'/>"), RDF("<item r:about='b'/><item r:about='a'/>"),
         RDF("<item r:about='b'/>"), 1},
        /* only what stands where entries stand */
        {RSS(ITEM("a")), RSS("<x><item><title>a</title></item></x>"),
         RSS("<x><item><title>a</title></item></x>"), 0},
        {ATOM(ENTRY("a")), ATOM("<entry xmlns=\"urn:other\"><id>a</id></entry>"),
         ATOM("<entry xmlns=\"urn:other\"><id>a</id></entry>"), 0},
        {RSS("<item><![CDATA[</item>]]></item>"), RSS("<item><![CDATA[</item>]]></item><item/>"),
         "<?xml version=\"1.0\"?>\n<rss><channel><title>t</title><item/></channel></rss>", 1},
        {RSS(ITEM("a")), "<html/>", NULL, 0},
        {"", RSS(ITEM("a")), NULL, 0},
        {RSS(ITEM("a")), RSS("<item>"), NULL, 0},
        {RSS(ITEM("a")), "<!DOCTYPE rss [<!ENTITY e 'x'>]><rss><channel/></rss>", NULL, 0},
        {RSS(ITEM("a")), "{\"version\": \"https://jsonfeed.org/version/1\"}", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        struct out o = out_init(text, sizeof text);
        size_t left = 0;
        int error = feed_write_new(slice_text(rows[i].base), slice_text(rows[i].feed), &o, &left);

        if (error != (rows[i].written ? 0 : -EINVAL))
            fail_msg("row %zu: %d", i, error);
        if (rows[i].written &&
            (!slice_eq(out_done(&o), slice_text(rows[i].written)) || left != rows[i].left))
            fail_msg("row %zu: %zu left: %.*s", i, left, (int)o.len, o.ptr);
    }
}

static void
feeds_have_limits(void **state)
{
    static char text[FEED_ENTRIES_MAX * 16], made[FEED_ENTRIES_MAX * 16];
    struct out feed = out_init(text, sizeof text), o = out_init(made, sizeof made);
    size_t left;

    (void)state;
    out_literal(&feed, "<rss><channel>");
    for (unsigned i = 0; i <= FEED_ENTRIES_MAX; i++)
        out_literal(&feed, "<item/>");
    out_literal(&feed, "</channel></rss>");
    assert_int_equal(feed_write_new(out_done(&feed), out_done(&feed), &o, &left), -E2BIG);
    feed.len = 0;
    for (unsigned i = 0; i <= FEED_DEPTH_MAX; i++)
        out_literal(&feed, "<rss>");
    assert_int_equal(feed_write_new(out_done(&feed), out_done(&feed), &o, &left), -E2BIG);
    o = out_init(made, 10);
    assert_int_equal(feed_write_new(ERN_SLICE(RSS("")), ERN_SLICE(RSS(ITEM("a"))), &o, &left),
                     -ENOSPC);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feeds_have_what_is_new),
        cmocka_unit_test(feeds_have_limits),
    };

    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
