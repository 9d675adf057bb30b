/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "serve/account.h"
#include "serve/content.h"
#include "serve/exchange.h"
#include "serve/guests.h"
#include "serve/send.h"
#include "serve/stream.h"

enum { TURN_READS = 4 /* full buffers that are read before others have their turn */ };

/* The answer is out, or cut: what of the exchange is left to do? */
static void
finish_answer(struct conn *c)
{
    struct exchange *x = c->exchange;

    account(x);
    x->stage = EXCHANGE_ANSWERED;
    c->closing = x->close;
    if (x->content_state == PARSE_MORE && !x->close) {
        c->stage = CONN_DRAINING;
        return;
    }
    c->polite = x->peer_closes && x->content_state == PARSE_DONE;
    c->exchange = NULL;
    c->stage = CONN_READING;
    exchange_done(x);
}

/* One step of an answer on its way. Returns false if it has to wait. */
static bool
step_send(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;
    enum sent sent = x->aborted ? SENT_BROKEN : send_segments(w, c);

    if (sent == SENT && x->stream && stream_has_more(x->stream)) {
        sent = send_flush(w, c, false);
        if (sent == SENT && stream_next(x->stream)) {
            c->stage = CONN_WAITING;
            return false;
        }
        if (sent == SENT)
            sent = SENT_BROKEN;
    }
    if (sent == SENT_BROKEN) {
        conn_close(w, c);
        return false;
    }
    if (sent == SENT_BLOCKED)
        return false;
    finish_answer(c);
    return true;
}

/* The decision went as far as it could: to an answer, to content that it needs, or to a wait.
 * Returns false if it has to wait. */
static bool
decided(struct worker *w, struct conn *c, bool is_answered)
{
    c->stage = is_answered ? CONN_SENDING : CONN_WAITING;
    if (is_answered || !content_is_wanted(c->exchange))
        return is_answered;
    if (!content_begin(c->exchange)) {
        conn_close(w, c);
        return false;
    }
    c->stage = CONN_TAKING;
    return true;
}

/* Reads the head of the next request. Returns false if it is not all there. */
static bool
step_read(struct worker *w, struct conn *c)
{
    struct buffer *in = c->in;
    struct exchange *x;
    enum parse state;

    if (!in || in->at == in->len)
        return false;
    x = exchange_take(w, c);
    if (!x) {
        conn_close(w, c);
        return false;
    }
    state = h1_head_feed(&x->head, slice_from(in->bytes + in->at, in->len - in->at), &x->request);
    if (state == PARSE_MORE) {
        exchange_done(x);
        return false;
    }
    if (state == PARSE_BAD) {
        x->finding = x->head.finding;
        x->finding_at = (int64_t)x->head.finding_at;
        x->finding_field = x->head.finding_field;
        in->at = in->len;
    } else {
        in->at += x->head.at;
    }
    c->exchange = x;
    c->head_done = true;
    return decided(w, c, exchange_answer(x, slice_from(in->bytes + in->at, in->len - in->at)));
}

/* Takes content for the resource. Returns false if it has to wait. */
static bool
step_take(struct worker *w, struct conn *c)
{
    switch (content_take(c->exchange)) {
    case TAKEN_MORE:
        break;
    case TAKEN_BUSY:
        c->stage = CONN_WAITING;
        break;
    case TAKEN_ALL:
        return decided(w, c, exchange_resume(c->exchange));
    }
    return false;
}

/* Reads and drops content that nobody wanted. Returns false if there is more to come. */
static bool
step_drain(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;
    struct ern_slice piece, in = ERN_ABSENT;

    if (c->in)
        in = slice_from(c->in->bytes + c->in->at, c->in->len - c->in->at);
    while (x->content_state == PARSE_MORE && in.len) {
        x->content_state = h1_content_feed(&x->content, &in, &piece);
        x->drained_bytes += piece.len;
    }
    if (c->in)
        c->in->at = c->in->len - in.len;
    if (x->content_state == PARSE_BAD || (int64_t)x->drained_bytes > w->limits->drain_bytes_max)
        c->closing = true;
    else if (x->content_state == PARSE_MORE)
        return false;
    c->exchange = NULL;
    c->stage = CONN_READING;
    exchange_done(x);
    return true;
}

/* Our last word is out: ends the connection so that the peer can read it (RFC 9112 9.6). */
static bool
step_end(struct worker *w, struct conn *c)
{
    enum sent sent = send_flush(w, c, false);

    if (sent == SENT_BLOCKED)
        return false;
    if (sent == SENT_BROKEN || c->ended || (c->polite && !(c->in && c->in->at < c->in->len))) {
        conn_close(w, c);
        return false;
    }
    (void)shutdown(c->fd, SHUT_WR);
    c->stage = CONN_LINGERING;
    return false;
}

