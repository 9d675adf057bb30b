/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - how much memory there is for us, and what of it a process that sleeps needs not. */
#ifndef IO_MEMORY_H
#define IO_MEMORY_H

#include <stdint.h>

/*
 * The least of what the machine has and what each of our control groups allows, with those above
 * it, of version 1 or 2 (cgroups(7)). In bytes.
 *   groups  the file that names ours: "/proc/self/cgroup"
 *   mount   where they are mounted: "/sys/fs/cgroup"
 */
int64_t memory_most(const char *groups, const char *mount);

/* Gives back the pages of the program's and its libraries' files: a process that will sleep for
 * long keeps resident what it reached while it started. What it reaches again comes from the page
 * cache. */
void memory_give_back(void);

#endif
