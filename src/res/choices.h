/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choices.h - the variants of a resource that is negotiated: found by their names, "page.en.html"
 * for "page" and "page.html", or listed in a type map, "page.var" (RFC 2295).
 */
#ifndef RES_CHOICES_H
#define RES_CHOICES_H

#include "io/file.h"
#include "msg/variant.h"
#include "res/files.h"

enum { CHOICES_MAX = 64 /* of variants_max: limits.def */ };

struct choice {
    struct variant variant;
    struct ern_slice path; /* below the route; absent: it is no neighbour, whose name alone is
                              another (RFC 2295 2.2) */
};

struct choices {
    struct file_stamp stamp;     /* of the type map, or of the folder that was looked through */
    size_t memory;               /* bytes it takes */
    struct ern_slice alternates; /* field lines: Alternates, */
    struct ern_slice vary;       /* and Vary, with all that a choice can hang on */
    struct ern_slice validator;  /* of the list, for structured entity tags (RFC 2295 9.2) */
    unsigned n;                  /* 1 to CHOICES_MAX */
    struct choice choice[];
};

/*
 * Finds the variants of what a path names; may block unless it is quick.
 *   name         relative to the root, without NUL
 *   known        what was found before, or NULL: if that is still right, *ret_choices is NULL
 *   quick        only as far as it needs no wait for a disk: -EAGAIN otherwise
 *   ret_choices  freed with free()
 * Returns 0 or a negative errno: -ENOENT if it has none.
 */
ERN_MUST_USE int choices_find(const struct files_route *route, struct ern_slice name,
                              const struct choices *known, bool quick,
                              struct choices **ret_choices);

/*
 * Makes choices of a list of descriptions.
 *   folder   of the neighbours, below the route: begins and ends with a slash
 *   ret_at   written on -EINVAL: where the list is wrong
 * Returns 0, -EINVAL, -ENOENT if there are none, or -ENOMEM.
 */
ERN_MUST_USE int choices_read(struct ern_slice list, struct ern_slice folder, unsigned max,
                              struct choices **ret_choices, size_t *ret_at);

/* Writes them for a person to choose from: list items of HTML, lines of text; or an array of JSON.
 */
void choices_write_html(struct out *o, const struct choices *choices);
void choices_write_text(struct out *o, const struct choices *choices);
void choices_write_json(struct out *o, const struct choices *choices);

#endif
