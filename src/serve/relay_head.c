/* SPDX-License-Identifier: Apache-2.0 */
/* relay_head.c - heads, written anew: nothing is passed on that was not understood. */
#include "base/base64.h"
#include "base/num.h"
#include "earnest/status.h"
#include "msg/date.h"
#include "msg/hop.h"
#include "msg/list.h"
#include "msg/target.h"
#include "msg/websocket.h"
#include "serve/cached.h"
#include "serve/conn.h"
#include "serve/relay_parts.h"
#include "wire/cgi_answer.h"

enum { AUTHORITY_MAX = 320 /* a longer one is no name of a host: it is passed on once, in Host */ };

#define field(o, name, value) h1_write_field(o, ERN_SLICE(name), value)

bool
relay_loops(const struct exchange *x)
{
    return hop_loops(&x->request, x->worker->pseudonym);
}

/* ---- the request -------------------------------------------------------------------------------
 */

/*
 * The target in origin-form. A path that says the same however it is resolved goes on as it came,
 * for what is percent-encoded in it may be so for a reason; another one goes on as we have resolved
 * it, so that nobody resolves it otherwise.
 */
static void
write_target(const struct exchange *x, struct out *o)
{
    const struct ern_request *r = &x->request;

    if (r->path.len == 0)
        out_char(o, '/');
    else if (x->relay->origins->is_guarded || path_is_plain(r->path))
        out_slice(o, r->path); /* what a proxy passes on it does not judge */
    else
        path_write(o, x->res.path);
    if (slice_is_there(r->query)) {
        out_char(o, '?');
        out_slice(o, r->query);
    }
}

/* "1.1 earnest-1f2e": by which version it came, and to whom (RFC 9110 7.6.3). */
static void
write_via(const struct ern_request *m, struct ern_slice pseudonym, struct out *o)
{
    out_literal(o, "Via: ");
    out_u64(o, m->version_major);
    out_char(o, '.');
    out_u64(o, m->version_minor);
    out_char(o, ' ');
    out_slice(o, pseudonym);
    out_literal(o, "\r\n");
}

/* Is what the peer says of its client believed? */
static bool
trusts_peer(const struct exchange *x)
{
    struct ip peer = address_ip(&x->conn->peer);

    return networks_have(x->worker->gateways, &peer);
}

/* The lines of a list field that a trusted peer sent, one after another, each with its comma. */
static void
write_said(const struct exchange *x, enum ern_field_id id, enum forwarded_form form, struct out *o)
{
    struct ern_slice line;

    if (x->worker->forwarded != form || !trusts_peer(x))
        return;
    for (uint16_t at = 0; ern_request_next(&x->request, id, &at, &line);) {
        out_slice(o, line);
        out_literal(o, ", ");
    }
}

/*
 * Who asks, in both forms: Forwarded (RFC 7239), and X-Forwarded-For and its like, which many
 * programs still read. What an untrusted client says of others is not passed on.
 */
static void
write_forwarded(const struct exchange *x, struct out *o)
{
    const struct ern_request *r = &x->request;
    struct ern_slice proto = x->conn->tls ? ERN_SLICE("https") : ERN_SLICE("http");
    const union address *peer = &x->conn->peer;
    struct ip ip = address_ip(peer);
    bool is_v4 = ip_client(&ip).len == 4;
    bool has_host = r->authority.len > 0 && r->authority.len <= AUTHORITY_MAX;

    out_literal(o, "Forwarded: ");
    if (!cached_is_keyed(x->visit)) /* it names host and scheme, too */
        write_said(x, ERN_FIELD_forwarded, FORWARDED_BY_FORWARDED, o);
    out_text(o, is_v4 ? "for=" : "for=\"[");
    address_write_host(o, peer);
    out_text(o, is_v4 ? "" : "]\"");
    if (has_host) {
        out_literal(o, ";host=\"");
        out_slice(o, r->authority);
        out_char(o, '"');
    }
    out_literal(o, ";proto=");
    out_slice(o, proto);
    out_literal(o, "\r\nX-Forwarded-For: ");
    write_said(x, ERN_FIELD_x_forwarded_for, FORWARDED_BY_X_FIELDS, o);
    address_write_host(o, peer);
    out_literal(o, "\r\n");
    if (!trusts_peer(x) || !ern_request_has(r, ERN_FIELD_x_forwarded_proto))
        field(o, "X-Forwarded-Proto", proto);
    if (has_host && (!trusts_peer(x) || !ern_request_has(r, ERN_FIELD_x_forwarded_host)))
        field(o, "X-Forwarded-Host", r->authority);
}

