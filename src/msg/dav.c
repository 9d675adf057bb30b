/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/dav.h"

#include "base/chars.h"
#include "base/num.h"
#include "base/slice.h"
#include "msg/target.h"

bool
dav_depth(struct ern_slice value, enum dav_depth *ret)
{
    static const struct {
        struct ern_slice text;
        enum dav_depth depth;
    } depths[] = {
        {{"0", 1}, DAV_DEPTH_0}, {{"1", 1}, DAV_DEPTH_1}, {{"infinity", 8}, DAV_DEPTH_INFINITY}};

    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        if (slice_eq_nocase(value, depths[i].text)) {
            *ret = depths[i].depth;
            return true;
        }
    }
    return false;
}

bool
dav_flag(struct ern_slice value, bool *ret_true)
{
    *ret_true = slice_eq_nocase(value, ERN_SLICE("T"));
    return *ret_true || slice_eq_nocase(value, ERN_SLICE("F"));
}

/* The length of the scheme of a URI (RFC 3986 3.1), which a colon ends; 0 if there is none. */
static size_t
scheme_len(struct ern_slice text)
{
    size_t n = slice_find(text, ':');

    if (n == 0 || n == text.len || !char_is(text.ptr[0], CHAR_ALPHA))
        return 0;
    for (size_t i = 1; i < n; i++)
        if (!char_is(text.ptr[i], CHAR_ALPHA | CHAR_DIGIT) && text.ptr[i] != '+' &&
            text.ptr[i] != '-' && text.ptr[i] != '.')
            return 0;
    return n;
}

/* Is it of visible ASCII characters, without these two? */
static bool
is_plain(struct ern_slice text, char but, char nor)
{
    for (size_t i = 0; i < text.len; i++)
        if (!char_is(text.ptr[i], CHAR_TARGET) || text.ptr[i] == but || text.ptr[i] == nor)
            return false;
    return true;
}

/* May it be a URI: a scheme, a colon, and nothing that must be encoded? */
static bool
is_uri(struct ern_slice text)
{
    return scheme_len(text) > 0 && is_plain(text, '<', '>');
}

struct ern_slice
dav_coded_url(struct ern_slice value)
{
    struct ern_slice within;

    if (value.len < 3 || value.ptr[0] != '<' || value.ptr[value.len - 1] != '>')
        return ERN_ABSENT;
    within = slice_from(value.ptr + 1, value.len - 2);
    return is_uri(within) ? within : ERN_ABSENT;
}

bool
dav_timeout(struct ern_slice value, int64_t max, int64_t *ret_seconds)
{
    *ret_seconds = max;
    while (value.len) {
        size_t n = slice_find(value, ',');
        struct ern_slice type = slice_trim(slice_first(value, n));
        uint64_t seconds;

        if (slice_eq_nocase(type, ERN_SLICE("Infinite")))
            return true;
        if (type.len > 7 && slice_eq_nocase(slice_first(type, 7), ERN_SLICE("Second-")) &&
            u64_parse(slice_skip(type, 7), UINT32_MAX, &seconds)) {
            if (seconds < (uint64_t)max)
                *ret_seconds = seconds > 0 ? (int64_t)seconds : 1;
            return true;
        }
        value = slice_skip(value, n < value.len ? n + 1 : n);
    }
    return false;
}

/* Where a walk through an If field stands. */
enum { IF_START, IF_OUTSIDE, IF_TAGGED, IF_IN_LIST, IF_EMPTY_LIST, IF_OVER, IF_BROKEN };
#define IS_TAGGED 0x80 /* the field is a Tagged-list */

static struct dav_if_step
wrong(struct dav_if *w)
{
    w->state = IF_BROKEN;
    return (struct dav_if_step){.kind = DAV_IF_WRONG};
}

/* "<" URI ">" at the front of the rest. */
static bool
take_coded(struct dav_if *w, struct ern_slice *ret)
{
    size_t n = slice_find(w->rest, '>');

    if (n == w->rest.len || n < 2)
        return false;
    *ret = slice_from(w->rest.ptr + 1, n - 1);
    w->rest = slice_skip(w->rest, n + 1);
    return is_plain(*ret, '<', '>');
}

/* "[" entity-tag "]": the tag may hold any of the brackets within its quotes (RFC 9110 8.8.3), and
 * the spaces of the older tags that RFC 4918 10.4.6 shows. */
