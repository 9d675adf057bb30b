/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/slice.h"
#include "serve/origin.h"
#include "serve/upstream_h2.h"
#include "wire/h1_answer.h"
#include "wire/h1_write.h"

struct probe {
    struct timer timer; /* first: timers give it back */
    struct origin *origin;
    const struct origins *origins;
    struct ern_slice path;
    struct upstream *upstream; /* NULL: it waits for the next time */
    bool is_asked;             /* the request is on its way, or there */
    struct h1_answer answer;
    struct ern_field fields[];
};

/* It is known how the server is; it is asked again later. */
static void
conclude(struct probe *p, bool is_well)
{
    struct origin *o = p->origin;

    if (p->upstream)
        upstream_close(p->upstream);
    p->upstream = NULL;
    if (is_well)
        origin_works(o);
    else
        origin_is_ill(o);
    upstreams_time(o->upstreams, &p->timer, TIME_REST);
}

static bool
write_request(struct probe *p)
{
    struct buffer *out = upstream_room(p->upstream);
    struct worker *w = upstreams_worker(p->origin->upstreams);
    struct out o = out_init(out ? out->bytes : NULL, out ? w->buffer_bytes : 0);

    out_literal(&o, "GET ");
    out_slice(&o, p->path);
    out_literal(&o, " HTTP/1.1\r\n");
    h1_write_field(&o, ERN_SLICE("Host"), p->origin->name.authority);
    h1_write_field(&o, ERN_SLICE("User-Agent"), ERN_SLICE("earnest-probe"));
    out_literal(&o, "Connection: close\r\n\r\n");
    if (!out || o.full)
        return false;
    out->len = o.len;
    return true;
}

/* The connection is there: asks. Returns false if that is not to be. */
static bool
ask(struct probe *p)
{
    const struct limits *limits = upstreams_limits(p->origin->upstreams);
    int error = upstream_secure(p->upstream, p->origins->trust);

    if (error)
        return error == -EAGAIN;
    p->upstream = upstream_share(p->upstream);
    if (!p->upstream)
        return false;
    p->upstream->probe = p;
    p->is_asked = true;
    h1_answer_init(&p->answer, limits, p->fields, (uint16_t)limits->fields_max);
    if (p->upstream->stream) /* which is told so with the head */
        upstream_end(p->upstream);
    return write_request(p);
}

/* Reads the head of the answer. PARSE_DONE: it says that the server is well; PARSE_BAD: that it is
 * not, or it is none. */
static enum parse
hear(struct probe *p)
{
    for (;;) {
        struct ern_slice bytes = upstream_received(p->upstream);
        enum parse parse = h1_answer_feed(&p->answer, bytes, ERN_GET);
        ssize_t n;

        if (parse == PARSE_DONE)
            return p->answer.status / 100 == 2 || p->answer.status / 100 == 3 ? PARSE_DONE
                                                                              : PARSE_BAD;
        if (parse == PARSE_BAD)
            return parse;
        n = upstream_receive(p->upstream);
        if (n <= 0)
            return n == -EAGAIN ? PARSE_MORE : PARSE_BAD;
    }
}

void
probe_event(struct probe *p, uint32_t events)
{
    struct upstream *u = p->upstream;
    enum parse parse = PARSE_MORE;
    int error = 0;

    if (!u->connected && !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
        return;
    if (!u->connected && dial_result(u->fd) != 0) {
        conclude(p, false);
        return;
    }
    u->connected = true;
    if (!p->is_asked && !ask(p))
        parse = PARSE_BAD;
    if (parse == PARSE_MORE && p->is_asked) {
        error = upstream_flush(p->upstream);
        parse = error && error != -EAGAIN ? PARSE_BAD : hear(p);
    }
    if (parse != PARSE_MORE)
        conclude(p, parse == PARSE_DONE);
}

/* Begins to connect; to the address that answered last. */
static void
connect_to(struct probe *p)
{
    struct origin *o = p->origin;
    bool is_asked;
    int error;

    p->is_asked = false;
    p->upstream = shared_find(o);
    if (p->upstream) {
        upstreams_time(o->upstreams, &p->timer, TIME_PROBE);
        probe_event(p, EPOLLOUT);
        return;
    }
    if (!origin_is_resolved(o, &is_asked)) { /* it is being looked up */
        upstreams_time(o->upstreams, &p->timer, TIME_REST);
        return;
    }
    p->upstream = upstream_open(o, &o->address[o->preferred % o->addresses_n], &error);
    if (!p->upstream) {
        conclude(p, false);
        return;
    }
    p->upstream->probe = p;
    upstreams_time(o->upstreams, &p->timer, TIME_PROBE);
}

void
probe_expired(struct timer *timer, bool was_asking)
{
    struct probe *p = (struct probe *)timer;
    const struct worker *w = upstreams_worker(p->origin->upstreams);

    if (was_asking)
        conclude(p, false);
    else if (!w->draining)
        connect_to(p);
}

void
probe_begin(struct origin *o, const struct origins *origins, struct ern_slice path)
{
    const struct limits *limits = upstreams_limits(o->upstreams);
    struct probe *p = malloc(sizeof *p + (size_t)limits->fields_max * sizeof *p->fields);

    if (!p)
        return;
    *p = (struct probe){.origin = o, .origins = origins, .path = path};
    o->probe = p;
    upstreams_time(o->upstreams, &p->timer, TIME_REST);
}

void
probe_end(struct probe *p)
{
    if (!p)
        return;
    timer_stop(&p->timer);
    if (p->upstream)
        upstream_close(p->upstream);
    free(p);
}
