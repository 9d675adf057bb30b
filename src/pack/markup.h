/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markup.h - changes to HTML and CSS while they pass: links to servers behind us become paths of
 * ours, and white space and remarks that nobody sees go. Whatever the bytes, only such is changed,
 * and what comes of it is no longer than before.
 */
#ifndef PACK_MARKUP_H
#define PACK_MARKUP_H

#include "base/out.h"
#include "pack/link.h"

enum {
    MARKUP_TOKEN_MAX = 16384 /* after a longer one the rest of the document is left as it is */
};

struct markup_wanted {
    bool minifies;               /* drop what does not show */
    bool is_style;               /* it is CSS, and not HTML: of it links alone are changed */
    struct link_origins origins; /* to which links become paths */
};

struct markup;

/* The origins stay where they are as long as it does. NULL without memory. */
struct markup *markup_new(const struct markup_wanted *wanted);
void markup_free(struct markup *markup); /* NULL is fine */

/*
 * Takes bytes off the front of *in and writes what comes of them, as far as o has room.
 *   last     no more comes after *in
 *   ret_end  all is written
 * It goes on as long as o has room for MARKUP_TOKEN_MAX bytes.
 */
void markup_run(struct markup *markup, struct ern_slice *in, bool last, struct out *o,
                bool *ret_end);

/* Is anything that was written not as it came? */
bool markup_changed(const struct markup *markup);

#endif
