/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/live.h"

#include <errno.h>
#include <sys/random.h>

#include "base/civil.h"
#include "base/slice.h"
#include "dav/lock.h"
#include "dav/quota.h"
#include "msg/date.h"
#include "res/entry.h"
#include "res/media.h"

static bool
is_collection(const struct live_context *c)
{
    return c->place->kind == PLACE_COLLECTION;
}

static bool
is_file(const struct live_context *c)
{
    return c->place->kind == PLACE_FILE;
}

void
share_href(struct out *o, const struct share *share, struct ern_slice path, bool collection)
{
    if (share->prefix.len)
        xml_href(o, share->prefix, path.len == 1);
    if (path.len > 1 || share->prefix.len == 0)
        xml_href(o, path, collection);
}

static int
write_creationdate(const struct live_context *c, struct out *o)
{
    if (!is_file(c) && !is_collection(c))
        return 0;
    civil_write_utc(o, c->place->info.born_s); /* RFC 3339 5.6 */
    return 1;
}

/* The last segment of its path. */
static struct ern_slice
last_segment(struct ern_slice path)
{
    size_t n = path.len;

    while (n > 0 && path.ptr[n - 1] != '/')
        n--;
    return slice_skip(path, n);
}

static int
write_displayname(const struct live_context *c, struct out *o)
{
    struct ern_slice path = c->place->asked;

    xml_text(o, last_segment(path.len > 1 ? path : c->share->prefix));
    return 1;
}

static int
write_length(const struct live_context *c, struct out *o)
{
    if (!is_file(c))
        return 0;
    out_u64(o, c->place->info.stamp.bytes);
    return 1;
}

static int
write_type(const struct live_context *c, struct out *o)
{
    if (!is_file(c))
        return 0;
    xml_text(o, media_type(last_segment(c->place->path)));
    return 1;
}

static int
write_etag(const struct live_context *c, struct out *o)
{
    char text[24];
    struct out tag = out_init(text, sizeof text);

    if (!is_file(c))
        return 0;
    entry_etag(&tag, &c->place->info.stamp);
    xml_text(o, out_done(&tag));
    return 1;
}

static int
write_modified(const struct live_context *c, struct out *o)
{
    if (!is_file(c) && !is_collection(c))
        return 0;
    date_write(o, c->place->info.stamp.modified_s);
    return 1;
}

static int
write_resourcetype(const struct live_context *c, struct out *o)
{
    if (is_collection(c))
        out_literal(o, "<D:collection/>");
    else if (c->place->kind == PLACE_REFERENCE)
        out_literal(o, "<D:redirectref/>");
    return 1;
}

static int
write_lockdiscovery(const struct live_context *c, struct out *o)
{
    int error = c->may_lock ? lock_discovery(o, c->share, c->session, c->place->path, c->now) : 0;

    return error ? error : 1;
}

static int
write_supportedlock(const struct live_context *c, struct out *o)
{
    (void)c;
    out_literal(o, "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope>"
                   "<D:locktype><D:write/></D:locktype></D:lockentry>"
                   "<D:lockentry><D:lockscope><D:shared/></D:lockscope>"
                   "<D:locktype><D:write/></D:locktype></D:lockentry>");
    return 1;
}

static int
write_quota(const struct live_context *c, struct out *o, bool used)
{
    int64_t in_use, available;
    int error = is_collection(c) ? quota_read(c->share, &in_use, &available) : 0;

    if (error || !is_collection(c))
        return error;
    out_u64(o, (uint64_t)(used ? in_use : available));
    return 1;
}

static int
write_quota_available(const struct live_context *c, struct out *o)
{
    return write_quota(c, o, false);
}

static int
write_quota_used(const struct live_context *c, struct out *o)
{
    return write_quota(c, o, true);
}

static int
write_resource_id(const struct live_context *c, struct out *o)
{
    unsigned char fresh[16], uuid[16];
    struct store_session *writer;
    int error;

    if (getrandom(fresh, sizeof fresh, 0) != (ssize_t)sizeof fresh)
        return -EIO;
    /* The first question makes the answer, in a transaction of its own. */
    error = identity_find(c->session, (struct store_place){c->share->id, c->place->path}, uuid);
    if (error == -ENOENT) {
        error = store_begin(c->share->store, STORE_WRITE, &writer);
        if (!error) {
            error = identity_get(writer, (struct store_place){c->share->id, c->place->path}, fresh,
                                 uuid);
            error = error ? (void)store_end(writer, false), error : store_end(writer, true);
        }
    }
    if (error)
        return error;
    out_literal(o, "<D:href>urn:uuid:");
    out_uuid(o, uuid);
    out_literal(o, "</D:href>");
    return 1;
}

