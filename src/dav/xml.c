/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/xml.h"

#include <expat.h>
#include <stdlib.h>

#include "base/slice.h"

enum {
    SEPARATOR = 1, /* between the parts of a name; no XML document can hold it */
    BLOCK_BYTES = 16384,
    WHOLE_FACTOR = 4, /* elements made to stand alone are so many times larger at most */
    TEXT_FACTOR = 2,  /* the text of a document that is not in UTF-8 grows in it, by less */
};

struct block {
    struct block *next;
    size_t used, cap;
    char bytes[];
};

struct reader {
    XML_Parser parser;
    const struct limits *limits;
    struct block *blocks;
    struct xml_element *root, *open[1001]; /* xml_depth_max is at most 1000 */
    struct xml_element *last[1001];        /* child of the open element of the level */
    size_t whole_at[1001];                 /* where the open element begins in whole */
    struct ern_slice languages[1001];
    unsigned depth;
    int64_t names_n;
    struct out whole, text;
    enum xml_result result;
    const char *why;
};

static void *
take(struct reader *r, size_t n)
{
    struct block *b = r->blocks;
    char *at;

    n = (n + 15) & ~(size_t)15;
    if (!b || b->cap - b->used < n) {
        size_t cap = n > BLOCK_BYTES ? n : BLOCK_BYTES;

        b = malloc(sizeof *b + cap);
        if (!b)
            return NULL;
        *b = (struct block){r->blocks, 0, cap};
        r->blocks = b;
    }
    at = b->bytes + b->used;
    b->used += n;
    return at;
}

static struct ern_slice
copy(struct reader *r, struct ern_slice s)
{
    char *at = take(r, s.len + 1);

    if (!at)
        return ERN_ABSENT;
    if (s.len)
        memcpy(at, s.ptr, s.len);
    return slice_from(at, s.len);
}

static void
stop(struct reader *r, enum xml_result result, const char *why)
{
    if (r->result == XML_FINE) {
        r->result = result;
        r->why = why;
    }
    (void)XML_StopParser(r->parser, XML_FALSE);
}

struct name { /* of an element or an attribute, as expat tells it: space, local name, prefix */
    struct ern_slice space, local, prefix;
};

static struct name
split(const char *text)
{
    struct ern_slice all = slice_text(text);
    size_t n = slice_find(all, SEPARATOR);
    struct name name = {ERN_SLICE(""), all, ERN_SLICE("")};

    if (n == all.len)
        return name;
    name.space = slice_first(all, n);
    all = slice_skip(all, n + 1);
    n = slice_find(all, SEPARATOR);
    name.local = slice_first(all, n);
    if (n < all.len)
        name.prefix = slice_skip(all, n + 1);
    return name;
}

static void
write_name(struct out *o, const struct name *name)
{
    if (name->prefix.len) {
        out_slice(o, name->prefix);
        out_char(o, ':');
    }
    out_slice(o, name->local);
}

/* The declaration that the name needs where it stands; several attributes may share one. */
static void
declare(struct out *o, const struct name *name)
{
    out_literal(o, " xmlns");
    if (name->prefix.len) {
        out_char(o, ':');
        out_slice(o, name->prefix);
    }
    out_literal(o, "=\"");
    xml_attribute(o, name->space);
    out_char(o, '"');
}

/* Is the prefix of this attribute declared already, by the element or an attribute before it? */
static bool
is_declared(const struct name *element, const char **attributes, unsigned i)
{
    struct name name = split(attributes[i]);

    if (slice_eq(name.space, ERN_SLICE(XML_SPACE)) || name.space.len == 0 ||
        slice_eq(name.prefix, element->prefix))
        return true;
    for (unsigned j = 0; j < i; j += 2) {
        struct name other = split(attributes[j]);

        if (slice_eq(name.prefix, other.prefix) && other.space.len)
            return true;
    }
    return false;
}

/* The start tag, with all that it needs to stand alone. */
static void
write_start(struct reader *r, const struct name *name, const char **attributes,
            struct ern_slice language)
{
    struct out *o = &r->whole;
    bool has_language = false;

    out_char(o, '<');
    write_name(o, name);
    declare(o, name);
    for (unsigned i = 0; attributes[i]; i += 2) {
        struct name attribute = split(attributes[i]);

        if (!is_declared(name, attributes, i))
            declare(o, &attribute);
        if (slice_eq(attribute.space, ERN_SLICE(XML_SPACE))) {
            attribute.prefix = ERN_SLICE("xml");
            has_language = has_language || slice_eq(attribute.local, ERN_SLICE("lang"));
        }
        out_char(o, ' ');
        write_name(o, &attribute);
        out_literal(o, "=\"");
        xml_attribute(o, slice_text(attributes[i + 1]));
        out_char(o, '"');
    }
    if (!has_language && slice_is_there(language)) {
        out_literal(o, " xml:lang=\"");
        xml_attribute(o, language);
        out_char(o, '"');
    }
    out_char(o, '>');
}

static struct ern_slice
language_of(struct reader *r, const char **attributes)
{
    for (unsigned i = 0; attributes[i]; i += 2) {
        struct name name = split(attributes[i]);

        if (slice_eq(name.space, ERN_SLICE(XML_SPACE)) && slice_eq(name.local, ERN_SLICE("lang")))
            return copy(r, slice_text(attributes[i + 1]));
    }
    return r->depth ? r->languages[r->depth - 1] : ERN_ABSENT;
}

