/* SPDX-License-Identifier: Apache-2.0 */
#include "code/limits.h"

#include <assert.h>

static const struct limit_row rows[] = {
#define LIMIT(name, unit, standard, min, max, rule, bounds)                                        \
    {{#name, sizeof #name - 1},                                                                    \
     {#unit, sizeof #unit - 1},                                                                    \
     {#rule, sizeof #rule - 1},                                                                    \
     {bounds, sizeof bounds - 1},                                                                  \
     standard,                                                                                     \
     min,                                                                                          \
     max},
#include "limits.def"
#undef LIMIT
};

enum { ROWS = sizeof rows / sizeof *rows };

static_assert(sizeof(struct limits) == ROWS * sizeof(int64_t), "a member is a row");

const struct limit_row *
limits_row(unsigned i)
{
    return i < ROWS ? &rows[i] : NULL;
}

struct limits
limits_standard(void)
{
    return (struct limits){
#define LIMIT(name, unit, standard, min, max, rule, bounds) .name = (standard),
#include "limits.def"
#undef LIMIT
    };
}

int64_t *
limits_at(struct limits *limits, unsigned i)
{
    assert(i < ROWS);
    return (int64_t *)limits + i;
}

int64_t
limits_value(const struct limits *limits, unsigned i)
{
    assert(i < ROWS);
    return ((const int64_t *)limits)[i];
}

unsigned
limits_index(const struct limits *limits, const int64_t *member)
{
    unsigned i = (unsigned)(member - (const int64_t *)limits);

    assert(i < ROWS);
    return i;
}
