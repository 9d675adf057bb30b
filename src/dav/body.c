/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/body.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/slice.h"

/* Says what is wrong with it. */
static enum body_result
invalid(struct body *b, const char *why)
{
    b->why = why;
    return BODY_INVALID;
}

static size_t
count(const struct xml_element *parent)
{
    size_t n = 0;

    for (const struct xml_element *e = parent ? parent->first : NULL; e; e = e->next)
        n++;
    return n;
}

/* The text of an element without the white space around it (XML 1.0 2.3); absent with the element.
 */
static struct ern_slice
text_of(const struct xml_element *e)
{
    static const char space[] = " \t\r\n";
    struct ern_slice text = e ? e->text : ERN_ABSENT;

    while (text.len && strchr(space, text.ptr[0]))
        text = slice_skip(text, 1);
    while (text.len && strchr(space, text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* The names of the properties within an element. */
static enum body_result
read_names(struct body *b, const struct xml_element *parent)
{
    size_t n = count(parent);

    if (n == 0)
        return BODY_FINE;
    b->find.names = calloc(n, sizeof *b->find.names);
    if (!b->find.names)
        return BODY_MEMORY;
    for (const struct xml_element *e = parent->first; e; e = e->next)
        b->find.names[b->find.names_n++] = (struct body_name){e->space, e->name};
    return BODY_FINE;
}

static enum body_result
read_propfind(struct body *b, const struct xml_element *root)
{
    const struct xml_element *prop = xml_child(root, "prop"), *all = xml_child(root, "allprop"),
                             *names = xml_child(root, "propname");

    if (!xml_is(root, "propfind"))
        return invalid(b, "The root element is not DAV:propfind.");
    if ((prop != NULL) + (all != NULL) + (names != NULL) != 1)
        return invalid(b, "DAV:propfind needs one of DAV:prop, DAV:allprop and DAV:propname.");
    b->find.kind = prop ? FIND_PROP : names ? FIND_PROPNAME : FIND_ALLPROP;
    return names ? BODY_FINE : read_names(b, prop ? prop : xml_child(root, "include"));
}

/* Reads what is set and removed, in the order in which it stands. */
static enum body_result
read_changes(struct body *b, const struct xml_element *root)
{
    size_t n = 0;

    for (const struct xml_element *e = root->first; e; e = e->next)
        if (xml_is(e, "set") || xml_is(e, "remove"))
            n += count(xml_child(e, "prop"));
    if (n == 0)
        return invalid(b, "No property is set or removed in it.");
    b->changes = calloc(n, sizeof *b->changes);
    if (!b->changes)
        return BODY_MEMORY;
    for (const struct xml_element *e = root->first; e; e = e->next) {
        const struct xml_element *prop = xml_child(e, "prop");

        if (!xml_is(e, "set") && !xml_is(e, "remove"))
            continue;
        for (const struct xml_element *p = prop ? prop->first : NULL; p; p = p->next)
            b->changes[b->changes_n++] = (struct body_change){
                xml_is(e, "remove"), {p->space, p->name}, xml_is(e, "remove") ? NULL : p};
    }
    return BODY_FINE;
}

static enum body_result
read_proppatch(struct body *b, const struct xml_element *root)
{
    return xml_is(root, "propertyupdate") ? read_changes(b, root)
                                          : invalid(b, "The root element is not "
                                                       "DAV:propertyupdate.");
}

/* rfc5689#3 "the DAV:resourcetype property" says what is made; it is no property to be set. */
static enum body_result
read_mkcol(struct body *b, const struct xml_element *root)
{
    enum body_result result;
    uint16_t kept = 0;

    if (!xml_is(root, "mkcol"))
        return invalid(b, "The root element is not DAV:mkcol.");
    result = read_changes(b, root);
    if (result != BODY_FINE)
        return result;
    for (uint16_t i = 0; i < b->changes_n; i++) {
        const struct xml_element *type = b->changes[i].value;

        if (!xml_is(type, "resourcetype")) {
            b->changes[kept++] = b->changes[i];
            continue;
        }
        b->collection = xml_child(type, "collection") != NULL;
        b->strange_type = count(type) > 1 || !b->collection;
    }
    b->changes_n = kept;
    return BODY_FINE;
}

static enum body_result
read_lock(struct body *b, const struct xml_element *root)
{
    const struct xml_element *scope = xml_child(root, "lockscope"),
                             *type = xml_child(root, "locktype"), *owner = xml_child(root, "owner");

    if (!xml_is(root, "lockinfo"))
        return invalid(b, "The root element is not DAV:lockinfo.");
    if (!xml_child(type, "write"))
        return invalid(b, "DAV:locktype does not have DAV:write, the only type of lock.");
    b->shared = xml_child(scope, "shared") != NULL;
    if (b->shared == (xml_child(scope, "exclusive") != NULL))
        return invalid(b, "DAV:lockscope needs one of DAV:exclusive and DAV:shared.");
    b->has_lockinfo = true;
    b->owner = owner ? owner->whole : ERN_ABSENT;
    return BODY_FINE;
}

static enum body_result
read_bind(struct body *b, const struct xml_element *root, const char *name, bool has_href)
{
    b->segment = text_of(xml_child(root, "segment"));
    b->href = text_of(xml_child(root, "href"));
    if (!xml_is(root, name))
        return invalid(b, "The root element is not the one of this method.");
    if (b->segment.len == 0)
        return invalid(b, "There is no DAV:segment.");
    if (has_href && b->href.len == 0)
        return invalid(b, "There is no DAV:href.");
    return BODY_FINE;
}

static enum body_result
read_reference(struct body *b, const struct xml_element *root, bool updates)
{
    const struct xml_element *lifetime = xml_child(root, "redirect-lifetime");

    b->target = text_of(xml_child(xml_child(root, "reftarget"), "href"));
    if (!xml_is(root, updates ? "updateredirectref" : "mkredirectref"))
        return invalid(b, "The root element is not the one of this method.");
    if (!updates && b->target.len == 0)
        return invalid(b, "There is no DAV:reftarget with a DAV:href.");
    b->has_lifetime = lifetime != NULL;
    b->permanent = xml_child(lifetime, "permanent") != NULL;
    if (lifetime && !b->permanent && !xml_child(lifetime, "temporary"))
        return invalid(b, "DAV:redirect-lifetime needs DAV:permanent or DAV:temporary.");
    return BODY_FINE;
}

static enum body_result
read_report(struct body *b, const struct xml_element *root)
{
    struct ern_slice token = text_of(xml_child(root, "sync-token")),
                     level = text_of(xml_child(root, "sync-level")),
                     results = text_of(xml_child(xml_child(root, "limit"), "nresults"));
    uint64_t n;

    b->report = (struct body_name){root->space, root->name};
    if (!xml_is(root, "sync-collection"))
        return BODY_FINE; /* the method says that it does not know it */
    b->find.kind = FIND_PROP;
    b->sync_token = slice_is_there(token) ? token : ERN_SLICE("");
    b->sync_level = DAV_DEPTH_1;
    if (slice_eq_nocase(level, ERN_SLICE("infinite")))
        b->sync_level = DAV_DEPTH_INFINITY;
    else if (slice_is_there(level) && !slice_eq(level, ERN_SLICE("1")))
        return invalid(b, "DAV:sync-level is neither 1 nor infinite.");
    if (u64_parse(results, INT64_MAX, &n))
        b->limit = (int64_t)n;
    return read_names(b, xml_child(root, "prop"));
}

static enum body_result
read_root(enum ern_method method, struct body *b)
{
    const struct xml_element *root = b->xml.root;

    switch ((unsigned)method) { /* the methods without XML do not come here */
    case ERN_PROPFIND:
        return read_propfind(b, root);
    case ERN_PROPPATCH:
        return read_proppatch(b, root);
    case ERN_MKCOL:
        return read_mkcol(b, root);
    case ERN_LOCK:
        return read_lock(b, root);
    case ERN_BIND:
        return read_bind(b, root, "bind", true);
    case ERN_REBIND:
        return read_bind(b, root, "rebind", true);
    case ERN_UNBIND:
        return read_bind(b, root, "unbind", false);
    case ERN_MKREDIRECTREF:
        return read_reference(b, root, false);
    case ERN_UPDATEREDIRECTREF:
        return read_reference(b, root, true);
    case ERN_REPORT:
        return read_report(b, root);
    default:
        return invalid(b, "This method takes no XML.");
    }
}

enum body_result
body_read(enum ern_method method, struct ern_slice content, const struct limits *limits,
          struct body *b)
{
    enum body_result result = BODY_MEMORY;

    *b = (struct body){.collection = true, .limit = -1, .why = ""};
    if (content.len == 0)
        return method == ERN_PROPFIND || method == ERN_LOCK || method == ERN_MKCOL
                   ? BODY_FINE
                   : invalid(b, "This method needs XML content, and there is none.");
    switch (xml_read(content, limits, &b->xml, &b->why, &b->line)) {
    case XML_FINE:
        result = read_root(method, b);
        break;
    case XML_WRONG:
        result = BODY_ILLFORMED;
        break;
    case XML_LARGE:
        result = BODY_LARGE;
        break;
    case XML_MEMORY:
        break;
    }
    if (result != BODY_FINE) {
        const char *why = b->why;
        unsigned line = b->line;

        body_free(b);
        b->why = why;
        b->line = line;
    }
    return result;
}

void
body_free(struct body *b)
{
    free(b->find.names);
    free(b->changes);
    xml_free(&b->xml);
    *b = (struct body){.why = ""};
}
