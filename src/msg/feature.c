/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/feature.h"

#include "base/chars.h"
#include "base/num.h"
#include "base/slice.h"
#include "msg/list.h"

enum feature_truth { FEATURE_NO, FEATURE_YES, FEATURE_UNKNOWN };

/* A predicate, or what an element of Accept-Features says: the forms are nearly the same. */
struct expression {
    enum { IS, IS_NOT, HAS, HAS_NOT, HAS_ONLY, RANGE } kind;
    struct ern_slice tag;
    struct ern_slice value; /* of HAS, HAS_NOT, HAS_ONLY, and the text of RANGE */
};

static void
pass_blanks(struct ern_slice *text)
{
    while (text->len && (text->ptr[0] == ' ' || text->ptr[0] == '\t'))
        *text = slice_skip(*text, 1);
}

static bool
take(struct ern_slice *text, struct ern_slice what)
{
    if (!slice_starts(*text, what))
        return false;
    *text = slice_skip(*text, what.len);
    pass_blanks(text);
    return true;
}

/* Takes a token or a quoted-string, without its quotes. */
static bool
take_word(struct ern_slice *text, struct ern_slice *ret)
{
    size_t n = 0;
    bool is_quoted = text->len && text->ptr[0] == '"';

    if (is_quoted) {
        struct ern_slice rest = slice_skip(*text, 1);

        n = slice_find(rest, '"');
        if (n == rest.len)
            return false;
        *ret = slice_first(rest, n);
        *text = slice_skip(rest, n + 1);
    } else {
        while (n < text->len && char_is(text->ptr[n], CHAR_TCHAR) && text->ptr[n] != '!')
            n++;
        if (n == 0)
            return false;
        *ret = slice_first(*text, n);
        *text = slice_skip(*text, n);
    }
    pass_blanks(text);
    return true;
}

/* Takes what stands between an opening and a closing bracket. */
static bool
take_between(struct ern_slice *text, char open, char close, struct ern_slice *ret)
{
    size_t n;

    if (text->len == 0 || text->ptr[0] != open)
        return false;
    n = slice_find(*text, close);
    if (n == text->len)
        return false;
    *ret = slice_trim(slice_from(text->ptr + 1, n - 1));
    *text = slice_skip(*text, n + 1);
    pass_blanks(text);
    return true;
}

static bool
take_expression(struct ern_slice *text, struct expression *e)
{
    bool negates = take(text, ERN_SLICE("!"));

    e->kind = negates ? IS_NOT : IS;
    e->value = ERN_ABSENT;
    if (!take_word(text, &e->tag))
        return false;
    if (negates)
        return true;
    if (take(text, ERN_SLICE("!="))) {
        e->kind = HAS_NOT;
        return take_word(text, &e->value);
    }
    if (!take(text, ERN_SLICE("=")))
        return true;
    e->kind = RANGE;
    if (take_between(text, '[', ']', &e->value))
        return true;
    e->kind = HAS_ONLY;
    if (take_between(text, '{', '}', &e->value))
        return true;
    e->kind = HAS;
    return take_word(text, &e->value);
}

/* ---- what the client says of one tag ----------------------------------------------------------*/

struct known {
    bool open; /* a "*", or no field at all: there may be more than is said */
    bool present, absent;
    bool only;         /* it has the values that are named, and no others */
    bool has, has_not; /* the value that was asked about */
    bool numbered;     /* it has a number for a value; the highest: */
    uint64_t highest;
};

static void
learn(struct known *k, const struct expression *said, struct ern_slice value)
{
    uint64_t number;
    bool same = slice_is_there(value) && slice_eq(said->value, value);

    k->absent |= said->kind == IS_NOT;
    k->present |= said->kind != IS_NOT;
    k->has_not |= said->kind == HAS_NOT && same;
    if (said->kind != HAS && said->kind != HAS_ONLY)
        return;
    k->has |= same;
    k->only |= said->kind == HAS_ONLY;
    if (!u64_parse(said->value, UINT64_MAX, &number))
        return;
    k->highest = k->numbered && k->highest > number ? k->highest : number;
    k->numbered = true;
}

/* All that Accept-Features says of a tag, and of a value that it may have. */
static struct known
look_up(const struct features *said_of, struct ern_slice tag, struct ern_slice value)
{
    const struct ern_request *request = said_of->request;
    struct known k = {.open = !ern_request_has(request, ERN_FIELD_accept_features)};
    struct ern_slice line, text;

    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_accept_features, &at, &line);) {
        while (list_next(&line, &text)) {
            struct expression said;

            if (slice_eq(slice_trim(slice_first(text, slice_find(text, ';'))), ERN_SLICE("*")))
                k.open = true;
            else if (take_expression(&text, &said) && (text.len == 0 || text.ptr[0] == ';') &&
                     slice_eq_nocase(said.tag, tag))
                learn(&k, &said, value);
        }
    }
    k.open &= !said_of->closed;
    return k;
}

