/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feature.h - what a client can do and likes, by tags (RFC 2295 6): whether a predicate of a
 * variant holds, as far as Accept-Features says, and what that makes of the variant's quality.
 */
#ifndef MSG_FEATURE_H
#define MSG_FEATURE_H

#include "earnest/message.h"

enum {
    FEATURES_FULL = 1000000,             /* a quality of one, in millionths */
    FEATURES_MAX = 1000 * FEATURES_FULL, /* more is not told from this */
};

struct features { /* what is known of a client's */
    const struct ern_request *request;
    bool closed; /* as if its Accept-Features had no "*": what it does not name, it has not */
};

/*
 * The quality degradation factor of a feature-list (RFC 2295 6.4): 0 to FEATURES_MAX, in
 * millionths. Its predicates are as in "tables", "!tables", "paper=A4", "paper!=A4" and
 * "dpi=[300-599]" (RFC 2295 6.3, 8.2). Without Accept-Features, or beyond what it tells with "*",
 * whether one holds is unknown, and the better is taken. A list that is malformed has factor 0.
 */
unsigned features_factor(struct features features, struct ern_slice list);

#endif
