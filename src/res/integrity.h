/* SPDX-License-Identifier: Apache-2.0 */
/*
 * integrity.h - Repr-Digest and Content-Digest of files for those who want them (RFC 9530): by
 * SHA-512 or SHA-256, worked out once and kept with the entry.
 */
#ifndef RES_INTEGRITY_H
#define RES_INTEGRITY_H

#include "res/entry.h"
#include "res/res.h"

/* Does the request want a digest that we have? */
bool integrity_is_wanted(const struct ern_request *request);

/*
 * Adds the digests that are wanted to the description of the representation, which is the variant.
 * The entry is pinned. Returns ERN_YES; ERN_WAIT while the pool works it out: then ask again; or
 * ERN_FAIL.
 */
enum ern_answer integrity_add(struct ern_decision *decision, struct entry_variant *variant);

#endif
