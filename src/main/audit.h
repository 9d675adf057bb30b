/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - `earnest audit URL`: which statuses does a server earn, and which does it get wrong? */
#ifndef MAIN_AUDIT_H
#define MAIN_AUDIT_H

#include <getopt.h>

int audit_main(int argc, char **argv);

extern const struct option audit_options[];

#endif
