/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - the time that what is remembered is dated with. It goes on where it was, whatever is
 * done to the clock of the machine: the distance to CLOCK_BOOTTIME is settled once a boot. */
#include <errno.h>

#include "store/sqlite.h"

struct kept {
    uint64_t boot;
    int64_t offset_s; /* Unix time less CLOCK_BOOTTIME, in that boot */
    int64_t last_s;   /* Unix time when the database was opened last */
};

static int
read_kept(void *self, struct sql_row *row)
{
    struct kept *k = self;

    k->boot = (uint64_t)sql_number(row);
    k->offset_s = sql_number(row);
    k->last_s = sql_number(row);
    return 0;
}

int
clock_find(struct store_session *s, int64_t *ret_offset_s, bool *ret_is_known)
{
    struct kept k;
    int error = sql_one(s, SQL_clock_get, NULL, 0, read_kept, &k);

    *ret_is_known = !error && k.boot == session_boot(s);
    if (*ret_is_known)
        *ret_offset_s = k.offset_s;
    return error == -ENOENT ? 0 : error;
}

int
clock_settle(struct store_session *s, struct store_clock now, int64_t *ret_offset_s)
{
    int64_t up_s = now.boot_ms / 1000;
    struct kept k = {.last_s = INT64_MIN};
    int error = sql_one(s, SQL_clock_get, NULL, 0, read_kept, &k);
    bool same = !error && k.boot == session_boot(s);

    if (error && error != -ENOENT)
        return error;
    if (!same) /* a machine whose clock lost its battery does not go back in time */
        k.offset_s = (now.wall_s > k.last_s ? now.wall_s : k.last_s) - up_s;
    *ret_offset_s = k.offset_s;
    return sql_do(s, SQL_clock_put, SQL_N(session_boot(s)), SQL_N(k.offset_s),
                  SQL_N(k.offset_s + up_s));
}
