/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onlooker.h - who may see decisions: what others ask for, and why it is answered as it is. That is
 * clients on this host, and networks that are allowed by name. And because a web page of anybody
 * runs on this host, too, the names are looked at: Origin has to be ours (RFC 6455 10.2), and the
 * authority a name that nobody else can give us.
 */
#ifndef RES_ONLOOKER_H
#define RES_ONLOOKER_H

#include "base/network.h"
#include "res/res.h"

struct onlookers {
    struct networks allow;         /* besides clients on this host */
    const struct ern_slice *names; /* hosts of the site, names_n of them */
    unsigned names_n;
};

struct onlooker_route { /* of a kind of resource that shows decisions */
    struct res_route any;
    struct onlookers onlookers;
};

/* What the address of a client is to those who look on. */
enum onlooker { ONLOOKER_NONE, ONLOOKER_HERE, ONLOOKER_ALLOWED };
enum onlooker onlooker_of(const struct networks *allow, const struct ip *peer);

/* May the client with this address, who asks so, see decisions? */
bool onlooker_may_see(const struct onlookers *onlookers, const struct ip *peer,
                      const struct ern_request *request);

/* May the client of this decision, on one who has such a route? */
bool onlooker_is_permitted(const struct ern_decision *decision);

/*
 * Is the client to be told where the decision on this request can be seen? Whether it may see it is
 * found out when it asks.
 */
bool onlooker_is_told(enum onlooker onlooker, const struct ern_request *request);

/* What pages for onlookers answer alike: to all others they are not there. */
ern_ask onlooker_ask_permitted;
ern_ask onlooker_ask_hidden;
ern_ask onlooker_ask_method_allowed;

#define ONLOOKER_ASKS                                                                              \
    [ERN_FACT_permitted] = onlooker_ask_permitted, [ERN_FACT_hidden] = onlooker_ask_hidden,        \
    [ERN_FACT_method_allowed] = onlooker_ask_method_allowed

#endif
