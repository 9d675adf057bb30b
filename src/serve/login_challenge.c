/* SPDX-License-Identifier: Apache-2.0 */
/* login_challenge.c - what a client is told of logging in: WWW-Authenticate, and what answers to
 * those who did have besides. */
#include "serve/conn.h"
#include "serve/login_parts.h"
#include "wire/h1_write.h"

struct ern_slice
login_realm(const struct conf_route *route)
{
    return slice_is_there(route->realm) ? route->realm : route->path;
}

/* RFC 7617 2 */
static void
write_basic(struct exchange *x, struct out *o)
{
    out_literal(o, "Basic realm=");
    out_quoted(o, login_realm(x->route->policy.login));
    out_literal(o, ", charset=\"UTF-8\""); /* RFC 7617 2.1 */
}

/* RFC 7616 3.3 */
static void
write_digest(struct exchange *x, struct out *o, struct ern_slice algorithm)
{
    struct worker *w = x->worker;

    out_literal(o, "Digest realm=");
    out_quoted(o, login_realm(x->route->policy.login));
    out_literal(o, ", qop=\"auth\", algorithm=");
    out_slice(o, users_algorithm_name(users_algorithm(algorithm)));
    out_literal(o, ", nonce=\"");
    nonces_write(w->logins->nonces, w->now.unix_s, o);
    out_literal(o, "\", charset=UTF-8, userhash=true");
    if (x->login && x->login->stage == LOGIN_STALE)
        out_literal(o, ", stale=true");
}

/* RFC 6750 3 */
static void
write_bearer(struct exchange *x, struct out *o, const char *error, struct ern_slice description)
{
    const struct conf_texts *scopes = &x->route->policy.login->scopes;

    out_literal(o, "Bearer realm=");
    out_quoted(o, login_realm(x->route->policy.login));
    for (size_t i = 0; i < scopes->n; i++) {
        out_text(o, i ? " " : ", scope=\"");
        out_slice(o, scopes->text[i]);
    }
    if (scopes->n)
        out_char(o, '"');
    if (!error)
        return;
    out_literal(o, ", error=\"");
    out_text(o, error);
    out_literal(o, "\", error_description=");
    out_quoted(o, description);
}

/* Keeps one challenge. The first is evidence; each of the others has a line of its own, for there
 * are clients that read no more than one of a line. */
static bool
keep(struct exchange *x, struct out *o)
{
    struct ern_slice *first = &x->decision.evidence.challenge;

    if (slice_is_there(*first)) {
        out_literal(o, "\r\n");
        return !o->full;
    }
    *first = arena_keep(&x->arena, o);
    *o = arena_out(&x->arena);
    return slice_is_there(*first);
}

static void
begin_line(const struct exchange *x, struct out *o)
{
    if (slice_is_there(x->decision.evidence.challenge))
        out_text(o, x->route->policy.is_proxy ? "Proxy-Authenticate: " : "WWW-Authenticate: ");
}

/* All challenges of one scheme. */
static bool
write_scheme(struct exchange *x, struct out *o, struct ern_slice scheme)
{
    const struct conf_texts *digest = &x->route->policy.login->digest;
    const struct login *login = x->login;
    bool is_wrong = login && login->stage == LOGIN_WRONG && login->scheme == LOGIN_BEARER;
    bool fits = true;

    if (slice_eq(scheme, ERN_SLICE("digest"))) {
        for (size_t i = 0; fits && i < digest->n; i++) {
            begin_line(x, o);
            write_digest(x, o, digest->text[i]);
            fits = keep(x, o);
        }
        return fits;
    }
    begin_line(x, o);
    if (slice_eq(scheme, ERN_SLICE("basic")))
        write_basic(x, o);
    else
        write_bearer(x, o, is_wrong ? "invalid_token" : NULL,
                     is_wrong ? jwt_fault_text(login->fault) : ERN_ABSENT);
    return keep(x, o);
}

bool
login_challenge(struct exchange *x)
{
    const struct conf_texts *names = &x->route->policy.login->auth;
    struct out o = arena_out(&x->arena);
    bool fits = true;

    x->decision.evidence.challenge = ERN_ABSENT;
    for (size_t i = 0; fits && i < names->n; i++)
        fits = write_scheme(x, &o, names->text[i]);
    x->res.fields = arena_keep(&x->arena, &o);
    return fits && slice_is_there(x->decision.evidence.challenge) && slice_is_there(x->res.fields);
}

enum ern_answer
login_allows(struct exchange *x)
{
    struct out o = arena_out(&x->arena);

    if (!x->login || x->login->stage != LOGIN_RIGHT || x->login->scheme != LOGIN_BEARER ||
        x->login->is_enough)
        return ERN_YES;
    if (!x->route->policy.hide) {
        write_bearer(x, &o, "insufficient_scope", ERN_SLICE("the token is good, but for less"));
        x->decision.evidence.challenge = arena_keep(&x->arena, &o);
    }
    return ERN_NO;
}

/* rfc9111#3.5 "A shared cache MUST NOT use a cached response to a request with an Authorization
 * header field" unless the answer says so; this says that it does not, whatever else is said. There
 * is no Vary: Authorization, for its definition limits what is done with an answer (RFC
 * 9110 12.5.5). */
void
login_write_fields(const struct exchange *x, struct out *o)
{
    if (!slice_is_there(x->known.name))
        return;
    out_literal(o, "Cache-Control: private\r\n");
    if (x->login && slice_is_there(x->login->info))
        h1_write_field(o, ERN_SLICE("Authentication-Info"), x->login->info);
}
