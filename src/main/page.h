/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - text for people on a terminal, or for whatever reads the output instead. */
#ifndef MAIN_PAGE_H
#define MAIN_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "earnest/slice.h"

struct page {
    FILE *file;
    bool terminal;
    bool colour;
    unsigned width; /* columns */
};

/* The page on file: colours only on a terminal, and not if NO_COLOR is set (no-color.org). */
void page_init(struct page *page, FILE *file);

/* The columns that the UTF-8 text takes on a terminal: Bengali signs above and below take none. */
unsigned page_columns(struct ern_slice text);

/* The text, then spaces up to columns, and at least one. */
void page_pad(const struct page *page, struct ern_slice text, unsigned columns);

/* The text in bold, or in another style of ECMA-48 8.3.117, where there are colours. */
void page_bold(const struct page *page, struct ern_slice text);
void page_dim(const struct page *page, struct ern_slice text);

/*
 * The text in lines no longer than the page, and a line end.
 *   indent  columns before each line
 *   at      columns already written of the first line
 */
void page_wrap(const struct page *page, struct ern_slice text, unsigned indent, unsigned at);

/* The text as a JSON string; it is UTF-8 (RFC 8259 7). */
void page_json(const struct page *page, struct ern_slice text);

#endif
