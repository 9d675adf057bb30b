/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/cache_control.h"

#include "base/chars.h"
#include "base/slice.h"
#include "msg/list.h"

static const struct ern_slice directives[CACHE_DIRECTIVES] = {
    [CACHE_MAX_AGE] = {"max-age", 7},
    [CACHE_S_MAXAGE] = {"s-maxage", 8},
    [CACHE_MAX_STALE] = {"max-stale", 9},
    [CACHE_MIN_FRESH] = {"min-fresh", 9},
    [CACHE_STALE_WHILE_REVALIDATE] = {"stale-while-revalidate", 22},
    [CACHE_STALE_IF_ERROR] = {"stale-if-error", 14},
    [CACHE_NO_CACHE] = {"no-cache", 8},
    [CACHE_PRIVATE] = {"private", 7},
    [CACHE_NO_STORE] = {"no-store", 8},
    [CACHE_ONLY_IF_CACHED] = {"only-if-cached", 14},
    [CACHE_MUST_REVALIDATE] = {"must-revalidate", 15},
    [CACHE_PROXY_REVALIDATE] = {"proxy-revalidate", 16},
    [CACHE_MUST_UNDERSTAND] = {"must-understand", 15},
    [CACHE_PUBLIC] = {"public", 6},
};

bool
delta_seconds_parse(struct ern_slice text, int64_t *ret_s)
{
    int64_t s = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!char_is(text.ptr[i], CHAR_DIGIT))
            return false;
        s = s * 10 + (text.ptr[i] - '0');
        if (s > CACHE_SECONDS_MAX)
            s = CACHE_SECONDS_MAX;
    }
    *ret_s = s;
    return text.len > 0;
}

/* rfc9111#5.2 "recipients ought to accept both forms": a token, and a quoted-string. */
static struct ern_slice
unquoted(struct ern_slice value)
{
    bool is_quoted = value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"';

    return is_quoted ? slice_from(value.ptr + 1, value.len - 2) : value;
}

static void
read_directive(struct cache_control *c, unsigned d, struct ern_slice value)
{
    bool is_repeated = cache_control_says(c, (enum cache_directive)d);

    if (d >= CACHE_NO_CACHE && d < CACHE_NO_STORE) {
        /* Names that stand in two places are as good as all. */
        c->names[d - CACHE_NO_CACHE] = is_repeated ? ERN_ABSENT : value;
    } else if (d < CACHE_TIMES && !is_repeated) {
        bool is_any = d == CACHE_MAX_STALE && !slice_is_there(value);

        if (!delta_seconds_parse(value, &c->seconds[d]))
            c->seconds[d] = is_any ? CACHE_SECONDS_MAX : 0;
    }
    c->said |= UINT32_C(1) << d;
}

struct cache_control
cache_control_read(const struct ern_request *m)
{
    struct cache_control c = {.said = 0};
    struct ern_slice line, member;

    for (uint16_t at = 0; ern_request_next(m, ERN_FIELD_cache_control, &at, &line);) {
        while (list_next(&line, &member)) {
            size_t equals = slice_find(member, '=');
            struct ern_slice name = slice_first(member, equals), value = ERN_ABSENT;

            if (equals < member.len)
                value = unquoted(slice_skip(member, equals + 1));
            for (unsigned d = 0; d < CACHE_DIRECTIVES; d++)
                if (slice_eq_nocase(name, directives[d]))
                    read_directive(&c, d, value);
        }
    }
    return c;
}

bool
cache_control_says_all(const struct cache_control *c, enum cache_directive d)
{
    return cache_control_says(c, d) && !slice_is_there(c->names[d - CACHE_NO_CACHE]);
}

bool
cache_control_names(const struct cache_control *c, enum cache_directive d, struct ern_slice field)
{
    struct ern_slice names = c->names[d - CACHE_NO_CACHE], name;

    while (list_next(&names, &name))
        if (slice_eq_nocase(name, field))
            return true;
    return false;
}
