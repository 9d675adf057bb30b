/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/accept.h"

#include <assert.h>

#include "base/chars.h"
#include "base/slice.h"
#include "msg/list.h"

enum { FULL = 1000 };

/* What parameters add to the rank of a media range is less; from MEDIA_EXACT on it names the type.
 */
#define MEDIA_RANK ((int64_t)1 << 32)
#define MEDIA_EXACT (2 * MEDIA_RANK)

/* A member of an Accept* list: a name, parameters, and among them a weight. */
struct member {
    struct ern_slice name;
    struct ern_slice parameters; /* the weight among them */
    unsigned parameters_n;       /* without the weight */
    unsigned quality;
};

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths */
static bool
qvalue_parse(struct ern_slice text, unsigned *ret)
{
    unsigned q, unit = 100; /* not a status */

    if (text.len < 1 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return false;
    q = text.ptr[0] == '1' ? FULL : 0;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (!char_is(text.ptr[i], CHAR_DIGIT))
            return false;
        q += unit * (unsigned)(text.ptr[i] - '0');
    }
    if (q > FULL)
        return false;
    *ret = q;
    return true;
}

/* Reads a member. The first parameter named q is the weight, wherever it stands (12.5.1). */
static bool
member_read(struct ern_slice text, struct member *ret)
{
    size_t end = slice_find(text, ';');
    struct ern_slice rest = slice_skip(text, end), name, value;
    bool weighed = false;

    *ret = (struct member){slice_trim(slice_first(text, end)), rest, 0, FULL};
    while (parameter_next(&rest, &name, &value)) {
        if (!slice_is_there(value))
            return false;
        if (!slice_eq_nocase(name, ERN_SLICE("q")))
            ret->parameters_n++;
        else if (!weighed && !qvalue_parse(value, &ret->quality))
            ret->quality = FULL;
        weighed |= slice_eq_nocase(name, ERN_SLICE("q"));
    }
    return rest.len == 0;
}

/* A member that is a name and a weight, as in Accept-Encoding and Accept-Language. */
static bool
simple_member_read(struct ern_slice text, struct member *ret)
{
    return member_read(text, ret) && ret->parameters_n == 0 && token_is(ret->name);
}

bool
weighted_read(struct ern_slice member, struct ern_slice *ret_name, unsigned *ret_quality)
{
    struct member m;

    if (!simple_member_read(member, &m))
        return false;
    *ret_name = m.name;
    *ret_quality = m.quality;
    return true;
}

/* What decides so far: the member with the highest rank, of equal ones the greatest quality. */
struct best {
    int64_t rank; /* -1: none matched */
    unsigned quality;
    bool any; /* was there a well-formed member at all? */
};

static void
consider(struct best *best, int64_t rank, unsigned quality)
{
    best->any = true;
    if (rank > best->rank || (rank == best->rank && rank >= 0 && quality > best->quality)) {
        best->rank = rank;
        best->quality = quality;
    }
}

/* Has the media type a parameter with this name and this value? */
static bool
type_has(struct ern_slice parameters, struct ern_slice name, struct ern_slice value)
{
    struct ern_slice own_name, own_value;

    while (parameter_next(&parameters, &own_name, &own_value))
        if (slice_eq_nocase(own_name, name) && parameter_same_nocase(own_value, value))
            return true;
    return false;
}

/* How specific the media range is for the type (a name and parameters); -1 if it does not match. */
static int64_t
media_rank(const struct member *range, struct ern_slice type, struct ern_slice parameters)
{
    struct ern_slice rest = range->parameters, name, value;
    int64_t rank;

    if (slice_eq(range->name, ERN_SLICE("*/*")))
        rank = 0;
    else if (slice_ends(range->name, ERN_SLICE("/*")))
        rank = 1;
    else
        rank = 2;
    if (rank == 1 && (type.len < range->name.len ||
                      !slice_eq_nocase(slice_first(type, range->name.len - 1),
                                       slice_first(range->name, range->name.len - 1))))
        return -1;
    if (rank == 2 && !slice_eq_nocase(type, range->name))
        return -1;
    while (parameter_next(&rest, &name, &value))
        if (!slice_eq_nocase(name, ERN_SLICE("q")) && !type_has(parameters, name, value))
            return -1;
    return rank * MEDIA_RANK + range->parameters_n;
}

