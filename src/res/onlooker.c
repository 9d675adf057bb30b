/* SPDX-License-Identifier: Apache-2.0 */
#include "res/onlooker.h"

#include "base/slice.h"
#include "msg/target.h"

/* Reads a host that is an address. */
static bool
read_address(struct ern_slice host, struct ip *ret)
{
    if (slice_starts(host, ERN_SLICE("[")))
        return ip6_parse(slice_from(host.ptr + 1, host.len - 2), ret);
    return ip4_parse(host, ret);
}

/* Does the host stand for the one that the client runs on, whoever asks? */
static bool
is_localhost(struct ern_slice host)
{
    static const struct ern_slice name = {"localhost", 9};
    struct ip ip;

    if (read_address(host, &ip))
        return ip_is_loopback(&ip);
    if (host.len > name.len && host.ptr[host.len - name.len - 1] == '.')
        host = slice_skip(host, host.len - name.len);
    return slice_eq_nocase(host, name);
}

/* A name of somebody else's may have led a browser here, that believes it is theirs. */
static bool
is_name_of_ours(const struct onlookers *o, struct ern_slice host)
{
    struct ip ip;

    for (unsigned i = 0; i < o->names_n; i++)
        if (slice_eq_nocase(o->names[i], host))
            return true;
    return is_localhost(host) || read_address(host, &ip);
}

/* Does it speak for a client elsewhere? */
static bool
came_by_gateway(const struct ern_request *r)
{
    const uint64_t signs = UINT64_C(1) << ERN_FIELD_via | UINT64_C(1) << ERN_FIELD_forwarded |
                           UINT64_C(1) << ERN_FIELD_x_forwarded_for;

    return (r->present & signs) != 0;
}

/* A gateway that adds no field for its clients may still be known by HTTP/1.0, which they do not
 * speak any more. WebSocket does not come by it. */
static bool
is_outdated(const struct ern_request *r)
{
    return r->version_major == 1 && r->version_minor == 0;
}

/* rfc6455#10.2 "Servers that are not intended to process input from any web page but only for
 * certain sites SHOULD verify the |Origin| field is an origin they expect." */
static bool
origin_is_ours(const struct ern_request *r)
{
    struct ern_slice origin = ern_request_field(r, ERN_FIELD_origin);
    size_t colon = slice_find(origin, ':');

    if (!slice_is_there(origin))
        return true; /* it is no browser, or the page is its own */
    origin = slice_skip(origin, colon);
    return slice_starts(origin, ERN_SLICE("://")) &&
           slice_eq_nocase(slice_skip(origin, 3), r->authority);
}

/* The same answer for how nearly everybody says it, at once: each request may be asked. */
static inline bool
is_plainly_localhost(struct ern_slice authority)
{
    static const char *const names[] = {"localhost", "127.0.0.1"};
    enum { LEN = 9 };

    if (authority.len < LEN || (authority.len > LEN && authority.ptr[LEN] != ':'))
        return false;
    return memcmp(authority.ptr, names[0], LEN) == 0 || memcmp(authority.ptr, names[1], LEN) == 0;
}

static bool
is_here(const struct ern_request *r)
{
    return !came_by_gateway(r) &&
           (is_plainly_localhost(r->authority) || is_localhost(authority_host(r->authority)));
}

enum onlooker
onlooker_of(const struct networks *allow, const struct ip *peer)
{
    if (networks_have(allow, peer))
        return ONLOOKER_ALLOWED;
    return ip_is_loopback(peer) ? ONLOOKER_HERE : ONLOOKER_NONE;
}

bool
onlooker_may_see(const struct onlookers *o, const struct ip *peer, const struct ern_request *r)
{
    return origin_is_ours(r) &&
           ((ip_is_loopback(peer) && is_here(r)) ||
            (networks_have(&o->allow, peer) && is_name_of_ours(o, authority_host(r->authority))));
}

bool
onlooker_is_permitted(const struct ern_decision *d)
{
    const struct res_request *request = d->self;
    const struct onlooker_route *route = request->route;
    struct ip peer = address_ip(&request->peer);

    return onlooker_may_see(&route->onlookers, &peer, d->request);
}

bool
onlooker_is_told(enum onlooker onlooker, const struct ern_request *r)
{
    return onlooker == ONLOOKER_ALLOWED ||
           (onlooker == ONLOOKER_HERE && !is_outdated(r) && is_here(r));
}

enum ern_answer
onlooker_ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return !is_outdated(d->request) && onlooker_is_permitted(d) ? ERN_YES : ERN_NO;
}

enum ern_answer
onlooker_ask_hidden(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_YES;
}

enum ern_answer
onlooker_ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS));
}
