/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_set.h - sets of fields that are known when the program is made, from a list such as
 *     #define DATES(FIELD) FIELD(date) FIELD(if_range)
 *     static const struct ern_field_set dates = FIELD_SET(DATES);
 */
#ifndef ERN_MSG_FIELD_SET_H
#define ERN_MSG_FIELD_SET_H

#include "earnest/message.h"

#define FIELD_SET(list)                                                                            \
    {                                                                                              \
        {                                                                                          \
            0 list(FIELD_LOW), 0 list(FIELD_HIGH)                                                  \
        }                                                                                          \
    }

/* What a field adds to each word of a set. */
#define FIELD_LOW(id) | (ERN_FIELD_##id < 64 ? UINT64_C(1) << ERN_FIELD_##id % 64 : 0)
#define FIELD_HIGH(id) | (ERN_FIELD_##id < 64 ? 0 : UINT64_C(1) << ERN_FIELD_##id % 64)

#endif
