/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/freshness.h"

#include "base/slice.h"
#include "earnest/status.h"
#include "msg/date.h"
#include "msg/list.h"

enum { HEURISTIC_PART = 10 /* of the time since it was modified (RFC 9111 4.2.2) */ };

static struct ern_slice
named(const struct ern_request *m, struct ern_slice name)
{
    struct ern_slice value = ERN_ABSENT;
    uint16_t at = 0;

    (void)ern_request_named(m, name, &at, &value);
    return value;
}

/* A date, or -1. */
static int64_t
date_of(struct ern_slice text, int64_t now_s)
{
    int64_t date_s;

    return slice_is_there(text) && date_parse(text, now_s, &date_s) ? date_s : -1;
}

/* RFC 9111 5.1: of a list the first member counts, and what is no number is passed over. */
static int64_t
said_age_s(const struct ern_request *m)
{
    struct ern_slice value = named(m, ERN_SLICE("Age")), member;
    int64_t age_s;

    return list_next(&value, &member) && delta_seconds_parse(member, &age_s) ? age_s : 0;
}

static bool
may_guess(const struct freshness *f)
{
    const struct ern_status *status = ern_status_find(f->status);

    return cache_control_says(&f->control, CACHE_PUBLIC) ||
           (status && status->cacheable == ERN_HEURISTIC);
}

/* RFC 9111 4.2.1, 4.2.2 */
static int64_t
lifetime_s(struct freshness *f, const struct ern_request *m, const struct freshness_times *times)
{
    struct ern_slice expires = named(m, ERN_SLICE("Expires"));
    int64_t guess_s;

    f->is_explicit = true;
    if (cache_control_says(&f->control, CACHE_S_MAXAGE))
        return f->control.seconds[CACHE_S_MAXAGE];
    if (cache_control_says(&f->control, CACHE_MAX_AGE))
        return f->control.seconds[CACHE_MAX_AGE];
    if (slice_is_there(expires)) { /* one that is no date is past (RFC 9111 5.3) */
        int64_t expires_s = date_of(expires, times->received_s);

        return expires_s > f->date_s ? expires_s - f->date_s : 0;
    }
    f->is_explicit = false;
    if (!may_guess(f) || f->modified_s < 0 || f->modified_s > f->date_s)
        return 0;
    guess_s = (f->date_s - f->modified_s) / HEURISTIC_PART;
    return guess_s < times->heuristic_s_max ? guess_s : times->heuristic_s_max;
}

struct freshness
freshness_read(const struct ern_request *m, uint16_t status, const struct freshness_times *times)
{
    struct freshness f = {
        .control = cache_control_read(m), .status = status, .received_s = times->received_s};
    int64_t delay_s = times->received_s - times->asked_s, apparent_s;

    f.date_s = date_of(ern_request_field(m, ERN_FIELD_date), times->received_s);
    if (f.date_s < 0)
        f.date_s = times->received_s;
    f.modified_s = date_of(named(m, ERN_SLICE("Last-Modified")), times->received_s);
    f.has_validator = f.modified_s >= 0 || slice_is_there(named(m, ERN_SLICE("ETag")));
    apparent_s = times->received_s - f.date_s;
    f.initial_age_s = said_age_s(m) + (delay_s > 0 ? delay_s : 0);
    if (apparent_s > f.initial_age_s)
        f.initial_age_s = apparent_s;
    f.lifetime_s = lifetime_s(&f, m, times);
    return f;
}

int64_t
freshness_age_s(const struct freshness *f, int64_t now_s)
{
    int64_t here_s = now_s - f->received_s;

    return f->initial_age_s + (here_s > 0 ? here_s : 0);
}

int64_t
freshness_left_s(const struct freshness *f, int64_t now_s)
{
    return f->lifetime_s - freshness_age_s(f, now_s);
}

/* ---- may it be kept? ---------------------------------------------------------------------------
 */

/* RFC 9111 3.5: directives that say that an answer to somebody who said who he is is for all. */
static bool
is_for_all(const struct cache_control *c)
{
    return cache_control_says(c, CACHE_PUBLIC) || cache_control_says(c, CACHE_S_MAXAGE) ||
           cache_control_says(c, CACHE_MUST_REVALIDATE);
}

/* Does it, or its status, say that it may be kept (RFC 9111 3)? */
static bool
says_it_may(const struct freshness *f)
{
    return f->is_explicit || may_guess(f);
}

/* rfc9111#3 "if the response status code is 206 or 304, or the must-understand cache directive" */
static bool
is_understood(const struct freshness *f)
{
    const struct ern_status *status = ern_status_find(f->status);

    return !cache_control_says(&f->control, CACHE_MUST_UNDERSTAND) ||
           (status && status->kind == ERN_FINAL);
}

static bool
is_forbidden(const struct freshness *f)
{
    const struct ern_status *status = ern_status_find(f->status);
    const struct cache_control *c = &f->control;

    /* RFC 9111 5.2.2.3: who understands the status passes over no-store beside must-understand. */
    if (cache_control_says(c, CACHE_NO_STORE) && !cache_control_says(c, CACHE_MUST_UNDERSTAND))
        return true;
    return cache_control_says_all(c, CACHE_PRIVATE) || !is_understood(f) ||
           (status && status->cacheable == ERN_NEVER);
}

