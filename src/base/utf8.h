/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

/*
 * The length in bytes (1 to 4) of the UTF-8 character (RFC 3629 4) at the start of text, which is
 * not empty; 0 if there is none: overlong forms, surrogates, values past U+10FFFF, cut characters.
 */
size_t utf8_len(struct ern_slice text);

/* Is text, which is not empty, the beginning of a character that needs more bytes? */
bool utf8_is_cut(struct ern_slice text);

/* Is the whole text UTF-8? The empty text is. */
bool utf8_is(struct ern_slice text);

#endif
