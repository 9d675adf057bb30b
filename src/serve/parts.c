/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/tls.h"
#include "serve/complain.h"
#include "serve/forward.h"
#include "serve/guests.h"
#include "serve/legal.h"
#include "serve/login.h"
#include "serve/meter.h"
#include "serve/portal.h"
#include "serve/rate.h"
#include "serve/shares.h"

/* Two servers, one behind the other, must not have one name: then all would look like a loop. */
static void
choose_pseudonym(struct parts *p)
{
    struct out o = out_init(p->pseudonym_text, sizeof p->pseudonym_text);
    const struct conf *conf = p->options.conf;

    out_literal(&o, "earnest-");
    out_hex(&o, hash_bytes(p->options.key, ERN_SLICE("via")) >> 32);
    p->pseudonym = slice_is_there(conf->pseudonym) ? conf->pseudonym : out_done(&o);
}

int
parts_open(struct parts *p, const struct parts_options *options)
{
    const struct conf *conf = options->conf;
    struct ern_slice path;
    int error;

    *p = (struct parts){.options = *options};
    error = site_table_new(conf, options->pauses, options->pots, &p->sites, &path);
    if (error)
        return complain(path.ptr ? path.ptr : "sites", error);
    choose_pseudonym(p);
    p->guests = guests_new(&conf->limits, options->key);
    p->rates = rates_new(conf->limits.rate_buckets_max, options->key);
    p->listens = calloc(conf->listens_n, sizeof *p->listens);
    if (!p->guests || !p->rates || !p->listens)
        return complain("start", -ENOMEM);
    if (slice_is_there(conf->legal) && legal_open(conf->legal.ptr, &p->legal) < 0)
        return complain(conf->legal.ptr, -EINVAL);
    error = logins_open(conf, &p->logins);
    if (error)
        return complain(slice_is_there(conf->users) ? conf->users.ptr : "users", error);
    error = pool_open(options->pool_threads, conf->limits.pool_queue_max, &p->pool);
    return error ? complain("pool", error) : 0;
}

int
parts_share(struct parts *p, const char *copy)
{
    const struct conf *conf = p->options.conf;
    int error = copy ? shares_rehearse(p->sites, conf, copy, &p->shares)
                     : shares_open(p->sites, conf, &p->shares);
    struct store *store = error ? NULL : shares_store(p->shares);

    if (!store) /* there is no credit, and what costs is out of reach */
        return error;
    p->meter = meter_new(store, conf->limits.receipt_seconds);
    return p->meter ? 0 : complain("memory", -ENOMEM);
}

int
parts_listener(struct parts *p, unsigned i, struct listener *to)
{
    const struct parts_options *o = &p->options;
    const struct conf_listen *from = &o->conf->listens[i];
    struct parts_listen *l = &p->listens[i];
    const char *why = "";
    int error = 0;

    if (from->certificate.n && !l->tls)
        error = conf_tls_open(o->conf, from, o->ticket_key, o->replay, &l->tls, &why);
    if (error) {
        (void)fprintf(stderr, "earnest: %s: %s\n", from->name.ptr, why);
        return error;
    }
    if (from->portal && !l->portal)
        error = portal_open(from, o->passes, &l->portal);
    if (error)
        return complain(error == -ENOMEM ? "memory" : from->secret.ptr, error);
    if (from->forward && !l->forward && forward_open(o->conf, from, &l->forward) < 0)
        return complain("memory", -ENOMEM);
    *to = (struct listener){
        .fd = to->fd,
        .strict = from->strict || from->portal, /* of others, too */
        .http2 = from->http2,
        .https = from->https,
        .proxied = from->proxy_protocol,
        .tls = l->tls,
        .forward = l->forward,
        .portal = l->portal,
    };
    return 0;
}

struct worker_options
parts_worker(const struct parts *p)
{
    const struct conf *conf = p->options.conf;

    return (struct worker_options){
        .sites = p->sites,
        .limits = &conf->limits,
        .gateways = &conf->gateways,
        .forwarded = (enum forwarded_form)conf->forwarded,
        .guests = p->guests,
        .rates = p->rates,
        .legal = p->legal,
        .logins = p->logins,
        .meter = p->meter,
        .pool = p->pool,
        .pseudonym = p->pseudonym,
        .json = conf->log.format == CONF_LOG_JSON,
        .key = p->options.key,
    };
}

void
parts_stop(struct parts *p)
{
    shares_stop(p->shares);
    logins_stop(p->logins);
    pool_close(p->pool);
    p->pool = NULL;
}

void
parts_close(struct parts *p)
{
    parts_stop(p);
    guests_free(p->guests);
    rates_free(p->rates);
    legal_close(p->legal);
    logins_free(p->logins);
    site_table_free(p->sites);
    meter_free(p->meter);
    shares_free(p->shares);
    for (size_t i = 0; p->listens && i < p->options.conf->listens_n; i++) {
        tls_close(p->listens[i].tls);
        free(p->listens[i].portal);
        forward_free(p->listens[i].forward);
    }
    free(p->listens);
}
