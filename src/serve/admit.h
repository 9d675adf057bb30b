/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_ADMIT_H
#define SERVE_ADMIT_H

#include "serve/exchange.h"

/* Was the connection made for another host than the request is for (RFC 9110 7.4)? */
bool admit_is_misdirected(const struct exchange *exchange);

/*
 * States what the way on which the request came says of it, by what its route asks for: whether it
 * may come in early data, whether another protocol is needed, whether its client asks too often.
 * Returns false if it has to wait until the handshake is finished.
 */
ERN_MUST_USE bool admit(struct exchange *exchange);

#endif
