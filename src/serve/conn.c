/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io/tls.h"
#include "serve/conn_h2.h"
#include "serve/exchange.h"
#include "serve/guests.h"
#include "serve/secure.h"
#include "serve/send.h"
#include "serve/stream.h"
#include "serve/trace.h"

enum { TURN_READS = 4 /* full buffers that are read before others have their turn */ };

struct ern_slice
conn_received(const struct conn *c)
{
    return c->in ? slice_from(c->in->bytes + c->in->at, c->in->len - c->in->at) : ERN_SLICE("");
}

void
conn_end(struct worker *w, struct conn *c)
{
    enum sent sent = send_flush(w, c, false);

    if (sent == SENT && c->tls) {
        secure_bye(w, c);
        sent = send_flush(w, c, false);
    }

    if (sent == SENT_BLOCKED)
        return;
    if (sent == SENT_BROKEN || c->ended || (c->polite && conn_received(c).len == 0)) {
        conn_close(w, c);
        return;
    }
    (void)shutdown(c->fd, SHUT_WR);
    c->stage = CONN_LINGERING;
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

/*
 * Receives some.
 *   ret_all  that was all: what comes now is told by the next event
 * Returns as recv().
 */
static ssize_t
receive_some(struct worker *w, struct conn *c, struct buffer *in, bool *ret_all)
{
    size_t room = w->buffer_bytes - in->len;
    ssize_t n;

    if (c->tls)
        return secure_receive(w, c, in->bytes + in->len, room, ret_all);
    do
        n = recv(c->fd, in->bytes + in->len, room, 0);
    while (n < 0 && errno == EINTR);
    *ret_all = n < 0 || ((size_t)n < room && !c->hung_up);
    return n;
}

static bool
is_shaking(const struct conn *c)
{
    return c->tls && !tls_is_ready(c->tls);
}

/* Which version of HTTP the peer wants to speak is known with its first bytes. */
static void
choose_protocol(struct worker *w, struct conn *c)
{
    if (c->tls && !c->begun && !c->h2 && tls_known(c->tls).h2 && !h2_open(w, c))
        conn_close(w, c);
}

/* Receives, and serves what was received, until nothing is left or something has to wait. */
static void
receive(struct worker *w, struct conn *c)
{
    bool all = false;

    c->unread = true;
    c->cipher_all = false; /* an event may have come since */
    for (unsigned reads = 0; !c->pending && !c->ended; reads++) {
        struct buffer *in;
        ssize_t n;

        if (c->stage == CONN_LINGERING)
            linger(w, c);
        if (c->stage == CONN_LINGERING || c->stage == CONN_CLOSED ||
            (!c->protocol->reads(c) && !is_shaking(c)))
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
        n = receive_some(w, c, in, &all);
        if (c->early && !is_shaking(c) && (n < 0 || c->in->at == c->in->len)) {
            c->early = false;
            c->protocol->secured(w, c);
        }
        if (n < 0 && errno == EAGAIN) {
            c->unread = false;
            return;
        }
        if (n < 0 && errno == EPROTO) {
            h1_refuse(w, c, ERN_FACT_malformed);
            return;
        }
        if (n < 0) {
            (void)send_flush(w, c, false); /* the alert that says why */
            conn_close(w, c);
            return;
        }
        c->ended = n == 0;
        in->len += (size_t)n;
        choose_protocol(w, c);
        if (c->stage != CONN_CLOSED)
            c->protocol->proceed(w, c);
        if (all && !c->cipher) { /* TLS may have begun with it */
            c->unread = false;
            return;
        }
    }
}

/* The list that watches over what the connection does now. */
static struct timer_list *
watch(struct worker *w, const struct conn *c)
{
    if (c->pending)
        return &w->sends;
    if (is_shaking(c))
        return &w->heads;
    return c->stage == CONN_LINGERING ? &w->lingers : c->protocol->watch(w, c);
}

/* Between two events: nothing gathered, nothing held that is not needed, and a timer runs. */
static void
settle(struct worker *w, struct conn *c)
{
    struct timer_list *list;
    bool waited = c->pending != NULL;
    bool more = c->stage == CONN_WAITING && c->exchange && stream_comes_soon(c->exchange);

    if (c->stage != CONN_CLOSED && send_flush(w, c, more) == SENT_BROKEN)
        conn_close(w, c);
    if (c->stage != CONN_CLOSED && c->stage != CONN_LINGERING && c->ended && !c->pending &&
        !c->protocol->outlives_peer(c))
        conn_close(w, c);
    if (c->stage == CONN_CLOSED) {
        w->out.len = w->cipher.len = 0;
        return;
    }
    if (waited && !c->pending) /* edges that came meanwhile were passed over */
        conn_again(w, c);
    if (c->in && c->in->at == c->in->len && (!c->exchange || c->exchange->in)) {
        worker_buffer_done(w, c->in);
        c->in = NULL;
    }
    list = watch(w, c);
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

/* Nobody is there to be answered by upstream, or when the time has come. */
static void
close_lost(struct worker *w, struct conn *c)
{
    if (c->lost && c->stage == CONN_WAITING &&
        (c->exchange->relay || alarm_is_set(&c->exchange->alarm)))
        conn_close(w, c);
}

void
conn_event(struct worker *w, struct conn *c, bool readable, bool writable)
{
    if (c->stage == CONN_CLOSED)
        return;
    close_lost(w, c);
    if (writable && (c->pending || c->stage == CONN_SENDING)) {
        c->protocol->proceed(w, c);
        readable = true; /* edges that came meanwhile were passed over */
    }
    if (readable)
        receive(w, c);
    settle(w, c);
}

void
conn_resume(struct worker *w, struct conn *c)
{
    c->protocol->proceed(w, c);
    if (c->unread || c->tls)
        receive(w, c);
    close_lost(w, c); /* that was said before there was a relay */
    settle(w, c);
}

void
conn_expired(struct worker *w, struct conn *c)
{
    timer_stop(&c->timer);
    if (c->list == &w->sends || c->stage == CONN_LINGERING || is_shaking(c))
        conn_close(w, c);
    else if (c->list == &w->idles)
        c->protocol->leave(w, c, true);
    else
        c->protocol->expired(w, c);
    if (c->stage != CONN_CLOSED)
        settle(w, c);
}

/* Something came that was not read yet: the event for it is on its way. */
static bool
has_unread(const struct conn *c)
{
    char byte;

    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
conn_leave(struct worker *w, struct conn *c, bool at_once)
{
    if (c->stage == CONN_LINGERING) /* our last word was said */
        return;
    c->protocol->leave(w, c, at_once && !has_unread(c));
    settle(w, c);
}

static struct conn *
conn_new(struct worker *w, int fd, const union address *peer, const struct listener *listener)
{
    struct conn *c = w->spare_conns;

    if (c)
        w->spare_conns = c->next;
    else
        c = malloc(sizeof *c);
    if (!c)
        return NULL;
    *c = (struct conn){.fd = fd,
                       .peer = *peer,
                       .stage = CONN_READING,
                       .protocol = listener->proxied ? &proxy_protocol : &h1_protocol,
                       .listener = listener};
    w->conns_n++;
    return c;
}

/* There are too many: says so, where it can be said before a handshake. */
static void
refuse(struct worker *w, struct conn *c)
{
    c->protocol = &h1_protocol;
    if (c->listener->tls)
        conn_close(w, c);
    else
        h1_refuse(w, c, ERN_FACT_overloaded);
}

/* Counts it, anew if it was counted before. Returns false if it was one too many. */
static bool
enter(struct worker *w, struct conn *c, const union address *peer)
{
    guests_leave(w->guests, c->guest);
    if (guests_enter(w->guests, peer, &c->guest))
        return true;
    refuse(w, c);
    return false;
}

bool
conn_begin(struct worker *w, struct conn *c)
{
    const struct ip ip = address_ip(&c->peer);
    bool speaks_for_many = networks_have(w->gateways, &ip);

    c->protocol = &h1_protocol;
    c->onlooker = (uint8_t)trace_onlooker(w->trace, &ip);
    if (!enter(w, c, speaks_for_many ? NULL : &c->peer))
        return false;
    if (!c->listener->tls || secure_begin(c))
        return true;
    conn_close(w, c);
    return false;
}

void
conn_open(struct worker *w, int fd, const union address *peer, const struct listener *listener)
{
    struct conn *c = conn_new(w, fd, peer, listener);

    if (!c) {
        (void)close(fd);
        return;
    }
    if (listener->proxied ? proxy_begin(w, c) && enter(w, c, NULL) : conn_begin(w, c))
        receive(w, c); /* the request is often there already */
    settle(w, c);
}

void
conn_refuse(struct worker *w, int fd, const union address *peer, const struct listener *listener)
{
    struct conn *c = conn_new(w, fd, peer, listener);

    if (!c) {
        (void)close(fd);
        return;
    }
    refuse(w, c);
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
conn_stir(struct worker *w, struct conn *c)
{
    if (c->stage != CONN_READING)
        return;
    c->stage = CONN_SENDING;
    conn_again(w, c);
}

void
conn_close(struct worker *w, struct conn *c)
{
    if (c->stage == CONN_CLOSED)
        return;
    c->protocol->closed(w, c);
    timer_stop(&c->timer);
    secure_end(w, c);
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
