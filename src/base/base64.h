/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/out.h"

/* The value of a character of base64 (RFC 4648 4), or -1. */
int base64_value(char c);

/* Writes the bytes in base64, padded. */
void base64_write(struct out *o, struct ern_slice bytes);

#endif
