/* SPDX-License-Identifier: Apache-2.0 */
/* credit.c - accounts, and receipts for what was paid from them. */
#include <errno.h>

#include "store/sqlite.h"

static int
read_number(void *self, struct sql_row *row)
{
    *(int64_t *)self = sql_number(row);
    return 0;
}

int
credit_get(struct store_session *s, struct ern_slice name, int64_t *ret_balance)
{
    return sql_one(s, SQL_credit_get, &SQL_B(name), 1, read_number, ret_balance);
}

int
credit_add(struct store_session *s, struct ern_slice name, int64_t n, int64_t least,
           int64_t *ret_balance)
{
    int64_t balance = 0;
    int error = credit_get(s, name, &balance);

    if (error && error != -ENOENT)
        return error;
    if (n > CREDIT_MAX - balance || balance + n < least)
        return -ERANGE;
    *ret_balance = balance + n;
    return sql_do(s, SQL_credit_put, SQL_B(name), SQL_N(balance + n));
}

struct accounts {
    int (*each)(void *self, struct ern_slice name, int64_t balance);
    void *self;
};

static int
tell_account(void *self, struct sql_row *row)
{
    const struct accounts *a = self;
    struct ern_slice name = sql_bytes(row);

    return a->each(a->self, name, sql_number(row));
}

int
credit_walk(struct store_session *s,
            int (*each)(void *self, struct ern_slice name, int64_t balance), void *self)
{
    struct accounts a = {each, self};

    return sql_run(s, SQL_credit_walk, NULL, 0, tell_account, &a);
}

int
receipt_find(struct store_session *s, struct ern_slice name, int64_t now_s, bool *ret_found)
{
    const struct sql_value values[] = {SQL_B(name), SQL_N(now_s)};
    int64_t until_s;
    int error = sql_one(s, SQL_receipt_get, values, 2, read_number, &until_s);

    *ret_found = error == 0;
    return error == -ENOENT ? 0 : error;
}

int
receipt_put(struct store_session *s, struct ern_slice name, int64_t now_s, int64_t until_s)
{
    int error = sql_do(s, SQL_receipt_expire, SQL_N(now_s));

    return error ? error : sql_do(s, SQL_receipt_put, SQL_B(name), SQL_N(until_s));
}
