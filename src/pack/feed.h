/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - what is new in a feed: RSS 0.9x to 2.0, RSS 1.0 and Atom (RFC 4287), with only those
 * entries that a feed before did not have. The instance manipulation "feed" (RFC 3229) is this.
 */
#ifndef PACK_FEED_H
#define PACK_FEED_H

#include "base/out.h"

enum { FEED_ENTRIES_MAX = 10000, FEED_DEPTH_MAX = 64 };

/*
 * Writes the feed without the entries that stand in base, byte for byte, and the white space
 * before them. All else stays as it is: with no entry in common the feed itself is written.
 *   ret_left   entries that are left
 * Returns 0; -EINVAL if one of the two is no feed, or not in an encoding that has ASCII in it,
 * -E2BIG if it has too many entries or elements in elements, -ENOSPC if it does not fit, -ENOMEM.
 */
ERN_MUST_USE int feed_write_new(struct ern_slice base, struct ern_slice feed, struct out *o,
                                size_t *ret_left);

#endif
