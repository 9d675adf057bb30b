/* SPDX-License-Identifier: Apache-2.0 */
/* peer_earn.c - resources each of which earns one status from who asks for it rightly; who does not
 * is told how. */
#include <stdlib.h>

#include <jansson.h>

#include "base/num.h"
#include "earnest/status.h"
#include "msg/accept.h"
#include "res/peer_parts.h"

enum {
    COMMAND_BYTES = 2048, /* of one command; a path of the configuration that is longer cuts it */
    ALL_BYTES = 1 << 18,  /* of them all */
};

static const struct earn {
    unsigned status;
    const char *how, *command;
} earns[] = {
#define EARN(status, how, command) {status, how, command},
#define TRAIT(status, fact, answer)
#include "peer_earn.def"
#undef EARN
#undef TRAIT
};

/* Of each a status and a command. */
static const struct earn tours[] = {
#define TOUR(status, command)                                                                      \
    {                                                                                              \
        status, NULL, command                                                                      \
    }
#include "peer_tour.inc"
#undef TOUR
};

typedef bool trait_ask(const struct ern_decision *d);

static bool
yes(const struct ern_decision *d)
{
    (void)d;
    return true;
}

static bool
no(const struct ern_decision *d)
{
    (void)d;
    return false;
}

static bool
is_known(const struct ern_decision *d)
{
    return ern_request_has(d->request, ERN_FIELD_authorization);
}

static bool
is_read(const struct ern_decision *d)
{
    return (RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS)) >> d->request->method & 1;
}

static bool
accepts(const struct ern_decision *d)
{
    return accept_type(d->request, ERN_SLICE("application/json")) > 0;
}

static bool
is_json(const struct ern_decision *d)
{
    struct ern_slice type = ern_request_field(d->request, ERN_FIELD_content_type);

    return slice_eq_nocase(slice_trim(slice_first(type, slice_find(type, ';'))),
                           ERN_SLICE("application/json"));
}

/* In HTTP/2 it is 200. */
static bool
is_old(const struct ern_decision *d)
{
    struct res_request *request = d->self;

    if (d->request->version_major > 1)
        return false;
    request->upgrade = request->is_secure ? ERN_SLICE("HTTP/2.0") : ERN_SLICE("h2c");
    return true;
}

/* The content that has come, as JSON; NULL: it is none. */
static json_t *
content_of(const struct ern_decision *d)
{
    const struct res_sink *sink = &((const struct res_request *)d->self)->sink;

    return sink->len ? json_loadb(sink->bytes, sink->len,
                                  JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL)
                     : NULL;
}

static bool
is_wellformed(const struct ern_decision *d)
{
    json_t *json = content_of(d);

    json_decref(json);
    return json != NULL;
}

static bool
is_object(const struct ern_decision *d)
{
    json_t *json = content_of(d);
    bool object = json_is_object(json);

    json_decref(json);
    return object;
}

static const struct trait {
    unsigned status;
    enum ern_fact fact;
    trait_ask *ask;
} traits[] = {
#define EARN(status, how, command)
#define TRAIT(status, fact, answer) {status, ERN_FACT_##fact, answer},
#include "peer_earn.def"
#undef EARN
#undef TRAIT
};

enum ern_answer
peer_earn_ask(struct ern_decision *d, const struct peer_call *call, enum ern_fact fact)
{
    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++) {
        if (traits[i].status != call->number[0] || traits[i].fact != fact)
            continue;
        if (fact == ERN_FACT_moved || fact == ERN_FACT_elsewhere)
            d->evidence.location = peer_locate(d, ERN_SLICE("/anything"));
        if (fact == ERN_FACT_authenticated)
            d->evidence.challenge = ERN_SLICE("Bearer realm=\"peer\"");
        if (fact == ERN_FACT_method_allowed)
            (void)res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS));
        return peer_answer(traits[i].ask(d));
    }
    return fact == ERN_FACT_exists ? peer_answer(peer_make_earn(d, call)) : peer_fallback(fact);
}

/* ---- how it is earned -------------------------------------------------------------------------*/

