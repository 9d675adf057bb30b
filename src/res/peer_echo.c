/* SPDX-License-Identifier: Apache-2.0 */
/* peer_echo.c - the request as JSON, with the names that httpbin gives its parts. */
#include <stdlib.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "msg/form.h"
#include "res/form.h"
#include "res/peer_parts.h"

struct echo {
    struct out o;
    unsigned pairs_max;
    const char *comma; /* before the next member */
};

struct pair {
    struct ern_slice name, value;
    bool is_encoded, is_file;
    struct ern_slice type; /* of a file */
};

static void
begin_member(struct echo *e, const char *name)
{
    out_text(&e->o, e->comma);
    e->comma = ",";
    out_char(&e->o, '"');
    out_text(&e->o, name);
    out_literal(&e->o, "\":");
}

/* A text, or what it is in base64, as a URL with that in it (RFC 2397). */
static void
write_bytes(struct out *o, struct ern_slice text, struct ern_slice type)
{
    out_char(o, '"');
    if (utf8_is(text)) {
        out_json(o, text);
    } else {
        out_literal(o, "data:");
        out_json(o, type);
        out_literal(o, ";base64,");
        base64_write(o, text);
    }
    out_char(o, '"');
}

static void
member(struct echo *e, const char *name, struct ern_slice text)
{
    begin_member(e, name);
    write_bytes(&e->o, text, ERN_SLICE("application/octet-stream"));
}

void
peer_write_member(struct out *o, const char *name, struct ern_slice text)
{
    out_char(o, '"');
    out_text(o, name);
    out_literal(o, "\":\"");
    out_json(o, text);
    out_char(o, '"');
}

/* The fields, each name once. */
static void
write_fields(struct echo *e, const struct ern_request *r)
{
    struct out *o = &e->o;
    const char *between = "";

    begin_member(e, "headers");
    out_char(o, '{');
    if (!ern_request_has(r, ERN_FIELD_host) && slice_is_there(r->authority)) {
        between = ",";
        peer_write_member(o, "Host", r->authority); /* of HTTP/2: RFC 9113 8.3.1 */
    }
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
            out_json(o, r->fields[j].value);
        }
        out_char(o, '"');
    }
    out_char(o, '}');
}

/* A name or a value; decoded, where it came encoded. */
static void
write_part(struct out *o, const struct pair *p, struct ern_slice text)
{
    char *memory = p->is_encoded && text.len ? malloc(text.len) : NULL;
    struct out decoded = out_init(memory, text.len);

    if (memory) {
        urlencoded_write(&decoded, text);
        text = out_done(&decoded);
    }
    write_bytes(o, text,
                p->is_file && p->type.len ? p->type : ERN_SLICE("application/octet-stream"));
    free(memory);
}

/* Pairs as an object: what came more than once is a list. */
static void
write_pairs(struct echo *e, const char *name, const struct pair *pairs, unsigned n)
{
    struct out *o = &e->o;
    const char *between = "";

    begin_member(e, name);
    out_char(o, '{');
    for (unsigned i = 0; i < n; i++) {
        unsigned before = 0, all = 0;

        for (unsigned j = 0; j < n; j++) {
            bool same = slice_eq(pairs[i].name, pairs[j].name);

            before += same && j < i;
            all += same;
        }
        if (before)
            continue;
        out_text(o, between);
        between = ",";
        write_part(o, &pairs[i], pairs[i].name);
        out_text(o, all > 1 ? ":[" : ":");
        for (unsigned j = i, k = 0; j < n; j++) {
            if (!slice_eq(pairs[i].name, pairs[j].name))
                continue;
            out_text(o, k++ ? "," : "");
            write_part(o, &pairs[j], pairs[j].value);
        }
        out_text(o, all > 1 ? "]" : "");
    }
    out_char(o, '}');
}

/* The arguments of a query, as many as are shown. */
static void
write_query(struct echo *e, struct ern_slice query)
{
    struct pair *pairs = calloc(e->pairs_max, sizeof *pairs);
    unsigned n = 0;

    for (; pairs && n < e->pairs_max; n++) {
        pairs[n].is_encoded = true;
        if (!urlencoded_next(&query, &pairs[n].name, &pairs[n].value))
            break;
    }
    write_pairs(e, "args", pairs, pairs ? n : 0);
    free(pairs);
}

/* RFC 6265 4.2.1; a cookie is never decoded. */
static void
write_cookies(struct echo *e, const struct ern_request *r)
{
    struct pair *pairs = calloc(e->pairs_max, sizeof *pairs);
    struct ern_slice value;
    unsigned n = 0;
    uint16_t at = 0;

    while (ern_request_next(r, ERN_FIELD_cookie, &at, &value))
        while (value.len && pairs && n < e->pairs_max) {
            size_t end = slice_find(value, ';'), equals;
            struct ern_slice pair = slice_trim(slice_first(value, end));

            value = slice_skip(value, end < value.len ? end + 1 : end);
            equals = slice_find(pair, '=');
            if (equals == pair.len)
                continue;
            pairs[n].name = slice_first(pair, equals);
            pairs[n++].value = slice_skip(pair, equals + 1);
        }
    write_pairs(e, "cookies", pairs, n);
    free(pairs);
}

