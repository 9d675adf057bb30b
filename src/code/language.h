/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODE_LANGUAGE_H
#define CODE_LANGUAGE_H

#include "earnest/slice.h"

/* The languages that Earnest writes. */
enum language { LANGUAGE_EN, LANGUAGE_BN, LANGUAGES };

/* The language's tag: "en", "bn". */
struct ern_slice language_tag(enum language language);

#endif
