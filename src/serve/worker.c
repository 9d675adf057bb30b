/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "msg/date.h"
#include "pack/coding.h"
#include "res/files.h"
#include "serve/conn.h"
#include "serve/error.h"
#include "serve/exchange.h"
#include "serve/legal.h"
#include "serve/live.h"
#include "serve/login.h"
#include "serve/program.h"
#include "serve/refresh.h"
#include "serve/tally.h"
#include "serve/upstream.h"

enum {
    EVENTS = 256,
    ACCEPTS = 64,       /* connections that are taken before others have their turn */
    TICK_MS = 1000,     /* the loop turns at least so often: the log is flushed */
    BUFFER_MORE = 4096, /* room in a buffer besides the largest head */
    TARGETS = 5,        /* variables of a script that have all of the path, or of the query */
    VARIABLE_MORE = 24, /* bytes of a variable, and of its record, besides the field */
    PAUSE_MS = 50,      /* without accepting, where there is nothing left to accept with */
    RELAY_MS = 60000,   /* how often those are looked at whom upstream watches over */
    PROGRESS_MS = 32,   /* how finely the time until a 102 is told */
    LISTS = 8,          /* of timers */
    SPARES = 32,        /* of what is large, so many are kept though nobody needs them, */
    STREAMS = 4,        /* and so many of what is larger */
};

enum order { ORDER_SERVE, ORDER_DRAIN, ORDER_STOP };

static void
read_clock(struct worker *w)
{
    struct out o;

    w->now = clock_read();
    if (w->now.unix_s == w->date_s)
        return;
    o = out_init(w->date, sizeof w->date);
    out_literal(&o, "Date: ");
    date_write(&o, w->now.unix_s);
    out_literal(&o, "\r\nServer: earnest\r\n");
    assert(!o.full);
    w->date_len = o.len;
    w->date_s = w->now.unix_s;
}

uint64_t
worker_random(struct worker *w)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct buffer *
worker_buffer(struct worker *w)
{
    struct buffer *b = pile_take(&w->buffers);

    if (!b)
        b = malloc(sizeof *b + w->buffer_bytes);
    if (b)
        b->at = b->len = 0;
    return b;
}

void
worker_buffer_done(struct worker *w, struct buffer *b)
{
    pile_give(&w->buffers, &b->piece);
}

/* Gives back what was needed in a busier time. */
static void
trim(struct worker *w)
{
    if (w->now.run_ms - w->trimmed_ms < TICK_MS)
        return;
    w->trimmed_ms = w->now.run_ms;
    pile_trim(&w->buffers, SPARES);
    pile_trim(&w->exchanges, SPARES);
    pile_trim(&w->streams, STREAMS);
    encoders_trim(w->encoders);
}

static int
watch(struct worker *w, int fd, uint32_t events, void *what)
{
    struct epoll_event e = {events, {.ptr = what}};

    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int
open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int
open_loop(struct worker *w, const struct worker_options *options)
{
    int error;

    w->reserve = open_reserve();
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->reserve < 0 || w->epoll < 0)
        return -errno;
    error = mailbox_open(&w->mailbox);
    if (!error)
        error = watch(w, w->mailbox.fd, EPOLLIN | EPOLLET, &w->mailbox);
    for (unsigned i = 0; !error && i < options->listeners_n; i++)
        error = watch(w, options->listeners[i].fd, EPOLLIN, &options->listeners[i]);
    return error;
}

/* The largest head that is read, of a request or of an answer. */
static size_t
largest_head(const struct limits *l)
{
    int64_t request = l->target_bytes_max + l->fields_bytes_max;

    return (size_t)(request > l->upstream_fields_bytes_max ? request
                                                           : l->upstream_fields_bytes_max);
}

/* Of a script: a path stands in it several times, and each field has a longer name. */
static size_t
largest_environment(const struct limits *l)
{
    return (size_t)(l->fields_bytes_max + TARGETS * l->target_bytes_max +
                    VARIABLE_MORE * l->fields_max);
}

static size_t
buffer_bytes(const struct limits *l, bool has_scripts)
{
    size_t head = largest_head(l), environment = has_scripts ? largest_environment(l) : 0;

    return BUFFER_MORE + (environment > head ? environment : head);
}

