/* SPDX-License-Identifier: Apache-2.0 */
#include "res/peer.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/utf8.h"
#include "earnest/status.h"
#include "msg/credentials.h"
#include "msg/form.h"
#include "msg/target.h"
#include "pack/coding.h"

enum act {
    ACT_echo,
    ACT_status,
    ACT_sequence,
    ACT_redirect,
    ACT_basic,
    ACT_hidden,
    ACT_bearer,
    ACT_tagged,
    ACT_cache,
    ACT_bytes,
    ACT_base64,
    ACT_coded,
    ACT_fixed,
    ACT_earn,
};

enum { ARGUMENTS = 2, CODED_LEVEL = 5, TURN_BITS = 16, SECONDS_MAX = 31536000 };

static const struct row {
    struct ern_slice path;
    enum act act;
} rows[] = {
#define PEER(path, act, says) {{path, sizeof path - 1}, ACT_##act},
#define EARN(status, how)
#include "peer.def"
#undef PEER
#undef EARN
};
enum { ROWS = sizeof rows / sizeof *rows };

static const struct {
    unsigned status;
    const char *how;
} earns[] = {
#define PEER(path, act, says)
#define EARN(status, how) {status, how},
#include "peer.def"
#undef PEER
#undef EARN
};

static const struct {
    struct ern_slice path, field, text;
} fixed[] = {
#define FIXED(path, type, text)                                                                    \
    {                                                                                              \
        {path, sizeof path - 1},                                                                   \
            {"Content-Type: " type "\r\n", sizeof "Content-Type: " type "\r\n" - 1},               \
        {                                                                                          \
            text, sizeof text - 1                                                                  \
        }                                                                                          \
    }
    FIXED("/html", "text/html; charset=utf-8",
          "<!DOCTYPE html>\n<html lang=\"en\"><title>A page</title>\n<h1>A page</h1>\n"),
    FIXED("/json", "application/json", "{\"title\":\"A document\",\"items\":[1,2,3]}\n"),
    FIXED("/xml", "application/xml",
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<document><item>1</item></document>\n"),
    FIXED("/robots.txt", "text/plain; charset=utf-8", "User-agent: *\nDisallow: /deny\n"),
    FIXED("/encoding/utf8", "text/plain; charset=utf-8",
          "বাংলা, English, Ελληνικά, 日本語, 🫖\n"),
    FIXED("/image/svg", "image/svg+xml",
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><circle cx=\"4\" cy=\"4\" "
          "r=\"3\" fill=\"#063\"/></svg>\n"),
#undef FIXED
};

struct call { /* what a request asks for */
    const struct row *row;
    struct ern_slice argument[ARGUMENTS];
    uint64_t n; /* the number in the path; 0: there is none */
    uint16_t status;
};

/* ---- the path ----------------------------------------------------------------------------------
 */

/* Does the path have this form? Fills what stands in the braces. */
static bool
matches(struct ern_slice form, struct ern_slice path, struct call *call)
{
    unsigned n = 0;

    while (form.len && path.len) {
        size_t piece = slice_find(path, '/'), braces = slice_find(form, '}') + 1;

        if (form.ptr[0] != '{') {
            if (form.ptr[0] != path.ptr[0])
                return false;
            form = slice_skip(form, 1);
            path = slice_skip(path, 1);
            continue;
        }
        call->argument[n] = slice_first(path, piece);
        if (slice_starts(form, ERN_SLICE("{n}")) &&
            !u64_parse(call->argument[n], UINT32_MAX, &call->n))
            return false;
        n++;
        form = slice_skip(form, braces);
        path = slice_skip(path, piece);
    }
    return form.len == 0 && path.len == 0;
}

/* The call of this request, made when it is first needed; NULL without memory. */
static struct call *
call_of(const struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct call *call = request->state;

    if (call)
        return call;
    call = request->state = arena_take(request->arena, sizeof *call);
    if (!call)
        return NULL;
    *call = (struct call){.row = NULL};
    for (size_t i = 0; i < ROWS && !call->row; i++)
        if (matches(rows[i].path, request->below, call))
            call->row = &rows[i];
    return call;
}

static bool
acts(const struct ern_decision *d, enum act act)
{
    const struct call *call = call_of(d);

    return call && call->row && call->row->act == act;
}

/* ---- what is answered --------------------------------------------------------------------------
 */

static bool
represent(struct ern_decision *d, struct ern_slice text, struct ern_slice fields)
{
    struct res_request *request = d->self;

    request->has_representation = slice_is_there(text);
    request->representation = (struct res_representation){
        .validators = ERN_SLICE(""),
        .description = fields,
        .type = ERN_SLICE("application/octet-stream"),
        .length = text.len,
        .bytes = text.ptr,
        .fd = -1,
    };
    d->evidence.content_bytes = (int64_t)text.len;
    return request->has_representation;
}

static void
write_member(struct out *o, const char *name, struct ern_slice text)
{
    out_char(o, '"');
    out_text(o, name);
    out_literal(o, "\":\"");
    if (utf8_is(text))
        out_json(o, text);
    else
        base64_write(o, text);
    out_char(o, '"');
}

/* The fields as an object, each name once. */
static void
write_fields(struct out *o, const struct ern_request *r)
{
    const char *between = "";

    out_literal(o, "\"headers\":{");
    for (unsigned i = 0; i < r->fields_n; i++) {
        bool is_first = true;

        for (unsigned j = 0; j < i; j++)
            is_first &= !slice_eq_nocase(r->fields[i].name, r->fields[j].name);
        if (!is_first)
            continue;
        out_text(o, between);
        between = ",";
        out_char(o, '"');
        out_json(o, r->fields[i].name);
        out_literal(o, "\":\"");
        for (unsigned j = i; j < r->fields_n; j++) {
            if (!slice_eq_nocase(r->fields[i].name, r->fields[j].name))
                continue;
            out_text(o, j > i ? ", " : "");
            if (utf8_is(r->fields[j].value))
                out_json(o, r->fields[j].value);
        }
        out_char(o, '"');
    }
    out_char(o, '}');
}

/* Name and value of pairs between "&" as an object; decoded in the arena's rest. */
static void
write_pairs(struct out *o, const char *name, struct ern_slice text, char between)
{
    const char *comma = "";

    out_char(o, '"');
    out_text(o, name);
    out_literal(o, "\":{");
    while (text.len) {
        size_t end = slice_find(text, between);
        struct ern_slice pair = slice_trim(slice_first(text, end));
        size_t equals = slice_find(pair, '=');
        char memory[2][512];

        text = slice_skip(text, end < text.len ? end + 1 : end);
        for (unsigned i = 0; i < 2 && pair.len; i++) {
            struct out part = out_init(memory[i], sizeof memory[i]);
            struct ern_slice half = i == 0
                                        ? slice_first(pair, equals)
                                        : slice_skip(pair, equals < pair.len ? equals + 1 : equals);

            urlencoded_write(&part, half);
            out_text(o, i == 0 ? comma : ":");
            out_char(o, '"');
            if (!part.full && utf8_is(out_done(&part)))
                out_json(o, out_done(&part));
            out_char(o, '"');
        }
        comma = pair.len ? "," : comma;
    }
    out_char(o, '}');
}

static struct ern_slice
write_echo(struct ern_decision *d)
{
    const struct ern_request *r = d->request;
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);
    char address[64];
    struct out origin = out_init(address, sizeof address);

    address_write_host(&origin, &request->peer);
    out_char(&o, '{');
    write_member(&o, "method", r->method_text);
    out_char(&o, ',');
    write_member(&o, "url", r->target);
    out_char(&o, ',');
    write_member(&o, "origin", out_done(&origin));
    out_char(&o, ',');
    write_member(&o, "user-agent", ern_request_field(r, ERN_FIELD_user_agent));
    out_char(&o, ',');
    write_pairs(&o, "args", request->query, '&');
    out_char(&o, ',');
    write_pairs(&o, "cookies", ern_request_field(r, ERN_FIELD_cookie), ';');
    out_char(&o, ',');
    write_fields(&o, r);
    out_char(&o, ',');
    write_member(&o, "data", slice_from(request->sink.bytes, request->sink.len));
    out_literal(&o, "}\n");
    return arena_keep(request->arena, &o);
}

