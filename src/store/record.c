/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - intents, uploads and jobs: rows that are written and read whole. */
#include "store/sqlite.h"

static int
read_intent(struct intent *i, struct sql_row *row)
{
    i->id = sql_number(row);
    i->kind = (enum intent_kind)sql_number(row);
    i->share = sql_number(row);
    i->from = sql_bytes(row);
    i->to = sql_bytes(row);
    i->staged = sql_bytes(row);
    i->inode = sql_number(row);
    i->replaced = sql_number(row);
    i->made_s = sql_number(row);
    return 0;
}

int
intent_put(struct store_session *s, struct intent *i)
{
    int error =
        sql_do(s, SQL_intent_put, SQL_N(i->kind), SQL_N(i->share), SQL_B(i->from), SQL_B(i->to),
               SQL_B(i->staged), SQL_N(i->inode), SQL_N(i->replaced), SQL_N(i->made_s));

    if (!error)
        i->id = session_last_id(s);
    return error;
}

int
intent_remove(struct store_session *s, int64_t id)
{
    return sql_do(s, SQL_intent_remove, SQL_N(id));
}

static int
read_upload(void *self, struct sql_row *row)
{
    struct upload *u = self;

    u->id = sql_bytes(row);
    u->share = sql_number(row);
    u->path = sql_bytes(row);
    u->staged = sql_bytes(row);
    u->type = sql_bytes(row);
    u->length = sql_number(row);
    u->complete = sql_number(row) != 0;
    u->created = sql_number(row) != 0;
    u->etag = sql_bytes(row);
    u->until_s = sql_number(row);
    return 0;
}

int
upload_put(struct store_session *s, const struct upload *u)
{
    return sql_do(s, SQL_upload_put, SQL_B(u->id), SQL_N(u->share), SQL_B(u->path),
                  SQL_B(u->staged), SQL_B(u->type), SQL_N(u->length), SQL_N(u->complete),
                  SQL_N(u->created), SQL_B(u->etag), SQL_N(u->until_s));
}

int
upload_get(struct store_session *s, struct ern_slice id, struct upload *ret)
{
    return sql_one(s, SQL_upload_get, &SQL_B(id), 1, read_upload, ret);
}

int
upload_complete(struct store_session *s, struct ern_slice id, bool created)
{
    return sql_do(s, SQL_upload_complete, SQL_B(id), SQL_N(created));
}

int
upload_remove(struct store_session *s, struct ern_slice id)
{
    return sql_do(s, SQL_upload_remove, SQL_B(id));
}

static int
read_work(void *self, struct sql_row *row)
{
    struct work *w = self;

    w->id = sql_bytes(row);
    w->share = sql_number(row);
    w->method = sql_bytes(row);
    w->path = sql_bytes(row);
    w->to = sql_bytes(row);
    w->overwrite = sql_number(row) != 0;
    w->shallow = sql_number(row) != 0;
    w->tokens = sql_bytes(row);
    w->state = (enum work_state)sql_number(row);
    w->done = sql_number(row);
    w->total = sql_number(row);
    w->result = sql_bytes(row);
    w->made_s = sql_number(row);
    w->ended_s = sql_number(row);
    return 0;
}

int
work_put(struct store_session *s, const struct work *w)
{
    return sql_do(s, SQL_work_put, SQL_B(w->id), SQL_N(w->share), SQL_B(w->method), SQL_B(w->path),
                  SQL_B(w->to), SQL_N(w->overwrite), SQL_N(w->shallow), SQL_B(w->tokens),
                  SQL_N(w->state), SQL_N(w->done), SQL_N(w->total), SQL_B(w->result),
                  SQL_N(w->made_s), SQL_N(w->ended_s));
}

int
work_get(struct store_session *s, struct ern_slice id, struct work *ret)
{
    return sql_one(s, SQL_work_get, &SQL_B(id), 1, read_work, ret);
}

int
work_remove(struct store_session *s, struct ern_slice id)
{
    return sql_do(s, SQL_work_remove, SQL_B(id));
}

/* One walk for each kind of row. */
#define WALK(kind)                                                                                 \
    struct kind##s {                                                                               \
        int (*each)(void *self, const struct kind *row);                                           \
        void *self;                                                                                \
    };                                                                                             \
    static int tell_##kind(void *self, struct sql_row *row)                                        \
    {                                                                                              \
        const struct kind##s *all = self;                                                          \
        struct kind one;                                                                           \
                                                                                                   \
        (void)read_##kind(&one, row);                                                              \
        return all->each(all->self, &one);                                                         \
    }                                                                                              \
    int kind##_walk(struct store_session *s, int64_t share,                                        \
                    int (*each)(void *self, const struct kind *row), void *self)                   \
    {                                                                                              \
        struct kind##s all = {each, self};                                                         \
                                                                                                   \
        return sql_run(s, SQL_##kind##_walk, &SQL_N(share), 1, tell_##kind, &all);                 \
    }
WALK(intent)
WALK(upload)
WALK(work)
