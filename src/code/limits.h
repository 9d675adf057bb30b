/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODE_LIMITS_H
#define CODE_LIMITS_H

#include <stdint.h>

#include "earnest/slice.h"

/* The limits in force; one member a row of limits.def, in its unit. */
struct limits {
#define LIMIT(name, unit, standard, min, max, rule, bounds) int64_t name;
#include "limits.def"
#undef LIMIT
};

/* A row of limits.def. */
struct limit_row {
    struct ern_slice name, unit, rule, bounds;
    int64_t standard, min, max;
};

/* The i-th row, from 0; NULL past the last. The i-th member of struct limits belongs to it. */
const struct limit_row *limits_row(unsigned i);

/* All limits at their defaults. */
struct limits limits_standard(void);

/* The i-th member, to be set, and its value. */
int64_t *limits_at(struct limits *limits, unsigned i);
int64_t limits_value(const struct limits *limits, unsigned i);

/* Which member that is: its index. */
unsigned limits_index(const struct limits *limits, const int64_t *member);

#endif
