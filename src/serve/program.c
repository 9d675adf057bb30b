/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/program.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "serve/account.h"
#include "serve/origin.h"
#include "serve/relay.h"

enum {
    FILE_BYTES = 4096,
    NAME_BYTES = 256,
    VARIABLES_MAX = 1024,
    PIECE_BYTES = 4096,
    MARK_END = 2, /* in a pointer of the loop: it is one to a program, which has ended, */
    MARK_ERR = 3, /* or has complained */
    MARKS = 3,
};

struct program {
    struct job job; /* first: the pool gives it back */
    struct timer timer;
    struct program *next,
        **link; /* in the list of all that run; or of those that are to be freed */
    struct worker *worker;
    struct relay *relay;       /* NULL: nobody waits for it */
    struct upstream *upstream; /* NULL: nobody reads from it */
    const struct program_route *route;
    struct buffer *environment;
    struct spawned spawned;
    int error;           /* why it does not run: a negative errno */
    uint64_t told_bytes; /* of what it complained about */
    bool is_told;        /* to end */
    char name[NAME_BYTES], file[FILE_BYTES];
};

struct programs {
    struct program *first, *done, *spare;
    struct timer_list lingers, graces;
};

/* ---- starting ----------------------------------------------------------------------------------
 */

/* The folder that the program lies in, which it is run in (RFC 3875 7.2). Writes into copy. */
static void
folder_of(const char *file, char *copy)
{
    const char *slash = strrchr(file, '/');
    size_t n = slash && slash > file ? (size_t)(slash - file) : 1;

    memcpy(copy, file, n);
    copy[n] = '\0';
}

/* On the pool. */
static void
run(struct job *job)
{
    struct program *p = (struct program *)job;
    char *arguments[] = {p->file, NULL};
    char *environment[VARIABLES_MAX + 1];
    char folder[FILE_BYTES];
    struct buffer *block = p->environment;
    unsigned n = 0;

    for (size_t at = 0; at < block->len && n < VARIABLES_MAX;) {
        environment[n++] = block->bytes + at;
        at += strlen(block->bytes + at) + 1;
    }
    environment[n] = NULL;
    folder_of(p->file, folder);
    p->error = spawn(&(struct spawn){.file = p->file,
                                     .folder = folder,
                                     .arguments = arguments,
                                     .environment = environment,
                                     .user = &p->route->user,
                                     .limits = p->route->limits},
                     &p->spawned);
}

static void
enter(struct program **list, struct program *p)
{
    p->next = *list;
    p->link = list;
    if (p->next)
        p->next->link = &p->next;
    *list = p;
}

static void
leave(struct program *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
}

