/* SPDX-License-Identifier: Apache-2.0 */
/* forward.h - a listener whose clients ask others through it: a proxy (RFC 9110 3.7). */
#ifndef SERVE_FORWARD_H
#define SERVE_FORWARD_H

#include "serve/exchange.h"

struct conf;
struct conf_listen;
struct forward;

/* Makes it from the configuration, whose slices it keeps. Returns 0 or -ENOMEM. */
ERN_MUST_USE int forward_open(const struct conf *conf, const struct conf_listen *listen,
                              struct forward **ret_forward);
void forward_free(struct forward *forward); /* NULL does nothing */

/* The route of a request that asks for another server; NULL: it asks for us. */
const struct site_route *forward_route(struct exchange *exchange);

extern struct ern_resource forward_resource;

#endif
