/* SPDX-License-Identifier: Apache-2.0 */
/* environment.h - what a script is told of its request: the meta-variables of CGI (RFC 3875 4.1).
 */
#ifndef SERVE_ENVIRONMENT_H
#define SERVE_ENVIRONMENT_H

#include "res/script.h"
#include "serve/exchange.h"

/*
 * Writes them, each as NAME=VALUE and a NUL: those of RFC 3875, those that programs made for other
 * servers look for, and the fields of the request, but for what is of its connection, or could be
 * taken for something else. HTTP_PROXY is never there: programs take it for their own setting.
 */
void environment_write(const struct exchange *exchange, const struct script_route *route,
                       const struct script *script, struct out *o);

/* Cuts the next one off the front of what was written. Returns false past the last. */
bool environment_next(struct ern_slice *block, struct ern_slice *ret_name,
                      struct ern_slice *ret_value);

#endif
