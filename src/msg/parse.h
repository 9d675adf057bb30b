/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_PARSE_H
#define MSG_PARSE_H

/* What a parser of text that still arrives can say: never a bare number. */
enum parse {
    PARSE_DONE, /* a whole one was read */
    PARSE_MORE, /* fine so far; call again when there is more */
    PARSE_BAD,  /* a finding says why */
};

#endif
