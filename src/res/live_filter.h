/* SPDX-License-Identifier: Apache-2.0 */
/* live_filter.h - which decisions one who listens to them wants: by path, and by status. */
#ifndef RES_LIVE_FILTER_H
#define RES_LIVE_FILTER_H

#include "base/out.h"
#include "earnest/status.h"

enum {
    LIVE_PATH_MAX = 256,
    LIVE_CLASSES = 5, /* from 1xx on */
    LIVE_CLASS = ERN_200_OK - ERN_100_CONTINUE,
    LIVE_STATUSES = LIVE_CLASSES * LIVE_CLASS,
};

struct live_filter {
    char path[LIVE_PATH_MAX]; /* what a decoded path has to begin with */
    size_t path_len;
    uint64_t statuses[(LIVE_STATUSES + 63) / 64]; /* a bit each */
};

/* All decisions. */
void live_filter_init(struct live_filter *filter);

/* Sets what a path has to begin with. Returns false if it is no beginning of a path, or too long.
 */
ERN_MUST_USE bool live_filter_path(struct live_filter *filter, struct ern_slice path);

/* Sets the statuses: codes and classes, as in "201,4xx". Returns false if it is no such list. */
ERN_MUST_USE bool live_filter_statuses(struct live_filter *filter, struct ern_slice list);

/*
 * Makes a filter of a query, as in "path=/dav/&status=4xx,201"; absent: all decisions. Percent and
 * plus are what they are in a form.
 * Returns false if it is no such query: *ret is of no use then.
 */
ERN_MUST_USE bool live_filter_query(struct live_filter *ret, struct ern_slice query);

/* Does it want a decision about this decoded path, of which no more than the first LIVE_PATH_MAX
 * bytes are looked at? */
bool live_filter_wants(const struct live_filter *filter, struct ern_slice path, unsigned status);

/* Writes the list of its statuses, as live_filter_statuses() reads it. */
void live_filter_write_statuses(struct out *o, const struct live_filter *filter);

#endif
