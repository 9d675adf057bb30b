/* SPDX-License-Identifier: Apache-2.0 */
#include "main/audit_words.h"

#include "base/slice.h"

static enum language chosen = LANGUAGE_EN;

void
audit_words_choose(enum language language)
{
    chosen = language;
}

enum language
audit_words_language(void)
{
    return chosen;
}

const char *
audit_say(const char *english)
{
    static const struct {
        const char *english, *bengali;
    } words[] = {
#define SAY(english, bengali) {english, bengali},
#include "audit_words.def"
#undef SAY
    };

    if (chosen == LANGUAGE_EN)
        return english;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq(slice_text(words[i].english), slice_text(english)))
            return words[i].bengali;
    return english;
}
