/* SPDX-License-Identifier: Apache-2.0 */
#include "res/choose.h"

#include "decide/rvsa.h"
#include "earnest/decide.h"
#include "msg/accept.h"
#include "msg/list.h"

enum { THOUSANDTH = VARIANT_QUALITY_FULL / 1000 };

struct negotiate { /* what Negotiate says */
    bool trans, vlist, rvsa;
};

/* 1.0 is what we run, and may run for a client that allows it (RFC 2295 8.4). */
static struct negotiate
negotiate_read(const struct ern_request *request)
{
    struct negotiate n = {false, false, false};

    if (!ern_request_has(request, ERN_FIELD_negotiate))
        return n;
    n.rvsa = list_has(request, ERN_FIELD_negotiate, ERN_SLICE("1.0")) ||
             list_has(request, ERN_FIELD_negotiate, ERN_SLICE("*"));
    n.vlist = list_has(request, ERN_FIELD_negotiate, ERN_SLICE("vlist")) ||
              list_has(request, ERN_FIELD_negotiate, ERN_SLICE("guess-small"));
    n.trans = n.rvsa || n.vlist || list_has(request, ERN_FIELD_negotiate, ERN_SLICE("trans"));
    return n;
}

bool
choose_wants_list(const struct ern_request *request)
{
    return negotiate_read(request).vlist;
}

static bool
is_neighbour(const struct choice *choice)
{
    return slice_is_there(choice->path);
}

/* RFC 2296 3.5; its algorithm knows nothing of codings (RFC 2295 10.8). */
static enum choosing
choose_remotely(const struct ern_request *request, const struct choices *c, size_t *ret_choice)
{
    struct variant variants[CHOICES_MAX];
    const struct choice *best;

    for (unsigned i = 0; i < c->n; i++)
        variants[i] = c->choice[i].variant;
    if (!rvsa_choose(request, variants, c->n, ret_choice))
        return CHOOSE_LIST;
    best = &c->choice[*ret_choice];
    if (!is_neighbour(best) ||
        (slice_is_there(best->variant.coding) && accept_coding(request, best->variant.coding) == 0))
        return CHOOSE_LIST;
    return CHOOSE_ONE;
}

/* The best of those that are there for everybody: what is left when nothing is acceptable. */
static size_t
best_source(const struct choices *c)
{
    size_t best = 0;

    for (unsigned i = 1; i < c->n; i++)
        if (c->choice[i].variant.quality > c->choice[best].variant.quality)
            best = i;
    return best;
}

/* The fallback variant, which is for when no other will do (RFC 2295 8.3); n if there is none. */
static size_t
fallback_of(const struct choices *c)
{
    size_t i = 0;

    while (i < c->n && c->choice[i].variant.quality != VARIANT_QUALITY_FALLBACK)
        i++;
    return i;
}

/* Is another as good? Of equal ones the first is chosen, so that from the other end it is another.
 */
static bool
is_tie(const struct ern_request *request, const struct ern_variant *variants, size_t n, size_t best)
{
    struct ern_variant turned[CHOICES_MAX];
    size_t other;

    for (size_t i = 0; i < n; i++)
        turned[i] = variants[n - 1 - i];
    return ern_negotiate(request, turned, n, &other) && n - 1 - other != best;
}

/* The choices as they stand, but that what is in no language is behind what a client that names
 * languages asks for.
 *   ret_from  of each variant its choice */
static void
line_up(const struct ern_request *request, const struct choices *c, struct ern_variant *ret,
        size_t *ret_from)
{
    bool names_languages = ern_request_has(request, ERN_FIELD_accept_language);
    unsigned n = 0;

    for (int neutral = 0; neutral < 2; neutral++) {
        for (unsigned i = 0; i < c->n; i++) {
            const struct variant *v = &c->choice[i].variant;

            if ((names_languages && !slice_is_there(v->language)) != neutral)
                continue;
            ret_from[n] = i;
            ret[n++] =
                (struct ern_variant){v->type, v->language, v->coding, v->quality / THOUSANDTH};
        }
    }
}

/* RFC 9110 12.1 */
static enum choosing
choose_here(const struct ern_request *request, const struct choices *c, bool strict,
            bool lists_ties, size_t *ret_choice)
{
    struct ern_variant variants[CHOICES_MAX];
    size_t from[CHOICES_MAX], best;

    line_up(request, c, variants, from);
    if (ern_negotiate(request, variants, c->n, &best)) {
        *ret_choice = from[best];
        return lists_ties && is_tie(request, variants, c->n, best) ? CHOOSE_LIST : CHOOSE_ONE;
    }
    *ret_choice = fallback_of(c);
    if (*ret_choice < c->n)
        return CHOOSE_ONE;
    *ret_choice = best_source(c);
    return strict ? CHOOSE_NONE : CHOOSE_ONE;
}

enum choosing
choose(const struct ern_request *request, const struct choices *c, bool strict, bool lists_ties,
       size_t *ret_choice)
{
    struct negotiate n = negotiate_read(request);
    enum choosing chosen = CHOOSE_LIST;

    if (n.rvsa)
        chosen = choose_remotely(request, c, ret_choice);
    else if (!n.trans)
        chosen = choose_here(request, c, strict, lists_ties, ret_choice);
    /* Only a neighbour can be sent in the resource's name (RFC 2295 10.2, 14.2). */
    if (chosen == CHOOSE_ONE && !is_neighbour(&c->choice[*ret_choice]))
        return CHOOSE_LIST;
    return chosen;
}
