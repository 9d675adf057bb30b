/* SPDX-License-Identifier: Apache-2.0 */
/* choose.h - which of the variants of a resource a request is answered with. */
#ifndef RES_CHOOSE_H
#define RES_CHOOSE_H

#include "earnest/message.h"
#include "res/choices.h"

enum choosing {
    CHOOSE_ONE,  /* this variant, which is a neighbour */
    CHOOSE_LIST, /* the client is to choose, from the list */
    CHOOSE_NONE, /* none is acceptable */
};

/*
 * Chooses. A client that negotiates transparently gets what its Negotiate field allows (RFC 2295
 * 8.4): the outcome of a remote variant selection algorithm, or the list. For any other the server
 * chooses (RFC 9110 12.1).
 *   strict       what is not acceptable is not sent either
 *   lists_ties   of several that are equally good none is chosen
 *   ret_choice   written with CHOOSE_ONE
 */
enum choosing choose(const struct ern_request *request, const struct choices *choices, bool strict,
                     bool lists_ties, size_t *ret_choice);

/* Does the client want to see the list, whatever is chosen? */
bool choose_wants_list(const struct ern_request *request);

#endif
