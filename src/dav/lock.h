/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h - what is said of locks (RFC 4918 15.8, 15.10). */
#ifndef DAV_LOCK_H
#define DAV_LOCK_H

#include "dav/dav.h"

/* One DAV:activelock. */
void lock_write(struct out *o, const struct share *share, const struct lock_row *lock,
                struct store_clock now);

/* The content of DAV:lockdiscovery for a resource: all its living locks. Returns a negative errno.
 */
ERN_MUST_USE int lock_discovery(struct out *o, struct share *share, struct store_session *session,
                                struct ern_slice path, struct store_clock now);

/* Do all conditions of one list of the If field, or of one of them, hold? states.c */
ERN_MUST_USE int states_match(struct dav *dav, bool *ret_match);

/* Does the If field name this token anywhere (RFC 4918 10.4.1)? states.c */
bool states_submit(const struct dav *dav, struct ern_slice token);

#endif
