/* SPDX-License-Identifier: Apache-2.0 */
/* login_digest.c - Digest (RFC 7616): who knows the secret can say so without telling it. */
#include "decide/given.h"
#include "res/digest_auth.h"
#include "serve/conn.h"
#include "serve/login_parts.h"

/* What of a target is compared: without scheme and authority, which a proxy may take away. */
static struct ern_slice
path_of(struct ern_slice target)
{
    size_t at = slice_find(target, ':');

    if (at + 2 >= target.len || target.ptr[0] == '/' || target.ptr[at + 1] != '/' ||
        target.ptr[at + 2] != '/')
        return target;
    target = slice_skip(target, at + 3);
    at = slice_find(target, '/');
    return at < target.len ? slice_skip(target, at) : ERN_SLICE("/");
}

/* May it be asked for by this route: an algorithm that it offers, its realm, with qop=auth? */
static bool
is_offered(const struct conf_route *route, const struct digest *d, enum crypto_hash *ret)
{
    /* RFC 7616 3.4: without a name it is MD5. */
    *ret = slice_is_there(d->algorithm) ? users_algorithm(d->algorithm) : CRYPTO_MD5;
    if (!slice_eq(d->realm, login_realm(route)) || !slice_eq_nocase(d->qop, ERN_SLICE("auth")))
        return false;
    for (size_t i = 0; i < route->digest.n; i++)
        if (users_algorithm(route->digest.text[i]) == *ret)
            return true;
    return false;
}

/* H(A1), which is kept as digits. */
static struct ern_slice
secret_of(const char *a1, enum crypto_hash algorithm)
{
    return slice_from(a1, algorithm == CRYPTO_MD5 ? 32 : CRYPTO_HEX_BYTES);
}

/* Authentication-Info (RFC 7616 3.5): we know the secret, too; and, in the second half of the
 * nonce's time, the next one. */
static void
write_info(struct login *login, const struct digest *d, enum crypto_hash algorithm, const char *a1,
           bool is_old)
{
    struct exchange *x = login->exchange;
    struct worker *w = x->worker;
    struct out o = arena_out(&x->arena);
    struct digest_hex hex;

    out_literal(&o, "rspauth=\"");
    out_slice(&o, digest_response(d, algorithm, secret_of(a1, algorithm), ERN_SLICE(""), ERN_ABSENT,
                                  &hex));
    out_literal(&o, "\", qop=auth, nc=");
    out_slice(&o, d->nc);
    out_literal(&o, ", cnonce=");
    out_quoted(&o, d->cnonce);
    if (is_old) {
        out_literal(&o, ", nextnonce=\"");
        nonces_write(w->logins->nonces, w->now.unix_s, &o);
        out_char(&o, '"');
    }
    login->info = arena_keep(&x->arena, &o);
}

/* Is what was sent right, and was it not sent before? */
static void
judge(struct login *login, const struct digest *d, enum crypto_hash algorithm)
{
    struct exchange *x = login->exchange;
    struct worker *w = x->worker;
    struct logins *l = w->logins;
    struct ern_slice realm = login_realm(x->route->policy.login), wanted;
    const struct secret *secret = d->userhash
                                      ? users_secret_hashed(l->users, algorithm, realm, d->user)
                                      : users_secret(l->users, algorithm, realm, d->user);
    const char *a1 = secret ? secret->a1 : l->stranger;
    struct nonce nonce;
    struct digest_hex hex;
    bool is_right;

    wanted = digest_response(d, algorithm, secret_of(a1, algorithm), x->request.method_text,
                             ERN_ABSENT, &hex);
    is_right = wanted.len == d->response.len &&
               crypto_same(wanted.ptr, d->response.ptr, wanted.len) && secret;
    login->named = secret ? secret->name : ERN_ABSENT;
    login->groups = secret ? secret->groups : NULL;
    if (!is_right) {
        login->stage = LOGIN_WRONG;
        tries_fail(l->tries, login->keys, w->now.run_ms);
    } else if (!nonces_read(l->nonces, d->nonce, w->now.unix_s, &nonce) ||
               nonce.age_s > l->nonce_valid_s ||
               !nonces_use(l->nonces, nonce.number, digest_count(d->nc))) {
        login->stage = LOGIN_STALE;
    } else {
        login->stage = LOGIN_RIGHT;
        tries_succeed(l->tries, login->keys);
        write_info(login, d, algorithm, a1, nonce.age_s > l->nonce_valid_s / 2);
    }
}

int64_t
login_digest(struct login *login, struct ern_slice rest)
{
    struct exchange *x = login->exchange;
    struct out o = arena_out(&x->arena);
    enum crypto_hash algorithm;
    struct digest d;
    int64_t wait_s;

    if (!credentials_digest(rest, &o, &d) || !slice_is_there(arena_keep(&x->arena, &o)) ||
        !is_offered(x->route->policy.login, &d, &algorithm))
        return -1;
    if (!slice_eq(path_of(d.uri), path_of(x->request.target))) {
        x->finding = FINDING_digest_uri;
        given_finding(&x->given, x->finding);
        return -1;
    }
    if (!login_must_wait(login, d.user, &wait_s))
        judge(login, &d, algorithm);
    return wait_s;
}
