/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_PREFER_H
#define MSG_PREFER_H

#include "earnest/message.h"

struct prefer { /* RFC 7240 4; what is not asked for is false or -1 */
    bool respond_async;
    bool return_minimal, return_representation; /* never both: the first one counts */
    bool handling_strict, handling_lenient;     /* never both: the first one counts */
    int64_t wait_s;                             /* 0 to 2^31 - 1, or -1 */
};

/* Reads Prefer. Unknown and malformed preferences are passed over (RFC 7240 2). */
struct prefer prefer_read(const struct ern_request *request);

/* Preferences as a field value, without the field's name; nothing for none. */
struct out;
void prefer_write(struct out *o, const struct prefer *prefer);

#endif
