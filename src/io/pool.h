/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - a few threads for calls that may block. A job goes in, runs on some thread, and comes
 * back to the mailbox it was sent from; the pool touches nothing but the job.
 */
#ifndef IO_POOL_H
#define IO_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "earnest/slice.h"

struct mailbox;

struct job { /* the first member of whatever the job needs; memory of the one who submits it */
    struct job *next;
    struct mailbox *mailbox;       /* where it comes back to; NULL: it does not, run() frees it */
    void (*run)(struct job *job);  /* on a thread of the pool */
    void (*done)(struct job *job); /* on the thread that owns the mailbox */
};

struct mailbox { /* jobs that are done; one a loop. It outlives the pool */
    pthread_mutex_t lock;
    struct job *first, **last;
    int fd; /* an eventfd, written when a job comes to none: watched by edges, and never read */
};

/* Returns 0, or a negative errno. */
ERN_MUST_USE int mailbox_open(struct mailbox *mailbox);
void mailbox_close(struct mailbox *mailbox);

/* A job comes back that the pool did not have: done() is called on the thread that owns it. */
void mailbox_put(struct mailbox *mailbox, struct job *job);

/* Calls done() of every job that came back. */
void mailbox_run(struct mailbox *mailbox);

struct pool;

/*
 * Starts a pool.
 *   threads    1 to 64
 *   queue_max  jobs that may wait
 * Returns 0 and the pool, or a negative errno.
 */
ERN_MUST_USE int pool_open(unsigned threads, int64_t queue_max, struct pool **ret_pool);

/* Ends the threads after the jobs that run; jobs that wait are dropped, but for those
 * that do not come back: they are run first. NULL is fine. */
void pool_close(struct pool *pool);

/* Do so many jobs wait that no more should be begun? What is in progress may need the rest. */
bool pool_is_busy(const struct pool *pool);

/* Hands a job over. Returns false, with nothing done, when the queue is full. */
ERN_MUST_USE bool pool_submit(struct pool *pool, struct job *job);

#endif
