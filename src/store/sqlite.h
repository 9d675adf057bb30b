/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.h - what the files of the SQLite driver share: statements, their parameters, their rows.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>

#include "base/slice.h"
#include "store/store.h"

enum sql {
#define SQL(name, text) SQL_##name,
#include "store/sql.def"
#undef SQL
    SQLS
};

struct store_session;

/* A parameter: a number or bytes. */
struct sql_value {
    bool is_bytes;
    int64_t number;
    struct ern_slice bytes; /* absent: NULL */
};
#define SQL_N(n) ((struct sql_value){.number = (int64_t)(n)})
#define SQL_B(slice) ((struct sql_value){.is_bytes = true, .bytes = (slice)})

struct sql_row { /* of a result; columns are read in their order */
    struct store_session *session;
    sqlite3_stmt *statement;
    int column;
};
int64_t sql_number(struct sql_row *row);
/* A copy that lives as long as the session; absent for NULL and without memory (then the session
 * remembers that, and ends in -ENOMEM). */
struct ern_slice sql_bytes(struct sql_row *row);

/* Called with a row. */
typedef int sql_each(void *self, struct sql_row *row);

/*
 * Runs a statement. each() is called for every row; a value other than 0 ends it and is returned.
 * Without each, rows are passed over. Returns 0 or a negative errno; ret_n (or NULL) is the number
 * of rows that it gave.
 */
int sql_run(struct store_session *session, enum sql which, const struct sql_value *values, size_t n,
            sql_each *each, void *self);
#define sql_do(session, which, ...)                                                                \
    sql_run(session, which, (const struct sql_value[]){__VA_ARGS__},                               \
            sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value), NULL,      \
            NULL)

/* The same for a statement of one row at most: -ENOENT if there is none. */
int sql_one(struct store_session *session, enum sql which, const struct sql_value *values, size_t n,
            sql_each *each, void *self);

/* The parameters of "at or beneath a path" (sql.def, BELOW): the path; it and a slash; what follows
 * all that begins so. In the session's memory. */
struct sql_below {
    struct ern_slice path, first, after;
};
struct sql_below sql_below(struct store_session *session, struct ern_slice path);

/* Bytes that live as long as the session; NULL without memory. */
char *session_take(struct store_session *session, size_t n);

/*
 * The offset of the database's time to CLOCK_BOOTTIME (clock.c): as this boot has it, if it is
 * known already; or settled in the first session of a boot, and noted. The second needs
 * STORE_WRITE.
 */
ERN_MUST_USE int clock_find(struct store_session *session, int64_t *ret_offset_s,
                            bool *ret_is_known);
ERN_MUST_USE int clock_settle(struct store_session *session, struct store_clock now,
                              int64_t *ret_offset_s);

uint64_t session_boot(const struct store_session *session);
int64_t session_last_id(const struct store_session *session);

#endif
