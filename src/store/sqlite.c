/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite.c - the driver on SQLite: one file in WAL mode, so that readers never wait for the writer.
 * A session is a connection in a transaction; connections are kept for the next session.
 */
#include "store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    PATH_BYTES = 4096,
    CHUNK_BYTES = 4096,
    SPARES = 16, /* connections that are kept */
};

struct chunk { /* of the memory of a session */
    struct chunk *next;
    size_t used, cap;
    char bytes[];
};

struct store_session {
    struct store *store;
    struct store_session *next; /* spare */
    sqlite3 *db;
    sqlite3_stmt *statements[SQLS];
    struct chunk *chunks;
    bool writes, no_memory;
    int changes; /* sqlite3_total_changes() when it began */
};

struct store {
    char path[PATH_BYTES];
    bool durable;
    int busy_ms;
    uint64_t boot;
    int64_t offset_s; /* of store_unix_s() */
    atomic_uint_fast64_t generation;
    pthread_mutex_t writing; /* one writer at a time; others would only wait for the file */
    pthread_mutex_t lock;    /* of what follows */
    struct store_session *spare;
    unsigned spare_n;
};

static const char *const texts[SQLS] = {
#define SQL(name, text) [SQL_##name] = text,
#include "store/sql.def"
#undef SQL
};

static const char *const steps[] = {
#define STEP(text) text,
#include "store/schema.def"
#undef STEP
};
enum { STEPS = sizeof steps / sizeof *steps };

static int
error_of(int code)
{
    switch (code & 0xff) { /* the rest says more than we need */
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EROFS;
    case SQLITE_CANTOPEN:
        return -EACCES;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    default:
        return -EIO;
    }
}

char *
session_take(struct store_session *s, size_t n)
{
    struct chunk *c = s->chunks;
    char *at;

    if (!c || c->cap - c->used < n) {
        size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;

        c = malloc(sizeof *c + cap);
        if (!c) {
            s->no_memory = true;
            return NULL;
        }
        *c = (struct chunk){s->chunks, 0, cap};
        s->chunks = c;
    }
    at = c->bytes + c->used;
    c->used += n;
    return at;
}

static void
forget_chunks(struct store_session *s)
{
    while (s->chunks) {
        struct chunk *c = s->chunks;

        s->chunks = c->next;
        free(c);
    }
}

uint64_t
session_boot(const struct store_session *s)
{
    return s->store->boot;
}

int64_t
session_last_id(const struct store_session *s)
{
    return sqlite3_last_insert_rowid(s->db);
}

int64_t
sql_number(struct sql_row *row)
{
    return sqlite3_column_int64(row->statement, row->column++);
}

struct ern_slice
sql_bytes(struct sql_row *row)
{
    int column = row->column++;
    const void *bytes = sqlite3_column_blob(row->statement, column);
    size_t n = (size_t)sqlite3_column_bytes(row->statement, column);
    char *copy;

    if (sqlite3_column_type(row->statement, column) == SQLITE_NULL)
        return ERN_ABSENT;
    copy = session_take(row->session, n + 1); /* a NUL after it, for those who open what it names */
    if (!copy)
        return ERN_ABSENT;
    if (n)
        memcpy(copy, bytes, n);
    copy[n] = '\0';
    return slice_from(copy, n);
}

/* The statement, ready for parameters; one that is in use further up is prepared once more. */
static int
statement(struct store_session *s, enum sql which, sqlite3_stmt **ret, bool *ret_extra)
{
    int code = SQLITE_OK;

    *ret_extra = s->statements[which] && sqlite3_stmt_busy(s->statements[which]);
    if (*ret_extra) {
        code = sqlite3_prepare_v2(s->db, texts[which], -1, ret, NULL);
    } else {
        if (!s->statements[which])
            code = sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                      &s->statements[which], NULL);
        *ret = s->statements[which];
    }
    return error_of(code);
}

static int
bind(sqlite3_stmt *statement, const struct sql_value *values, size_t n)
{
    int code = SQLITE_OK;

    for (int i = 0; code == SQLITE_OK && i < (int)n; i++) {
        const struct sql_value *v = &values[i];

        if (!v->is_bytes)
            code = sqlite3_bind_int64(statement, i + 1, v->number);
        else if (!slice_is_there(v->bytes))
            code = sqlite3_bind_null(statement, i + 1);
        else if (v->bytes.len == 0)
            code = sqlite3_bind_zeroblob(statement, i + 1, 0);
        else
            code = sqlite3_bind_blob64(statement, i + 1, v->bytes.ptr, v->bytes.len, SQLITE_STATIC);
    }
    return error_of(code);
}

