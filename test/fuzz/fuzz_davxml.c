/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_davxml.c - XML of WebDAV requests. What is read is within the limits and holds no entity;
 * each element stands alone: read again, it is the same tree, and that stands alone as the same
 * text. The name of each can be written as a property. What a method understands is what a plain
 * walk finds in the tree.
 *
 * Input: a byte that chooses the method, then the document.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "dav/body.h"

enum { DOCUMENT_MAX = 8192 };

static const struct limits limits = {
    .xml_depth_max = 12, .xml_attributes_max = 8, .xml_names_max = 200};

static void
must(bool right)
{
    if (!right)
        abort();
}

struct seen { /* of a tree */
    unsigned depth;
    int64_t elements;
};

static void
look_at(const struct xml_element *e, unsigned depth, struct seen *seen)
{
    must(depth <= (unsigned)limits.xml_depth_max);
    must(++seen->elements <= limits.xml_names_max);
    must(e->name.len > 0 && utf8_is(e->name) && utf8_is(e->space) && utf8_is(e->text));
    must(slice_find(e->name, ':') == e->name.len);
    must(!e->first || e->text.len == 0);
    must(e->whole.len > 0 && e->whole.ptr[0] == '<' && utf8_is(e->whole));
    for (const struct xml_element *c = e->first; c; c = c->next) {
        must(c->whole.ptr > e->whole.ptr &&
             c->whole.ptr + c->whole.len < e->whole.ptr + e->whole.len);
        look_at(c, depth + 1, seen);
    }
}

static void
same(const struct xml_element *a, const struct xml_element *b)
{
    must(slice_eq(a->space, b->space) && slice_eq(a->name, b->name) && slice_eq(a->text, b->text));
    must(slice_is_there(a->language) == slice_is_there(b->language));
    must(slice_eq(a->language, b->language));
    must(slice_eq(a->whole, b->whole));
    must((a->first == NULL) == (b->first == NULL));
    for (a = a->first, b = b->first; a; a = a->next, b = b->next) {
        must((a->next == NULL) == (b->next == NULL));
        same(a, b);
    }
}

/* As expat reads nothing that is not well-formed, it is the judge of what we write, too. */
static struct xml
read_again(struct ern_slice text)
{
    static const struct limits none = {
        .xml_depth_max = 1000, .xml_attributes_max = 1024, .xml_names_max = 65535};
    struct xml xml;
    const char *why;
    unsigned line;

    must(xml_read(text, &none, &xml, &why, &line) == XML_FINE);
    return xml;
}

/* Each element alone, and the name of each. */
static void
try_alone(const struct xml_element *e)
{
    static char memory[8 * DOCUMENT_MAX];
    struct out o = out_init(memory, sizeof memory);
    struct xml xml = read_again(e->whole);

    same(e, xml.root);
    xml_free(&xml);
    out_literal(&o, "<D:prop xmlns:D=\"DAV:\">");
    xml_name(&o, e->space, e->name);
    out_literal(&o, "</D:prop>");
    must(!o.full);
    xml = read_again(out_done(&o));
    must(slice_eq(xml.root->first->space, e->space) && slice_eq(xml.root->first->name, e->name));
    xml_free(&xml);
    for (const struct xml_element *c = e->first; c; c = c->next)
        try_alone(c);
}

/* What is between two texts is passed over, from the first that is here. */
static bool
pass(struct ern_slice *text, const char *from, const char *to)
{
    if (!slice_starts(*text, slice_text(from)))
        return false;
    *text = slice_skip(*text, slice_text(from).len);
    while (!slice_starts(*text, slice_text(to)))
        *text = slice_skip(*text, 1);
    *text = slice_skip(*text, slice_text(to).len);
    return true;
}

/* Outside comments, CDATA and instructions nothing is declared, and each reference is a number or
 * one of the five. Only for bytes that are ASCII where they look like it. */
