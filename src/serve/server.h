/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - the supervisor: it holds the sockets, starts the process that serves, starts another
 * when the configuration was changed, and again one when the first has crashed.
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "conf/conf.h"

struct server_source { /* where the configuration comes from, at the start and at each SIGHUP */
    const char *path;  /* a file; NULL: */
    const struct conf_flags *flags; /* from these */
};

/*
 * Serves until SIGTERM or SIGINT: connections then have time to finish. SIGHUP reads the
 * configuration again and keeps the old one if the new one is wrong. Returns the exit code: 0, or 1
 * if it could not start, which it said on standard error.
 */
int server_run(const struct server_source *source);

#endif
