/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - a folder, served to the letter: the kind of resource of `files = DIR`. */
#ifndef RES_FILES_H
#define RES_FILES_H

#include <linux/limits.h>

#include "base/hash.h"
#include "code/limits.h"
#include "res/res.h"

enum { FILES_INDEXES = 8 };

enum files_by {                     /* what a file is compressed with for those who have it: bits */
                FILES_BY_PAST = 1,  /* what it was before */
                FILES_BY_NAMED = 2, /* what the route names */
};

struct encoders;
struct files_other;
struct past;

struct files_route { /* its configuration; slices live as long as the configuration */
    struct res_route any;
    int root;           /* from file_open_root() */
    bool listing;       /* list a directory that has no index */
    bool hidden;        /* serve names that begin with a dot, too; ".well-known" always is */
    bool strict;        /* 406 rather than the best there is */
    bool writable;      /* clients write to it: the page of a folder lets them */
    bool sandbox;       /* what clients wrote runs no script in the name of the site */
    bool precompressed; /* look for .br, .zst and .gz beside a file */
    bool compress;      /* compress what has no such sibling while it is sent */
    bool variants;      /* look for variants of a name that no file has */
    bool hints;         /* learn what pages link to, and tell it beforehand */
    bool hints_all;     /* to every client that knows interim answers */
    bool lists_ties;    /* of variants that are equally good none is chosen: 300 */
    const struct limits *limits;
    unsigned compresses_by;               /* dictionaries, as bits of enum files_by; 0: none */
    const struct ern_slice *dictionaries; /* files that are, below the route */
    size_t dictionaries_n;
    struct ern_slice prefix;         /* the path of the route */
    const struct past *past;         /* what the files were before is kept here; NULL: it is not */
    int64_t listing_sorted_max;      /* members of a listing that are sorted: limits.def */
    struct ern_slice cache_control;  /* value of the field; absent: none is sent */
    struct ern_slice content_policy; /* likewise, of Content-Security-Policy */
    struct ern_slice language;       /* of variants that are equally good, those in it go first */
    struct ern_slice
        indexes[FILES_INDEXES]; /* names tried in a directory, up to the first absent */
    /*
     * Asked for a path that is not on the disk; may block. Returns 0 or a negative errno. NULL:
     * there is nothing besides the disk.
     */
    int (*other)(const struct files_route *route, struct ern_slice path,
                 struct files_other *ret_other);
    /* Counts the changes that are made here: what was remembered before one is looked at again.
     * NULL: none are. */
    uint64_t (*changes)(const struct files_route *route);
};

/* What stands in the place of a file that is not there. */
enum files_ghost {
    FILES_MISSING,
    FILES_GONE,      /* for good */
    FILES_MOVED,     /* to target, a path below the route */
    FILES_REFERENCE, /* a redirect: target is a URI reference */
    FILES_BOUND, /* another name of target, a path below the route, which is looked at instead */
};

struct files_other {
    enum files_ghost kind;
    bool for_good;
    char target[PATH_MAX]; /* ended by NUL */
};

/* Is it a path, decoded and below the route, that is never served or written to? */
bool files_withhold(const struct files_route *route, struct ern_slice path);

/* A directory is named with its slash: says in Location where this one is. Returns false without
 * memory. */
bool files_add_slash(struct ern_decision *decision);

extern struct ern_resource files_resource;
extern struct ern_resource variants_resource; /* the same, with variants, deltas and hints */

/* What a thread remembers of files; res_request.thread of the kind. */
struct files;

/* The encoders are for what is compressed while it is sent. Returns NULL without memory. */
struct files *files_new(const struct limits *limits, struct hash_key key,
                        struct encoders *encoders);

/* Frees it, once no request uses it any more. NULL is fine. */
void files_free(struct files *files);

#endif