static void
init_timers(struct worker *w)
{
    timer_list_init(&w->heads, w->limits->header_timeout_ms);
    timer_list_init(&w->contents, w->limits->content_grace_ms);
    timer_list_init(&w->idles, w->limits->idle_timeout_ms);
    timer_list_init(&w->sends, w->limits->send_stall_ms);
    timer_list_init(&w->lingers, w->limits->linger_ms);
    timer_list_init(&w->waits, PROGRESS_MS);
    timer_list_init(&w->relays, RELAY_MS);
    timer_list_init(&w->halves, w->limits->half_closed_ms);
    alarms_init(&w->alarms);
}

int
worker_new(const struct worker_options *options, struct worker **ret_worker)
{
    const struct limits *limits = options->limits;
    struct worker *w = calloc(1, sizeof *w);
    int error;

    if (!w)
        return -ENOMEM;
    w->sites = options->sites;
    w->limits = limits;
    w->gateways = options->gateways;
    w->forwarded = options->forwarded;
    w->guests = options->guests;
    w->rates = options->rates;
    w->legal = options->legal;
    w->logins = options->logins;
    w->meter = options->meter;
    w->shelf = options->shelf;
    w->incidents = options->incidents;
    w->pool = options->pool;
    w->listeners = options->listeners;
    w->listeners_n = options->listeners_n;
    w->last_request = options->last_request;
    w->turned_ms = options->turned_ms;
    w->deaf = options->deaf;
    w->random = options->key.k0 ^ (uintptr_t)w;
    w->buffer_bytes = buffer_bytes(limits, options->sites->has_scripts);
    w->pseudonym = options->pseudonym;
    w->out = out_init(w->out_bytes, sizeof w->out_bytes);
    w->head = out_init(w->head_bytes, sizeof w->head_bytes);
    w->cipher = out_init(w->cipher_bytes, sizeof w->cipher_bytes);
    spare_init(&w->spare);
    w->epoll = w->reserve = w->mailbox.fd = -1;
    w->json = options->json;
    log_writer_init(&w->access, options->access);
    log_writer_init(&w->errors, options->errors);
    log_writer_init(&w->audit, options->audit);
    init_timers(w);
    read_clock(w);
    w->encoders = encoders_new(limits->encoders_spare_max, limits->encoder_bytes_max);
    w->files = files_new(limits, options->key, w->encoders);
    w->remembered = remembered_new();
    w->programs = programs_new(limits);
    w->upstreams = upstreams_new(w, options->sites->proxies, options->sites->proxies_n);
    error = w->encoders && w->files && w->remembered && w->upstreams && w->programs
                ? open_loop(w, options)
                : -ENOMEM;
    if (!error && options->live)
        w->live = live_port(options->live, options->number, &w->mailbox);
    if (options->tallies) {
        w->tallies = options->tallies;
        w->tally = tally_of(options->tallies, options->number);
    }
    if (options->traces) {
        w->traces = options->traces;
        w->trace = trace_ring(options->traces, options->number);
    }
    if (error) {
        worker_free(w);
        return error;
    }
    *ret_worker = w;
    return 0;
}

/* There is no descriptor left: the reserve is given up for a moment, so that the client is told. */
static void
refuse_one(struct worker *w, const struct listener *listener)
{
    union address peer;
    int fd;

    (void)close(w->reserve);
    fd = listen_accept(listener->fd, &peer);
    if (fd >= 0)
        conn_refuse(w, fd, &peer, listener);
    w->reserve = open_reserve();
}

/* Watches the listeners, or leaves them alone for a while: nothing can be accepted. */
static void
watch_listeners(struct worker *w, bool on)
{
    for (unsigned i = 0; i < w->listeners_n; i++) {
        struct epoll_event e = {on ? EPOLLIN : 0, {.ptr = &w->listeners[i]}};

        (void)epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->listeners[i].fd, &e);
    }
    w->paused = !on;
}

/* After a pause, with a reserve again if it was lost to another thread. */
static void
end_pause(struct worker *w)
{
    if (!w->paused || w->draining || w->now.run_ms - w->paused_ms < PAUSE_MS)
        return;
    if (w->reserve < 0)
        w->reserve = open_reserve();
    watch_listeners(w, true);
}

