/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given.c - the facts that the request alone gives. What hangs on the method alone is computed by
 * the compiler, a word a method; a request without unusual fields costs a few masks.
 */
#include "decide/given.h"

#include "base/slice.h"
#include "msg/date.h"
#include "msg/etag.h"
#include "msg/list.h"
#include "msg/range.h"

static_assert(ERN_FACT_available <= 64, "WIRE and CONF facts are in the first word");

#define BIT(fact) (UINT64_C(1) << ERN_FACT_##fact)
#define FIELD_BIT(id) (UINT64_C(1) << ERN_FIELD_##id)

/* The WIRE and CONF facts, and those of them whose fallback is yes. */
#define GIVEN(name, source) (ERN_##source <= ERN_CONF ? UINT64_C(1) << (ERN_FACT_##name & 63) : 0)
#define NO 0
#define YES 1
static const uint64_t all_given =
#define FACT(name, source, fallback, question) GIVEN(name, source) |
#include "facts.def"
#undef FACT
    0;
static const uint64_t fallbacks =
#define FACT(name, source, fallback, question) (fallback ? GIVEN(name, source) : 0) |
#include "facts.def"
#undef FACT
    0;
#undef NO
#undef YES

/* Methods that may make their own target; COPY and MOVE act on one that is there. */
#define CREATES(m)                                                                                 \
    ((m) == ERN_PUT || (m) == ERN_MKCOL || (m) == ERN_LOCK || (m) == ERN_MKREDIRECTREF ||          \
     (m) == ERN_MKCALENDAR || (m) == ERN_MKWORKSPACE || (m) == ERN_MKACTIVITY)