int
sql_run(struct store_session *s, enum sql which, const struct sql_value *values, size_t n,
        sql_each *each, void *self)
{
    sqlite3_stmt *st = NULL;
    bool extra = false;
    int error = s->no_memory ? -ENOMEM : statement(s, which, &st, &extra);

    if (!error)
        error = bind(st, values, n);
    while (!error) {
        int code = sqlite3_step(st);
        struct sql_row row = {s, st, 0};

        if (code != SQLITE_ROW) {
            error = error_of(code);
            break;
        }
        error = each ? each(self, &row) : 0;
    }
    if (extra) {
        (void)sqlite3_finalize(st);
    } else if (st) {
        (void)sqlite3_reset(st);
        (void)sqlite3_clear_bindings(st);
    }
    return !error && s->no_memory ? -ENOMEM : error;
}

struct only { /* the first row alone */
    sql_each *each;
    void *self;
    bool found;
};

static int
take_one(void *self, struct sql_row *row)
{
    struct only *o = self;

    if (o->found)
        return 0;
    o->found = true;
    return o->each(o->self, row);
}

int
sql_one(struct store_session *s, enum sql which, const struct sql_value *values, size_t n,
        sql_each *each, void *self)
{
    struct only o = {each, self, false};
    int error = sql_run(s, which, values, n, take_one, &o);

    return error ? error : o.found ? 0 : -ENOENT;
}

struct sql_below
sql_below(struct store_session *s, struct ern_slice path)
{
    bool root = path.len == 1; /* "/": all else begins with it */
    size_t n = root ? 1 : path.len + 1;
    char *first = session_take(s, n), *after = session_take(s, n);

    if (!first || !after)
        return (struct sql_below){path, path, path};
    memcpy(first, path.ptr, path.len);
    first[n - 1] = '/';
    memcpy(after, first, n);
    after[n - 1] = '/' + 1;
    return (struct sql_below){path, slice_from(first, n), slice_from(after, n)};
}

