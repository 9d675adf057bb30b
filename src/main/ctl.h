/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIN_CTL_H
#define MAIN_CTL_H

/* `earnest ctl VERB`, and each verb as a command: looks into a running server, and steers it.
 * Returns the exit code. */
int ctl_main(int argc, char **argv);

#endif
