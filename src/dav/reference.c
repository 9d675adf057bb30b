/* SPDX-License-Identifier: Apache-2.0 */
/* reference.c - redirect references (RFC 4437): names that send a client elsewhere. */
#include "dav/dav.h"

#include "base/slice.h"

/* May it stand in a Location? A URI reference is visible ASCII without what must be encoded. */
static bool
is_reference(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == '<' || text.ptr[i] == '>' ||
            text.ptr[i] == '"')
            return false;
    return text.len > 0;
}

static int
refuse(struct dav *dav)
{
    dav_condition(dav, ERN_FACT_conflicts, "legal-reftarget", ERN_ABSENT); /* RFC 4437 6 */
    dav->decision->evidence.detail = ERN_SLICE("DAV:reftarget is not a URI reference.");
    dav->outcome = DAV_CONFLICTS;
    return 0;
}

int
dav_mkredirectref(struct dav *dav)
{
    const struct ghost reference = {.kind = GHOST_REFERENCE,
                                    .target = dav->body.target,
                                    .for_good = dav->body.permanent,
                                    .made_s = dav->now.unix_s};

    if (dav->target.kind != PLACE_NOTHING) {
        dav_condition(dav, ERN_FACT_conflicts, "resource-must-be-null", ERN_ABSENT);
        dav->outcome = DAV_CONFLICTS;
        return 0;
    }
    if (!is_reference(dav->body.target))
        return refuse(dav);
    dav->outcome = DAV_CREATED;
    return ghost_put(dav->session, (struct store_place){dav->share->id, dav->target.path},
                     &reference);
}

int
dav_updateredirectref(struct dav *dav)
{
    struct ghost reference = dav->target.ghost;

    if (slice_is_there(dav->body.target)) {
        if (!is_reference(dav->body.target))
            return refuse(dav);
        reference.target = dav->body.target;
    }
    if (dav->body.has_lifetime)
        reference.for_good = dav->body.permanent;
    dav->outcome = 0;
    return ghost_put(dav->session, (struct store_place){dav->share->id, dav->target.path},
                     &reference);
}
