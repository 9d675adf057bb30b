/* SPDX-License-Identifier: Apache-2.0 */
/* check_users.c - do the users of a configuration make sense, and the routes that ask for them? */
#include "conf/make.h"

#include "conf/users.h"
#include "io/jwk.h"
#include "io/password.h"

/* Is there anything else that a user may log in by, so that only his groups need be said? */
static bool
has_other_logins(const struct conf *conf)
{
    return slice_is_there(conf->users) || slice_is_there(conf->digests) || conf->issuers_n > 0;
}

static void
check_user(struct maker *m, const struct conf_user *user)
{
    struct conf_position hash = user->place.given[CONF_user_password].value;

    if (slice_find(user->name, ':') < user->name.len)
        conf_wrong(m->errors, user->place.at,
                   CONF_SAY("the name \"%1\" holds a colon, which no client can send",
                            "write a name without (RFC 7617 2)", user->name));
    if (!slice_is_there(user->password) && (hash.line || !has_other_logins(m->conf)))
        conf_wrong(m->errors, hash.line ? hash : user->place.at,
                   CONF_SAY("the user \"%1\" has no password",
                            "write password = \"...\" with what earnest passwd prints",
                            user->name));
    else if (slice_is_there(user->password) && !password_is_hash(user->password.ptr))
        conf_wrong(m->errors, hash,
                   CONF_SAY("the password of \"%1\" is not a hash that is safe to keep",
                            "write what earnest passwd prints", user->name));
}

static void
check_issuer(struct maker *m, struct conf_issuer *issuer)
{
    const struct conf_texts *algorithms = &issuer->algorithms;

    issuer->accepts = algorithms->n ? 0 : 1 << JWK_RS256 | 1 << JWK_ES256 | 1 << JWK_EDDSA;
    for (size_t i = 0; i < algorithms->n; i++) {
        enum jwk_algorithm algorithm = jwk_algorithm_find(algorithms->text[i]);

        if (algorithm == JWK_ALGORITHMS)
            conf_wrong(m->errors, algorithms->at[i],
                       CONF_SAY("\"%1\" is not an algorithm that tokens may be signed by here",
                                "write some of RS256, ES256, EdDSA and HS256",
                                algorithms->text[i]));
        else
            issuer->accepts |= 1U << algorithm;
    }
    if (!slice_is_there(issuer->keys))
        conf_wrong(m->errors, issuer->place.at,
                   CONF_SAY("the issuer \"%1\" has no keys",
                            "write keys = \"...\" with a JSON Web Key Set (RFC 7517)",
                            issuer->name));
    if (issuer->audience.n == 0)
        conf_wrong(m->errors, issuer->place.at,
                   CONF_SAY("tokens of \"%1\" for any other server would be good here",
                            "write audience = \"...\" with the name that they have for this one",
                            issuer->name));
}

/* Is there what each scheme looks credentials up in? */
static const struct {
    struct ern_slice name;
    const char *what, *mend;
} schemes[] = {
    {{"basic", 5},
     "nobody can log in here: there are no users",
     "write user \"NAME\" { password = \"...\" } at the top of the file, or users = \"...\""},
    {{"digest", 6},
     "nobody can log in here by digest: there is no file for it",
     "write digests = \"...\" at the top of the file, with what earnest passwd --digest prints"},
    {{"bearer", 6},
     "no token is good here: there are no issuers",
     "write issuer \"URL\" { keys = \"...\" audience = \"...\" } at the top of the file"},
};

static bool
has_password(const struct conf *conf)
{
    for (size_t i = 0; i < conf->accounts_n; i++)
        if (slice_is_there(conf->accounts[i].password))
            return true;
    return false;
}

