/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/compose.h"

#include "base/arena.h"
#include "earnest/status.h"
#include "serve/cached.h"
#include "serve/carrier.h"
#include "serve/conn.h"
#include "serve/cors.h"
#include "serve/error.h"
#include "serve/login.h"
#include "serve/relay.h"
#include "serve/stream.h"
#include "wire/h1_write.h"

enum { PART_BYTES = 256 /* of the head of a part, without its media type */ };

#define field(o, name, value) h1_write_field(o, ERN_SLICE(name), value)

/* "bytes FIRST-LAST/LENGTH" (RFC 9110 14.4) */
static void
write_content_range(struct out *o, const struct ern_range *range, uint64_t length)
{
    out_literal(o, "bytes ");
    out_u64(o, range->first);
    out_char(o, '-');
    out_u64(o, range->last);
    out_char(o, '/');
    out_u64(o, length);
}

/* Part of the representation: bytes at to at + n. */
static void
add_part(struct exchange *x, uint64_t at, uint64_t n)
{
    const struct res_representation *r = &x->res.representation;
    bool first = at == 0 && r->front && r->front + RES_FRONT_BYTES == r->bytes;

    assert(x->segments_n < SEGMENTS);
    x->segments[x->segments_n++] =
        (struct segment){r->bytes, r->fd, at, n, first ? r->front : NULL};
}

static uint64_t
segments_length(const struct exchange *x)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < x->segments_n; i++)
        n += x->segments[i].left;
    return n;
}

/* All but Content-Type, which the parts have. */
static void
write_but_type(struct out *o, struct ern_slice lines)
{
    static const struct ern_slice type = {"Content-Type:", 13};

    while (lines.len) {
        size_t end = slice_find(lines, '\n');
        struct ern_slice line = slice_first(lines, end + (end < lines.len));

        if (!slice_eq_nocase(slice_first(line, line.len < type.len ? line.len : type.len), type))
            out_slice(o, line);
        lines = slice_skip(lines, line.len);
    }
}

/* Several ranges go out as the parts of a multipart/byteranges (RFC 9110 14.6). */
static void
compose_parts(struct exchange *x, struct out *o)
{
    const struct ern_ranges *ranges = &x->decision.evidence.ranges;
    const struct res_representation *r = &x->res.representation;
    size_t room = PART_BYTES + r->type.len;
    char text[16];
    struct out boundary = out_init(text, sizeof text);

    out_hex(&boundary, worker_random(x->worker));
    for (unsigned i = 0; i <= ranges->n; i++) {
        char *memory = arena_take(&x->arena, room);
        struct out part = out_init(memory, memory ? room : 0);

        out_text(&part, i ? "\r\n--" : "--");
        out_slice(&part, out_done(&boundary));
        if (i == ranges->n) {
            out_literal(&part, "--\r\n");
            exchange_add(x, out_done(&part));
            break;
        }
        out_literal(&part, "\r\nContent-Type: ");
        out_slice(&part, r->type);
        out_literal(&part, "\r\nContent-Range: ");
        write_content_range(&part, &ranges->range[i], r->length);
        out_literal(&part, "\r\n\r\n");
        exchange_add(x, out_done(&part));
        add_part(x, ranges->range[i].first, ranges->range[i].last - ranges->range[i].first + 1);
    }
    out_literal(o, "Content-Type: multipart/byteranges; boundary=");
    out_slice(o, out_done(&boundary));
    out_literal(o, "\r\n");
}

static void
compose_partial(struct exchange *x, struct out *o)
{
    const struct ern_ranges *ranges = &x->decision.evidence.ranges;
    const struct res_representation *r = &x->res.representation;

    /* With If-Range the client has the description already; else "a sender MUST generate all of the
     * representation header fields" of a 200, with one range or several (RFC 9110 15.3.7). */
    bool described = !ern_request_has(&x->request, ERN_FIELD_if_range);

    out_slice(o, r->validators);
    if (ranges->n > 1) {
        if (described)
            write_but_type(o, r->description);
        compose_parts(x, o);
    } else {
        if (described)
            out_slice(o, r->description);
        out_literal(o, "Content-Range: ");
        write_content_range(o, &ranges->range[0], r->length);
        out_literal(o, "\r\n");
        add_part(x, ranges->range[0].first, ranges->range[0].last - ranges->range[0].first + 1);
    }
    h1_write_field_u64(o, ERN_SLICE("Content-Length"), segments_length(x));
}

