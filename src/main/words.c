/* SPDX-License-Identifier: Apache-2.0 */
#include "main/words.h"

#include <stdlib.h>

#include "base/slice.h"

struct ern_slice
words_kind(enum ern_status_kind kind, enum language language)
{
    bool bn = language == LANGUAGE_BN;

    switch (kind) {
    case ERN_FINAL:
        return bn ? ERN_SLICE("চূড়ান্ত") : ERN_SLICE("final");
    case ERN_INTERIM:
        return bn ? ERN_SLICE("অন্তর্বর্তী") : ERN_SLICE("interim");
    case ERN_RESERVED:
        break;
    }
    return bn ? ERN_SLICE("সংরক্ষিত") : ERN_SLICE("reserved");
}

struct ern_slice
words_cacheable_name(enum ern_cacheable cacheable)
{
    switch (cacheable) {
    case ERN_HEURISTIC:
        return ERN_SLICE("heuristic");
    case ERN_EXPLICIT:
        return ERN_SLICE("explicit");
    case ERN_NEVER:
        break;
    }
    return ERN_SLICE("never");
}

struct ern_slice
words_cacheable(enum ern_cacheable cacheable, enum language language)
{
    bool bn = language == LANGUAGE_BN;

    switch (cacheable) {
    case ERN_HEURISTIC:
        return bn ? ERN_SLICE("যায়, মেয়াদ বলা না থাকলেও")
                  : ERN_SLICE("yes, even without a stated lifetime");
    case ERN_EXPLICIT:
        return bn ? ERN_SLICE("শুধু মেয়াদ বলা থাকলে") : ERN_SLICE("only with a stated lifetime");
    case ERN_NEVER:
        break;
    }
    return bn ? ERN_SLICE("কখনও নয়") : ERN_SLICE("never");
}

struct ern_slice
words_content(const struct ern_status *status, enum language language)
{
    bool bn = language == LANGUAGE_BN;

    if (status->has_content)
        return bn ? ERN_SLICE("থাকতে পারে") : ERN_SLICE("there may be some");
    return bn ? ERN_SLICE("কখনও থাকে না") : ERN_SLICE("none, ever");
}

struct ern_slice
words_field(const char *carry, char *buffer, size_t cap)
{
    size_t len = 0;
    bool begins = true, www = slice_starts(slice_text(carry), ERN_SLICE("www_"));

    for (; carry[len] && len < cap; len++) {
        bool upper = carry[len] >= 'a' && carry[len] <= 'z' && (begins || (www && len < 3));

        begins = carry[len] == '_';
        buffer[len] = begins ? '-' : upper ? (char)(carry[len] - 'a' + 'A') : carry[len];
    }
    return slice_from(buffer, len);
}

enum language
words_language(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ern_slice value = slice_text(getenv(names[i]));

        if (value.len)
            return slice_starts(value, ERN_SLICE("bn")) ? LANGUAGE_BN : LANGUAGE_EN;
    }
    return LANGUAGE_EN;
}

bool
words_language_find(struct ern_slice tag, enum language *ret_language)
{
    for (int i = 0; i < LANGUAGES; i++)
        if (slice_eq_nocase(tag, language_tag((enum language)i))) {
            *ret_language = (enum language)i;
            return true;
        }
    return false;
}

struct ern_slice
words_first_sentence(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        struct ern_slice here = slice_skip(text, i);
        size_t stop = slice_starts(here, ERN_SLICE("।")) ? sizeof "।" - 1 : here.ptr[0] == '.';

        if (stop && (stop == here.len || here.ptr[stop] == ' '))
            return slice_first(text, i + stop);
    }
    return text;
}
