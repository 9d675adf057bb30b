/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_RANGE_H
#define MSG_RANGE_H

#include "base/slice.h"

/* A range-spec of bytes (RFC 9110 14.1.1): FIRST-LAST, FIRST- (last is UINT64_MAX), or -SUFFIX. */
struct range_spec {
    bool is_suffix;
    uint64_t first, last; /* first is at most last; of a suffix, last is its length */
};

/* Is the Range value, trimmed, a well-formed set of ranges of the unit bytes (any case)? */
bool range_is_bytes(struct ern_slice value);

/*
 * Takes the next range-spec off the front of *set, which is what stands after "bytes=".
 * Returns false at the end. The value must have passed range_is_bytes(). Numbers past UINT64_MAX
 * become UINT64_MAX.
 */
bool range_next(struct ern_slice *set, struct range_spec *ret_spec);

#endif
