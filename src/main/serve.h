/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_SERVE_H
#define MAIN_SERVE_H

#include <getopt.h>

/*
 * `earnest serve DIR` and `earnest serve -c FILE`; argv[0] is "serve", its arguments follow.
 * Returns the exit code: 0 after a stop, 1 if it could not start, 2 not how it is used.
 */
int serve_main(int argc, char **argv);

/* `earnest peer`: serves what clients are tried against. */
int peer_main(int argc, char **argv);

extern const struct option serve_options[], peer_options[];

#endif
