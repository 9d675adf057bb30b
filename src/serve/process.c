/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/process.h"

#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "io/memory.h"
#include "serve/admin.h"
#include "serve/complain.h"
#include "serve/incident.h"
#include "serve/intakes.h"
#include "serve/live.h"
#include "serve/parts.h"
#include "serve/shelf.h"
#include "serve/tally.h"
#include "serve/trace.h"

enum { POOL_THREADS = 4 };

struct process { /* all that is to be given back at the end */
    struct parts parts;
    struct incidents *incidents; /* NULL: there is no admin socket to ask of them */
    struct admin *admin;
    struct shelf *shelf; /* NULL: no answers are kept */
    struct live *live;   /* NULL: there is no stream of decisions */
    struct traces *traces;
    struct tallies *tallies;
    struct log *access, *errors, *audit;
    struct worker **workers;
    pthread_t *threads;
    unsigned workers_n, threads_n;
    sem_t deaf; /* posted by each thread that accepts no more */
    int control;
};

/* Becomes the user of the configuration, for good. */
static int
become(const char *name)
{
    const struct passwd *user = getpwnam(name);

    if (!user)
        return -ENOENT;
    if (getuid() == user->pw_uid)
        return 0;
    if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
        return -errno;
    return 0;
}

static int
open_logs(struct process *p, const struct conf *conf)
{
    int64_t queue = conf->limits.log_queue_bytes;
    const char *errors = conf->log.errors.ptr;
    int error = 0;

    if (!slice_eq(conf->log.file, ERN_SLICE("off")))
        error = log_open(conf->log.file.ptr, STDOUT_FILENO, queue, &p->access);
    if (error)
        return complain(conf->log.file.ptr, error);
    error = log_open(errors, STDERR_FILENO, queue, &p->errors);
    if (error)
        return complain(errors, error);
    if (!slice_eq(conf->log.audit, ERN_SLICE("off")))
        error = log_open(conf->log.audit.ptr, STDERR_FILENO, queue, &p->audit);
    return error ? complain(conf->log.audit.ptr, error) : 0;
}

static int
open_listeners(struct process *p, const struct process_options *options)
{
    for (unsigned i = 0; i < options->threads_n * options->listens_n; i++) {
        int error = parts_listener(&p->parts, i % options->listens_n, &options->listeners[i]);

        if (error)
            return error;
    }
    return 0;
}

/* What a rehearsal does not have: threads, and what they are seen by. */
static int
open_view(struct process *p, const struct process_options *options, struct hash_key key)
{
    const struct conf *conf = options->conf;
    int error;

    p->workers = calloc(options->threads_n, sizeof *p->workers);
    p->threads = calloc(options->threads_n, sizeof *p->threads);
    p->live = conf->live ? live_new(options->threads_n, &conf->limits) : NULL;
    p->traces =
        conf->live ? traces_new(options->threads_n, &conf->limits, &conf->live_networks) : NULL;
    p->tallies = tallies_new(options->threads_n);
    if (p->parts.sites->stores)
        p->shelf = shelf_new(&conf->limits, conf->state, key);
    if (!p->workers || !p->threads || !p->tallies || (conf->live && (!p->live || !p->traces)) ||
        (p->parts.sites->stores && !p->shelf))
        return complain("start", -ENOMEM);
    if (!slice_is_there(conf->admin))
        return 0;
    p->incidents = incidents_new();
    error = p->incidents ? admin_open(conf, &p->admin) : -ENOMEM;
    return error ? complain(conf->admin.ptr, error) : 0;
}

/* All that is opened before the user is another one. */
static int
open_all(struct process *p, const struct process_options *options, struct hash_key key)
{
    const struct conf *conf = options->conf;
    int error =
        parts_open(&p->parts, &(struct parts_options){
                                  .conf = conf,
                                  .pauses = slice_is_there(conf->admin) ? options->pauses : NULL,
                                  .pots = options->pots,
                                  .passes = options->passes,
                                  .ticket_key = options->ticket_key,
                                  .replay = options->replay,
                                  .pool_threads = POOL_THREADS,
                                  .key = key,
                              });

    if (!error)
        error = open_view(p, options, key);
    if (!error)
        error = open_listeners(p, options);
    return error ? error : open_logs(p, conf);
}

static void *
thread_main(void *worker)
{
    worker_run(worker);
    return NULL;
}

