/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_PASSWD_H
#define MAIN_PASSWD_H

/* Runs `earnest passwd`; argv begins with "passwd". Returns the exit code. */
int passwd_main(int argc, char **argv);

#endif
