/* SPDX-License-Identifier: Apache-2.0 */
/* diffe.h - deltas of text as diff -e writes them: a script for ed, from the last change to the
 * first (RFC 3229 10.5.3). */
#ifndef PACK_DIFFE_H
#define PACK_DIFFE_H

#include "base/out.h"

/*
 * Writes a script that makes target of base. Returns 0; -EINVAL if no script can say it: a text has
 * a NUL or no line feed at its end, or a new line is a dot alone; -ENOSPC if it does not fit,
 * -ENOMEM.
 */
ERN_MUST_USE int diffe_write(struct ern_slice base, struct ern_slice target, struct out *o);

#endif