/* media-range without its parameters: "*" stands for a subtype, and for a type only beside that. */
static bool
media_range_is(struct ern_slice name)
{
    size_t slash = slice_find(name, '/');
    struct ern_slice type = slice_first(name, slash), subtype;

    if (slash == name.len)
        return false;
    subtype = slice_skip(name, slash + 1);
    return token_is(type) && token_is(subtype) &&
           (!slice_eq(type, ERN_SLICE("*")) || slice_eq(subtype, ERN_SLICE("*")));
}

/* Weighs n types in one reading of the field. */
static void
weigh_types(const struct ern_request *request, const struct ern_slice *types, unsigned n,
            struct best *best)
{
    struct ern_slice line, text;
    struct member m;

    for (unsigned i = 0; i < n; i++)
        best[i] = (struct best){.rank = -1};
    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_accept, &at, &line);) {
        while (list_next(&line, &text)) {
            if (!member_read(text, &m) || !media_range_is(m.name))
                continue;
            for (unsigned i = 0; i < n; i++) {
                size_t end = slice_find(types[i], ';');

                consider(&best[i],
                         media_rank(&m, slice_trim(slice_first(types[i], end)),
                                    slice_skip(types[i], end)),
                         m.quality);
            }
        }
    }
}

void
accept_types(const struct ern_request *request, const struct ern_slice *types, unsigned n,
             unsigned *ret_qualities)
{
    struct best best[ACCEPT_TYPES_MAX];

    assert(n <= ACCEPT_TYPES_MAX);
    weigh_types(request, types, n, best);
    for (unsigned i = 0; i < n; i++)
        ret_qualities[i] = best[i].any ? best[i].quality : FULL;
}

struct accepted
accepted_type(const struct ern_request *request, struct ern_slice type)
{
    struct best best;

    weigh_types(request, &type, 1, &best);
    return (struct accepted){best.any ? best.quality : FULL, best.rank >= MEDIA_EXACT};
}

unsigned
accept_type(const struct ern_request *request, struct ern_slice type)
{
    return accepted_type(request, type).quality;
}

struct accepted
accepted_charset(const struct ern_request *request, struct ern_slice charset)
{
    struct ern_slice line, text;
    struct best best = {.rank = -1};
    struct member m;

    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_accept_charset, &at, &line);) {
        while (list_next(&line, &text)) {
            if (!simple_member_read(text, &m))
                continue;
            if (slice_eq(m.name, ERN_SLICE("*")))
                consider(&best, 0, m.quality);
            else
                consider(&best, slice_eq_nocase(m.name, charset) ? 1 : -1, m.quality);
        }
    }
    return (struct accepted){best.any ? best.quality : FULL, best.rank > 0};
}

/* The coding under its own name: x-gzip is gzip and x-compress is compress (RFC 9110 8.4.1). */
static struct ern_slice
coding_name(struct ern_slice coding)
{
    if (slice_eq_nocase(coding, ERN_SLICE("x-gzip")) ||
        slice_eq_nocase(coding, ERN_SLICE("x-compress")))
        return slice_skip(coding, 2);
    return coding;
}

unsigned
accept_coding(const struct ern_request *request, struct ern_slice coding)
{
    struct ern_slice line, text;
    struct best best = {.rank = -1};
    unsigned least = FULL + 1; /* the least quality, 0 apart, of what is listed */
    struct member m;

    if (!ern_request_has(request, ERN_FIELD_accept_encoding))
        return FULL;
    coding = coding_name(coding);
    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_accept_encoding, &at, &line);) {
        while (list_next(&line, &text)) {
            if (!simple_member_read(text, &m))
                continue;
            if (m.quality > 0 && m.quality < least)
                least = m.quality;
            if (slice_eq(m.name, ERN_SLICE("*")))
                consider(&best, 0, m.quality);
            else if (slice_eq_nocase(coding_name(m.name), coding))
                consider(&best, 1, m.quality);
        }
    }
    if (best.rank >= 0 || !slice_eq_nocase(coding, ERN_SLICE("identity")))
        return best.quality;
    /* rfc9110#12.5.3 "then it is acceptable by default unless specifically excluded" */
    if (least > FULL)
        return FULL;
    return least > 1 ? least - 1 : 1;
}

enum { LANGUAGE_FOUND = 1 /* the rank of a range that fits cut short: after all that match */ };

/* language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*" (RFC 4647 2.1) */
bool
language_range_is(struct ern_slice range)
{
    unsigned classes = CHAR_ALPHA, n = 0;

    if (slice_eq(range, ERN_SLICE("*")))
        return true;
    for (size_t i = 0; i < range.len; i++) {
        if (range.ptr[i] == '-' && n > 0) {
            n = 0;
            classes = CHAR_ALPHA | CHAR_DIGIT;
        } else if (!char_is(range.ptr[i], classes) || ++n > 8) {
            return false;
        }
    }
    return n > 0;
}

