/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h - `earnest explain [...] -- REQUEST`: one request, the exchange as it went over the wire,
 * and the path to its answer, if the server shows it.
 */
#ifndef MAIN_ASK_H
#define MAIN_ASK_H

#include "code/language.h"

enum ask_form { ASK_TEXT, ASK_JSON, ASK_SVG };

struct ask_options {
    enum ask_form form;
    enum language language;
    const char *conf; /* a configuration that is asked in place of a server; NULL: a server is */
};

/* Asks what the arguments of REQUEST say, argv[0] the first of them. Returns the exit code. */
int ask_main(const struct ask_options *options, int argc, char **argv);

/* Prints what a GET of the URL gives: the whole of `earnest why URL`. Returns the exit code. */
int ask_page(const char *url, const char *suffix, enum language language);

#endif
