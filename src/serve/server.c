/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "earnest/message.h"
#include "io/clock.h"
#include "io/memory.h"
#include "io/service.h"
#include "io/tls.h"
#include "res/pot.h"
#include "serve/admin.h"
#include "serve/complain.h"
#include "serve/passes.h"
#include "serve/pause.h"
#include "serve/process.h"
#include "serve/sockets.h"

enum {
    GENERATIONS = 64, /* processes at once: the one that serves, and those that still finish */
    THREADS_MAX = 256,
    FDS_BESIDES = 64,       /* descriptors that are neither connections nor cached files, */
    FDS_BESIDES_LEAST = 32, /* or at least these */
    REQUEST_BYTES = 8192,   /* of a connection and a request, besides what limits bound */
    READY_MS = 10000,       /* time that a process has to say that it serves */
    TURN_MS = 4000,         /* a thread whose loop has not turned for so long is stuck */
    CRASH_MS = 1000,        /* a process that lived less is not started again at once */
};

struct generation {
    pid_t pid; /* 0: a free place */
    int control;
    int64_t started_ms;
};

struct server {
    struct service service; /* the manager that started us */
    const struct server_source *source;
    struct conf *conf;
    struct sockets *sockets;
    unsigned threads_n;
    char *last_requests;
    atomic_llong *turned_ms; /* of each thread; NULL: nobody watches */
    int64_t said_ms;         /* when we last said that they turn */
    struct reloads *reloads;
    struct pauses *pauses;
    struct pots *pots;
    unsigned char ticket_key[TLS_TICKET_KEY_BYTES]; /* of all processes, as replay is: */
    struct tls_replay *replay;                      /* a ticket is good, and used, in all of them */
    struct passes *passes;                          /* who signed in passes in all of them, too */
    struct generation generations[GENERATIONS];
    struct generation *serving; /* NULL: none does at the moment */
    int64_t start_at_ms;        /* when one is to be started; 0: not */
    bool stopping;
};

/* Reads the configuration; what is wrong with it is said on standard error. */
static struct conf *
read_conf(const struct server_source *source)
{
    struct conf_errors errors;
    struct conf *conf = NULL;
    int error = source->path ? conf_read(source->path, &conf, &errors)
                             : conf_from_flags(source->flags, &conf, &errors);

    if (!error)
        error = conf_check_files(conf, &errors);
    complain_conf(&errors);
    if (error) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}

static bool
keeps_answers(const struct conf *conf)
{
    for (size_t i = 0; i < conf->sites_n; i++)
        for (size_t j = 0; j < conf->sites[i].routes_n; j++)
            if (conf->sites[i].routes[j].cache)
                return true;
    return false;
}

/* Descriptors bound how many connections there can be: better a 503 than none left for files. */
static void
fit_descriptors(struct limits *limits, bool keeps)
{
    struct rlimit files;
    int64_t most;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    if (files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur == RLIM_INFINITY)
        return;
    most = (int64_t)files.rlim_cur;
    most -= most > 2 * FDS_BESIDES ? FDS_BESIDES : FDS_BESIDES_LEAST;
    if (limits->cache_files_max > most / 4)
        limits->cache_files_max = most > 4 ? most / 4 : 1;
    most -= limits->cache_files_max;
    if (limits->stored_files_max > most / 4)
        limits->stored_files_max = most / 4;
    if (keeps)
        most -= limits->stored_files_max;
    if (limits->connections_max > most)
        limits->connections_max = most > 1 ? most : 1;
}

static void
at_most(int64_t *limit, int64_t most)
{
    if (*limit > most)
        *limit = most > 1 ? most : 1;
}

/* Better a 503 than to be killed for what we took: half of the memory is for connections that each
 * ask something large, a quarter for requests, an eighth each for files and answers that are
 * remembered. */
static void
fit_memory(struct limits *limits, unsigned threads_n)
{
    int64_t memory = memory_most("/proc/self/cgroup", "/sys/fs/cgroup");
    int64_t request = limits->request_arena_bytes + REQUEST_BYTES +
                      limits->fields_max * (int64_t)sizeof(struct ern_field);
    int64_t connection = limits->target_bytes_max + limits->fields_bytes_max + REQUEST_BYTES;

    at_most(&limits->connections_max, memory / 2 / (connection + request));
    at_most(&limits->requests_max, memory / 4 / request / threads_n);
    at_most(&limits->cache_bytes_max, memory / 8 / threads_n);
    at_most(&limits->stored_bytes_max, memory / 8);
}

