/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform.h - content that is changed on its way (RFC 9110 7.7): decoded, rewritten, coded, in
 * pieces of any size and in memory that does not grow; and whether that changes it.
 */
#ifndef PACK_TRANSFORM_H
#define PACK_TRANSFORM_H

#include "pack/coding.h"
#include "pack/markup.h"

enum { TRANSFORM_ROOM = MARKUP_TOKEN_MAX /* that it writes into at least */ };

struct transform_wanted {
    enum coding from;            /* that the content is in, and it is to be decoded; or CODINGS */
    enum coding to;              /* that it is to be in; or CODINGS */
    unsigned level;              /* as encoder_new() has it, */
    struct encoders *encoders;   /* and these */
    bool is_markup;              /* it is HTML, in which these are to be changed */
    struct markup_wanted markup; /* both may be wanted, too */
    uint64_t decoded_max;        /* bytes; more is an error: a bomb */
};

struct transform;

/* NULL without memory. */
struct transform *transform_new(const struct transform_wanted *wanted);
void transform_free(struct transform *transform); /* NULL is fine */

/*
 * Takes bytes off the front of *in and writes what comes of them, some of it: call it again until
 * transform_wants() more. o has room for TRANSFORM_ROOM bytes.
 *   last     no more comes after *in
 *   ret_end  all is written
 * Returns 0; -EINVAL if what is to be decoded is not what it should be, -E2BIG, -ENOMEM.
 */
ERN_MUST_USE int transform_run(struct transform *transform, struct ern_slice *in, bool last,
                               struct out *o, bool *ret_end);

/* Has all that it was given gone as far as it can? */
bool transform_wants(const struct transform *transform);

/* Has it changed more than the coding? */
bool transform_changed(const struct transform *transform);

#endif
