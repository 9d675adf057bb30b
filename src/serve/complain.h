/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_COMPLAIN_H
#define SERVE_COMPLAIN_H

/* Says on standard error what could not be had, and why: a negative errno, which is returned. */
int complain(const char *what, int error);

struct conf_errors;

/* Says what is wrong with a configuration, a line each. */
void complain_conf(const struct conf_errors *errors);

#endif