static void
check_scheme(struct maker *m, struct ern_slice name, struct conf_position at)
{
    const struct conf *conf = m->conf;
    const bool can[] = {has_password(conf) || slice_is_there(conf->users),
                        slice_is_there(conf->digests), conf->issuers_n > 0};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!slice_eq(name, schemes[i].name))
            continue;
        if (!can[i])
            conf_wrong(m->errors, at, CONF_SAY(schemes[i].what, schemes[i].mend, ERN_ABSENT));
        return;
    }
    conf_wrong(m->errors, at,
               CONF_SAY("\"%1\" is not a scheme that this server speaks",
                        "write some of \"basic\", \"digest\" and \"bearer\"", name));
}

static void
check_digest(struct maker *m, const struct conf_route *route)
{
    for (size_t i = 0; i < route->digest.n; i++) {
        struct ern_slice name = route->digest.text[i];

        if (users_algorithm(name) == CRYPTO_HASHES)
            conf_wrong(m->errors, route->digest.at[i],
                       CONF_SAY("\"%1\" is not an algorithm of Digest",
                                "write some of SHA-256, SHA-512-256 and MD5 (RFC 7616 3.3)", name));
        else if (slice_eq_nocase(name, ERN_SLICE("MD5")))
            conf_warn(m->errors, route->digest.at[i],
                      CONF_SAY("MD5 is broken: what is sent with it can be forged",
                               "leave it out, unless clients know no other", ERN_ABSENT));
    }
}

static bool
offers(const struct conf_route *route, struct ern_slice scheme)
{
    for (size_t i = 0; i < route->auth.n; i++)
        if (slice_eq(route->auth.text[i], scheme))
            return true;
    return false;
}

