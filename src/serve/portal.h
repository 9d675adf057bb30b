/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal.h - a listener where clients must sign in to the network first (RFC 6585 6): who has not
 * is captive, whatever is asked for; who has is served as at any other listener.
 */
#ifndef SERVE_PORTAL_H
#define SERVE_PORTAL_H

#include "io/seal.h"
#include "serve/exchange.h"

struct conf_listen;
struct passes;

struct portal {            /* of a listener; slices are the configuration's */
    struct ern_slice name; /* in the table of who passes */
    struct ern_slice login;
    struct ern_slice api_host, api_path; /* absent: clients cannot ask */
    int64_t lifetime_s;
    struct seal_secret secret; /* of the login page; none: nobody can come to pass */
    struct passes *passes;     /* of all portals */
};

/* Reads what a configuration says, and the secret. Returns 0 or a negative errno. */
ERN_MUST_USE int portal_open(const struct conf_listen *listen, struct passes *passes,
                             struct portal **ret_portal);

/*
 * What the portal at which the request came in says of it: the route that answers for the portal,
 * or NULL if the sites do.
 */
const struct site_route *portal_route(struct exchange *exchange);

/* The API for clients (RFC 8908), where the login page sends them back to, too. */
extern struct ern_resource portal_resource;

#endif
