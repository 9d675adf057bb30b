/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/environment.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/chars.h"
#include "base/slice.h"
#include "msg/hop.h"
#include "msg/target.h"
#include "serve/conn.h"

#define add(o, name, value) add_variable(o, ERN_SLICE(name), value)

/* What holds a NUL could not be told from two of them, and is left empty. */
static void
add_variable(struct out *o, struct ern_slice name, struct ern_slice value)
{
    out_slice(o, name);
    out_char(o, '=');
    if (slice_find(value, '\0') == value.len)
        out_slice(o, value);
    out_char(o, '\0');
}

/* Two slices as one value. */
static void
add_joined(struct out *o, struct ern_slice name, struct ern_slice a, struct ern_slice b)
{
    out_slice(o, name);
    out_char(o, '=');
    out_slice(o, a);
    out_slice(o, b);
    out_char(o, '\0');
}

static void
add_number(struct out *o, struct ern_slice name, uint64_t n)
{
    out_slice(o, name);
    out_char(o, '=');
    out_u64(o, n);
    out_char(o, '\0');
}

static void
add_address(struct out *o, struct ern_slice name, const union address *address)
{
    out_slice(o, name);
    out_char(o, '=');
    address_write_host(o, address);
    out_char(o, '\0');
}

/* ---- the request -------------------------------------------------------------------------------
 */

/* Path and query, as they came; or as a script has named them since (RFC 3875 6.2.2). */
static void
add_uri(const struct exchange *x, struct out *o)
{
    const struct ern_request *q = &x->request;

    out_literal(o, "REQUEST_URI=");
    out_slice(o, q->path.len ? q->path : ERN_SLICE("/"));
    if (slice_is_there(q->query)) {
        out_char(o, '?');
        out_slice(o, q->query);
    }
    out_char(o, '\0');
}

static void
add_request(const struct exchange *x, struct out *o)
{
    const struct ern_request *q = &x->request;
    bool is_known = q->method < ERN_METHODS && !q->is_mandatory;

    add(o, "GATEWAY_INTERFACE", ERN_SLICE("CGI/1.1"));
    add(o, "SERVER_SOFTWARE", ERN_SLICE("earnest"));
    add(o, "REQUEST_METHOD", is_known ? ern_method_name(q->method) : q->method_text);
    add(o, "REQUEST_SCHEME", x->conn->tls ? ERN_SLICE("https") : ERN_SLICE("http"));
    if (x->conn->tls)
        add(o, "HTTPS", ERN_SLICE("on"));
    out_literal(o, "SERVER_PROTOCOL=HTTP/");
    out_u64(o, q->version_major);
    out_char(o, '.');
    out_u64(o, q->version_minor);
    out_char(o, '\0');
    add_uri(x, o);
    add(o, "QUERY_STRING", slice_is_there(q->query) ? q->query : ERN_SLICE(""));
    if (q->content_length >= 0)
        add_number(o, ERN_SLICE("CONTENT_LENGTH"), (uint64_t)q->content_length);
    if (ern_request_has(q, ERN_FIELD_content_type))
        add(o, "CONTENT_TYPE", ern_request_field(q, ERN_FIELD_content_type));
}

/* ---- the script --------------------------------------------------------------------------------
 */

static void
add_script(const struct exchange *x, const struct script_route *route, const struct script *s,
           struct out *o)
{
    struct ern_slice path = x->res.path;
    struct ern_slice route_path = slice_first(path, path.len - x->res.below.len);
    struct ern_slice folder = route->folder;

    add_joined(o, ERN_SLICE("SCRIPT_NAME"), route_path, s->name);
    add_joined(o, ERN_SLICE("SCRIPT_FILENAME"), folder, s->name);
    add(o, "PATH_INFO", s->info);
    if (s->info.len) /* RFC 3875 4.1.6 */
        add_joined(o, ERN_SLICE("PATH_TRANSLATED"), folder, s->info);
    add(o, "DOCUMENT_ROOT", folder);
    out_literal(o, "DOCUMENT_URI=");
    out_slice(o, route_path);
    out_slice(o, s->name);
    out_slice(o, s->info);
    out_char(o, '\0');
    add(o, "REDIRECT_STATUS", ERN_SLICE("200")); /* php-cgi runs nothing without it */
}

/* ---- who asks whom -----------------------------------------------------------------------------
 */

