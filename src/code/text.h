/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - what each status code says, in the languages that Earnest writes; from doc/codes. */
#ifndef CODE_TEXT_H
#define CODE_TEXT_H

#include "code/language.h"
#include "earnest/slice.h"

/* Plain text, each part one to three sentences on one line. */
struct status_text {
    struct ern_slice meaning; /* what the code says */
    struct ern_slice when;    /* what makes Earnest send it */
    struct ern_slice client;  /* what whoever receives it can do */
};

/* The text of a code; NULL if there is none. */
const struct status_text *status_text(unsigned code, enum language language);

/*
 * A request that causes the code: its head with the empty line, lines ending in CR LF. Absent for a
 * code without a page, empty for one that no request causes.
 */
struct ern_slice status_example(unsigned code);

#endif
