/* SPDX-License-Identifier: Apache-2.0 */
/*
 * past.h - what the files of a folder were before: each is kept when it is first seen, so that a
 * client that has it can be sent what changed (RFC 3229). All of it may block.
 */
#ifndef RES_PAST_H
#define RES_PAST_H

#include "base/slice.h"
#include "res/entry.h"
#include "store/store.h"

struct past { /* of a folder */
    struct store *store;
    int64_t share;     /* the folder's number in the store */
    int64_t keep;      /* instances of a file, the one that is now among them */
    int64_t bytes_max; /* of all folders together */
    int64_t delta_max; /* bytes of a file that is kept */
};

/* Keeps a file as it is now, unless it is kept already, is too large, or changes meanwhile. What
 * cannot be kept is no error: then no delta is sent. */
void past_keep(const struct past *past, const struct entry *entry);

/*
 * The content that the file at this path had under an entity tag.
 *   ret_bytes   to be freed with free()
 * Returns 0, -ENOENT, or another negative errno.
 */
ERN_MUST_USE int past_find(const struct past *past, struct ern_slice path, struct ern_slice etag,
                           char **ret_bytes, size_t *ret_len);

/* The same by the SHA-256 of the content. */
ERN_MUST_USE int past_find_content(const struct past *past, struct ern_slice path,
                                   struct ern_slice digest, char **ret_bytes, size_t *ret_len);

/* Reads the whole of the file as the entry has it: -ESTALE if it is that no more. */
ERN_MUST_USE int past_read(const struct entry_variant *variant, char **ret_bytes);

#endif