/* Is it a field that is written anew, or not believed? */
static bool
is_rewritten(const struct exchange *x, const struct ern_field *f)
{
    bool is_believed = x->worker->forwarded == FORWARDED_BY_X_FIELDS && trusts_peer(x);
    bool is_gateway =
        !x->relay->origins->is_guarded; /* who goes through a proxy says what it likes */

    switch (f->id) {
    case ERN_FIELD_range: /* a part of the whole as it was fits to no other */
    case ERN_FIELD_if_range:
        return x->relay->wanted != 0;
    case ERN_FIELD_accept_encoding:
        return (x->relay->wanted & (RELAY_LINKS | RELAY_MINIFY)) != 0;
    case ERN_FIELD_host:
    case ERN_FIELD_expect:
    case ERN_FIELD_max_forwards:
    case ERN_FIELD_early_data:
        return true;
    case ERN_FIELD_sec_websocket_key:
        return slice_is_there(x->request.protocol);
    case ERN_FIELD_forwarded:
    case ERN_FIELD_x_forwarded_for:
        return is_gateway;
    case ERN_FIELD_x_forwarded_host:
    case ERN_FIELD_x_forwarded_proto:
        return is_gateway && !is_believed;
    case ERN_FIELDS: /* a crumb that was joined to the others (RFC 9113 8.2.3), too */
        return hop_is_disguised(f->name) || slice_eq_nocase(f->name, ERN_SLICE("Cookie"));
    default:
        return false;
    }
}

/* RFC 9110 7.6.2: of TRACE and OPTIONS only, and one less. It is not 0: that is answered here. */
static void
write_max_forwards(const struct ern_request *r, struct out *o)
{
    struct ern_slice value = ern_request_field(r, ERN_FIELD_max_forwards);
    uint64_t n;

    if ((r->method == ERN_TRACE || r->method == ERN_OPTIONS) && u64_parse(value, INT64_MAX, &n) &&
        n > 0)
        h1_write_field_u64(o, ERN_SLICE("Max-Forwards"), n - 1);
}

static void
write_content(struct relay *r, struct out *o)
{
    const struct exchange *x = r->exchange;
    const struct ern_request *q = &x->request;

    r->sends = RELAY_SENDS_NOTHING;
    if (slice_is_there(q->protocol)) /* what comes is for the tunnel, once there is one */
        return;
    if (x->content_state == PARSE_MORE)
        r->sends = q->content_length >= 0 ? RELAY_SENDS_LENGTH : RELAY_SENDS_CHUNKS;
    if (q->content_length >= 0)
        h1_write_field_u64(o, ERN_SLICE("Content-Length"), (uint64_t)q->content_length);
    else if (r->sends == RELAY_SENDS_CHUNKS)
        out_literal(o, "Transfer-Encoding: chunked\r\n");
    /* RFC 9110 10.1.1: who has the resource says whether to go on */
    if (r->sends && ern_request_has(q, ERN_FIELD_expect))
        out_literal(o, "Expect: 100-continue\r\n");
}

