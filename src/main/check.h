/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - `earnest check FILE`: is this configuration right, and what is to be written instead?
 */
#ifndef MAIN_CHECK_H
#define MAIN_CHECK_H

#include <getopt.h>

/*
 * Runs the command; argv[0] is "check", its arguments follow.
 * Returns the exit code: 0 right, with or without warnings; 1 wrong; 2 not how it is used.
 */
int check_main(int argc, char **argv);

extern const struct option check_options[];

#endif