/* Goes on as far as it can with what is there. */
static void
proceed(struct worker *w, struct conn *c)
{
    bool goes = true;

    while (goes) {
        if (c->pending || w->out.len > w->out.cap / 2) {
            enum sent sent = send_flush(w, c, false);

            if (sent == SENT_BROKEN)
                conn_close(w, c);
            if (sent != SENT)
                return;
        }
        switch ((enum conn_stage)c->stage) {
        case CONN_READING:
            goes = c->closing ? step_end(w, c) : step_read(w, c);
            break;
        case CONN_SENDING:
            goes = step_send(w, c);
            break;
        case CONN_DRAINING:
            goes = step_drain(w, c);
            break;
        case CONN_TAKING:
            goes = step_take(w, c);
            break;
        case CONN_WAITING:
        case CONN_LINGERING:
        case CONN_CLOSED:
            return;
        }
    }
}

/* Room to receive into; NULL without memory. */
static struct buffer *
receive_room(struct worker *w, struct conn *c)
{
    struct buffer *in = c->in;

    if (!in) {
        c->in = worker_buffer(w);
        return c->in;
    }
    if (in->at) { /* nothing points into it: a request that is in progress is not read on */
        memmove(in->bytes, in->bytes + in->at, in->len - in->at);
        in->len -= in->at;
        in->at = 0;
    }
    return in;
}

/* Reads and drops what the peer still sends, as much as its turn allows. */
static void
linger(struct worker *w, struct conn *c)
{
    for (unsigned reads = 0; reads < TURN_READS; reads++) {
        /* worker->out is free here: whatever was in it was flushed before. */
        ssize_t n = recv(c->fd, w->out.ptr, w->out.cap, 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n == 0 || (n < 0 && errno != EINTR)) {
            conn_close(w, c);
            return;
        }
    }
    conn_again(w, c);
}

/* Receives, and serves what was received, until nothing is left or something has to wait. */
static void
receive(struct worker *w, struct conn *c)
{
    for (unsigned reads = 0; !c->pending && !c->ended; reads++) {
        struct buffer *in;
        size_t room;
        ssize_t n;

        if (c->stage == CONN_LINGERING)
            linger(w, c);
        if (c->stage != CONN_READING && c->stage != CONN_DRAINING && c->stage != CONN_TAKING)
            return;
        if (reads == TURN_READS) {
            conn_again(w, c);
            return;
        }
        in = receive_room(w, c);
        if (!in) {
            conn_close(w, c);
            return;
        }
        room = w->buffer_bytes - in->len;
        n = recv(c->fd, in->bytes + in->len, room, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            conn_close(w, c);
            return;
        }
        c->ended = n == 0;
        in->len += (size_t)n;
        proceed(w, c);
        /* Less than there was room for: it was all. What comes now is told by the next event. */
        if ((size_t)n < room && !c->hung_up)
            return;
    }
}

/* The list that watches over what the connection does now. */
static struct timer_list *
list_for(struct worker *w, const struct conn *c)
{
    if (c->pending)
        return &w->sends;
    switch ((enum conn_stage)c->stage) {
    case CONN_READING:
        return c->in && c->in->at < c->in->len ? &w->heads : &w->idles;
    case CONN_DRAINING:
    case CONN_TAKING:
        return &w->contents;
    case CONN_SENDING:
        return &w->sends;
    case CONN_LINGERING:
        return &w->lingers;
    case CONN_WAITING:
        return c->exchange->res.processing_ms ? &w->waits : NULL;
    case CONN_CLOSED:
        break;
    }
    return NULL;
}

/* Between two events: nothing gathered, nothing held that is not needed, and a timer runs. */
static void
settle(struct worker *w, struct conn *c)
{
    struct timer_list *list;

    if (c->stage != CONN_CLOSED && send_flush(w, c, false) == SENT_BROKEN)
        conn_close(w, c);
    if (c->stage != CONN_CLOSED && c->ended && !c->pending &&
        (c->stage == CONN_READING || c->stage == CONN_DRAINING))
        conn_close(w, c);
    if (c->stage == CONN_CLOSED) {
        w->out.len = 0;
        return;
    }
    if (c->in && c->in->at == c->in->len && !c->exchange) {
        worker_buffer_done(w, c->in);
        c->in = NULL;
    }
    list = list_for(w, c);
    if (!list) {
        timer_stop(&c->timer);
    } else if (list != c->list || (list == &w->heads && c->head_done)) {
        timer_start(list, &c->timer, w->now.run_ms);
    } else if (list == &w->idles) {
        c->timer.active_ms = (uint32_t)w->now.run_ms;
    }
    c->list = list;
    c->head_done = false;
    if (!c->registered) {
        struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = c}};

        c->registered = epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0;
        if (!c->registered)
            conn_close(w, c);
    }
}

void
conn_event(struct worker *w, struct conn *c, bool readable, bool writable)
{
    if (c->stage == CONN_CLOSED)
        return;
    if (writable && (c->pending || c->stage == CONN_SENDING)) {
        proceed(w, c);
        readable = true; /* edges that came meanwhile were passed over */
    }
    if (readable)
        receive(w, c);
    settle(w, c);
}