static void
accept_all(struct worker *w, const struct listener *listener)
{
    for (int i = 0; i < ACCEPTS; i++) {
        union address peer;
        int fd = listen_accept(listener->fd, &peer);

        if (fd >= 0)
            conn_open(w, fd, &peer, listener);
        else if ((fd == -EMFILE || fd == -ENFILE) && w->reserve >= 0)
            refuse_one(w, listener);
        else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
            watch_listeners(w, false); /* else the loop would turn and turn */
            w->paused_ms = w->now.run_ms;
            return;
        } else if (fd != -ECONNABORTED && fd != -EINTR)
            return;
    }
}

static bool
is_listener(const struct worker *w, const void *what)
{
    return what >= (const void *)w->listeners &&
           what < (const void *)(w->listeners + w->listeners_n);
}

static void
handle(struct worker *w, const struct epoll_event *e)
{
    void *what = e->data.ptr;
    struct conn *c = what;

    if (is_listener(w, what)) {
        if (!w->draining)
            accept_all(w, what);
        return;
    }
    if (upstreams_is(what)) {
        upstreams_event(w, what, e->events);
        return;
    }
    if (programs_are(what)) {
        programs_event(w, what);
        return;
    }
    if (what == &w->mailbox) {
        mailbox_run(&w->mailbox);
        live_deliver(w->live);
        return;
    }
    if (e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->hung_up = true;
    if (e->events & (EPOLLHUP | EPOLLERR))
        c->lost = true;
    conn_event(w, c, (e->events & ~(uint32_t)EPOLLOUT) != 0, (e->events & EPOLLOUT) != 0);
}

/* Connections that had more to do than their turn allowed. */
static void
handle_again(struct worker *w)
{
    struct conn *c = w->again_conns, *next;

    w->again_conns = NULL;
    for (; c; c = next) {
        next = c->next;
        c->again = false;
        if (c->stage == CONN_CLOSED) {
            c->next = w->closed_conns;
            w->closed_conns = c;
        } else {
            conn_event(w, c, true, true);
        }
    }
}

/* The i-th of the lists, one of which every connection is in. */
static struct timer_list *
list_of(struct worker *w, size_t i)
{
    struct timer_list *const lists[LISTS] = {&w->heads,   &w->contents, &w->idles,  &w->sends,
                                             &w->lingers, &w->waits,    &w->relays, &w->halves};

    return lists[i];
}

static void
expire(struct worker *w, struct timer_list *list)
{
    struct timer *t;

    while ((t = timer_expired(list, w->now.run_ms)))
        conn_expired(w, (struct conn *)t);
}

/* What was closed in this turn can be used again: no event of this turn can be for it any more. */
static void
reuse_closed(struct worker *w)
{
    upstreams_reuse(w);
    programs_reuse(w);
    while (w->closed_conns) {
        struct conn *c = w->closed_conns;

        w->closed_conns = c->next;
        c->next = w->spare_conns;
        w->spare_conns = c;
    }
}

static int
wait_ms(struct worker *w)
{
    int least = w->again_conns ? 0 : w->paused ? PAUSE_MS : TICK_MS;
    int upstream_ms = upstreams_wait_ms(w), program_ms = programs_wait_ms(w);
    int alarm_ms = alarms_wait_ms(&w->alarms, w->now.run_ms);

    for (size_t i = 0; i < LISTS; i++) {
        int ms = timer_wait_ms(list_of(w, i), w->now.run_ms);

        if (ms >= 0 && ms < least)
            least = ms + 1;
    }
    if (upstream_ms >= 0 && upstream_ms < least)
        least = upstream_ms;
    if (program_ms >= 0 && program_ms < least)
        least = program_ms;
    if (alarm_ms >= 0 && alarm_ms < least)
        least = alarm_ms;
    if (w->draining && w->drain_end_ms - w->now.run_ms < least)
        least = w->drain_end_ms > w->now.run_ms ? (int)(w->drain_end_ms - w->now.run_ms) : 0;
    return least;
}

static void
leave_all(struct worker *w, struct timer_list *list, bool at_once)
{
    for (struct timer *t = list->head.next, *next; t != &list->head; t = next) {
        next = t->next;
        conn_leave(w, (struct conn *)t, at_once);
    }
}

/* Takes nothing new; what asks nothing is ended when the server stops, or at the end of its time.
 */
static void
drain(struct worker *w, bool stopping)
{
    bool first = !w->draining;

    if (!w->draining) {
        w->draining = true;
        w->drain_end_ms = w->now.run_ms + w->limits->drain_timeout_ms;
        /* Closed, too: what nobody accepts from must not keep its share of new connections. */
        for (unsigned i = 0; i < w->listeners_n; i++) {
            (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->listeners[i].fd, NULL);
            (void)close(w->listeners[i].fd);
        }
        (void)sem_post(w->deaf);
    }
    if (first || stopping)
        for (size_t i = 0; i < LISTS; i++)
            leave_all(w, list_of(w, i), stopping && list_of(w, i) == &w->idles);
}

static void
obey(struct worker *w)
{
    enum order order = (enum order)atomic_load(&w->order);

    if (order != ORDER_SERVE)
        drain(w, order == ORDER_STOP);
}

/* Their time is over: what still asks or is answered is cut. */
static void
close_all(struct worker *w)
{
    for (size_t i = 0; i < LISTS; i++) {
        struct timer_list *list = list_of(w, i);

        while (list->head.next != &list->head)
            conn_close(w, (struct conn *)list->head.next);
    }
    handle_again(w);
    refresh_end_all(w);
}

/* Jobs have what is left of cut requests: what came of an upload is kept, and all is given back. */
static void
await_jobs(struct worker *w)
{
    struct epoll_event mail; /* nothing else is watched any more */

    while (w->exchanges_n || upstreams_are_busy(w)) {
        (void)epoll_wait(w->epoll, &mail, 1, TICK_MS);
        mailbox_run(&w->mailbox);
    }
}

void
worker_run(struct worker *w)
{
    struct epoll_event events[EVENTS];

    while (!w->draining || (w->conns_n && w->now.run_ms < w->drain_end_ms)) {
        int n = epoll_wait(w->epoll, events, EVENTS, wait_ms(w));

        read_clock(w);
        if (w->turned_ms)
            atomic_store_explicit(w->turned_ms, w->now.run_ms, memory_order_relaxed);
        w->demands = legal_take(w->legal, w->demands);
        for (int i = 0; i < n; i++)
            handle(w, &events[i]);
        handle_again(w);
        upstreams_again(w);
        for (size_t i = 0; i < LISTS; i++)
            expire(w, list_of(w, i));
        upstreams_expire(w);
        programs_expire(w);
        exchange_wake_all(w);
        obey(w);
        end_pause(w);
        reuse_closed(w);
        trim(w);
        log_flush(&w->access, w->now.run_ms, false);
        log_flush(&w->errors, w->now.run_ms, false);
        log_flush(&w->audit, w->now.run_ms, false);
    }
    close_all(w);
    await_jobs(w);
    legal_give(w->legal, w->demands);
    w->demands = NULL;
    log_flush(&w->access, w->now.run_ms, true);
    log_flush(&w->errors, w->now.run_ms, true);
    log_flush(&w->audit, w->now.run_ms, true);
}

void
worker_end(struct worker *w, bool stopping)
{
    uint64_t one = 1;

    atomic_store(&w->order, stopping ? ORDER_STOP : ORDER_DRAIN);
    (void)!write(w->mailbox.fd, &one, sizeof one);
}

void
worker_free(struct worker *w)
{
    if (!w)
        return;
    pile_free(&w->buffers);
    pile_free(&w->exchanges);
    pile_free(&w->streams);
    reuse_closed(w);
    while (w->spare_conns) {
        struct conn *c = w->spare_conns;

        w->spare_conns = c->next;
        free(c);
    }
    upstreams_free(w->upstreams);
    programs_free(w->programs);
    spare_free(&w->spare);
    error_forget(w);
    files_free(w->files);
    encoders_free(w->encoders);
    remembered_free(w->remembered);
    if (w->mailbox.fd >= 0)
        mailbox_close(&w->mailbox);
    if (w->epoll >= 0)
        (void)close(w->epoll);
    if (w->reserve >= 0)
        (void)close(w->reserve);
    free(w);
}