/* Basic filtering (RFC 4647 3.3.1): how long the range is that matches; -1 if it does not. */
static int64_t
language_rank(struct ern_slice range, struct ern_slice tag)
{
    if (slice_eq(range, ERN_SLICE("*")))
        return 0;
    if (tag.len < range.len || !slice_eq_nocase(slice_first(tag, range.len), range) ||
        (tag.len > range.len && tag.ptr[range.len] != '-'))
        return -1;
    return (int64_t)range.len;
}

bool
language_range_matches(struct ern_slice range, struct ern_slice tag)
{
    return language_rank(range, tag) >= 0;
}

/*
 * Lookup (RFC 4647 3.4): the range cut short, subtag by subtag, until it is the tag. Returns how
 * many cuts that takes; SIZE_MAX if it never is.
 */
static size_t
language_cuts(struct ern_slice range, struct ern_slice tag)
{
    size_t cuts = 0;

    if (range.len <= tag.len || range.ptr[tag.len] != '-' ||
        !slice_eq_nocase(slice_first(range, tag.len), tag))
        return SIZE_MAX;
    for (size_t i = tag.len; i < range.len; i++)
        cuts += range.ptr[i] == '-';
    return cuts;
}

/* What a representation can be in: for lookup, all there is to choose from; else nothing. */
struct choice {
    const struct ern_slice *of; /* lists of tags, */
    size_t n;                   /* so many */
};

/* Is the tag what the range finds: of all there are the one with the fewest cuts? */
static bool
finds(struct ern_slice range, struct ern_slice tag, const struct choice *choice)
{
    size_t cuts = language_cuts(range, tag);
    struct ern_slice other;

    for (size_t i = 0; cuts != SIZE_MAX && i < choice->n; i++)
        for (struct ern_slice list = choice->of[i]; list_next(&list, &other);)
            if (language_rank(range, other) > 0 || language_cuts(range, other) < cuts)
                return false;
    return cuts != SIZE_MAX && choice->n > 0;
}

/* The member that decides about a tag: that matches it, or failing that finds it. */
static struct best
best_language(const struct ern_request *request, struct ern_slice tag, const struct choice *choice)
{
    struct ern_slice line, text;
    struct best best = {.rank = -1};
    struct member m;

    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_accept_language, &at, &line);) {
        while (list_next(&line, &text)) {
            int64_t rank;

            if (!simple_member_read(text, &m) || !language_range_is(m.name))
                continue;
            rank = language_rank(m.name, tag);
            if (rank > 0)
                rank += LANGUAGE_FOUND;
            else if (rank < 0 && m.quality > 0 && finds(m.name, tag, choice))
                rank = LANGUAGE_FOUND;
            consider(&best, rank, m.quality);
        }
    }
    return best;
}

static struct accepted
accepted_tag(const struct ern_request *request, struct ern_slice tag, const struct choice *choice)
{
    struct best best = best_language(request, tag, choice);

    if (!best.any)
        return (struct accepted){FULL, false};
    if (tag.len)
        return (struct accepted){best.quality, best.rank > 0};
    if (best.rank < 0)
        return (struct accepted){FULL, false};
    return (struct accepted){best.quality ? best.quality : 1, false};
}

/* The best of the languages of a list. */
static struct accepted
accepted_of_list(const struct ern_request *request, struct ern_slice tags,
                 const struct choice *choice)
{
    struct accepted best;
    struct ern_slice tag;

    if (slice_find(tags, ',') == tags.len || !list_next(&tags, &tag))
        return accepted_tag(request, tags, choice);
    best = accepted_tag(request, tag, choice);
    while (list_next(&tags, &tag)) {
        struct accepted one = accepted_tag(request, tag, choice);

        if (one.quality > best.quality || (one.quality == best.quality && one.definite))
            best = one;
    }
    return best;
}

struct accepted
accepted_language(const struct ern_request *request, struct ern_slice tags)
{
    return accepted_of_list(request, tags, &(struct choice){NULL, 0});
}

unsigned
accept_language(const struct ern_request *request, struct ern_slice tag)
{
    return accepted_language(request, tag).quality;
}

unsigned
accept_language_lookup(const struct ern_request *request, struct ern_slice tags,
                       const struct ern_slice *all, size_t all_n)
{
    return accepted_of_list(request, tags, &(struct choice){all, all_n}).quality;
}
