/* SPDX-License-Identifier: Apache-2.0 */
/* gdiff.h - deltas in the Generic Diff Format of the W3C (NOTE-gdiff-19970901), which RFC
 * 3229 10.5.3 calls gdiff: data, and copies from the base. */
#ifndef PACK_GDIFF_H
#define PACK_GDIFF_H

#include "base/out.h"

/* As vcdiff_write(). */
ERN_MUST_USE int gdiff_write(struct ern_slice base, struct ern_slice target, struct out *o);

#endif
