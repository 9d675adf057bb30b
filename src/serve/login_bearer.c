/* SPDX-License-Identifier: Apache-2.0 */
/* login_bearer.c - Bearer (RFC 6750): a token that somebody else has signed (RFC 7519). */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "msg/credentials.h"
#include "serve/complain.h"
#include "serve/conn.h"
#include "serve/login_parts.h"

struct issuer {
    struct jwt_rules rules;
    const char *path;     /* of its keys */
    pthread_mutex_t lock; /* of what follows: two threads look at tokens */
    struct stat read;     /* the file, when they were read */
    struct jwk_set *keys;
};

struct issuers {
    struct issuer *issuer;
    size_t n;
    atomic_uint generation;
};

/* ---- keys --------------------------------------------------------------------------------------
 */

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads the keys if the file has changed; those that were there stay if it can not be read. */
static int
refresh(struct issuers *all, struct issuer *issuer)
{
    struct jwk_set *keys;
    struct stat now;
    int error;

    if (stat(issuer->path, &now) < 0)
        return -errno;
    if (is_same(&now, &issuer->read))
        return 0;
    issuer->read = now;
    error = jwk_set_read(issuer->path, &keys);
    if (error)
        return complain(issuer->path, error);
    jwk_set_free(issuer->keys);
    issuer->keys = keys;
    all->generation++;
    return 0;
}

static int
issuer_init(struct issuers *all, const struct conf_issuer *from, struct issuer *to)
{
    int error;

    *to = (struct issuer){
        .rules = {.issuer = from->name,
                  .audience = from->audience.text,
                  .audience_n = from->audience.n,
                  .algorithms = from->accepts},
        .path = from->keys.ptr,
    };
    error = -pthread_mutex_init(&to->lock, NULL);
    return error ? error : refresh(all, to);
}

int
issuers_new(const struct conf *conf, struct issuers **ret_issuers)
{
    struct issuers *all = calloc(1, sizeof *all);
    int error = all ? 0 : -ENOMEM;

    *ret_issuers = all;
    if (!error && conf->issuers_n > 0) {
        all->issuer = calloc(conf->issuers_n, sizeof *all->issuer);
        error = all->issuer ? 0 : -ENOMEM;
    }
    while (!error && all->n < conf->issuers_n) {
        error = issuer_init(all, &conf->issuers[all->n], &all->issuer[all->n]);
        all->n++;
    }
    return error;
}

void
issuers_free(struct issuers *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++) {
        jwk_set_free(all->issuer[i].keys);
        (void)pthread_mutex_destroy(&all->issuer[i].lock);
    }
    free(all->issuer);
    free(all);
}

unsigned
issuers_generation(const struct issuers *all)
{
    return atomic_load_explicit(&all->generation, memory_order_relaxed);
}

/* ---- tokens ------------------------------------------------------------------------------------
 */

static struct issuer *
find_issuer(const struct issuers *all, struct ern_slice token)
{
    struct jwt_text name = jwt_issuer(token);
    struct issuer *found = NULL;

    for (size_t i = 0; name.ptr && !found && i < all->n; i++)
        if (slice_eq(slice_from(name.ptr, name.len), all->issuer[i].rules.issuer))
            found = &all->issuer[i];
    free(name.ptr);
    return found;
}

/* Has the token all scopes that the route wants? */
static bool
is_enough(const struct conf_texts *scopes, const struct jwt *jwt)
{
    for (size_t i = 0; i < scopes->n; i++)
        if (!jwt_scope_has(slice_from(jwt->scope.ptr, jwt->scope.len), scopes->text[i]))
            return false;
    return true;
}

static void
take(struct login *login, const struct jwt *jwt)
{
    const struct exchange *x = login->exchange;
    static const struct conf_texts no_groups;
    const struct user *user;

    memcpy(login->name, jwt->subject.ptr, jwt->subject.len);
    login->named = slice_from(login->name, jwt->subject.len);
    user = users_find(x->worker->logins->users, login->named);
    login->groups = user ? user->groups : &no_groups;
    login->until_s = jwt->until_s;
    login->is_enough = is_enough(&x->route->policy.login->scopes, jwt);
    login->matches = true;
}

void
login_verify(struct login *login)
{
    const struct exchange *x = login->exchange;
    struct issuers *all = x->worker->logins->issuers;
    struct issuer *issuer = find_issuer(all, login->secret);
    struct jwt jwt;

    login->fault = JWT_CLAIMS;
    login->is_forged = true;
    if (!issuer)
        return;
    (void)pthread_mutex_lock(&issuer->lock);
    (void)refresh(all, issuer);
    login->fault = jwt_read(login->secret, &issuer->rules, issuer->keys, x->res.now.unix_s, &jwt);
    (void)pthread_mutex_unlock(&issuer->lock);
    login->is_forged = login->fault < JWT_CLAIMS;
    if (login->fault != JWT_FINE)
        return;
    take(login, &jwt);
    jwt_done(&jwt);
}

int64_t
login_bearer(struct login *login, struct ern_slice rest)
{
    int64_t wait_s;

    if (!credentials_is_token68(rest))
        return -1;
    login->secret = rest;
    if (!login_must_wait(login, ERN_SLICE(""), &wait_s))
        login->stage = LOGIN_NEW;
    return wait_s;
}
