/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/origin.h"

#include <stdlib.h>

#include "serve/probe.h"
#include "serve/relay.h"
#include "serve/upstream_h2.h"

struct resolving {         /* a name, on the pool */
    struct job job;        /* first: the pool gives it back */
    struct origin *origin; /* NULL: nobody waits for it any more */
    struct upstreams *upstreams;
    uint16_t port;
    unsigned n;
    struct ip_port found[DIAL_ADDRESSES];
    char host[DIAL_HOST_BYTES];
};

/* ---- addresses ---------------------------------------------------------------------------------
 */

static void
look_up(struct job *job)
{
    struct resolving *r = (struct resolving *)job;

    r->n = dial_resolve(r->host, r->port, r->found);
}

static void
looked_up(struct job *job)
{
    struct resolving *r = (struct resolving *)job;
    struct worker *w = upstreams_worker(r->upstreams);
    struct origin *o = r->origin;
    struct relay *waiting = NULL;

    upstreams_resolve(r->upstreams, -1);
    if (o) {
        o->resolving = NULL;
        o->preferred = 0;
        o->addresses_n = r->n;
        o->valid_ms = w->now.run_ms + (r->n ? w->limits->upstream_name_valid_ms : 0);
        memcpy(o->address, r->found, sizeof o->address);
        while (o->waiting)
            relay_enter(o->waiting, &waiting);
    }
    free(r);
    while (waiting) {
        struct relay *relay = waiting;

        relay_enter(relay, NULL);
        relay_resolved(relay);
    }
}

/* Has its name looked up. */
static bool
resolve(struct origin *o)
{
    struct worker *w = upstreams_worker(o->upstreams);
    struct resolving *r;

    if (o->name.host.len >= DIAL_HOST_BYTES)
        return false;
    r = malloc(sizeof *r);
    if (!r)
        return false;
    r->job = (struct job){.mailbox = &w->mailbox, .run = look_up, .done = looked_up};
    r->origin = o;
    r->upstreams = o->upstreams;
    r->port = o->name.port;
    memcpy(r->host, o->name.host.ptr, o->name.host.len);
    r->host[o->name.host.len] = '\0';
    if (!pool_submit(w->pool, &r->job)) {
        free(r);
        return false;
    }
    upstreams_resolve(o->upstreams, 1);
    o->resolving = r;
    return true;
}

bool
origin_is_resolved(struct origin *o, bool *ret_asked)
{
    struct worker *w = upstreams_worker(o->upstreams);

    *ret_asked = true;
    if (o->addresses_n && w->now.run_ms < o->valid_ms)
        return true;
    *ret_asked = o->resolving || resolve(o);
    return false;
}

void
origin_init(struct origin *o, struct upstreams *ups, const struct origin_name *name)
{
    *o = (struct origin){.name = *name, .upstreams = ups, .keeps = true};
    o->requests_max = upstreams_worker(ups)->limits->upstream_requests_max;
    o->address[0].port = name->port;
    if (!slice_is_there(name->path) && !ip4_parse(name->host, &o->address[0].ip) &&
        !ip6_parse(name->host, &o->address[0].ip))
        return;
    o->addresses_n = 1;
    o->valid_ms = INT64_MAX;
}

void
origin_end(struct origin *o)
{
    while (o->idle)
        upstream_close(o->idle);
    while (o->shared)
        shared_close(o->shared);
    tls_ticket_drop(&o->ticket);
    probe_end(o->probe);
    o->probe = NULL;
    if (o->resolving)
        o->resolving->origin = NULL;
    o->resolving = NULL;
}

/* ---- health ------------------------------------------------------------------------------------
 */

void
origin_works(struct origin *o)
{
    o->failures_n = 0;
    o->shut_ms = 0;
}

/* After so many failures in a row it is left alone; then one request finds out how it is. */
void
origin_fails(struct origin *o)
{
    const struct worker *w = upstreams_worker(o->upstreams);

    if (++o->failures_n >= w->limits->upstream_failures_max)
        o->shut_ms = w->now.run_ms + w->limits->upstream_recovery_ms;
}

void
origin_is_ill(struct origin *o)
{
    const struct worker *w = upstreams_worker(o->upstreams);

    /* Until a word of it is late, and for ever if each one says so. */
    o->shut_ms = w->now.run_ms + 2 * (w->limits->probe_interval_ms + w->limits->probe_timeout_ms);
}

/* May it be asked? Whoever asks one that was left alone is the one who finds out. */
static bool
is_well(struct origin *o)
{
    const struct worker *w = upstreams_worker(o->upstreams);

    return w->now.run_ms >= o->shut_ms;
}

static bool
has_room(const struct origin *o)
{
    return o->busy_n < o->requests_max;
}

/* ---- choice ------------------------------------------------------------------------------------
 */

/* Where a client comes first is the same in all threads. */
static unsigned
first_of(struct origins *g, struct ern_slice client)
{
    static const struct hash_key key = {0, 0};

    return (unsigned)(g->by_hash ? hash_bytes(key, client) % g->n : g->next++ % g->n);
}

struct origin *
origin_choose(struct origins *g, uint64_t tried, struct ern_slice client, int64_t *ret_wait_s)
{
    unsigned first = first_of(g, client);
    struct origin *best = NULL;
    int64_t shut_ms = INT64_MAX;
    bool is_full = false;

    for (unsigned i = 0; i < g->n; i++) {
        unsigned at = (first + i) % g->n;
        struct origin *o = &g->origin[at];

        if (tried >> at & 1)
            continue;
        if (!is_well(o))
            shut_ms = o->shut_ms < shut_ms ? o->shut_ms : shut_ms;
        else if (!has_room(o))
            is_full = true;
        else if (!best || (!g->by_hash && o->busy_n < best->busy_n))
            best = o;
    }
    *ret_wait_s = 0;
    if (best && best->shut_ms) /* until that is known, others do not ask it */
        best->shut_ms = upstreams_worker(best->upstreams)->now.run_ms +
                        upstreams_worker(best->upstreams)->limits->upstream_recovery_ms;
    else if (!best && !is_full && shut_ms < INT64_MAX)
        *ret_wait_s = (shut_ms - upstreams_worker(g->origin->upstreams)->now.run_ms + 999) / 1000;
    return best;
}
