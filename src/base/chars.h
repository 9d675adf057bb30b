/* SPDX-License-Identifier: Apache-2.0 */
/* chars.h - the character classes of the HTTP and URI grammars, one table for all. */
#ifndef BASE_CHARS_H
#define BASE_CHARS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CHAR_TCHAR = 1 << 0,      /* RFC 9110 5.6.2 tchar */
    CHAR_FIELD = 1 << 1,      /* RFC 9110 5.5: VCHAR, obs-text, SP, HTAB */
    CHAR_TARGET = 1 << 2,     /* a visible ASCII character: may stand in a request target */
    CHAR_UNRESERVED = 1 << 3, /* RFC 3986 2.3 */
    CHAR_PCHAR = 1 << 4,      /* RFC 3986 3.3 pchar without pct-encoded */
    CHAR_ETAG = 1 << 5,       /* RFC 9110 8.8.3 etagc */
    CHAR_DIGIT = 1 << 6,      /* DIGIT */
    CHAR_ALPHA = 1 << 7,      /* ALPHA */
};

extern const uint8_t char_classes[256];

/* Is c in one of the classes (or-ed)? */
static inline bool
char_is(char c, unsigned classes)
{
    return (char_classes[(unsigned char)c] & classes) != 0;
}

#endif
