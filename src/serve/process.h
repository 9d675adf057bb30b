/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - the process that serves: one thread a core, a pool, the logs. */
#ifndef SERVE_PROCESS_H
#define SERVE_PROCESS_H

#include "conf/conf.h"
#include "serve/worker.h"

struct passes;
struct pauses;
struct pots;
struct reloads;
struct tls_replay;

enum { PROCESS_READY = 'r', PROCESS_DRAIN = 'd', PROCESS_STOP = 's' };

struct process_options {
    const struct conf *conf;
    unsigned threads_n;
    struct listener *listeners; /* threads_n rows of listens_n */
    unsigned listens_n;
    char *last_requests;     /* threads_n times WORKER_LAST_BYTES, shared with the supervisor */
    atomic_llong *turned_ms; /* threads_n, shared likewise; NULL: nobody watches */
    const unsigned char *ticket_key; /* as in struct tls_options, and */
    struct tls_replay *replay;       /* likewise */
    struct pauses *pauses;           /* likewise */
    struct pots *pots;               /* likewise */
    const struct reloads *reloads;   /* likewise */
    struct passes *passes;           /* who signed in at a portal */
    int control; /* to the supervisor: we say READY; it says DRAIN or STOP, or goes away (a STOP) */
};

/* Serves until it is told to end, and has ended what was in progress. Returns the exit code. */
int process_run(const struct process_options *options);

#endif
