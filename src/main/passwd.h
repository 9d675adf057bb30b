/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_PASSWD_H
#define MAIN_PASSWD_H

#include <getopt.h>

/* Runs `earnest passwd`; argv begins with "passwd". Returns the exit code. */
int passwd_main(int argc, char **argv);

extern const struct option passwd_options[];

#endif
