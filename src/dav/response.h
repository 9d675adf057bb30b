/* SPDX-License-Identifier: Apache-2.0 */
/* response.h - what a PROPFIND or a REPORT says of one resource: a DAV:response with its
 * properties. */
#ifndef DAV_RESPONSE_H
#define DAV_RESPONSE_H

#include "dav/live.h"

struct response_query { /* what is asked for, of every resource alike */
    const struct body_find *find;
    bool minimal;       /* what is missing is left out (RFC 8144 2.1) */
    bool may_have_dead; /* there is a dead property somewhere beneath: only then are they looked for
                         */
    bool *missing;      /* room: one for each name */
    uint16_t fine, not_there; /* statuses, by rule */
};

/* Fills in the statuses. */
void response_query_init(struct response_query *query, const struct body_find *find);

/* Writes the response. o may turn out to be full. Returns 0 or a negative errno. */
ERN_MUST_USE int response_write(struct out *o, const struct response_query *query,
                                const struct live_context *context);

/* A response that has a status for the resource as a whole. */
void response_write_status(struct out *o, const struct share *share, struct ern_slice path,
                           bool collection, uint16_t status);

#endif
