/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/upstream_h2.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "serve/origin.h"
#include "serve/probe.h"
#include "serve/relay.h"
#include "wire/h2_client.h"

enum {
    TURN_READS = 4,    /* full buffers that are read before others have their turn, */
    TURN_ROUNDS = 4,   /* and rounds of hearing and sending */
    HELD_BYTES = 4096, /* of an answer, to begin with */
};

struct stream {
    struct h2_ask ask;                     /* first */
    struct upstream *upstream;             /* that it is */
    struct shared *shared;                 /* NULL: the connection is gone */
    struct stream *next, **link;           /* of all of the connection */
    struct stream *next_news, **link_news; /* of those that were not told what came; NULL: none */
    char *held;                            /* what came and was not taken: */
    size_t held_at, held_n, held_cap;      /* from where, so much of it, */
    size_t text_n;                         /* of which so much are heads */
    uint64_t heard_n;                      /* how often the connection had said something before, */
    int64_t begun_ms;                      /* and when it began */
    bool is_asked;
    bool is_last; /* no more content of the request comes */
};

struct shared {
    struct h2_client h2;
    struct upstream *by; /* the connection */
    struct origin *origin;
    struct shared *next, **link; /* of the origin */
    struct shared *next_stirred; /* of those that have something to send */
    bool is_stirred;
    struct stream *streams, *news;
    uint64_t heard_n; /* how often it has said something */
    bool has_greeted; /* it has said how many requests it takes */
    bool is_leaving;  /* it is asked no more */
    bool is_over;     /* and says no more, */
    bool is_garbled;  /* for what it said is not HTTP/2 */
    bool has_served;  /* it has answered */
};

static struct worker *
worker_of(const struct shared *s)
{
    return upstreams_worker(s->origin->upstreams);
}

static void
stir(struct shared *s)
{
    if (!s->is_stirred)
        upstreams_stir_shared(s->origin->upstreams, s);
    s->is_stirred = true;
}

struct shared **
shared_next_stirred(struct shared *s)
{
    return &s->next_stirred;
}

/* ---- what came ---------------------------------------------------------------------------------
 */

/* Room for n bytes more; false without memory. Window and limits bound it. */
static bool
hold(struct stream *st, size_t n)
{
    size_t cap = st->held_cap ? st->held_cap : HELD_BYTES;
    char *held;

    if (st->held_at + st->held_n + n <= st->held_cap)
        return true;
    if (st->held_at)
        memmove(st->held, st->held + st->held_at, st->held_n);
    st->held_at = 0;
    while (cap < st->held_n + n)
        cap *= 2;
    if (cap == st->held_cap)
        return true;
    held = realloc(st->held, cap);
    if (!held)
        return false;
    st->held = held;
    st->held_cap = cap;
    return true;
}

static bool
came(void *self, struct h2_ask *ask, struct ern_slice bytes, bool is_content)
{
    struct stream *st = (struct stream *)ask;

    (void)self;
    if (!hold(st, bytes.len))
        return false;
    if (bytes.len)
        memcpy(st->held + st->held_at + st->held_n, bytes.ptr, bytes.len);
    st->held_n += bytes.len;
    st->text_n += is_content ? 0 : bytes.len;
    return true;
}

static void
news(void *self, struct h2_ask *ask)
{
    struct stream *st = (struct stream *)ask;
    struct shared *s = self;

    if (st->link_news)
        return;
    st->next_news = s->news;
    st->link_news = &s->news;
    if (s->news)
        s->news->link_news = &st->next_news;
    s->news = st;
}

static void
leave_news(struct stream *st)
{
    if (!st->link_news)
        return;
    *st->link_news = st->next_news;
    if (st->next_news)
        st->next_news->link_news = st->link_news;
    st->link_news = NULL;
}

static ssize_t
offer(void *self, struct h2_ask *ask, size_t cap, bool *ret_end)
{
    const struct stream *st = (const struct stream *)ask;
    const struct buffer *out = st->upstream->out;
    size_t n = out ? out->len - out->at : 0;

    (void)self;
    *ret_end = st->is_last && n <= cap;
    if (n == 0 && !*ret_end)
        return H2_LATER;
    return (ssize_t)(n < cap ? n : cap);
}

static void
give(void *self, struct h2_ask *ask, char *bytes, size_t n)
{
    struct stream *st = (struct stream *)ask;
    struct buffer *out = st->upstream->out;

    if (!out)
        return;
    memcpy(bytes, out->bytes + out->at, n);
    out->at += n;
    if (out->at < out->len)
        return;
    worker_buffer_done(worker_of(self), out);
    st->upstream->out = NULL;
    news(self, ask); /* it takes more */
}

static const struct h2_client_events events = {came, news, offer, give};

/* ---- connections -------------------------------------------------------------------------------
 */

