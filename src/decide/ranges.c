/* SPDX-License-Identifier: Apache-2.0 */
/* ranges.c - is a Range to be heeded, and which bytes does it mean (RFC 9110 13.1.5, 14)? */
#include "base/slice.h"
#include "earnest/decide.h"
#include "msg/date.h"
#include "msg/etag.h"
#include "msg/range.h"

/* The ranges of a request against the content's length, still as they were asked for. */
struct asked {
    bool too_many;
    bool has_suffix; /* one that is not of length zero */
    unsigned n;      /* satisfiable ones, and */
    struct ern_range range[ERN_RANGES_MAX];
};

/* rfc9110#14.1.2 "For a GET request, a valid bytes range-spec is satisfiable if it is either:" */
static bool
resolve(const struct range_spec *spec, uint64_t bytes, struct ern_range *ret)
{
    if (bytes == 0)
        return false;
    ret->last = bytes - 1;
    if (spec->is_suffix) {
        ret->first = spec->last < bytes ? bytes - spec->last : 0;
        return spec->last > 0;
    }
    if (spec->last < ret->last)
        ret->last = spec->last;
    ret->first = spec->first;
    return spec->first < bytes;
}

static struct asked
read_ranges(const struct ern_decision *d)
{
    struct ern_slice value = ern_request_field(d->request, ERN_FIELD_range), set;
    struct asked asked = {.n = 0};
    struct range_spec spec;

    if (d->evidence.content_bytes < 0 || !range_is_bytes(value))
        return asked;
    set = range_set(value);
    for (unsigned n = 0; range_next(&set, &spec); n++) {
        asked.too_many = n == ERN_RANGES_MAX;
        if (asked.too_many)
            break;
        asked.has_suffix |= spec.is_suffix && spec.last > 0;
        asked.n +=
            resolve(&spec, (uint64_t)d->evidence.content_bytes, &asked.range[asked.n]) ? 1 : 0;
    }
    return asked;
}

static bool
overlap(const struct ern_range *a, const struct ern_range *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Is one the continuation of the other, or do they overlap? last + 1 is at most the length. */
static bool
touch(const struct ern_range *a, const struct ern_range *b)
{
    return a->first <= b->last + 1 && b->first <= a->last + 1;
}

static bool
is_modest(const struct asked *asked)
{
    unsigned overlapping = 0, unordered = 0;

    for (unsigned i = 0; i < asked->n; i++) {
        unsigned j = 0;

        while (j < asked->n && (j == i || !overlap(&asked->range[i], &asked->range[j])))
            j++;
        overlapping += j < asked->n;
        unordered += i > 0 && asked->range[i].first < asked->range[i - 1].first;
    }
    return !asked->too_many && overlapping <= ERN_RANGES_OVERLAPPING_MAX &&
           unordered <= ERN_RANGES_UNORDERED_MAX;
}

/*
 * Adds a range; those that it overlaps or touches become one with it, in the place of the first.
 * As no two that are there touch, one that did not touch the range before it grew does not after.
 * rfc9110#15.3.7.2 "a server MAY coalesce any of the ranges that overlap"
 */
static void
merge(struct ern_ranges *ranges, struct ern_range range)
{
    unsigned place = ERN_RANGES_MAX, i = 0;

    while (i < ranges->n) {
        const struct ern_range other = ranges->range[i];

        if (!touch(&other, &range)) {
            i++;
            continue;
        }
        range.first = other.first < range.first ? other.first : range.first;
        range.last = other.last > range.last ? other.last : range.last;
        place = i < place ? i : place;
        ranges->n--;
        memmove(&ranges->range[i], &ranges->range[i + 1], (ranges->n - i) * sizeof range);
    }
    place = place < ranges->n ? place : ranges->n;
    memmove(&ranges->range[place + 1], &ranges->range[place], (ranges->n - place) * sizeof range);
    ranges->range[place] = range;
    ranges->n++;
}

static void
fill(struct ern_ranges *ranges, const struct asked *asked)
{
    ranges->n = 0;
    for (unsigned i = 0; i < asked->n; i++)
        merge(ranges, asked->range[i]);
}

enum ern_answer
ern_ask_range_current(struct ern_decision *d, enum ern_fact fact)
{
    struct ern_slice value = ern_request_field(d->request, ERN_FIELD_if_range);
    int64_t date_s;

    (void)fact;
    if (!slice_is_there(value))
        return ERN_YES;
    if (etag_is(value)) {
        struct ern_slice other;

        for (uint16_t at = 0; ern_request_next(d->request, ERN_FIELD_if_range, &at, &other);)
            if (!slice_eq(value, other))
                return ERN_NO;
        return etag_same_strong(value, d->evidence.etag) ? ERN_YES : ERN_NO;
    }
    if (d->evidence.last_modified_s == -1 ||
        !date_field(d->request, ERN_FIELD_if_range, d->now_s, &date_s))
        return ERN_NO;
    /* A date that is not in the past may cover two versions of one second: it is weak (8.8.2.2). */
    return date_s == d->evidence.last_modified_s && date_s < d->now_s ? ERN_YES : ERN_NO;
}

enum ern_answer
ern_ask_range_modest(struct ern_decision *d, enum ern_fact fact)
{
    struct asked asked = read_ranges(d);

    (void)fact;
    fill(&d->evidence.ranges, &asked);
    /*
     * A suffix of nothing is satisfiable, but no 206 can say so: Content-Range has no empty range.
     * rfc9110#14.2 "ignore a Range header field when the selected representation has no content"
     */
    if (d->evidence.content_bytes < 0 || (d->evidence.content_bytes == 0 && asked.has_suffix))
        return ERN_NO;
    return is_modest(&asked) ? ERN_YES : ERN_NO;
}

enum ern_answer
ern_ask_satisfiable(struct ern_decision *d, enum ern_fact fact)
{
    struct asked asked = read_ranges(d);

    (void)fact;
    fill(&d->evidence.ranges, &asked);
    return asked.n > 0 ? ERN_YES : ERN_NO;
}