/* The URL of the peer, for a shell: an authority with anything odd in it stays out. */
static void
write_base(struct out *o, const struct ern_decision *d)
{
    const struct res_request *request = d->self;
    struct ern_slice host = d->request->authority;
    size_t plain = 0;

    while (plain < host.len && ((host.ptr[plain] >= '0' && host.ptr[plain] <= '9') ||
                                (lower(host.ptr[plain]) >= 'a' && lower(host.ptr[plain]) <= 'z') ||
                                slice_find(ERN_SLICE(".-:"), host.ptr[plain]) < 3))
        plain++;
    out_text(o, request->is_secure ? "https://" : "http://");
    out_slice(o, plain == host.len && host.len ? host : ERN_SLICE("localhost"));
    out_slice(o, slice_first(request->path, request->path.len - request->below.len));
}

static void
write_command(struct out *o, const struct ern_decision *d, unsigned status,
              struct ern_slice command)
{
    for (size_t i = 0; i < command.len; i++) {
        if (command.ptr[i] != '@' && command.ptr[i] != '%') {
            out_char(o, command.ptr[i]);
            continue;
        }
        if (command.ptr[i] == '@' && i + 1 < command.len && command.ptr[i + 1] == '-') {
            out_char(o, '@'); /* of curl: what it reads */
            continue;
        }
        write_base(o, d);
        if (command.ptr[i] == '@') {
            out_literal(o, "/earn/");
            out_u64(o, status);
        }
    }
}

static const struct earn *
find(const struct earn *rows, size_t n, unsigned status)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].status == status)
            return &rows[i];
    return NULL;
}

/* What a peer can not earn, a tour can: its recipe says how. */
static void
write_how(struct out *o, const struct ern_decision *d, unsigned status)
{
    const struct earn *own = find(earns, sizeof earns / sizeof *earns, status);
    const struct earn *tour = find(tours, sizeof tours / sizeof *tours, status);
    char memory[COMMAND_BYTES];
    struct out command = out_init(memory, sizeof memory);

    if (own)
        write_command(&command, d, status, slice_text(own->command));
    peer_write_member(o, "how",
                      own    ? slice_text(own->how)
                      : tour ? ERN_SLICE("Run earnest tour, and send it this")
                             : ERN_SLICE("Run earnest tour, and see its page of this status"));
    out_char(o, ',');
    peer_write_member(o, "command",
                      own    ? out_done(&command)
                      : tour ? slice_text(tour->command)
                             : ERN_SLICE("earnest tour"));
}

static void
write_earn(struct out *o, const struct ern_decision *d, const struct ern_status *status)
{
    out_literal(o, "{\"status\":");
    out_u64(o, status->code);
    out_char(o, ',');
    peer_write_member(o, "phrase", status->phrase);
    out_char(o, ',');
    write_how(o, d, status->code);
    out_char(o, '}');
}

bool
peer_make_earn(struct ern_decision *d, const struct peer_call *call)
{
    const struct ern_status *status =
        call->number[0] <= UINT16_MAX ? ern_status_find((unsigned)call->number[0]) : NULL;
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    if (!status)
        return false;
    write_earn(&o, d, status);
    out_char(&o, '\n');
    if (!peer_represent(d, arena_keep(request->arena, &o),
                        ERN_SLICE("Content-Type: application/json\r\nAccept-Ranges: bytes\r\n")))
        return false;
    d->evidence.etag = ERN_SLICE("\"earned\"");
    request->representation.validators = ERN_SLICE("ETag: \"earned\"\r\n");
    return true;
}

bool
peer_make_earns(struct ern_decision *d)
{
    struct res_request *request = d->self;
    const struct ern_status *status;
    struct out o;

    request->held = malloc(ALL_BYTES);
    o = out_init(request->held, request->held ? ALL_BYTES : 0);
    out_char(&o, '[');
    for (unsigned i = 0; (status = ern_status_at(i)) != NULL; i++) {
        out_text(&o, i ? ",\n" : "");
        write_earn(&o, d, status);
    }
    out_literal(&o, "]\n");
    return peer_represent(d, o.full ? ERN_ABSENT : out_done(&o), PEER_JSON);
}
