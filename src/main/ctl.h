/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_CTL_H
#define MAIN_CTL_H

#include <getopt.h>

#include "earnest/slice.h"

/* `earnest ctl VERB`, and each verb as a command: looks into a running server, and steers it.
 * Returns the exit code. */
int ctl_main(int argc, char **argv);

/* Sends a line to an admin socket (NULL: the default one), and prints the answer. Returns the exit
 * code. */
int ctl_ask(const char *socket, struct ern_slice line);

extern const struct option ctl_options[];

#endif