/* Counts the names, against the limits. Returns false when they are too many. */
static bool
counts(struct reader *r, const char **attributes)
{
    int64_t n = 0;

    while (attributes[2 * n])
        n++;
    r->names_n += n + 1;
    if (r->depth < (unsigned)r->limits->xml_depth_max && n <= r->limits->xml_attributes_max &&
        r->names_n <= r->limits->xml_names_max)
        return true;
    stop(r, XML_LARGE, "It has more elements, attributes or levels than this server reads.");
    return false;
}

static void XMLCALL
on_start(void *user, const char *text, const char **attributes)
{
    struct reader *r = user;
    struct name name = split(text);
    struct xml_element *e;

    if (r->result != XML_FINE || !counts(r, attributes))
        return;
    e = take(r, sizeof *e);
    if (!e) {
        stop(r, XML_MEMORY, "");
        return;
    }
    *e = (struct xml_element){.space = copy(r, name.space),
                              .name = copy(r, name.local),
                              .text = ERN_SLICE(""),
                              .language = language_of(r, attributes)};
    if (r->depth == 0)
        r->root = e;
    else if (r->last[r->depth - 1])
        r->last[r->depth - 1]->next = e;
    else
        r->open[r->depth - 1]->first = e;
    if (r->depth)
        r->last[r->depth - 1] = e;
    r->open[r->depth] = e;
    r->last[r->depth] = NULL;
    r->languages[r->depth] = e->language;
    r->whole_at[r->depth] = r->whole.len;
    r->depth++;
    r->text.len = 0;
    write_start(r, &name, attributes, e->language);
}

static void XMLCALL
on_end(void *user, const char *text)
{
    struct reader *r = user;
    struct name name = split(text);
    struct xml_element *e;

    if (r->result != XML_FINE || r->depth == 0)
        return;
    r->depth--;
    e = r->open[r->depth];
    if (!e->first)
        e->text = copy(r, out_done(&r->text));
    out_literal(&r->whole, "</");
    write_name(&r->whole, &name);
    out_char(&r->whole, '>');
    e->whole =
        slice_from(r->whole.ptr + r->whole_at[r->depth], r->whole.len - r->whole_at[r->depth]);
    if (r->whole.full || r->text.full)
        stop(r, XML_LARGE, "Its namespaces are longer than this server reads.");
    if (!slice_is_there(e->space) || !slice_is_there(e->name) || !slice_is_there(e->text))
        stop(r, XML_MEMORY, "");
}

static void XMLCALL
on_text(void *user, const char *text, int n)
{
    struct reader *r = user;

    if (r->result != XML_FINE)
        return;
    xml_text(&r->whole, slice_from(text, (size_t)n));
    out_slice(&r->text, slice_from(text, (size_t)n));
}

static void XMLCALL
on_doctype(void *user, const char *name, const char *system, const char *public, int has_internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    stop(user, XML_WRONG, "It has a document type declaration, which is not read (RFC 4918 20.6).");
}

static void
free_blocks(struct block *b)
{
    while (b) {
        struct block *next = b->next;

        free(b);
        b = next;
    }
}

/* Parses with everything at hand. */
static void
parse(struct reader *r, struct ern_slice document, unsigned *ret_line)
{
    XML_SetUserData(r->parser, r);
    XML_SetReturnNSTriplet(r->parser, 1);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (XML_Parse(r->parser, document.ptr, (int)document.len, 1) != XML_STATUS_OK)
        stop(r, XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY ? XML_MEMORY : XML_WRONG,
             XML_ErrorString(XML_GetErrorCode(r->parser)));
    *ret_line = (unsigned)XML_GetCurrentLineNumber(r->parser);
}

enum xml_result
xml_read(struct ern_slice document, const struct limits *limits, struct xml *ret,
         const char **ret_why, unsigned *ret_line)
{
    size_t cap = document.len * WHOLE_FACTOR + BLOCK_BYTES;
    size_t text_cap = document.len * TEXT_FACTOR + 1;
    struct reader *r = calloc(1, sizeof *r);
    enum xml_result result = XML_MEMORY;

    *ret = (struct xml){NULL, NULL};
    *ret_why = "";
    *ret_line = 0;
    if (!r)
        return XML_MEMORY;
    r->limits = limits;
    r->why = "";
    r->parser = XML_ParserCreateNS(NULL, SEPARATOR);
    r->whole = out_init(take(r, cap), cap);
    r->text = out_init(take(r, text_cap), text_cap);
    if (r->parser && r->whole.ptr && r->text.ptr) {
        parse(r, document, ret_line);
        result = r->result;
        *ret_why = r->why;
    }
    if (r->parser)
        XML_ParserFree(r->parser);
    if (result == XML_FINE)
        *ret = (struct xml){r->root, r->blocks};
    else
        free_blocks(r->blocks);
    free(r);
    return result;
}

void
xml_free(struct xml *xml)
{
    free_blocks(xml->memory);
    *xml = (struct xml){NULL, NULL};
}

bool
xml_is(const struct xml_element *e, const char *name)
{
    return e && slice_eq(e->space, ERN_SLICE(XML_DAV)) && slice_eq(e->name, slice_text(name));
}

const struct xml_element *
xml_child(const struct xml_element *e, const char *name)
{
    for (const struct xml_element *c = e ? e->first : NULL; c; c = c->next)
        if (xml_is(c, name))
            return c;
    return NULL;
}
