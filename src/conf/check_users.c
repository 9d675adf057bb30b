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

/* Where clients may be asked who they are: a route, or a proxy. */
struct door {
    const struct conf_given *given;
    const struct conf_texts *auth;
    enum conf_option option; /* that of auth */
    enum conf_option needs[3];
};

/* Who is asked for by a door that asks nobody who he is? */
static void
check_unasked(struct maker *m, const struct door *door)
{
    for (size_t i = 0; i < sizeof door->needs / sizeof *door->needs; i++) {
        struct conf_position at = door->given[door->needs[i]].key;

        if (at.line && door->auth->n == 0)
            conf_wrong(m->errors, at,
                       CONF_SAY("this is for a route that asks clients who they are",
                                "write auth = \"basic\" beside it, or leave it out", ERN_ABSENT));
    }
}

static void
check_auth(struct maker *m, const struct door *door)
{
    const struct conf_texts *auth = door->auth;
    struct conf_position at = door->given[door->option].key;

    check_unasked(m, door);
    for (size_t i = 0; i < auth->n; i++)
        if (!slice_eq(auth->text[i], ERN_SLICE("basic")))
            conf_wrong(m->errors, auth->at[i],
                       CONF_SAY("\"%1\" is not a scheme that this server speaks", "write \"basic\"",
                                auth->text[i]));
    if (auth->n == 0 && at.line)
        conf_wrong(m->errors, at,
                   CONF_SAY("there is no scheme in this list",
                            "write auth = \"basic\", or leave it out", ERN_ABSENT));
    else if (auth->n > 0 && m->conf->accounts_n == 0 && !slice_is_there(m->conf->users))
        conf_wrong(m->errors, at,
                   CONF_SAY("nobody can log in here: there are no users",
                            "write user \"NAME\" { password = \"...\" } at the top of the file, "
                            "or users = \"...\"",
                            ERN_ABSENT));
}

static void
check_doors(struct maker *m)
{
    const struct conf *conf = m->conf;

    for (size_t i = 0; i < conf->sites_n; i++)
        for (size_t j = 0; j < conf->sites[i].routes_n; j++) {
            const struct conf_route *route = &conf->sites[i].routes[j];

            check_auth(m, &(struct door){
                              route->place.given,
                              &route->auth,
                              CONF_route_auth,
                              {CONF_route_realm, CONF_route_allow_users, CONF_route_allow_groups}});
        }
    for (size_t i = 0; i < conf->listens_n; i++) {
        const struct conf_listen *listen = &conf->listens[i];

        if (listen->forward)
            check_auth(m, &(struct door){listen->place.given,
                                         &listen->auth,
                                         CONF_forward_auth,
                                         {CONF_forward_realm, CONF_forward_allow_users,
                                          CONF_forward_allow_groups}});
    }
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
    check_doors(m);
}
