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
#include "io/tls.h"
#include "serve/admin.h"
#include "serve/complain.h"
#include "serve/forward.h"
#include "serve/guests.h"
#include "serve/incident.h"
#include "serve/intakes.h"
#include "serve/legal.h"
#include "serve/live.h"
#include "serve/login.h"
#include "serve/meter.h"
#include "serve/portal.h"
#include "serve/rate.h"
#include "serve/shares.h"
#include "serve/shelf.h"
#include "serve/tally.h"
#include "serve/trace.h"

enum { POOL_THREADS = 4 };

struct process { /* all that is to be given back at the end */
    struct site_table *sites;
    struct guests *guests;
    struct incidents *incidents; /* NULL: there is no admin socket to ask of them */
    struct rates *rates;
    struct legal *legal;
    struct admin *admin;
    struct logins *logins;
    struct shares *shares;
    struct meter *meter; /* NULL: there is no credit */
    struct shelf *shelf; /* NULL: no answers are kept */
    struct live *live;   /* NULL: there is no stream of decisions */
    struct traces *traces;
    struct tallies *tallies;
    struct pool *pool;
    struct log *access, *errors, *audit;
    struct tls **tls; /* of each listener; NULL where it is plain */
    unsigned tls_n, listens_n;
    struct portal **portals;   /* likewise; NULL where it is none */
    struct forward **forwards; /* likewise */
    struct worker **workers;
    pthread_t *threads;
    unsigned workers_n, threads_n;
    sem_t deaf;                 /* posted by each thread that accepts no more */
    struct ern_slice pseudonym; /* among gateways */
    char pseudonym_text[32];
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

/* What each listener speaks TLS with, for all threads. */
static int
open_tls(struct process *p, const struct process_options *options)
{
    const struct conf *conf = options->conf;

    p->tls = calloc(conf->listens_n, sizeof *p->tls);
    if (!p->tls)
        return -ENOMEM;
    for (p->tls_n = 0; p->tls_n < conf->listens_n; p->tls_n++) {
        const struct conf_listen *listen = &conf->listens[p->tls_n];
        const char *why;
        int error = 0;

        if (listen->certificate.n)
            error = conf_tls_open(conf, listen, options->ticket_key, options->replay,
                                  &p->tls[p->tls_n], &why);
        if (error) {
            (void)fprintf(stderr, "earnest: %s: %s\n", listen->name.ptr, why);
            return error;
        }
        for (unsigned t = 0; t < options->threads_n; t++) {
            struct listener *l = &options->listeners[(size_t)t * options->listens_n + p->tls_n];

            l->tls = p->tls[p->tls_n];
            l->http2 = listen->http2;
            l->https = listen->https;
        }
    }
    return 0;
}

static int
open_portals(struct process *p, const struct process_options *options)
{
    const struct conf *conf = options->conf;

    p->portals = calloc(conf->listens_n, sizeof *p->portals);
    if (!p->portals)
        return -ENOMEM;
    for (unsigned i = 0; i < conf->listens_n; i++) {
        const struct conf_listen *listen = &conf->listens[i];
        int error = listen->portal ? portal_open(listen, options->passes, &p->portals[i]) : 0;

        if (error)
            return complain(error == -ENOMEM ? "memory" : listen->secret.ptr, error);
        for (unsigned t = 0; t < options->threads_n; t++)
            options->listeners[(size_t)t * options->listens_n + i].portal = p->portals[i];
    }
    return 0;
}

/* Two servers, one behind the other, must not have one name: then all would look like a loop. */
static void
choose_pseudonym(struct process *p, const struct conf *conf, struct hash_key key)
{
    struct out o = out_init(p->pseudonym_text, sizeof p->pseudonym_text);

    out_literal(&o, "earnest-");
    out_hex(&o, hash_bytes(key, ERN_SLICE("via")) >> 32);
    p->pseudonym = slice_is_there(conf->pseudonym) ? conf->pseudonym : out_done(&o);
}

static int
open_forwards(struct process *p, const struct process_options *options)
{
    const struct conf *conf = options->conf;

    p->forwards = calloc(conf->listens_n, sizeof *p->forwards);
    if (!p->forwards)
        return -ENOMEM;
    for (unsigned i = 0; i < conf->listens_n; i++) {
        const struct conf_listen *listen = &conf->listens[i];

        if (listen->forward && forward_open(conf, listen, &p->forwards[i]) != 0)
            return complain("memory", -ENOMEM);
        for (unsigned t = 0; t < options->threads_n; t++)
            options->listeners[(size_t)t * options->listens_n + i].forward = p->forwards[i];
    }
    return 0;
}

static int
open_all(struct process *p, const struct process_options *options, struct hash_key key)
{
    const struct conf *conf = options->conf;
    struct ern_slice path;
    int error = site_table_new(conf, slice_is_there(conf->admin) ? options->pauses : NULL,
                               options->pots, &p->sites, &path);

    if (error)
        return complain(path.ptr ? path.ptr : "sites", error);
    choose_pseudonym(p, conf, key);
    p->guests = guests_new(&conf->limits, key);
    p->rates = rates_new(conf->limits.rate_buckets_max, key);
    p->workers = calloc(options->threads_n, sizeof *p->workers);
    p->threads = calloc(options->threads_n, sizeof *p->threads);
    p->live = conf->live ? live_new(options->threads_n, &conf->limits) : NULL;
    p->traces =
        conf->live ? traces_new(options->threads_n, &conf->limits, &conf->live_networks) : NULL;
    p->tallies = tallies_new(options->threads_n);
    if (p->sites->stores)
        p->shelf = shelf_new(&conf->limits, conf->state, key);
    if (!p->guests || !p->rates || !p->workers || !p->threads || !p->tallies ||
        (conf->live && (!p->live || !p->traces)) || (p->sites->stores && !p->shelf))
        return complain("start", -ENOMEM);
    if (slice_is_there(conf->legal) && legal_open(conf->legal.ptr, &p->legal) < 0)
        return complain(conf->legal.ptr, -EINVAL);
    if (slice_is_there(conf->admin)) {
        p->incidents = incidents_new();
        error = p->incidents ? admin_open(conf, &p->admin) : -ENOMEM;
        if (error)
            return complain(conf->admin.ptr, error);
    }
    error = logins_open(conf, &p->logins);
    if (error)
        return complain(slice_is_there(conf->users) ? conf->users.ptr : "users", error);
    error = pool_open(POOL_THREADS, conf->limits.pool_queue_max, &p->pool);
    if (error)
        return complain("pool", error);
    error = open_tls(p, options);
    if (!error)
        error = open_portals(p, options);
    if (!error)
        error = open_forwards(p, options);
    return error ? error : open_logs(p, conf);
}

/* Without a store there is no credit, and what costs is out of reach. */
static int
open_meter(struct process *p, const struct conf *conf)
{
    struct store *store = shares_store(p->shares);

    p->meter = store ? meter_new(store, conf->limits.receipt_seconds) : NULL;
    return store && !p->meter ? complain("memory", -ENOMEM) : 0;
}

static void *
thread_main(void *worker)
{
    worker_run(worker);
    return NULL;
}

static int
start_worker(struct process *p, const struct process_options *options, struct hash_key key)
{
    const struct conf *conf = options->conf;
    unsigned i = p->workers_n;
    int error;

    error = worker_new(
        &(struct worker_options){
            .sites = p->sites,
            .limits = &conf->limits,
            .gateways = &conf->gateways,
            .forwarded = (enum forwarded_form)conf->forwarded,
            .guests = p->guests,
            .rates = p->rates,
            .legal = p->legal,
            .logins = p->logins,
            .meter = p->meter,
            .shelf = p->shelf,
            .incidents = p->incidents,
            .pool = p->pool,
            .access = p->access,
            .errors = p->errors,
            .audit = p->audit,
            .live = p->live,
            .pseudonym = p->pseudonym,
            .traces = p->traces,
            .tallies = p->tallies,
            .number = i,
            .json = conf->log.format == CONF_LOG_JSON,
            .listeners = options->listeners + (size_t)i * options->listens_n,
            .listeners_n = options->listens_n,
            .last_request = options->last_requests + (size_t)i * WORKER_LAST_BYTES,
            .deaf = &p->deaf,
            .turned_ms = options->turned_ms ? options->turned_ms + i : NULL,
            .key = key,
        },
        &p->workers[i]);
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
    shares_stop(p->shares);
    logins_stop(p->logins);
    pool_close(p->pool); /* before the workers: no job comes back after it */
    for (unsigned i = 0; i < p->workers_n; i++)
        worker_free(p->workers[i]);
    log_close(p->access);
    log_close(p->errors);
    log_close(p->audit);
    guests_free(p->guests);
    incidents_free(p->incidents);
    live_free(p->live);
    traces_free(p->traces);
    tallies_free(p->tallies);
    rates_free(p->rates);
    legal_close(p->legal);
    logins_free(p->logins);
    site_table_free(p->sites);
    meter_free(p->meter);
    shelf_free(p->shelf);
    shares_free(p->shares);
    for (unsigned i = 0; i < p->tls_n; i++)
        tls_close(p->tls[i]);
    for (unsigned i = 0; p->portals && i < p->listens_n; i++)
        free(p->portals[i]);
    free(p->portals);
    for (unsigned i = 0; p->forwards && i < p->listens_n; i++)
        forward_free(p->forwards[i]);
    free(p->forwards);
    free(p->tls);
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
    struct process p = {.control = options->control, .listens_n = options->listens_n};
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
        error = shares_open(p.sites, options->conf, &p.shares);
    if (!error)
        error = open_meter(&p, options->conf);
    if (!error && p.admin)
        error = admin_serve(p.admin, &(struct admin_options){.conf = options->conf,
                                                             .guests = p.guests,
                                                             .pauses = options->pauses,
                                                             .reloads = options->reloads,
                                                             .meter = p.meter,
                                                             .shares = p.shares,
                                                             .legal = p.legal,
                                                             .incidents = p.incidents,
                                                             .traces = p.traces,
                                                             .audit = p.audit});
    if (!error)
        error = intakes_open(p.sites, &options->conf->limits);
    while (!error && p.workers_n < options->threads_n)
        error = start_worker(&p, options, key);
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
