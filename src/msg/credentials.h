/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - the value of Authorization (RFC 9110 11.4). */
#ifndef MSG_CREDENTIALS_H
#define MSG_CREDENTIALS_H

#include "base/out.h"

struct credentials {
    struct ern_slice scheme; /* a token, in any case */
    struct ern_slice rest;   /* a token68 or parameters; empty if there is none */
};

/* Cuts a value in two. Returns false if it begins with no scheme. */
ERN_MUST_USE bool credentials_read(struct ern_slice value, struct credentials *ret);

/*
 * Reads what stands after "Basic" (RFC 7617 2): user-id and password in base64, a colon between
 * them. Both may be empty, and the password may have colons; neither has control characters.
 *   o  where the two are written; they are slices of it
 * Returns false if it is anything else, or does not fit.
 */
ERN_MUST_USE bool credentials_basic(struct ern_slice rest, struct out *o,
                                    struct ern_slice *ret_user, struct ern_slice *ret_password);

#endif
