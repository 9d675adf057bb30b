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

struct digest {
    struct ern_slice user; /* or its hash */
    struct ern_slice realm, nonce, uri, response, algorithm, cnonce, qop, nc;
    bool userhash;
};

/*
 * Reads what stands after "Digest" (RFC 7616 3.4): each parameter at most once, and none of those
 * left out that an answer with qop needs; algorithm may be absent. A user has no control
 * characters; username* is read as RFC 8187 3.2.1 has it.
 *   o  where quoted values are written without their backslashes; they are slices of it
 * Returns false if it is anything else, or does not fit.
 */
ERN_MUST_USE bool credentials_digest(struct ern_slice rest, struct out *o, struct digest *ret);

/* Is it what stands after "Bearer" (RFC 6750 2.1): a token68, and nothing else? */
bool credentials_is_token68(struct ern_slice rest);

#endif
