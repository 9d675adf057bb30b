/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - what a route asks besides what its kind does: who may, from where. A policy answers
 * facts as a kind of resource does; the rules say what follows.
 */
#ifndef SERVE_POLICY_H
#define SERVE_POLICY_H

#include "base/network.h"
#include "earnest/decide.h"

struct conf;
struct conf_route;
struct exchange;

struct policy {                           /* of a route; slices are the configuration's */
    struct networks allow;                /* from where clients may ask; none: from everywhere */
    const struct pause *pause;            /* of its site; NULL: it can not be paused */
    struct networks pause_allow;          /* who is served all the same, */
    const struct conf_texts *pause_users; /* and which users */
    bool counts_users;                    /* a limit is by user */
    unsigned price;                       /* in credits; 0: it costs nothing */
    struct ern_slice pay;                 /* the URL where credit is bought */
    bool agree;                           /* a client must say up to which price it agrees */
    bool legal;                           /* demands are on record */
    bool hide; /* what is forbidden is answered as if it were not there */
    /* Clients have to say who they are, in a way that this says; NULL: they need not. */
    const struct conf_route *login;
    const struct conf_route *route; /* whose policy it is; NULL: nobody's */
    const struct conf_route *cors;  /* what it says of pages of other origins; NULL: nothing */
    unsigned schemes;               /* one bit an enum login_scheme */
    bool is_proxy; /* they say so to us as a proxy, and not to who has the resource */
    bool is_plain; /* it is about who asks and what he may, and about nothing else */
};

/* What the configuration of a route says. */
struct policy policy_of(const struct conf *conf, const struct conf_route *route);

/*
 * The resource of a route: its kind, with the asks of the policies that apply added. Where several
 * answer a fact the policies are asked first, and the kind if none of them objects.
 *   ret_resource  kind itself where no policy applies; else to be freed
 * Returns 0 or -ENOMEM.
 */
ERN_MUST_USE int policy_apply(struct policy *policy, struct ern_resource *kind,
                              struct ern_resource **ret_resource);

/*
 * Is it known beforehand that none of the policies objects: because the credentials were
 * remembered, and policies are about nothing else? Then it is decided as if there were none, at
 * their price.
 */
bool policy_lets_in(const struct exchange *exchange);

#endif
