/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_REFERENCE_H
#define MSG_REFERENCE_H

#include "base/out.h"
#include "earnest/message.h"

struct reference_base { /* what a reference is relative to */
    struct ern_slice scheme, authority;
    struct ern_slice path; /* begins with a slash, or is empty */
};

struct reference_target { /* of the same origin */
    struct ern_slice
        path; /* begins with a slash; its dot segments stay: path_read() removes them */
    struct ern_slice query; /* absent: none */
};

/*
 * Resolves a URI reference (RFC 3986 5.2) as far as it leads to the origin of its base, whose
 * scheme and authority are compared as text, in any case. o  room for a path: base and reference
 * together always do Returns false if it leads elsewhere, or is none.
 */
ERN_MUST_USE bool reference_resolve(struct ern_slice reference, const struct reference_base *base,
                                    struct out *o, struct reference_target *ret_target);

#endif
