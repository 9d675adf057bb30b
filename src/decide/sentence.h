/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_SENTENCE_H
#define DECIDE_SENTENCE_H

#include "code/language.h"
#include "earnest/decide.h"

/* What a rule of ern_rules says to a person: one sentence, plain text (sentence.def). */
struct ern_slice sentence_of(const struct ern_rule *rule, enum language language);

#endif
