/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_replay.c - early data is accepted once (RFC 8446 8).
 *
 * The memory is a table of times. A ClientHello has one slot, by a keyed hash of its binder, and
 * takes it until the ClientHello would be too late anyway (RFC 8446 8.3). Whoever finds the slot
 * taken, by himself or by another, is refused early data and shakes hands in full: an error can
 * only be on the safe side, and one compare-and-swap is all that threads and processes need. Times
 * are those of the wall clock, by which GnuTLS judges what is late: if it is set back, slots are
 * taken for longer by as much.
 *
 * GnuTLS refuses tickets older than its own record of time, begins that record anew whenever it is
 * older than the window, and does so without a lock. So it is given records before they are so old:
 * there are always an older one, which is used, and a younger one, which will be.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "base/hash.h"
#include "io/tls_parts.h"

#include <gnutls/crypto.h>

enum {
    SLOTS = 1 << 18,
    BINDER_BYTES = 32, /* at least; GnuTLS puts the time of its record before it */
};

struct tls_replay {
    struct hash_key key;
    _Atomic uint32_t until[SLOTS]; /* seconds since 1970: the slot is taken up to and with it */
};

static_assert(ATOMIC_INT_LOCK_FREE == 2, "a lock would not be shared by processes");

struct tls_replay_window {
    struct tls_replay *replay;
    uint32_t seconds;
    pthread_mutex_t lock;
    int64_t turned; /* when the younger record began */
    /* A call that runs may still use the one that is gone. */
    gnutls_anti_replay_t gone, older, younger;
};

int
tls_replay_open(struct tls_replay **ret_replay)
{
    struct tls_replay *r =
        mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (r == MAP_FAILED)
        return -errno;
    if (getrandom(&r->key, sizeof r->key, 0) != sizeof r->key) {
        tls_replay_close(r);
        return -EIO;
    }
    *ret_replay = r;
    return 0;
}

void
tls_replay_close(struct tls_replay *r)
{
    if (r)
        (void)munmap(r, sizeof *r);
}

/* Takes the slot of a ClientHello. Returns false if it is taken. */
static bool
take(struct tls_replay *r, struct ern_slice binder, int64_t now_s, int64_t until_s)
{
    _Atomic uint32_t *slot = &r->until[hash_bytes(r->key, binder) % SLOTS];
    uint32_t taken = atomic_load(slot);

    return taken < now_s && atomic_compare_exchange_strong(slot, &taken, (uint32_t)until_s);
}

/* A gnutls_db_add_func: expires is now and the window. */
static int
add(void *window, time_t expires, const gnutls_datum_t *key, const gnutls_datum_t *data)
{
    struct tls_replay_window *w = window;
    int64_t now = expires - w->seconds;
    struct ern_slice binder;

    (void)data;
    if (key->size < BINDER_BYTES)
        return GNUTLS_E_DB_ENTRY_EXISTS;
    binder = slice_from((char *)key->data + key->size - BINDER_BYTES, BINDER_BYTES);
    /* One second more, for GnuTLS counts the window in milliseconds. */
    return take(w->replay, binder, now, expires + 1) ? 0 : GNUTLS_E_DB_ENTRY_EXISTS;
}

/* A record that begins now, or NULL: then early data is refused. */
static gnutls_anti_replay_t
record_new(struct tls_replay_window *w)
{
    gnutls_anti_replay_t record;

    if (gnutls_anti_replay_init(&record) < 0)
        return NULL;
    gnutls_anti_replay_set_window(record, w->seconds * 1000);
    gnutls_anti_replay_set_add_function(record, add);
    gnutls_anti_replay_set_ptr(record, w);
    return record;
}

static void
turn(struct tls_replay_window *w, int64_t now_s)
{
    if (w->gone)
        gnutls_anti_replay_deinit(w->gone);
    w->gone = w->older;
    w->older = w->younger;
    w->younger = record_new(w);
    w->turned = now_s;
}

int
tls_replay_window_new(struct tls_replay *replay, uint32_t seconds,
                      struct tls_replay_window **ret_window)
{
    struct tls_replay_window *w = calloc(1, sizeof *w);

    if (!w)
        return -ENOMEM;
    w->replay = replay;
    w->seconds = seconds;
    pthread_mutex_init(&w->lock, NULL);
    turn(w, time(NULL));
    turn(w, time(NULL));
    *ret_window = w;
    return 0;
}

void
tls_replay_window_free(struct tls_replay_window *w)
{
    if (!w)
        return;
    if (w->gone)
        gnutls_anti_replay_deinit(w->gone);
    if (w->older)
        gnutls_anti_replay_deinit(w->older);
    if (w->younger)
        gnutls_anti_replay_deinit(w->younger);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void
tls_replay_window_enable(struct tls_replay_window *w, gnutls_session_t gnutls)
{
    int64_t now = time(NULL), third = w->seconds / 3;

    pthread_mutex_lock(&w->lock);
    /* The older one begins to be used before two thirds, and is used for less than one more. */
    if (now < w->turned || now - w->turned >= 2 * third)
        turn(w, now);
    if (now - w->turned >= third || !w->older)
        turn(w, now);
    gnutls_anti_replay_enable(gnutls, w->older);
    pthread_mutex_unlock(&w->lock);
}
