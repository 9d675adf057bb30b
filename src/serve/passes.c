/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/passes.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/hash.h"

/* An address has its place in one row, by a keyed hash. With 20,000 clients a row has 5 on average,
 * and one that is full is less likely than one in a million. */
enum { ROWS = 1 << 12, PLACES = 24 };

struct pass {
    struct ip ip;
    uint64_t portal; /* the hash of its name */
    int64_t until_s; /* a place whose time is over is free */
};

struct passes {
    struct hash_key key;
    pthread_mutex_t lock; /* robust: a process that crashes leaves whole entries behind */
    struct pass rows[ROWS][PLACES];
};

int
passes_open(struct passes **ret_passes)
{
    struct passes *p =
        mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t shared;

    if (p == MAP_FAILED)
        return -errno;
    if (getrandom(&p->key, sizeof p->key, 0) != sizeof p->key) {
        passes_close(p);
        return -EIO;
    }
    (void)pthread_mutexattr_init(&shared);
    (void)pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    (void)pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    (void)pthread_mutex_init(&p->lock, &shared);
    (void)pthread_mutexattr_destroy(&shared);
    *ret_passes = p;
    return 0;
}

void
passes_close(struct passes *p)
{
    if (p)
        (void)munmap(p, sizeof *p);
}

static void
lock(struct passes *p)
{
    if (pthread_mutex_lock(&p->lock) == EOWNERDEAD)
        (void)pthread_mutex_consistent(&p->lock);
}

static struct pass *
row_of(struct passes *p, const struct ip *ip)
{
    struct ern_slice bytes = slice_from((const char *)ip->byte, sizeof ip->byte);

    return p->rows[hash_bytes(p->key, bytes) % ROWS];
}

/* The entry of the address, or NULL. */
static struct pass *
find(struct pass *row, uint64_t portal, const struct ip *ip)
{
    for (unsigned i = 0; i < PLACES; i++)
        if (row[i].portal == portal && memcmp(&row[i].ip, ip, sizeof *ip) == 0)
            return &row[i];
    return NULL;
}

int64_t
passes_until(struct passes *p, struct ern_slice portal, const struct ip *ip, int64_t now_s)
{
    const struct pass *pass;
    int64_t until_s;

    lock(p);
    pass = find(row_of(p, ip), hash_bytes(p->key, portal), ip);
    until_s = pass && pass->until_s > now_s ? pass->until_s : 0;
    (void)pthread_mutex_unlock(&p->lock);
    return until_s;
}

bool
passes_grant(struct passes *p, struct ern_slice portal, const struct ip *ip, int64_t now_s,
             int64_t until_s)
{
    uint64_t name = hash_bytes(p->key, portal);
    struct pass *row = row_of(p, ip), *pass;

    lock(p);
    pass = find(row, name, ip);
    for (unsigned i = 0; !pass && i < PLACES; i++)
        if (row[i].until_s <= now_s)
            pass = &row[i];
    if (pass && pass->until_s <= now_s) {
        pass->until_s = 0; /* nobody's, while it is written */
        pass->ip = *ip;
        pass->portal = name;
        pass->until_s = until_s;
    } else if (pass && pass->until_s < until_s) {
        pass->until_s = until_s;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return pass != NULL;
}
