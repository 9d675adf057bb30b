/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/live.h"

#include <jansson.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/civil.h"
#include "io/ring.h"
#include "res/live.h"
#include "res/live_filter.h"

enum {
    RING_BYTES = 1 << 18, /* that a thread may be ahead of the slowest other one */
    VALUE_BYTES = 512,    /* of what strangers wrote, so much is told */
    MESSAGE_BYTES = 16384,
    REPLY_BYTES = 8192,
    TURN_RECORDS = 1024, /* that are handed out before connections have their turn */
};

struct record {    /* of a ring; the path of the request and the message follow */
    uint64_t lost; /* so many before it had no room */
    uint16_t status;
    uint16_t path_len;
};

struct live_client {
    struct ws_session session; /* first: it gives us back */
    struct live_filter filter;
    uint64_t dropped; /* that it has not been told of */
    struct live_port *port;
    struct live_client *next, **link;
    struct worker *worker;
    void (*wake)(struct worker *worker, void *self);
    void *self;
};

struct live_port {
    struct live *live;
    unsigned number;
    struct ring *ring; /* what this worker tells, and */
    uint64_t lost;     /* what it could not */
    struct live_client *first;
    int fd;                /* of its mailbox */
    atomic_bool listening; /* there are clients */
    atomic_bool woken;     /* and it will look */
};

struct live {
    atomic_uint clients_n;
    const struct limits *limits;
    unsigned ports_n;
    struct live_port ports[];
};

static_assert(LIVE_PATH_MAX <= UINT16_MAX, "path_len");

/* ---- the process ----------------------------------------------------------------------------- */

struct live *
live_new(unsigned workers_n, const struct limits *limits)
{
    struct live *l = calloc(1, sizeof *l + workers_n * sizeof *l->ports);

    if (!l)
        return NULL;
    l->limits = limits;
    for (; l->ports_n < workers_n; l->ports_n++) {
        struct live_port *p = &l->ports[l->ports_n];

        p->live = l;
        p->number = l->ports_n;
        p->fd = -1;
        p->ring = ring_new(workers_n, RING_BYTES);
        if (!p->ring) {
            live_free(l);
            return NULL;
        }
    }
    return l;
}

void
live_free(struct live *l)
{
    for (unsigned i = 0; l && i < l->ports_n; i++)
        ring_free(l->ports[i].ring);
    free(l);
}

struct live_port *
live_port(struct live *l, unsigned worker, const struct mailbox *mailbox)
{
    l->ports[worker].fd = mailbox->fd;
    return &l->ports[worker];
}

static void
wake(struct live_port *p)
{
    const uint64_t one = 1;

    if (!atomic_exchange(&p->woken, true))
        (void)!write(p->fd, &one, sizeof one);
}

/* ---- telling --------------------------------------------------------------------------------- */

static void
write_member(struct out *o, const char *name, struct ern_slice value)
{
    out_text(o, name);
    out_char(o, '"');
    out_json(o, value.len > VALUE_BYTES ? slice_first(value, VALUE_BYTES) : value);
    out_char(o, '"');
}

/* The query is left out: it is where tokens and names of people stand. */
static void
write_message(struct out *o, const struct exchange *x)
{
    const struct ern_request *r = &x->request;
    struct worker *w = x->worker;

    out_literal(o, "{\"id\":\"");
    out_hex(o, x->incident ? x->incident : worker_random(w));
    out_literal(o, "\",\"time\":\"");
    civil_write_utc(o, w->now.unix_s);
    out_literal(o, "\",\"client\":\"");
    address_write_host(o, &x->res.peer);
    out_char(o, '"');
    write_member(o, ",\"method\":", r->method_text);
    write_member(o, ",\"authority\":", r->authority);
    write_member(o, ",\"target\":", slice_first(r->target, slice_find(r->target, '?')));
    out_literal(o, ",\"status\":");
    out_u64(o, x->status);
    write_member(o, ",\"rule\":", slice_text(x->rule->name));
    write_member(o, ",\"source\":", slice_text(x->rule->source));
    out_literal(o, ",\"ms\":");
    out_u64(o, (uint64_t)(w->now.run_ms - x->begun_ms));
    out_text(o, x->aborted ? ",\"aborted\":true}" : "}");
}

static void
tell(struct live_port *p, const struct exchange *x)
{
    char memory[MESSAGE_BYTES];
    struct out o = out_init(memory, sizeof memory);
    struct ern_slice path = x->res.path;
    struct record record;

    write_message(&o, x);
    path.len = path.len < LIVE_PATH_MAX ? path.len : LIVE_PATH_MAX;
    record = (struct record){p->lost, x->status, (uint16_t)path.len};
    assert(!o.full);
    if (!ring_write(p->ring,
                    (struct ern_slice[]){slice_from((const char *)&record, sizeof record), path,
                                         out_done(&o)},
                    3)) {
        p->lost++;
        return;
    }
    p->lost = 0;
    for (unsigned i = 0; i < p->live->ports_n; i++)
        if (atomic_load(&p->live->ports[i].listening))
            wake(&p->live->ports[i]);
}

void
live_tell(const struct exchange *x)
{
    struct live_port *p = x->worker->live;

    if (p && atomic_load_explicit(&p->live->clients_n, memory_order_relaxed))
        tell(p, x);
}

/* ---- handing out ----------------------------------------------------------------------------- */

/* Says how many messages were dropped. Returns false if that, too, can not be said. */
static bool
say_dropped(struct live_client *c)
{
    char memory[64];
    struct out o = out_init(memory, sizeof memory);

    if (c->dropped == 0)
        return true;
    out_literal(&o, "{\"dropped\":");
    out_u64(&o, c->dropped);
    out_char(&o, '}');
    if (!ws_session_say(&c->session, out_done(&o)))
        return false;
    c->dropped = 0;
    return true;
}

