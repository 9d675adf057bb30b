/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/response.h"

#include <errno.h>

#include "base/slice.h"
#include "dav/multistatus.h"

void
response_query_init(struct response_query *q, const struct body_find *find)
{
    static const enum ern_fact fine[] = {ERN_FACTS};
    static const enum ern_fact not_there[] = {ERN_FACT_exists, ERN_FACTS};

    *q = (struct response_query){
        .find = find, .fine = member_status(fine), .not_there = member_status(not_there)};
}

static struct store_place
at(const struct live_context *c)
{
    return (struct store_place){c->share->id, c->place->path};
}

static void
begin_response(struct out *o, const struct live_context *c)
{
    out_literal(o, "<D:response><D:href>");
    share_href(o, c->share, c->place->asked, c->place->kind == PLACE_COLLECTION);
    out_literal(o, "</D:href>");
}

static void
end_propstat(struct out *o, uint16_t status)
{
    out_literal(o, "</D:prop>");
    xml_status(o, status);
    out_literal(o, "</D:propstat>");
}

/* A live property with its value. Returns 1, 0 if the resource has none, or a negative errno. */
static int
write_live(struct out *o, const struct live *live, const struct live_context *c)
{
    size_t before = o->len;
    int wrote;

    out_literal(o, "<D:");
    out_text(o, live->name);
    out_char(o, '>');
    wrote = live->write(c, o);
    if (wrote <= 0) {
        o->len = before;
        return wrote;
    }
    out_literal(o, "</D:");
    out_text(o, live->name);
    out_char(o, '>');
    return 1;
}

/* A property by name. Returns 1, 0 if there is none, or a negative errno. */
static int
write_named(struct out *o, const struct response_query *q, const struct live_context *c,
            const struct body_name *name)
{
    const struct live *live = live_find(name->space, name->name);
    struct property dead;
    int error;

    if (q->may_have_dead && (!live || live->settable)) {
        error = property_get(c->session, at(c), name->space, name->name, &dead);
        if (error == 0)
            out_slice(o, dead.xml);
        if (error != -ENOENT)
            return error ? error : 1;
    }
    return live ? write_live(o, live, c) : 0;
}

static int
write_asked(struct out *o, const struct response_query *q, const struct live_context *c)
{
    const struct body_find *f = q->find;
    size_t missing = 0, found = 0, before = o->len;

    out_literal(o, "<D:propstat><D:prop>");
    for (uint16_t i = 0; i < f->names_n; i++) {
        int wrote = write_named(o, q, c, &f->names[i]);

        if (wrote < 0)
            return wrote;
        q->missing[i] = wrote == 0;
        missing += wrote == 0;
        found += wrote == 1;
    }
    if (found || f->names_n == 0 || q->minimal)
        end_propstat(o, q->fine);
    else
        o->len = before;
    if (!missing || q->minimal)
        return 0;
    out_literal(o, "<D:propstat><D:prop>");
    for (uint16_t i = 0; i < f->names_n; i++)
        if (q->missing[i])
            xml_name(o, f->names[i].space, f->names[i].name);
    end_propstat(o, q->not_there);
    return 0;
}

struct dead { /* the dead properties on their way out */
    struct out *o;
    bool names_only;
    bool displayname; /* one of them is that */
};

static int
write_dead(void *self, const struct property *p)
{
    struct dead *d = self;

    if (slice_eq(p->space, ERN_SLICE(XML_DAV)) && slice_eq(p->name, ERN_SLICE("displayname")))
        d->displayname = true;
    if (d->names_only)
        xml_name(d->o, p->space, p->name);
    else
        out_slice(d->o, p->xml);
    return 0;
}

/* allprop, with what is included by name; propname. */
static int
write_all(struct out *o, const struct response_query *q, const struct live_context *c)
{
    struct dead dead = {o, q->find->kind == FIND_PROPNAME, false};
    int error = 0;

    out_literal(o, "<D:propstat><D:prop>");
    if (q->may_have_dead)
        error = property_walk(c->session, at(c), write_dead, &dead);
    for (size_t i = 0; !error && i < live_properties_n; i++) {
        const struct live *live = &live_properties[i];
        size_t before = o->len;
        int wrote;

        if ((live->by_name_only && !dead.names_only) || (live->settable && dead.displayname))
            continue;
        wrote = write_live(o, live, c);
        if (wrote < 0)
            return wrote;
        if (dead.names_only && wrote) {
            o->len = before;
            xml_name(o, ERN_SLICE(XML_DAV), slice_text(live->name));
        }
    }
    for (uint16_t i = 0; !error && !dead.names_only && i < q->find->names_n; i++) {
        const struct live *live = live_find(q->find->names[i].space, q->find->names[i].name);

        if (live && live->by_name_only) {
            int wrote = write_live(o, live, c);

            error = wrote < 0 ? wrote : 0;
        }
    }
    end_propstat(o, q->fine);
    return error;
}

int
response_write(struct out *o, const struct response_query *q, const struct live_context *c)
{
    int error;

    begin_response(o, c);
    error = q->find->kind == FIND_PROP ? write_asked(o, q, c) : write_all(o, q, c);
    out_literal(o, "</D:response>\n");
    return error;
}

void
response_write_status(struct out *o, const struct share *share, struct ern_slice path,
                      bool collection, uint16_t status)
{
    out_literal(o, "<D:response><D:href>");
    share_href(o, share, path, collection);
    out_literal(o, "</D:href>");
    xml_status(o, status);
    out_literal(o, "</D:response>\n");
}
