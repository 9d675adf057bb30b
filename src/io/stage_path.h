/* SPDX-License-Identifier: Apache-2.0 */
/* stage_path.h - a path below a root as its parent, which is open, and the last name in it. */
#ifndef IO_STAGE_PATH_H
#define IO_STAGE_PATH_H

#include <linux/limits.h>

#include "io/stage.h"

struct stage_path {
    int parent; /* a descriptor: -1 if there is none */
    char name[NAME_MAX + 1];
};

/* Opens the parent within the root. Returns 0, or a negative errno: -EINVAL for the root itself. */
ERN_MUST_USE int stage_path_open(int root, const char *path, struct stage_path *ret_path);
void stage_path_close(struct stage_path *path);

#endif
