/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/login.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "io/crypto.h"
#include "io/password.h"
#include "msg/credentials.h"
#include "serve/conn.h"

enum {
    HASHERS = 2,     /* threads that hash */
    GIVES_WAY = 10,  /* their niceness */
    REMEMBERED = 256 /* credentials of one thread */
};

_Static_assert(sizeof((struct login *)0)->mac == CRYPTO_BYTES, "a MAC fits");

struct logins {
    struct users *users;
    struct tries *tries;
    struct pool *pool;
    atomic_int_fast64_t waiting; /* passwords that wait or are hashed */
    unsigned char key[CRYPTO_BYTES];
    char stranger[PASSWORD_HASH_BYTES]; /* a hash for the names that nobody has */
};

struct remembered {
    struct memory_of {
        unsigned char mac[CRYPTO_BYTES];
        const struct user *user; /* NULL: free */
        int64_t until_ms;
    } slots[REMEMBERED];
};

/* ---- shared by all threads ---------------------------------------------------------------------
 */

/* A name that nobody has costs as much as one that somebody has: it is hashed as the first user's.
 */
static int
make_stranger(struct logins *l)
{
    struct out o = out_init(l->stranger, sizeof l->stranger);

    if (l->users->n == 0)
        return password_hash(ERN_SLICE("nobody"), l->stranger);
    out_text(&o, l->users->user[0].hash);
    out_char(&o, '\0');
    return o.full ? -EINVAL : 0;
}

int
logins_open(const struct conf *conf, struct hash_key key, struct logins **ret_logins)
{
    struct logins *l;
    struct users_fault fault;
    int error;

    if (conf->accounts_n == 0 && !slice_is_there(conf->users))
        return 0;
    l = calloc(1, sizeof *l);
    *ret_logins = l;
    if (!l)
        return -ENOMEM;
    error = users_new(conf, &l->users, &fault);
    if (!error)
        error = make_stranger(l);
    if (error)
        return error;
    if (getrandom(l->key, sizeof l->key, 0) != sizeof l->key)
        return -EIO;
    l->tries = tries_new(conf->limits.logins_failed_max, key);
    if (!l->tries)
        return -ENOMEM;
    /* Threads may pass login_has_room() together: each then brings one more. */
    return pool_open(HASHERS, 2 * conf->limits.login_queue_max + 1024, &l->pool);
}

void
logins_stop(struct logins *l)
{
    if (!l)
        return;
    pool_close(l->pool);
    l->pool = NULL;
}

void
logins_free(struct logins *l)
{
    if (!l)
        return;
    logins_stop(l);
    tries_free(l->tries);
    users_free(l->users);
    explicit_bzero(l, sizeof *l);
    free(l);
}

/* ---- what a thread remembers -------------------------------------------------------------------
 */

struct remembered *
remembered_new(void)
{
    return calloc(1, sizeof(struct remembered));
}

void
remembered_free(struct remembered *r)
{
    free(r);
}

static struct memory_of *
slot_of(const struct login *login)
{
    return &login->exchange->worker->remembered->slots[login->mac[0] % REMEMBERED];
}

static bool
is_remembered(const struct login *login)
{
    const struct memory_of *slot = slot_of(login);

    return slot->user && login->exchange->worker->now.run_ms < slot->until_ms &&
           crypto_same(slot->mac, login->mac, sizeof slot->mac);
}

static void
remember(const struct login *login)
{
    const struct worker *w = login->exchange->worker;
    struct memory_of *slot = slot_of(login);

    memcpy(slot->mac, login->mac, sizeof slot->mac);
    slot->user = login->user;
    slot->until_ms = w->now.run_ms + w->limits->login_valid_ms;
}

/* ---- the credentials ---------------------------------------------------------------------------
 */

/* One field says who asks (RFC 9110 11.6.2, 11.7.2); several could mean several users. */
static bool
only_authorization(const struct exchange *x, struct ern_slice *ret_value)
{
    enum ern_field_id id =
        x->route->policy.is_proxy ? ERN_FIELD_proxy_authorization : ERN_FIELD_authorization;
    struct ern_slice another;
    uint16_t at = 0;

    return ern_request_next(&x->request, id, &at, ret_value) &&
           !ern_request_next(&x->request, id, &at, &another);
}

