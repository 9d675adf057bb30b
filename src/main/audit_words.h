/* SPDX-License-Identifier: Apache-2.0 */
/* audit_words.h - what an audit says, in the language of whoever reads it (audit_words.def). */
#ifndef MAIN_AUDIT_WORDS_H
#define MAIN_AUDIT_WORDS_H

#include "code/language.h"

/* Chooses the language; English before that. */
void audit_words_choose(enum language language);
enum language audit_words_language(void);

/* The text in that language; as it is where it has none: a name, or what a library said. */
const char *audit_say(const char *english);

#endif
