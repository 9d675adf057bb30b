/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.h - the kind of route that others answer: a gateway (RFC 9110 3.7). */
#ifndef SERVE_PROXY_H
#define SERVE_PROXY_H

#include "serve/exchange.h"
#include "serve/upstream.h"

struct conf_route;

struct proxy_route {
    struct res_route any; /* first */
    struct origin_names names;
};

/* Reads the configuration of a route, whose slices it keeps. Returns 0 or -ENOMEM. */
ERN_MUST_USE int proxy_open(const struct conf_route *from, unsigned number,
                            struct proxy_route *route);
void proxy_close(struct proxy_route *route);

/* States what is for upstream to judge, and what only we know. */
void proxy_state(struct exchange *exchange);

/* The limit on what goes on of the content of a request. */
const int64_t *proxy_content_max(const struct ern_request *request, const struct limits *limits);

extern struct ern_resource proxy_resource;

#endif
