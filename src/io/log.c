/* SPDX-License-Identifier: Apache-2.0 */
#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { FLUSH_MS = 1000, LOOK_MS = 200 }; /* not a status */

struct log_block {
    struct log_block *next;
    size_t len;
    uint64_t lines_n;
    char bytes[LOG_BLOCK_BYTES];
};

struct log {
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct log_block *first, **last; /* full blocks that wait */
    struct log_block *spare;
    int64_t waiting_n, waiting_max; /* blocks */
    atomic_bool closing;
    atomic_uint_fast64_t dropped_n;
};

/*
 * Writes all of it, waiting for as long as the file makes us wait, but not when the log closes. A
 * pipe that says it is writable takes PIPE_BUF bytes at once, so that write() itself never waits.
 */
static bool
write_all(struct log *log, const char *bytes, size_t n)
{
    while (n) {
        struct pollfd p = {log->fd, POLLOUT, 0};
        ssize_t w;

        if (poll(&p, 1, LOOK_MS) == 0) {
            if (log->closing)
                return false;
            continue;
        }
        w = write(log->fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
        if (w < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (w <= 0)
            return false;
        bytes += w;
        n -= (size_t)w;
    }
    return true;
}

static struct log_block *
take(struct log *log)
{
    struct log_block *b;

    pthread_mutex_lock(&log->lock);
    while (!log->first && !log->closing)
        pthread_cond_wait(&log->work, &log->lock);
    b = log->first;
    if (b) {
        log->first = b->next;
        if (!log->first)
            log->last = &log->first;
        log->waiting_n--;
    }
    pthread_mutex_unlock(&log->lock);
    return b;
}

static void *
thread_main(void *arg)
{
    struct log *log = arg;
    struct log_block *b;

    while ((b = take(log))) {
        if (!write_all(log, b->bytes, b->len))
            log->dropped_n += b->lines_n;
        pthread_mutex_lock(&log->lock);
        b->next = log->spare;
        log->spare = b;
        pthread_mutex_unlock(&log->lock);
    }
    return NULL;
}

int
log_open(const char *path, int standard, int64_t queue_bytes, struct log **ret_log)
{
    struct log *log = calloc(1, sizeof *log);
    sigset_t all, before;
    int error;

    if (!log)
        return -ENOMEM;
    log->last = &log->first;
    log->waiting_max = queue_bytes / LOG_BLOCK_BYTES;
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->work, NULL);
    if (path[0] == '-' && path[1] == '\0')
        log->fd = fcntl(standard, F_DUPFD_CLOEXEC, 3);
    else
        /* O_NONBLOCK: a fifo that nobody reads is an error at once, not a start that never ends. */
        log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
    if (log->fd < 0) {
        error = -errno;
        free(log);
        return error;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&log->thread, NULL, thread_main, log);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        (void)close(log->fd);
        free(log);
        return -error;
    }
    *ret_log = log;
    return 0;
}

static void
free_blocks(struct log_block *b)
{
    while (b) {
        struct log_block *next = b->next;

        free(b);
        b = next;
    }
}

void
log_close(struct log *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->closing = true;
    pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    (void)close(log->fd);
    free_blocks(log->first);
    free_blocks(log->spare);
    pthread_cond_destroy(&log->work);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

uint64_t
log_dropped(const struct log *log)
{
    return log->dropped_n;
}

void
log_writer_init(struct log_writer *w, struct log *log)
{
    *w = (struct log_writer){.log = log};
}

/* An empty block, or NULL: as many as may wait are waiting, or there is no memory. */
static struct log_block *
new_block(struct log *log)
{
    struct log_block *b = NULL;
    bool full;

    pthread_mutex_lock(&log->lock);
    full = log->waiting_n >= log->waiting_max;
    if (!full && log->spare) {
        b = log->spare;
        log->spare = b->next;
    }
    pthread_mutex_unlock(&log->lock);
    if (!full && !b)
        b = malloc(sizeof *b);
    if (b)
        b->len = b->lines_n = 0;
    return b;
}

void
log_flush(struct log_writer *w, int64_t now_ms, bool now)
{
    struct log *log = w->log;

    if (!w->block || (!now && now_ms - w->since_ms < FLUSH_MS))
        return;
    w->block->next = NULL;
    pthread_mutex_lock(&log->lock);
    *log->last = w->block;
    log->last = &w->block->next;
    log->waiting_n++;
    pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
    w->block = NULL;
}

struct out
log_begin(struct log_writer *w, int64_t now_ms)
{
    if (w->block && LOG_BLOCK_BYTES - w->block->len < LOG_LINE_MAX)
        log_flush(w, now_ms, true);
    if (!w->block) {
        w->block = new_block(w->log);
        w->since_ms = now_ms;
    }
    if (!w->block)
        return out_init(NULL, 0);
    return out_init(w->block->bytes + w->block->len, LOG_LINE_MAX);
}

void
log_end(struct log_writer *w, const struct out *line)
{
    if (line->full || !w->block) {
        w->log->dropped_n++;
        return;
    }
    w->block->len += line->len;
    w->block->lines_n++;
}
