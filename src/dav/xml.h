/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml.h - XML as WebDAV uses it: read into a small tree within limits, and written.
 *
 * A document type declaration is refused at its first byte: no entity is ever defined, nothing is
 * fetched (RFC 4918 20.6). All of a tree lies in one arena of its own.
 */
#ifndef DAV_XML_H
#define DAV_XML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/out.h"
#include "code/limits.h"
#include "earnest/slice.h"

struct xml_element {
    struct ern_slice space;    /* namespace; empty: none */
    struct ern_slice name;     /* local name */
    struct ern_slice text;     /* its character data, joined; empty if it has children */
    struct ern_slice language; /* xml:lang in force here; absent if none is */
    /* The element as it came, made to stand alone: with the namespace declarations and xml:lang
     * that it inherits (RFC 4918 4.4). */
    struct ern_slice whole;
    struct xml_element *next, *first; /* sibling, child */
};

struct xml { /* owns the tree */
    struct xml_element *root;
    void *memory; /* private */
};

enum xml_result {
    XML_FINE,
    XML_WRONG, /* not well-formed, a document type declaration, an unbound prefix, an encoding other
                  than UTF-8, UTF-16, ISO-8859-1 and US-ASCII */
    XML_LARGE, /* over a limit: xml_depth_max, xml_attributes_max, xml_names_max; or names and
                  namespaces that take many times the room when each element stands alone */
    XML_MEMORY,
};

/* Reads a document. On XML_FINE the caller gives it back with xml_free(). ret_why: a sentence for
 * people when it is not fine (static text), and *ret_line the line of the document. */
ERN_MUST_USE enum xml_result xml_read(struct ern_slice document, const struct limits *limits,
                                      struct xml *ret_xml, const char **ret_why,
                                      unsigned *ret_line);
void xml_free(struct xml *xml);

#define XML_DAV "DAV:"
#define XML_SPACE "http://www.w3.org/XML/1998/namespace" /* of the prefix xml, always */

/* Is it this element of the namespace DAV:? */
bool xml_is(const struct xml_element *element, const char *name);
/* The first child that is, or NULL. */
const struct xml_element *xml_child(const struct xml_element *element, const char *name);

/* Character data, and the value of an attribute within its quotes: escaped so that the same comes
 * back. Characters that XML 1.0 cannot hold become U+FFFD. */
void xml_text(struct out *o, struct ern_slice text);
void xml_attribute(struct out *o, struct ern_slice text);
/* A decoded path as the text of an href: percent-encoded (msg/target.h), then escaped; with a slash
 * at the end if it is a collection's. */
void xml_href(struct out *o, struct ern_slice path, bool collection);
/* The empty element of a property's name: <D:name/> for DAV:, else <x:name xmlns:x="space"/>. */
void xml_name(struct out *o, struct ern_slice space, struct ern_slice name);
/* "<D:status>HTTP/1.1 424 Failed Dependency</D:status>" */
void xml_status(struct out *o, uint16_t status);

#endif
