/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwk.h - the keys that signatures are looked at with: a JSON Web Key Set (RFC 7517 5). The type of
 * a key says by which algorithm it is used, and never what a stranger wrote (RFC 8725 3.1): so
 * nobody can pass off a public key as a secret.
 */
#ifndef IO_JWK_H
#define IO_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "earnest/slice.h"

enum jwk_algorithm { JWK_HS256, JWK_RS256, JWK_ES256, JWK_EDDSA, JWK_ALGORITHMS };

struct jwk_set;

/*
 * Reads the set. Keys that are of no use here are passed over (RFC 7517 5): those of other types or
 * curves, not for signatures, RSA of less than 2,048 bits, secrets of less than 32 bytes.
 * Returns 0 and the set, or a negative errno: -EINVAL if it is no set, or has no key of use.
 */
ERN_MUST_USE int jwk_set_new(struct ern_slice json, struct jwk_set **ret_set);

/* The same of a file of at most 1 MiB. */
ERN_MUST_USE int jwk_set_read(const char *path, struct jwk_set **ret_set);
void jwk_set_free(struct jwk_set *set);

/* The algorithm of this name (RFC 7518 3.1, RFC 8037 3.1), or JWK_ALGORITHMS. */
enum jwk_algorithm jwk_algorithm_find(struct ern_slice name);

/*
 * Is the signature one of text by a key of the set?
 *   kid  the name of the key; absent: any of the algorithm, of which a few are tried
 */
bool jwk_verifies(const struct jwk_set *set, enum jwk_algorithm algorithm, struct ern_slice kid,
                  struct ern_slice text, struct ern_slice signature);

#endif
