/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/dav.h"

#include <errno.h>

#include "base/slice.h"

int
dav_mkcol(struct dav *dav)
{
    struct store_place at = {dav->share->id, dav->target.path};
    const struct ghost none = {.kind = GHOST_NONE};
    bool failed = false;
    int error;

    if (dav->has_body && dav->body.strange_type) {
        dav_condition(dav, "valid-resourcetype", ERN_ABSENT); /* RFC 5689 3.3 */
        dav->outcome = DAV_FORBIDDEN;
        return 0;
    }
    error = memory_forget(dav->session, at);
    if (!error)
        error = ghost_put(dav->session, at, &none);
    if (!error && dav->has_body && dav->body.changes_n)
        error = dav_set_properties(dav, &dav->target, &failed);
    if (error || failed)
        return error;
    error = stage_mkdir(&dav->share->stage, dav->target.file);
    if (error == -EEXIST) { /* somebody else was quicker */
        dav->outcome = DAV_CONFLICTS;
        return 0;
    }
    if (!error)
        dav->outcome = DAV_CREATED;
    return error;
}
