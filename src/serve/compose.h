/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_COMPOSE_H
#define SERVE_COMPOSE_H

#include "serve/exchange.h"

/*
 * Step 7: rule, evidence and representation become the head of an answer, with its carrier, and its
 * content, in the exchange's segments. A head that does not fit becomes rule "broke".
 */
void compose(struct exchange *exchange);

#endif
