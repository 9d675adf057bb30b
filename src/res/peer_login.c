/* SPDX-License-Identifier: Apache-2.0 */
/* peer_login.c - who asks, by the schemes Basic (RFC 7617), Bearer (RFC 6750) and Digest (RFC
 * 7616); user and password stand in the path. */
#include "base/num.h"
#include "res/digest_auth.h"
#include "res/peer_parts.h"

#define REALM "peer"

enum { NONCE_SECONDS = 5 * 60 };

enum { QOP, USER, PASSWORD, ALGORITHM, STALE_AFTER }; /* of a path of Digest */

static bool
is_basic(const struct ern_decision *d, const struct peer_call *call, const struct credentials *c)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena); /* not kept */
    struct ern_slice user, password;

    return slice_eq_nocase(c->scheme, ERN_SLICE("Basic")) &&
           credentials_basic(c->rest, &o, &user, &password) && slice_eq(user, call->text[0]) &&
           slice_eq(password, call->text[1]);
}

static bool
is_bearer(const struct credentials *c)
{
    return slice_eq_nocase(c->scheme, ERN_SLICE("Bearer")) && credentials_is_token68(c->rest);
}

/* ---- Digest -----------------------------------------------------------------------------------*/

static const struct ern_slice algorithms[CRYPTO_HASHES] = {
    [CRYPTO_SHA256] = {"SHA-256", 7},
    [CRYPTO_SHA512_256] = {"SHA-512-256", 11},
    [CRYPTO_MD5] = {"MD5", 3},
};

/* RFC 7616 3.4: without a name it is MD5. CRYPTO_HASHES: there is none. */
static enum crypto_hash
algorithm_of(struct ern_slice name)
{
    unsigned i = 0;

    if (!slice_is_there(name))
        return CRYPTO_MD5;
    while (i < CRYPTO_HASHES && !slice_eq_nocase(algorithms[i], name))
        i++;
    return (enum crypto_hash)i;
}

static bool
is_qop(struct ern_slice text)
{
    return slice_eq(text, ERN_SLICE("auth")) || slice_eq(text, ERN_SLICE("auth-int"));
}

/* After how many requests a nonce is stale. Returns false if the path says nothing that can be. */
static bool
stale_after(const struct peer_call *call, uint64_t *ret)
{
    struct ern_slice text = call->text[STALE_AFTER];

    *ret = UINT32_MAX;
    return !slice_is_there(text) || slice_eq(text, ERN_SLICE("never")) ||
           u64_parse(text, UINT32_MAX, ret);
}

/* Is the response right? It is read from the content only where there is none: qop=auth-int with
 * content would have to wait for it. */
static bool
is_right(const struct ern_decision *d, const struct peer_call *call, const struct digest *g)
{
    enum crypto_hash algorithm = algorithm_of(call->text[ALGORITHM]);
    const struct ern_slice *qop = &call->text[QOP];
    bool covers = slice_eq(g->qop, ERN_SLICE("auth-int"));
    struct digest_hex secret_hex, hex;
    struct ern_slice secret, wanted;

    if (g->userhash || !slice_eq(g->user, call->text[USER]) ||
        !slice_eq(g->realm, ERN_SLICE(REALM)) || !slice_eq(g->uri, d->request->target) ||
        algorithm_of(g->algorithm) != algorithm || !is_qop(g->qop) ||
        (is_qop(*qop) && !slice_eq(*qop, g->qop)) ||
        (covers && (d->request->chunked || d->request->content_length > 0)))
        return false;
    secret = digest_secret(algorithm, g->user, g->realm, call->text[PASSWORD], &secret_hex);
    wanted = digest_response(g, algorithm, secret, d->request->method_text,
                             covers ? ERN_SLICE("") : ERN_ABSENT, &hex);
    return wanted.len == g->response.len && crypto_same(wanted.ptr, g->response.ptr, wanted.len);
}

