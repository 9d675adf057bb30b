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

/*
 * What all pages begin with, behind their head: a way past it for those who have no mouse, and a
 * bar of links. It ends the head and begins the body; links follow, and page_main().
 */
void page_header(struct out *o, enum language language);

/* The link to the top of a site, which has its name: the host, where the authority is one.
 *   to  the URL, as it is written */
void page_site(struct out *o, struct ern_slice authority, struct ern_slice to,
               enum language language);

/* The end of the bar, and where the content of the page begins. */
void page_main(struct out *o);

/* A part with <style> around it. */
void page_write_style(struct out *o, const struct page_part *part);

/* A term of a list of descriptions, into what it describes; and the end of that. */
void page_term(struct out *o, struct ern_slice term);
void page_term_end(struct out *o);

#endif
