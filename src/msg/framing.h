/* SPDX-License-Identifier: Apache-2.0 */
/* framing.h - does a message, all of whose fields are known, have one host and one end? */
#ifndef MSG_FRAMING_H
#define MSG_FRAMING_H

#include "code/finding.h"
#include "earnest/message.h"

/*
 * Checks, in this order, and stops at the first fault: Host (RFC 9112 3.2), Transfer-Encoding and
 * Content-Length (RFC 9112 6), fields that may stand only once (RFC 9110 5.3).
 *
 *   request     method, target, version and fields are set. On FINDING_none authority,
 *               content_length and chunked are set too
 *   ret_blame   the field line at fault, one of request->fields; NULL if none is, as when Host is
 *               missing
 */
enum finding framing_check(struct ern_request *request, const struct ern_field **ret_blame);

/* The same for an answer (RFC 9112 6.3), whose version and fields are set: only its end counts, and
 * sets content_length and chunked. */
enum finding framing_check_answer(struct ern_request *answer, const struct ern_field **ret_blame);

#endif
