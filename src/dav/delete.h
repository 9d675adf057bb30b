/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAV_DELETE_H
#define DAV_DELETE_H

#include "dav/dav.h"

/*
 * Members that someone else has locked stop the whole of a DELETE, COPY or MOVE: nothing is done,
 * and a 207 names them (RFC 4918 9.6.1). Returns 0 or a negative errno.
 */
ERN_MUST_USE int report_locked(struct dav *dav, bool *ret_reported);

#endif
