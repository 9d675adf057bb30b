/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - a folder, served to the letter: the kind of resource of `files = DIR`. */
#ifndef RES_FILES_H
#define RES_FILES_H

#include "base/hash.h"
#include "code/limits.h"
#include "res/res.h"

enum { FILES_INDEXES = 8 };

struct files_route { /* its configuration; slices live as long as the configuration */
    struct res_route any;
    int root;           /* from file_open_root() */
    bool listing;       /* list a directory that has no index */
    bool hidden;        /* serve names that begin with a dot, too; ".well-known" always is */
    bool strict;        /* 406 rather than the best there is */
    bool precompressed; /* look for .br, .zst and .gz beside a file */
    int64_t listing_sorted_max;     /* members of a listing that are sorted: limits.def */
    struct ern_slice cache_control; /* value of the field; absent: none is sent */
    struct ern_slice
        indexes[FILES_INDEXES]; /* names tried in a directory, up to the first absent */
};

extern struct ern_resource files_resource;

/* What a thread remembers of files; res_request.thread of the kind. */
struct files;

/* Returns NULL without memory. */
struct files *files_new(const struct limits *limits, struct hash_key key);

/* Frees it, once no request uses it any more. NULL is fine. */
void files_free(struct files *files);

#endif
