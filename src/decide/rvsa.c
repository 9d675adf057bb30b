/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/rvsa.h"

#include "base/slice.h"
#include "msg/accept.h"
#include "msg/feature.h"

enum { FULL = 1000, MILLION = 1000000, BILLION = 1000000000 };

static_assert((uint64_t)FEATURES_MAX <= UINT64_MAX / BILLION, "a product fits");

typedef struct accepted accepted_function(const struct ern_request *request, struct ern_slice what);

struct client {
    const struct ern_request *request;
    bool closed; /* as if wildcards and absent fields said nothing */
};

/* What an attribute contributes. */
static uint64_t
factor(struct client client, accepted_function *ask, struct ern_slice attribute)
{
    struct accepted accepted;

    if (!slice_is_there(attribute))
        return FULL;
    accepted = ask(client.request, attribute);
    return accepted.definite || !client.closed ? accepted.quality : 0;
}

/*
 * round5( qs * qt * qc * ql * qf ). The product is cut to billionths before the features, which are
 * millionths, come in: so it fits into 64 bits.
 */
static uint64_t
overall(struct client client, const struct variant *v)
{
    uint64_t q = v->quality;

    q *= factor(client, accepted_type, v->type);
    q *= factor(client, accepted_charset, v->charset);
    q *= factor(client, accepted_language, v->language);
    q = (q + MILLION / 2) / MILLION;
    if (slice_is_there(v->features))
        q = (q * features_factor((struct features){client.request, client.closed}, v->features) +
             MILLION / 2) /
            MILLION;
    return (q + BILLION / RVSA_FULL / 2) / (BILLION / RVSA_FULL);
}

uint64_t
rvsa_quality(const struct ern_request *request, const struct variant *variant, bool *ret_definite)
{
    uint64_t quality = overall((struct client){request, false}, variant);

    *ret_definite = quality == overall((struct client){request, true}, variant);
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