/* So many bytes, which the answer owns: the alphabet again and again. */
static struct ern_slice
make_bytes(struct res_request *request, uint64_t n)
{
    uint64_t most = (uint64_t)request->limits->peer_bytes_max;
    char *bytes;

    n = n < most ? n : most;
    bytes = request->held = malloc(n + 1);
    for (uint64_t i = 0; bytes && i < n; i++)
        bytes[i] = (char)('a' + i % 26);
    return bytes ? slice_from(bytes, n) : ERN_ABSENT;
}

static bool
represent_coded(struct ern_decision *d, const struct call *call)
{
    struct ern_slice plain = write_echo(d);
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);
    bool is_gzip = slice_eq(call->row->path, ERN_SLICE("/gzip"));

    if (!slice_is_there(plain) ||
        coding_write(is_gzip ? CODING_GZIP : CODING_BR, CODED_LEVEL, plain, &o) < 0)
        return false;
    return represent(d, arena_keep(request->arena, &o),
                     is_gzip ? ERN_SLICE("Content-Type: application/json\r\n"
                                         "Content-Encoding: gzip\r\n")
                             : ERN_SLICE("Content-Type: application/json\r\n"
                                         "Content-Encoding: br\r\n"));
}

static bool
represent_earn(struct ern_decision *d, const struct call *call)
{
    const struct ern_status *status = ern_status_find((unsigned)call->n);
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);
    const char *how = "run earnest explain with its number";

    for (size_t i = 0; i < sizeof earns / sizeof *earns; i++)
        if (earns[i].status == call->n)
            how = earns[i].how;
    out_literal(&o, "{\"status\":");
    out_u64(&o, call->n);
    out_char(&o, ',');
    write_member(&o, "phrase", status ? status->phrase : ERN_SLICE(""));
    out_literal(&o, ",\"how\":\"");
    out_json(&o, slice_text(how));
    out_literal(&o, "\"}\n");
    return represent(d, arena_keep(request->arena, &o),
                     ERN_SLICE("Content-Type: application/json\r\n"));
}

