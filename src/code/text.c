/* SPDX-License-Identifier: Apache-2.0 */
#include "code/text.h"

#include "base/slice.h"

static const struct {
    unsigned code;
    struct ern_slice tag;
    struct status_text text;
} texts[] = {
#define LITERAL(literal)                                                                           \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define EXAMPLE(code, request)
#define TEXT(code, tag, meaning, when, client)                                                     \
    {code, LITERAL(tag), {LITERAL(meaning), LITERAL(when), LITERAL(client)}},
#include "text.inc"
#undef TEXT
#undef EXAMPLE
};

static const struct {
    unsigned code;
    struct ern_slice request;
} examples[] = {
#define TEXT(code, tag, meaning, when, client)
#define EXAMPLE(code, request) {code, LITERAL(request)},
#include "text.inc"
#undef EXAMPLE
#undef TEXT
#undef LITERAL
};

const struct status_text *
status_text(unsigned code, enum language language)
{
    struct ern_slice tag = language_tag(language);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code && slice_eq(texts[i].tag, tag))
            return &texts[i].text;
    return NULL;
}

struct ern_slice
status_example(unsigned code)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (examples[i].code == code)
            return examples[i].request;
    return ERN_ABSENT;
}
