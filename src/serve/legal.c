/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/legal.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/slice.h"
#include "serve/complain.h"
#include "serve/site.h"

enum {
    LOOK_S = 1,
    DIGESTS = 64, /* that are remembered */
};

struct remembered {
    struct file_stamp stamp;
    uint8_t digest[DIGEST_BYTES];
};

struct legal_record {
    struct conf *conf;
    unsigned takers; /* under the lock of its owner */
    bool names_content;
};

struct legal {
    const char *path;
    struct stat seen; /* what the file was when it was last read; only the thread changes it */
    pthread_mutex_t lock;
    pthread_cond_t ends;
    bool ending;
    _Atomic(struct legal_record *) current;
    pthread_t thread;
    struct remembered digests[DIGESTS]; /* under the lock */
    size_t digests_n;                   /* so many there were */
};

static struct legal_record *
read_record(const char *path)
{
    struct conf_errors *errors = malloc(sizeof *errors);
    struct legal_record *record = calloc(1, sizeof *record);
    int error = -1;

    if (errors && record) {
        error = conf_read_legal(path, &record->conf, errors);
        complain_conf(errors);
    }
    free(errors);
    if (!error) {
        for (size_t i = 0; i < record->conf->demands_n; i++)
            record->names_content |= slice_is_there(record->conf->demands[i].sha256);
        return record;
    }
    free(record);
    return NULL;
}

static void
free_record(struct legal_record *record)
{
    conf_free(record->conf);
    free(record);
}

/* One taker less, under the lock. */
static void
let_go(struct legal_record *record)
{
    if (--record->takers == 0)
        free_record(record);
}

static bool
has_changed(struct legal *l)
{
    struct stat now = {0};
    bool same;

    (void)stat(l->path, &now); /* not there: all zeros, which is a change, too */
    same = now.st_dev == l->seen.st_dev && now.st_ino == l->seen.st_ino &&
           now.st_size == l->seen.st_size && now.st_mtim.tv_sec == l->seen.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == l->seen.st_mtim.tv_nsec;
    l->seen = now;
    return !same;
}

static void
read_again(struct legal *l)
{
    struct legal_record *record = read_record(l->path), *old;

    if (!record) {
        (void)fprintf(stderr, "earnest: %s was not read again; the demands before it hold\n",
                      l->path);
        return;
    }
    record->takers = 1;
    (void)pthread_mutex_lock(&l->lock);
    old = atomic_exchange(&l->current, record);
    let_go(old);
    (void)pthread_mutex_unlock(&l->lock);
    (void)fprintf(stderr, "earnest: %s: %zu demands\n", l->path, record->conf->demands_n);
}

/* Waits for the next look. Returns false if there is to be none. */
static bool
sleep_on(struct legal *l)
{
    struct timespec until;
    bool ending;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOOK_S;
    (void)pthread_mutex_lock(&l->lock);
    while (!l->ending && pthread_cond_timedwait(&l->ends, &l->lock, &until) == 0)
        ;
    ending = l->ending;
    (void)pthread_mutex_unlock(&l->lock);
    return !ending;
}

static void *
watch(void *legal)
{
    while (sleep_on(legal))
        if (has_changed(legal))
            read_again(legal);
    return NULL;
}

int
legal_open(const char *path, struct legal **ret_legal)
{
    struct legal *l = calloc(1, sizeof *l);
    struct legal_record *record;
    int error;

    if (!l)
        return -ENOMEM;
    l->path = path;
    (void)has_changed(l); /* before it is read: a change meanwhile is seen later */
    record = read_record(path);
    if (!record) {
        free(l);
        return -EINVAL;
    }
    record->takers = 1;
    atomic_init(&l->current, record);
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_cond_init(&l->ends, NULL);
    error = pthread_create(&l->thread, NULL, watch, l);
    if (error) {
        free_record(record);
        free(l);
        return -error;
    }
    *ret_legal = l;
    return 0;
}

void
legal_close(struct legal *l)
{
    if (!l)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->ending = true;
    (void)pthread_cond_signal(&l->ends);
    (void)pthread_mutex_unlock(&l->lock);
    (void)pthread_join(l->thread, NULL);
    let_go(atomic_load(&l->current));
    (void)pthread_cond_destroy(&l->ends);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

const struct legal_record *
legal_take(struct legal *l, const struct legal_record *record)
{
    struct legal_record *now;

    if (!l || atomic_load_explicit(&l->current, memory_order_relaxed) == record)
        return record; /* it can not be freed, and another made in its place: we have it */
    (void)pthread_mutex_lock(&l->lock);
    now = atomic_load(&l->current);
    now->takers++;
    if (record)
        let_go((struct legal_record *)(uintptr_t)record);
    (void)pthread_mutex_unlock(&l->lock);
    return now;
}

void
legal_give(struct legal *l, const struct legal_record *record)
{
    if (!record)
        return;
    (void)pthread_mutex_lock(&l->lock);
    let_go((struct legal_record *)(uintptr_t)record);
    (void)pthread_mutex_unlock(&l->lock);
}

const struct conf *
legal_demands(const struct legal_record *record)
{
    return record->conf;
}

/* Only its length is compared where the digest is not known; no content is no other's. */
static bool
is_of_content(const struct conf_demand *d, const struct legal_content *content)
{
    if (!content)
        return !slice_is_there(d->sha256);
    return slice_is_there(d->sha256) && content->bytes == (uint64_t)d->bytes &&
           (!content->digest || memcmp(content->digest, d->digest, sizeof d->digest) == 0);
}

static bool
is_about(const struct conf_demand *d, const struct legal_question *q)
{
    return is_of_content(d, q->content) && q->now_s >= d->from_s && q->now_s < d->until_s &&
           (!slice_is_there(d->path) || site_path_covers(d->path, q->path)) &&
           (d->clients.n == 0 || networks_have(&d->clients, q->client)) &&
           (!slice_is_there(d->host) || q->has_name(q->self, d->host));
}

const struct conf_demand *
legal_find(const struct legal_record *record, const struct legal_question *question)
{
    const struct conf *conf = record->conf;

    for (size_t i = 0; i < conf->demands_n; i++)
        if (is_about(&conf->demands[i], question))
            return &conf->demands[i];
    return NULL;
}

bool
legal_names_content(const struct legal_record *record)
{
    return record->names_content;
}

int
legal_digest(struct legal *l, int fd, const struct file_stamp *stamp,
             uint8_t ret_digest[DIGEST_BYTES])
{
    struct remembered *r = l->digests;
    bool is_known = false;
    int error;

    (void)pthread_mutex_lock(&l->lock);
    for (size_t i = 0; !is_known && i < DIGESTS && i < l->digests_n; i++, r++) {
        is_known = file_stamp_same(&r->stamp, stamp);
        if (is_known)
            memcpy(ret_digest, r->digest, DIGEST_BYTES);
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (is_known)
        return 0;
    error = digest_file(fd, stamp->bytes, ret_digest);
    if (error)
        return error;
    (void)pthread_mutex_lock(&l->lock);
    r = &l->digests[l->digests_n++ % DIGESTS];
    r->stamp = *stamp;
    memcpy(r->digest, ret_digest, DIGEST_BYTES);
    (void)pthread_mutex_unlock(&l->lock);
    return 0;
}
