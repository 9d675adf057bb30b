/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_LEGAL_H
#define MAIN_LEGAL_H

#include <getopt.h>

/* `earnest legal`: the demands on record. Returns the exit code. */
int legal_main(int argc, char **argv);

extern const struct option legal_options[];

#endif
