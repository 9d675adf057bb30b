/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/delete.h"

#include <errno.h>

#include "base/slice.h"
#include "dav/multistatus.h"
#include "dav/tree.h"
#include "dav/work.h"

int
report_locked(struct dav *dav, bool *ret_reported)
{
    static const enum ern_fact locked[] = {ERN_FACT_locked, ERN_FACTS};
    struct multistatus m = {.dav = NULL};

    *ret_reported = false;
    for (unsigned i = 0; i < dav->locks_n; i++) {
        const struct dav_lock *lock = &dav->locks[i];

        if (!lock->beneath || lock->submitted)
            continue;
        if (!m.dav && !multistatus_begin(&m, dav))
            return -ENOMEM;
        multistatus_add(&m, lock->path, false, member_status(locked), "lock-token-submitted");
    }
    *ret_reported = m.dav != NULL;
    return m.dav && !multistatus_end(&m) ? -ENOMEM : 0;
}

int
dav_delete(struct dav *dav)
{
    struct tree_change change = {
        .share = dav->share, .session = &dav->session, .now_s = dav->now.unix_s};
    bool reported;
    int error = report_locked(dav, &reported);

    if (error || reported)
        return error;
    if (dav->fields.respond_async && dav->target.kind == PLACE_COLLECTION)
        return work_accept(dav);
    error = tree_delete(&change, &dav->target);
    memcpy(dav->old, change.old, sizeof dav->old);
    dav->outcome = DAV_EMPTY;
    return error;
}
