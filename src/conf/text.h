/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - the language of configuration files, without the meaning of its keys.
 *
 *   items    = *( key "=" value / key [ text ] "{" items "}" )
 *   value    = text / "{" [ text *( "," text ) [ "," ] ] "}"
 *   text     = word / string
 *   string   = DQUOTE *( character / "\" ( DQUOTE / "\" / "n" / "t" ) ) DQUOTE    ; on one line
 *   word     = 1*( a letter, a digit, a byte past 0x7f, or one of _-.:/+%@~[]*$?&!()|^ )
 *   key      = word
 *   comments = "#" or "//" to the end of the line, or from slash-star to star-slash
 *
 * A text stands on the line of the "=" or the key before it, so that a forgotten one is found where
 * it is missing. A word may not contain the beginning of a comment.
 */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include "conf/error.h"
#include "conf/memory.h"

enum {
    TEXT_BYTES_MAX = 1 << 20,
    TEXT_NODES_MAX = 100000, /* items and values together */
    TEXT_DEPTH_MAX = 4,      /* sections within sections */
};

struct text_value {
    struct ern_slice text; /* without quotes and escapes */
    struct conf_position at;
    struct text_value *next;
};

struct text_node {
    struct ern_slice key;
    struct ern_slice title; /* of a section; absent if it has none */
    struct conf_position key_at;
    struct conf_position value_at; /* the value, the title, or the opening brace */
    bool is_section;
    bool is_list;              /* the value stands in braces */
    struct text_value *values; /* in order; none for a section */
    struct text_node *items;   /* of a section, in order */
    struct text_node *next;
};

/*
 * Reads text into nodes. What is wrong is added to errors, and reading goes on after it.
 *   text    kept by the caller as long as the nodes, which point into it and into memory
 *   memory    where the nodes are; memory->full afterwards says that there was not enough memory
 * Returns the root, a section without key and title; NULL only if not even that fits in memory.
 */
struct text_node *text_parse(struct ern_slice text, struct memory *memory,
                             struct conf_errors *errors);

#endif