static void
say(struct live_client *c, struct ern_slice message)
{
    if (!say_dropped(c) || !ws_session_say(&c->session, message))
        c->dropped++;
}

static void
hand_out(struct live_port *p, struct ern_slice bytes)
{
    struct record record;
    struct ern_slice path, message;

    memcpy(&record, bytes.ptr, sizeof record);
    path = slice_from(bytes.ptr + sizeof record, record.path_len);
    message = slice_skip(bytes, sizeof record + record.path_len);
    for (struct live_client *c = p->first; c; c = c->next) {
        c->dropped += record.lost;
        if (!live_filter_wants(&c->filter, path, record.status))
            continue;
        say(c, message);
        if (ws_session_unsent(&c->session).len)
            c->wake(c->worker, c->self);
    }
}

void
live_deliver(struct live_port *p)
{
    char bytes[sizeof(struct record) + LIVE_PATH_MAX + MESSAGE_BYTES];
    unsigned left = TURN_RECORDS;
    size_t n;

    if (!p || !atomic_exchange(&p->woken, false))
        return;
    for (unsigned i = 0; i < p->live->ports_n && p->first; i++)
        while (left && (n = ring_read(p->live->ports[i].ring, p->number, bytes, sizeof bytes))) {
            hand_out(p, slice_from(bytes, n));
            left--;
        }
    if (left == 0)
        wake(p);
}

/* ---- clients --------------------------------------------------------------------------------- */

/* Sets the filter of {"path": "/dav/", "status": "4xx,201"}. Returns what is wrong, or NULL. */
static const char *
read_filter(struct live_filter *f, json_t *json)
{
    const char *name;
    json_t *value;

    live_filter_init(f);
    if (!json_is_object(json))
        return "a filter is an object: {\"path\": \"/dav/\", \"status\": \"4xx,201\"}";
    json_object_foreach(json, name, value)
    {
        struct ern_slice text = slice_from(json_string_value(value), json_string_length(value));

        if (slice_eq(slice_text(name), ERN_SLICE("path"))) {
            if (!live_filter_path(f, text))
                return "path is what a path begins with, as in \"/dav/\"";
        } else if (slice_eq(slice_text(name), ERN_SLICE("status"))) {
            if (!live_filter_statuses(f, text))
                return "status is a list of codes and classes, as in \"4xx,201\"";
        } else {
            return "a filter has path and status, and nothing else";
        }
    }
    return NULL;
}

static void
write_filter(struct out *o, const struct live_filter *f)
{
    out_literal(o, "{\"filter\":{\"path\":\"");
    out_json(o, f->path_len ? slice_from(f->path, f->path_len) : ERN_SLICE("/"));
    out_literal(o, "\",\"status\":\"");
    live_filter_write_statuses(o, f);
    out_literal(o, "\"}}");
}

/* The client wants other decisions: its message is the filter from now on. */
static void
message_came(struct ws_session *session, struct ern_slice text)
{
    struct live_client *c = (struct live_client *)session;
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    char memory[REPLY_BYTES];
    struct out o = out_init(memory, sizeof memory);
    struct live_filter filter;
    const char *wrong = json ? read_filter(&filter, json) : "a message is JSON";

    json_decref(json);
    if (wrong) {
        out_literal(&o, "{\"error\":\"");
        out_json(&o, slice_text(wrong));
        out_literal(&o, "\"}");
    } else {
        c->filter = filter;
        write_filter(&o, &filter);
    }
    assert(!o.full);
    say(c, out_done(&o));
}

static void
enter(struct live_port *p, struct live_client *c)
{
    if (!p->first) {
        for (unsigned i = 0; i < p->live->ports_n; i++)
            ring_begin(p->live->ports[i].ring, p->number);
        atomic_store(&p->listening, true);
    }
    c->port = p;
    c->next = p->first;
    c->link = &p->first;
    if (c->next)
        c->next->link = &c->next;
    p->first = c;
}

struct live_client *
live_open(const struct exchange *x, void (*wake_client)(struct worker *worker, void *self),
          void *self)
{
    struct live_port *p = x->worker->live;
    int64_t now_ms = x->worker->now.run_ms;
    struct live_client *c = malloc(sizeof *c);
    struct websocket_deflate agreed;
    bool is_deflated = live_deflate(&x->request, &agreed);

    if (!c)
        return NULL;
    c->worker = x->worker;
    c->wake = wake_client;
    c->self = self;
    c->dropped = 0;
    if (!live_filter_query(&c->filter, x->request.query)) /* which the handshake ruled out */
        live_filter_init(&c->filter);
    if (!ws_session_init(&c->session, p->live->limits, is_deflated ? &agreed : NULL, message_came,
                         now_ms)) {
        ws_session_done(&c->session);
        free(c);
        return NULL;
    }
    enter(p, c);
    if (atomic_fetch_add(&p->live->clients_n, 1) >= p->live->limits->live_clients_max)
        ws_session_close(&c->session, WS_TRY_LATER, ERN_SLICE("too many listen already"), now_ms);
    return c;
}

void
live_close(struct live_client *c)
{
    struct live_port *p = c ? c->port : NULL;

    if (!c)
        return;
    atomic_fetch_sub(&p->live->clients_n, 1);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    if (!p->first) {
        atomic_store(&p->listening, false);
        for (unsigned i = 0; i < p->live->ports_n; i++)
            ring_end(p->live->ports[i].ring, p->number);
    }
    ws_session_done(&c->session);
    free(c);
}

struct ws_session *
live_session(struct live_client *c)
{
    return &c->session;
}