static int
execute(sqlite3 *db, const char *sql)
{
    return error_of(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int
open_connection(const struct store *store, sqlite3 **ret_db)
{
    int error = error_of(sqlite3_open_v2(store->path, ret_db,
                                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                             SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                                         NULL));

    if (error)
        return error;
    (void)sqlite3_extended_result_codes(*ret_db, 1);
    (void)sqlite3_busy_timeout(*ret_db, store->busy_ms);
    /* NORMAL keeps the database whole in a power cut, but may lose the last commits: FULL does not.
     */
    return execute(*ret_db, store->durable
                                ? "pragma synchronous = full; pragma trusted_schema = off"
                                : "pragma synchronous = normal; pragma trusted_schema = off");
}

static void
close_session(struct store_session *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < SQLS; i++)
        (void)sqlite3_finalize(s->statements[i]);
    (void)sqlite3_close(s->db);
    forget_chunks(s);
    free(s);
}

static int
open_session(struct store *store, struct store_session **ret)
{
    struct store_session *s = NULL;
    int error = 0;

    pthread_mutex_lock(&store->lock);
    if (store->spare) {
        s = store->spare;
        store->spare = s->next;
        store->spare_n--;
    }
    pthread_mutex_unlock(&store->lock);
    if (!s) {
        s = calloc(1, sizeof *s);
        error = s ? open_connection(store, &s->db) : -ENOMEM;
    }
    if (error) {
        close_session(s);
        return error;
    }
    s->store = store;
    s->no_memory = false;
    *ret = s;
    return 0;
}

static void
spare_session(struct store_session *s)
{
    struct store *store = s->store;

    forget_chunks(s);
    pthread_mutex_lock(&store->lock);
    if (store->spare_n < SPARES) {
        s->next = store->spare;
        store->spare = s;
        store->spare_n++;
        s = NULL;
    }
    pthread_mutex_unlock(&store->lock);
    close_session(s);
}

int
store_begin(struct store *store, enum store_access access, struct store_session **ret)
{
    struct store_session *s;
    int error;

    error = open_session(store, &s);
    if (error)
        return error;
    s->writes = access == STORE_WRITE;
    if (s->writes)
        pthread_mutex_lock(&store->writing);
    error = sql_run(s, s->writes ? SQL_begin_write : SQL_begin_read, NULL, 0, NULL, NULL);
    s->changes = sqlite3_total_changes(s->db);
    if (error) {
        if (s->writes)
            pthread_mutex_unlock(&store->writing);
        spare_session(s);
        return error;
    }
    *ret = s;
    return 0;
}

int
store_end(struct store_session *s, bool commit)
{
    struct store *store = s->store;
    bool changed = sqlite3_total_changes(s->db) != s->changes;
    int error = commit && s->no_memory ? -ENOMEM : 0;

    s->no_memory = false;
    if (commit && !error)
        error = sql_run(s, SQL_commit, NULL, 0, NULL, NULL);
    if ((!commit || error) && !sqlite3_get_autocommit(s->db))
        (void)sql_run(s, SQL_rollback, NULL, 0, NULL, NULL);
    if (changed && commit && !error)
        store_touch(store);
    if (s->writes)
        pthread_mutex_unlock(&store->writing);
    spare_session(s);
    return commit ? error : 0;
}

int64_t
store_unix_s(const struct store *store, int64_t boot_ms)
{
    return store->offset_s + boot_ms / 1000;
}

uint64_t
store_generation(const struct store *store)
{
    return atomic_load_explicit(&store->generation, memory_order_acquire);
}

void
store_touch(struct store *store)
{
    (void)atomic_fetch_add_explicit(&store->generation, 1, memory_order_acq_rel);
}

static int
read_number(void *self, int n, char **values, char **names)
{
    (void)names;
    *(long *)self = n > 0 && values[0] ? strtol(values[0], NULL, 10) : -1;
    return 0;
}

/* The version of the tables; one that is newer than this program is an error. */
static int
read_version(sqlite3 *db, long *ret_version, const char **ret_why)
{
    int error = error_of(sqlite3_exec(db, "pragma user_version", read_number, ret_version, NULL));

    if (error || *ret_version <= STEPS)
        return error;
    *ret_why = "A newer Earnest made the state; use that, or another state folder.";
    return -EIO;
}

/* Brings the tables to the version of this program. Where they are, nobody who writes is waited
 * for; else the version is read again, for another process may have done it meanwhile. */
static int
migrate(sqlite3 *db, const char **ret_why)
{
    long version = -1;
    int error = read_version(db, &version, ret_why);

    if (error || version == STEPS)
        return error;
    error = execute(db, "begin immediate");
    if (!error)
        error = read_version(db, &version, ret_why);
    for (long i = version; !error && i < STEPS; i++)
        error = execute(db, steps[i]);
    if (!error) {
        char text[64];

        (void)snprintf(text, sizeof text, "pragma user_version = %d", STEPS);
        error = execute(db, text);
    }
    if (!error)
        error = execute(db, "commit");
    else
        (void)execute(db, "rollback");
    return error;
}

static int
is_ok(void *self, int n, char **values, char **names)
{
    (void)names;
    *(bool *)self = n > 0 && values[0] && slice_eq(slice_text(values[0]), ERN_SLICE("ok"));
    return 0;
}

/* Is every page what it should be? Costs a look at all of it, so large state is checked when pages
 * are read: SQLite finds a damaged one then, too. */
static int
check(const struct store *store, sqlite3 *db)
{
    enum { CHECKED_BYTES = 1 << 24 };
    struct stat st;
    bool ok = false;
    int error;

    if (stat(store->path, &st) == 0 && st.st_size > CHECKED_BYTES)
        return 0;
    error = error_of(sqlite3_exec(db, "pragma quick_check(1)", is_ok, &ok, NULL));
    return error ? error : ok ? 0 : -EIO;
}

static int
prepare(struct store *store, const char **ret_why)
{
    sqlite3 *db = NULL;
    int error = open_connection(store, &db);

    if (!error)
        error = execute(db, "pragma journal_mode = wal");
    if (!error)
        error = check(store, db);
    if (!error)
        error = migrate(db, ret_why);
    (void)sqlite3_close(db);
    return error;
}

static int
settle_clock(struct store *store, struct store_clock now)
{
    struct store_session *s;
    bool is_known = false;
    int error = store_begin(store, STORE_READ, &s);

    if (!error) {
        error = clock_find(s, &store->offset_s, &is_known);
        (void)store_end(s, false);
    }
    if (!error)
        error = store_begin(store, STORE_WRITE, &s);
    if (error) /* a writer is at work: what is left to write is a note of the time */
        return error == -EBUSY && is_known ? 0 : error;
    error = clock_settle(s, now, &store->offset_s);
    return error ? (void)store_end(s, false), error : store_end(s, true);
}

int
store_open(const struct store_options *options, struct store **ret_store, const char **ret_why)
{
    struct store *store = calloc(1, sizeof *store);
    int error = 0;

    *ret_why = "Without memory it is not opened.";
    if (!store)
        return -ENOMEM;
    store->durable = options->durable;
    store->busy_ms = (int)options->busy_ms;
    store->boot = options->boot & INT64_MAX;
    pthread_mutex_init(&store->writing, NULL);
    pthread_mutex_init(&store->lock, NULL);
    if (snprintf(store->path, sizeof store->path, "%s/earnest.db", options->folder) >=
        (int)sizeof store->path)
        error = -ENAMETOOLONG;
    *ret_why = "Its folder cannot be made or read.";
    if (!error && mkdir(options->folder, 0700) < 0 && errno != EEXIST)
        error = -errno;
    if (!error) {
        *ret_why = "The database is damaged, or is no database of Earnest.";
        error = prepare(store, ret_why);
        if (error == -EBUSY)
            *ret_why = "Another process has held the database for too long.";
    }
    if (!error)
        error = settle_clock(store, options->now);
    if (error) {
        store_close(store);
        return error;
    }
    *ret_store = store;
    return 0;
}

void
store_close(struct store *store)
{
    if (!store)
        return;
    while (store->spare) {
        struct store_session *s = store->spare;

        store->spare = s->next;
        close_session(s);
    }
    pthread_mutex_destroy(&store->writing);
    pthread_mutex_destroy(&store->lock);
    free(store);
}
