/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html.h - the tokens of an HTML document (HTML, 13.2.5), as far as they are needed to see what a
 * page links to and what of it is only layout: piece by piece, without a tree, whatever the bytes.
 */
#ifndef PACK_HTML_H
#define PACK_HTML_H

#include <stdbool.h>

#include "base/slice.h"

enum html_kind {
    HTML_TEXT,    /* or a piece of it */
    HTML_RAW,     /* text within script, style, title and their like */
    HTML_START,   /* a start tag */
    HTML_END,     /* an end tag */
    HTML_COMMENT, /* <!-- ... --> */
    HTML_OTHER,   /* a declaration, or what stands in the place of a comment */
};

struct html_token {
    enum html_kind kind;
    struct ern_slice text;       /* all of it, as it stands */
    struct ern_slice name;       /* of a tag */
    struct ern_slice attributes; /* of a start tag: for html_attribute_next() */
    bool is_whole;               /* of raw text: nothing more of it follows */
};

struct html {            /* between two tokens; begin with {0} */
    const char *raw;     /* the element whose content is text alone; NULL: none is open */
    unsigned char hides; /* in a script: 1 after <!--, and 2 after a <script> in that */
};

/*
 * Takes the next token off the front of *in.
 *   last  nothing comes after *in: what has no end is text
 * Returns false if there is none, or its end is not there: call again when more is. Tokens follow
 * each other without a gap.
 */
bool html_next(struct html *html, struct ern_slice *in, bool last, struct html_token *ret_token);

/*
 * Takes the next attribute off the front of *rest.
 *   ret_value  without quotes, references as they stand; within *rest. Absent: it has none.
 */
bool html_attribute_next(struct ern_slice *rest, struct ern_slice *ret_name,
                         struct ern_slice *ret_value);

/* The value of the attribute of that name, in any case; absent if there is none, and empty if it
 * has no value. The first counts. */
struct ern_slice html_attribute(const struct html_token *tag, struct ern_slice name);

/* White space of HTML: space, tab, LF, FF, CR. */
static inline bool
html_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

#endif
