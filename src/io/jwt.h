/* SPDX-License-Identifier: Apache-2.0 */
/* jwt.h - JSON Web Tokens (RFC 7519): who signed one, for whom, of whom, and until when? */
#ifndef IO_JWT_H
#define IO_JWT_H

#include <stdint.h>

#include "io/jwk.h"

struct jwt_text { /* in memory of its own, NUL-terminated */
    char *ptr;
    size_t len;
};

struct jwt {                 /* what a token says; to be given back */
    int64_t until_s;         /* exp */
    struct jwt_text subject; /* sub: 1 to 255 bytes without control characters */
    struct jwt_text scope;   /* names with spaces between (RFC 8693 4.2); "": none */
};

struct jwt_rules { /* what tokens of one issuer have to be like */
    struct ern_slice issuer;
    const struct ern_slice *audience; /* of these one */
    size_t audience_n;
    unsigned algorithms; /* one bit an enum jwk_algorithm */
};

enum jwt_fault {
    JWT_FINE,
    JWT_MALFORMED,
    JWT_ALGORITHM, /* none, or one that the rules leave out */
    JWT_SIGNATURE, /* by no key of the set */
    JWT_CLAIMS,    /* not by this issuer, or not for this audience, or of nobody */
    JWT_EXPIRED,
    JWT_EARLY, /* nbf is to come */
};

/* What a client is told of a fault: ASCII, without quotes and backslashes (RFC 6750 3). */
struct ern_slice jwt_fault_text(enum jwt_fault fault);

/*
 * The claim iss of a token that nobody has looked at yet, to choose rules by. In memory that is the
 * caller's to free; ptr is NULL if it is no token.
 */
struct jwt_text jwt_issuer(struct ern_slice token);

/*
 * Looks at a token.
 *   keys   of the issuer; NULL: there are none, and no signature is good
 *   now_s  Unix time; a few seconds are allowed for clocks
 *   ret    written on JWT_FINE
 */
ERN_MUST_USE enum jwt_fault jwt_read(struct ern_slice token, const struct jwt_rules *rules,
                                     const struct jwk_set *keys, int64_t now_s, struct jwt *ret);
void jwt_done(struct jwt *jwt);

/* Has a scope, names with spaces between, this name? */
bool jwt_scope_has(struct ern_slice scope, struct ern_slice name);

#endif
