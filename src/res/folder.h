/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder.h - the members of a folder below a root: read, looked at, and sorted if they are not too
 * many; otherwise one by one as the folder has them, in constant memory. All of it may block.
 */
#ifndef RES_FOLDER_H
#define RES_FOLDER_H

#include <dirent.h>
#include <linux/limits.h>

#include "res/files.h"

enum folder_order { FOLDER_BY_NAME, FOLDER_BY_SIZE, FOLDER_BY_MODIFIED, FOLDER_ORDERS };

enum member_kind {
    MEMBER_FILE,
    MEMBER_FOLDER,
    MEMBER_OUTSIDE, /* a symbolic link that leads out of the root, or to what we may not read */
};

struct member {
    struct ern_slice name; /* ended by NUL */
    enum member_kind kind;
    uint64_t bytes;     /* of a file */
    int64_t modified_s; /* of a file and a folder */
};

struct folder {
    int root;
    bool hidden;                       /* names that begin with a dot are members, too */
    const struct res_request *request; /* whose rights count */
    int64_t sorted_max;
    enum folder_order sort;
    bool down;
    bool large; /* it has more members than sorted_max: they come unsorted */
    DIR *dir;
    struct member *members; /* all of them, in order; NULL in a large folder */
    size_t members_n, members_cap, next;
    struct folder_names *names; /* memory of their names */
    size_t place_len;           /* of the folder's place, and */
    size_t name_at;             /* offset in it where a member's name belongs */
    char place[PATH_MAX];       /* below the root, ended by NUL: of the folder, then of a member */
};

/*
 * Prepares to read the folder of a request, by name; sort and down may be set afterwards. The
 * request has to last as long.
 * Returns false if that is longer than any path.
 */
ERN_MUST_USE bool folder_init(struct folder *folder, const struct res_request *request);

/* Opens it and reads its members, or finds that it is large. Returns 0, or a negative errno. */
ERN_MUST_USE int folder_read(struct folder *folder);

/*
 * The next member, folders first unless it is large. Its name lasts until the next call.
 * Returns 1; 0 after the last; or a negative errno.
 */
ERN_MUST_USE int folder_next(struct folder *folder, struct member *ret_member);

/* Closes and frees what it holds, in every state. */
void folder_done(struct folder *folder);

#endif