static struct upstream *
begin_stream(struct shared *s)
{
    struct upstream *u = upstreams_take(s->origin->upstreams);
    struct stream *st = u ? calloc(1, sizeof *st) : NULL;

    if (!u)
        return NULL;
    u->origin = s->origin;
    if (!st) {
        upstream_close(u);
        return NULL;
    }
    u->stream = st;
    u->connected = true;
    u->reused = s->has_served;
    st->upstream = u;
    st->shared = s;
    st->heard_n = s->heard_n;
    st->begun_ms = worker_of(s)->now.run_ms;
    st->next = s->streams;
    st->link = &s->streams;
    if (s->streams)
        s->streams->link = &st->next;
    s->streams = st;
    timer_stop(&s->by->timer);
    return u;
}

struct upstream *
shared_begin(struct upstream *by)
{
    struct origin *o = by->origin;
    struct worker *w = upstreams_worker(o->upstreams);
    struct shared *s = calloc(1, sizeof *s);

    if (!s || h2_client_begin(&s->h2, upstreams_limits(o->upstreams), &w->spare.memory, &events, s,
                              w->now.run_ms) != 0) {
        free(s);
        upstream_close(by);
        return NULL;
    }
    s->by = by;
    s->origin = o;
    by->shared = s;
    by->relay = NULL;
    by->probe = NULL;
    s->next = o->shared;
    s->link = &o->shared;
    if (o->shared)
        o->shared->link = &s->next;
    o->shared = s;
    o->shared_n++;
    stir(s);
    return begin_stream(s);
}

struct upstream *
shared_find(struct origin *o)
{
    for (struct shared *s = o->shared; s; s = s->next)
        if (s->has_greeted && !s->is_leaving && !s->is_over && h2_client_has_room(&s->h2))
            return begin_stream(s);
    return NULL;
}

bool
shared_are_greeting(const struct origin *o)
{
    for (const struct shared *s = o->shared; s; s = s->next)
        if (!s->has_greeted && !s->is_over)
            return true;
    return false;
}

void
shared_release(struct origin *o)
{
    while (o->queue)
        upstreams_stir(o->upstreams, o->queue);
}

bool
shared_are_full(const struct origin *o)
{
    return o->shared_n >= upstreams_limits(o->upstreams)->upstream_shared_max;
}

void
shared_close(struct shared *s)
{
    struct upstream *by = s->by;

    for (struct stream *st = s->streams, *next; st; st = next) {
        next = st->next;
        leave_news(st);
        st->shared = NULL;
        st->link = NULL;
        st->ask.closed = true;
    }
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    s->origin->shared_n--;
    s->is_over = true;
    shared_release(s->origin);
    by->shared = NULL;
    if (s->is_stirred) /* shared_turn() frees it */
        s->by = NULL;
    h2_client_end(&s->h2);
    upstream_close(by);
    if (!s->is_stirred)
        free(s);
}

/* Reads what came, and has it sorted. */
static void
hear(struct shared *s)
{
    struct upstream *by = s->by;
    ssize_t n = 1;

    for (unsigned reads = 0; n > 0 && !s->is_over; reads++) {
        if (reads == TURN_READS) {
            stir(s);
            return;
        }
        n = upstream_receive(by);
        if (n > 0) {
            s->heard_n++;
            s->is_over = s->is_garbled =
                !h2_client_feed(&s->h2, upstream_received(by), worker_of(s)->now.run_ms);
            by->in->at = by->in->len = 0;
        } else if (n != -EAGAIN) {
            s->is_over = true;
        }
    }
    if (by->in) {
        worker_buffer_done(worker_of(s), by->in);
        by->in = NULL;
    }
}

/* Sends what there is, until it is all or no more is taken. */
static void
speak(struct shared *s)
{
    struct upstream *by = s->by;
    size_t before;

    do {
        int error = by->out ? upstream_flush(by) : 0;
        struct buffer *room;
        struct out o;

        if (error && error != -EAGAIN)
            s->is_over = true;
        if (error || !h2_client_has_more(&s->h2))
            return;
        room = upstream_room(by);
        if (!room) {
            s->is_over = true;
            return;
        }
        before = room->len;
        o = out_init(room->bytes, worker_of(s)->buffer_bytes);
        o.len = before;
        if (!h2_client_send(&s->h2, &o))
            s->is_over = s->is_garbled = true;
        room->len = o.len;
    } while (by->out->len > before);
    (void)upstream_flush(by); /* nothing: gives back the room */
}

/* Those that asked hear what came of it, or that no more will. Each may end any of them. */
static void
deliver(struct shared *s)
{
    while (s->news) {
        struct stream *st = s->news;
        struct upstream *u = st->upstream;

        leave_news(st);
        s->has_served |= st->ask.head_done;
        if (u->relay)
            relay_event(u->relay, EPOLLIN);
        else if (u->probe)
            probe_event(u->probe, EPOLLIN);
    }
}

