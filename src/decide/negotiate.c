/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate.c - proactive negotiation (RFC 9110 12.1). Accept-Charset is not read: 12.5.2. */
#include "base/slice.h"
#include "earnest/decide.h"
#include "msg/accept.h"

enum { FULL = 1000, VARIANTS_MAX = 64 };

struct languages { /* of all variants */
    struct ern_slice of[VARIANTS_MAX];
    size_t n;
};

/* The product of four qualities, at most 10^12. */
static uint64_t
worth(const struct ern_request *request, const struct ern_variant *v,
      const struct languages *languages)
{
    uint64_t q = v->quality;

    q *= slice_is_there(v->type) ? accept_type(request, v->type) : FULL;
    q *= accept_language_lookup(request, v->language, languages->of, languages->n);
    q *= accept_coding(request, slice_is_there(v->coding) ? v->coding : ERN_SLICE("identity"));
    return q;
}

bool
ern_negotiate(const struct ern_request *request, const struct ern_variant *variants, size_t n,
              size_t *ret_choice)
{
    struct languages languages;
    uint64_t best = 0;

    assert(n >= 1);
    assert(n <= VARIANTS_MAX);
    languages.n = 0;
    if (ern_request_has(request, ERN_FIELD_accept_language))
        for (; languages.n < n; languages.n++)
            languages.of[languages.n] = variants[languages.n].language;
    for (size_t i = 0; i < n; i++) {
        uint64_t q = worth(request, &variants[i], &languages);

        if (q > best) {
            best = q;
            *ret_choice = i;
        }
    }
    return best > 0;
}
