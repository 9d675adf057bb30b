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
    enum ern_source stops; /* of an interim row: the source of the facts that it waits at */
    struct ern_bits if_, unless;
};

/* The next thing that leads to the code, from *i on, which begins at 0; false if there is none. */
bool cause_next(unsigned code, size_t *i, struct cause *ret_cause);

/*
 * Can it come about in this version? If not, *ret_fact is one that nobody answers as it needs, or
 * ERN_FACTS where it waits for a question that nobody is asked.
 */
bool cause_can(const struct cause *cause, enum ern_fact *ret_fact);

#endif
