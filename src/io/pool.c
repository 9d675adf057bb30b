/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pool.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREADS_MAX = 64 };

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *first, **last;
    _Atomic int64_t queue_n; /* written under the lock */
    int64_t queue_max;
    bool closing;
    unsigned threads_n;
    pthread_t threads[THREADS_MAX];
};

int
mailbox_open(struct mailbox *m)
{
    *m = (struct mailbox){.lock = PTHREAD_MUTEX_INITIALIZER};
    m->last = &m->first;
    m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return m->fd < 0 ? -errno : 0;
}

void
mailbox_close(struct mailbox *m)
{
    (void)close(m->fd);
    m->fd = -1;
}

void
mailbox_put(struct mailbox *m, struct job *job)
{
    uint64_t one = 1;
    bool was_empty;

    job->next = NULL;
    pthread_mutex_lock(&m->lock);
    was_empty = m->first == NULL;
    *m->last = job;
    m->last = &job->next;
    pthread_mutex_unlock(&m->lock);
    if (was_empty) /* now, or the owner that wakes would wait for the lock at once */
        (void)!write(m->fd, &one, sizeof one);
}

void
mailbox_run(struct mailbox *m)
{
    struct job *job, *next;

    pthread_mutex_lock(&m->lock);
    job = m->first;
    m->first = NULL;
    m->last = &m->first;
    pthread_mutex_unlock(&m->lock);
    for (; job; job = next) {
        next = job->next;
        job->done(job);
    }
}

/* The next job, or NULL when the pool closes. */
static struct job *
take(struct pool *p)
{
    struct job *job;

    pthread_mutex_lock(&p->lock);
    while (!p->first && !p->closing)
        pthread_cond_wait(&p->work, &p->lock);
    job = p->closing ? NULL : p->first;
    if (job) {
        p->first = job->next;
        if (!p->first)
            p->last = &p->first;
        p->queue_n--;
    }
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void *
thread_main(void *pool)
{
    struct job *job;

    while ((job = take(pool))) {
        struct mailbox *mailbox = job->mailbox; /* without one, run() may free it */

        job->run(job);
        if (mailbox)
            mailbox_put(mailbox, job);
    }
    return NULL;
}

int
pool_open(unsigned threads, int64_t queue_max, struct pool **ret_pool)
{
    struct pool *p = calloc(1, sizeof *p);
    sigset_t all, before;
    int error = 0;

    assert(threads >= 1);
    assert(threads <= THREADS_MAX);
    if (!p)
        return -ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    p->last = &p->first;
    p->queue_max = queue_max;
    /* Signals are for the thread that waits for them. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->threads_n < threads && error == 0) {
        error = pthread_create(&p->threads[p->threads_n], NULL, thread_main, p);
        p->threads_n += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        pool_close(p);
        return -error;
    }
    *ret_pool = p;
    return 0;
}

void
pool_close(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads_n; i++)
        pthread_join(p->threads[i], NULL);
    for (struct job *job = p->first, *next; job; job = next) {
        next = job->next;
        if (!job->mailbox)
            job->run(job);
    }
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

bool
pool_is_busy(const struct pool *p)
{
    return atomic_load_explicit(&p->queue_n, memory_order_relaxed) >=
           p->queue_max - p->queue_max / 8;
}

bool
pool_submit(struct pool *p, struct job *job)
{
    bool fits;

    assert(job->run);
    assert(job->done || !job->mailbox);
    job->next = NULL;
    pthread_mutex_lock(&p->lock);
    fits = p->queue_n < p->queue_max;
    if (fits) {
        *p->last = job;
        p->last = &job->next;
        p->queue_n++;
    }
    pthread_mutex_unlock(&p->lock);
    if (fits) /* now, or the thread that wakes would wait for the lock at once */
        pthread_cond_signal(&p->work);
    return fits;
}
