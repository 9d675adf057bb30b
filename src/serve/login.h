/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h - who asks: what Authorization says (RFC 9110 11.6.2), or Proxy-Authorization, and
 * whether it is true.
 *
 * To hash a password takes some tens of milliseconds, on purpose, and to look at the signature of a
 * token some tenths of one. Both are done by threads of their own, which give way to those that
 * serve, and only so many wait for it. What was found right a thread remembers for a while, so that
 * a client pays once. Digest takes some microseconds, and is looked at each time.
 */
#ifndef SERVE_LOGIN_H
#define SERVE_LOGIN_H

#include "conf/users.h"
#include "io/jwt.h"
#include "serve/exchange.h"
#include "serve/tries.h"

enum login_scheme { LOGIN_BASIC, LOGIN_DIGEST, LOGIN_BEARER, LOGIN_SCHEMES };

enum login_stage {
    LOGIN_NONE, /* there are no credentials that could be read */
    LOGIN_NEW,  /* there are, and they are to be looked at */
    LOGIN_ASKED,
    LOGIN_RIGHT,
    LOGIN_STALE, /* they are right, but of a nonce that is not good any more */
    LOGIN_WRONG,
};

enum { LOGIN_NAME_BYTES = 256 };

struct login {      /* of one request; in its arena */
    struct job job; /* first: the pool gives it back */
    struct exchange *exchange;
    enum login_stage stage;
    enum login_scheme scheme;
    struct try_keys keys;
    uint64_t tag;           /* of the credentials, by which they are remembered */
    struct ern_slice named; /* whose name was given; absent: nobody's */
    const struct conf_texts *groups;
    struct ern_slice secret;     /* the password, or the token */
    const char *hash;            /* Basic: that the password is to have */
    bool matches;                /* what the job found: they are right, */
    bool is_forged;              /* or made up */
    enum jwt_fault fault;        /* Bearer */
    bool is_enough;              /* Bearer: the token has the scopes of the route */
    int64_t until_s;             /* Bearer: as long as the token */
    struct ern_slice info;       /* Digest: the value of Authentication-Info */
    char name[LOGIN_NAME_BYTES]; /* Bearer: the memory of named */
};

struct logins; /* shared by all threads */

/* Returns 0, or a negative errno, and NULL where nobody can log in. */
ERN_MUST_USE int logins_open(const struct conf *conf, struct logins **ret_logins);
/* Before the workers are freed: ends the threads that hash. NULL is fine, here and below. */
void logins_stop(struct logins *logins);
void logins_free(struct logins *logins);

/* What one thread remembers; NULL without memory. */
struct remembered *remembered_new(void);
void remembered_free(struct remembered *remembered);

/* The schemes of a list, one bit an enum login_scheme. */
unsigned login_schemes(const struct conf_texts *names);

/* Reads the credentials. Returns the seconds that this client has to wait, or -1: it need not. */
int64_t login_begin(struct exchange *exchange);

/* Can it be found out now who asks? */
bool login_has_room(const struct exchange *exchange);

/* Do we know who asks? May have to wait. */
enum ern_answer login_ask(struct exchange *exchange);

/* May he, as far as his credentials say? A token may be for less (RFC 6750 3.1). */
enum ern_answer login_allows(struct exchange *exchange);

/* Says how clients can log in: the values of WWW-Authenticate (RFC 9110 11.6.1). Returns false if
 * there is no room for them, without which there is no 401 (RFC 9110 15.5.2). */
ERN_MUST_USE bool login_challenge(struct exchange *exchange);

/* Writes the fields that the answer to somebody who is known has besides. */
void login_write_fields(const struct exchange *exchange, struct out *o);

#endif
