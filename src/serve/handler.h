/* SPDX-License-Identifier: Apache-2.0 */
/* handler.h - the kinds of route whose files are programs: run by an application behind us
 * (FastCGI), or by us (CGI). */
#ifndef SERVE_HANDLER_H
#define SERVE_HANDLER_H

#include "res/script.h"
#include "serve/exchange.h"
#include "serve/program.h"
#include "serve/upstream.h"

struct conf_route;

struct handler_route {
    struct script_route script; /* first */
    struct origin_names names;
    struct program_route program; /* of CGI */
    char folder[PATH_MAX];
};

/*
 * Reads the configuration of a route, whose slices it keeps; the folder of route->script.files is
 * open. Returns 0 or a negative errno.
 */
ERN_MUST_USE int handler_open(const struct conf_route *from, const struct limits *limits,
                              unsigned number, struct handler_route *route);
void handler_close(struct handler_route *route);

/* States what is for the script to judge; and takes it back, where a plain file answers. */
void handler_state(struct exchange *exchange);
void handler_retract(struct exchange *exchange);

/* Is it known without a look that the path is no script's? */
bool handler_yields(const struct site_route *route, struct ern_slice path);

/* The script that was found; only once something was asked that a script answers. */
const struct script *handler_script(const struct exchange *exchange);

/* What is spoken with applications, and with programs (relay_script.c). */
extern const struct speech fastcgi_speech, cgi_speech;

extern struct ern_resource fastcgi_resource, cgi_resource;

#endif
