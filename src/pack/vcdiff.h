/* SPDX-License-Identifier: Apache-2.0 */
/* vcdiff.h - deltas in the format VCDIFF (RFC 3284): windows of the target, with the whole base as
 * their source, the default code table, and no secondary compression. */
#ifndef PACK_VCDIFF_H
#define PACK_VCDIFF_H

#include "base/out.h"

/*
 * Writes a delta from base to target into o, of which the room says how long it may be.
 * Returns 0; -ENOSPC if it does not fit, -ENOMEM.
 */
ERN_MUST_USE int vcdiff_write(struct ern_slice base, struct ern_slice target, struct out *o);

#endif