/* An entity tag, and how long it may be kept. */
static bool
represent_tagged(struct ern_decision *d, const struct call *call)
{
    static const struct ern_slice cache_tag = {"cache", 5};
    struct res_request *request = d->self;
    struct ern_slice tag = call->row->act == ACT_cache ? cache_tag : call->argument[0], etag;
    struct out o;

    for (size_t i = 0; i < tag.len; i++)
        if (tag.ptr[i] <= ' ' || tag.ptr[i] == '"' || tag.ptr[i] == 0x7f)
            return false;
    if (!represent(d, ERN_SLICE("What there is.\n"), ERN_SLICE("Content-Type: text/plain\r\n")))
        return false;
    o = arena_out(request->arena);
    out_char(&o, '"');
    out_slice(&o, tag);
    out_char(&o, '"');
    d->evidence.etag = etag = arena_keep(request->arena, &o);
    o = arena_out(request->arena);
    out_literal(&o, "ETag: ");
    out_slice(&o, etag);
    if (call->row->act == ACT_cache) {
        out_literal(&o, "\r\nCache-Control: public, max-age=");
        out_u64(&o, call->n < SECONDS_MAX ? call->n : SECONDS_MAX);
    }
    out_literal(&o, "\r\n");
    request->representation.validators = arena_keep(request->arena, &o);
    return slice_is_there(request->representation.validators);
}

static bool
represent_base64(struct ern_decision *d, const struct call *call)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    return base64_read(call->argument[0], &o) &&
           represent(d, arena_keep(request->arena, &o),
                     ERN_SLICE("Content-Type: application/octet-stream\r\n"));
}

/* Makes the representation. Returns false if there is none: no such thing, or no memory. */
static bool
make(struct ern_decision *d, const struct call *call)
{
    switch (call->row->act) {
    case ACT_bytes:
        return represent(d, make_bytes(d->self, call->n),
                         ERN_SLICE("Content-Type: application/octet-stream\r\n"
                                   "Accept-Ranges: bytes\r\n"));
    case ACT_coded:
        return represent_coded(d, call);
    case ACT_earn:
        return represent_earn(d, call);
    case ACT_tagged:
    case ACT_cache:
        return represent_tagged(d, call);
    case ACT_base64:
        return represent_base64(d, call);
    case ACT_fixed:
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
            if (slice_eq(fixed[i].path, call->row->path))
                return represent(d, fixed[i].text, fixed[i].field);
        return false;
    case ACT_echo:
    case ACT_status:
    case ACT_sequence:
    case ACT_redirect:
    case ACT_basic:
    case ACT_hidden:
    case ACT_bearer:
        break; /* the request itself, once all of it is there: ask_acted() */
    }
    return true;
}

/* ---- facts -------------------------------------------------------------------------------------
 */

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    const struct call *call = call_of(d);
    uint64_t reads = RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS);
    uint64_t all = reads | RES_ALLOW(POST) | RES_ALLOW(PUT) | RES_ALLOW(PATCH) | RES_ALLOW(DELETE);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    request->fields = ERN_SLICE("Earnest-Status: earned\r\n");
    return res_allows(d, call->row && call->row->act >= ACT_tagged ? reads : all);
}