static void
add_ends(const struct exchange *x, struct out *o)
{
    union address here = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof here;
    struct ern_slice host = authority_host(x->request.authority);

    (void)getsockname(x->conn->fd, &here.any, &len);
    add_address(o, ERN_SLICE("REMOTE_ADDR"), &x->client);
    add_address(o, ERN_SLICE("REMOTE_HOST"),
                &x->client); /* RFC 3875 4.1.9: its name is not known */
    add_number(o, ERN_SLICE("REMOTE_PORT"), ntohs(x->client.v4.sin_port));
    add_address(o, ERN_SLICE("SERVER_ADDR"), &here);
    add_number(o, ERN_SLICE("SERVER_PORT"), ntohs(here.v4.sin_port));
    if (host.len)
        add(o, "SERVER_NAME", host);
    else
        add_address(o, ERN_SLICE("SERVER_NAME"), &here);
}

/* Who has said who he is, and how (RFC 3875 4.1.1, 4.1.11). */
static void
add_user(const struct exchange *x, struct out *o)
{
    struct ern_slice value = ern_request_field(&x->request, ERN_FIELD_authorization);

    if (!slice_is_there(x->res.user))
        return;
    add(o, "REMOTE_USER", x->res.user);
    if (slice_is_there(value))
        add(o, "AUTH_TYPE", slice_first(value, slice_find(value, ' ')));
}

/* ---- the fields --------------------------------------------------------------------------------
 */

/* Is the name one that stays what it is when it is written as a variable's (RFC 3875 4.1.18)? */
static bool
is_plain(struct ern_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!char_is(name.ptr[i], CHAR_ALPHA) && !char_is(name.ptr[i], CHAR_DIGIT) &&
            name.ptr[i] != '-')
            return false;
    return true;
}

/* What is said of the client by others is for those to say who are trusted. */
static bool
trusts_peer(const struct exchange *x)
{
    struct ip peer = address_ip(&x->conn->peer);

    return networks_have(x->worker->gateways, &peer);
}

static bool
goes_on(const struct exchange *x, const struct ern_field *f)
{
    switch (f->id) {
    case ERN_FIELD_content_type: /* they have variables of their own */
    case ERN_FIELD_host:
    case ERN_FIELD_expect: /* it is answered */
        return false;
    case ERN_FIELD_authorization: /* it was for us, if we have looked at it (RFC 3875 9.2) */
        return !x->route->policy.login;
    case ERN_FIELD_forwarded:
    case ERN_FIELD_x_forwarded_for:
    case ERN_FIELD_x_forwarded_host:
    case ERN_FIELD_x_forwarded_proto:
    case ERN_FIELD_early_data:
        return trusts_peer(x);
    default:
        return is_plain(f->name) && !slice_eq_nocase(f->name, ERN_SLICE("Proxy")) &&
               !hop_ends(&x->request, f);
    }
}

/* Is it the first with its name? */
static bool
is_first(const struct ern_request *q, unsigned at)
{
    for (unsigned i = 0; i < at; i++)
        if (slice_eq_nocase(q->fields[i].name, q->fields[at].name))
            return false;
    return true;
}

/* All lines of a field are one variable (RFC 3875 4.1.18). */
static void
add_field(const struct ern_request *q, unsigned at, struct out *o)
{
    struct ern_slice name = q->fields[at].name;
    bool is_cookie = slice_eq_nocase(name, ERN_SLICE("Cookie"));
    bool any = false;

    out_literal(o, "HTTP_");
    for (size_t i = 0; i < name.len; i++)
        out_char(o, name.ptr[i] == '-'                         ? '_'
                    : name.ptr[i] >= 'a' && name.ptr[i] <= 'z' ? (char)(name.ptr[i] - 'a' + 'A')
                                                               : name.ptr[i]);
    out_char(o, '=');
    for (unsigned i = at; i < q->fields_n; i++) {
        if (!slice_eq_nocase(q->fields[i].name, name))
            continue;
        out_text(o, !any ? "" : is_cookie ? "; " : ", ");
        out_slice(o, q->fields[i].value);
        any = true;
    }
    out_char(o, '\0');
}

void
environment_write(const struct exchange *x, const struct script_route *route,
                  const struct script *script, struct out *o)
{
    const struct ern_request *q = &x->request;

    add_request(x, o);
    add_script(x, route, script, o);
    add_ends(x, o);
    add_user(x, o);
    if (q->authority.len)
        add(o, "HTTP_HOST", q->authority);
    for (unsigned i = 0; i < q->fields_n; i++)
        if (goes_on(x, &q->fields[i]) && is_first(q, i))
            add_field(q, i, o);
}

bool
environment_next(struct ern_slice *block, struct ern_slice *ret_name, struct ern_slice *ret_value)
{
    size_t end = slice_find(*block, '\0'), equals;
    struct ern_slice variable = slice_first(*block, end);

    if (block->len == 0)
        return false;
    equals = slice_find(variable, '=');
    *ret_name = slice_first(variable, equals);
    *ret_value = slice_skip(variable, equals + 1);
    *block = slice_skip(*block, end + 1);
    return true;
}
