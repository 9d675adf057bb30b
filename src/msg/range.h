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

/* What stands after "bytes=" in a value that passed range_is_bytes(). */
static inline struct ern_slice
range_set(struct ern_slice value)
{
    return slice_skip(value, sizeof "bytes=" - 1);
}

/*
 * Takes the next range-spec off the front of *set, which came from range_set().
 * Returns false at the end. Numbers past UINT64_MAX become UINT64_MAX.
 */
bool range_next(struct ern_slice *set, struct range_spec *ret_spec);

#endif
