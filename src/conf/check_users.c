/* SPDX-License-Identifier: Apache-2.0 */
/* check_users.c - do the users of a configuration make sense, and the routes that ask for them? */
#include "conf/make.h"

#include "conf/users.h"
#include "io/password.h"

static void
check_user(struct maker *m, const struct conf_user *user)
{
    struct conf_position hash = user->place.given[CONF_user_password].value;

    if (slice_find(user->name, ':') < user->name.len)
        conf_wrong(m->errors, user->place.at,
                   CONF_SAY("the name \"%1\" holds a colon, which no client can send",
                            "write a name without (RFC 7617 2)", user->name));
    if (!slice_is_there(user->password))
        conf_wrong(m->errors, hash.line ? hash : user->place.at,
                   CONF_SAY("the user \"%1\" has no password",
                            "write password = \"...\" with what earnest passwd prints",
                            user->name));
    else if (!password_is_hash(user->password.ptr))
        conf_wrong(m->errors, hash,
                   CONF_SAY("the password of \"%1\" is not a hash that is safe to keep",
                            "write what earnest passwd prints", user->name));
}

/* Who is asked for by a route that asks nobody who he is? */
static void
check_unasked(struct maker *m, const struct conf_route *route)
{
    static const enum conf_option needs_auth[] = {CONF_route_realm, CONF_route_allow_users,
                                                  CONF_route_allow_groups};

    for (size_t i = 0; i < sizeof needs_auth / sizeof *needs_auth; i++) {
        struct conf_position at = route->place.given[needs_auth[i]].key;

        if (at.line && route->auth.n == 0)
            conf_wrong(m->errors, at,
                       CONF_SAY("this is for a route that asks clients who they are",
                                "write auth = \"basic\" beside it, or leave it out", ERN_ABSENT));
    }
}

static void
check_auth(struct maker *m, const struct conf_route *route)
{
    const struct conf_given *given = route->place.given;

    check_unasked(m, route);
    for (size_t i = 0; i < route->auth.n; i++)
        if (!slice_eq(route->auth.text[i], ERN_SLICE("basic")))
            conf_wrong(m->errors, route->auth.at[i],
                       CONF_SAY("\"%1\" is not a scheme that this server speaks", "write \"basic\"",
                                route->auth.text[i]));
    if (route->auth.n == 0 && given[CONF_route_auth].key.line)
        conf_wrong(m->errors, given[CONF_route_auth].key,
                   CONF_SAY("there is no scheme in this list",
                            "write auth = \"basic\", or leave it out", ERN_ABSENT));
    else if (route->auth.n > 0 && m->conf->accounts_n == 0 && !slice_is_there(m->conf->users))
        conf_wrong(m->errors, given[CONF_route_auth].key,
                   CONF_SAY("nobody can log in here: there are no users",
                            "write user \"NAME\" { password = \"...\" } at the top of the file, "
                            "or users = \"...\"",
                            ERN_ABSENT));
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
    for (size_t i = 0; i < conf->sites_n; i++)
        for (size_t j = 0; j < conf->sites[i].routes_n; j++)
            check_auth(m, &conf->sites[i].routes[j]);
}
