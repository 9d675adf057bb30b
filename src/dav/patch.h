/* SPDX-License-Identifier: Apache-2.0 */
/* patch.h - JSON documents that change: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396). */
#ifndef DAV_PATCH_H
#define DAV_PATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/out.h"

/* Is it an array of operations as RFC 6902 4 has them? why: a sentence, if not. */
bool json_patch_is_valid(const json_t *patch, struct out *why);

/*
 * Applies a valid patch to *document, which may become another value.
 *   copied_max   values and bytes of text that its copy operations may make
 * Returns false if an operation cannot be carried out (a test fails, a path is not there, it copies
 * too much, the document becomes deeper than jansson reads): why says which; *document is then as
 * the operations before it left it, and is to be thrown away.
 */
bool json_patch_apply(const json_t *patch, size_t copied_max, json_t **document, struct out *why);

/* Merges; never fails but without memory, when it returns NULL. Takes over target. */
json_t *json_merge(json_t *target, const json_t *patch);

#endif