struct parents {
    struct out *o;
    const struct share *share;
    const struct res_request *request;
};

/* One member of DAV:parent-set: the collection, and the segment in it (RFC 5842 3.2). */
static int
write_parent(void *self, const struct ghost *binding)
{
    const struct parents *p = self;

    if (!res_may(p->request, binding->path, RES_READ))
        return 0;
    out_literal(p->o, "<D:parent><D:href>");
    share_href(p->o, p->share, path_parent(binding->path), true);
    out_literal(p->o, "</D:href><D:segment>");
    xml_text(p->o, last_segment(binding->path));
    out_literal(p->o, "</D:segment></D:parent>");
    return 0;
}

static int
write_parent_set(const struct live_context *c, struct out *o)
{
    struct parents p = {o, c->share, c->request};
    const struct ghost home = {.path = c->place->path};
    int error = c->place->path.len > 1 ? write_parent(&p, &home) : 0;

    if (!error)
        error = binding_walk(c->session, (struct store_place){c->share->id, c->place->path},
                             write_parent, &p);
    return error ? error : 1;
}

static int
write_add_member(const struct live_context *c, struct out *o)
{
    if (!is_collection(c))
        return 0;
    out_literal(o, "<D:href>"); /* RFC 5995 3.2.1: the collection itself takes POST */
    share_href(o, c->share, c->place->asked, true);
    out_literal(o, "</D:href>");
    return 1;
}

static int
write_sync_token(const struct live_context *c, struct out *o)
{
    if (!is_collection(c))
        return 0;
    sync_token_write(o, c->share, c->now);
    return 1;
}

static int
write_reports(const struct live_context *c, struct out *o)
{
    if (is_collection(c))
        out_literal(o, "<D:supported-report><D:report><D:sync-collection/></D:report>"
                       "</D:supported-report>");
    return 1;
}

static int
write_live_set(const struct live_context *c, struct out *o)
{
    (void)c;
    for (size_t i = 0; i < live_properties_n; i++) {
        out_literal(o, "<D:supported-live-property><D:prop>");
        xml_name(o, ERN_SLICE(XML_DAV), slice_text(live_properties[i].name));
        out_literal(o, "</D:prop></D:supported-live-property>");
    }
    return 1;
}

static int
write_reftarget(const struct live_context *c, struct out *o)
{
    if (c->place->kind != PLACE_REFERENCE)
        return 0;
    out_literal(o, "<D:href>");
    xml_text(o, c->place->ghost.target);
    out_literal(o, "</D:href>");
    return 1;
}

static int
write_lifetime(const struct live_context *c, struct out *o)
{
    if (c->place->kind != PLACE_REFERENCE)
        return 0;
    out_text(o, c->place->ghost.for_good ? "<D:permanent/>" : "<D:temporary/>");
    return 1;
}

const struct live live_properties[] = {
    {"creationdate", false, false, write_creationdate},
    {"displayname", false, true, write_displayname},
    {"getcontentlength", false, false, write_length},
    {"getcontenttype", false, false, write_type},
    {"getetag", false, false, write_etag},
    {"getlastmodified", false, false, write_modified},
    {"lockdiscovery", false, false, write_lockdiscovery},
    {"resourcetype", false, false, write_resourcetype},
    {"supportedlock", false, false, write_supportedlock},
    {"quota-available-bytes", true, false, write_quota_available},
    {"quota-used-bytes", true, false, write_quota_used},
    {"resource-id", true, false, write_resource_id},
    {"parent-set", true, false, write_parent_set},
    {"add-member", true, false, write_add_member},
    {"sync-token", true, false, write_sync_token},
    {"supported-report-set", true, false, write_reports},
    {"supported-live-property-set", true, false, write_live_set},
    {"reftarget", true, false, write_reftarget},
    {"redirect-lifetime", true, false, write_lifetime},
};
const size_t live_properties_n = sizeof live_properties / sizeof *live_properties;

const struct live *
live_find(struct ern_slice space, struct ern_slice name)
{
    if (!slice_eq(space, ERN_SLICE(XML_DAV)))
        return NULL;
    for (size_t i = 0; i < live_properties_n; i++)
        if (slice_eq(name, slice_text(live_properties[i].name)))
            return &live_properties[i];
    return NULL;
}
