/* SPDX-License-Identifier: Apache-2.0 */
/* instance.c - what files were before: content, kept once, and under which tags it was sent. */
#include <errno.h>

#include "store/sqlite.h"

static int
read_number(void *self, struct sql_row *row)
{
    *(int64_t *)self = sql_number(row);
    return 0;
}

static int
read_bytes(void *self, struct sql_row *row)
{
    *(struct ern_slice *)self = sql_bytes(row);
    return 0;
}

/* Drops the oldest until what is left is within the bound. */
static int
bound(struct store_session *s, int64_t bytes_max)
{
    for (;;) {
        int64_t bytes = 0;
        int error = sql_run(s, SQL_content_sweep, NULL, 0, NULL, NULL);

        if (!error)
            error = sql_one(s, SQL_instance_bytes, NULL, 0, read_number, &bytes);
        if (error || bytes <= bytes_max)
            return error;
        error = sql_run(s, SQL_instance_oldest, NULL, 0, NULL, NULL);
        if (error)
            return error;
    }
}

int
instance_put(struct store_session *s, const struct instance_row *i, int64_t keep, int64_t bytes_max)
{
    int error = sql_do(s, SQL_content_put, SQL_B(i->digest), SQL_B(i->bytes));

    if (!error)
        error = sql_do(s, SQL_instance_put, SQL_N(i->place.share), SQL_B(i->place.path),
                       SQL_B(i->etag), SQL_B(i->digest));
    if (!error)
        error =
            sql_do(s, SQL_instance_keep, SQL_N(i->place.share), SQL_B(i->place.path), SQL_N(keep));
    return error ? error : bound(s, bytes_max);
}

int
instance_get(struct store_session *s, struct store_place place, struct ern_slice etag,
             struct ern_slice *ret_bytes)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path), SQL_B(etag)};

    return sql_one(s, SQL_instance_get, values, 3, read_bytes, ret_bytes);
}

int
instance_find(struct store_session *s, struct store_place place, struct ern_slice digest,
              struct ern_slice *ret_bytes)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path), SQL_B(digest)};

    return sql_one(s, SQL_instance_find, values, 3, read_bytes, ret_bytes);
}

int
instance_has(struct store_session *s, struct store_place place, struct ern_slice etag)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path), SQL_B(etag)};
    int64_t one;

    return sql_one(s, SQL_instance_has, values, 3, read_number, &one);
}
