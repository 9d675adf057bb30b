/* SPDX-License-Identifier: Apache-2.0 */
/* quota.h - how much the files of a share take, counted once and kept up to date (RFC 4331). */
#ifndef DAV_QUOTA_H
#define DAV_QUOTA_H

#include "dav/share.h"

/* Would so many bytes more be within the quota? Counts the files the first time; may block. */
ERN_MUST_USE int quota_fits(struct share *share, int64_t more, bool *ret_fits);

/* So many bytes came, or went (negative). */
void quota_add(struct share *share, int64_t bytes);

/* What DAV:quota-used-bytes and DAV:quota-available-bytes say. */
ERN_MUST_USE int quota_read(struct share *share, int64_t *ret_used, int64_t *ret_available);

#endif
