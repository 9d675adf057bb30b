/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/language.h"

#include "base/slice.h"
#include "msg/accept.h"
#include "msg/list.h"

/* Does the range begin with the primary subtag of ours: "bn-BD" and "bn" with "bn"? */
static bool
is_of(struct ern_slice range, struct ern_slice tag)
{
    return range.len >= tag.len && slice_eq_nocase(slice_first(range, tag.len), tag) &&
           (range.len == tag.len || range.ptr[tag.len] == '-');
}

/*
 * How much the request likes our language. We have one text a language, so that a range is cut
 * short until it fits, as in lookup (RFC 4647 3.4): who asks for "bn-BD" is glad of "bn".
 */
static unsigned
quality_of(const struct ern_request *request, struct ern_slice tag)
{
    unsigned most = accept_language(request, tag);
    struct ern_slice list, member;
    uint16_t at = 0;

    while (ern_request_next(request, ERN_FIELD_accept_language, &at, &list)) {
        while (list_next(&list, &member)) {
            struct ern_slice range = slice_trim(slice_first(member, slice_find(member, ';')));
            unsigned quality = is_of(range, tag) ? accept_language(request, range) : 0;

            most = quality > most ? quality : most;
        }
    }
    return most;
}

enum language
language_preferred(const struct ern_request *request)
{
    enum language best = LANGUAGE_EN;
    unsigned most = 0;

    if (!ern_request_has(request, ERN_FIELD_accept_language))
        return best;
    for (unsigned i = 0; i < LANGUAGES; i++) {
        unsigned quality = quality_of(request, language_tag((enum language)i));

        if (quality > most) {
            most = quality;
            best = (enum language)i;
        }
    }
    return best;
}
