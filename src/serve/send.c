/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/send.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "serve/exchange.h"
#include "serve/secure.h"

enum {
    /* Of one file, so much goes out before others have their turn. It is also what the peer's side
       of the kernel takes in without a stall: 1 MiB at once cost more than twice the time. */
    TURN_BYTES = 1 << 18,
    COPY_BYTES = 32768, /* pieces up to this are gathered with what goes out before them, */
    READ_BYTES = 8192,  /* and those of files up to this: reading costs less than to send twice */
};

struct pending { /* what the peer did not take yet */
    size_t at, len;
    char bytes[];
};

static enum sent
send_bytes(struct conn *c, const char *bytes, size_t n, int flags, size_t *ret_n)
{
    *ret_n = 0;
    while (*ret_n < n) {
        ssize_t sent = send(c->fd, bytes + *ret_n, n - *ret_n, MSG_NOSIGNAL | flags);

        if (sent >= 0)
            *ret_n += (size_t)sent;
        else if (errno == EAGAIN)
            return SENT_BLOCKED;
        else if (errno != EINTR)
            return SENT_BROKEN;
    }
    return SENT;
}

/* What is left of what was gathered becomes the connection's, after what it has already. */
static enum sent
keep_pending(struct conn *c, struct out *o, size_t from)
{
    size_t n = o->len - from, before = c->pending ? c->pending->len : 0;
    struct pending *p = realloc(c->pending, sizeof *p + before + n);

    o->len = 0;
    if (!p)
        return SENT_BROKEN;
    if (before == 0)
        p->at = 0;
    memcpy(p->bytes + before, o->ptr + from, n);
    p->len = before + n;
    c->pending = p;
    return SENT_BLOCKED;
}

enum sent
send_flush(struct worker *w, struct conn *c, bool more)
{
    struct out *o = c->tls ? &w->cipher : &w->out;
    int flags = more ? MSG_MORE : 0;
    enum sent sent = c->tls ? secure_gather(w, c) : SENT, held = sent;
    size_t n;

    if (sent == SENT_BROKEN)
        return sent;
    /* An answer that had to wait comes while the one before it is not all out yet. */
    if (c->pending && o->len && keep_pending(c, o, 0) == SENT_BROKEN)
        return SENT_BROKEN;
    if (c->pending) {
        struct pending *p = c->pending;

        sent = send_bytes(c, p->bytes + p->at, p->len - p->at, flags, &n);
        p->at += n;
        if (n)
            c->timer.active_ms = (uint32_t)w->now.run_ms;
        if (sent == SENT) {
            free(p);
            c->pending = NULL;
        }
        return sent;
    }
    if (o->len == 0)
        return held;
    sent = send_bytes(c, o->ptr, o->len, flags, &n);
    if (sent == SENT_BLOCKED)
        return keep_pending(c, o, n);
    o->len = 0;
    return sent == SENT ? held : sent;
}

/* Copies the next n bytes of a segment. Returns false if they are not there: a file that has shrunk
 * makes a cut answer, never a padded one. */
static bool
copy(struct segment *s, char *to, size_t n)
{
    s->left -= n;
    if (s->bytes) {
        memcpy(to, s->bytes + s->at, n);
        s->at += n;
        return true;
    }
    while (n) {
        ssize_t one = pread(s->fd, to, n, (off_t)s->at);

        if (one == 0 || (one < 0 && errno != EINTR))
            return false;
        if (one < 0)
            continue;
        to += one;
        s->at += (uint64_t)one;
        n -= (size_t)one;
    }
    return true;
}

ssize_t
send_copy(struct exchange *x, char *to, size_t cap)
{
    size_t got = 0;

    while (got < cap && x->segment < x->segments_n) {
        struct segment *s = &x->segments[x->segment];
        size_t n = s->left < cap - got ? (size_t)s->left : cap - got;

        if (!copy(s, to + got, n))
            return -1;
        got += n;
        if (s->left == 0)
            x->segment++;
    }
    x->sent_bytes += got;
    return (ssize_t)got;
}

/* Adds a small part of a file to worker->out. */
static enum sent
gather_file(struct worker *w, struct exchange *x, struct segment *s)
{
    size_t n = (size_t)s->left;

    if (!copy(s, w->out.ptr + w->out.len, n))
        return SENT_BROKEN;
    w->out.len += n;
    x->sent_bytes += n;
    return SENT;
}

