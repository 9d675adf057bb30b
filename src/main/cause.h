/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_CAUSE_H
#define MAIN_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "earnest/decide.h"

/* What leads to a status: a row of rules.def, or of interim.def. */
struct cause {
    struct ern_slice name;
    struct ern_slice source;
    bool interim;
    struct ern_bits if_, unless;
};

/* The next thing that leads to the code, from *i on, which begins at 0; false if there is none. */
bool cause_next(unsigned code, size_t *i, struct cause *ret_cause);

#endif
