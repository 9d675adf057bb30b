/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "io/password.h"
#include "msg/credentials.h"
#include "serve/conn.h"
#include "serve/login_parts.h"

enum {
    HASHERS = 2,      /* threads that hash */
    GIVES_WAY = 10,   /* their niceness */
    REMEMBERED = 512, /* credentials of one thread */
    SHORT_BYTES = 128 /* names of tokens that are longer are not remembered */
};

/*
 * Credentials are remembered by a keyed hash of the field's value (SipHash, 64 bits): neither what
 * lies in memory nor how long it takes tells a password, and who does not know the key has one
 * chance in 2^64 a try.
 */
struct remembered {
    struct memory_of {
        uint64_t tag;
        int64_t until_ms; /* 0: free */
        struct known known;
        enum login_scheme scheme;
        unsigned generation;         /* Bearer: of the keys */
        const struct policy *policy; /* Bearer: for which it was looked at */
        char text[SHORT_BYTES];      /* Bearer: the name */
    } slots[REMEMBERED];
};

/* ---- shared by all threads ---------------------------------------------------------------------
 */

static int
make_secrets(struct logins *l)
{
    char random[CRYPTO_BYTES];
    struct ern_slice text;

    if (getrandom(&l->key, sizeof l->key, 0) != sizeof l->key ||
        getrandom(random, sizeof random, 0) != sizeof random)
        return -EIO;
    text = slice_from(random, sizeof random);
    (void)crypto_joined(CRYPTO_SHA256, &text, 1, l->stranger);
    return 0;
}

static bool
can_log_in(const struct conf *conf)
{
    return conf->accounts_n > 0 || slice_is_there(conf->users) || slice_is_there(conf->digests) ||
           conf->issuers_n > 0;
}