void
conn_resume(struct conn *c)
{
    struct worker *w = c->exchange->worker;

    assert(c->stage == CONN_WAITING);
    if (c->exchange->stage == EXCHANGE_TAKING)
        c->stage = CONN_TAKING;
    else if (c->exchange->stage == EXCHANGE_DECIDING)
        (void)decided(w, c, exchange_resume(c->exchange));
    else
        c->stage = CONN_SENDING;
    proceed(w, c);
    receive(w, c);
    settle(w, c);
}

/* Answers without having read a whole request, and ends. */
static void
refuse(struct worker *w, struct conn *c, enum ern_fact fact, enum finding finding)
{
    struct exchange *x = exchange_take(w, c);

    if (!x) {
        conn_close(w, c);
        return;
    }
    if (c->in)
        (void)h1_head_feed(&x->head, slice_from(c->in->bytes + c->in->at, c->in->len - c->in->at),
                           &x->request);
    c->exchange = x;
    exchange_refuse(x, fact, finding);
    c->stage = CONN_SENDING;
    proceed(w, c);
    settle(w, c);
}

/* Content stopped arriving: the resource decides without the rest. */
static void
end_content(struct worker *w, struct conn *c, enum sink_state state)
{
    c->list = NULL;
    if (content_end(c->exchange, state) == TAKEN_BUSY)
        c->stage = CONN_WAITING;
    proceed(w, c);
    settle(w, c);
}

/* What is done takes long: says so, as often as the route wants (RFC 2518 10.1). */
static void
tell_progress(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;

    c->list = NULL;
    if (w->now.run_ms - x->processing_ms >= x->res.processing_ms) {
        x->processing_ms = w->now.run_ms;
        content_announce(x);
    }
    settle(w, c);
}

void
conn_expired(struct worker *w, struct conn *c)
{
    timer_stop(&c->timer);
    if (c->list == &w->heads) {
        c->list = NULL;
        refuse(w, c, ERN_FACT_timed_out, FINDING_timed_out);
    } else if (c->stage == CONN_TAKING && !content_is_slow(c->exchange)) {
        timer_start(c->list, &c->timer, w->now.run_ms);
    } else if (c->stage == CONN_TAKING) {
        end_content(w, c, SINK_LATE);
    } else if (c->list == &w->waits) {
        tell_progress(w, c);
    } else {
        conn_close(w, c);
    }
}

static struct conn *
conn_new(struct worker *w, int fd, const union address *peer)
{
    struct conn *c = w->spare_conns;

    if (c)
        w->spare_conns = c->next;
    else
        c = malloc(sizeof *c);
    if (!c)
        return NULL;
    *c = (struct conn){.fd = fd, .peer = *peer, .stage = CONN_READING};
    w->conns_n++;
    return c;
}

void
conn_open(struct worker *w, int fd, const union address *peer, bool strict)
{
    struct conn *c = conn_new(w, fd, peer);

    if (!c) {
        (void)close(fd);
        return;
    }
    c->strict = strict;
    if (!guests_enter(w->guests, peer, &c->guest)) {
        refuse(w, c, ERN_FACT_overloaded, FINDING_none);
        return;
    }
    receive(w, c); /* the request is often there already */
    settle(w, c);
}

void
conn_refuse(struct worker *w, int fd, const union address *peer)
{
    struct conn *c = conn_new(w, fd, peer);

    if (!c) {
        (void)close(fd);
        return;
    }
    refuse(w, c, ERN_FACT_overloaded, FINDING_none);
    /* There is no room to wait for its end; but unread bytes would make it a reset. */
    if (c->stage == CONN_LINGERING)
        linger(w, c);
    conn_close(w, c);
}

void
conn_again(struct worker *w, struct conn *c)
{
    if (c->again)
        return;
    c->again = true;
    c->next = w->again_conns;
    w->again_conns = c;
}

void
conn_close(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;

    if (c->stage == CONN_CLOSED)
        return;
    if (x && x->stage != EXCHANGE_ANSWERED) {
        x->aborted = true;
        if (x->stage == EXCHANGE_SENDING)
            account(x);
    }
    if (x && (c->stage == CONN_WAITING || content_abandon(x))) {
        /* A job still has it, and reads the request: it ends when that comes back. */
        x->conn = NULL;
        if (!x->in) {
            x->in = c->in;
            c->in = NULL;
        }
    } else if (x) {
        exchange_done(x);
    }
    c->exchange = NULL;
    timer_stop(&c->timer);
    (void)close(c->fd);
    if (c->in)
        worker_buffer_done(w, c->in);
    free(c->pending);
    guests_leave(w->guests, c->guest);
    c->in = NULL;
    c->pending = NULL;
    c->stage = CONN_CLOSED;
    w->out.len = 0;
    w->conns_n--;
    if (!c->again) { /* else the worker finds it closed when it comes to it */
        c->next = w->closed_conns;
        w->closed_conns = c;
    }
}
