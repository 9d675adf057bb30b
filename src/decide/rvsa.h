/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rvsa.h - the remote variant selection algorithm, version 1.0 (RFC 2296): does a client that
 * negotiates transparently say enough for a choice to be made on its behalf?
 */
#ifndef DECIDE_RVSA_H
#define DECIDE_RVSA_H

#include "earnest/message.h"
#include "msg/variant.h"

enum { RVSA_FULL = 100000 }; /* an overall quality of one: five decimal places */

/*
 * The overall quality of a variant (RFC 2296 3.3), 0 to RVSA_FULL times 1000 (features may improve
 * it). *ret_definite: it needed no wildcard and no absence of a field (3.4).
 */
uint64_t rvsa_quality(const struct ern_request *request, const struct variant *variant,
                      bool *ret_definite);

/*
 * Chooses (RFC 2296 3.5): the first with the highest quality, if that is above 0 and definite.
 * Returns false if the list is to be sent instead. Whether the variant is a neighbour, whoever
 * asks has to see to.
 */
bool rvsa_choose(const struct ern_request *request, const struct variant *variants, size_t n,
                 size_t *ret_choice);

#endif
