/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_INTAKES_H
#define SERVE_INTAKES_H

#include "code/limits.h"
#include "earnest/slice.h"

struct site_table;

/* Opens the files that forms are kept in, once the process is who it stays; the table closes them.
 * Returns 0, or a negative errno that was complained of. */
ERN_MUST_USE int intakes_open(struct site_table *table, const struct limits *limits);

#endif
