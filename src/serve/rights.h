/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights.h - who may do what beneath a route: by user, group and network, by kinds of method, on
 * paths. Where a route names rights, what none of them gives is forbidden; of several paths that
 * cover one, the longest counts alone.
 */
#ifndef SERVE_RIGHTS_H
#define SERVE_RIGHTS_H

#include "serve/exchange.h"

/* May the client do what it asks for, to the path that it names? */
bool rights_permit(const struct exchange *exchange);

/*
 * For the resource: may this client do that to another path of the route? What is beneath another
 * route that guards it is not this one's to show, and never to change. As struct res_request's may.
 */
bool rights_may(const struct res_request *request, struct ern_slice below, unsigned access);

#endif
