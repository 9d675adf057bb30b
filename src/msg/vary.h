/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_VARY_H
#define MSG_VARY_H

#include "base/out.h"
#include "earnest/message.h"

/*
 * Writes what a request says in the fields that Vary names, so that two requests that say the same
 * are written the same (RFC 9111 4.1): the lines of a field joined, without white space around
 * commas. Of Accept-Encoding and Accept-Language, whose members have an order by their weight alone
 * and whose case says nothing, in lower case and in order.
 *   names  a list of names of fields; "*" is written as what no request says
 */
void vary_write(const struct ern_request *request, struct ern_slice names, struct out *o);

#endif
