/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_world.h - the world of the tour: a temporary folder with files, a configuration that makes
 * something of each of them, and the pages. src/main/tour/world.txt has what is in it: "== PATH"
 * begins a file, with the lines up to the next one.
 */
#ifndef MAIN_TOUR_WORLD_H
#define MAIN_TOUR_WORLD_H

#include "main/tour_play.h"

enum { TOUR_PATH_BYTES = 512 };

/* The table of recipes that is built in. */
extern const struct ern_slice tour_recipes;

/*
 * Makes the folder, below $TMPDIR or /tmp, with all that is in it.
 *   path     where its path is written, with a NUL
 *   ret_why  what is wrong, where false is returned; what was made stays then
 */
bool tour_world_make(const struct tour_ports *ports, const struct tour_table *table,
                     char path[TOUR_PATH_BYTES], const char **ret_why);

/* Removes the folder with all that is in it. */
void tour_world_remove(const char *path);

/* Writes a file of the world. Returns false, and says why by errno, if it can not. */
bool tour_world_write(int folder, const char *path, struct ern_slice content);

#endif