static unsigned
threads_for(const struct conf *conf)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long n = conf->workers ? (long)conf->workers : cores;

    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

/* Waits for a word of a process, but not for ever. */
static bool
hear(const struct generation *g, char expected)
{
    const struct timeval most = {READY_MS / 1000, 0};
    char word = 0;

    (void)setsockopt(g->control, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    return read(g->control, &word, 1) == 1 && word == expected;
}

static void
tell(const struct generation *g, char word)
{
    (void)send(g->control, &word, 1, MSG_NOSIGNAL);
}

/* The new process: nothing of the supervisor's is left in it but the sockets. */
static int
become_process(struct server *s, const struct conf *conf, const struct sockets *sockets,
               int control)
{
    sigset_t none;

    for (unsigned i = 0; i < GENERATIONS; i++)
        if (s->generations[i].pid)
            (void)close(s->generations[i].control);
    if (s->sockets != sockets) /* what is listened on no more must not be held open by us */
        sockets_close(s->sockets, sockets);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    return process_run(&(struct process_options){
        .conf = conf,
        .threads_n = s->threads_n,
        .listeners = sockets->listeners,
        .listens_n = sockets->listens_n,
        .last_requests = s->last_requests,
        .turned_ms = s->turned_ms,
        .ticket_key = s->ticket_key,
        .replay = s->replay,
        .pauses = s->pauses,
        .reloads = s->reloads,
        .pots = s->pots,
        .passes = s->passes,
        .control = control,
    });
}

/* Starts a process and waits until it serves. NULL: it does not, and is gone. */
static struct generation *
start(struct server *s, const struct conf *conf, const struct sockets *sockets)
{
    struct generation *g = s->generations;
    int pair[2];

    while (g < s->generations + GENERATIONS && g->pid)
        g++;
    if (g == s->generations + GENERATIONS) {
        (void)fprintf(stderr, "earnest: too many processes are still finishing\n");
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        (void)complain("socketpair", -errno);
        return NULL;
    }
    *g = (struct generation){fork(), pair[0], clock_read().run_ms};
    if (g->pid == 0) {
        (void)close(pair[0]);
        exit(become_process(s, conf, sockets, pair[1]));
    }
    (void)close(pair[1]);
    if (g->pid > 0 && hear(g, PROCESS_READY))
        return g;
    (void)fprintf(stderr, "earnest: the process that is to serve did not start\n");
    if (g->pid > 0) {
        (void)kill(g->pid, SIGKILL);
        (void)waitpid(g->pid, NULL, 0);
    }
    (void)close(g->control);
    g->pid = 0;
    return NULL;
}

/* A socket that was opened for us, and that nobody accepts from, would leave its clients waiting.
 */
static void
say_idle(const struct server *s, const struct sockets *sockets)
{
    char name[64];
    struct out o = out_init(name, sizeof name);

    for (unsigned i = 0; service_idle(&s->service, sockets->addresses, sockets->listens_n, &i, &o);
         o.len = 0)
        (void)fprintf(stderr,
                      "earnest: the service manager opened %.*s for us, which no listen names: "
                      "nothing is served there\n",
                      (int)o.len, o.ptr);
}

/* The manager waits for READY after it; the clock is its own (sd_notify(3)). */
static void
say_reloading(const struct server *s)
{
    struct timespec now = {0};
    char text[64];
    struct out o = out_init(text, sizeof text);

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    out_literal(&o, "RELOADING=1\nMONOTONIC_USEC=");
    out_u64(&o, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    service_say(&s->service, out_done(&o));
}

/* SIGHUP: the new configuration serves before the old one ends, or the old one stays. */
static void
reload(struct server *s)
{
    struct conf *conf = read_conf(s->source);
    struct sockets *sockets = NULL;
    struct generation *old = s->serving, *new = NULL;
    struct ern_slice name;
    int error;

    if (conf) {
        fit_descriptors(&conf->limits, keeps_answers(conf));
        fit_memory(&conf->limits, s->threads_n);
        error = sockets_open(conf, s->threads_n, &s->service, s->sockets, &sockets, &name);
        if (error)
            (void)complain(name.ptr ? name.ptr : "sockets", error);
        else
            new = start(s, conf, sockets);
    }
    if (!new) {
        (void)fprintf(stderr, "earnest: not reloaded; the old configuration goes on\n");
        s->reloads->refused++;
        sockets_close(sockets, s->sockets);
        conf_free(conf);
        return;
    }
    s->serving = new;
    if (old) {
        tell(old, PROCESS_DRAIN);
        (void)hear(old, PROCESS_DRAIN); /* or it crashed: it takes nothing new in either case */
    }
    sockets_close(s->sockets, sockets);
    conf_free(s->conf);
    s->sockets = sockets;
    s->conf = conf;
    say_idle(s, sockets);
    (void)fprintf(stderr, "earnest: reloaded\n");
    s->reloads->done++;
}

static void
stop(struct server *s)
{
    if (!s->stopping)
        service_say(&s->service, ERN_SLICE("STOPPING=1"));
    s->stopping = true;
    sockets_close(s->sockets, NULL); /* who comes now is refused, not left waiting */
    s->sockets = NULL;
    for (unsigned i = 0; i < GENERATIONS; i++)
        if (s->generations[i].pid)
            tell(&s->generations[i], PROCESS_STOP);
}

static void
report_crash(const struct server *s, pid_t pid, int status)
{
    bool killed = WIFSIGNALED(status);

    (void)fprintf(stderr, "earnest: process %d ended %s %d; what its threads served last:\n",
                  (int)pid, killed ? "by signal" : "with exit code",
                  killed ? WTERMSIG(status) : WEXITSTATUS(status));
    for (unsigned i = 0; i < s->threads_n; i++) {
        const char *last = s->last_requests + (size_t)i * WORKER_LAST_BYTES;

        if (*last)
            (void)fprintf(stderr, "earnest:   thread %u: %s\n", i, last);
    }
}

static void
reap(struct server *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct generation *g = s->generations;

        while (g < s->generations + GENERATIONS && g->pid != pid)
            g++;
        if (g == s->generations + GENERATIONS)
            continue;
        if (status != 0)
            report_crash(s, pid, status);
        (void)close(g->control);
        g->pid = 0;
        if (g == s->serving && !s->stopping) {
            int64_t now = clock_read().run_ms;

            s->serving = NULL;
            s->start_at_ms = now - g->started_ms < CRASH_MS ? now + CRASH_MS : now;
        }
    }
}

/* A process that crashed is followed by another one: the sockets are still open. */
static void
start_again(struct server *s)
{
    int64_t now = clock_read().run_ms;

    if (s->serving || s->stopping || now < s->start_at_ms)
        return;
    s->serving = start(s, s->conf, s->sockets);
    s->start_at_ms = now + CRASH_MS;
}

static bool
any_left(const struct server *s)
{
    for (unsigned i = 0; i < GENERATIONS; i++)
        if (s->generations[i].pid)
            return true;
    return false;
}

/* Do all threads turn? A loop turns at least once a second, whatever it serves. */
static bool
all_turn(const struct server *s, int64_t now)
{
    if (!s->serving)
        return true; /* another process is being started */
    for (unsigned i = 0; i < s->threads_n; i++) {
        int64_t last = atomic_load_explicit(&s->turned_ms[i], memory_order_relaxed);

        if (now - (last > s->serving->started_ms ? last : s->serving->started_ms) > TURN_MS)
            return false;
    }
    return true;
}

/* Who watches hears of us as long as we do what we are here for. */
static void
say_alive(struct server *s)
{
    int64_t now = clock_read().run_ms;

    if (!s->turned_ms || now - s->said_ms < s->service.watchdog_ms / 4 || !all_turn(s, now))
        return;
    s->said_ms = now;
    service_say(&s->service, ERN_SLICE("WATCHDOG=1"));
}

/* How long to sleep unless a signal comes. */
static struct timespec
sleep_most(const struct server *s)
{
    int64_t ms = s->turned_ms ? s->service.watchdog_ms / 4 + 1 : 3600000;

    if (!s->serving && ms > 50)
        ms = 50;
    return (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

static void
supervise(struct server *s, const sigset_t *signals)
{
    while (!s->stopping || any_left(s)) {
        const struct timespec most = sleep_most(s);

        if (most.tv_sec) /* else it is not worth it */
            memory_give_back();
        switch (sigtimedwait(signals, NULL, &most)) {
        case SIGHUP:
            if (s->stopping)
                break;
            say_reloading(s);
            reload(s);
            service_say(&s->service, ERN_SLICE("READY=1"));
            break;
        case SIGTERM:
        case SIGINT:
            if (s->stopping) /* said twice: at once */
                for (unsigned i = 0; i < GENERATIONS; i++)
                    if (s->generations[i].pid)
                        (void)kill(s->generations[i].pid, SIGKILL);
            stop(s);
            break;
        default:
            break;
        }
        reap(s);
        start_again(s);
        say_alive(s);
    }
}

static void
say_where(const struct server *s)
{
    for (unsigned i = 0; i < s->sockets->listens_n; i++) {
        char text[64];
        struct out o = out_init(text, sizeof text);

        address_write(&o, &s->sockets->addresses[i]);
        (void)fprintf(stderr, "earnest: serving on http%s://%.*s/\n",
                      s->conf->listens[i].certificate.n ? "s" : "", (int)o.len, o.ptr);
    }
}

/* Zeroes that the processes to come share with us. NULL: there is no memory. */
static void *
share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* What is said of themselves by them and by us: what each thread served last, when it last turned,
 * if somebody wants to know, and what became of reloads. */
static int
open_words(struct server *s)
{
    s->last_requests = share((size_t)s->threads_n * WORKER_LAST_BYTES);
    s->reloads = share(sizeof *s->reloads);
    if (s->service.watchdog_ms)
        s->turned_ms = share(s->threads_n * sizeof *s->turned_ms);
    return s->last_requests && s->reloads && (s->turned_ms || !s->service.watchdog_ms) ? 0
                                                                                       : -ENOMEM;
}

/* All that can fail while the server starts. */
static int
open_server(struct server *s)
{
    struct ern_slice name;
    int error;

    s->conf = read_conf(s->source);
    if (!s->conf)
        return -EINVAL;
    s->threads_n = threads_for(s->conf);
    fit_descriptors(&s->conf->limits, keeps_answers(s->conf));
    fit_memory(&s->conf->limits, s->threads_n);
    error = sockets_open(s->conf, s->threads_n, &s->service, NULL, &s->sockets, &name);
    if (error)
        return complain(name.ptr ? name.ptr : "sockets", error);
    if (getrandom(s->ticket_key, sizeof s->ticket_key, 0) != sizeof s->ticket_key)
        return complain("getrandom", -EIO);
    error = tls_replay_open(&s->replay);
    if (!error)
        error = pauses_open(&s->pauses);
    if (!error)
        error = pots_open(&s->pots);
    if (!error)
        error = passes_open(&s->passes);
    if (!error)
        error = open_words(s);
    if (error)
        return complain("memory", error);
    say_idle(s, s->sockets);
    s->serving = start(s, s->conf, s->sockets);
    return s->serving ? 0 : -ECHILD;
}

int
server_run(const struct server_source *source)
{
    static const int listened[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD};
    struct server s = {.source = source};
    sigset_t signals;
    int error;

    service_begin(&s.service);
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof listened / sizeof *listened; i++)
        sigaddset(&signals, listened[i]);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    error = open_server(&s);
    if (!error) {
        say_where(&s);
        service_say(&s.service, ERN_SLICE("READY=1"));
        supervise(&s, &signals);
    }
    sockets_close(s.sockets, NULL);
    conf_free(s.conf);
    tls_replay_close(s.replay);
    pauses_close(s.pauses);
    pots_close(s.pots);
    passes_close(s.passes);
    if (s.last_requests)
        (void)munmap(s.last_requests, (size_t)s.threads_n * WORKER_LAST_BYTES);
    if (s.reloads)
        (void)munmap(s.reloads, sizeof *s.reloads);
    if (s.turned_ms)
        (void)munmap(s.turned_ms, s.threads_n * sizeof *s.turned_ms);
    return error ? 1 : 0;
}