static int
start_worker(struct process *p, const struct process_options *options)
{
    struct worker_options its = parts_worker(&p->parts);
    unsigned i = p->workers_n;
    int error;

    its.shelf = p->shelf;
    its.incidents = p->incidents;
    its.access = p->access;
    its.errors = p->errors;
    its.audit = p->audit;
    its.live = p->live;
    its.traces = p->traces;
    its.tallies = p->tallies;
    its.number = i;
    its.listeners = options->listeners + (size_t)i * options->listens_n;
    its.listeners_n = options->listens_n;
    its.last_request = options->last_requests + (size_t)i * WORKER_LAST_BYTES;
    its.deaf = &p->deaf;
    its.turned_ms = options->turned_ms ? options->turned_ms + i : NULL;
    error = worker_new(&its, &p->workers[i]);
    if (error)
        return complain("worker", error);
    p->workers_n++;
    error = pthread_create(&p->threads[i], NULL, thread_main, p->workers[i]);
    if (error)
        return complain("thread", -error);
    p->threads_n++;
    return 0;
}

static void
end_workers(const struct process *p, bool stopping)
{
    for (unsigned i = 0; i < p->threads_n; i++)
        worker_end(p->workers[i], stopping);
}

/* Waits for the supervisor's word, which may come twice: DRAIN, and later STOP. DRAIN is answered
 * when no thread accepts any more: who connects after that meets the process that follows. */
static void *
listen_to_supervisor(void *process)
{
    struct process *p = process;
    char word;

    if (read(p->control, &word, 1) == 1 && word == PROCESS_DRAIN) {
        end_workers(p, false);
        for (unsigned i = 0; i < p->threads_n; i++)
            while (sem_wait(&p->deaf) < 0)
                ;
        (void)!write(p->control, &word, 1);
        (void)!read(p->control, &word, 1);
    }
    end_workers(p, true);
    return NULL;
}

static void
close_all(struct process *p)
{
    admin_close(p->admin);
    parts_stop(&p->parts); /* before the workers: no job comes back after it */
    for (unsigned i = 0; i < p->workers_n; i++)
        worker_free(p->workers[i]);
    log_close(p->access);
    log_close(p->errors);
    log_close(p->audit);
    incidents_free(p->incidents);
    live_free(p->live);
    traces_free(p->traces);
    tallies_free(p->tallies);
    parts_close(&p->parts);
    shelf_free(p->shelf);
    free(p->workers);
    free(p->threads);
}

/* What one request needed is not kept for ever: large memory goes back to the kernel when it is
 * freed, and threads share one heap, since what is hot allocates nothing. */
static void
keep_little(void)
{
    enum { LARGE_BYTES = 1 << 16 };

    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

int
process_run(const struct process_options *options)
{
    struct process p = {.control = options->control};
    const char ready = PROCESS_READY;
    struct hash_key key;
    pthread_t control;
    int error;

    (void)sem_init(&p.deaf, 0, 0);
    keep_little();
    (void)signal(SIGPIPE, SIG_IGN); /* sendfile() has no MSG_NOSIGNAL */
    (void)signal(SIGINT, SIG_IGN);  /* a terminal sends it to us, too: the supervisor tells us */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGHUP, SIG_IGN);
    if (getrandom(&key, sizeof key, 0) != sizeof key)
        return 1;
    error = open_all(&p, options, key);
    if (!error && slice_is_there(options->conf->user)) {
        error = become(options->conf->user.ptr);
        if (error)
            (void)complain(options->conf->user.ptr, error);
    }
    if (!error)
        error = parts_share(&p.parts, NULL);
    if (!error && p.admin)
        error = admin_serve(p.admin, &(struct admin_options){.conf = options->conf,
                                                             .guests = p.parts.guests,
                                                             .pauses = options->pauses,
                                                             .reloads = options->reloads,
                                                             .meter = p.parts.meter,
                                                             .shares = p.parts.shares,
                                                             .legal = p.parts.legal,
                                                             .incidents = p.incidents,
                                                             .traces = p.traces,
                                                             .audit = p.audit});
    if (!error)
        error = intakes_open(p.parts.sites, &options->conf->limits);
    while (!error && p.workers_n < options->threads_n)
        error = start_worker(&p, options);
    if (!error)
        error = -pthread_create(&control, NULL, listen_to_supervisor, &p);
    memory_give_back();
    if (error)
        end_workers(&p, true);
    else
        (void)!write(options->control, &ready, 1);
    for (unsigned i = 0; i < p.threads_n; i++)
        (void)pthread_join(p.threads[i], NULL);
    if (!error) {
        (void)pthread_cancel(control);
        (void)pthread_join(control, NULL);
    }
    close_all(&p);
    return error ? 1 : 0;
}
