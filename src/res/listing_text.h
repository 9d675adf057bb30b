/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing_text.h - the pieces of a listing as HTML, JSON or plain text. In order: head, crumbs,
 * table, a row for each member, foot. Each is whole or nothing.
 */
#ifndef RES_LISTING_TEXT_H
#define RES_LISTING_TEXT_H

#include "base/out.h"
#include "code/language.h"
#include "res/folder.h"

enum listing_format { LISTING_HTML, LISTING_JSON, LISTING_TEXT, LISTING_FORMATS };

struct listing_text {
    enum listing_format format;
    enum language language;
    const struct folder *folder;
    bool writable;                      /* the page lets people upload, rename and delete */
    struct ern_slice authority;         /* that was asked for, or absent */
    struct ern_slice path;              /* the whole of it, decoded; ends with a slash */
    size_t crumb;                       /* offset in path of the next step */
    uint64_t files_n, folders_n, bytes; /* in the rows so far */
};

/* The name of an order in a query: "name", "size", "modified". */
struct ern_slice listing_order_name(enum folder_order order);

/* The field that lets a page in HTML show and run what it is made of, and nothing that a name or a
 * file brings in: Content-Security-Policy. */
void listing_write_policy(const struct listing_text *l, struct out *o);

void listing_write_head(struct listing_text *l, struct out *o);

/* One step of the path from the top to here. Returns false, and writes nothing, after the last. */
bool listing_write_crumb(struct listing_text *l, struct out *o);

void listing_write_table(struct listing_text *l, struct out *o);
void listing_write_row(struct listing_text *l, struct out *o, const struct member *member);
void listing_write_foot(struct listing_text *l, struct out *o);

#endif
