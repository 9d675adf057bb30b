/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/h2_head.h"

#include "base/slice.h"
#include "msg/framing.h"
#include "msg/target.h"

enum {                 /* what HTTP/1.1 has more */
       LINE_BYTES = 4, /* in a field line: ": " and CRLF */
       END_BYTES = 2,  /* in a header section: an empty line */
};

void
h2_head_begin(struct h2_stream *s, int32_t id)
{
    s->id = id;
    s->head_done = s->ended = false;
    s->finding = FINDING_none;
    s->finding_field = ERN_ABSENT;
    s->method = s->scheme = s->authority = s->path = s->protocol = ERN_ABSENT;
    s->fields_bytes = END_BYTES;
}

static void
bad(struct h2_stream *s, enum finding finding, struct ern_slice field)
{
    s->finding = finding;
    s->finding_field = field;
}

/* The text in the stream's memory; absent if there is no room for it. */
static struct ern_slice
keep(struct h2_stream *s, struct ern_slice text)
{
    size_t at = s->text.len;

    out_slice(&s->text, text);
    return s->text.full ? ERN_ABSENT : slice_from(s->text.ptr + at, text.len);
}

/* Counts a field line and the section that it is in. */
static void
count_line(struct h2_stream *s, const struct limits *limits, struct ern_slice name,
           struct ern_slice value)
{
    size_t bytes = name.len + value.len + LINE_BYTES;

    s->fields_bytes += bytes;
    if ((int64_t)bytes > limits->field_bytes_max)
        bad(s, FINDING_field_too_large, name);
    else if ((int64_t)s->fields_bytes > limits->fields_bytes_max || s->text.full)
        bad(s, FINDING_fields_too_large, name);
}

static void
add_pseudo(struct h2_stream *s, const struct limits *limits, struct ern_slice name,
           struct ern_slice value)
{
    const struct {
        struct ern_slice name;
        struct ern_slice *value;
    } rows[] = {{ERN_SLICE(":method"), &s->method},
                {ERN_SLICE(":scheme"), &s->scheme},
                {ERN_SLICE(":authority"), &s->authority},
                {ERN_SLICE(":path"), &s->path},
                {ERN_SLICE(":protocol"), &s->protocol}};

    if ((int64_t)value.len > limits->target_bytes_max) {
        bad(s, FINDING_target_too_long, ERN_ABSENT);
        return;
    }
    value = keep(s, value);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_eq(rows[i].name, name))
            *rows[i].value = value;
    if (slice_eq(name, ERN_SLICE(":authority"))) /* what Host is elsewhere */
        count_line(s, limits, ERN_SLICE("host"), value);
    else if (s->text.full)
        bad(s, FINDING_fields_too_large, ERN_ABSENT);
}

void
h2_head_add(struct h2_stream *s, const struct limits *limits, struct ern_slice name,
            struct ern_slice value)
{
    struct ern_request *r = s->request;

    if (s->finding)
        return;
    if (name.len && name.ptr[0] == ':') {
        add_pseudo(s, limits, name, value);
        return;
    }
    name = keep(s, name);
    count_line(s, limits, name, value);
    if (s->finding)
        return;
    value = keep(s, value);
    if (s->text.full)
        bad(s, FINDING_fields_too_large, name);
    else if (r->fields_n + slice_is_there(s->authority) >= limits->fields_max ||
             !ern_request_add(r, name, value))
        bad(s, FINDING_fields_too_many, name);
}

/* rfc9113#8.2.3 "these MUST be concatenated into a single octet string using the two-octet
 * delimiter of 0x3b, 0x20 (the ASCII string "; ")" */
static bool
join_cookies(struct h2_stream *s)
{
    struct ern_request *r = s->request;
    struct ern_slice crumb;
    size_t start = s->text.len;
    unsigned n = 0;

    for (uint16_t at = 0; ern_request_next(r, ERN_FIELD_cookie, &at, &crumb); n++) {
        if (n)
            out_literal(&s->text, "; ");
        out_slice(&s->text, crumb);
    }
    if (n < 2)
        return true;
    if (s->text.full)
        return false;
    r->fields[r->first[ERN_FIELD_cookie]].value =
        slice_from(s->text.ptr + start, s->text.len - start);
    for (uint16_t i = r->first[ERN_FIELD_cookie] + 1; i < r->fields_n; i++)
        if (r->fields[i].id == ERN_FIELD_cookie)
            r->fields[i].id = ERN_FIELDS; /* a crumb that is told already */
    return true;
}

/* What the pseudo-header fields say, as the target of a request line would. */
static enum finding
read_target(struct h2_stream *s, const struct limits *limits)
{
    struct ern_request *r = s->request;
    bool connects = r->method == ERN_CONNECT && !slice_is_there(s->protocol);
    enum finding finding;
    size_t at;

    r->target = connects ? s->authority : s->path;
    /* Of a request line: the method, the target, and the space after each. */
    if ((int64_t)(s->method.len + r->target.len + 2) > limits->target_bytes_max)
        return FINDING_target_too_long;
    /* rfc9113#8.3.1 "This pseudo-header field MUST NOT be empty for "http" or "https" URIs" */
    if (r->target.len == 0 || (!connects && r->target.ptr[0] != '/' && r->target.ptr[0] != '*'))
        return FINDING_target_form;
    if (slice_is_there(s->protocol)) { /* what GET with Upgrade is in HTTP/1.1 (RFC 8441 5) */
        r->method = ERN_GET;
        r->protocol = s->protocol;
    }
    finding = target_parse(r->target, r, &at);
    if (finding || connects || !slice_is_there(s->authority))
        return finding;
    if (!authority_is(s->authority, false))
        return FINDING_host_syntax;
    r->authority = s->authority;
    /* rfc9113#8.3.1 "A server SHOULD treat a request as malformed if it contains a Host header
     * field that identifies an entity that differs from the entity in the ":authority"" */
    if (ern_request_has(r, ERN_FIELD_host) &&
        !slice_eq_nocase(ern_request_field(r, ERN_FIELD_host), s->authority))
        return FINDING_host_differs;
    return FINDING_none;
}

void
h2_head_end(struct h2_stream *s, const struct limits *limits)
{
    struct ern_request *r = s->request;
    const struct ern_field *blame = NULL;

    s->head_done = true;
    r->version_major = 2;
    r->version_minor = 0;
    ern_request_method(r, s->method);
    r->scheme = s->scheme;
    if (s->finding) {
        r->target = s->path;
        return;
    }
    s->finding = read_target(s, limits);
    if (!s->finding && !join_cookies(s))
        s->finding = FINDING_fields_too_large;
    if (!s->finding)
        s->finding = framing_check(r, &blame);
    if (s->finding && blame)
        s->finding_field = blame->name;
    r->chunked = !s->ended && r->content_length < 0; /* content of a length that is not said */
}