static void
read_basic(struct login *login, struct ern_slice rest)
{
    struct exchange *x = login->exchange;
    struct logins *l = x->worker->logins;
    struct out o = arena_out(&x->arena);
    struct ip client = address_ip(&x->client);
    struct ern_slice name;

    if (!credentials_basic(rest, &o, &name, &login->password) ||
        !slice_is_there(arena_keep(&x->arena, &o)))
        return;
    crypto_mac(l->key, rest, login->mac);
    login->user = users_find(l->users, name);
    login->keys = tries_keys(l->tries, &client, name);
    login->stage = login->user && is_remembered(login) ? LOGIN_RIGHT : LOGIN_NEW;
}

int64_t
login_wait_s(struct exchange *x)
{
    struct login *login = arena_take(&x->arena, sizeof *login);
    struct credentials credentials;
    struct ern_slice value;
    int64_t ms;

    if (!login)
        return -1; /* and login_ask() fails */
    *login = (struct login){.exchange = x};
    x->login = login;
    if (only_authorization(x, &value) && credentials_read(value, &credentials) &&
        slice_eq_nocase(credentials.scheme, ERN_SLICE("Basic")))
        read_basic(login, credentials.rest);
    if (login->stage != LOGIN_NEW)
        return -1;
    ms = tries_wait_ms(x->worker->logins->tries, login->keys, x->worker->now.run_ms);
    return ms > 0 ? (ms + 999) / 1000 : -1;
}

bool
login_has_room(const struct exchange *x)
{
    const struct worker *w = x->worker;

    return !x->login || x->login->stage != LOGIN_NEW ||
           atomic_load(&w->logins->waiting) < w->limits->login_queue_max;
}

/* ---- the password ------------------------------------------------------------------------------
 */

static void
hash(struct job *job)
{
    struct login *login = (struct login *)job;
    struct logins *l = login->exchange->worker->logins;
    bool matches;

    (void)setpriority(PRIO_PROCESS, 0, GIVES_WAY); /* of this thread */
    matches = password_matches(login->password, login->user ? login->user->hash : l->stranger);
    login->matches = matches && login->user;
    explicit_bzero((char *)(uintptr_t)login->password.ptr, login->password.len);
    l->waiting--;
}

static void
hashed(struct job *job)
{
    struct login *login = (struct login *)job;
    struct exchange *x = login->exchange;
    struct worker *w = x->worker;

    login->stage = login->matches ? LOGIN_RIGHT : LOGIN_WRONG;
    if (login->matches) {
        remember(login);
        tries_succeed(w->logins->tries, login->keys);
    } else {
        tries_fail(w->logins->tries, login->keys, w->now.run_ms);
    }
    x->res.resume(&x->res);
}

enum ern_answer
login_ask(struct exchange *x)
{
    struct login *login = x->login;
    struct logins *l = x->worker->logins;

    if (!login)
        return ERN_FAIL;
    if (login->stage == LOGIN_NEW) {
        login->job = (struct job){.mailbox = &x->worker->mailbox, .run = hash, .done = hashed};
        login->stage = LOGIN_ASKED;
        l->waiting++;
        if (pool_submit(l->pool, &login->job))
            return ERN_WAIT;
        l->waiting--;
        return ERN_FAIL;
    }
    if (login->stage != LOGIN_RIGHT)
        return ERN_NO;
    x->res.user = login->user->name;
    return ERN_YES;
}

struct ern_slice
login_challenge(struct exchange *x)
{
    struct ern_slice realm = x->route->policy.realm;
    struct out o = arena_out(&x->arena);

    out_literal(&o, "Basic realm=\"");
    for (size_t i = 0; i < realm.len; i++) {
        if (realm.ptr[i] == '"' || realm.ptr[i] == '\\')
            out_char(&o, '\\');
        out_char(&o, realm.ptr[i]);
    }
    out_literal(&o, "\", charset=\"UTF-8\""); /* RFC 7617 2.1 */
    return arena_keep(&x->arena, &o);
}
