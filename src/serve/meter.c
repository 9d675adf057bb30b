/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/meter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/slice.h"
#include "dav/share.h"
#include "store/store.h"

enum { ROWS = 256 }; /* of holds, by the first byte of their account */

struct row {
    struct meter_hold *first;
    uint64_t paid_n; /* changes of its accounts: a balance that was read before one is none */
};

struct meter {
    struct store *store;
    int64_t receipt_s;
    pthread_mutex_t lock; /* of the rows; never held while the disk is waited for */
    struct row rows[ROWS];
};

static struct ern_slice
name_of(const uint8_t digest[DIGEST_BYTES])
{
    return slice_from((const char *)digest, DIGEST_BYTES);
}

struct meter *
meter_new(struct store *store, int64_t receipt_s)
{
    struct meter *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->store = store;
    m->receipt_s = receipt_s;
    (void)pthread_mutex_init(&m->lock, NULL);
    return m;
}

void
meter_free(struct meter *m)
{
    if (!m)
        return;
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

void
meter_account(struct ern_slice key, uint8_t ret_account[DIGEST_BYTES])
{
    digest_texts(&key, 1, ret_account);
}

/* ---- holds -------------------------------------------------------------------------------------
 */

static struct row *
row_of(struct meter *m, const uint8_t account[DIGEST_BYTES])
{
    return &m->rows[account[0]];
}

static bool
is_repetition(const struct meter_hold *one, const struct meter_hold *other)
{
    return one->has_receipt && other->has_receipt &&
           memcmp(one->receipt, other->receipt, DIGEST_BYTES) == 0;
}

/* What other requests hold of the account, under the lock; a repetition costs only once. */
static int64_t
held_beside(const struct row *row, const struct meter_hold *hold)
{
    int64_t held = 0;

    for (const struct meter_hold *h = row->first; h; h = h->next)
        if (memcmp(h->account, hold->account, DIGEST_BYTES) == 0 && !is_repetition(h, hold))
            held += h->price;
    return held;
}

static void
link_hold(struct row *row, struct meter_hold *hold)
{
    hold->next = row->first;
    hold->link = &row->first;
    if (hold->next)
        hold->next->link = &hold->next;
    row->first = hold;
}

static void
unlink_hold(struct meter_hold *hold)
{
    if (!hold->link)
        return;
    *hold->link = hold->next;
    if (hold->next)
        hold->next->link = hold->link;
    hold->link = NULL;
}

void
meter_release(struct meter *m, struct meter_hold *hold)
{
    if (!hold->link)
        return;
    (void)pthread_mutex_lock(&m->lock);
    unlink_hold(hold);
    (void)pthread_mutex_unlock(&m->lock);
}

static int
read_account(struct meter *m, struct meter_hold *hold)
{
    struct store_session *s;
    int error = store_begin(m->store, STORE_READ, &s);

    if (error)
        return error;
    hold->balance = 0;
    error = credit_get(s, name_of(hold->account), &hold->balance);
    if (error == -ENOENT)
        error = 0;
    if (!error && hold->has_receipt)
        error = receipt_find(s, name_of(hold->receipt), share_now(m->store).unix_s, &hold->is_paid);
    (void)store_end(s, false);
    return error;
}

int
meter_hold(struct meter *m, struct meter_hold *hold)
{
    struct row *row = row_of(m, hold->account);
    uint64_t paid_n;
    bool is_current, is_enough = true;
    int error;

    do { /* until nothing was paid meanwhile: each turn is one in which somebody else has */
        (void)pthread_mutex_lock(&m->lock);
        paid_n = row->paid_n;
        (void)pthread_mutex_unlock(&m->lock);
        error = read_account(m, hold);
        if (error || hold->is_paid)
            return error;
        (void)pthread_mutex_lock(&m->lock);
        is_current = row->paid_n == paid_n;
        if (is_current) {
            is_enough = hold->balance - held_beside(row, hold) >= hold->price;
            if (is_enough)
                link_hold(row, hold);
        }
        (void)pthread_mutex_unlock(&m->lock);
    } while (!is_current);
    return is_enough ? 0 : -EDQUOT;
}

/* ---- accounts ----------------------------------------------------------------------------------
 */

static int
take(struct meter *m, struct store_session *s, struct meter_hold *hold, bool done)
{
    int64_t now_s = share_now(m->store).unix_s;
    int error = 0;

    if (hold->has_receipt) {
        error = receipt_find(s, name_of(hold->receipt), now_s, &hold->is_paid);
        if (error || hold->is_paid)
            return error;
        error = receipt_put(s, name_of(hold->receipt), now_s, now_s + m->receipt_s);
    }
    if (!error)
        error = credit_add(s, name_of(hold->account), -hold->price, done ? INT64_MIN / 2 : 0,
                           &hold->balance);
    return error == -ERANGE ? -EDQUOT : error;
}

int
meter_pay(struct meter *m, struct meter_hold *hold, bool done)
{
    struct row *row = row_of(m, hold->account);
    struct store_session *s;
    int error = store_begin(m->store, STORE_WRITE, &s);

    if (!error) {
        int kept;

        error = take(m, s, hold, done);
        kept = store_end(s, error == 0);
        error = error ? error : kept;
    }
    (void)pthread_mutex_lock(&m->lock);
    row->paid_n++;
    unlink_hold(hold);
    (void)pthread_mutex_unlock(&m->lock);
    return error;
}

int
meter_add(struct meter *m, const uint8_t account[DIGEST_BYTES], int64_t n, int64_t *ret_balance)
{
    struct store_session *s;
    int error = store_begin(m->store, STORE_WRITE, &s), kept;

    if (error)
        return error;
    error = credit_add(s, name_of(account), n, 0, ret_balance);
    kept = store_end(s, error == 0);
    (void)pthread_mutex_lock(&m->lock);
    row_of(m, account)->paid_n++;
    (void)pthread_mutex_unlock(&m->lock);
    return error ? error : kept;
}

int
meter_balance(struct meter *m, const uint8_t account[DIGEST_BYTES], int64_t *ret_balance)
{
    struct store_session *s;
    int error = store_begin(m->store, STORE_READ, &s);

    if (error)
        return error;
    error = credit_get(s, name_of(account), ret_balance);
    (void)store_end(s, false);
    return error;
}

int
meter_walk(struct meter *m, int (*each)(void *self, struct ern_slice account, int64_t balance),
           void *self)
{
    struct store_session *s;
    int error = store_begin(m->store, STORE_READ, &s);

    if (error)
        return error;
    error = credit_walk(s, each, self);
    (void)store_end(s, false);
    return error;
}
