/* SPDX-License-Identifier: Apache-2.0 */
/* login_parts.h - what the schemes share; inside login*.c only. */
#ifndef SERVE_LOGIN_PARTS_H
#define SERVE_LOGIN_PARTS_H

#include <stdatomic.h>

#include "conf/conf.h"
#include "io/nonces.h"
#include "serve/login.h"

struct issuers;

struct logins {
    struct users *users;
    struct tries *tries;
    struct nonces *nonces;
    struct issuers *issuers;
    struct pool *pool;
    int64_t nonce_valid_s;
    atomic_int_fast64_t waiting; /* credentials that wait or are looked at */
    struct hash_key key;
    char stranger[CRYPTO_HEX_BYTES]; /* a secret of Digest for the names that nobody has */
};

/* What the challenges of a route name as realm. */
struct ern_slice login_realm(const struct conf_route *route);

/* Has he to wait for another try, as this name? Fills login->keys. */
bool login_must_wait(struct login *login, struct ern_slice name, int64_t *ret_wait_s);

/* Reads what stands after the scheme, into login; stage stays LOGIN_NONE if it can not be read.
 * Returns as login_begin(). */
int64_t login_digest(struct login *login, struct ern_slice rest);
int64_t login_bearer(struct login *login, struct ern_slice rest);

/* Looks at a token; on the pool. */
void login_verify(struct login *login);

/* ---- issuers: login_bearer.c ----------------------------------------------------------------- */
ERN_MUST_USE int issuers_new(const struct conf *conf, struct issuers **ret_issuers);
void issuers_free(struct issuers *issuers);

/* Another number each time that keys were read again. */
unsigned issuers_generation(const struct issuers *issuers);

#endif
