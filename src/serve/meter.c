/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/meter.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/slice.h"
#include "dav/share.h"
#include "store/store.h"

enum {
    ROWS = 256,          /* of holds, by the first byte of their account */
    PLACES_LEAST = 8192, /* for accounts; a power of two, as all numbers of places are */
};

struct row {
    struct meter_hold *first;
    uint64_t paid_n; /* changes of its accounts: a balance that was read before one is none */
};

struct sale { /* that a thread waits for */
    struct sale *next;
    struct meter_hold *hold;
    bool done; /* as in meter_pay() */
    bool is_over;
    int error; /* once it is over */
};

struct meter {
    struct store *store;
    pthread_mutex_t sales_lock; /* of these; never held while the disk is waited for */
    pthread_cond_t sales_over;
    struct sale *first_sale, **last_sale; /* that wait for the next sync */
    bool is_selling;                      /* a thread waits for the disk, for itself and others */
    int64_t receipt_s;
    pthread_mutex_t lock; /* of the rows; never held while the disk is waited for */
    struct row rows[ROWS];
    /* The accounts that there are, by the first bytes of their digests: read without the lock. */
    _Atomic uint64_t *known;
    size_t known_mask, known_n;
};

static struct ern_slice
name_of(const uint8_t digest[DIGEST_BYTES])
{
    return slice_from((const char *)digest, DIGEST_BYTES);
}

/* ---- which accounts there are ------------------------------------------------------------------
 */

static uint64_t
first_of(const uint8_t account[DIGEST_BYTES])
{
    uint64_t first;

    memcpy(&first, account, sizeof first);
    return first ? first : 1; /* 0 is an empty place */
}

/* The place of an account, or the empty one where it would be. */
static size_t
place_of(const struct meter *m, uint64_t first)
{
    size_t at = first & m->known_mask;
    uint64_t there;

    while ((there = atomic_load_explicit(&m->known[at], memory_order_relaxed)) && there != first)
        at = (at + 1) & m->known_mask;
    return at;
}

/* Under the lock, or before others have it. Where a quarter is all that is left, no more are. */
static void
learn(struct meter *m, const uint8_t account[DIGEST_BYTES])
{
    size_t at = place_of(m, first_of(account));

    if (m->known[at] != 0 || m->known_n >= m->known_mask - m->known_mask / 4)
        return;
    m->known_n++;
    atomic_store_explicit(&m->known[at], first_of(account), memory_order_relaxed);
}

static int
count_account(void *n, struct ern_slice account, int64_t balance)
{
    (void)account;
    (void)balance;
    ++*(size_t *)n;
    return 0;
}

static int
learn_account(void *meter, struct ern_slice account, int64_t balance)
{
    (void)balance;
    if (account.len == DIGEST_BYTES)
        learn(meter, (const uint8_t *)account.ptr);
    return 0;
}

static int
read_known(struct meter *m)
{
    size_t n = 0, places = PLACES_LEAST;
    int error = meter_walk(m, count_account, &n);

    while (places < 4 * n)
        places *= 2;
    m->known = error ? NULL : calloc(places, sizeof *m->known);
    if (!m->known)
        return -ENOMEM;
    m->known_mask = places - 1;
    return meter_walk(m, learn_account, m);
}

bool
meter_knows(const struct meter *m, const uint8_t account[DIGEST_BYTES])
{
    return m->known[place_of(m, first_of(account))] != 0;
}

struct meter *
meter_new(struct store *store, int64_t receipt_s)
{
    struct meter *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->store = store;
    m->receipt_s = receipt_s;
    m->last_sale = &m->first_sale;
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_mutex_init(&m->sales_lock, NULL);
    (void)pthread_cond_init(&m->sales_over, NULL);
    if (read_known(m) < 0) {
        meter_free(m);
        return NULL;
    }
    return m;
}

void
meter_free(struct meter *m)
{
    if (!m)
        return;
    (void)pthread_mutex_destroy(&m->lock);
    (void)pthread_mutex_destroy(&m->sales_lock);
    (void)pthread_cond_destroy(&m->sales_over);
    free((void *)(uintptr_t)m->known);
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

/* Where there is too little nothing has changed: others in the session go on. */
static int
take(struct meter *m, struct store_session *s, struct meter_hold *hold, bool done)
{
    int64_t now_s = share_now(m->store).unix_s;
    int error = 0;

    if (hold->has_receipt) {
        error = receipt_find(s, name_of(hold->receipt), now_s, &hold->is_paid);
        if (error || hold->is_paid)
            return error;
    }
    error = credit_add(s, name_of(hold->account), -hold->price, done ? INT64_MIN / 2 : 0,
                       &hold->balance);
    if (!error && hold->has_receipt)
        error = receipt_put(s, name_of(hold->receipt), now_s, now_s + m->receipt_s);
    return error == -ERANGE ? -EDQUOT : error;
}

/* Takes the prices of all of them, with one sync. */
static void
settle(struct meter *m, struct sale *sales)
{
    struct store_session *s;
    int error = store_begin(m->store, STORE_WRITE, &s);

    if (!error) {
        int kept;

        for (struct sale *one = sales; one && !error; one = one->next) {
            one->error = take(m, s, one->hold, one->done);
            error = one->error == -EDQUOT ? 0 : one->error;
        }
        kept = store_end(s, error == 0);
        error = error ? error : kept;
    }
    (void)pthread_mutex_lock(&m->lock);
    for (struct sale *one = sales; one; one = one->next) {
        one->error = error ? error : one->error;
        row_of(m, one->hold->account)->paid_n++;
        unlink_hold(one->hold);
    }
    (void)pthread_mutex_unlock(&m->lock);
}

/* Whoever comes while the disk is waited for waits for the next sync, which one of them makes for
 * all. */
int
meter_pay(struct meter *m, struct meter_hold *hold, bool done)
{
    struct sale own = {.hold = hold, .done = done};

    (void)pthread_mutex_lock(&m->sales_lock);
    *m->last_sale = &own;
    m->last_sale = &own.next;
    while (m->is_selling && !own.is_over)
        (void)pthread_cond_wait(&m->sales_over, &m->sales_lock);
    if (!own.is_over) {
        struct sale *sales = m->first_sale;

        m->first_sale = NULL;
        m->last_sale = &m->first_sale;
        m->is_selling = true;
        (void)pthread_mutex_unlock(&m->sales_lock);
        settle(m, sales);
        (void)pthread_mutex_lock(&m->sales_lock);
        m->is_selling = false;
        for (struct sale *one = sales, *next; one; one = next) {
            next = one->next;
            one->is_over = true; /* from now on its thread may go, with its memory */
        }
        (void)pthread_cond_broadcast(&m->sales_over);
    }
    (void)pthread_mutex_unlock(&m->sales_lock);
    return own.error;
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
    if (!error && !kept)
        learn(m, account);
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
