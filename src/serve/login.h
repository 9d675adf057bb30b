/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h - who asks: what Authorization says (RFC 9110 11.6.2), or Proxy-Authorization, and
 * whether it is true.
 *
 * To hash a password takes some tens of milliseconds, on purpose. It is done by threads of its own,
 * which give way to those that serve, and only so many passwords wait for it. What was found right
 * a thread remembers for a while, so that a client pays once.
 */
#ifndef SERVE_LOGIN_H
#define SERVE_LOGIN_H

#include "conf/users.h"
#include "serve/exchange.h"
#include "serve/tries.h"

enum login_stage {
    LOGIN_NONE, /* there are no credentials that could be read */
    LOGIN_NEW,  /* there are, and the password is to be hashed */
    LOGIN_ASKED,
    LOGIN_RIGHT,
    LOGIN_WRONG,
};

struct login {      /* of one request; in its arena */
    struct job job; /* first: the pool gives it back */
    struct exchange *exchange;
    enum login_stage stage;
    const struct user *user; /* whose name is given; NULL: nobody's */
    struct ern_slice password;
    bool matches;
    struct try_keys keys;
    unsigned char mac[32]; /* of the credentials, by which they are remembered */
};

struct logins; /* shared by all threads */

/* Returns 0, or a negative errno. */
ERN_MUST_USE int logins_open(const struct conf *conf, struct hash_key key,
                             struct logins **ret_logins);
/* Before the workers are freed: ends the threads that hash. NULL is fine, here and below. */
void logins_stop(struct logins *logins);
void logins_free(struct logins *logins);

/* What one thread remembers; NULL without memory. */
struct remembered *remembered_new(void);
void remembered_free(struct remembered *remembered);

/* Reads the credentials. Returns the seconds that this client has to wait, or -1: it need not. */
int64_t login_wait_s(struct exchange *exchange);

/* Can it be found out now who asks? */
bool login_has_room(const struct exchange *exchange);

/* Do we know who asks? May have to wait. */
enum ern_answer login_ask(struct exchange *exchange);

/* The value of WWW-Authenticate (RFC 9110 11.6.1), in the arena. */
struct ern_slice login_challenge(struct exchange *exchange);

#endif