/* Who is asked for by a route that asks nobody who he is, or not by this scheme? */
static void
check_unasked(struct maker *m, const struct conf_route *route)
{
    static const struct {
        enum conf_option option;
        struct ern_slice scheme; /* absent: any */
    } rows[] = {
        {CONF_route_realm, {NULL, 0}},        {CONF_route_allow_users, {NULL, 0}},
        {CONF_route_allow_groups, {NULL, 0}}, {CONF_route_digest, {"digest", 6}},
        {CONF_route_scopes, {"bearer", 6}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_position at = route->place.given[rows[i].option].key;
        struct ern_slice scheme = rows[i].scheme;
        bool is_used = slice_is_there(scheme) ? offers(route, scheme) : route->auth.n > 0;

        if (at.line && !is_used)
            conf_wrong(m->errors, at,
                       CONF_SAY("this is for a route that asks clients who they are",
                                "write auth = \"%1\" beside it, or leave it out",
                                slice_is_there(scheme) ? scheme : ERN_SLICE("basic")));
    }
}

/* Reads what a right gives. */
static void
check_may(struct maker *m, struct conf_right *right)
{
    static const struct {
        struct ern_slice name;
        unsigned gives;
    } rows[] = {
        {{"read", 4}, CONF_MAY_READ},     {{"write", 5}, CONF_MAY_WRITE},
        {{"delete", 6}, CONF_MAY_DELETE}, {{"lock", 4}, CONF_MAY_LOCK},
        {{"admin", 5}, CONF_MAY_ADMIN},   {{"all", 3}, CONF_MAY_ALL},
    };
    enum { ROWS = sizeof rows / sizeof *rows };

    for (size_t i = 0; i < right->may.n; i++) {
        size_t row = 0;

        while (row < ROWS && !slice_eq(right->may.text[i], rows[row].name))
            row++;
        if (row < ROWS)
            right->gives |= rows[row].gives;
        else
            conf_wrong(m->errors, right->may.at[i],
                       CONF_SAY("\"%1\" is nothing that somebody may do",
                                "write some of read, write, delete, lock, admin, or all",
                                right->may.text[i]));
    }
}

static void
check_right(struct maker *m, const struct conf_route *route, struct conf_right *right)
{
    check_may(m, right);
    if (slice_is_there(right->path) && !slice_starts(right->path, ERN_SLICE("/")))
        conf_wrong(m->errors, right->place.at,
                   CONF_SAY("\"%1\" is not a path of the route",
                            "write \"/\" for all of it, or \"/%1\"", right->path));
    if (right->users.n + right->groups.n > 0 && route->auth.n == 0)
        conf_wrong(m->errors, right->place.at,
                   CONF_SAY("nobody is asked who he is here, so the right is nobody's",
                            "write auth = \"basic\" in the route, or leave users and groups out",
                            ERN_ABSENT));
}

static void
check_auth(struct maker *m, const struct conf_route *route)
{
    const struct conf_given *given = route->place.given;
    size_t n = route->auth.n;
    struct claim *claims = n ? memory_take(&m->scratch, n, sizeof *claims) : NULL;

    check_unasked(m, route);
    check_digest(m, route);
    for (size_t i = 0; i < route->rights_n; i++)
        check_right(m, route, &route->rights[i]);
    for (size_t i = 0; claims && i < n; i++) {
        check_scheme(m, route->auth.text[i], route->auth.at[i]);
        claims[i] = (struct claim){route->auth.text[i], route->auth.at[i]};
    }
    if (claims)
        check_claims(m, claims, n, "the scheme \"%1\" is there already");
    if (n == 0 && given[CONF_route_auth].key.line)
        conf_wrong(m->errors, given[CONF_route_auth].key,
                   CONF_SAY("there is no scheme in this list",
                            "write auth = \"basic\", or leave it out", ERN_ABSENT));
}

/* Who may ask through a proxy, which knows users and passwords alone. */
static void
check_forward_auth(struct maker *m, const struct conf_listen *listen)
{
    static const enum conf_option needs_auth[] = {CONF_forward_realm, CONF_forward_allow_users,
                                                  CONF_forward_allow_groups};
    const struct conf_given *given = listen->place.given;
    const struct conf_texts *auth = &listen->auth;

    for (size_t i = 0; auth->n == 0 && i < sizeof needs_auth / sizeof *needs_auth; i++)
        if (given[needs_auth[i]].key.line)
            conf_wrong(m->errors, given[needs_auth[i]].key,
                       CONF_SAY("this is for a proxy that asks clients who they are",
                                "write auth = \"basic\" beside it, or leave it out", ERN_ABSENT));
    for (size_t i = 0; i < auth->n; i++)
        if (slice_eq(auth->text[i], ERN_SLICE("basic")))
            check_scheme(m, auth->text[i], auth->at[i]);
        else
            conf_wrong(m->errors, auth->at[i],
                       CONF_SAY("\"%1\" is not a scheme that a proxy asks for here",
                                "write \"basic\"", auth->text[i]));
}

void
check_users(struct maker *m)
{
    const struct conf *conf = m->conf;
    size_t n = 0, all = conf->accounts_n;
    struct claim *claims = all ? memory_take(&m->scratch, all, sizeof *claims) : NULL;

    for (size_t i = 0; claims && i < all; i++) {
        const struct conf_user *user = &conf->accounts[i];

        check_user(m, user);
        if (slice_is_there(user->name))
            claims[n++] = (struct claim){user->name, user->place.at};
    }
    if (claims)
        check_claims(m, claims, n, "the user \"%1\" is there already");
    n = 0;
    claims = conf->issuers_n ? memory_take(&m->scratch, conf->issuers_n, sizeof *claims) : NULL;
    for (size_t i = 0; claims && i < conf->issuers_n; i++) {
        check_issuer(m, &conf->issuers[i]);
        if (slice_is_there(conf->issuers[i].name))
            claims[n++] = (struct claim){conf->issuers[i].name, conf->issuers[i].place.at};
    }
    if (claims)
        check_claims(m, claims, n, "the issuer \"%1\" is there already");
    for (size_t i = 0; i < conf->sites_n; i++)
        for (size_t j = 0; j < conf->sites[i].routes_n; j++)
            check_auth(m, &conf->sites[i].routes[j]);
    for (size_t i = 0; i < conf->listens_n; i++)
        if (conf->listens[i].forward)
            check_forward_auth(m, &conf->listens[i]);
}
