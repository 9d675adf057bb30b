/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_WHY_H
#define MAIN_WHY_H

#include <getopt.h>

/* `earnest why ID`: a decision that a running server remembers, explained. Returns the exit code.
 */
int why_main(int argc, char **argv);

extern const struct option why_options[];

#endif