/* ---- the content ------------------------------------------------------------------------------*/

/* The fields of a form, or its files. */
static void
write_values(struct echo *e, const char *name, const struct form *form, bool files)
{
    struct pair *pairs = calloc(form->n + 1, sizeof *pairs);
    unsigned n = 0;

    for (size_t i = 0; pairs && i < form->n && n < e->pairs_max; i++) {
        const struct form_value *v = &form->values[i];

        if (slice_is_there(v->filename) == files)
            pairs[n++] = (struct pair){v->name, v->value, false, files, v->type};
    }
    write_pairs(e, name, pairs, n);
    free(pairs);
}

/* What is JSON stands there as it came, unless it is so deep that few could read the answer. */
static void
write_json(struct echo *e, struct ern_slice content, const struct limits *limits)
{
    bool deep = form_json_depth(content) > (size_t)limits->form_depth_max;
    json_t *json = NULL;

    if (content.len && !deep && utf8_is(content))
        json = json_loadb(content.ptr, content.len,
                          JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    begin_member(e, "json");
    if (json)
        out_slice(&e->o, content);
    else
        out_literal(&e->o, "null");
    json_decref(json);
}

static void
write_content(struct echo *e, const struct ern_request *r, const struct res_request *request)
{
    struct ern_slice content = slice_from(request->sink.bytes, request->sink.len), boundary = {0};
    struct ern_slice type_field = ern_request_field(r, ERN_FIELD_content_type);
    enum form_type type = form_type_of(type_field);
    struct form form = {.n = 0};
    bool is_form = (type == FORM_URLENCODED ||
                    (type == FORM_MULTIPART && multipart_boundary(type_field, &boundary))) &&
                   form_read(type, content, boundary, request->limits, &form) == 0 &&
                   form.fault == FAULT_none;

    if (!is_form) {
        form_done(&form);
        form = (struct form){.n = 0};
    }
    member(e, "data", is_form ? ERN_SLICE("") : content);
    write_values(e, "files", &form, true);
    write_values(e, "form", &form, false);
    write_json(e, is_form ? ERN_SLICE("") : content, request->limits);
    form_done(&form);
}

/* ---- all of it --------------------------------------------------------------------------------*/

/* So many bytes do, whatever it has: a byte becomes six at most, with what stands around it. */
static size_t
most(const struct ern_request *r, const struct res_request *request, struct ern_slice before)
{
    enum { A_BYTE = 8, A_FIELD = 16, ALL_ELSE = 1024, TIMES = 3 };
    size_t n = r->target.len + r->authority.len + request->sink.len + r->method_text.len;

    n *= TIMES; /* a form, its data, and JSON */
    for (unsigned i = 0; i < r->fields_n; i++)
        n += r->fields[i].name.len + 2 * r->fields[i].value.len + A_FIELD;
    return before.len + n * A_BYTE + ALL_ELSE;
}

struct ern_slice
peer_echo(struct ern_decision *d, unsigned shows, struct ern_slice before)
{
    const struct ern_request *r = d->request;
    struct res_request *request = d->self;
    size_t cap = most(r, request, before);
    struct echo e = {.pairs_max = (unsigned)request->limits->peer_pieces_max, .comma = ""};
    char address[64];
    struct out origin = out_init(address, sizeof address);

    free(request->held);
    request->held = malloc(cap);
    e.o = out_init(request->held, request->held ? cap : 0);
    out_char(&e.o, '{');
    out_slice(&e.o, before);
    if (shows & SHOW_ARGS)
        write_query(&e, request->query);
    if (shows & SHOW_CONTENT)
        write_content(&e, r, request);
    if (shows & SHOW_COOKIES)
        write_cookies(&e, r);
    if (shows & SHOW_HEADERS)
        write_fields(&e, r);
    if (shows & SHOW_METHOD)
        member(&e, "method", r->method_text);
    address_write_host(&origin, &request->peer);
    if (shows & SHOW_ORIGIN)
        member(&e, "origin", out_done(&origin));
    if (shows & SHOW_AGENT)
        member(&e, "user-agent", ern_request_field(r, ERN_FIELD_user_agent));
    if (shows & SHOW_URL) {
        begin_member(&e, "url");
        out_char(&e.o, '"');
        if (r->form == ERN_ORIGIN_FORM)
            peer_write_origin(d, &e.o);
        out_json(&e.o, r->target);
        out_char(&e.o, '"');
    }
    out_literal(&e.o, "}\n");
    return e.o.full ? ERN_ABSENT : out_done(&e.o);
}
