/* SPDX-License-Identifier: Apache-2.0 */
/* ghost.c - names that are not files: gone, moved, redirect references, bindings. */
#include <errno.h>

#include "store/sqlite.h"

static int
read_ghost(void *self, struct sql_row *row)
{
    struct ghost *g = self;

    g->kind = (enum ghost_kind)sql_number(row);
    g->path = sql_bytes(row);
    g->target = sql_bytes(row);
    g->for_good = sql_number(row) != 0;
    g->made_s = sql_number(row);
    return 0;
}

int
ghost_get(struct store_session *s, struct store_place place, struct ghost *ret)
{
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(place.path)};
    int error;

    *ret = (struct ghost){.kind = GHOST_NONE};
    error = sql_one(s, SQL_ghost_get, values, 2, read_ghost, ret);
    return error == -ENOENT ? 0 : error;
}

/* The path of the collection that it is in; "/" has none: absent. */
static struct ern_slice
parent(struct ern_slice path)
{
    size_t n = path.len;

    if (n <= 1)
        return ERN_ABSENT;
    while (path.ptr[n - 1] != '/')
        n--;
    return slice_first(path, n > 1 ? n - 1 : 1);
}

int
ghost_nearest(struct store_session *s, struct store_place place, struct ghost *ret)
{
    int error = 0;

    *ret = (struct ghost){.kind = GHOST_NONE};
    for (; !error && ret->kind == GHOST_NONE && slice_is_there(place.path);
         place.path = parent(place.path))
        error = ghost_get(s, place, ret);
    return error;
}

int
ghost_put(struct store_session *s, struct store_place place, const struct ghost *g)
{
    if (g->kind == GHOST_NONE)
        return sql_do(s, SQL_ghost_remove, SQL_N(place.share), SQL_B(place.path));
    return sql_do(s, SQL_ghost_put, SQL_N(place.share), SQL_B(place.path), SQL_N(g->kind),
                  SQL_B(g->target), SQL_N(g->for_good), SQL_N(g->made_s));
}

int
ghost_clear(struct store_session *s, struct store_place place, enum ghost_kind kind)
{
    struct sql_below b = sql_below(s, place.path);

    return sql_do(s, SQL_ghost_clear, SQL_N(place.share), SQL_B(b.path), SQL_B(b.first),
                  SQL_B(b.after), SQL_N(kind));
}

struct ghosts {
    int (*each)(void *self, const struct ghost *ghost);
    void *self;
};

static int
tell_ghost(void *self, struct sql_row *row)
{
    const struct ghosts *g = self;
    struct ghost ghost;

    (void)read_ghost(&ghost, row);
    return g->each(g->self, &ghost);
}

int
ghost_walk(struct store_session *s, struct store_place place, enum ghost_kind kind, int64_t since_s,
           int (*each)(void *self, const struct ghost *ghost), void *self)
{
    struct sql_below b = sql_below(s, place.path);
    const struct sql_value values[] = {SQL_N(place.share), SQL_B(b.path), SQL_B(b.first),
                                       SQL_B(b.after),     SQL_N(kind),   SQL_N(since_s)};
    struct ghosts g = {each, self};

    return sql_run(s, SQL_ghost_walk, values, 6, tell_ghost, &g);
}

int
binding_walk(struct store_session *s, struct store_place target,
             int (*each)(void *self, const struct ghost *ghost), void *self)
{
    const struct sql_value values[] = {SQL_N(target.share), SQL_B(target.path)};
    struct ghosts g = {each, self};

    return sql_run(s, SQL_binding_walk, values, 2, tell_ghost, &g);
}

int
ghost_expire(struct store_session *s, int64_t share, int64_t before_s)
{
    return sql_do(s, SQL_ghost_expire, SQL_N(share), SQL_N(before_s));
}

int
ghost_move(struct store_session *s, struct store_place from, struct store_place to)
{
    struct sql_below b = sql_below(s, from.path);
    int error = sql_do(s, SQL_ghost_move, SQL_N(from.share), SQL_B(b.path), SQL_B(b.first),
                       SQL_B(b.after), SQL_B(to.path), SQL_N(from.path.len + 1));

    /* Bindings whose home moved along keep leading to it. */
    return error ? error
                 : sql_do(s, SQL_binding_move, SQL_N(from.share), SQL_B(b.path), SQL_B(b.first),
                          SQL_B(b.after), SQL_B(to.path), SQL_N(from.path.len + 1));
}