/* Was the nonce given lately, and not been used with this count, nor too often? */
static bool
is_fresh(const struct ern_decision *d, const struct peer_call *call, const struct digest *g)
{
    const struct res_request *request = d->self;
    const struct peer_route *route = request->route;
    uint32_t count = digest_count(g->nc);
    struct nonce nonce;
    uint64_t most;

    return stale_after(call, &most) && count <= most &&
           nonces_read(route->nonces, g->nonce, d->now_s, &nonce) && nonce.age_s <= NONCE_SECONDS &&
           nonces_use(route->nonces, nonce.number, count);
}

static bool
challenge(struct ern_decision *d, const struct peer_call *call, bool is_stale)
{
    struct res_request *request = d->self;
    const struct peer_route *route = request->route;
    struct out o = arena_out(request->arena);

    out_literal(&o, "Digest realm=\"" REALM "\", nonce=\"");
    nonces_write(route->nonces, d->now_s, &o);
    out_literal(&o, "\", qop=\"");
    out_slice(&o, is_qop(call->text[QOP]) ? call->text[QOP] : ERN_SLICE("auth, auth-int"));
    out_literal(&o, "\", algorithm=");
    out_slice(&o, algorithms[algorithm_of(call->text[ALGORITHM])]);
    out_text(&o, is_stale ? ", stale=true" : "");
    d->evidence.challenge = arena_keep(request->arena, &o);
    return slice_is_there(d->evidence.challenge);
}

static enum ern_answer
ask_digest(struct ern_decision *d, const struct peer_call *call, const struct credentials *c)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);
    bool right = false;
    struct digest g;

    if (c && slice_eq_nocase(c->scheme, ERN_SLICE("Digest")) &&
        credentials_digest(c->rest, &o, &g) && slice_is_there(arena_keep(request->arena, &o)))
        right = is_right(d, call, &g);
    if (right && is_fresh(d, call, &g))
        return ERN_YES;
    return challenge(d, call, right) ? ERN_NO : ERN_FAIL;
}

/* ---- facts ------------------------------------------------------------------------------------*/

static enum ern_answer
ask_authenticated(struct ern_decision *d, const struct peer_call *call, const struct credentials *c)
{
    bool bearer = call->row->act == PEER_bearer;

    if (call->row->act == PEER_hidden)
        return ERN_YES;
    if (call->row->act == PEER_digest)
        return ask_digest(d, call, c);
    if (c && (bearer ? is_bearer(c) : is_basic(d, call, c)))
        return ERN_YES;
    d->evidence.challenge =
        bearer ? ERN_SLICE("Bearer realm=\"" REALM "\"") : ERN_SLICE("Basic realm=\"" REALM "\"");
    return ERN_NO;
}

/* Who is known is told so, as httpbin does. */
static bool
greet(struct ern_decision *d, const struct peer_call *call, const struct credentials *c)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);
    struct ern_slice user = call->text[call->row->act == PEER_digest ? USER : 0];

    out_literal(&o, "{\"authenticated\":true,");
    if (call->row->act == PEER_bearer && c)
        peer_write_member(&o, "token", c->rest);
    else
        peer_write_member(&o, "user", user);
    out_literal(&o, "}\n");
    return peer_represent(d, arena_keep(request->arena, &o), PEER_JSON);
}

enum ern_answer
peer_login_ask(struct ern_decision *d, const struct peer_call *call, enum ern_fact fact)
{
    bool digest = call->row->act == PEER_digest, has;
    struct credentials credentials;
    uint64_t most;

    has = credentials_read(ern_request_field(d->request, ERN_FIELD_authorization), &credentials);
    if (digest &&
        (algorithm_of(call->text[ALGORITHM]) == CRYPTO_HASHES || !stale_after(call, &most)))
        return fact == ERN_FACT_exists ? ERN_NO : peer_fallback(fact);
    if (fact == ERN_FACT_authenticated)
        return ask_authenticated(d, call, has ? &credentials : NULL);
    if (fact == ERN_FACT_exists)
        return peer_answer(greet(d, call, has ? &credentials : NULL));
    /* What is hidden from whom it is not for is not there (RFC 9110 15.5.4). */
    if (fact == ERN_FACT_permitted && call->row->act == PEER_hidden)
        return peer_answer(has && is_basic(d, call, &credentials));
    if (fact == ERN_FACT_hidden)
        return peer_answer(call->row->act == PEER_hidden);
    return peer_fallback(fact);
}
