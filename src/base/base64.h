/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/out.h"

/* The value of a character of base64 (RFC 4648 4), or -1. */
int base64_value(char c);

/* Writes the bytes in base64, padded. */
void base64_write(struct out *o, struct ern_slice bytes);

/* Reads base64 with its padding, and nothing else: no white space, no bits past the last byte (RFC
 * 4648 3.5). Returns false if it is anything else; o then holds what was read before. */
ERN_MUST_USE bool base64_read(struct ern_slice text, struct out *o);

/* The same of base64url (RFC 4648 5) without padding, as RFC 7515 2 has it. */
ERN_MUST_USE bool base64url_read(struct ern_slice text, struct out *o);

#endif
