/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - locks, which end by the clock that cannot be set (CLOCK_BOOTTIME) within one boot. */
#include "store/sqlite.h"

int
lock_put(struct store_session *s, const struct lock_row *l)
{
    return sql_do(s, SQL_lock_put, SQL_B(l->token), SQL_N(l->share), SQL_B(l->path),
                  SQL_N(l->exclusive), SQL_N(l->infinite), SQL_B(l->owner), SQL_B(l->principal),
                  SQL_N(l->seconds), SQL_N(l->until_ms), SQL_N(session_boot(s)), SQL_N(l->until_s));
}

static int
read_lock(void *self, struct sql_row *row)
{
    struct lock_row *l = self;

    l->token = sql_bytes(row);
    l->share = sql_number(row);
    l->path = sql_bytes(row);
    l->exclusive = sql_number(row) != 0;
    l->infinite = sql_number(row) != 0;
    l->owner = sql_bytes(row);
    l->principal = sql_bytes(row);
    l->seconds = sql_number(row);
    l->until_ms = sql_number(row);
    l->boot = (uint64_t)sql_number(row);
    l->until_s = sql_number(row);
    return 0;
}

#define NOW(s, now) SQL_N((now).boot_ms), SQL_N((now).unix_s), SQL_N(session_boot(s))

int
lock_get(struct store_session *s, struct ern_slice token, struct store_clock now,
         struct lock_row *ret)
{
    const struct sql_value values[] = {SQL_B(token), NOW(s, now)};

    return sql_one(s, SQL_lock_get, values, 4, read_lock, ret);
}

int
lock_remove(struct store_session *s, struct ern_slice token)
{
    return sql_do(s, SQL_lock_remove, SQL_B(token));
}

struct locks {
    int (*each)(void *self, const struct lock_row *lock);
    void *self;
};

static int
tell_lock(void *self, struct sql_row *row)
{
    const struct locks *l = self;
    struct lock_row lock;

    (void)read_lock(&lock, row);
    return l->each(l->self, &lock);
}

int
lock_walk(struct store_session *s, struct store_place place, bool below, struct store_clock now,
          int (*each)(void *self, const struct lock_row *lock), void *self)
{
    struct sql_below b = sql_below(s, place.path);
    struct locks l = {each, self};
    int error = 0;

    /* From the place up to the share: above it only those of infinite depth. */
    for (size_t n = place.path.len; !error;) {
        const struct sql_value values[] = {SQL_N(place.share), SQL_B(slice_first(place.path, n)),
                                           NOW(s, now), SQL_N(n == place.path.len)};

        error = sql_run(s, SQL_lock_at, values, 6, tell_lock, &l);
        if (n == 1)
            break;
        while (place.path.ptr[n - 1] != '/')
            n--;
        n = n > 1 ? n - 1 : 1;
    }
    if (!error && below) {
        /* "/" itself was looked at; what is beneath it begins after it. */
        struct ern_slice first = place.path.len == 1 ? ERN_SLICE("/\x01") : b.first;
        const struct sql_value values[] = {SQL_N(place.share), SQL_B(first), SQL_B(b.after),
                                           NOW(s, now)};

        error = sql_run(s, SQL_lock_beneath, values, 6, tell_lock, &l);
    }
    return error;
}

static int
read_count(void *self, struct sql_row *row)
{
    *(int64_t *)self = sql_number(row);
    return 0;
}

int
lock_count(struct store_session *s, struct store_place place, struct store_clock now,
           int64_t *ret_n)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path), NOW(s, now)};

    return sql_one(s, SQL_lock_count, values, 5, read_count, ret_n);
}

int
lock_expire(struct store_session *s, struct store_clock now)
{
    return sql_do(s, SQL_lock_expire, NOW(s, now));
}
