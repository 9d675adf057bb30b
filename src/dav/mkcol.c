/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/dav.h"

#include <errno.h>

#include "base/slice.h"
#include "dav/journal.h"

int
dav_mkcol(struct dav *dav)
{
    struct store_place at = {dav->share->id, dav->target.path};
    struct intent intent = {.kind = INTENT_MAKE,
                            .share = dav->share->id,
                            .to = dav->target.path,
                            .made_s = dav->now.unix_s};
    bool failed = false;
    int error;

    if (dav->has_body && dav->body.strange_type) {
        /* RFC 5689 3.3 */
        dav_condition(dav, ERN_FACT_act_permitted, "valid-resourcetype", ERN_ABSENT);
        dav->outcome = DAV_FORBIDDEN;
        return 0;
    }
    error = memory_forget(dav->session, at);
    if (!error && dav->has_body && dav->body.changes_n)
        error = dav_set_properties(dav, &dav->target, &failed);
    if (error || failed)
        return error;
    error = journal_keep(dav->share, &dav->session, &intent);
    if (!error)
        error = stage_mkdir(&dav->share->stage, dav->target.file);
    if (!error)
        error = journal_follow(dav->session, &intent, dav->now.unix_s);
    dav->outcome = DAV_CREATED;
    return error;
}
