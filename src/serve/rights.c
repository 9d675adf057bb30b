/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/rights.h"

#include "conf/conf.h"
#include "serve/conn.h"
#include "serve/site.h"

enum { PATH_BYTES = 1 << 13 /* longer ones are nobody's */ };

/* What a method does to its target; those that are not named need CONF_MAY_ADMIN. */
static const unsigned char needs[ERN_METHODS] = {
    [ERN_GET] = CONF_MAY_READ,
    [ERN_HEAD] = CONF_MAY_READ,
    [ERN_OPTIONS] = CONF_MAY_READ,
    [ERN_TRACE] = CONF_MAY_READ,
    [ERN_PROPFIND] = CONF_MAY_READ,
    [ERN_REPORT] = CONF_MAY_READ,
    [ERN_SEARCH] = CONF_MAY_READ,
    [ERN_COPY] = CONF_MAY_READ, /* and its destination is written */
    [ERN_PUT] = CONF_MAY_WRITE,
    [ERN_POST] = CONF_MAY_WRITE,
    [ERN_PATCH] = CONF_MAY_WRITE,
    [ERN_MKCOL] = CONF_MAY_WRITE,
    [ERN_PROPPATCH] = CONF_MAY_WRITE,
    [ERN_BIND] = CONF_MAY_WRITE,
    [ERN_REBIND] = CONF_MAY_WRITE,
    [ERN_MKREDIRECTREF] = CONF_MAY_WRITE,
    [ERN_UPDATEREDIRECTREF] = CONF_MAY_WRITE,
    [ERN_DELETE] = CONF_MAY_DELETE,
    [ERN_MOVE] = CONF_MAY_DELETE, /* likewise */
    [ERN_UNBIND] = CONF_MAY_DELETE,
    [ERN_LOCK] = CONF_MAY_LOCK,
    [ERN_UNLOCK] = CONF_MAY_LOCK,
};

static unsigned
need_of(enum ern_method method)
{
    return method < ERN_METHODS && needs[method] ? needs[method] : CONF_MAY_ADMIN;
}

static bool
has(const struct conf_texts *texts, struct ern_slice text)
{
    for (size_t i = 0; i < texts->n; i++)
        if (slice_eq(texts->text[i], text))
            return true;
    return false;
}

/* Is the right this client's? Without users and groups it is everybody's. */
static bool
is_of(const struct conf_right *right, const struct exchange *x, const struct ip *client)
{
    const struct known *known = &x->known;

    if (right->allowed.n > 0 && !networks_have(&right->allowed, client))
        return false;
    if (right->users.n == 0 && right->groups.n == 0)
        return true;
    if (!slice_is_there(known->name))
        return false;
    for (size_t i = 0; i < known->groups->n; i++)
        if (has(&right->groups, known->groups->text[i]))
            return true;
    return has(&right->users, known->name);
}

/* What the client may do at a path below the route, as bits. */
static unsigned
held_at(const struct exchange *x, struct ern_slice below)
{
    const struct conf_route *route = x->route->policy.route;
    struct ip client = address_ip(&x->client);
    size_t longest = 0;
    unsigned held = 0;

    for (size_t i = 0; i < route->rights_n; i++)
        if (site_path_covers(route->rights[i].path, below) && route->rights[i].path.len > longest)
            longest = route->rights[i].path.len;
    for (size_t i = 0; longest && i < route->rights_n; i++)
        if (route->rights[i].path.len == longest &&
            site_path_covers(route->rights[i].path, below) && is_of(&route->rights[i], x, &client))
            held |= route->rights[i].gives;
    return held;
}

/* Does the path lie beneath the other, which is a collection? */
static bool
is_beneath(struct ern_slice path, struct ern_slice of)
{
    size_t n = of.len - slice_ends(of, ERN_SLICE("/"));

    return path.len > n && slice_starts(path, slice_first(of, n)) && path.ptr[n] == '/';
}

/* The same at each path beneath this one that has rights of its own. */
static unsigned
held_beneath(const struct exchange *x, struct ern_slice below)
{
    const struct conf_route *route = x->route->policy.route;
    unsigned held = held_at(x, below);

    for (size_t i = 0; i < route->rights_n; i++)
        if (is_beneath(route->rights[i].path, below))
            held &= held_at(x, route->rights[i].path);
    return held;
}

bool
rights_permit(const struct exchange *x)
{
    const struct conf_route *route = x->route->policy.route;

    /* What belongs to a folder besides its files has paths of its own; the files are looked at by
     * rights_may(), when they are known. */
    if (route->rights_n == 0 || !slice_eq(x->route->path, route->path))
        return true;
    return held_at(x, x->res.below) & need_of(x->request.method);
}

/* ---- other routes ------------------------------------------------------------------------------
 */

static bool
is_guarded(const struct policy *p)
{
    return p->route && (p->login || p->allow.n > 0 || p->route->rights_n > 0);
}

static bool
is_same(const struct site_route *a, const struct site_route *b)
{
    return a->policy.route == b->policy.route;
}

/* Is the path, of the whole URL, left to this route? Others that anybody may see may be shown. */
static bool
is_ours(const struct exchange *x, struct ern_slice path, unsigned access)
{
    const struct site_route *route = site_route_find(x->worker->sites, x->site, path);

    return is_same(route, x->route) || (access == RES_READ && !is_guarded(&route->policy));
}

static bool
is_all_ours(const struct exchange *x, struct ern_slice path)
{
    for (unsigned i = 0; i < x->site->routes_n; i++) {
        const struct site_route *route = &x->site->routes[i];

        if (!is_same(route, x->route) && is_beneath(route->path, path) &&
            is_guarded(&route->policy))
            return false;
    }
    return true;
}

bool
rights_may(const struct res_request *request, struct ern_slice below, unsigned access)
{
    const struct exchange *x =
        (const struct exchange *)(const void *)((const char *)request -
                                                __builtin_offsetof(struct exchange, res));
    const struct conf_route *route = x->route->policy.route;
    bool is_tree = access & RES_TREE;
    char text[PATH_BYTES];
    struct out o = out_init(text, sizeof text);
    struct ern_slice path;

    access &= ~(unsigned)RES_TREE;
    out_slice(&o,
              slice_first(route->path, route->path.len - slice_ends(route->path, ERN_SLICE("/"))));
    out_slice(&o, below);
    path = out_done(&o);
    if (o.full || !is_ours(x, path, access) || (is_tree && !is_all_ours(x, path)))
        return false;
    return route->rights_n == 0 ||
           ((is_tree ? held_beneath(x, below) : held_at(x, below)) & access) == access;
}
