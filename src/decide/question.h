/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_QUESTION_H
#define DECIDE_QUESTION_H

#include "code/language.h"
#include "earnest/decide.h"

/* The question that a fact answers, plain text (facts.def, question.def); in English where there is
 * no other. */
struct ern_slice question_of(enum ern_fact fact, enum language language);

#endif
