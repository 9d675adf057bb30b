/* SPDX-License-Identifier: Apache-2.0 */
#include "res/https.h"

#include "msg/target.h"

enum { HTTPS_PORT = 443 };

static bool
is_retrieval(const struct ern_decision *d)
{
    return d->request->method == ERN_GET || d->request->method == ERN_HEAD;
}

/* The same host, path and query by https. Who names no host (HTTP/1.0) cannot be sent anywhere. */
static enum ern_answer
ask_moved(struct ern_decision *d, enum ern_fact fact)
{
    const struct ern_request *http = d->request;
    struct res_request *request = d->self;
    const struct https_route *route = request->route;
    struct out o = arena_out(request->arena);

    (void)fact;
    if (http->authority.len == 0)
        return ERN_NO;
    out_literal(&o, "https://");
    out_slice(&o, authority_host(http->authority));
    if (route->port != HTTPS_PORT) {
        out_char(&o, ':');
        out_u64(&o, route->port);
    }
    path_write(&o, request->path);
    if (slice_is_there(request->query)) {
        out_char(&o, '?');
        out_slice(&o, request->query);
    }
    d->evidence.location = arena_keep(request->arena, &o);
    return slice_is_there(d->evidence.location) ? ERN_YES : ERN_FAIL;
}

static enum ern_answer
ask_for_good(struct ern_decision *d, enum ern_fact fact)
{
    const struct https_route *route = ((struct res_request *)d->self)->route;

    (void)fact;
    return route->hsts || is_retrieval(d) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_keeps_method(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return is_retrieval(d) ? ERN_NO : ERN_YES;
}

static enum ern_answer
ask_upgrade_required(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;

    (void)fact;
    if (d->request->authority.len)
        return ERN_NO;
    request->upgrade = ERN_SLICE("TLS/1.3");
    return ERN_YES;
}

struct ern_resource https_resource = {
    .name = "https",
    .ask =
        {
            [ERN_FACT_upgrade_required] = ask_upgrade_required,
            [ERN_FACT_moved] = ask_moved,
            [ERN_FACT_for_good] = ask_for_good,
            [ERN_FACT_keeps_method] = ask_keeps_method,
        },
};
