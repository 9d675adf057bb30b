/* SPDX-License-Identifier: Apache-2.0 */
/* token.h - cuts a configuration file into words, strings and marks; text.h has the grammar. */
#ifndef CONF_TOKEN_H
#define CONF_TOKEN_H

#include "conf/error.h"
#include "conf/memory.h"

enum token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_MARK, /* = { } , */
    TOKEN_BAD,  /* what is wrong with it has been said */
};

struct tokens {
    struct ern_slice rest;
    struct conf_position here; /* of the first byte of rest */
    enum token token;
    char mark;               /* the byte of a TOKEN_MARK */
    struct ern_slice value;  /* of a word or string, without quotes and escapes */
    struct conf_position at; /* of the token */
    uint32_t quiet_line;     /* up to this line nothing more is reported: it is being skipped */
    bool stop;               /* read no further, report no more */
    struct memory *memory;   /* where strings with escapes are */
    struct conf_errors *errors;
};

/* Goes on to the next token. */
void tokens_next(struct tokens *r);

/* Adds an error, unless it is on a line that is skipped. */
void tokens_wrong(struct tokens *r, struct conf_position at, const struct conf_say *say);

#endif
