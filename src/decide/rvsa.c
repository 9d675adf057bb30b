/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/rvsa.h"

#include "base/slice.h"
#include "msg/accept.h"
#include "msg/feature.h"

enum { FULL = 1000, MILLION = 1000000, BILLION = 1000000000 };

static_assert((uint64_t)FEATURES_MAX <= UINT64_MAX / BILLION, "a product fits");

/* What an attribute contributes. closed: as if wildcards and absent fields said nothing. */
static uint64_t
factor(struct ern_slice attribute, struct accepted accepted, bool closed)
{
    if (!slice_is_there(attribute))
        return FULL;
    return accepted.definite || !closed ? accepted.quality : 0;
}

/*
 * round5( qs * qt * qc * ql * qf ). The product is cut to billionths before the features, which are
 * millionths, come in: so it fits into 64 bits.
 */
static uint64_t
overall(const struct ern_request *r, const struct variant *v, bool closed)
{
    uint64_t q = v->quality;

    q *= factor(v->type, accepted_type(r, v->type), closed);
    q *= factor(v->charset, accepted_charset(r, v->charset), closed);
    q *= factor(v->language, accepted_language(r, v->language), closed);
    q = (q + MILLION / 2) / MILLION;
    if (slice_is_there(v->features))
        q = (q * features_factor((struct features){r, closed}, v->features) + MILLION / 2) /
            MILLION;
    return (q + BILLION / RVSA_FULL / 2) / (BILLION / RVSA_FULL);
}

uint64_t
rvsa_quality(const struct ern_request *request, const struct variant *variant, bool *ret_definite)
{
    uint64_t quality = overall(request, variant, false);

    *ret_definite = quality == overall(request, variant, true);
    return quality;
}

bool
rvsa_choose(const struct ern_request *request, const struct variant *variants, size_t n,
            size_t *ret_choice)
{
    uint64_t best = 0;
    bool is_definite = false;

    for (size_t i = 0; i < n; i++) {
        bool definite;
        uint64_t quality = rvsa_quality(request, &variants[i], &definite);

        if (quality > best) {
            best = quality;
            is_definite = definite;
            *ret_choice = i;
        }
    }
    return best > 0 && is_definite;
}