/* The facts that a method makes yes. */
#define YES BIT(safe)
#define NO 0
static const uint64_t of_method[ERN_METHODS + 1] = {
#define METHOD(name, id, safe, idempotent, source)                                                 \
    [ERN_##id] =                                                                                   \
        BIT(method_known) | safe | (CREATES(ERN_##id) ? BIT(creates) : 0) |                        \
        (ERN_##id == ERN_GET || ERN_##id == ERN_HEAD ? BIT(retrieves) : 0) |                       \
        (ERN_##id == ERN_OPTIONS ? BIT(options) : 0) | (ERN_##id == ERN_TRACE ? BIT(trace) : 0) |  \
        (ERN_##id == ERN_POST ? BIT(posts) : 0) | (ERN_##id == ERN_BREW ? BIT(brews) : 0),
#include "method.def"
#undef METHOD
    [ERN_METHODS] = 0,
};
#undef NO
#undef YES

static const uint64_t mandatory = FIELD_BIT(man) | FIELD_BIT(c_man);
static const uint64_t negotiating = FIELD_BIT(accept) | FIELD_BIT(accept_charset) |
                                    FIELD_BIT(accept_encoding) | FIELD_BIT(accept_language) |
                                    FIELD_BIT(negotiate);

/* Fields that have to be looked into. */
static const uint64_t looked_into = FIELD_BIT(range) | FIELD_BIT(expect) | FIELD_BIT(upgrade) |
                                    FIELD_BIT(a_im) | FIELD_BIT(if_match) |
                                    FIELD_BIT(if_none_match) | FIELD_BIT(if_modified_since) |
                                    FIELD_BIT(if_unmodified_since) | FIELD_BIT(content_type) |
                                    FIELD_BIT(if) | FIELD_BIT(content_range);

/* Is it at least HTTP/1.1? */
static bool
is_modern(const struct ern_request *r)
{
    return r->version_major > 1 || (r->version_major == 1 && r->version_minor >= 1);
}

static bool
is_coffee(const struct ern_request *r)
{
    struct ern_slice type = ern_request_field(r, ERN_FIELD_content_type);

    type = slice_trim(slice_first(type, slice_find(type, ';')));
    return r->method == ERN_POST && slice_eq_nocase(type, ERN_SLICE("message/coffeepot"));
}

/* rfc9110#7.8 "Upgrade header field in an HTTP/1.0 request MUST ignore that Upgrade field." */
static bool
asks_upgrade(const struct ern_request *r)
{
    if (slice_is_there(r->protocol)) /* HTTP/2 has no Upgrade: it is an extended CONNECT */
        return true;
    return ern_request_has(r, ERN_FIELD_upgrade) && r->version_major == 1 && is_modern(r) &&
           list_has(r, ERN_FIELD_connection, ERN_SLICE("upgrade"));
}

/* Is it GET with one Range line of bytes, and not too many of them? */
static bool
is_ranged(const struct ern_request *r)
{
    struct ern_slice value, another, set;
    struct range_spec spec;
    uint16_t at = 0;
    unsigned n = 0;

    /* rfc9110#14.2 "GET is the only method for which range handling is defined." */
    if (r->method != ERN_GET || !ern_request_next(r, ERN_FIELD_range, &at, &value) ||
        ern_request_next(r, ERN_FIELD_range, &at, &another) || !range_is_bytes(value))
        return false;
    set = range_set(value);
    while (n <= ERN_RANGES_MAX && range_next(&set, &spec))
        n++;
    return n <= ERN_RANGES_MAX;
}

/* Reads Expect into expects and expect_known. */
static void
look_at_expect(const struct ern_request *r, struct ern_facts *given)
{
    struct ern_slice line, member;
    bool continues = false, known = true;

    for (uint16_t at = 0; ern_request_next(r, ERN_FIELD_expect, &at, &line);) {
        while (list_next(&line, &member)) {
            if (slice_eq_nocase(member, ERN_SLICE("100-continue")))
                continues = true;
            else
                known = false;
        }
    }
    /* rfc9110#10.1.1 "in an HTTP/1.0 request MUST ignore that expectation." */
    ern_state(given, ERN_FACT_expects, (continues && is_modern(r)) || !known);
    ern_state(given, ERN_FACT_expect_known, known);
}

static void
look_at_conditions(const struct ern_request *r, int64_t now_s, struct ern_facts *given)
{
    int64_t date_s;

    if (ern_request_has(r, ERN_FIELD_if_match)) {
        ern_state(given, ERN_FACT_if_match, true);
        if (etag_is_any(r, ERN_FIELD_if_match))
            ern_state(given, ERN_FACT_etag_in_match, true);
    }
    if (ern_request_has(r, ERN_FIELD_if_none_match)) {
        ern_state(given, ERN_FACT_if_none_match, true);
        if (etag_is_any(r, ERN_FIELD_if_none_match))
            ern_state(given, ERN_FACT_etag_in_none, true);
    }
    if (date_field(r, ERN_FIELD_if_unmodified_since, now_s, &date_s))
        ern_state(given, ERN_FACT_if_unmodified, true);
    if (date_field(r, ERN_FIELD_if_modified_since, now_s, &date_s))
        ern_state(given, ERN_FACT_if_modified, true);
}

static void
look_into(const struct ern_request *r, int64_t now_s, struct ern_facts *given)
{
    look_at_conditions(r, now_s, given);
    if (ern_request_has(r, ERN_FIELD_expect))
        look_at_expect(r, given);
    if (asks_upgrade(r))
        ern_state(given, ERN_FACT_asks_upgrade, true);
    if (slice_is_there(r->protocol))
        ern_state(given, ERN_FACT_tunnels, true);
    if (ern_request_has(r, ERN_FIELD_if))
        ern_state(given, ERN_FACT_if_states, true);
    /* rfc9110#14.5 "An origin server SHOULD respond with a 400 (Bad Request) status code if it
     * receives Content-Range on a PUT for a target resource that does not support partial PUT" */
    if (r->method == ERN_PUT && ern_request_has(r, ERN_FIELD_content_range))
        ern_state(given, ERN_FACT_partial_put, true);
    if (is_coffee(r))
        ern_state(given, ERN_FACT_brews, true);
    if (ern_request_has(r, ERN_FIELD_a_im))
        ern_state(given, ERN_FACT_wants_delta, true);
    if (is_ranged(r)) {
        ern_state(given, ERN_FACT_ranged, true);
        if (!ern_request_has(r, ERN_FIELD_if_range))
            ern_state(given, ERN_FACT_range_current, true);
    }
}

void
ern_request_facts(const struct ern_request *r, int64_t now_s, struct ern_facts *given)
{
    const uint64_t of_request = BIT(method_known) | BIT(length_known);
    bool has_content = r->chunked || r->content_length > 0;
    uint64_t yes = (fallbacks & ~of_request) | of_method[r->method];

    if (has_content)
        yes |= BIT(has_content);
    if (!has_content || r->content_length >= 0)
        yes |= BIT(length_known);
    if (r->present & negotiating)
        yes |= BIT(negotiates);
    if (is_modern(r))
        yes |= BIT(takes_interim);
    *given = (struct ern_facts){.known = {{all_given, 0}}, .yes = {{yes, 0}}};
    if (r->present & looked_into || slice_is_there(r->protocol))
        look_into(r, now_s, given);
    if (r->is_mandatory || r->present & mandatory)
        ern_state(given, ERN_FACT_extended, false);
}

void
given_finding(struct ern_facts *given, enum finding finding)
{
    switch (finding_row(finding)->kind) {
    case FINDING_NONE:
    case FINDING_IGNORED:
        break;
    case FINDING_MALFORMED:
        ern_state(given, ERN_FACT_malformed, true);
        break;
    case FINDING_VERSION:
        ern_state(given, ERN_FACT_version_known, false);
        break;
    case FINDING_TOO_LONG:
        ern_state(given, ERN_FACT_target_too_long, true);
        break;
    case FINDING_TOO_LARGE:
        ern_state(given, ERN_FACT_fields_too_large, true);
        break;
    case FINDING_CODING:
        ern_state(given, ERN_FACT_coding_known, false);
        break;
    case FINDING_TIMED_OUT:
        ern_state(given, ERN_FACT_timed_out, true);
        break;
    }
}