/* numeric-range = [ number ] "-" [ number ] */
static bool
is_within(uint64_t number, struct ern_slice range)
{
    size_t dash = slice_find(range, '-');
    struct ern_slice first = slice_trim(slice_first(range, dash)), last;
    uint64_t least = 0, most = UINT64_MAX;

    if (dash == range.len)
        return false;
    last = slice_trim(slice_skip(range, dash + 1));
    return (first.len == 0 || u64_parse(first, UINT64_MAX, &least)) &&
           (last.len == 0 || u64_parse(last, UINT64_MAX, &most)) && number >= least &&
           number <= most;
}

static enum feature_truth
opposite(enum feature_truth truth)
{
    if (truth == FEATURE_UNKNOWN)
        return truth;
    return truth == FEATURE_YES ? FEATURE_NO : FEATURE_YES;
}

/* Is the tag present with the value? */
static enum feature_truth
has_value(const struct known *k)
{
    if (k->has)
        return FEATURE_YES;
    return k->has_not || k->only || !k->open ? FEATURE_NO : FEATURE_UNKNOWN;
}

static enum feature_truth
holds(const struct features *said_of, const struct expression *e)
{
    struct known k = look_up(said_of, e->tag, e->value);
    enum feature_truth present = k.present             ? FEATURE_YES
                                 : k.absent || !k.open ? FEATURE_NO
                                                       : FEATURE_UNKNOWN;

    if (e->kind == IS || e->kind == IS_NOT)
        return e->kind == IS ? present : opposite(present);
    if (present != FEATURE_YES) /* what is absent has no value, and lacks none either */
        return present;
    if (e->kind == HAS)
        return has_value(&k);
    if (e->kind == HAS_NOT)
        return opposite(has_value(&k));
    if (e->kind == RANGE && (k.only || !k.open))
        return k.numbered && is_within(k.highest, e->value) ? FEATURE_YES : FEATURE_NO;
    return e->kind == RANGE ? FEATURE_UNKNOWN : FEATURE_NO;
}

/* ---- a feature-list --------------------------------------------------------------------------*/

/* short-float = 1*3DIGIT [ "." 0*3DIGIT ], in millionths */
static bool
take_factor(struct ern_slice *text, uint64_t *ret)
{
    size_t n = 0, digits;
    uint64_t factor = 0, unit = FEATURES_FULL;

    for (; n < text->len && char_is(text->ptr[n], CHAR_DIGIT); n++)
        factor = factor * 10 + (uint64_t)(text->ptr[n] - '0') * FEATURES_FULL;
    digits = n;
    if (n == 0 || n > 3)
        return false;
    if (n < text->len && text->ptr[n] == '.')
        for (n++; n < text->len && char_is(text->ptr[n], CHAR_DIGIT); n++)
            factor += (unit /= 10) * (uint64_t)(text->ptr[n] - '0');
    if (n > digits + 4)
        return false;
    *ret = factor;
    *text = slice_skip(*text, n);
    pass_blanks(text);
    return true;
}

/* Takes one predicate, or a bag of which one has to hold. */
static bool
take_condition(const struct features *said_of, struct ern_slice *list, enum feature_truth *ret)
{
    struct expression e;
    bool bag = take(list, ERN_SLICE("["));

    *ret = FEATURE_NO;
    do {
        enum feature_truth one;

        if (!take_expression(list, &e))
            return false;
        one = holds(said_of, &e);
        if (one == FEATURE_YES || *ret == FEATURE_NO)
            *ret = one;
    } while (bag && !take(list, ERN_SLICE("]")));
    return true;
}

/* Takes ";+1.5-0.5": what the element makes of the quality when it holds, and when not. */
static bool
take_factors(struct ern_slice *list, uint64_t *ret_true, uint64_t *ret_false)
{
    *ret_true = FEATURES_FULL;
    *ret_false = 0;
    if (!take(list, ERN_SLICE(";")))
        return true;
    if (take(list, ERN_SLICE("+"))) {
        *ret_false = FEATURES_FULL;
        if (!take_factor(list, ret_true))
            return false;
    }
    return !take(list, ERN_SLICE("-")) || take_factor(list, ret_false);
}

unsigned
features_factor(struct features features, struct ern_slice list)
{
    uint64_t factor = FEATURES_FULL;

    for (list = slice_trim(list); list.len;) {
        enum feature_truth truth;
        uint64_t when_true, when_false, one;

        if (!take_condition(&features, &list, &truth) ||
            !take_factors(&list, &when_true, &when_false))
            return 0;
        one = truth == FEATURE_NO ? when_false : when_true;
        if (truth == FEATURE_UNKNOWN && when_false > one)
            one = when_false;
        factor = factor * one / FEATURES_FULL;
        factor = factor < FEATURES_MAX ? factor : FEATURES_MAX;
    }
    return (unsigned)factor;
}
