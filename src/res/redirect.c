/* SPDX-License-Identifier: Apache-2.0 */
#include "res/redirect.h"

#include "msg/target.h"

static bool
write_location(struct ern_decision *d, const struct redirect_route *route)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    out_slice(&o, route->to);
    if (route->whole_tree) {
        path_write(&o, slice_skip(request->below, slice_ends(route->to, ERN_SLICE("/"))));
        if (slice_is_there(request->query)) {
            out_char(&o, slice_find(route->to, '?') < route->to.len ? '&' : '?');
            out_slice(&o, request->query);
        }
    }
    d->evidence.location = arena_keep(request->arena, &o);
    return slice_is_there(d->evidence.location);
}

static enum ern_answer
is_kind(struct ern_decision *d, enum redirect_kind kind)
{
    struct res_request *request = d->self;
    const struct redirect_route *route = request->route;

    if (route->kind != kind)
        return ERN_NO;
    return write_location(d, route) ? ERN_YES : ERN_FAIL;
}

static enum ern_answer
ask_moved(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return is_kind(d, REDIRECT_MOVED);
}

static enum ern_answer
ask_elsewhere(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return is_kind(d, REDIRECT_SEE_OTHER);
}

static enum ern_answer
ask_use_proxy(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return is_kind(d, REDIRECT_USE_PROXY);
}

static enum ern_answer
ask_for_good(struct ern_decision *d, enum ern_fact fact)
{
    const struct redirect_route *route = ((struct res_request *)d->self)->route;

    (void)fact;
    return route->for_good ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_keeps_method(struct ern_decision *d, enum ern_fact fact)
{
    const struct redirect_route *route = ((struct res_request *)d->self)->route;

    (void)fact;
    return route->keeps_method ? ERN_YES : ERN_NO;
}

static enum ern_answer
no(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_NO;
}

static enum ern_answer
yes(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_YES;
}

/* TRACE and CONNECT are for servers that say so; whatever else comes is answered by what it is. */
static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, ((UINT64_C(1) << ERN_METHODS) - 1) & ~RES_ALLOW(TRACE) &
                             ~RES_ALLOW(CONNECT) & ~RES_ALLOW(PRI));
}

/* What people try on any path: the answer is then that there is nothing, not that they may not. */
static enum ern_answer
ask_method_usual(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS) | RES_ALLOW(POST) |
                             RES_ALLOW(DELETE) | RES_ALLOW(PATCH));
}

struct ern_resource redirect_resource = {
    .name = "redirect",
    .ask =
        {
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_use_proxy] = ask_use_proxy,
            [ERN_FACT_elsewhere] = ask_elsewhere,
            [ERN_FACT_moved] = ask_moved,
            [ERN_FACT_for_good] = ask_for_good,
            [ERN_FACT_keeps_method] = ask_keeps_method,
        },
};

struct ern_resource gone_resource = {
    .name = "gone",
    .ask =
        {
            [ERN_FACT_method_allowed] = ask_method_usual,
            [ERN_FACT_exists] = no,
            [ERN_FACT_gone] = yes,
        },
};

struct ern_resource none_resource = {
    .name = "none",
    .ask =
        {
            [ERN_FACT_method_allowed] = ask_method_usual,
            [ERN_FACT_exists] = no,
        },
};

static enum ern_answer
ask_method_anywhere(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS));
}

struct ern_resource server_resource = {
    .name = "server",
    .ask = {[ERN_FACT_method_allowed] = ask_method_anywhere},
};
