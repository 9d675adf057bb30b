/* SPDX-License-Identifier: Apache-2.0 */
#include "code/language.h"

struct ern_slice
language_tag(enum language language)
{
    switch (language) {
    case LANGUAGE_EN:
        return ERN_SLICE("en");
    case LANGUAGE_BN:
        return ERN_SLICE("bn");
    case LANGUAGES:
        break;
    }
    return ERN_ABSENT;
}