static bool
take_etag(struct dav_if *w, struct ern_slice *ret)
{
    struct ern_slice all = slice_skip(w->rest, 1);
    size_t at = slice_starts(all, ERN_SLICE("W/")) ? 2 : 0, end;

    if (at == all.len || all.ptr[at] != '"')
        return false;
    end = at + 1 + slice_find(slice_skip(all, at + 1), '"');
    if (end + 1 >= all.len || all.ptr[end + 1] != ']')
        return false;
    *ret = slice_first(all, end + 1);
    w->rest = slice_skip(all, end + 2);
    return true;
}

static struct dav_if_step
next_condition(struct dav_if *w, uint8_t tagged)
{
    struct dav_if_step step = {.kind = DAV_IF_TOKEN};

    if (w->rest.len > 3 && slice_eq_nocase(slice_first(w->rest, 3), ERN_SLICE("Not"))) {
        step.is_not = true;
        w->rest = slice_trim(slice_skip(w->rest, 3));
    }
    if (++w->conditions > DAV_IF_CONDITIONS || w->rest.len == 0)
        return wrong(w);
    if (w->rest.ptr[0] == '[') {
        step.kind = DAV_IF_ETAG;
        if (!take_etag(w, &step.text))
            return wrong(w);
    } else if (w->rest.ptr[0] != '<' || !take_coded(w, &step.text) || !is_uri(step.text)) {
        return wrong(w);
    }
    w->state = IF_IN_LIST | tagged;
    return step;
}

/* Between lists: a tag, a list, or the end. */
static struct dav_if_step
next_list(struct dav_if *w, uint8_t state, uint8_t tagged)
{
    struct dav_if_step step = {.kind = DAV_IF_TAG};

    if (w->rest.len == 0) {
        if (state == IF_START || state == IF_TAGGED)
            return wrong(w);
        w->state = IF_OVER;
        return (struct dav_if_step){.kind = DAV_IF_END};
    }
    if (w->rest.ptr[0] == '<' && (state == IF_START || (state == IF_OUTSIDE && tagged))) {
        if (!take_coded(w, &step.text))
            return wrong(w);
        w->state = IF_TAGGED | IS_TAGGED;
        return step;
    }
    if (w->rest.ptr[0] != '(' || ++w->lists > DAV_IF_LISTS)
        return wrong(w);
    w->rest = slice_skip(w->rest, 1);
    w->state = IF_EMPTY_LIST | tagged;
    return (struct dav_if_step){.kind = DAV_IF_LIST};
}

struct dav_if_step
dav_if_next(struct dav_if *w)
{
    uint8_t tagged = w->state & IS_TAGGED, state = w->state & (uint8_t)~IS_TAGGED;

    w->rest = slice_trim(w->rest);
    if (state == IF_OVER)
        return (struct dav_if_step){.kind = DAV_IF_END};
    if (state == IF_BROKEN)
        return wrong(w);
    if (state != IF_IN_LIST && state != IF_EMPTY_LIST)
        return next_list(w, state, tagged);
    if (w->rest.len && w->rest.ptr[0] == ')' && state == IF_IN_LIST) {
        w->rest = slice_trim(slice_skip(w->rest, 1));
        w->state = IF_OUTSIDE | tagged;
        return next_list(w, IF_OUTSIDE, tagged);
    }
    return next_condition(w, tagged);
}

bool
dav_reference(struct ern_slice value, struct ern_slice *ret_scheme, struct ern_slice *ret_authority,
              struct ern_slice *ret_path)
{
    struct ern_slice rest = value;
    size_t n = scheme_len(value);

    *ret_scheme = *ret_authority = ERN_ABSENT;
    if (value.len == 0 || !is_plain(value, '?', '#'))
        return false;
    if (value.ptr[0] != '/') {
        if (n == 0 || !slice_starts(slice_skip(value, n), ERN_SLICE("://")))
            return false;
        *ret_scheme = slice_first(value, n);
        rest = slice_skip(value, n + 3);
        n = slice_find(rest, '/');
        *ret_authority = slice_first(rest, n);
        rest = n < rest.len ? slice_skip(rest, n) : ERN_SLICE("/");
        if (!authority_is(*ret_authority, false))
            return false;
    } else if (value.len > 1 && value.ptr[1] == '/') {
        return false;
    }
    *ret_path = rest;
    return true;
}
