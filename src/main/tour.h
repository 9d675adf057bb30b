/* SPDX-License-Identifier: Apache-2.0 */
/* tour.h - `earnest tour`: all status codes, each earned before the reader's eyes. */
#ifndef MAIN_TOUR_H
#define MAIN_TOUR_H

#include <getopt.h>

/* Returns the exit code. */
int tour_main(int argc, char **argv);

extern const struct option tour_options[];

#endif