int
logins_open(const struct conf *conf, struct logins **ret_logins)
{
    struct logins *l;
    struct users_fault fault;
    int error;

    if (!can_log_in(conf))
        return 0;
    l = calloc(1, sizeof *l);
    *ret_logins = l;
    if (!l)
        return -ENOMEM;
    l->nonce_valid_s = conf->limits.nonce_valid_s;
    error = users_new(conf, &l->users, &fault);
    if (!error)
        error = issuers_new(conf, &l->issuers);
    if (!error)
        error = make_secrets(l);
    if (error)
        return error;
    l->tries = tries_new(conf->limits.logins_failed_max, l->key);
    l->nonces = nonces_new();
    if (!l->tries || !l->nonces)
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
    nonces_free(l->nonces);
    issuers_free(l->issuers);
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
slot_of(const struct worker *w, uint64_t tag)
{
    return &w->remembered->slots[tag % REMEMBERED];
}

/* Does the route take these credentials without another look? */
static bool
still_counts(const struct exchange *x, const struct memory_of *m)
{
    const struct policy *p = &x->route->policy;

    return (p->schemes >> m->scheme & 1) &&
           (m->scheme != LOGIN_BEARER ||
            (m->policy == p && m->generation == issuers_generation(x->worker->logins->issuers)));
}

/* Were the credentials found right a while ago? */
static bool
recall(struct exchange *x, uint64_t tag)
{
    const struct memory_of *m = slot_of(x->worker, tag);

    if (m->tag != tag || x->worker->now.run_ms >= m->until_ms || !still_counts(x, m))
        return false;
    x->known = m->known;
    if (m->scheme == LOGIN_BEARER) { /* the slot may be another's before the answer is sent */
        struct out o = arena_out(&x->arena);

        out_slice(&o, m->known.name);
        x->known.name = arena_keep(&x->arena, &o);
    }
    x->res.user = x->known.name;
    return slice_is_there(x->known.name);
}

static void
remember(const struct login *login)
{
    const struct exchange *x = login->exchange;
    const struct worker *w = x->worker;
    struct memory_of *m = slot_of(w, login->tag);
    int64_t valid_ms = w->limits->login_valid_ms;

    if (login->scheme == LOGIN_BEARER) {
        int64_t left_ms = (login->until_s - w->now.unix_s) * 1000;

        if (x->known.name.len > SHORT_BYTES || !login->is_enough)
            return;
        valid_ms = left_ms < valid_ms ? left_ms : valid_ms;
    }
    *m = (struct memory_of){
        .tag = login->tag,
        .until_ms = w->now.run_ms + valid_ms,
        .known = x->known,
        .scheme = login->scheme,
        .generation = issuers_generation(w->logins->issuers),
        .policy = &x->route->policy,
    };
    if (login->scheme == LOGIN_BEARER) {
        memcpy(m->text, x->known.name.ptr, x->known.name.len);
        m->known.name.ptr = m->text;
    }
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

bool
login_must_wait(struct login *login, struct ern_slice name, int64_t *ret_wait_s)
{
    struct exchange *x = login->exchange;
    struct tries *tries = x->worker->logins->tries;
    struct ip client = address_ip(&x->client);
    int64_t ms;

    login->keys = tries_keys(tries, &client, name);
    ms = tries_wait_ms(tries, login->keys, x->worker->now.run_ms);
    *ret_wait_s = ms > 0 ? (ms + 999) / 1000 : -1;
    return ms > 0;
}

static int64_t
begin_basic(struct login *login, struct ern_slice rest)
{
    struct exchange *x = login->exchange;
    struct logins *l = x->worker->logins;
    struct out o = arena_out(&x->arena);
    const struct user *user;
    struct ern_slice name;
    int64_t wait_s;

    if (!credentials_basic(rest, &o, &name, &login->secret) ||
        !slice_is_there(arena_keep(&x->arena, &o)))
        return -1;
    user = users_find(l->users, name);
    if (user && !user->hash)
        user = NULL;
    login->named = user ? user->name : ERN_ABSENT;
    login->groups = user ? user->groups : NULL;
    /* A name that nobody has costs as much as one that somebody has: which one, the name says. */
    login->hash = user ? user->hash : users_decoy(l->users, hash_bytes(l->key, name));
    if (!login->hash)
        return -1;
    if (!login_must_wait(login, name, &wait_s))
        login->stage = LOGIN_NEW;
    return wait_s;
}

static const struct {
    struct ern_slice name, option;
    int64_t (*begin)(struct login *login, struct ern_slice rest);
} schemes[LOGIN_SCHEMES] = {
    [LOGIN_BASIC] = {{"Basic", 5}, {"basic", 5}, begin_basic},
    [LOGIN_DIGEST] = {{"Digest", 6}, {"digest", 6}, login_digest},
    [LOGIN_BEARER] = {{"Bearer", 6}, {"bearer", 6}, login_bearer},
};

unsigned
login_schemes(const struct conf_texts *names)
{
    unsigned bits = 0;

    for (size_t i = 0; i < names->n; i++)
        for (unsigned s = 0; s < LOGIN_SCHEMES; s++)
            if (slice_eq(names->text[i], schemes[s].option))
                bits |= 1U << s;
    return bits;
}

int64_t
login_begin(struct exchange *x)
{
    const struct worker *w = x->worker;
    struct credentials credentials;
    struct ern_slice value;
    struct login *login;
    uint64_t tag;

    if (!only_authorization(x, &value))
        return -1;
    tag = hash_bytes(w->logins->key, value);
    if (recall(x, tag))
        return -1;
    x->login = login = arena_take(&x->arena, sizeof *login);
    if (!login)
        return -1;
    *login = (struct login){.exchange = x, .tag = tag, .named = ERN_ABSENT};
    if (!credentials_read(value, &credentials))
        return -1;
    for (unsigned s = 0; s < LOGIN_SCHEMES; s++) {
        if (!(x->route->policy.schemes >> s & 1) ||
            !slice_eq_nocase(credentials.scheme, schemes[s].name))
            continue;
        login->scheme = (enum login_scheme)s;
        return schemes[s].begin(login, credentials.rest);
    }
    return -1;
}

bool
login_has_room(const struct exchange *x)
{
    const struct worker *w = x->worker;

    return !x->login || x->login->stage != LOGIN_NEW ||
           atomic_load(&w->logins->waiting) < w->limits->login_queue_max;
}

/* ---- what takes long ---------------------------------------------------------------------------
 */

static void
look(struct job *job)
{
    struct login *login = (struct login *)job;
    bool is_known = slice_is_there(login->named);

    (void)setpriority(PRIO_PROCESS, 0, GIVES_WAY); /* of this thread */
    if (login->scheme == LOGIN_BEARER) {
        login_verify(login);
    } else {
        login->matches = password_matches(login->secret, login->hash) && is_known;
        login->is_forged = !login->matches;
        explicit_bzero((char *)(uintptr_t)login->secret.ptr, login->secret.len);
    }
    login->exchange->worker->logins->waiting--;
}

static void
looked(struct job *job)
{
    struct login *login = (struct login *)job;
    struct exchange *x = login->exchange;
    struct worker *w = x->worker;

    login->stage = login->matches ? LOGIN_RIGHT : LOGIN_WRONG;
    if (login->matches) {
        x->known = (struct known){login->named, login->groups};
        remember(login);
        tries_succeed(w->logins->tries, login->keys);
    } else if (login->is_forged) {
        tries_fail(w->logins->tries, login->keys, w->now.run_ms);
    }
    x->res.resume(&x->res);
}

/* Hands the credentials to the threads that look at them. */
static enum ern_answer
begin_look(struct exchange *x)
{
    struct login *login = x->login;
    struct logins *l = x->worker->logins;

    login->job = (struct job){.mailbox = &x->worker->mailbox, .run = look, .done = looked};
    login->stage = LOGIN_ASKED;
    l->waiting++;
    if (pool_submit(l->pool, &login->job))
        return ERN_WAIT;
    l->waiting--;
    return ERN_FAIL;
}

enum ern_answer
login_ask(struct exchange *x)
{
    struct login *login = x->login;

    if (login && login->stage == LOGIN_NEW)
        return begin_look(x);
    if (login && login->stage == LOGIN_RIGHT)
        x->known = (struct known){login->named, login->groups};
    if (!slice_is_there(x->known.name))
        return ERN_NO;
    x->res.user = x->known.name;
    return ERN_YES;
}