/* Asks for WebSocket in the words of HTTP/1.1, with a key of our own (RFC 8441 5, RFC 6455 4.1). */
static void
write_websocket(struct relay *r, struct out *o)
{
    struct worker *w = r->exchange->worker;
    uint64_t random[2] = {worker_random(w), worker_random(w)};
    struct out key = out_init(r->key, sizeof r->key);

    base64_write(&key, slice_from((const char *)random, sizeof random));
    out_literal(o, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    field(o, "Sec-WebSocket-Key", out_done(&key));
    r->is_upgraded = true;
}

bool
relay_accepts(const struct relay *r)
{
    const struct ern_request *m = &r->answer.message;
    char text[32];
    struct out wanted = out_init(text, sizeof text);

    if (!slice_is_there(r->exchange->request.protocol))
        return true;
    websocket_write_accept(&wanted, slice_from(r->key, sizeof r->key));
    for (unsigned i = 0; i < m->fields_n; i++)
        if (slice_eq_nocase(m->fields[i].name, ERN_SLICE("Sec-WebSocket-Accept")))
            return slice_eq(m->fields[i].value, out_done(&wanted));
    return false;
}

/* Asks for another protocol, if the client does (RFC 9110 7.8). */
static void
write_upgrade(struct relay *r, struct out *o)
{
    const struct ern_request *q = &r->exchange->request;
    struct out before = *o;

    r->is_upgraded = false;
    if (slice_is_there(q->protocol)) {
        write_websocket(r, o);
        return;
    }
    if (!r->speech->upgrades || q->version_major != 1 || q->version_minor == 0 ||
        !list_has(q, ERN_FIELD_connection, ERN_SLICE("upgrade")))
        return;
    out_literal(o, "Upgrade: ");
    r->is_upgraded = hop_write_upgrade(q, o);
    if (r->is_upgraded)
        out_literal(o, "\r\nConnection: Upgrade\r\n");
    else
        *o = before;
}

static void
write_request(struct relay *r, struct out *o)
{
    const struct exchange *x = r->exchange;
    const struct ern_request *q = &x->request;
    bool has_authority = q->authority.len > 0;

    out_slice(o, slice_is_there(q->protocol) ? ERN_SLICE("GET") : q->method_text);
    out_char(o, ' ');
    write_target(x, o);
    out_literal(o, " HTTP/1.1\r\n");
    field(o, "Host", has_authority ? q->authority : r->origin->name.authority);
    for (unsigned i = 0; i < q->fields_n; i++)
        if (!hop_ends(q, &q->fields[i]) && !is_rewritten(x, &q->fields[i]) &&
            !cached_omits(x->visit, &q->fields[i]) &&
            !(!r->origins->is_guarded && relay_links_write_asked(r, &q->fields[i], o)))
            h1_write_field(o, q->fields[i].name, q->fields[i].value);
    cached_write_conditions(x->visit, o);
    write_via(q, x->worker->pseudonym, o);
    field(o, "CDN-Loop", x->worker->pseudonym);
    if (!r->origins->is_guarded)
        write_forwarded(x, o);
    if (r->wanted & (RELAY_LINKS | RELAY_MINIFY)) /* it is read on the way */
        out_literal(o, "Accept-Encoding: identity\r\n");
    write_max_forwards(q, o);
    /* RFC 8470 5.1: also where it came early to the one before us */
    if (x->early || ern_request_has(q, ERN_FIELD_early_data))
        out_literal(o, "Early-Data: 1\r\n");
    write_content(r, o);
    write_upgrade(r, o);
    out_literal(o, "\r\n");
}

static void
write_piece(const struct relay *r, struct ern_slice piece, bool is_end, struct out *o)
{
    bool is_chunk = r->sends == RELAY_SENDS_CHUNKS && piece.len > 0;

    if (is_chunk) {
        out_hex(o, piece.len);
        out_literal(o, "\r\n");
    }
    out_slice(o, piece);
    if (is_chunk)
        out_literal(o, "\r\n");
    if (r->sends == RELAY_SENDS_CHUNKS && is_end)
        out_literal(o, "0\r\n\r\n");
}

static ssize_t
receive(struct relay *r)
{
    return upstream_receive(r->upstream);
}

const struct speech h1_speech = {
    .cut = RELAY_CUT,
    .large = RELAY_TOO_LARGE,
    .garbled = RELAY_GARBLED,
    .is_http = true,
    .upgrades = true,
    .reach = relay_reach,
    .write_request = write_request,
    .write_piece = write_piece,
    .receive = receive,
    .feed = h1_answer_feed,
};

/* ---- over HTTP/2: the same heads, which the connection changes into its own (wire/h2_client.h)
 * ---
 */

/* The connection has to know with the head that there is no content. */
static void
write_h2_request(struct relay *r, struct out *o)
{
    write_request(r, o);
    if (!r->sends)
        upstream_end(r->upstream);
}

static void
write_h2_piece(const struct relay *r, struct ern_slice piece, bool is_end, struct out *o)
{
    out_slice(o, piece);
    if (is_end)
        upstream_end(r->upstream);
}

static enum parse
feed_h2(struct h1_answer *answer, struct ern_slice bytes, enum ern_method method)
{
    enum parse parse = h1_answer_feed(answer, bytes, method);

    answer->message.version_major = 2;
    answer->message.version_minor = 0;
    return parse;
}

const struct speech h2_speech = {
    .cut = RELAY_CUT,
    .large = RELAY_TOO_LARGE,
    .garbled = RELAY_GARBLED,
    .is_http = true,
    .reach = relay_reach,
    .write_request = write_h2_request,
    .write_piece = write_h2_piece,
    .receive = receive,
    .feed = feed_h2,
};

/* ---- the answer --------------------------------------------------------------------------------
 */

/* Is it for us, and not for the client? */
static bool
is_ours(const struct relay *r, const struct ern_field *f)
{
    if (!r->speech->is_http)
        return cgi_answer_is_ours(f);
    return slice_is_there(r->exchange->request.protocol) &&
           slice_eq_nocase(f->name, ERN_SLICE("Sec-WebSocket-Accept"));
}

void
relay_write_fields(const struct relay *r, struct out *o)
{
    const struct ern_request *m = &r->answer.message;

    for (unsigned i = 0; i < m->fields_n; i++)
        if (!hop_ends(m, &m->fields[i]) && !is_ours(r, &m->fields[i]) &&
            !relay_transform_write_field(r, &m->fields[i], o))
            h1_write_field(o, m->fields[i].name, m->fields[i].value);
}

/* Its framing, said anew. Of an answer without content the length is of what GET would bring. */
static void
write_length(struct exchange *x, struct out *o)
{
    const struct h1_answer *a = &x->relay->answer;
    int64_t length = a->message.content_length;
    bool may_have = a->status / 100 != 1 && a->status != ERN_204_NO_CONTENT;

    if (x->relay->may_change) /* HEAD says no length that GET might not have (RFC 9110 8.6) */
        return;
    if (relay_is_transformed(x->relay)) { /* how long it becomes is not known */
        x->unsized = true;
        return;
    }
    switch (a->end) {
    case H1_END_TUNNEL:
        x->tunnels = x->close = true;
        if (a->status == ERN_101_SWITCHING_PROTOCOLS)
            x->res.upgrade = ern_request_field(&a->message, ERN_FIELD_upgrade);
        break;
    case H1_END_NONE:
    case H1_END_SAID:
        if (length >= 0 && may_have)
            h1_write_field_u64(o, ERN_SLICE("Content-Length"), (uint64_t)length);
        x->unsized = a->end == H1_END_SAID && length < 0;
        break;
    case H1_END_CLOSE:
        x->unsized = true;
        break;
    }
}

void
relay_write_answer(struct exchange *x, struct out *o)
{
    const struct ern_request *m = &x->relay->answer.message;

    if (x->relay->answer.status == 0) { /* nobody has answered: the tunnel is what was asked for */
        out_slice(o, slice_from(x->worker->date, x->worker->date_len));
        write_length(x, o);
        return;
    }
    if (!ern_request_has(m, ERN_FIELD_date)) {
        out_literal(o, "Date: "); /* RFC 9110 6.6.1 */
        date_write(o, x->worker->now.unix_s);
        out_literal(o, "\r\n");
    }
    relay_write_fields(x->relay, o);
    relay_transform_write_own(x->relay, o);
    cached_passes(x, o);
    if (x->relay->speech->is_http)
        write_via(m, x->worker->pseudonym, o);
    write_length(x, o);
}