/* Are the credentials those that the path names? */
static bool
is_known(struct ern_decision *d, const struct call *call)
{
    struct res_request *request = d->self;
    struct ern_slice user, password;
    struct credentials c;
    struct out o;

    if (!credentials_read(ern_request_field(d->request, ERN_FIELD_authorization), &c))
        return false;
    if (call->row->act == ACT_bearer)
        return slice_eq_nocase(c.scheme, ERN_SLICE("Bearer")) && credentials_is_token68(c.rest);
    o = arena_out(request->arena);
    return slice_eq_nocase(c.scheme, ERN_SLICE("Basic")) &&
           credentials_basic(c.rest, &o, &user, &password) && slice_eq(user, call->argument[0]) &&
           slice_eq(password, call->argument[1]);
}

static enum ern_answer
ask_authenticated(struct ern_decision *d, enum ern_fact fact)
{
    bool is_bearer = acts(d, ACT_bearer);

    (void)fact;
    if ((!is_bearer && !acts(d, ACT_basic)) || is_known(d, call_of(d)))
        return ERN_YES;
    d->evidence.challenge =
        is_bearer ? ERN_SLICE("Bearer realm=\"peer\"") : ERN_SLICE("Basic realm=\"peer\"");
    ((struct res_request *)d->self)->fields = ERN_SLICE("Earnest-Status: earned\r\n");
    return ERN_NO;
}

/* What is hidden from whom it is not for is not there (RFC 9110 15.5.4). */
static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return !acts(d, ACT_hidden) || is_known(d, call_of(d)) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_hidden(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return acts(d, ACT_hidden) ? ERN_YES : ERN_NO;
}

/* The path, or the URL, of something else that the peer has; absent without memory. */
static struct ern_slice
locate(struct res_request *request, const struct ern_decision *d, struct ern_slice below,
       bool is_absolute)
{
    struct out o = arena_out(request->arena);

    if (is_absolute) {
        out_literal(&o, "http://");
        out_slice(&o, d->request->authority);
    }
    path_write(&o, slice_first(request->path, request->path.len - request->below.len));
    path_write(&o, below);
    return arena_keep(request->arena, &o);
}

/* One redirect less, until it is /get. */
static enum ern_answer
ask_moved(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    const struct call *call = call_of(d);
    uint64_t most = (uint64_t)request->limits->peer_redirects_max;
    struct ern_slice form;
    char text[64];
    struct out o = out_init(text, sizeof text);

    (void)fact;
    if (!acts(d, ACT_redirect) || call->n == 0)
        return ERN_NO;
    form = call->row->path;
    if (call->n == 1) {
        out_literal(&o, "/get");
    } else {
        out_slice(&o, slice_first(form, slice_find(form, '{')));
        out_u64(&o, (call->n < most ? call->n : most) - 1);
    }
    d->evidence.location = locate(request, d, out_done(&o), slice_starts(form, ERN_SLICE("/abs")));
    return slice_is_there(d->evidence.location) ? ERN_YES : ERN_FAIL;
}

static enum ern_answer
no(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_NO;
}

/* A status that a peer can be asked for: final, and none that changes the protocol or is reserved.
 */
static bool
can_be_asked(uint64_t n)
{
    const struct ern_status *status = n < UINT16_MAX ? ern_status_find((unsigned)n) : NULL;

    return status && status->kind == ERN_FINAL && n != ERN_101_SWITCHING_PROTOCOLS &&
           n != ERN_206_PARTIAL_CONTENT;
}

/* Whose turn it is in a sequence: by its path and its client. */
static uint64_t
take_turn(struct res_request *request)
{
    const struct peer_route *route = request->route;
    struct out o = arena_out(request->arena); /* not kept */
    _Atomic uint64_t *turn;
    uint64_t hash, was, next;

    out_slice(&o, request->below);
    out_char(&o, '?');
    if (slice_starts(request->query, ERN_SLICE("key=")))
        out_slice(&o, request->query);
    else
        address_write_host(&o, &request->peer);
    hash = hash_bytes((struct hash_key){1, 2}, out_done(&o)) >> TURN_BITS;
    turn = &route->turns[hash % PEER_TURNS];
    was = atomic_load(turn);
    do
        next = (was >> TURN_BITS) == hash ? (was & ((1 << TURN_BITS) - 1)) + 1 : 1;
    while (!atomic_compare_exchange_weak(turn, &was, hash << TURN_BITS | next % (1 << TURN_BITS)));
    return next - 1;
}