/* Could it ever be used? */
static bool
is_of_use(const struct freshness *f)
{
    return f->lifetime_s > f->initial_age_s || f->has_validator ||
           f->control.seconds[CACHE_STALE_IF_ERROR] > 0 ||
           f->control.seconds[CACHE_STALE_WHILE_REVALIDATE] > 0;
}

enum storable
freshness_storable(const struct ern_request *request, const struct cache_control *wants,
                   const struct ern_request *m, const struct freshness *f)
{
    const struct cache_control *c = &f->control;
    struct ern_slice vary;
    uint16_t at = 0;

    if (f->status == ERN_206_PARTIAL_CONTENT || f->status == ERN_304_NOT_MODIFIED ||
        cache_control_says(wants, CACHE_NO_STORE))
        return STORABLE_NOT_HERE;
    if (is_forbidden(f) || !says_it_may(f) || !is_of_use(f))
        return STORABLE_NOT;
    if (ern_request_has(request, ERN_FIELD_authorization) && !is_for_all(c))
        return STORABLE_NOT_HERE;
    /* What is guessed to be fresh could be about who sent the cookie. */
    if (ern_request_has(request, ERN_FIELD_cookie) && !f->is_explicit)
        return STORABLE_NOT_HERE;
    if (slice_is_there(named(m, ERN_SLICE("Set-Cookie"))) && !cache_control_says(c, CACHE_PUBLIC) &&
        !cache_control_says(c, CACHE_S_MAXAGE))
        return STORABLE_NOT;
    while (ern_request_named(m, ERN_SLICE("Vary"), &at, &vary)) {
        struct ern_slice name;

        while (list_next(&vary, &name))
            if (slice_eq(name, ERN_SLICE("*"))) /* nothing is known to be the same (RFC 9111 4.1) */
                return STORABLE_NOT;
    }
    return STORABLE;
}

/* ---- may it be used? ---------------------------------------------------------------------------
 */

/* Has it to be validated once it is stale, whatever its origin allows besides (RFC 9111 4.2.4)? */
static bool
insists(const struct cache_control *c)
{
    return cache_control_says(c, CACHE_MUST_REVALIDATE) ||
           cache_control_says(c, CACHE_PROXY_REVALIDATE) ||
           cache_control_says_all(c, CACHE_NO_CACHE);
}

/* RFC 9111 5.2.2.10: for a shared cache s-maxage says so, too; but who says in the same breath that
 * it may be used stale, means that. */
static bool
insists_by_age(const struct cache_control *c)
{
    return insists(c) || cache_control_says(c, CACHE_S_MAXAGE);
}

/* Does the client want one that is younger, or stays fresh for longer (RFC 9111 5.2.1)? */
static bool
asks_for_more(const struct cache_control *wants, const struct freshness *f, int64_t now_s)
{
    if (cache_control_says(wants, CACHE_NO_CACHE))
        return true;
    if (cache_control_says(wants, CACHE_MAX_AGE) &&
        freshness_age_s(f, now_s) > wants->seconds[CACHE_MAX_AGE])
        return true;
    return cache_control_says(wants, CACHE_MIN_FRESH) &&
           freshness_left_s(f, now_s) < wants->seconds[CACHE_MIN_FRESH];
}

enum reuse
freshness_reuse(const struct cache_control *wants, const struct freshness *f, int64_t now_s)
{
    const struct cache_control *c = &f->control;
    int64_t stale_s = -freshness_left_s(f, now_s);

    if (cache_control_says_all(c, CACHE_NO_CACHE))
        return REUSE_NOT_FRESH;
    if (stale_s < 0)
        return asks_for_more(wants, f, now_s) ? REUSE_NOT_ASKED : REUSE_FRESH;
    if (asks_for_more(wants, f, now_s))
        return REUSE_NOT_FRESH;
    if (!insists_by_age(c) && cache_control_says(wants, CACHE_MAX_STALE) &&
        stale_s <= wants->seconds[CACHE_MAX_STALE])
        return REUSE_STALE;
    if (!insists(c) && stale_s < c->seconds[CACHE_STALE_WHILE_REVALIDATE])
        return REUSE_STALE_MEANWHILE;
    return REUSE_NOT_FRESH;
}

bool
freshness_outlives(const struct cache_control *wants, const struct freshness *f, int64_t now_s,
                   bool is_cut_off, int64_t cut_off_s_max)
{
    const struct cache_control *c = &f->control;
    int64_t stale_s = -freshness_left_s(f, now_s);

    if (insists(c) || cache_control_says(wants, CACHE_NO_CACHE))
        return false;
    if (is_cut_off && !insists_by_age(c) && stale_s <= cut_off_s_max)
        return true;
    return (cache_control_says(c, CACHE_STALE_IF_ERROR) &&
            stale_s <= c->seconds[CACHE_STALE_IF_ERROR]) ||
           (cache_control_says(wants, CACHE_STALE_IF_ERROR) && !insists_by_age(c) &&
            stale_s <= wants->seconds[CACHE_STALE_IF_ERROR]);
}
