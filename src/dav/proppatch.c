/* SPDX-License-Identifier: Apache-2.0 */
/* proppatch.c - PROPPATCH (RFC 4918 9.2): all instructions are carried out, or none. */
#include "dav/dav.h"

#include <errno.h>
#include <stdlib.h>

#include "base/slice.h"
#include "dav/live.h"
#include "dav/multistatus.h"

enum { TEXT_BYTES = 1 << 20 };

/* A property that only the server sets. */
static bool
is_protected(const struct body_name *name)
{
    const struct live *live = live_find(name->space, name->name);

    return live && !live->settable;
}

/* Carries out one instruction. */
static int
change(struct dav *dav, struct store_place at, const struct body_change *c)
{
    struct property p = {c->name.space, c->name.name, ERN_ABSENT};

    if (c->remove)
        return property_remove(dav->session, at, p.space, p.name);
    p.xml = c->value->whole;
    return property_put(dav->session, at, &p);
}

/* What stands in the way of an instruction; ERN_FACTS if nothing does. */
static enum ern_fact
obstacle(const struct body_change *c, bool over_limit)
{
    if (is_protected(&c->name))
        return ERN_FACT_permitted;
    return over_limit && !c->remove ? ERN_FACT_no_room : ERN_FACTS;
}

/* One propstat: the property, the status of its member decision, and the condition it fails. */
static void
write_outcome(struct out *o, const struct body_change *c, enum ern_fact odd)
{
    const enum ern_fact facts[] = {odd, ERN_FACTS};

    out_literal(o, "<D:propstat><D:prop>");
    xml_name(o, c->name.space, c->name.name);
    out_literal(o, "</D:prop>");
    xml_status(o, member_status(facts));
    if (odd == ERN_FACT_permitted)
        out_literal(o, "<D:error><D:cannot-modify-protected-property/></D:error>");
    out_literal(o, "</D:propstat>");
}

static void
write_outcomes(struct out *o, const struct body *b, bool failed, bool over_limit)
{
    for (uint16_t i = 0; i < b->changes_n; i++) {
        enum ern_fact odd = obstacle(&b->changes[i], over_limit);

        /* rfc4918#9.2 "Instructions MUST either all be executed or none executed." */
        if (failed && odd == ERN_FACTS)
            odd = ERN_FACT_dependency_ok;
        write_outcome(o, &b->changes[i], odd);
    }
}

/* Carries out all of them, unless one cannot be. */
static int
change_all(struct dav *dav, struct store_place at, bool *ret_failed, bool *ret_over)
{
    const struct body *b = &dav->body;
    int64_t bytes;
    int error = 0;

    *ret_failed = *ret_over = false;
    for (uint16_t i = 0; i < b->changes_n; i++)
        *ret_failed = *ret_failed || is_protected(&b->changes[i].name);
    for (uint16_t i = 0; !error && !*ret_failed && i < b->changes_n; i++)
        error = change(dav, at, &b->changes[i]);
    if (!error && !*ret_failed)
        error = property_bytes(dav->session, at, &bytes);
    if (!error && !*ret_failed && bytes > dav->share->limits->properties_bytes_max)
        *ret_over = *ret_failed = true;
    return error;
}

/* The answer, within this root element. */
static int
tell(struct dav *dav, const char *root, struct ern_slice href, bool failed, bool over)
{
    char *text = malloc(TEXT_BYTES);
    struct out o = out_init(text, text ? TEXT_BYTES : 0);

    if (!text)
        return -ENOMEM;
    out_literal(&o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:");
    out_text(&o, root);
    out_literal(&o, " xmlns:D=\"DAV:\">");
    if (slice_is_there(href)) {
        out_literal(&o, "<D:response><D:href>");
        share_href(&o, dav->share, href, dav->target.kind == PLACE_COLLECTION);
        out_literal(&o, "</D:href>");
    }
    write_outcomes(&o, &dav->body, failed, over);
    out_text(&o, slice_is_there(href) ? "</D:response></D:" : "</D:");
    out_text(&o, root);
    out_literal(&o, ">\n");
    if (o.full) {
        free(text);
        return -ENOSPC;
    }
    return xml_represent(dav, text, o.len) ? 0 : -ENOMEM;
}

int
dav_proppatch(struct dav *dav)
{
    struct store_place at = {dav->share->id, dav->target.path};
    bool failed, over;
    int error = change_all(dav, at, &failed, &over);

    if (!error)
        error = tell(dav, "multistatus", dav->target.asked, failed, over);
    dav->outcome = DAV_MIXED;
    dav->dropped = failed;
    return error;
}

int
dav_set_properties(struct dav *dav, struct place *place, bool *ret_failed)
{
    struct store_place at = {dav->share->id, place->path};
    bool over;
    int error = change_all(dav, at, ret_failed, &over);

    if (error || !*ret_failed)
        return error;
    dav->outcome = DAV_MIXED; /* RFC 5689 3: the outcomes are told, and nothing is made */
    dav->dropped = true;
    return tell(dav, "mkcol-response", ERN_ABSENT, true, over);
}
