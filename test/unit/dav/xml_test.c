/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "dav/xml.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct limits limits = {
    .xml_depth_max = 8, .xml_attributes_max = 4, .xml_names_max = 64};

/* The root of a document: how it reads, its name and text, and how it stands alone. */
static const struct {
    struct ern_slice document;
    enum xml_result result;
    const char *space, *name, *text, *whole;
} documents[] = {
    {TEXT("<a/>"), XML_FINE, "", "a", "", "<a xmlns=\"\"></a>"},
    {TEXT("<D:a xmlns:D='DAV:'>x</D:a>"), XML_FINE, "DAV:", "a", "x",
     "<D:a xmlns:D=\"DAV:\">x</D:a>"},
    {TEXT("<a xmlns='u:1' xmlns:b='u:2' b:c='d' e='f'/>"), XML_FINE, "u:1", "a", "",
     "<a xmlns=\"u:1\" xmlns:b=\"u:2\" b:c=\"d\" e=\"f\"></a>"},
    {TEXT("<b:a xmlns:b='u:2' b:c='d' b:e='f'/>"), XML_FINE, "u:2", "a", "",
     "<b:a xmlns:b=\"u:2\" b:c=\"d\" b:e=\"f\"></b:a>"},
    {TEXT("<a xmlns:b='u:2' b:c='d' b:e='f'/>"), XML_FINE, "", "a", "",
     "<a xmlns=\"\" xmlns:b=\"u:2\" b:c=\"d\" b:e=\"f\"></a>"},
    {TEXT("<a xml:lang='bn' xml:space='preserve'> </a>"), XML_FINE, "", "a", " ",
     "<a xmlns=\"\" xml:lang=\"bn\" xml:space=\"preserve\"> </a>"},
    {TEXT("<a>&amp;&lt;&gt;&quot;&#38;&#x9;<![CDATA[<&\r\n]]></a>"), XML_FINE, "", "a",
     "&<>\"&\t<&\n", "<a xmlns=\"\">&amp;&lt;&gt;\"&amp;\t&lt;&amp;\n</a>"},
    {TEXT("<a>x<!-- c --><?p i?>y&#13;</a>"), XML_FINE, "", "a", "xy\r",
     "<a xmlns=\"\">xy&#13;</a>"},
    {TEXT("<a b='\"&#9;&#10;&#13;'/>"), XML_FINE, "", "a", "",
     "<a xmlns=\"\" b=\"&quot;&#9;&#10;&#13;\"></a>"},
    {TEXT("<a xmlns='x&#10;y'/>"), XML_FINE, "x\ny", "a", "", "<a xmlns=\"x&#10;y\"></a>"},
    {TEXT("<a>\x7f\xc2\x80</a>"), XML_FINE, "", "a", "\x7f\xc2\x80",
     "<a xmlns=\"\">\x7f\xc2\x80</a>"},
    {TEXT("\xef\xbb\xbf<a>\xe0\xa6\x95</a>"), XML_FINE, "", "a", "\xe0\xa6\x95",
     "<a xmlns=\"\">\xe0\xa6\x95</a>"},
    {TEXT("\xff\xfe<\0a\0>\0\x95\x09\x95\x09\x95\x09\x95\x09\x95\x09\x95\x09<\0/\0a\0>\0"),
     XML_FINE, "", "a", "\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95",
     "<a xmlns=\"\">\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95\xe0\xa6\x95</a>"},
    {TEXT("<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>"), XML_FINE, "", "a", "\xc3\xa9",
     "<a xmlns=\"\">\xc3\xa9</a>"},
    {TEXT("<xml:a/>"), XML_FINE, XML_SPACE, "a", "", "<xml:a xmlns:xml=\"" XML_SPACE "\"></xml:a>"},
    {TEXT("<a>text<b/>is dropped beside an element</a>"), XML_FINE, "", "a", "",
     "<a xmlns=\"\">text<b xmlns=\"\"></b>is dropped beside an element</a>"},
    /* not well-formed */
    {TEXT(""), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("a"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a></b>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a/><b/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a b='1' b='2'/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<D:a/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a xmlns:b='u:1' xmlns:c='u:1' b:d='' c:d=''/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a xmlns:b=''/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a>\xff</a>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a>\xef\xbf\xbf</a>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a>&#0;</a>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a>\0</a>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<?xml version='1.0' encoding='klingon'?><a/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    /* no document type, no entity: RFC 4918 20.6 */
    {TEXT("<!DOCTYPE a><a/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), XML_WRONG, NULL, NULL, NULL, NULL},
    {TEXT("<a>&b;</a>"), XML_WRONG, NULL, NULL, NULL, NULL},
    /* limits */
    {TEXT("<a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>"), XML_FINE, "", "a", "", NULL},
    {TEXT("<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>"), XML_LARGE, NULL, NULL,
     NULL, NULL},
    {TEXT("<a b='' c='' d='' e=''/>"), XML_FINE, "", "a", "", NULL},
    {TEXT("<a b='' c='' d='' e='' f=''/>"), XML_LARGE, NULL, NULL, NULL, NULL},
};

static void
documents_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(documents); i++) {
        struct xml xml;
        const char *why;
        unsigned line;
        enum xml_result result = xml_read(documents[i].document, &limits, &xml, &why, &line);

        if (result != documents[i].result)
            fail_msg("row %zu: %d, %s", i, (int)result, why ? why : "");
        if (result != XML_FINE) {
            assert_null(xml.root);
            assert_true(why[0] && line == 1);
            continue;
        }
        assert_true(slice_eq(xml.root->space, slice_text(documents[i].space)));
        assert_true(slice_eq(xml.root->name, slice_text(documents[i].name)));
        assert_true(slice_eq(xml.root->text, slice_text(documents[i].text)));
        if (documents[i].whole && !slice_eq(xml.root->whole, slice_text(documents[i].whole)))
            fail_msg("row %zu: %.*s", i, (int)xml.root->whole.len, xml.root->whole.ptr);
        xml_free(&xml);
        assert_null(xml.root);
    }
}

static void
elements_inherit(void **state)
{
    static const char document[] =
        "<D:set xmlns:D='DAV:' xmlns='u:1' xml:lang='en'>\n"
        "<D:prop><a xmlns:Z='u:2' Z:b='1'><c/></a><D:e xml:lang=''>x</D:e></D:prop></D:set>";
    struct xml xml;
    const char *why;
    unsigned line;
    const struct xml_element *prop, *a, *e;

    (void)state;
    assert_int_equal(xml_read(slice_text(document), &limits, &xml, &why, &line), XML_FINE);
    assert_int_equal(line, 2);
    assert_true(xml_is(xml.root, "set") && !xml_is(xml.root, "prop") && !xml_is(NULL, "set"));
    prop = xml_child(xml.root, "prop");
    a = prop->first;
    e = xml_child(prop, "e");
    assert_ptr_equal(a->next, e);
    assert_null(e->next);
    assert_null(xml_child(prop, "a")); /* it is of another namespace */
    assert_null(xml_child(NULL, "a"));
    assert_true(slice_eq(a->space, ERN_SLICE("u:1")));
    assert_true(slice_eq(a->first->language, ERN_SLICE("en")));
    assert_true(slice_is_there(e->language) && e->language.len == 0);
    assert_true(
        slice_eq(a->whole, ERN_SLICE("<a xmlns=\"u:1\" xmlns:Z=\"u:2\" Z:b=\"1\" xml:lang=\"en\">"
                                     "<c xmlns=\"u:1\" xml:lang=\"en\"></c></a>")));
    assert_true(slice_eq(e->whole, ERN_SLICE("<D:e xmlns:D=\"DAV:\" xml:lang=\"\">x</D:e>")));
    xml_free(&xml);
}

static void
names_have_a_limit(void **state)
{
    char text[1024];
    struct xml xml;
    const char *why;
    unsigned line;

    (void)state;
    for (unsigned members = 63; members <= 64; members++) {
        struct out o = out_init(text, sizeof text);

        out_text(&o, "<a>");
        for (unsigned i = 0; i < members; i++)
            out_text(&o, "<b/>");
        out_text(&o, "</a>");
        assert_int_equal(xml_read(out_done(&o), &limits, &xml, &why, &line),
                         members == 63 ? XML_FINE : XML_LARGE);
        xml_free(&xml);
    }
}

static void
text_is_written(void **state)
{
    static const struct {
        const char *text, *written, *attribute;
    } texts[] = {
        {"", "", ""},
        {"a&b<c>d", "a&amp;b&lt;c&gt;d", "a&amp;b&lt;c&gt;d"},
        {"\"'", "\"'", "&quot;'"},
        {"\t\n\r", "\t\n&#13;", "&#9;&#10;&#13;"},
        {"\x01\x1f\x7f", "\xef\xbf\xbd\xef\xbf\xbd\x7f", "\xef\xbf\xbd\xef\xbf\xbd\x7f"},
        {"\xe0\xa6\x95\xff", "\xe0\xa6\x95\xef\xbf\xbd", "\xe0\xa6\x95\xef\xbf\xbd"},
        {"\xef\xbf\xbex\xef\xbf\xbf", "\xef\xbf\xbdx\xef\xbf\xbd", "\xef\xbf\xbdx\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        char memory[64];
        struct out o = out_init(memory, sizeof memory);

        xml_text(&o, slice_text(texts[i].text));
        assert_true(slice_eq(out_done(&o), slice_text(texts[i].written)));
        o = out_init(memory, sizeof memory);
        xml_attribute(&o, slice_text(texts[i].text));
        assert_true(slice_eq(out_done(&o), slice_text(texts[i].attribute)));
    }
}

static void
pieces_are_written(void **state)
{
    char memory[512];
    struct out o = out_init(memory, sizeof memory);

    (void)state;
    xml_href(&o, ERN_SLICE("/a b&\xff"), false);
    out_char(&o, ' ');
    xml_href(&o, ERN_SLICE("/c"), true);
    out_char(&o, ' ');
    xml_href(&o, ERN_SLICE("/c/"), true);
    assert_true(slice_eq(out_done(&o), ERN_SLICE("/a%20b&amp;%FF /c/ /c/")));
    o = out_init(memory, sizeof memory);
    xml_name(&o, ERN_SLICE("DAV:"), ERN_SLICE("a"));
    xml_name(&o, ERN_SLICE(""), ERN_SLICE("b"));
    xml_name(&o, ERN_SLICE("u:\"\n"), ERN_SLICE("c"));
    xml_name(&o, ERN_SLICE(XML_SPACE), ERN_SLICE("d"));
    assert_true(slice_eq(out_done(&o), ERN_SLICE("<D:a/><b xmlns=\"\"/>"
                                                 "<x:c xmlns:x=\"u:&quot;&#10;\"/><xml:d/>")));
    o = out_init(memory, sizeof memory);
    xml_status(&o, 424);
    assert_true(
        slice_eq(out_done(&o), ERN_SLICE("<D:status>HTTP/1.1 424 Failed Dependency</D:status>")));
}

/* An element that stands alone is its tree many times over where a namespace is long. */
static void
namespaces_have_a_limit(void **state)
{
    enum { LONG = 16000, BYTES = LONG + 256 };
    static char document[BYTES];
    struct out o = out_init(document, sizeof document);
    struct xml xml;
    const char *why;
    unsigned line;

    (void)state;
    out_text(&o, "<a xmlns='");
    for (unsigned i = 0; i < LONG; i++)
        out_char(&o, 'x');
    out_text(&o, "'><b/><b/><b/><b/><b/></a>");
    assert_int_equal(xml_read(out_done(&o), &limits, &xml, &why, &line), XML_LARGE);
    assert_true(slice_eq(slice_first(slice_text(why), 14), ERN_SLICE("Its namespaces")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_read), cmocka_unit_test(elements_inherit),
        cmocka_unit_test(names_have_a_limit), cmocka_unit_test(text_is_written),
        cmocka_unit_test(pieces_are_written), cmocka_unit_test(namespaces_have_a_limit),
    };

    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
