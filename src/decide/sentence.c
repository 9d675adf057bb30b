/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/sentence.h"

#include <assert.h>

static const struct ern_slice sentences[][LANGUAGES] = {
#define SENTENCE(name, english, bengali)                                                           \
    {{english, sizeof english - 1}, {bengali, sizeof bengali - 1}},
#include "sentence.def"
#undef SENTENCE
};

/* The rows of the rules and those of the sentences, by name: a name that only one has is an error.
 */
enum rule_row {
#define RULE(status, name, if_, unless, source) RULE_##name,
#include "rules.def"
#undef RULE
    RULES
};

enum sentence_row {
#define SENTENCE(name, english, bengali) SENTENCE_##name,
#include "sentence.def"
#undef SENTENCE
    SENTENCES
};

static_assert((int)RULES == (int)SENTENCES, "a rule has a sentence");
#define SENTENCE(name, english, bengali)                                                           \
    static_assert((int)RULE_##name == (int)SENTENCE_##name,                                        \
                  "sentence.def is in the order of rules.def");
#include "sentence.def"
#undef SENTENCE

struct ern_slice
sentence_of(const struct ern_rule *rule, enum language language)
{
    assert(rule >= ern_rules && rule < ern_rules + RULES);
    assert(language < LANGUAGES);
    return sentences[rule - ern_rules][language];
}