static void
compose_whole(struct exchange *x, struct out *o)
{
    struct res_representation *r = &x->res.representation;

    out_slice(o, r->validators);
    out_slice(o, r->description);
    if (!r->stream || r->is_sized)
        h1_write_field_u64(o, ERN_SLICE("Content-Length"), r->length);
    if (!r->stream) {
        add_part(x, 0, r->length);
        return;
    }
    x->unsized = !r->is_sized;
    if (!x->head_only) {
        x->stream = stream_new(x, r->stream);
        r->stream = NULL;
        x->aborted = x->stream == NULL;
    }
}

/* What its client must not learn from what others added, and nobody else from what it sent (RFC
 * 9110 9.3.8, RFC 7239 8.2). */
static bool
is_secret(enum ern_field_id id)
{
    static const bool secret[ERN_FIELDS] = {
        [ERN_FIELD_authorization] = true,    [ERN_FIELD_proxy_authorization] = true,
        [ERN_FIELD_cookie] = true,           [ERN_FIELD_x_api_key] = true,
        [ERN_FIELD_forwarded] = true,        [ERN_FIELD_x_forwarded_for] = true,
        [ERN_FIELD_x_forwarded_host] = true, [ERN_FIELD_x_forwarded_proto] = true,
    };

    return id < ERN_FIELDS && secret[id];
}

/* The request as it was received, without its secrets. */
static void
compose_echo(struct exchange *x, struct out *o)
{
    const struct ern_request *r = &x->request;
    struct out echo = arena_out(&x->arena);

    out_slice(&echo, r->method_text);
    out_char(&echo, ' ');
    out_slice(&echo, r->target);
    out_literal(&echo, " HTTP/");
    out_u64(&echo, r->version_major);
    out_char(&echo, '.');
    out_u64(&echo, r->version_minor);
    out_literal(&echo, "\r\n");
    for (unsigned i = 0; i < r->fields_n; i++)
        if (!is_secret(r->fields[i].id))
            h1_write_field(&echo, r->fields[i].name, r->fields[i].value);
    out_literal(&echo, "\r\n");
    exchange_add(x, arena_keep(&x->arena, &echo));
    out_literal(o, "Content-Type: message/http\r\n");
    h1_write_field_u64(o, ERN_SLICE("Content-Length"), segments_length(x));
}

/* What happened and why, where there is no representation. */
static void
compose_error(struct exchange *x, struct out *o, const struct ern_status *status)
{
    struct error_content content = error_write(x);

    field(o, "Content-Type", content.type);
    field(o, "Content-Language", language_tag(content.language));
    out_literal(o, "Vary: Accept, Accept-Language\r\n");
    if (status && status->cacheable == ERN_NEVER)
        out_literal(o, "Cache-Control: no-store\r\n");
    h1_write_field_u64(o, ERN_SLICE("Content-Length"), content.text.len);
    exchange_add(x, content.text);
}

static void
write_allow(struct out *o, uint64_t allow)
{
    const char *between = "";

    out_literal(o, "Allow: ");
    for (unsigned m = 0; m < ERN_METHODS; m++) {
        if (!(allow >> m & 1))
            continue;
        out_text(o, between);
        out_slice(o, ern_method_name((enum ern_method)m));
        between = ", ";
    }
    out_literal(o, "\r\n");
}

/* The fields that an answer carries because of its status: status.def, column carry. */
static void
write_evidence(struct exchange *x, struct out *o)
{
    const struct ern_evidence *e = &x->decision.evidence;

    if (slice_is_there(e->location))
        field(o, "Location", e->location);
    if (slice_is_there(e->challenge))
        h1_write_field(o,
                       x->status == ERN_407_PROXY_AUTHENTICATION_REQUIRED
                           ? ERN_SLICE("Proxy-Authenticate")
                           : ERN_SLICE("WWW-Authenticate"),
                       e->challenge);
    if (x->route->policy.login)
        login_write_fields(x, o);
    if (x->cors)
        cors_write_fields(x, o);
    if (x->status == ERN_405_METHOD_NOT_ALLOWED || (x->request.method == ERN_OPTIONS && e->allow))
        write_allow(o, e->allow);
    out_slice(o, x->res.fields);
    if (x->extend.end_to_end || x->extend.hop_by_hop)
        extend_write(x, o);
    if (x->rate.limit)
        rate_write(o, &x->rate);
    if (e->retry_after_s >= 0)
        h1_write_field_u64(o, ERN_SLICE("Retry-After"), (uint64_t)e->retry_after_s);
    else if (x->rate.limit && x->status == ERN_429_TOO_MANY_REQUESTS)
        h1_write_field_u64(o, ERN_SLICE("Retry-After"), (uint64_t)rate_next_s(&x->rate));
    if (x->status == ERN_205_RESET_CONTENT) /* it does not end a message by itself: RFC 9112 6.3 */
        h1_write_field_u64(o, ERN_SLICE("Content-Length"), 0);
    if (x->status == ERN_416_RANGE_NOT_SATISFIABLE) {
        out_literal(o, "Content-Range: bytes */");
        out_u64(o, (uint64_t)e->content_bytes);
        out_literal(o, "\r\n");
    }
}

