/* SPDX-License-Identifier: Apache-2.0 */
/* error.h - what is wrong with a configuration: where it is, what it is, what to write instead. */
#ifndef CONF_ERROR_H
#define CONF_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/out.h"
#include "earnest/slice.h"

/* Both from 1; a column is a character, a tab is one. Line 0: nowhere in a file. */
struct conf_position {
    uint32_t line, column;
};

enum {
    CONF_ERRORS_MAX = 64,
    CONF_SENTENCE_BYTES = 1 << 8,
    CONF_ARGUMENTS = 3,
};

struct conf_error {
    const char *file; /* as the caller named it */
    uint32_t line, column;
    bool warning;                   /* the configuration can be used all the same */
    char what[CONF_SENTENCE_BYTES]; /* what is wrong, NUL-terminated */
    char mend[CONF_SENTENCE_BYTES]; /* what to write instead; never empty */
};

/* All that was found, the first 64 kept. Plain memory of the caller, who keeps the file name. */
struct conf_errors {
    const char *file;
    unsigned n;       /* kept */
    unsigned wrong_n; /* errors that are not warnings, kept or not */
    unsigned lost_n;  /* not kept */
    struct conf_error error[CONF_ERRORS_MAX];
};

/* Two sentences in which %1 to %3 stand for a text, and &1 to &3 for choices as in "a|b". */
struct conf_say {
    const char *what, *mend;
    struct ern_slice arguments[CONF_ARGUMENTS]; /* shown clean and cut; may be a stranger's */
};

#define CONF_SAY(what, mend, ...) (&(struct conf_say){what, mend, {__VA_ARGS__}})

/* Empties errors; file is what each of them is to name. */
void conf_errors_init(struct conf_errors *errors, const char *file);

/* Adds an error, or a warning. */
void conf_wrong(struct conf_errors *errors, struct conf_position at, const struct conf_say *say);
void conf_warn(struct conf_errors *errors, struct conf_position at, const struct conf_say *say);

/* Puts them in the order of the file. */
void conf_errors_sort(struct conf_errors *errors);

/* One line for people: FILE:LINE:COLUMN: error: WHAT; MEND. */
void conf_error_write(const struct conf_error *error, struct out *o);

/* The same as a JSON object. */
void conf_error_write_json(const struct conf_error *error, struct out *o);

#endif
