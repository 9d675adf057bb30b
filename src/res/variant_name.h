/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variant_name.h - which files are variants of which name: their extensions say type, language and
 * coding. "page.bn.html.br" is one of "page", of "page.html" and of "page.bn".
 */
#ifndef RES_VARIANT_NAME_H
#define RES_VARIANT_NAME_H

#include "base/out.h"
#include "msg/variant.h"

struct variant_name { /* what a name says; absent: nothing */
    struct ern_slice type;
    struct ern_slice language;
    struct ern_slice coding; /* and the name without its extension is */
    struct ern_slice plain;  /* this */
};

/*
 * Is name a variant of asked, both single segments of a path? It has all its extensions, and others
 * between or after them: a language of two letters or of several subtags; the extension of a media
 * type (media.def), which is the last; and after that one of a coding.
 */
bool variant_name_read(struct ern_slice asked, struct ern_slice name, struct variant_name *ret);

/* Names on their way to a list of descriptions. */
struct variant_names;

/* At most max of them; freed with free(). NULL without memory. */
struct variant_names *variant_names_new(unsigned max);

/* Adds a name, if it is a variant of asked and there is room. One that is only another coding of
 * one that is there counts once. */
void variant_names_add(struct variant_names *names, struct ern_slice asked, struct ern_slice name);

/*
 * The list, for variant_next(). Names have no order that anybody chose, and of what is equally good
 * the first is sent (RFC 9110 12.1): first come those in this language (a range, or absent), then
 * those in none, then the others; among them the order is that of the names.
 */
struct ern_slice variant_names_list(struct variant_names *names, struct ern_slice language);

#endif
