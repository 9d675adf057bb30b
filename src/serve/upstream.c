/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "serve/cached.h"
#include "serve/origin.h"
#include "serve/probe.h"
#include "serve/program.h"
#include "serve/relay.h"
#include "serve/upstream_h2.h"
#include "wire/h1_answer.h"

enum {
    MARK = 1,  /* in a pointer of the loop: it is one to an upstream */
    MARKS = 3, /* the bits that say of what it is one */
};

struct upstreams {
    struct worker *worker;
    struct limits limits; /* of answers */
    struct timer_list times[TIMES];
    struct relay *again;     /* relay_again() is to be called */
    struct shared *stirred;  /* likewise shared_turn() */
    struct upstream *closed; /* in this turn: events for them may still come */
    struct upstream *spare;  /* memory of others */
    struct origins *groups;
    unsigned groups_n;
    unsigned resolving_n;
};

/* ---- of a worker -------------------------------------------------------------------------------
 */

static int
open_group(struct upstreams *ups, struct origins *g, const struct origin_names *names)
{
    g->origin = calloc(names->n, sizeof *g->origin);
    if (!g->origin)
        return -ENOMEM;
    g->by_hash = names->by_hash;
    g->wanted = names->wanted;
    g->authorities = names->authorities;
    g->speech = names->speech;
    g->trust = names->trust;
    for (g->n = 0; g->n < names->n; g->n++) {
        origin_init(&g->origin[g->n], ups, &names->name[g->n]);
        if (names->requests_max)
            g->origin[g->n].requests_max = names->requests_max;
        g->origin[g->n].http2 = g->origin[g->n].shares = names->http2;
        if (slice_is_there(names->probe))
            probe_begin(&g->origin[g->n], g, names->probe);
    }
    return 0;
}

struct upstreams *
upstreams_new(struct worker *w, const struct origin_names *const *names, unsigned groups_n)
{
    struct upstreams *ups = calloc(1, sizeof *ups);
    const int64_t times[TIMES] = {
        [TIME_CONNECT] = w->limits->upstream_connect_ms,
        [TIME_ANSWER] = w->limits->upstream_answer_ms,
        [TIME_STALL] = w->limits->upstream_stall_ms,
        [TIME_TUNNEL] = w->limits->tunnel_idle_ms,
        [TIME_EXIT] = w->limits->program_exit_ms,
        [TIME_IDLE] = w->limits->upstream_idle_ms,
        [TIME_REST] = w->limits->probe_interval_ms,
        [TIME_PROBE] = w->limits->probe_timeout_ms,
        [TIME_COLLAPSE] = w->limits->collapse_wait_ms,
    };

    if (!ups)
        return NULL;
    ups->worker = w;
    ups->limits = h1_answer_limits(w->limits);
    for (unsigned i = 0; i < TIMES; i++)
        timer_list_init(&ups->times[i], times[i]);
    ups->groups = calloc(groups_n ? groups_n : 1, sizeof *ups->groups);
    while (ups->groups && ups->groups_n < groups_n &&
           open_group(ups, &ups->groups[ups->groups_n], names[ups->groups_n]) == 0)
        ups->groups_n++;
    if (ups->groups && ups->groups_n == groups_n)
        return ups;
    upstreams_free(ups);
    return NULL;
}

void
upstreams_stir_shared(struct upstreams *ups, struct shared *s)
{
    *shared_next_stirred(s) = ups->stirred;
    ups->stirred = s;
}

/* What they have to say goes out, that of all requests of a turn together. */
static void
turn_shared(struct upstreams *ups)
{
    struct shared *list = ups->stirred;

    ups->stirred = NULL;
    while (list) {
        struct shared *s = list;

        list = *shared_next_stirred(s);
        shared_turn(s);
    }
}