/* The status of the n-th turn; the last one stays. 0: the sequence is none. */
static uint16_t
status_of_turn(struct ern_slice sequence, uint64_t n)
{
    uint64_t status = 0;

    while (sequence.len) {
        size_t end = slice_find(sequence, ',');

        if (!u64_parse(slice_first(sequence, end), UINT16_MAX, &status) || !can_be_asked(status))
            return 0;
        sequence = slice_skip(sequence, end < sequence.len ? end + 1 : end);
        if (n-- == 0)
            break;
    }
    return (uint16_t)status;
}

/* Is there such a thing, and such a number of it? */
static enum ern_answer
ask_exists(struct ern_decision *d, enum ern_fact fact)
{
    struct call *call = call_of(d);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (!call->row)
        return ERN_NO;
    if (call->row->act == ACT_status)
        call->status = can_be_asked(call->n) ? (uint16_t)call->n : 0;
    if (call->row->act == ACT_sequence && status_of_turn(call->argument[0], UINT16_MAX))
        call->status = status_of_turn(call->argument[0], take_turn(d->self));
    if (call->row->act == ACT_status || call->row->act == ACT_sequence)
        return call->status ? ERN_YES : ERN_NO;
    return make(d, call) ? ERN_YES : ERN_NO;
}

static void
begin_content(struct ern_decision *d)
{
    struct res_request *request = d->self;
    uint64_t max = (uint64_t)*peer_content_max(d->request, request->limits);

    request->sink = (struct res_sink){.max = max, .memory_max = max, .state = SINK_OPEN, .fd = -1};
}

static enum ern_answer
ask_content(struct ern_decision *d, enum ern_fact fact)
{
    return res_ask_content(d, fact, begin_content);
}

static enum ern_answer
ask_acted(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;

    (void)fact;
    if (request->has_representation)
        return ERN_YES;
    return represent(d, write_echo(d), ERN_SLICE("Content-Type: application/json\r\n")) ? ERN_YES
                                                                                        : ERN_FAIL;
}

/* What a status must carry is there, whoever asked for it; and it says that it was asked for. */
static enum ern_answer
ask_relays(struct ern_decision *d, enum ern_fact fact)
{
    const struct call *call = call_of(d);
    struct res_request *request = d->self;

    (void)fact;
    if (!call->status)
        return ERN_NO;
    request->fields = ERN_SLICE("Earnest-Status: asked\r\n");
    if (call->status == ERN_226_IM_USED)
        request->fields = ERN_SLICE("Earnest-Status: asked\r\nIM: identity\r\n");
    if (call->status == ERN_426_UPGRADE_REQUIRED)
        request->upgrade = ERN_SLICE("h2c");
    d->evidence.challenge = ERN_ABSENT;
    if (call->status == ERN_401_UNAUTHORIZED ||
        call->status == ERN_407_PROXY_AUTHENTICATION_REQUIRED)
        d->evidence.challenge = ERN_SLICE("Basic realm=\"peer\"");
    if (call->status / 100 == 3 && call->status != ERN_304_NOT_MODIFIED &&
        call->status != ERN_300_MULTIPLE_CHOICES)
        d->evidence.location = locate(request, d, ERN_SLICE("/get"), false);
    d->relayed = call->status;
    return ERN_YES;
}

struct ern_resource peer_resource = {
    .name = "peer",
    .ask =
        {
            ERN_ASKS_CONDITIONAL,
            ERN_ASKS_RANGE,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_authenticated] = ask_authenticated,
            [ERN_FACT_permitted] = ask_permitted,
            [ERN_FACT_hidden] = ask_hidden,
            [ERN_FACT_moved] = ask_moved,
            [ERN_FACT_for_good] = no,
            [ERN_FACT_keeps_method] = no,
            [ERN_FACT_exists] = ask_exists,
            [ERN_FACT_content_framed] = ask_content,
            [ERN_FACT_content_in_time] = ask_content,
            [ERN_FACT_content_bounded] = ask_content,
            [ERN_FACT_acted] = ask_acted,
            [ERN_FACT_relays] = ask_relays,
        },
};

const int64_t *
peer_content_max(const struct ern_request *request, const struct limits *limits)
{
    (void)request;
    return &limits->peer_content_max;
}
