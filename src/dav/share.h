/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share.h - the folder behind a writable route: its files, what is remembered of them, and what
 * follows from its configuration. Shared by all threads; read-only but for what the store and the
 * lock guard.
 */
#ifndef DAV_SHARE_H
#define DAV_SHARE_H

#include <pthread.h>

#include "io/stage.h"
#include "res/files.h"
#include "store/store.h"

enum { TRANSFERS_LATEST = 64 };

struct share {
    struct files_route files; /* first: the asks of files.c read the same route */
    struct ern_slice prefix;  /* path of the route, without its slash at the end: "" or "/dav" */
    struct store *store;
    int64_t id; /* in the store */
    struct stage stage;
    const struct limits *limits;
    pthread_mutex_t writing; /* held while files change their names */
    _Atomic int64_t intent;  /* that is kept, and that no rows follow yet; 0: none (journal.h) */
    int64_t quota_bytes;     /* -1: none */
    int64_t tombstone_s;     /* how long 410 is answered; 0: 404 at once */
    int64_t processing_ms;   /* 102 after so long; 0: never */
    bool conditional;        /* require_conditional: 428 */
    bool infinite;           /* PROPFIND with Depth: infinity is answered */
    bool durable;
    _Atomic int64_t used_bytes; /* of the quota; -1: not counted yet */
    struct transfers {
        pthread_mutex_t lock;
        struct transfer *first;
        uint64_t latest[TRANSFERS_LATEST]; /* ticket of the latest request, by hash of the upload */
    } transfers;                           /* requests that bring content to uploads (upload.h) */
    struct work_runner *runner;            /* does what was accepted; NULL: nothing is (work.h) */
    int failure; /* why the state cannot be reached: a negative errno, or 0 */
    const char *failure_why;
};

struct share_settings { /* of the configuration */
    struct ern_slice prefix;
    int64_t quota_bytes, tombstone_s, processing_ms; /* as in struct share */
    bool conditional, infinite, durable;
    const struct limits *limits;
};

/*
 * Makes a share writable, whose files part is set already: opens its staging folder, finds its
 * number, finishes or undoes what a crashed process had begun (journal.c), sweeps. store may be
 * NULL, with failure and why: then only reading works, and all else finds the state unreachable.
 *   name   the real path of the folder, which names the share in the store
 * Returns 0, or a negative errno.
 */
ERN_MUST_USE int share_open(struct share *share, const struct share_settings *settings,
                            const char *name, struct store *store, int failure);
void share_close(struct share *share);

/* The path of a URL for a path of the share: prefix and path, percent-encoded. */
void share_write_path(struct out *o, const struct share *share, struct ern_slice path);

/* What has a path for each share: "/.earnest/job/" becomes "/.earnest/job/1/". */
void share_write_number(struct out *o, const char *path, const struct share *share);

/* Now, by the clocks of the machine, and by that of the store (NULL: none is reached). */
struct store_clock share_clock(void);
struct store_clock share_now(const struct store *store);

#endif
