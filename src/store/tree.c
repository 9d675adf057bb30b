/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - shares, identities, and what is remembered of a whole tree. */
#include "store/sqlite.h"

#include <errno.h>

enum { UUID_BYTES = 16 };

static int
read_number(void *self, struct sql_row *row)
{
    *(int64_t *)self = sql_number(row);
    return 0;
}

int
store_share(struct store_session *s, struct ern_slice name, int64_t *ret_share)
{
    int error = sql_do(s, SQL_share_add, SQL_B(name));

    return error ? error : sql_one(s, SQL_share_find, &SQL_B(name), 1, read_number, ret_share);
}

static int
read_uuid(void *self, struct sql_row *row)
{
    struct ern_slice uuid = sql_bytes(row);

    if (uuid.len != UUID_BYTES)
        return -EIO;
    memcpy(self, uuid.ptr, UUID_BYTES);
    return 0;
}

int
identity_find(struct store_session *s, struct store_place place, unsigned char *ret_uuid)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path)};

    return sql_one(s, SQL_identity_get, values, 2, read_uuid, ret_uuid);
}

int
identity_get(struct store_session *s, struct store_place place, const unsigned char *fresh,
             unsigned char *ret_uuid)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path)};
    int error = sql_one(s, SQL_identity_get, values, 2, read_uuid, ret_uuid);

    if (error != -ENOENT)
        return error;
    memcpy(ret_uuid, fresh, UUID_BYTES);
    return sql_do(s, SQL_identity_put, SQL_N(place.share), SQL_B(place.path),
                  SQL_B(slice_from((const char *)fresh, UUID_BYTES)));
}

/* The values of a statement over a place and all beneath it. */
#define BELOW(share, b) SQL_N(share), SQL_B((b).path), SQL_B((b).first), SQL_B((b).after)

int
memory_forget(struct store_session *s, struct store_place place)
{
    static const enum sql forgets[] = {SQL_property_forget, SQL_lock_forget, SQL_identity_forget};
    struct sql_below b = sql_below(s, place.path);
    int error = 0;

    for (size_t i = 0; !error && i < sizeof forgets / sizeof *forgets; i++)
        error = sql_do(s, forgets[i], BELOW(place.share, b));
    return error;
}

int
memory_move(struct store_session *s, struct store_place from, struct store_place to)
{
    static const enum sql moves[] = {SQL_property_move, SQL_identity_move};
    struct sql_below b = sql_below(s, from.path);
    int error = memory_forget(s, to);

    for (size_t i = 0; !error && i < sizeof moves / sizeof *moves; i++)
        error = sql_do(s, moves[i], BELOW(from.share, b), SQL_B(to.path), SQL_N(from.path.len + 1));
    return error ? error : sql_do(s, SQL_lock_forget, BELOW(from.share, b));
}

int
memory_copy_tree(struct store_session *s, struct store_place from, struct store_place to)
{
    struct sql_below b = sql_below(s, from.path);
    int error = memory_forget(s, to);

    return error ? error
                 : sql_do(s, SQL_property_copy, BELOW(from.share, b), SQL_B(to.path),
                          SQL_N(from.path.len + 1));
}
