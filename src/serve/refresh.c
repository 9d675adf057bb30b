/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/refresh.h"

#include <stdlib.h>

#include "base/slice.h"
#include "earnest/status.h"
#include "msg/list.h"
#include "serve/account.h"
#include "serve/cached.h"
#include "serve/carrier.h"
#include "serve/conn.h"
#include "serve/origin.h"
#include "serve/proxy.h"
#include "serve/relay.h"

struct refresh {      /* in the place of a client */
    struct conn conn; /* first; it has no socket: it is whom the request is sent on behalf of */
    struct exchange *exchange;
    struct refresh *next, **link; /* of its worker */
};

/* Interim answers are for nobody, and content of the request there is none. */
static const struct carrier nobody = {.interim = NULL};

static void
end(struct refresh *r)
{
    struct exchange *x = r->exchange;

    if (x->visit && x->visit->found)
        atomic_store(&x->visit->found->is_validated, false);
    account_left(x); /* it went on to another server */
    exchange_done(x);
    *r->link = r->next;
    if (r->next)
        r->next->link = r->link;
    free(r);
}

/* Takes the content, of which the shelf gets what it wants. */
static void
take_content(struct refresh *r)
{
    struct exchange *x = r->exchange;
    enum stream_next next = STREAM_HERE;

    while (relay_has_more(x->relay) && next == STREAM_HERE)
        next = relay_next(x->relay);
    if (next != STREAM_LATER)
        end(r);
}

/* The outcome is known. */
static void
take_answer(struct refresh *r)
{
    struct exchange *x = r->exchange;
    struct out status = arena_out(&x->arena); /* for nobody */

    x->stage = EXCHANGE_SENDING;
    if (cached_falls_back(x) || x->relay->stage == RELAY_FAILED) {
        end(r);
        return;
    }
    x->status = x->relay->answer.status;
    if (x->status == ERN_304_NOT_MODIFIED) /* of something else */
        shelf_remove(x->worker->shelf, x->visit->found);
    cached_passes(x, &status);
    take_content(r);
}

static void
resumed(struct res_request *res)
{
    struct exchange *x =
        (struct exchange *)(void *)((char *)res - __builtin_offsetof(struct exchange, res));
    struct refresh *r = (struct refresh *)(void *)x->conn;

    if (x->stage == EXCHANGE_DECIDING)
        take_answer(r);
    else
        take_content(r);
}

static struct ern_slice
keep(struct exchange *x, struct ern_slice text)
{
    struct out o = arena_out(&x->arena);

    if (!slice_is_there(text))
        return text;
    out_slice(&o, text);
    return arena_keep(&x->arena, &o);
}

/* rfc9111#4.3.1 "copying the method, target URI, and request header fields identified by the Vary"
 */
static bool
copy_request(struct exchange *x, const struct ern_request *from, struct ern_slice vary)
{
    struct ern_request *r = &x->request;
    struct ern_slice name;

    ern_request_method(r, ERN_SLICE("GET"));
    r->form = from->form;
    r->target = keep(x, from->target);
    r->authority = keep(x, from->authority);
    r->path = keep(x, from->path);
    r->query = keep(x, from->query);
    r->version_major = r->version_minor = 1;
    r->content_length = -1;
    while (list_next(&vary, &name))
        for (unsigned i = 0; i < from->fields_n; i++) {
            const struct ern_field *f = &from->fields[i];

            if (slice_eq_nocase(f->name, name) &&
                !ern_request_add(r, keep(x, f->name), keep(x, f->value)))
                return false;
        }
    return !x->arena.full;
}

/* At the cache as its client is, but asking for what is newer. */
static bool
copy_visit(struct exchange *x, const struct visit *from)
{
    struct visit *v = arena_take(&x->arena, sizeof *v);
    bool waits;

    if (!v)
        return false;
    *v = (struct visit){.exchange = x,
                        .key = keep(x, from->key),
                        .hash = from->hash,
                        .is_for_cache = true,
                        .validates = from->found->freshness.has_validator,
                        .why = FORWARD_STALE,
                        .asked_s = x->worker->now.unix_s,
                        .mark = shelf_mark(x->worker->shelf, from->hash)};
    if (x->arena.full)
        return false;
    v->found = from->found;
    atomic_fetch_add(&v->found->holders, 1);
    v->flight = shelf_fly(x->worker->shelf, v->key, v->hash, x->worker->now.run_ms, NULL, &waits);
    x->visit = v;
    return true;
}

static struct refresh *
new_refresh(struct exchange *client)
{
    struct worker *w = client->worker;
    struct refresh *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->conn.fd = -1;
    r->conn.peer = client->conn->peer;
    r->conn.tls = client->conn->tls; /* only whether there is one is asked */
    r->conn.listener = client->conn->listener;
    r->exchange = exchange_take(w, &r->conn, &nobody);
    if (!r->exchange) {
        free(r);
        return NULL;
    }
    r->link = &w->refreshes;
    r->next = w->refreshes;
    if (r->next)
        r->next->link = &r->next;
    w->refreshes = r;
    return r;
}

void
refresh_begin(struct exchange *client)
{
    struct shelved *found = client->visit->found;
    const struct proxy_route *route = client->route->self;
    struct worker *w = client->worker;
    struct refresh *r;
    struct exchange *x;

    if (w->draining || atomic_exchange(&found->is_validated, true))
        return;
    r = new_refresh(client);
    if (!r) {
        atomic_store(&found->is_validated, false);
        return;
    }
    x = r->exchange;
    x->route = client->route;
    x->site = client->site;
    x->cors = NULL;
    x->client = client->client;
    x->res.resume = resumed;
    x->res.path = keep(x, client->res.path);
    if (!copy_request(x, &client->request, found->vary) || !copy_visit(x, client->visit) ||
        !relay_begin(x, upstreams_group(w->upstreams, route->names.number)))
        end(r);
    else if (relay_is_known(x->relay))
        take_answer(r);
}

void
refresh_end_all(struct worker *w)
{
    while (w->refreshes)
        end(w->refreshes);
}
