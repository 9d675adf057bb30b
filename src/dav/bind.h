/* SPDX-License-Identifier: Apache-2.0 */
/* bind.h - several names for one resource (RFC 5842). */
#ifndef DAV_BIND_H
#define DAV_BIND_H

#include "dav/dav.h"

/* Does a binding beneath the target lead to a collection that it lies in? Needs a session. */
ERN_MUST_USE int bindings_loop(struct dav *dav, bool *ret_loops);

#endif
