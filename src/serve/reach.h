/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_REACH_H
#define SERVE_REACH_H

#include "earnest/decide.h"

/*
 * Can a rule with these conditions decide in this version of the server? The rules are the whole of
 * HTTP; some of their facts are answered by kinds of resources that are still to come.
 *   if_, unless   the conditions of a rule
 *   ret_fact      if it cannot: a fact that nobody answers so
 */
bool reach_can(const struct ern_bits *if_, const struct ern_bits *unless, enum ern_fact *ret_fact);

/* Is any kind of resource asked a fact of this source? An interim answer is sent while it is. */
bool reach_asks(enum ern_source source);

#endif
