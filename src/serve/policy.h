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
struct conf_listen;
struct conf_route;
struct conf_texts;

struct policy {                  /* of a route; slices are the configuration's */
    struct networks allow;       /* from where clients may ask; none: from everywhere */
    const struct pause *pause;   /* of its site; NULL: it can not be paused */
    struct networks pause_allow; /* who is served all the same */
    bool legal;                  /* demands are on record */
    bool hide;                   /* what is forbidden is answered as if it were not there */
    bool asks_who;               /* clients have to say who they are, for */
    bool is_proxy;               /* to us as a proxy, and not to who has the resource */
    struct ern_slice realm;
    const struct conf_texts *users, *groups; /* those that may ask; both empty: all */
};

/* What the configuration of a route says. */
struct policy policy_of(const struct conf *conf, const struct conf_route *route);

/* What that of a proxy says of all that is asked through it. */
struct policy policy_of_proxy(const struct conf_listen *listen);

/*
 * The resource of a route: its kind, with the asks of the policies that apply added. Where both
 * answer a fact the policy is asked first, and the kind if the policy does not object.
 *   ret_resource  kind itself where no policy applies; else to be freed
 * Returns 0 or -ENOMEM.
 */
ERN_MUST_USE int policy_apply(const struct policy *policy, struct ern_resource *kind,
                              struct ern_resource **ret_resource);

#endif
