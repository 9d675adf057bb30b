/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - what stands in the pages of Earnest between <style> or <script> and its end: the files
 * of src/res/page. All pages share a look: light and dark as the reader's system has it, and fonts
 * that have Bengali.
 */
#ifndef RES_PAGE_H
#define RES_PAGE_H

#include "base/out.h"
#include "code/language.h"

struct page_part {
    struct ern_slice text;
    struct ern_slice source; /* its hash, as Content-Security-Policy names what may be there */
};

extern const struct page_part page_style;   /* of all pages */
extern const struct page_part page_listing; /* of listings */
extern const struct page_part page_folder;  /* of listings of writable folders */
extern const struct page_part page_script;  /* what runs in these */
extern const struct page_part page_path;    /* of pictures of the path of a decision */
extern const struct page_part page_why;     /* of pages that explain one */

/* A page from its first byte into its title. */
void page_begin(struct out *o, enum language language);

/* A part with <style> around it. */
void page_write_style(struct out *o, const struct page_part *part);

/* A term of a list of descriptions, into what it describes; and the end of that. */
void page_term(struct out *o, struct ern_slice term);
void page_term_end(struct out *o);

#endif
