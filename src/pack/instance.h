/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h - instance manipulations (RFC 3229): of an instance and, for some, one before it, what
 * is sent instead. Which, and in which order, the client says.
 */
#ifndef PACK_INSTANCE_H
#define PACK_INSTANCE_H

#include "base/out.h"

enum manipulation { IM_FEED, IM_VCDIFF, IM_GDIFF, IM_DIFFE, IM_GZIP, IM_RANGE, IMS };

/* As in A-IM and IM. */
struct ern_slice manipulation_name(enum manipulation im);
enum manipulation manipulation_find(struct ern_slice name); /* in any case; IMS: none */

/* Does it need an instance before? */
bool manipulation_is_delta(enum manipulation im);

struct manipulations {
    unsigned n;
    enum manipulation im[IMS]; /* in the order that the client wants, each once */
};

struct instance {
    struct ern_slice base;   /* the instance before; absent: the client has none that is known */
    struct ern_slice target; /* what is now */
    bool ranged;             /* a part is asked for: from first to last, as far as there is */
    uint64_t first, last;
};

struct manipulated {
    char *bytes; /* to be freed with free() */
    size_t len;
    struct manipulations used;
    uint64_t first,
        whole; /* of a range: where it is in what it was taken of, and how long that is */
};

/*
 * Applies those that are of use, in their order: of the deltas one, delta, or none (IMS).
 * Returns 0; -ENOENT if nothing of it is smaller than the target, or a part that was asked for is
 * not there; -ENOMEM.
 */
ERN_MUST_USE int instance_manipulate(const struct instance *instance,
                                     const struct manipulations *wanted, enum manipulation delta,
                                     struct manipulated *ret);

#endif