/* Sends part of a file. SENT only when the segment is done. */
static enum sent
send_file(struct worker *w, struct conn *c, struct segment *s)
{
    size_t turn = TURN_BYTES;

    while (s->left) {
        off_t at = (off_t)s->at;
        ssize_t n;

        if (turn == 0) {
            conn_again(w, c);
            return SENT_BLOCKED;
        }
        n = sendfile(c->fd, s->fd, &at, s->left < turn ? (size_t)s->left : turn);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? SENT_BLOCKED : SENT_BROKEN;
        if (n == 0)
            return SENT_BROKEN; /* the file has shrunk: a cut answer, never a padded one */
        turn -= (size_t)n;
        s->at += (uint64_t)n;
        s->left -= (uint64_t)n;
        c->exchange->sent_bytes += (uint64_t)n;
        c->timer.active_ms = (uint32_t)w->now.run_ms;
    }
    return SENT;
}

/* Sends what was gathered from in front of the bytes in memory: the head is what is copied. */
static enum sent
send_from_front(struct worker *w, struct conn *c, struct segment *s)
{
    struct out *o = &w->out;
    char *from = s->front + RES_FRONT_BYTES - o->len;
    enum sent sent;
    size_t n;

    memcpy(from, o->ptr, o->len);
    sent = send_bytes(c, from, o->len + (size_t)s->left, 0, &n);
    c->timer.active_ms = (uint32_t)w->now.run_ms;
    if (n < o->len)
        return sent == SENT_BLOCKED ? keep_pending(c, o, n) : sent;
    n -= o->len;
    o->len = 0;
    s->front = NULL;
    s->at += n;
    s->left -= n;
    c->exchange->sent_bytes += n;
    return sent;
}

/* Sends bytes in memory, by way of worker->out if they are few. */
static enum sent
send_memory(struct worker *w, struct conn *c, struct segment *s)
{
    enum sent sent;
    size_t n;

    if (s->front && w->out.len <= RES_FRONT_BYTES && !c->pending)
        return send_from_front(w, c, s);
    if (s->left > w->out.cap - w->out.len || s->left > COPY_BYTES) {
        sent = send_flush(w, c, true);
        if (sent != SENT)
            return sent;
    }
    if (s->left <= COPY_BYTES) {
        out_slice(&w->out, slice_from(s->bytes + s->at, (size_t)s->left));
        c->exchange->sent_bytes += s->left;
        s->left = 0;
        return SENT;
    }
    sent = send_bytes(c, s->bytes + s->at, (size_t)s->left, 0, &n);
    s->at += n;
    s->left -= n;
    c->exchange->sent_bytes += n;
    c->timer.active_ms = (uint32_t)w->now.run_ms;
    return sent;
}

/* Sends all segments by way of worker->out, where they are made records of. */
static enum sent
send_copies(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;
    size_t turn = 0;

    while (x->segment < x->segments_n) {
        ssize_t n = send_copy(x, w->out.ptr + w->out.len, w->out.cap - w->out.len);
        enum sent sent;

        if (n < 0)
            return SENT_BROKEN;
        w->out.len += (size_t)n;
        turn += (size_t)n;
        c->timer.active_ms = (uint32_t)w->now.run_ms;
        if (x->segment == x->segments_n)
            break;
        sent = send_flush(w, c, false);
        if (sent == SENT && turn >= TURN_BYTES) {
            conn_again(w, c);
            sent = SENT_BLOCKED;
        }
        if (sent != SENT)
            return sent;
    }
    return SENT;
}

enum sent
send_segments(struct worker *w, struct conn *c)
{
    struct exchange *x = c->exchange;

    if (c->tls)
        return send_copies(w, c);
    for (; x->segment < x->segments_n; x->segment++) {
        struct segment *s = &x->segments[x->segment];
        enum sent sent = SENT;

        if (s->left && s->bytes)
            sent = send_memory(w, c, s);
        else if (s->left && s->left <= READ_BYTES && s->left <= w->out.cap - w->out.len)
            sent = gather_file(w, x, s);
        else if (s->left) {
            sent = send_flush(w, c, true);
            if (sent == SENT)
                sent = send_file(w, c, s);
        }
        if (sent != SENT)
            return sent;
    }
    return SENT;
}
