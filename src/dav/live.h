/* SPDX-License-Identifier: Apache-2.0 */
/* live.h - properties that the server itself knows (RFC 4918 15, 4331, 5842, 6578, 4437). */
#ifndef DAV_LIVE_H
#define DAV_LIVE_H

#include "dav/dav.h"

struct live_context { /* the resource whose properties are asked for */
    struct share *share;
    struct store_session *session;
    struct store_clock now;
    const struct place *place;
    const struct res_request *request; /* who asks: names that they may not see are left out */
    bool may_lock; /* there is a lock in the share: only then are they looked for */
};

struct live {
    const char *name;  /* in the namespace DAV: */
    bool by_name_only; /* not told by allprop (RFC 4918 9.1) */
    bool settable;     /* a dead property of the name counts before it */
    /* Writes the content of the element. Returns 1, 0 if the resource has no such property, or a
     * negative errno. */
    int (*write)(const struct live_context *context, struct out *o);
};

extern const struct live live_properties[];
extern const size_t live_properties_n;

/* The live property of this name, or NULL. */
const struct live *live_find(struct ern_slice space, struct ern_slice name);

/* The href of a path of the share, within an XML document: prefix and path, encoded. */
void share_href(struct out *o, const struct share *share, struct ern_slice path, bool collection);

/* The token of now for sync-collection (RFC 6578 6.2). report.c */
void sync_token_write(struct out *o, const struct share *share, struct store_clock now);

#endif
