/* SPDX-License-Identifier: Apache-2.0 */
/* environment.h - flags that the environment says. */
#ifndef MAIN_ENVIRONMENT_H
#define MAIN_ENVIRONMENT_H

#include <getopt.h>

enum { ENVIRONMENT_ARGUMENTS = 256, ENVIRONMENT_BYTES = 8192 };

struct environment { /* a command line with the flags of the environment */
    char *argument[ENVIRONMENT_ARGUMENTS];
    char text[ENVIRONMENT_BYTES];
};

/*
 * Puts flags that variables EARNEST_NAME say before those of the command line, which go before them
 * where both say one: EARNEST_LISTEN is --listen, and a flag without a value is said by 1.
 *   memory      for what is written
 *   argc, argv  of main; replaced. The new ones are in memory
 * Returns 0, or -E2BIG.
 */
int environment_flags(const struct option *options, struct environment *memory, int *argc,
                      char ***argv);

#endif