static void
has_no_entity(struct ern_slice text)
{
    static const char *const known[] = {"&#", "&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};

    while (text.len) {
        bool is_known = text.ptr[0] != '&';

        if (pass(&text, "<!--", "-->") || pass(&text, "<![CDATA[", "]]>") ||
            pass(&text, "<?", "?>"))
            continue;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || slice_starts(text, slice_text(known[i]));
        must(is_known && !slice_starts(text, ERN_SLICE("<!")));
        text = slice_skip(text, 1);
    }
}

static void
try_document(struct ern_slice document)
{
    struct seen seen = {0, 0};
    struct xml xml;
    const char *why;
    unsigned line;
    enum xml_result result = xml_read(document, &limits, &xml, &why, &line);

    must((result == XML_FINE) == (xml.root != NULL));
    must((result == XML_FINE) == (why[0] == '\0'));
    if (result != XML_FINE)
        return;
    look_at(xml.root, 1, &seen);
    must(!xml.root->next);
    if (slice_find(document, '\0') == document.len && document.ptr[0] != '\xfe' &&
        document.ptr[0] != '\xff')
        has_no_entity(document);
    try_alone(xml.root);
    xml_free(&xml);
}

/* The names are those of the children, in their order. */
static void
are_children(const struct body_name *names, unsigned n, const struct xml_element *parent)
{
    const struct xml_element *e = parent ? parent->first : NULL;

    for (unsigned i = 0; i < n; i++, e = e->next)
        must(e && slice_eq(names[i].space, e->space) && slice_eq(names[i].name, e->name));
    must(!e);
}

/* The changes are the children of each DAV:prop of each DAV:set and DAV:remove, in their order. */
static void
are_changes(const struct body *b, enum ern_method method)
{
    unsigned i = 0;

    for (const struct xml_element *e = b->xml.root->first; e; e = e->next) {
        const struct xml_element *prop = xml_child(e, "prop");
        bool set = xml_is(e, "set");

        if (!prop || (!set && !xml_is(e, "remove")))
            continue;
        for (const struct xml_element *p = prop->first; p; p = p->next) {
            if (method == ERN_MKCOL && set && xml_is(p, "resourcetype"))
                continue;
            must(i < b->changes_n && b->changes[i].remove == !set);
            must(slice_eq(b->changes[i].name.name, p->name));
            must(b->changes[i].value == (set ? p : NULL));
            i++;
        }
    }
    must(i == b->changes_n);
}

static void
try_body(enum ern_method method, struct ern_slice content)
{
    struct body b;
    enum body_result result = body_read(method, content, &limits, &b);
    const struct xml_element *root = b.xml.root;

    must(result != BODY_MEMORY);
    must((result == BODY_FINE) == (b.why[0] == '\0'));
    if (result != BODY_FINE) {
        must(!root && !b.find.names && !b.changes);
        return;
    }
    must(root || content.len == 0);
    if (root && method == ERN_PROPFIND)
        are_children(b.find.names, b.find.names_n,
                     b.find.kind == FIND_PROP      ? xml_child(root, "prop")
                     : b.find.kind == FIND_ALLPROP ? xml_child(root, "include")
                                                   : NULL);
    if (root && (method == ERN_PROPPATCH || method == ERN_MKCOL))
        are_changes(&b, method);
    must(b.has_lockinfo == (root && xml_is(root, "lockinfo") && method == ERN_LOCK));
    must(b.limit >= -1);
    body_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum ern_method methods[] = {
        ERN_PROPFIND, ERN_PROPPATCH,     ERN_MKCOL,
        ERN_LOCK,     ERN_BIND,          ERN_UNBIND,
        ERN_REBIND,   ERN_MKREDIRECTREF, ERN_UPDATEREDIRECTREF,
        ERN_REPORT,
    };
    struct ern_slice document = slice_from((const char *)data, size);

    if (size < 1 || size > DOCUMENT_MAX)
        return 0;
    document = slice_skip(document, 1);
    try_document(document);
    try_body(methods[data[0] % (sizeof methods / sizeof *methods)], document);
    return 0;
}
