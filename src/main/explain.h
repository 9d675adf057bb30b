/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_EXPLAIN_H
#define MAIN_EXPLAIN_H

#include <getopt.h>

/*
 * earnest explain [--json] [--lang=en|bn] [NNN]: what the status codes mean and what earns them.
 *   argv  argv[0] is "explain"
 * Returns the exit code: 0, 1 for a code that is not registered, 2 for a wrong command line.
 */
int explain_main(int argc, char **argv);

extern const struct option explain_options[];

#endif
