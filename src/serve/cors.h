/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cors.h - what pages of other origins may do with the answers of a route (the CORS protocol of the
 * Fetch standard, section 3.3): browsers ask first, by a preflight, and look at fields of each
 * answer.
 */
#ifndef SERVE_CORS_H
#define SERVE_CORS_H

#include "serve/exchange.h"

/* Asks a browser whether a page may ask: OPTIONS with Origin and Access-Control-Request-Method,
 * from an origin that the route lets? It comes without credentials, and is not about the resource.
 */
bool cors_is_preflight(const struct exchange *exchange);

/* Writes the fields of an answer, for exchange->cors. */
void cors_write_fields(const struct exchange *exchange, struct out *o);

/* What answers a preflight, on whatever route. */
extern struct ern_resource preflight_resource;

#endif