/* An answer of another server, with a status of its own, as it was stored. */
static void
compose_stored(struct exchange *x, struct out *o, const struct ern_status *status)
{
    if (!status || status->has_content) {
        compose_whole(x, o);
        return;
    }
    out_slice(o, x->res.representation.validators);
    out_slice(o, x->res.representation.description);
}

/* Is there content, and which? Where the status allows none, only its fields are written. */
static void
compose_content(struct exchange *x, struct out *o)
{
    const struct ern_status *status = ern_status_find(x->status);
    bool succeeds = x->status / 100 == 2;

    if (x->status == ERN_304_NOT_MODIFIED && x->res.has_representation)
        out_slice(o, x->res.representation.validators);
    if (!x->rule->status && cached_is_answer(x)) {
        compose_stored(x, o, status);
        return;
    }
    if ((status && !status->has_content) || exchange_switches(x))
        return;
    if (x->status == ERN_206_PARTIAL_CONTENT)
        compose_partial(x, o);
    else if (succeeds && x->request.method == ERN_TRACE)
        compose_echo(x, o);
    else if (succeeds && x->res.has_representation)
        compose_whole(x, o);
    else
        compose_error(x, o, status);
}

/* Forgets the answer that was being written: what is left to say is that we failed. */
static void
give_up(struct exchange *x)
{
    stream_free(x->stream);
    x->stream = NULL;
    relay_drop(x->relay);
    x->tunnels = false;
    x->res.has_representation = x->unsized = x->aborted = false;
    x->segments_n = 0;
    x->decision.evidence.location = x->decision.evidence.challenge = ERN_ABSENT;
    x->res.fields = x->res.upgrade = ERN_ABSENT;
    x->rule = ern_rule_find(ERN_SLICE("broke"));
    assert(x->rule);
}

/* An answer of another server, as it comes or as it was stored; some things are ours to say. */
static void
write_theirs(struct exchange *x, struct out *o)
{
    if (relay_is_answer(x)) {
        relay_write_answer(x, o);
    } else {
        compose_content(x, o);
        out_slice(o, x->res.fields); /* Via and its like go after those of others */
    }
    if (x->rate.limit)
        rate_write(o, &x->rate);
    if (x->route->policy.login && !x->route->policy.is_proxy)
        login_write_fields(x, o);
}

/* The fields of the head, between what the carrier puts before and after them. */
static void
write_head(struct exchange *x, struct out *o)
{
    const struct worker *w = x->worker;
    bool is_theirs = relay_is_answer(x) || cached_is_answer(x);

    if (!is_theirs)
        out_slice(o, slice_from(w->date, w->date_len));
    if (x->conn->tls && w->sites->hsts_s) { /* RFC 6797 7.2: over TLS alone */
        out_literal(o, "Strict-Transport-Security: max-age=");
        out_u64(o, (uint64_t)w->sites->hsts_s);
        out_literal(o, "\r\n");
    }
    if (x->told)
        trace_write_link(w->trace, o);
    if (is_theirs) {
        write_theirs(x, o);
    } else {
        write_evidence(x, o);
        compose_content(x, o);
    }
    if (x->head_only)
        x->segments_n = 0;
    if (!o->full)
        x->carrier->end_head(x, o);
}

void
compose(struct exchange *x)
{
    struct out *o;
    size_t before;

    x->told = x->conn->onlooker != ONLOOKER_NONE && !x->route->quiet &&
              onlooker_is_told((enum onlooker)x->conn->onlooker, &x->request);
    for (;;) {
        x->status = x->rule->status ? x->rule->status : x->decision.relayed;
        x->head_only = x->request.method == ERN_HEAD;
        if (x->status == ERN_500_INTERNAL_SERVER_ERROR)
            x->incident = worker_random(x->worker);
        before = x->worker->out.len;
        o = x->carrier->begin_head(x);
        write_head(x, o);
        if (!o->full)
            break;
        o->full = false; /* a location can be as long as a request */
        x->worker->out.len = before;
        give_up(x);
    }
    if (x->told)
        trace_keep(x->worker->trace, x);
}
