/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_A_IM_H
#define MSG_A_IM_H

#include "earnest/message.h"

/*
 * Walks the instance manipulations of A-IM that are acceptable (RFC 3229 10.5.3), in their order,
 * on all its lines. What is malformed, has parameters, or weighs 0 is passed over.
 *   at, rest      0 and absent to begin; move past what was found
 *   ret_quality   1 to 1000
 * Returns false after the last.
 */
bool a_im_next(const struct ern_request *request, uint16_t *at, struct ern_slice *rest,
               struct ern_slice *ret_name, unsigned *ret_quality);

#endif
