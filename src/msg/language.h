/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_LANGUAGE_H
#define MSG_LANGUAGE_H

#include "code/language.h"
#include "earnest/message.h"

/* The language of ours that the request likes best; English on a tie (RFC 9110 12.5.4). */
enum language language_preferred(const struct ern_request *request);

#endif
