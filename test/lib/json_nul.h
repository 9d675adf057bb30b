/* SPDX-License-Identifier: Apache-2.0 */
/* json_nul.h - NUL in JSON: jansson reads it in values, and can not have it in names. */
#ifndef LIB_JSON_NUL_H
#define LIB_JSON_NUL_H

#include "base/slice.h"

static inline bool
json_has_nul(struct ern_slice json)
{
    for (size_t i = 0; i < json.len; i++)
        if (slice_starts(slice_skip(json, i), ERN_SLICE("\\u0000")))
            return true;
    return false;
}

#endif
