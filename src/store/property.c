/* SPDX-License-Identifier: Apache-2.0 */
/* property.c - dead properties: what clients say of a resource, kept as they wrote it. */
#include "store/sqlite.h"

/* Never NULL: what a primary key is made of has a value. */
static struct ern_slice
some(struct ern_slice s)
{
    return slice_is_there(s) ? s : ERN_SLICE("");
}

static int
read_property(void *self, struct sql_row *row)
{
    struct property *p = self;

    p->space = sql_bytes(row);
    p->name = sql_bytes(row);
    p->xml = sql_bytes(row);
    return 0;
}

int
property_get(struct store_session *s, struct store_place place, struct ern_slice space,
             struct ern_slice name, struct property *ret)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path), SQL_B(some(space)),
                                       SQL_B(name)};

    return sql_one(s, SQL_property_get, values, 4, read_property, ret);
}

int
property_put(struct store_session *s, struct store_place place, const struct property *p)
{
    return sql_do(s, SQL_property_put, SQL_N(place.share), SQL_B(place.path), SQL_B(some(p->space)),
                  SQL_B(p->name), SQL_B(some(p->xml)));
}

int
property_remove(struct store_session *s, struct store_place place, struct ern_slice space,
                struct ern_slice name)
{
    return sql_do(s, SQL_property_remove, SQL_N(place.share), SQL_B(place.path), SQL_B(some(space)),
                  SQL_B(name));
}

struct properties {
    int (*each)(void *self, const struct property *property);
    void *self;
};

static int
tell_property(void *self, struct sql_row *row)
{
    const struct properties *p = self;
    struct property property;

    (void)read_property(&property, row);
    return p->each(p->self, &property);
}

int
property_walk(struct store_session *s, struct store_place place,
              int (*each)(void *self, const struct property *property), void *self)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path)};
    struct properties p = {each, self};

    return sql_run(s, SQL_property_walk, values, 2, tell_property, &p);
}

static int
read_number(void *self, struct sql_row *row)
{
    *(int64_t *)self = sql_number(row);
    return 0;
}

int
property_bytes(struct store_session *s, struct store_place place, int64_t *ret_bytes)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path)};

    return sql_one(s, SQL_property_bytes, values, 2, read_number, ret_bytes);
}

/* That there is a row is all that is asked. */
static int
see_row(void *self, struct sql_row *row)
{
    (void)row;
    *(bool *)self = true;
    return 0;
}

int
property_any(struct store_session *s, struct store_place place, bool *ret_any)
{
    struct sql_below b = sql_below(s, place.path);
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(b.path), SQL_B(b.first),
                                       SQL_B(b.after)};

    *ret_any = false;
    return sql_run(s, SQL_property_any, values, 4, see_row, ret_any);
}

int
lock_any(struct store_session *s, int64_t share, bool *ret_any)
{
    *ret_any = false;
    return sql_run(s, SQL_lock_any, &SQL_N(share), 1, see_row, ret_any);
}
