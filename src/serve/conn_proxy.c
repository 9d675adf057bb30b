/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_proxy.c - what comes before TLS and HTTP where a listener says so: a header of the PROXY
 * protocol, by which a gateway that only passes bytes on says whose they are.
 */
#include "serve/account.h"
#include "serve/conn.h"
#include "wire/proxy.h"

/* Without an answer: what the client behind it speaks is not known. */
static void
end(struct worker *w, struct conn *c, const char *why)
{
    account_unproxied(w, &c->peer, why);
    conn_close(w, c);
}

bool
proxy_begin(struct worker *w, struct conn *c)
{
    const struct ip ip = address_ip(&c->peer);

    if (networks_have(w->gateways, &ip))
        return true;
    end(w, c, "it is not trusted");
    return false;
}

static void
proceed(struct worker *w, struct conn *c)
{
    struct proxy_header header;

    switch (proxy_header_parse(conn_received(c), w->limits, &header)) {
    case PARSE_MORE:
        return;
    case PARSE_BAD:
        end(w, c, finding_row(header.finding)->name);
        return;
    case PARSE_DONE:
        break;
    }
    c->in->at += header.bytes;
    if (header.is_relayed)
        c->peer = address_from_ip(&header.source);
    if (conn_begin(w, c) && !c->tls)
        c->protocol->proceed(w, c);
}

static bool
reads(const struct conn *c)
{
    (void)c;
    return true;
}

static struct timer_list *
watch(struct worker *w, const struct conn *c)
{
    (void)c;
    return &w->heads;
}

static void
expired(struct worker *w, struct conn *c)
{
    end(w, c, "it did not come in time");
}

static bool
outlives_peer(const struct conn *c)
{
    (void)c;
    return false;
}

static void
leave(struct worker *w, struct conn *c, bool at_once)
{
    if (at_once)
        conn_close(w, c);
}

static void
closed(struct worker *w, struct conn *c)
{
    (void)w;
    (void)c;
}

const struct protocol proxy_protocol = {
    .proceed = proceed,
    .reads = reads,
    .watch = watch,
    .expired = expired,
    .outlives_peer = outlives_peer,
    .leave = leave,
    .closed = closed,
};
