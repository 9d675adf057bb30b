/* SPDX-License-Identifier: Apache-2.0 */
/*
 * css.h - the tokens of a style sheet (CSS Syntax, 4), as far as they are needed to see what it
 * links to: by url() and by @import. Piece by piece, whatever the bytes.
 */
#ifndef PACK_CSS_H
#define PACK_CSS_H

#include <stdbool.h>

#include "base/slice.h"

struct css {         /* between two tokens; begin with {0} */
    bool wants_link; /* a string that comes next is a URL */
};

struct css_token {
    struct ern_slice text; /* all of it, as it stands */
    struct ern_slice url;  /* within it, escapes as they stand; absent: there is none */
};

/*
 * Takes the next token off the front of *in.
 *   last  nothing comes after *in: what has no end ends there
 * Returns false if there is none, or its end is not there: call again when more is. Tokens follow
 * each other without a gap.
 */
bool css_next(struct css *css, struct ern_slice *in, bool last, struct css_token *ret_token);

#endif
