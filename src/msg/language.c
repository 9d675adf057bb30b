/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/language.h"

#include "msg/accept.h"

enum language
language_preferred(const struct ern_request *request)
{
    enum language best = LANGUAGE_EN;
    struct ern_slice tags[LANGUAGES];
    unsigned most = 0;

    if (!ern_request_has(request, ERN_FIELD_accept_language))
        return best;
    for (unsigned i = 0; i < LANGUAGES; i++)
        tags[i] = language_tag((enum language)i);
    for (unsigned i = 0; i < LANGUAGES; i++) {
        unsigned quality = accept_language_lookup(request, tags[i], tags, LANGUAGES);

        if (quality > most) {
            most = quality;
            best = (enum language)i;
        }
    }
    return best;
}