static int
watch(const struct program *p, int fd, uintptr_t mark)
{
    struct epoll_event e = {EPOLLIN | EPOLLET, {NULL}};

    e.data.ptr = (char *)(uintptr_t)p + mark;
    return epoll_ctl(p->worker->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* What it complains about goes to the log, as far as that is for one request. */
static void
hear(struct program *p)
{
    char piece[PIECE_BYTES];
    ssize_t n;

    while (p->spawned.err >= 0 && (n = read(p->spawned.err, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        account_said(p->worker, slice_text(p->name), slice_from(piece, (size_t)n), &p->told_bytes);
    }
    if (p->spawned.err >= 0)
        (void)close(p->spawned.err);
    p->spawned.err = -1;
}

/* It is over: forgotten at the end of this turn, for events of it may still come. */
static void
finish(struct program *p)
{
    struct programs *all = p->worker->programs;

    timer_stop(&p->timer);
    hear(p);
    if (p->spawned.err >= 0)
        (void)close(p->spawned.err);
    p->spawned.err = -1;
    spawn_reap(&p->spawned);
    leave(p);
    p->next = all->done;
    all->done = p;
}

/* It has to end: is asked to, and later made to. */
static void
end(struct program *p)
{
    int signal;

    if (spawn_has_ended(&p->spawned, &signal)) {
        spawn_kill(&p->spawned, SIGKILL); /* what it left behind */
        finish(p);
        return;
    }
    spawn_kill(&p->spawned, p->is_told ? SIGKILL : SIGTERM);
    if (!p->is_told)
        timer_start(&p->worker->programs->graces, &p->timer, p->worker->now.run_ms);
    p->is_told = true;
}

/* It runs: from now on the loop tells of it. */
static bool
adopt(struct program *p)
{
    enter(&p->worker->programs->first, p);
    if (p->relay)
        p->upstream = upstream_adopt(p->relay->origin, p->spawned.io, p);
    else
        (void)close(p->spawned.io);
    (void)watch(p, p->spawned.err, MARK_ERR);
    if (p->upstream && watch(p, p->spawned.pidfd, MARK_END) == 0)
        return true;
    if (p->upstream) {
        p->upstream->program = NULL;
        upstream_close(p->upstream);
        p->upstream = NULL;
    }
    spawn_kill(&p->spawned, SIGKILL);
    finish(p);
    return false;
}

static void
started(struct job *job)
{
    struct program *p = (struct program *)job;
    struct worker *w = p->worker;
    struct relay *relay = p->relay;

    worker_buffer_done(w, p->environment);
    upstreams_resolve(w->upstreams, -1);
    if (p->error) {
        p->next = w->programs->done;
        w->programs->done = p;
        if (relay)
            relay_started(relay, NULL, p->error);
    } else if (adopt(p)) {
        relay_started(relay, p->upstream, 0);
    } else if (relay) {
        relay_started(relay, NULL, -ENOMEM);
    }
}

bool
program_start(struct relay *r, const struct program_route *route, struct ern_slice file,
              struct ern_slice name, struct buffer *environment)
{
    struct worker *w = r->exchange->worker;
    struct program *p = w->programs->spare;

    if (p)
        w->programs->spare = p->next;
    else
        p = malloc(sizeof *p);
    if (!p || file.len >= FILE_BYTES) {
        if (p) {
            p->next = w->programs->spare;
            w->programs->spare = p;
        }
        worker_buffer_done(w, environment);
        return false;
    }
    memset(p, 0, offsetof(struct program, name));
    p->job = (struct job){.mailbox = &w->mailbox, .run = run, .done = started};
    p->worker = w;
    p->relay = r;
    p->route = route;
    p->environment = environment;
    p->spawned = (struct spawned){.pidfd = -1, .err = -1};
    memcpy(p->file, file.ptr, file.len);
    p->file[file.len] = '\0';
    name = slice_first(name, name.len < NAME_BYTES - 1 ? name.len : NAME_BYTES - 1);
    memcpy(p->name, name.ptr, name.len);
    p->name[name.len] = '\0';
    if (pool_submit(w->pool, &p->job)) {
        r->program = p;
        upstreams_resolve(w->upstreams, 1);
        return true;
    }
    worker_buffer_done(w, environment);
    p->next = w->programs->spare;
    w->programs->spare = p;
    return false;
}

/* ---- ending ------------------------------------------------------------------------------------
 */

void
program_forget(struct program *p)
{
    p->relay = NULL;
}

void
program_leave(struct program *p)
{
    bool is_over = p->relay && p->relay->is_over;
    int signal;

    p->relay = NULL;
    p->upstream = NULL;
    if (!is_over)
        end(p);
    else if (spawn_has_ended(&p->spawned, &signal))
        finish(p);
    else
        timer_start(&p->worker->programs->lingers, &p->timer, p->worker->now.run_ms);
}

bool
program_has_ended(const struct program *p, bool *ret_killed)
{
    int signal = 0;
    bool has_ended = spawn_has_ended(&p->spawned, &signal);

    *ret_killed = signal != 0;
    return has_ended;
}

/* ---- from the loop -----------------------------------------------------------------------------
 */

bool
programs_are(const void *what)
{
    return ((uintptr_t)what & MARKS) >= MARK_END;
}

void
programs_event(struct worker *w, void *what)
{
    uintptr_t mark = (uintptr_t)what & MARKS;
    struct program *p = (void *)((char *)what - mark);
    int signal;

    (void)w;
    if (p->spawned.pidfd < 0) /* it was finished earlier in this turn */
        return;
    hear(p);
    if (!spawn_has_ended(&p->spawned, &signal))
        return;
    if (p->upstream)
        relay_event(p->relay, 0);
    else if (p->is_told)
        end(p);
    else
        finish(p);
}

void
programs_expire(struct worker *w)
{
    struct programs *all = w->programs;
    struct timer_list *const lists[] = {&all->lingers, &all->graces};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct timer *t;

        while ((t = timer_expired(lists[i], w->now.run_ms))) {
            timer_stop(t);
            end((struct program *)(void *)((char *)t - offsetof(struct program, timer)));
        }
    }
}

void
programs_reuse(struct worker *w)
{
    struct programs *all = w->programs;

    while (all && all->done) {
        struct program *p = all->done;

        all->done = p->next;
        p->next = all->spare;
        all->spare = p;
    }
}

int
programs_wait_ms(const struct worker *w)
{
    int linger = timer_wait_ms(&w->programs->lingers, w->now.run_ms);
    int grace = timer_wait_ms(&w->programs->graces, w->now.run_ms);

    return grace < 0 || (linger >= 0 && linger < grace) ? linger : grace;
}

struct programs *
programs_new(const struct limits *limits)
{
    struct programs *all = calloc(1, sizeof *all);

    if (!all)
        return NULL;
    timer_list_init(&all->lingers, limits->program_linger_ms);
    timer_list_init(&all->graces, limits->program_grace_ms);
    return all;
}

void
programs_free(struct programs *all)
{
    if (!all)
        return;
    while (all->first) {
        struct program *p = all->first;

        spawn_kill(&p->spawned, SIGKILL);
        finish(p);
    }
    while (all->done) {
        struct program *p = all->done;

        all->done = p->next;
        free(p);
    }
    while (all->spare) {
        struct program *p = all->spare;

        all->spare = p->next;
        free(p);
    }
    free(all);
}