/* What is left of a connection that says no more: its streams end. */
static void
cut(struct shared *s)
{
    for (struct stream *st = s->streams; st; st = st->next) {
        st->ask.garbled |= !st->ask.closed && s->is_garbled;
        st->ask.closed = true;
        news(s, &st->ask);
    }
    deliver(s);
    shared_close(s);
}

static void
go_on(struct shared *s)
{
    if (s->h2.is_greeted && !s->has_greeted) {
        s->has_greeted = true;
        shared_release(s->origin);
    }
    for (unsigned round = 0; !s->is_over; round++) {
        deliver(s);
        speak(s);
        if (!s->news)
            break;
        if (round == TURN_ROUNDS) {
            stir(s);
            break;
        }
    }
    if (s->is_over)
        cut(s);
    else if (!s->streams && (s->is_leaving || !h2_client_has_room(&s->h2)))
        shared_close(s);
    else if (!s->streams)
        upstreams_time(s->origin->upstreams, &s->by->timer, TIME_IDLE);
}

void
shared_event(struct shared *s)
{
    hear(s);
    go_on(s);
}

void
shared_turn(struct shared *s)
{
    s->is_stirred = false;
    if (!s->by)
        free(s);
    else
        shared_event(s);
}

/* ---- streams -----------------------------------------------------------------------------------
 */

/* The head of the request is there: asks. */
static int
ask(struct stream *st)
{
    struct upstream *u = st->upstream;
    struct out head = out_init(u->out->bytes, u->out->len);
    int error;

    head.len = u->out->len;
    st->is_asked = true;
    error =
        h2_client_ask(&st->shared->h2, &st->ask, &head, u->origin->name.is_secure, !st->is_last);
    worker_buffer_done(worker_of(st->shared), u->out);
    u->out = NULL;
    u->untouched = error != 0;
    u->reused |= error != 0;
    return error;
}

int
stream_flush(struct upstream *u)
{
    struct stream *st = u->stream;

    if (!st->shared)
        return -ECONNRESET;
    if (st->is_asked && (st->ask.closed || !u->out))
        return u->out ? -ECONNRESET : 0;
    stir(st->shared);
    if (!st->is_asked)
        return ask(st);
    h2_client_go_on(&st->shared->h2, &st->ask);
    return -EAGAIN;
}

void
stream_end(struct upstream *u)
{
    struct stream *st = u->stream;

    st->is_last = true;
    if (!st->shared || !st->is_asked)
        return;
    h2_client_go_on(&st->shared->h2, &st->ask);
    stir(st->shared);
}

/* Nothing of it is held: what does that say? */
static ssize_t
end_of(struct upstream *u)
{
    const struct h2_ask *a = &u->stream->ask;

    if (a->ended && a->head_done && !a->garbled) {
        u->ended = true;
        return 0;
    }
    if (!a->closed && !a->garbled)
        return -EAGAIN;
    u->untouched = a->untouched;
    u->reused |= a->untouched;
    return a->garbled ? -EPROTO : -ECONNRESET;
}

ssize_t
stream_receive(struct upstream *u)
{
    struct stream *st = u->stream;
    struct worker *w = upstreams_worker(u->origin->upstreams);
    size_t room, n, text_n;

    if (st->held_n == 0)
        return end_of(u);
    if (!u->in)
        u->in = worker_buffer(w);
    if (!u->in)
        return -ENOMEM;
    room = w->buffer_bytes - u->in->len;
    if (room == 0)
        return -ENOBUFS;
    n = st->held_n < room ? st->held_n : room;
    text_n = n < st->text_n ? n : st->text_n;
    memcpy(u->in->bytes + u->in->len, st->held + st->held_at, n);
    u->in->len += n;
    st->text_n -= text_n;
    st->held_n -= n;
    st->held_at = st->held_n ? st->held_at + n : 0;
    if (st->shared && !st->ask.closed && n > text_n) {
        h2_client_taken(&st->shared->h2, &st->ask, n - text_n);
        stir(st->shared);
    }
    return (ssize_t)n;
}

/* Has the connection said nothing at all for as long as one waits for an answer? Then it is asked
 * no more. */
static bool
is_mute(const struct stream *st)
{
    const struct worker *w = worker_of(st->shared);

    return st->is_asked && !st->ask.closed && st->shared->heard_n == st->heard_n &&
           w->now.run_ms - st->begun_ms >= w->limits->upstream_answer_ms;
}

void
stream_leave(struct upstream *u, bool is_whole)
{
    struct stream *st = u->stream;
    struct shared *s = st->shared;

    leave_news(st);
    if (s) {
        *st->link = st->next;
        if (st->next)
            st->next->link = st->link;
        if (st->is_asked)
            h2_client_forget(&s->h2, &st->ask, !is_whole);
        s->is_leaving |= is_mute(st);
        stir(s);
    }
    u->stream = NULL;
    free(st->held);
    free(st);
}
