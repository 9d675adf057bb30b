/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - what workers need of a process, opened and closed in one order: for a process that
 * serves (process.h), and for one that rehearses (rehearse.h).
 */
#ifndef SERVE_PARTS_H
#define SERVE_PARTS_H

#include "conf/conf.h"
#include "serve/worker.h"

struct passes;
struct pauses;
struct pots;
struct shares;
struct tls_replay;

struct parts_options { /* all of it lives longer than the parts */
    const struct conf *conf;
    struct pauses *pauses; /* NULL: no site can be paused */
    struct pots *pots;
    struct passes *passes;           /* who signed in at a portal */
    const unsigned char *ticket_key; /* as in struct tls_options, and */
    struct tls_replay *replay;       /* likewise */
    unsigned pool_threads;
    struct hash_key key;
};

struct parts_listen { /* what a listener has for all threads; NULL where it is none of this */
    struct tls *tls;
    struct portal *portal;
    struct forward *forward;
};

struct parts {
    struct parts_options options;
    struct site_table *sites;
    struct guests *guests;
    struct rates *rates;
    struct legal *legal; /* NULL: there is no record of demands */
    struct logins *logins;
    struct pool *pool;
    struct parts_listen *listens; /* of each listen of the configuration */
    struct shares *shares;        /* once parts_share() was called, and */
    struct meter *meter;          /* NULL: there is no credit */
    struct ern_slice pseudonym;   /* among gateways */
    char pseudonym_text[32];
};

/* Opens the parts; what is wrong is said. Returns 0, or a negative errno, after which parts_close()
 * is to be called all the same. */
ERN_MUST_USE int parts_open(struct parts *parts, const struct parts_options *options);

/*
 * Opens what is kept of writable folders, and credit; what is wrong is said.
 *   copy  the folder of a copy to rehearse in; NULL: the state of the configuration is used
 * Returns 0, or a negative errno.
 */
ERN_MUST_USE int parts_share(struct parts *parts, const char *copy);

/* Makes what a worker has of the i-th listen, all but its socket. What is wrong is said. Returns 0,
 * or a negative errno. */
ERN_MUST_USE int parts_listener(struct parts *parts, unsigned i, struct listener *to);

/* What a worker is made of, as far as the parts go. */
struct worker_options parts_worker(const struct parts *parts);

/* Ends the threads: nothing comes back to a worker afterwards. Then workers can be freed. */
void parts_stop(struct parts *parts);

void parts_close(struct parts *parts);

#endif