void
upstreams_free(struct upstreams *ups)
{
    if (!ups)
        return;
    for (unsigned i = 0; i < ups->groups_n; i++) {
        for (unsigned j = 0; j < ups->groups[i].n; j++)
            origin_end(&ups->groups[i].origin[j]);
        free(ups->groups[i].origin);
    }
    turn_shared(ups);
    upstreams_reuse(ups->worker);
    while (ups->spare) {
        struct upstream *u = ups->spare;

        ups->spare = u->next;
        free(u);
    }
    free(ups->groups);
    free(ups);
}

struct origins *
upstreams_group(struct upstreams *ups, unsigned number)
{
    assert(number < ups->groups_n);
    return &ups->groups[number];
}

const struct limits *
upstreams_limits(const struct upstreams *ups)
{
    return &ups->limits;
}

struct worker *
upstreams_worker(const struct upstreams *ups)
{
    return ups->worker;
}

void
upstreams_resolve(struct upstreams *ups, int more)
{
    ups->resolving_n += (unsigned)more;
}

bool
upstreams_are_busy(const struct worker *w)
{
    return w->upstreams && w->upstreams->resolving_n > 0;
}

bool
upstreams_is(const void *what)
{
    return ((uintptr_t)what & MARKS) == MARK;
}

/* Whoever ends a connection, or says something unasked, is not asked over it (RFC 9112 9.3.1). */
static bool
is_quiet(const struct upstream *u)
{
    char byte;

    if (u->tls) /* what TLS itself has to say is no word of the server */
        return tls_link_receive(u->tls, &byte, 1) == -EAGAIN;
    return recv(u->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void
upstreams_event(struct worker *w, void *what, uint32_t events)
{
    struct upstream *u = (void *)((char *)what - MARK);

    (void)w;
    if (u->fd < 0) /* closed earlier in this turn */
        return;
    u->drained = false;
    u->hung_up |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (u->shared)
        shared_event(u->shared);
    else if (u->relay)
        relay_event(u->relay, events);
    else if (u->probe)
        probe_event(u->probe, events);
    else if (u->link && !is_quiet(u))
        upstream_close(u);
}

void
upstreams_time(struct upstreams *ups, struct timer *timer, enum upstream_time time)
{
    timer_start(&ups->times[time], timer, ups->worker->now.run_ms);
}

void
upstreams_expire(struct worker *w)
{
    struct upstreams *ups = w->upstreams;
    struct timer *t;

    for (unsigned i = 0; ups && i < TIMES; i++)
        while ((t = timer_expired(&ups->times[i], w->now.run_ms))) {
            timer_stop(t);
            if (i == TIME_IDLE)
                upstream_close((struct upstream *)t);
            else if (i == TIME_REST || i == TIME_PROBE)
                probe_expired(t, i == TIME_PROBE);
            else if (i == TIME_COLLAPSE)
                cached_expired(t);
            else
                relay_expired((struct relay *)t, (enum upstream_time)i);
        }
}

void
upstreams_stir(struct upstreams *ups, struct relay *r)
{
    relay_enter(r, &ups->again);
}

void
upstreams_again(struct worker *w)
{
    struct upstreams *ups = w->upstreams;
    struct relay *list = NULL;

    if (!ups)
        return;
    /* What is stirred while these go on has its turn in the next one. */
    while (ups->again)
        relay_enter(ups->again, &list);
    while (list) {
        struct relay *r = list;

        relay_enter(r, NULL);
        relay_again(r);
    }
    turn_shared(ups);
}

int
upstreams_wait_ms(const struct worker *w)
{
    const struct upstreams *ups = w->upstreams;
    int least = -1;

    if (ups && (ups->again || ups->stirred))
        return 0;
    for (unsigned i = 0; ups && i < TIMES; i++) {
        int ms = timer_wait_ms(&ups->times[i], w->now.run_ms);

        if (ms >= 0 && (least < 0 || ms < least))
            least = ms;
    }
    return least;
}

void
upstreams_reuse(struct worker *w)
{
    struct upstreams *ups = w->upstreams;

    while (ups && ups->closed) {
        struct upstream *u = ups->closed;

        ups->closed = u->next;
        u->next = ups->spare;
        ups->spare = u;
    }
}

/* ---- connections -------------------------------------------------------------------------------
 */

struct upstream *
upstreams_take(struct upstreams *ups)
{
    struct upstream *u = ups->spare;

    if (u)
        ups->spare = u->next;
    else
        u = malloc(sizeof *u);
    if (u)
        *u = (struct upstream){.fd = -1};
    return u;
}

/* Has the loop watch it. Returns a negative errno, with fd closed, if it can not. */
static int
watch(struct upstream *u, struct origin *o, int fd)
{
    struct upstreams *ups = o->upstreams;
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {NULL}};
    int error = 0;

    e.data.ptr = (char *)u + MARK;
    u->origin = o;
    u->fd = fd;
    if (epoll_ctl(ups->worker->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        error = -errno;
    if (!error) {
        o->upstreams_n++;
        return 0;
    }
    (void)close(fd);
    return error;
}

struct upstream *
upstream_open(struct origin *o, const struct ip_port *to, int *ret_error)
{
    struct upstreams *ups = o->upstreams;
    struct upstream *u = upstreams_take(ups);
    int fd;

    *ret_error = -ENOMEM;
    if (!u)
        return NULL;
    fd = slice_is_there(o->name.path) ? dial_path(o->name.path) : dial(to);
    *ret_error = fd < 0 ? fd : watch(u, o, fd);
    if (!*ret_error)
        return u;
    u->next = ups->spare;
    ups->spare = u;
    return NULL;
}

struct upstream *
upstream_adopt(struct origin *o, int fd, struct program *program)
{
    struct upstreams *ups = o->upstreams;
    struct upstream *u = upstreams_take(ups);

    if (!u) {
        (void)close(fd);
        return NULL;
    }
    if (watch(u, o, fd) == 0) {
        u->connected = true;
        u->program = program;
        return u;
    }
    u->next = ups->spare;
    ups->spare = u;
    return NULL;
}

static void
give_back(struct worker *w, struct buffer **buffer)
{
    if (*buffer)
        worker_buffer_done(w, *buffer);
    *buffer = NULL;
}

/* Takes it out of the list of those that wait. */
static void
leave_idle(struct upstream *u)
{
    if (!u->link)
        return;
    *u->link = u->next;
    if (u->next)
        u->next->link = u->link;
    u->link = NULL;
    u->origin->idle_n--;
    timer_stop(&u->timer);
}

void
upstream_close(struct upstream *u)
{
    struct upstreams *ups = u->origin->upstreams;

    leave_idle(u);
    if (u->shared) { /* which comes back here */
        shared_close(u->shared);
        return;
    }
    timer_stop(&u->timer);
    if (u->stream)
        stream_leave(u, false);
    tls_link_free(u->tls);
    u->tls = NULL;
    if (u->fd >= 0) {
        (void)close(u->fd);
        u->origin->upstreams_n--;
    }
    u->fd = -1;
    if (u->program)
        program_leave(u->program);
    u->program = NULL;
    give_back(ups->worker, &u->in);
    give_back(ups->worker, &u->out);
    u->relay = NULL;
    u->next = ups->closed;
    ups->closed = u;
}

void
upstream_keep(struct upstream *u)
{
    struct origin *o = u->origin;

    if (u->stream)
        stream_leave(u, true);
    if (u->fd < 0 || !o->keeps || o->idle_n >= o->upstreams->worker->limits->upstream_idle_max ||
        o->upstreams->worker->draining) {
        upstream_close(u);
        return;
    }
    give_back(o->upstreams->worker, &u->in);
    give_back(o->upstreams->worker, &u->out);
    u->relay = NULL;
    u->reused = true;
    u->next = o->idle;
    u->link = &o->idle;
    if (o->idle)
        o->idle->link = &u->next;
    o->idle = u;
    o->idle_n++;
    upstreams_time(o->upstreams, &u->timer, TIME_IDLE);
}

struct upstream *
upstream_idle(struct origin *o)
{
    struct upstream *stream = shared_find(o);

    if (stream)
        return stream;
    while (o->idle) {
        struct upstream *u = o->idle;

        leave_idle(u);
        if (is_quiet(u))
            return u;
        upstream_close(u);
    }
    return NULL;
}

struct buffer *
upstream_room(struct upstream *u)
{
    if (!u->out)
        u->out = worker_buffer(u->origin->upstreams->worker);
    return u->out;
}

int
upstream_secure(struct upstream *u, const struct tls_trust *trust)
{
    int error;

    if (!u->origin->name.is_secure || u->stream)
        return 0;
    error = u->tls ? 0
                   : tls_link_new(trust, u->origin->name.host, u->origin->http2, &u->origin->ticket,
                                  u->fd, &u->tls);
    return error ? error : tls_link_shake(u->tls);
}

struct upstream *
upstream_share(struct upstream *u)
{
    struct origin *o = u->origin;

    if (!o->http2 || u->stream)
        return u;
    o->shares = !u->tls || tls_link_is_h2(u->tls);
    return o->shares ? shared_begin(u) : u;
}

void
upstream_end(struct upstream *u)
{
    if (u->stream) {
        stream_end(u);
        return;
    }
    if (u->tls)
        tls_link_end(u->tls);
    (void)shutdown(u->fd, SHUT_WR);
}

/* As send() and recv(), but that they return a negative errno. */
static ssize_t
send_some(struct upstream *u, struct ern_slice bytes)
{
    ssize_t n;

    if (u->tls)
        return tls_link_send(u->tls, bytes);
    do
        n = send(u->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static ssize_t
receive_some(struct upstream *u, char *to, size_t room)
{
    ssize_t n;

    if (u->tls)
        return tls_link_receive(u->tls, to, room);
    do
        n = recv(u->fd, to, room, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int
upstream_flush(struct upstream *u)
{
    struct buffer *out = u->out;

    if (u->stream)
        return stream_flush(u);
    while (out && out->at < out->len) {
        ssize_t n = send_some(u, slice_from(out->bytes + out->at, out->len - out->at));

        if (n < 0)
            return (int)n;
        out->at += (size_t)n;
    }
    give_back(u->origin->upstreams->worker, &u->out);
    return 0;
}

struct ern_slice
upstream_received(const struct upstream *u)
{
    return u->in ? slice_from(u->in->bytes + u->in->at, u->in->len - u->in->at) : ERN_SLICE("");
}

/* Did that take all there was? Then the next event tells of more; but not of an end that it has
 * told of already. What a program writes comes by itself, and so do records of TLS. */
static bool
has_drained(const struct upstream *u, ssize_t n, size_t room)
{
    return n > 0 && (size_t)n < room && !u->hung_up && !u->tls && !u->program;
}

ssize_t
upstream_receive(struct upstream *u)
{
    struct worker *w = u->origin->upstreams->worker;
    size_t room;
    ssize_t n;

    if (u->stream)
        return stream_receive(u);
    if (!u->in && !u->drained)
        u->in = worker_buffer(w);
    if (!u->in)
        return u->drained ? -EAGAIN : -ENOMEM;
    room = w->buffer_bytes - u->in->len;
    if (room == 0)
        return -ENOBUFS;
    n = u->drained ? -EAGAIN : receive_some(u, u->in->bytes + u->in->len, room);
    u->drained |= has_drained(u, n, room);
    if (n > 0)
        u->in->len += (size_t)n;
    else if (n == 0)
        u->ended = true;
    if (u->in->len == 0) /* who waits holds nothing */
        give_back(w, &u->in);
    return n;
}
