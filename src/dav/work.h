/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.h - what is accepted and done later: COPY, MOVE and DELETE of a tree, asked for with
 * Prefer: respond-async (RFC 7240 4.1). A row in the store says what it is and how far; a thread
 * does it, and after a restart goes on with what was not done. Its monitor is a resource of its
 * own.
 */
#ifndef DAV_WORK_H
#define DAV_WORK_H

#include "dav/dav.h"

#define WORK_PATH "/.earnest/job/" /* and the number of the share, a slash, an id */

struct work_route {
    struct res_route any; /* first */
    struct share *share;  /* whose jobs these are */
    struct store *store;  /* NULL: the state cannot be reached */
};

/* May one more job wait in this folder (limits.works_max)? Else the preference is not followed. */
ERN_MUST_USE int work_has_room(struct dav *dav, bool *ret_yes);

/* Within act(): accepts the request as a job. Outcome: later, with its monitor as the location. */
ERN_MUST_USE int work_accept(struct dav *dav);

/* The state of a job as a representation, JSON or a page, as the request likes it. */
ERN_MUST_USE bool work_represent(struct res_request *request, const struct ern_request *http,
                                 const struct share *share, const struct work *work);

/* The URI path of its monitor. In the arena. */
struct ern_slice work_location(struct arena *arena, const struct share *share, struct ern_slice id);

struct work_runner;

/* Starts the thread that does the jobs of these folders. Returns 0 or a negative errno. */
ERN_MUST_USE int work_runner_open(struct share **shares, unsigned shares_n, struct store *store,
                                  struct work_runner **ret_runner);
/* Ends it; a job that is cut goes on when the server starts again. NULL is fine. */
void work_runner_close(struct work_runner *runner);
/* There is something to do. Called with share->writing held: it is looked for afterwards. */
void work_runner_wake(struct work_runner *runner);

/* The kind of resource of WORK_PATH. */
extern struct ern_resource work_resource;

#endif
