/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.h - the listening sockets, which outlive the processes that accept from them: a
 * connection that waits in their queue waits for whoever comes next.
 */
#ifndef SERVE_SOCKETS_H
#define SERVE_SOCKETS_H

#include "conf/conf.h"
#include "io/service.h"
#include "serve/worker.h"

struct sockets { /* of one configuration */
    unsigned listens_n, threads_n;
    struct listener *listeners; /* a row of listens_n for each thread */
    union address *addresses;   /* listens_n: as they were bound */
    struct ern_slice *names;    /* listens_n: as they were written; copies */
};

/*
 * Opens what a configuration listens on. What the older set has open already is shared, not opened
 * again; nor is what the service manager has opened, which all threads then accept from.
 *   before     NULL if there is none
 *   ret_name   on failure, the listen at fault, a slice of conf
 * Returns 0, or a negative errno.
 */
ERN_MUST_USE int sockets_open(const struct conf *conf, unsigned threads_n,
                              const struct service *service, const struct sockets *before,
                              struct sockets **ret_sockets, struct ern_slice *ret_name);

/* Frees the set; closes those of its sockets that keep does not share. NULL is fine for both. */
void sockets_close(struct sockets *sockets, const struct sockets *keep);

#endif
