/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/filling.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "serve/origin.h"

enum {
    PIECE_BYTES = 1 << 18,  /* are worth a job */
    GATHERED_MAX = 1 << 24, /* a disk that is slower than that gets no more */
    FIRST_BYTES = 4096,
};

struct filling {
    struct job job; /* first: the pool gives it back */
    struct worker *worker;
    struct shelved *answer;
    struct flight *flight;
    uint32_t mark;
    char *bytes; /* gathered: */
    size_t len, cap;
    char *writing; /* what the pool writes */
    size_t writing_n;
    uint64_t total; /* bytes that came, and */
    uint64_t written;
    int fd;      /* -1: there is no file */
    int error;   /* of the pool */
    bool busy;   /* the pool has it */
    bool owned;  /* somebody still adds to it */
    bool failed; /* it is given up */
};

static struct shelf *
shelf_of(const struct filling *f)
{
    return f->worker->shelf;
}

/* Gives back memory for content that was reserved. */
static void
release(const struct filling *f, char *bytes, size_t reserved)
{
    free(bytes);
    shelf_release(shelf_of(f), reserved);
}

/* Nobody waits any more, and nothing is kept. */
static void
fail(struct filling *f)
{
    f->failed = true;
    shelf_land(shelf_of(f), f->flight);
    f->flight = NULL;
    release(f, f->bytes, f->cap);
    f->bytes = NULL;
    f->len = f->cap = 0;
}

/* It is over, one way or the other. */
static void
finish(struct filling *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    release(f, f->bytes, f->cap);
    shelf_land(shelf_of(f), f->flight);
    shelved_leave(f->answer);
    free(f);
}

struct filling *
filling_begin(const struct filling_start *start)
{
    bool fits = start->length <= shelf_content_max(start->worker->shelf);
    struct filling *f = fits ? calloc(1, sizeof *f) : NULL;

    if (!f) {
        shelf_land(start->worker->shelf, start->flight);
        shelved_leave(start->answer);
        return NULL;
    }
    f->worker = start->worker;
    f->answer = start->answer;
    f->flight = start->flight;
    f->mark = start->mark;
    f->fd = -1;
    f->owned = true;
    return f;
}

/* ---- to a file ---------------------------------------------------------------------------------
 */

static void
run(struct job *job)
{
    struct filling *f = (struct filling *)job;
    size_t at = 0;

    if (f->fd < 0)
        f->fd = shelf_file(shelf_of(f));
    if (f->fd < 0)
        f->error = f->fd;
    while (!f->error && at < f->writing_n) {
        ssize_t n = pwrite(f->fd, f->writing + at, f->writing_n - at, (off_t)(f->written + at));

        if (n >= 0)
            at += (size_t)n;
        else if (errno != EINTR)
            f->error = -errno;
    }
    f->written += at;
}

static void proceed(struct filling *f);

static void
done(struct job *job)
{
    struct filling *f = (struct filling *)job;

    upstreams_resolve(f->worker->upstreams, -1);
    f->busy = false;
    release(f, f->writing, f->writing_n);
    f->writing = NULL;
    if (f->error && !f->failed)
        fail(f);
    proceed(f);
}

/* Has what was gathered written. */
static void
write_out(struct filling *f)
{
    f->writing = f->bytes;
    f->writing_n = f->len;
    shelf_release(shelf_of(f), f->cap - f->len);
    f->bytes = NULL;
    f->len = f->cap = 0;
    f->job = (struct job){.mailbox = &f->worker->mailbox, .run = run, .done = done};
    f->busy = pool_submit(f->worker->pool, &f->job);
    if (f->busy) {
        upstreams_resolve(f->worker->upstreams, 1);
        return;
    }
    release(f, f->writing, f->writing_n);
    f->writing = NULL;
    fail(f);
}

/* ---- in memory ---------------------------------------------------------------------------------
 */

static bool
is_large(const struct filling *f)
{
    return f->total > (uint64_t)f->worker->limits->stored_memory_bytes_max;
}

static bool
make_room(struct filling *f, size_t n)
{
    size_t cap = f->cap ? f->cap : FIRST_BYTES;
    char *bytes;

    while (cap < f->len + n)
        cap *= 2;
    if (cap == f->cap)
        return true;
    if (!shelf_reserve(shelf_of(f), cap - f->cap))
        return false;
    bytes = realloc(f->bytes, cap);
    if (!bytes) {
        shelf_release(shelf_of(f), cap - f->cap);
        return false;
    }
    f->bytes = bytes;
    f->cap = cap;
    return true;
}

void
filling_add(struct filling *f, struct ern_slice piece)
{
    if (f->failed || piece.len == 0)
        return;
    f->total += piece.len;
    if (f->total > (uint64_t)shelf_content_max(shelf_of(f)) ||
        f->len + piece.len > GATHERED_MAX + (size_t)f->worker->limits->stored_memory_bytes_max ||
        !make_room(f, piece.len)) {
        fail(f);
        return;
    }
    memcpy(f->bytes + f->len, piece.ptr, piece.len);
    f->len += piece.len;
    if (is_large(f) && !f->busy && f->len >= PIECE_BYTES)
        write_out(f);
}

/* ---- the end -----------------------------------------------------------------------------------
 */

/* All of it is here. */
static void
put(struct filling *f)
{
    bool is_file = f->fd >= 0;
    char *bytes = NULL;

    if (!is_file && f->len) /* no more than it takes */
        bytes = realloc(f->bytes, f->len);
    else if (!is_file)
        bytes = NULL;
    if (!is_file && f->len && !bytes)
        return;
    f->answer->content = shelved_content_new(f->total, bytes, f->fd);
    if (bytes) {
        shelf_release(shelf_of(f), f->cap);
        f->bytes = NULL;
        f->cap = 0;
    }
    if (!f->answer->content) {
        free(bytes);
        return;
    }
    f->fd = -1;
    shelf_put(shelf_of(f), f->answer, f->mark, f->worker->now.run_ms);
}

/* What is next, once the pool does not have it. */
static void
proceed(struct filling *f)
{
    if (f->busy)
        return;
    if (!f->failed && is_large(f) && f->len >= (f->owned ? PIECE_BYTES : 1))
        write_out(f);
    if (f->busy || f->owned)
        return;
    if (!f->failed)
        put(f);
    finish(f);
}

void
filling_end(struct filling *f)
{
    f->owned = false;
    proceed(f);
}

void
filling_abandon(struct filling *f)
{
    if (!f)
        return;
    if (!f->failed)
        fail(f);
    f->owned = false;
    proceed(f);
}
