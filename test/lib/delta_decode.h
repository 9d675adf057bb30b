/* SPDX-License-Identifier: Apache-2.0 */
/* delta_decode.h - what a client does with a delta: readers of VCDIFF (RFC 3284) and GDIFF that
 * share no code with what writes them. */
#ifndef TEST_DELTA_DECODE_H
#define TEST_DELTA_DECODE_H

#include "base/out.h"

/* Writes the target. Returns false if the delta is not what its format says, or does not fit. */
bool vcdiff_decode(struct ern_slice base, struct ern_slice delta, struct out *o);
bool gdiff_decode(struct ern_slice base, struct ern_slice delta, struct out *o);

#endif
