/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/quota.h"

#include <stdatomic.h>

static int
count_used(struct share *share, int64_t *ret_used)
{
    int64_t used = atomic_load(&share->used_bytes);

    if (used < 0) {
        int64_t unknown = -1;

        used = stage_bytes(&share->stage, ".");
        if (used < 0)
            return (int)used;
        /* Another thread may have counted meanwhile, and added to it since. */
        if (!atomic_compare_exchange_strong(&share->used_bytes, &unknown, used))
            used = unknown;
    }
    *ret_used = used;
    return 0;
}

int
quota_fits(struct share *share, int64_t more, bool *ret_fits)
{
    int64_t used = 0;
    int error = 0;

    *ret_fits = true;
    if (share->quota_bytes < 0 || more <= 0)
        return 0;
    error = count_used(share, &used);
    *ret_fits = !error && more <= share->quota_bytes - used;
    return error;
}

void
quota_add(struct share *share, int64_t bytes)
{
    if (atomic_load(&share->used_bytes) >= 0)
        (void)atomic_fetch_add(&share->used_bytes, bytes);
}

int
quota_read(struct share *share, int64_t *ret_used, int64_t *ret_available)
{
    int64_t room = stage_free_bytes(&share->stage);
    int error = count_used(share, ret_used);

    if (error || room < 0)
        return error ? error : (int)room;
    *ret_available = room;
    if (share->quota_bytes >= 0) {
        int64_t left = share->quota_bytes > *ret_used ? share->quota_bytes - *ret_used : 0;

        *ret_available = left < room ? left : room;
    }
    return 0;
}
