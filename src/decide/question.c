/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/question.h"

#include "base/slice.h"

static const char *const bengali[ERN_FACTS] = {
#define QUESTION(name, bengali) [ERN_FACT_##name] = bengali,
#include "question.def"
#undef QUESTION
};

struct ern_slice
question_of(enum ern_fact fact, enum language language)
{
    const char *text = language == LANGUAGE_BN ? bengali[fact] : NULL;

    return slice_text(text ? text : ern_fact_question(fact));
}
