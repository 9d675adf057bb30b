/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - which file of a folder is the program that a path asks for (RFC 3875 3.2), and which
 * part of the path is for it to read. */
#ifndef RES_SCRIPT_H
#define RES_SCRIPT_H

#include "res/files.h"

struct script_route {         /* its configuration; slices live as long as the configuration */
    struct files_route files; /* the folder; of it any, root, hidden and indexes count here */
    struct ern_slice folder;  /* its path, absolute */
    const struct ern_slice *suffixes; /* names of scripts end so; none: every file is one */
    size_t suffixes_n;
    struct ern_slice fallback; /* the script of paths that no file has, from its slash; or absent */
};

enum script_kind {
    SCRIPT_MISSING,
    SCRIPT_UNREADABLE, /* it leads out of the folder, or is no file */
    SCRIPT_UNSLASHED,  /* a folder asked for without its slash */
    SCRIPT_PLAIN,      /* a file that is no script, or a folder without one that stands for it */
    SCRIPT_RUNS,
};

struct script { /* what a path leads to; slices lie in memory that the caller gave */
    enum script_kind kind;
    struct ern_slice name; /* the path of the script below the folder, from its slash */
    struct ern_slice info; /* what of the path follows that, from its slash; or empty */
};

/*
 * Follows a path, decoded and normalised, from its slash. A file that is no script ends it: what
 * follows its name is no name of a script, however it looks. May block.
 *   memory  room for the path and the longest of the indexes
 */
void script_find(const struct script_route *route, struct ern_slice path, struct out *memory,
                 struct script *ret);

/* Is a file with this name a script, by its name? */
bool script_has_suffix(const struct script_route *route, struct ern_slice name);

/* Can it be told without looking that a path is no script's? So it is where none of its names ends
 * as those of scripts do, it names no folder, and nothing stands for what is missing. */
bool script_is_plain(const struct script_route *route, struct ern_slice path);

#endif
