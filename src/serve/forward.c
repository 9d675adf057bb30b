/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/forward.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "conf/conf.h"
#include "msg/target.h"
#include "serve/conn.h"
#include "serve/login.h"
#include "serve/proxy.h"
#include "serve/relay.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

struct forward {
    struct res_route any; /* first */
    const struct conf_texts *hosts, *ports;
    const struct networks *networks; /* that are not everybody's, and may be reached all the same */
    struct conf_route door;          /* who may ask, as a route says it */
    struct site_route route;
};

struct target { /* whom a request is for; its origin is asked for nobody else */
    struct origins origins;
    struct origin origin;
};

int
forward_open(const struct conf *conf, const struct conf_listen *listen,
             struct forward **ret_forward)
{
    struct forward *f = calloc(1, sizeof *f);

    if (!f)
        return -ENOMEM;
    f->hosts = &listen->hosts;
    f->ports = &listen->ports;
    f->networks = &listen->reachable;
    f->door = (struct conf_route){.path = ERN_SLICE("forward"),
                                  .auth = listen->auth,
                                  .realm = listen->realm,
                                  .allow_users = listen->allow_users,
                                  .allow_groups = listen->allow_groups};
    f->route = (struct site_route){.path = ERN_SLICE("/"),
                                   .kind = &forward_resource,
                                   .self = f,
                                   .policy = {.login = f->door.auth.n ? &f->door : NULL,
                                              .schemes = login_schemes(&f->door.auth),
                                              .is_proxy = true},
                                   .rate = rate_limit_of(&conf->limit, listen),
                                   .content_max = proxy_content_max,
                                   .state = proxy_state};
    if (policy_apply(&f->route.policy, &forward_resource, &f->route.resource) != 0) {
        free(f);
        return -ENOMEM;
    }
    *ret_forward = f;
    return 0;
}

void
forward_free(struct forward *f)
{
    if (!f)
        return;
    if (f->route.resource != f->route.kind)
        free(f->route.resource);
    free(f);
}

/*
 * rfc9110#9.3.6 "A CONNECT request message does not have content." What follows its head is the
 * tunnel's, over HTTP/1.1: a length would make two messages of it.
 */
static bool
has_content(const struct ern_request *r)
{
    return r->version_major == 1 && (r->chunked || r->content_length > 0);
}

const struct site_route *
forward_route(struct exchange *x)
{
    const struct ern_request *r = &x->request;
    const struct forward *f = x->conn->listener->forward;
    bool connects = r->form == ERN_AUTHORITY_FORM;

    /* A target of HTTP/2 always is a whole URI. */
    if (!connects && r->form != ERN_ABSOLUTE_FORM &&
        (r->version_major == 1 || r->form == ERN_ASTERISK_FORM))
        return NULL;
    x->res.path = ERN_SLICE("/");
    if (connects && has_content(r))
        x->finding = FINDING_connect_content;
    return &f->route;
}

/* ---- whom it is for ----------------------------------------------------------------------------
 */

static const struct forward *
forward_of(const struct exchange *x)
{
    return x->route->self;
}

/* The server that a request is for. Returns false if that is none that we can speak to. */
static bool
read_target(const struct exchange *x, struct origin_name *ret)
{
    const struct ern_request *r = &x->request;
    struct ern_slice host = authority_host(r->authority), port;
    bool connects = r->method == ERN_CONNECT;
    uint64_t n = HTTP_PORT;

    port = slice_skip(r->authority, host.len);
    if (port.len > 1 && (!u64_parse(slice_skip(port, 1), UINT16_MAX, &n) || n == 0))
        return false;
    if ((connects && port.len <= 1) || slice_is_there(r->protocol))
        return false;
    if (r->form == ERN_ABSOLUTE_FORM &&
        !slice_eq_nocase(slice_first(r->target, 5), ERN_SLICE("http:")))
        return false;
    if (host.len > 1 && host.ptr[0] == '[')
        host = slice_from(host.ptr + 1, host.len - 2);
    *ret = (struct origin_name){.host = host, .authority = r->authority, .port = (uint16_t)n};
    return host.len > 0;
}

/* "example.org", or all below it: ".example.org" */
static bool
is_host(struct ern_slice allowed, struct ern_slice host)
{
    if (allowed.ptr[0] != '.')
        return slice_eq_nocase(allowed, host);
    return host.len > allowed.len &&
           slice_eq_nocase(allowed, slice_skip(host, host.len - allowed.len));
}

static bool
allows_host(const struct forward *f, struct ern_slice host)
{
    for (size_t i = 0; i < f->hosts->n; i++)
        if (is_host(f->hosts->text[i], host))
            return true;
    return f->hosts->n == 0;
}

static bool
allows_port(const struct forward *f, unsigned port)
{
    uint64_t n;

    for (size_t i = 0; i < f->ports->n; i++)
        if (u64_parse(f->ports->text[i], UINT16_MAX, &n) && n == port)
            return true;
    return f->ports->n == 0 && (port == HTTP_PORT || port == HTTPS_PORT);
}

/* By name and port. By which address it is reached is looked at when it is dialled: names change
 * what they stand for. */
static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = exchange_of_decision(d);
    struct origin_name name;

    (void)fact;
    return read_target(x, &name) && allows_host(forward_of(x), name.host) &&
                   allows_port(forward_of(x), name.port)
               ? ERN_YES
               : ERN_NO;
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    enum ern_answer answer = res_allows(d, RES_ALLOW_ALL & ~RES_ALLOW(TRACE));

    (void)fact;
    return d->request->method == ERN_METHODS ? ERN_YES : answer;
}

static struct relay *
begin(struct exchange *x)
{
    struct target *t = arena_take(&x->arena, sizeof *t);
    struct origin_name name;

    if (!t || !read_target(x, &name))
        return NULL;
    origin_init(&t->origin, x->worker->upstreams, &name);
    t->origin.keeps = false;
    t->origins = (struct origins){
        .origin = &t->origin, .n = 1, .is_guarded = true, .reachable = forward_of(x)->networks};
    return relay_begin(x, &t->origins);
}

static enum ern_answer
ask_upstream(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);

    return relay_answer(x->relay ? x->relay : begin(x), d, fact);
}

struct ern_resource forward_resource = {
    .name = "forward",
    .ask =
        {
            [ERN_FACT_permitted] = ask_permitted,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            RELAY_ASKS(ask_upstream),
            [ERN_FACT_act_permitted] = ask_upstream,
        },
};
