/* SPDX-License-Identifier: Apache-2.0 */
#include "res/live.h"

#include "base/slice.h"
#include "res/live_filter.h"

/* Of 4 KiB each way: enough to find the words of a decision again that was told a moment ago. */
static const struct websocket_deflate ours = {.server_max_window_bits = 12,
                                              .client_max_window_bits = 12};

bool
live_deflate(const struct ern_request *r, struct websocket_deflate *ret_agreed)
{
    return websocket_extensions(r, &ours, ret_agreed) == WEBSOCKET_DEFLATE;
}

/* ---- the handshake --------------------------------------------------------------------------- */

static bool
tunnels(const struct ern_request *r)
{
    return slice_is_there(r->protocol);
}

static bool
asks_websocket(const struct ern_request *r)
{
    return tunnels(r) ? slice_eq_nocase(r->protocol, ERN_SLICE("websocket"))
                      : websocket_is_asked(r);
}

/* Tells which version would do (RFC 6455 4.4). */
static void
tell_version(struct res_request *request)
{
    request->fields = ERN_SLICE("Sec-WebSocket-Version: " WEBSOCKET_VERSION "\r\n");
}

/* Content would be read as frames. In HTTP/2 all that comes is content, of no length that is said.
 */
static bool
has_content(const struct ern_request *r)
{
    return r->content_length > 0 || (r->chunked && !tunnels(r));
}

static bool
handshake_is_valid(const struct ern_request *r)
{
    struct websocket_deflate agreed;
    struct live_filter filter;

    return websocket_version_is_ours(r) && (tunnels(r) || websocket_key_is_right(r)) &&
           !has_content(r) && websocket_extensions(r, &ours, &agreed) != WEBSOCKET_MALFORMED &&
           live_filter_query(&filter, r->query);
}

/* The fields that accept it. */
static bool
write_fields(struct res_request *request, const struct ern_request *r)
{
    struct out o = arena_out(request->arena);
    struct websocket_deflate agreed;

    if (!tunnels(r)) {
        out_literal(&o, "Sec-WebSocket-Accept: ");
        websocket_write_accept(&o, ern_request_field(r, ERN_FIELD_sec_websocket_key));
        out_literal(&o, "\r\n");
    }
    if (live_deflate(r, &agreed)) {
        out_literal(&o, "Sec-WebSocket-Extensions: ");
        websocket_write_extensions(&o, &agreed);
        out_literal(&o, "\r\n");
    }
    request->fields = arena_keep(request->arena, &o);
    return slice_is_there(request->fields);
}

/* ---- the facts ------------------------------------------------------------------------------- */

static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return onlooker_is_permitted(d) ? ERN_YES : ERN_NO;
}

/* In HTTP/2 nothing can be upgraded (RFC 9113 8.6). Nor does it help who may not listen. */
static enum ern_answer
ask_upgrade_required(struct ern_decision *d, enum ern_fact fact)
{
    const struct ern_request *r = d->request;
    struct res_request *request = d->self;
    bool is_right = asks_websocket(r) && websocket_version_is_ours(r);

    (void)fact;
    if (r->version_major > 1 || (r->method != ERN_GET && r->method != ERN_HEAD) || is_right ||
        !onlooker_is_permitted(d))
        return ERN_NO;
    request->upgrade = ERN_SLICE("websocket");
    tell_version(request);
    return ERN_YES;
}

/* In HTTP/2 it takes no GET: what comes as one is an extended CONNECT, or of no use (RFC 8441 4).
 */
static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    const struct ern_request *r = d->request;

    (void)fact;
    if (tunnels(r) || r->version_major < 2)
        return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS));
    return res_allows(d, RES_ALLOW(CONNECT) | RES_ALLOW(OPTIONS));
}

static enum ern_answer
ask_handshake_valid(struct ern_decision *d, enum ern_fact fact)
{
    const struct ern_request *r = d->request;

    (void)fact;
    if (!asks_websocket(r) || handshake_is_valid(r))
        return ERN_YES;
    if (!websocket_version_is_ours(r))
        tell_version(d->self);
    return ERN_NO;
}

static enum ern_answer
ask_upgrades(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;

    (void)fact;
    if (!asks_websocket(d->request))
        return ERN_NO;
    request->upgrade = ERN_SLICE("websocket");
    return write_fields(request, d->request) ? ERN_YES : ERN_FAIL;
}

struct ern_resource live_resource = {
    .name = "live",
    .ask =
        {
            [ERN_FACT_permitted] = ask_permitted,
            [ERN_FACT_upgrade_required] = ask_upgrade_required,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_handshake_valid] = ask_handshake_valid,
            [ERN_FACT_upgrades] = ask_upgrades,
        },
};
