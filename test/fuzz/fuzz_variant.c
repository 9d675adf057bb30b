/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields up to an empty line, then a list of variants. Each that is read is written so that it
 * is read as the same, on one line. Its quality is never less for a client that has a "*" in
 * Accept-Features, and what is definite needs none; a choice is the first of the best.
 */
#include <stdlib.h>

#include "decide/rvsa.h"
#include "msg/feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, VARIANTS_MAX = 16, FIELDS_MAX = 8 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
same(const struct variant *a, const struct variant *b)
{
    return slice_eq(a->uri, b->uri) && a->quality == b->quality && slice_eq(a->type, b->type) &&
           slice_eq(a->charset, b->charset) && slice_eq(a->language, b->language) &&
           slice_eq(a->coding, b->coding) && slice_eq(a->features, b->features) &&
           slice_eq(a->description, b->description) && a->length == b->length;
}

static void
write_again(const struct variant *v)
{
    static char text[2 * INPUT_MAX];
    struct out o = out_init(text, sizeof text);
    struct variant again;
    struct ern_slice list;

    variant_write(&o, v);
    list = out_done(&o);
    check(!o.full && slice_find(list, '\n') == list.len && slice_find(list, '\r') == list.len);
    check(variant_next(&list, &again) == VARIANT_READ && same(v, &again));
    check(variant_next(&list, &again) == VARIANT_END);
}

static void
weigh(const struct ern_request *r, const struct variant *v)
{
    unsigned open = features_factor((struct features){r, false}, v->features);

    check(open <= FEATURES_MAX);
    check(features_factor((struct features){r, true}, v->features) <= open);
}

static void
choose(const struct ern_request *r, const struct variant *variants, size_t n)
{
    size_t choice = n;
    uint64_t best = 0;
    bool is_definite = false, definite;

    for (size_t i = 0; i < n; i++) {
        uint64_t q = rvsa_quality(r, &variants[i], &definite);

        check(q <= (uint64_t)RVSA_FULL * 1000);
        if (q > best) {
            best = q;
            is_definite = definite;
        }
    }
    if (!rvsa_choose(r, variants, n, &choice)) {
        check(best == 0 || !is_definite);
        return;
    }
    check(rvsa_quality(r, &variants[choice], &definite) == best && definite);
    for (size_t i = 0; i < choice; i++)
        check(rvsa_quality(r, &variants[i], &definite) < best);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice rest = slice_from((const char *)data, size);
    struct variant variants[VARIANTS_MAX];
    struct ern_field fields[FIELDS_MAX];
    struct ern_request r;
    size_t n = 0;

    if (size > INPUT_MAX)
        return 0;
    ern_request_init(&r, fields, FIELDS_MAX);
    while (rest.len) {
        struct ern_slice line = slice_first(rest, slice_find(rest, '\n'));
        size_t colon = slice_find(line, ':');

        rest = slice_skip(rest, line.len < rest.len ? line.len + 1 : line.len);
        if (colon == line.len ||
            !ern_request_add(&r, slice_first(line, colon), slice_trim(slice_skip(line, colon + 1))))
            break;
    }
    while (n < VARIANTS_MAX && variant_next(&rest, &variants[n]) == VARIANT_READ) {
        write_again(&variants[n]);
        if (slice_is_there(variants[n].features))
            weigh(&r, &variants[n]);
        n++;
    }
    choose(&r, variants, n);
    return 0;
}
